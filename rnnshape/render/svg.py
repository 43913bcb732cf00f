"""SVG: a picture of the terminal's output that looks alike wherever it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

from rnnshape.document.model import Document
from rnnshape.render.terminal import render_sections

# In units of the picture; whatever font is there, each run of letters is stretched to this grid.
_LETTER: Final = 8.4
_LINE: Final = 20
_MARGIN: Final = 16

_STYLE: Final = """\
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  fill: #1c2024; white-space: pre; }
.bold { font-weight: bold; }
.dim { fill: #5b6470; }
.green { fill: #1a6b33; }
.yellow { fill: #7a5200; }
.red { fill: #b3161f; }
"""

# The terminal's colours that have a meaning, by their number among its sixteen.
_COLOURS: Final = {1: "red", 2: "green", 3: "yellow"}


def render_svg(document: Document) -> str:
    """The sections as a terminal shows them, in colour, on a light ground of its own."""
    coloured = render_sections(document.sections, colour=True).splitlines()
    lines = [Text.from_ansi(line) for line in coloured]
    columns = max((cell_len(line.plain) for line in lines), default=0)
    width = round(columns * _LETTER + 2 * _MARGIN, 1)
    height = len(lines) * _LINE + 2 * _MARGIN
    runs = (run for number, line in enumerate(lines) for run in _runs(line, number))
    title = escape(lines[0].plain) if lines else "rnnshape"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img">\n'
        f"<title>{title}</title>\n<style>\n{_STYLE}</style>\n"
        f'<rect x="0.5" y="0.5" width="{width - 1:.1f}" height="{height - 1}" rx="6"'
        ' fill="#ffffff" stroke="#d5d9de"/>\n'
        f"{''.join(runs)}</svg>\n"
    )


def _runs(line: Text, number: int) -> Iterator[str]:
    """Letters of one style without a gap of two blanks, each run at its own place."""
    y = _MARGIN + number * _LINE + 15
    column = 0
    for letters, style in _pieces(line):
        for part in re.split("( {2,})", letters):
            width = cell_len(part)
            if part.strip():
                yield _run(part, style, column=column, width=width, y=y)
            column += width


def _pieces(line: Text) -> Iterator[tuple[str, Style]]:
    console = Console(_environ={}, width=1_000_000)
    for segment in line.render(console):
        yield segment.text, segment.style or Style()


def _run(letters: str, style: Style, *, column: int, width: int, y: int) -> str:
    x = round(_MARGIN + column * _LETTER, 1)
    classes = " ".join(_classes(style))
    named = f' class="{classes}"' if classes else ""
    return (
        f'<text x="{x}" y="{y}" textLength="{round(width * _LETTER, 1)}"'
        f' lengthAdjust="spacingAndGlyphs"{named}>{escape(letters)}</text>\n'
    )


def _classes(style: Style) -> Iterator[str]:
    if style.bold:
        yield "bold"
    if style.dim:
        yield "dim"
    if style.color is not None and style.color.number is not None:
        yield _COLOURS[style.color.number]
