"""SVG: a picture of the terminal's output that looks the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape
from itertools import groupby
from typing import Final

from rich.cells import cell_len

from rnnshape.document.model import Diagram, Document, Section
from rnnshape.render.drawing import Drawing, drawing
from rnnshape.render.terminal import Span, StyledLine, styled_lines

# In units of the picture; each span of letters is stretched to this grid, whatever the font.
_LETTER: Final = 8.4
_LINE: Final = 20
_MARGIN: Final = 16

# The terminal's styles are classes of the same names.
_STYLE: Final = """\
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  fill: #1c2024; white-space: pre; }
.drawing { color: #5b6470; }
.drawing text { font-size: 13px; }
.bold { font-weight: bold; }
.dim { fill: #5b6470; }
.green { fill: #1a6b33; }
.yellow { fill: #7a5200; }
.red { fill: #b3161f; }
.seq { fill: #007070; }
.batch { fill: #b04a00; }
.feature { fill: #6a3fd0; }
.layer { fill: #b0007a; }
"""


def render_svg(document: Document) -> str:
    """The sections as a terminal shows them, in colour, on a light background of its own.

    A diagram is drawn, since a picture has room for more than letters.
    """
    texts: list[str] = []
    elements: list[str] = []
    width, y = 0.0, float(_MARGIN)
    for part in _parts(document.sections):
        if isinstance(part, Drawing):
            place = f"translate({_MARGIN} {y + _LINE / 2:g})"
            elements.append(f'<g class="drawing" transform="{place}">\n{part.elements}\n</g>\n')
            width, y = max(width, part.width), y + part.height + _LINE
            continue
        texts.append("".join(letters for letters, _ in part))
        elements += _spans(part, y)
        width, y = max(width, cell_len(texts[-1]) * _LETTER), y + _LINE
    width, height = round(width + 2 * _MARGIN, 1), y + _MARGIN
    title = escape(texts[0]) if texts else "rnnshape"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}"'
        f' width="{width}" height="{height:g}" role="img">\n'
        f"<title>{title}</title>\n<style>\n{_STYLE}</style>\n"
        f'<rect x="0.5" y="0.5" width="{width - 1:.1f}" height="{height - 1:g}" rx="6"'
        ' fill="#ffffff" stroke="#d5d9de"/>\n'
        f"{''.join(elements)}</svg>\n"
    )


def _parts(sections: Iterable[Section]) -> Iterator[StyledLine | Drawing]:
    """The lines of the sections, with a drawing in the place of each diagram."""
    for number, section in enumerate(sections):
        if number:
            yield []
        titled = section.titled
        for is_diagram, group in groupby(section.blocks, lambda b: isinstance(b, Diagram)):
            blocks = tuple(group)
            if not is_diagram:
                part = replace(section, blocks=blocks, titled=titled)
                yield from styled_lines([part], ruled=True)
            elif titled:
                yield [(section.key, "bold")]
            yield from (drawing(block) for block in blocks if isinstance(block, Diagram))
            titled = False


def _spans(line: StyledLine, top: float) -> Iterator[str]:
    """An element for each stretch of a line without a gap of two blanks."""
    y = f"{top + 15:g}"
    column = 0
    for stretch in _stretches(line):
        letters = "".join(part for part, _ in stretch)
        x, width = round(_MARGIN + column * _LETTER, 1), cell_len(letters)
        if letters.strip():
            yield (
                f'<text x="{x}" y="{y}" textLength="{round(width * _LETTER, 1)}"'
                f' lengthAdjust="spacingAndGlyphs">{"".join(map(_styled, stretch))}</text>\n'
            )
        column += width


def _stretches(line: StyledLine) -> Iterator[StyledLine]:
    """The line cut before and after each gap; a gap is a stretch of its own."""
    stretch: StyledLine = []
    for letters, style in line:
        for part in filter(None, re.split("( {2,})", letters)):
            is_gap = part.startswith("  ")
            if is_gap and stretch:
                yield stretch
                stretch = []
            if is_gap:
                yield [(part, style)]
            else:
                stretch.append((part, style))
    yield stretch


def _styled(span: Span) -> str:
    letters, style = span
    return f'<tspan class="{style}">{escape(letters)}</tspan>' if style else escape(letters)
