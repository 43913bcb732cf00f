"""Markdown for notes: GitHub's tables, aligned as text too; names and formulas as code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Column,
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
from rnnshape.render.cells import cell_text

# An underscore within a word marks nothing in GitHub's Markdown, nor in CommonMark.
_SPECIAL = re.compile(r"([\\`*{}\[\]<>#|~&]|(?<!\w)_|_(?!\w))")


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
            return _escaped(", ".join(pieces)) + "."
        case Paragraph(text):
            return _inline(text)
        case Listing(items):
            return "\n".join(f"- {_cell(name)}: {_inline(text)}" for name, text in items)
        case Picture(lines):
            return "\n".join(["```text", *lines, "```"])
        case Heading(text):
            return f"**{_code(text.text)}**"
        case Note(text):
            return f"**Note:** {_inline(text)}"
        case Verdict(status=status, text=text, subject=subject):
            prefix = {"ok": "ok: ", "failed": "**MISMATCH**: ", "open": ""}[status]
            return f"{_code(subject.text)}: {prefix}{_inline(text)}"


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
    return _escaped(re.sub(" +", " ", text))


def _inline(text: Inline) -> str:
    return "".join(str(piece) if isinstance(piece, int) else _cell_inline(piece) for piece in text)


def _cell_inline(piece: str | Code | Formula | Shape) -> str:
    return _escaped(piece) if isinstance(piece, str) else _cell(piece)


def _code(text: str) -> str:
    """A code span."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
