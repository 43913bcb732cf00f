"""GitHub Actions' workflow commands: an annotation a failure, a line of the log for the rest.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.document.model import Document, Inline, Verdict
from rnnshape.render.cells import cell_text


def render_github(document: Document) -> str:
    """A line a verdict: `::error file=rnnshape.toml,line=9,title=encoder::output = ...`."""
    return "".join(f"{_line(verdict)}\n" for verdict in document.verdicts())


def render_annotations(document: Document) -> str:
    """The failures alone."""
    return "".join(
        f"{_annotation(verdict)}\n"
        for verdict in document.verdicts()
        if verdict.status in ("failed", "unmet")
    )


def _line(verdict: Verdict) -> str:
    if verdict.status in ("failed", "unmet"):
        return _annotation(verdict)
    # The runner takes two number signs and a bracket for a command, anywhere in a line.
    text = f"{cell_text(verdict.subject)}: {_inline(verdict.text)}".replace("##[", "# #[")
    return f"ok: {text}" if verdict.status == "ok" else text.lstrip(": ")


def _annotation(verdict: Verdict) -> str:
    properties = ",".join(f"{key}={_property(value)}" for key, value in _places(verdict))
    text = "\n".join(filter(None, (_inline(verdict.text), _inline(verdict.reason))))
    return f"::error {properties}::{_escaped(text)}"


def _places(verdict: Verdict) -> Iterator[tuple[str, str]]:
    if verdict.place is not None:
        yield "file", cell_text(verdict.place.file)
        yield "line", str(verdict.place.line)
    yield "title", cell_text(verdict.subject)


def _inline(text: Inline) -> str:
    return "".join(map(cell_text, text))


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
