"""One file for each format: a document in, a string out. Nothing here reads or writes files."""

from __future__ import annotations

from enum import Enum
from importlib import import_module

from rnnshape.document.model import Document
from rnnshape.errors import RequestError, quoted, word

_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")


class Format(Enum):
    """What `-f` takes, the function that writes it, and the suffixes of files in this format."""

    TABLE = "table", "terminal:render_table", ".txt"
    MARKDOWN = "markdown", "markdown:render_markdown", ".md", ".markdown"
    HTML = "html", "html:render_html", ".html", ".htm"
    LATEX = "latex", "latex:render_latex", ".tex"
    CSV = "csv", "csv:render_csv", ".csv"
    JSON = "json", "json:render_json", ".json"
    SVG = "svg", "svg:render_svg", ".svg"
    GITHUB = "github", "github:render_github"  # for the log of a workflow, not for files
    JUNIT = "junit", "junit:render_junit", ".xml"

    def __new__(cls, name: str, writer: str = "", *suffixes: str) -> Format:  # noqa: PYI034 - no Self in 3.10
        """Make the member with the value `name`; mypy checks `Format("csv")` as a call of this."""
        member = object.__new__(cls)
        member._value_ = name
        member.writer, member.suffixes = writer, suffixes
        return member

    writer: str
    suffixes: tuple[str, ...]


def render(document: Document, output: Format) -> str:
    """The whole document as files and pipes get it: without colour, as wide as it needs to be."""
    module, function = output.writer.split(":")
    text: str = getattr(import_module(f"{__name__}.{module}"), function)(document)
    return text


def format_of(name: str, option: str) -> Format:
    """The format that the suffix of a file names; `option` is what asks for the file."""
    for output in Format:
        if name.lower().endswith(output.suffixes):
            return output
    from rnnshape import synonyms  # only mistakes need it

    meant = synonyms.one_of(name, [each.value for each in Format], synonyms.FORMATS)
    if meant and option == "-o":
        raise RequestError(f"-o {quoted(name)} names a format, not a file", hint=f"-f {meant}")
    if option == "-o" and name.lower().endswith(_PICTURES):
        stem = name.rpartition(".")[0]
        raise RequestError(
            f"-o {quoted(name)}: a report is no picture of this format",
            hint=f"-o {word(f'{stem}.svg')}; compare --plot {word(f'{stem}.png')} draws a chart",
        )
    suffixes = ", ".join(suffix for output in Format for suffix in output.suffixes)
    raise RequestError(
        f"{option} {quoted(name)} has no suffix that names a format", hint=f"one of {suffixes}"
    )
