"""HTML: one file that needs nothing else, for light and dark screens, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Column,
    Diagram,
    Document,
    Equations,
    Formula,
    Heading,
    Inline,
    Legend,
    Listing,
    Note,
    Paragraph,
    Picture,
    Section,
    Shape,
    Steps,
    Table,
    Verdict,
)
from rnnshape.errors import printable
from rnnshape.render.cells import cell_text, pieces, symbol_texts
from rnnshape.render.diagram import diagram_lines
from rnnshape.render.drawing import drawing

_STYLE: Final = """\
:root { color-scheme: light dark; --ink: #1c2024; --dim: #5b6470; --paper: #fff; --line: #d5d9de;
  --shade: #f4f6f8; --ok: #1a6b33; --note: #7a5200; --bad: #b3161f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --dim: #a0a8b2; --paper: #15181c;
  --line: #3a4048; --shade: #1f2329; --ok: #6fd08c; --note: #e8b957; --bad: #ff8a8a; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
code, pre, td.n { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  font-size: .875rem; }
h1 { font-size: 1.25rem; overflow-wrap: anywhere; }
h1 code { font-size: 1.1rem; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .9375rem; }
th, td { padding: .25rem .75rem; text-align: left; white-space: nowrap; font-weight: normal;
  border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--dim); font-size: .875rem; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
tr.group > * { border-top: 2px solid var(--dim); }
tr.total > * { font-weight: bold; border-top: 2px solid var(--dim); }
code.formula { color: var(--dim); }
pre { background: var(--shade); padding: .75rem; margin: 0; line-height: 1.35; width: max-content;
  min-width: 100%; box-sizing: border-box; }
svg { display: block; max-width: 100%; height: auto; }
dl { margin: .5rem 0; }
dt { overflow-wrap: anywhere; }
dd { margin: 0 0 .5rem 1.5rem; color: var(--dim); }
.legend { color: var(--dim); }
.mark { border-left: .25rem solid; padding-left: .75rem; }
.ok { border-color: var(--ok); } .ok strong { color: var(--ok); }
.note { border-color: var(--note); } .note strong { color: var(--note); }
.mismatch, .failed { border-color: var(--bad); }
.mismatch strong, .failed strong { color: var(--bad); }
.skipped { border-color: var(--dim); }
@media print { .scroll { overflow: visible; } section, tr, svg { break-inside: avoid; }
  pre { white-space: pre-wrap; width: auto; } th, td { white-space: normal; } }
"""
# Notebooks style all HTML as prose: they float terms, align every cell to the right and enlarge
# every h1. The class is doubled so that these rules outweigh theirs.
_FRAGMENT_STYLE: Final = """\
.rnnshape.rnnshape h1 { font-size: 1.15em; margin: .5em 0; }
.rnnshape.rnnshape h2 { font-size: 1em; font-weight: bold; margin: 1em 0 .25em; }
.rnnshape.rnnshape p { margin: .25em 0; }
.rnnshape.rnnshape th, .rnnshape.rnnshape td { text-align: left; font-weight: normal; }
.rnnshape.rnnshape .n { text-align: right; }
.rnnshape.rnnshape tr.total > * { font-weight: bold; }
.rnnshape.rnnshape dt, .rnnshape.rnnshape dd { float: none; width: auto; font-weight: normal; }
.rnnshape.rnnshape dd { margin: 0 0 .25em 2em; }
.rnnshape.rnnshape .scroll { overflow-x: auto; }
"""


def render_html(document: Document) -> str:
    """A whole page without scripts that loads nothing."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_title(document)}</title>\n<style>\n{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{_sections(document)}\n</main>\n</body>\n</html>\n"
    )


def render_fragment(document: Document) -> str:
    """The sections, for a page that has its own colours and fonts, such as a notebook."""
    style = f"<style>\n{_FRAGMENT_STYLE}</style>"
    return f'<div class="rnnshape">\n{style}\n{_sections(document)}\n</div>'


def _sections(document: Document) -> str:
    return "\n".join(line for section in document.sections for line in _section(section))


def _title(document: Document) -> str:
    blocks = (block for section in document.sections for block in section.blocks)
    headings = (cell_text(block.text) for block in blocks if isinstance(block, Heading))
    return escape(next(headings, "rnnshape"))


def _section(section: Section) -> Iterator[str]:
    yield "<section>"
    if section.titled:
        yield f"<h2>{escape(section.key)}</h2>"
    for block in section.blocks:
        yield from _block(block, section.key)
    yield "</section>"


def _block(block: Block, key: str) -> Iterator[str]:
    match block:
        case Table():
            yield from _scrolled(_table(block), key)
        case Legend(symbols):
            values = ", ".join(map(_inline, symbol_texts(symbols)))
            yield f'<p class="legend">{values}</p>'
        case Paragraph(text):
            yield f"<p>{_inline(text)}</p>"
        case Listing(items):
            yield "<dl>"
            for name, text in items:
                yield f"<dt>{_cell(name)}</dt><dd>{_inline(text)}</dd>"
            yield "</dl>"
        case Steps():
            yield from _steps(block, key)
        case Picture(lines) | Equations(lines):
            yield from _scrolled(_picture(map(printable, lines)), key)
        case Diagram():
            yield from _scrolled(_diagram(block), key)
        case Heading(text, totals):
            yield f"<h1>{_cell(text)}</h1>"
            if totals:
                yield f"<p>{_inline(totals)}</p>"
        case Note(text):
            yield f'<p class="mark note"><strong>note:</strong> {_inline(text)}</p>'
        case Verdict():
            yield f'<p class="mark {block.status}">{"<br>".join(_verdict(block))}</p>'


def _verdict(verdict: Verdict) -> Iterator[str]:
    yield (f"<strong>{verdict.word}</strong>" if verdict.word else "") + _inline(verdict.text)
    if verdict.reason:
        yield _inline(verdict.reason)
    yield _inline(verdict.about)


def _scrolled(lines: Iterable[str], key: str) -> Iterator[str]:
    """A box that scrolls, also by keyboard, around lines that may be wider than the screen."""
    yield f'<div class="scroll" role="region" aria-label="{escape(key)}" tabindex="0">'
    yield from lines
    yield "</div>"


def _steps(steps: Steps, key: str) -> Iterator[str]:
    """An ordered list; one item alone has no number."""
    several = len(steps.items) > 1
    if several:
        yield "<ol>"
    for text, code in steps.items:
        yield f"{'<li>' * several}<p>{_inline(text)}</p>"
        if code:
            yield from _scrolled(_picture(map(printable, code)), key)
        if several:
            yield "</li>"
    if several:
        yield "</ol>"


def _picture(lines: Iterable[str]) -> Iterator[str]:
    text = "\n".join(escape(line) for line in lines)
    yield f"<pre>{text}</pre>"


def _diagram(diagram: Diagram) -> Iterator[str]:
    """The picture, which takes its colour from the page; screen readers get its lines of text."""
    drawn = drawing(diagram)
    yield (
        f'<svg viewBox="0 0 {drawn.width:g} {drawn.height:g}" width="{drawn.width:g}"'
        f' height="{drawn.height:g}" role="img" font-family="ui-monospace, SFMono-Regular, Menlo,'
        ' Consolas, monospace" font-size="13" fill="currentColor">'
    )
    lines = "; ".join(" ".join(line.split()) for line in diagram_lines(diagram))
    yield f"<title>{escape(lines)}</title>"
    yield drawn.elements
    yield "</svg>"


def _table(table: Table) -> Iterator[str]:
    heads = [f'<th{_side(c)} scope="col">{_text(c.title)}</th>' for c in table.columns]
    yield f"<table>\n<thead>\n<tr>{''.join(heads)}</tr>\n</thead>\n<tbody>"
    for number, row in enumerate(table.rows):
        begins = ' class="group"' if number in table.breaks else ""
        kind = ' class="total"' if table.is_total(number) else begins
        yield f"<tr{kind}>{''.join(_cells(row, table.columns))}</tr>"
    yield "</tbody>\n</table>"


def _cells(row: Sequence[Cell], columns: Sequence[Column]) -> Iterator[str]:
    """The first cell names the row."""
    for number, (cell, column) in enumerate(zip(row, columns, strict=True)):
        tag, scope = ("td", "") if number else ("th", ' scope="row"')
        yield f"<{tag}{_side(column)}{scope}>{_cell(cell)}</{tag}>"


def _side(column: Column) -> str:
    return ' class="n"' if column.numeric else ""


def _inline(text: Inline) -> str:
    return "".join(map(_cell, pieces(text)))


def _cell(cell: Cell) -> str:
    text = _text(cell_text(cell))
    match cell:
        case Formula():
            return f'<code class="formula">{text}</code>'
        case Code() | Shape():
            return f"<code>{text}</code>"
        case _:
            return text


def _text(text: str) -> str:
    return escape(re.sub(" +", " ", printable(text)))
