"""GitHub Actions' workflow commands: an annotation for each failure, a plain line otherwise.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.document.model import Document, Verdict
from rnnshape.render.cells import cell_text, line_text


def render_github(document: Document) -> str:
    """A line for each verdict: `::error file=rnnshape.toml,line=9,title=encoder::output = ...`."""
    return "".join(f"{_line(verdict)}\n" for verdict in document.verdicts())


def render_annotations(document: Document) -> str:
    """The annotations alone."""
    failures = (verdict for verdict in document.verdicts() if _fails(verdict))
    return "".join(f"{_annotation(verdict)}\n" for verdict in failures)


def _fails(verdict: Verdict) -> bool:
    return verdict.status in ("mismatch", "failed", "refused")


def _line(verdict: Verdict) -> str:
    if _fails(verdict):
        return _annotation(verdict)
    text = f"{verdict.word}{cell_text(verdict.subject)}: {line_text(verdict.text)}"
    # The runner takes a line that begins with "::", or has "##[" anywhere, for a command.
    return text.lstrip(": ").replace("##[", "# #[")


def _annotation(verdict: Verdict) -> str:
    properties = ",".join(f"{key}={_property(value)}" for key, value in _properties(verdict))
    text = "\n".join(filter(None, (line_text(verdict.text), line_text(verdict.reason))))
    return f"::error {properties}::{_escaped(text)}".replace("##[", "# #[")


def _properties(verdict: Verdict) -> Iterator[tuple[str, str]]:
    if verdict.place is not None:
        yield "file", cell_text(verdict.place.file)
        yield "line", str(verdict.place.line)
    yield "title", cell_text(verdict.subject)


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
