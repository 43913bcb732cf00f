"""SVG: a picture of the terminal's output that looks the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Final

from rich.cells import cell_len

from rnnshape.document.model import Document
from rnnshape.render.terminal import StyledLine, styled_lines

# In units of the picture; each span of letters is stretched to this grid, whatever the font.
_LETTER: Final = 8.4
_LINE: Final = 20
_MARGIN: Final = 16

# The terminal's styles are classes of the same names.
_STYLE: Final = """\
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  fill: #1c2024; white-space: pre; }
.bold { font-weight: bold; }
.dim { fill: #5b6470; }
.green { fill: #1a6b33; }
.yellow { fill: #7a5200; }
.red { fill: #b3161f; }
"""


def render_svg(document: Document) -> str:
    """The sections as a terminal shows them, in colour, on a light background of its own."""
    lines = list(styled_lines(document.sections))
    texts = ["".join(letters for letters, _ in line) for line in lines]
    width = round(max(map(cell_len, texts), default=0) * _LETTER + 2 * _MARGIN, 1)
    height = len(lines) * _LINE + 2 * _MARGIN
    spans = (span for number, line in enumerate(lines) for span in _spans(line, number))
    title = escape(texts[0]) if texts else "rnnshape"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img">\n'
        f"<title>{title}</title>\n<style>\n{_STYLE}</style>\n"
        f'<rect x="0.5" y="0.5" width="{width - 1:.1f}" height="{height - 1}" rx="6"'
        ' fill="#ffffff" stroke="#d5d9de"/>\n'
        f"{''.join(spans)}</svg>\n"
    )


def _spans(line: StyledLine, number: int) -> Iterator[str]:
    """An element for each stretch of a line that has one style and no gap of two blanks."""
    y = _MARGIN + number * _LINE + 15
    column = 0
    for letters, style in line:
        named = f' class="{style}"' if style else ""
        for part in re.split("( {2,})", letters):
            x, width = round(_MARGIN + column * _LETTER, 1), cell_len(part)
            if part.strip():
                yield (
                    f'<text x="{x}" y="{y}" textLength="{round(width * _LETTER, 1)}"'
                    f' lengthAdjust="spacingAndGlyphs"{named}>{escape(part)}</text>\n'
                )
            column += width
