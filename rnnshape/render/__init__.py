"""One file a format: a document in, a string out. Nothing here writes or reads anything."""

from __future__ import annotations

from enum import Enum

from rnnshape.document.model import Document


class Format(Enum):
    """The formats; the value is what `-f` takes."""

    TABLE = "table"
    MARKDOWN = "markdown"
    HTML = "html"
    LATEX = "latex"
    CSV = "csv"
    JSON = "json"
    SVG = "svg"
    GITHUB = "github"
    JUNIT = "junit"

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The file name endings that choose this format."""
        return {
            Format.TABLE: (".txt",),
            Format.MARKDOWN: (".md", ".markdown"),
            Format.HTML: (".html", ".htm"),
            Format.LATEX: (".tex",),
            Format.CSV: (".csv",),
            Format.JSON: (".json",),
            Format.SVG: (".svg",),
            Format.GITHUB: (),  # for the log of a workflow alone
            Format.JUNIT: (".xml",),
        }[self]


def render(document: Document, output: Format) -> str:
    """The whole document in a format that a file or a pipe gets: no colour, natural width."""
    match output:
        case Format.TABLE:
            from rnnshape.render.terminal import render_sections

            return render_sections(document.sections)
        case Format.MARKDOWN:
            from rnnshape.render.markdown import render_markdown

            return render_markdown(document)
        case Format.HTML:
            from rnnshape.render.html import render_html

            return render_html(document)
        case Format.LATEX:
            from rnnshape.render.latex import render_latex

            return render_latex(document)
        case Format.CSV:
            from rnnshape.render.csv import render_csv

            return render_csv(document)
        case Format.JSON:
            from rnnshape.render.json import render_json

            return render_json(document)
        case Format.SVG:
            from rnnshape.render.svg import render_svg

            return render_svg(document)
        case Format.GITHUB:
            from rnnshape.render.github import render_github

            return render_github(document)
        case Format.JUNIT:
            from rnnshape.render.junit import render_junit

            return render_junit(document)
