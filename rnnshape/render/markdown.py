"""Markdown for notes: GitHub's tables, aligned as text too; names and formulas as code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Column,
    Diagram,
    Document,
    Formula,
    Heading,
    Inline,
    Legend,
    Listing,
    Note,
    Paragraph,
    Picture,
    Shape,
    Table,
    Verdict,
)
from rnnshape.errors import printable
from rnnshape.render.cells import cell_text
from rnnshape.render.diagram import mermaid_lines

# An underscore between letters marks nothing in GitHub's Markdown, nor in CommonMark.
_SPECIAL = re.compile(r"([\\`*{}\[\]<>#|~&$]|(?<![^\W_])_|_(?![^\W_]))")
# What makes a list or a rule of a line that begins with it.
_BEGINS_BLOCK = re.compile(r"^([-+](?= |$)|-(?=[- ]+$)|[0-9]+(?=[.)]( |$)))")

_VERDICTS = {"ok": "ok: ", "failed": "**MISMATCH**: ", "unmet": "**FAILED**: ", "open": ""}


def render_markdown(document: Document) -> str:
    """The sections as Markdown blocks, and a final newline."""
    blocks = [block for section in document.sections for block in section.blocks]
    return "\n\n".join(_written(block) for block in blocks) + "\n"


def _written(block: Block) -> str:
    match block:
        case Table():
            return "\n".join(_table(block))
        case Legend(symbols):
            pieces = (f"{'='.join(s.symbols)}={s.value} {s.meaning}".strip() for s in symbols)
            return _escaped(printable(", ".join(pieces))) + "."
        case Paragraph(text):
            return _begun(_inline(text))
        case Listing(items):
            return "\n".join(f"- {_begun(_cell(name))}: {_inline(text)}" for name, text in items)
        case Picture(lines):
            return _fenced("text", map(printable, lines))
        case Diagram():
            return _fenced("mermaid", mermaid_lines(block))
        case Heading(text):
            return f"**{_cell(text)}**"
        case Note(text):
            return f"**Note:** {_inline(text)}"
        case Verdict():
            return _verdict(block)


def _verdict(verdict: Verdict) -> str:
    place = "" if verdict.place is None else f"{_cell(Code(str(verdict.place)))}: "
    text = f"{place}{_cell(verdict.subject)}: {_VERDICTS[verdict.status]}{_inline(verdict.text)}"
    return f"{text}; {_inline(verdict.reason)}" if verdict.reason else text


def _fenced(language: str, lines: Iterable[str]) -> str:
    """A code block, fenced by more backticks than any line has in a row."""
    kept = list(lines)
    fence = "`" * max(3, 1 + max(map(_longest_run, kept), default=0))
    return "\n".join([f"{fence}{language}", *kept, fence])


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _begun(text: str) -> str:
    """The text as the first of a block, where a dash or a number would make a list of it."""
    match = _BEGINS_BLOCK.match(text)
    if not match:
        return text
    mark = match[0]
    place = len(mark) if mark[0].isdigit() else 0
    return f"{text[:place]}\\{text[place:]}"


def _table(table: Table) -> Iterator[str]:
    last = len(table.rows) - 1
    rows = [
        [_table_cell(cell, strong=table.total and number == last) for cell in row]
        for number, row in enumerate(table.rows)
    ]
    titles = [_table_cell(column.title) for column in table.columns]
    widths = [max(3, *map(len, column)) for column in zip(titles, *rows, strict=True)]
    yield _line(titles, table.columns, widths)
    yield (
        "|"
        + "|".join(
            "-" * (width + 1) + (":" if column.numeric else "-")
            for column, width in zip(table.columns, widths, strict=True)
        )
        + "|"
    )
    for row in rows:
        yield _line(row, table.columns, widths)


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if column.numeric else cell.ljust(width)
        for cell, column, width in zip(cells, columns, widths, strict=True)
    )
    return f"| {' | '.join(padded)} |"


def _table_cell(cell: Cell, *, strong: bool = False) -> str:
    written = _cell(cell)
    if isinstance(cell, (Code, Formula, Shape)):
        written = written.replace("|", r"\|")  # a bar ends a cell even within code
    return f"**{written}**" if strong and written and not isinstance(cell, Formula) else written


def _cell(cell: Cell) -> str:
    text = cell_text(cell)
    if not text:
        return ""
    if isinstance(cell, (Code, Formula, Shape)):
        return _code(text)
    return _escaped(re.sub(" +", " ", text).strip())


def _inline(text: Inline) -> str:
    return "".join(str(piece) if isinstance(piece, int) else _cell_inline(piece) for piece in text)


def _cell_inline(piece: str | Code | Formula | Shape) -> str:
    return _escaped(printable(piece)) if isinstance(piece, str) else _cell(piece)


def _code(text: str) -> str:
    """A code span; its fence is longer than any run of backticks in it."""
    fence = "`" * (_longest_run(text) + 1)
    space = " " if "`" in text or (text[:1] == " " == text[-1:] and text.strip()) else ""
    return f"{fence}{space}{text}{space}{fence}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
