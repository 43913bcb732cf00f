"""GitHub Actions' workflow commands: an annotation a failure, a line of the log for the rest.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rnnshape.document.model import Document, Inline, Verdict
from rnnshape.render.cells import cell_text


def render_github(document: Document, *, path_of: Callable[[str], str] = str) -> str:
    """A line a verdict: `::error file=rnnshape.toml,line=9,title=encoder::output = ...`.

    `path_of` makes of a file's name what leads to it from the root of the repository.
    """
    return "".join(f"{_line(verdict, path_of)}\n" for verdict in document.verdicts())


def render_annotations(document: Document, *, path_of: Callable[[str], str] = str) -> str:
    """The failures alone."""
    return "".join(
        f"{_annotation(verdict, path_of)}\n"
        for verdict in document.verdicts()
        if verdict.status in ("failed", "unmet")
    )


def _line(verdict: Verdict, path_of: Callable[[str], str]) -> str:
    if verdict.status in ("failed", "unmet"):
        return _annotation(verdict, path_of)
    # The runner takes two number signs and a bracket for a command, anywhere in a line.
    text = f"{cell_text(verdict.subject)}: {_inline(verdict.text)}".replace("##[", "# #[")
    return f"ok: {text}" if verdict.status == "ok" else text.lstrip(": ")


def _annotation(verdict: Verdict, path_of: Callable[[str], str]) -> str:
    properties = ",".join(f"{key}={_property(value)}" for key, value in _places(verdict, path_of))
    text = "\n".join(filter(None, (_inline(verdict.text), _inline(verdict.reason))))
    return f"::error {properties}::{_escaped(text)}"


def _places(verdict: Verdict, path_of: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    if verdict.place is not None:
        yield "file", cell_text(path_of(verdict.place.file))
        yield "line", str(verdict.place.line)
    yield "title", cell_text(verdict.subject)


def _inline(text: Inline) -> str:
    return "".join(map(cell_text, text))


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
