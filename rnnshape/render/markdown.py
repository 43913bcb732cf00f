"""Markdown for notes: GitHub's tables, aligned in the source too; names and formulas as code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import indent

from rnnshape.document.model import (
    Block,
    Cell,
    Code,
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
    Shape,
    Steps,
    Table,
    Verdict,
)
from rnnshape.errors import printable
from rnnshape.render.cells import aligned, cell_text, line_text, pieces, symbol_texts
from rnnshape.render.diagram import mermaid_lines

# An underscore between letters is plain text in GitHub's Markdown and in CommonMark.
_SPECIAL = re.compile(r"([\\`*{}\[\]<>#|~&$]|(?<![^\W_])_|_(?![^\W_]))")
# A line that begins so would become a list item or a rule.
_BEGINS_BLOCK = re.compile(r"^([0-9]+)(?=[.)](?: |$))|^(?=[-+](?: |$)|-[- ]+$)")


def render_markdown(document: Document) -> str:
    """The sections as Markdown blocks, and a final newline."""
    blocks = [block for section in document.sections for block in section.blocks]
    return "\n\n".join(_written(block) for block in blocks) + "\n"


def _written(block: Block) -> str:
    match block:
        case Table():
            return "\n".join(_table(block))
        case Legend(symbols):
            return _escaped(", ".join(map(line_text, symbol_texts(symbols)))) + "."
        case Paragraph(text):
            return _begun(_inline(text))
        case Listing(items):
            return "\n".join(f"- {_begun(_cell(name))}: {_inline(text)}" for name, text in items)
        case Steps():
            return _steps(block)
        case Picture(lines, language=language):
            return _fenced(language, map(printable, lines))
        case Equations(lines):
            return _fenced("text", map(printable, lines))
        case Diagram():
            return _fenced("mermaid", mermaid_lines(block))
        case Heading(text, totals):
            return f"**{_cell(text)}**" + (f" {_inline(totals)}" if totals else "")
        case Note(text):
            return f"**Note:** {_inline(text)}"
        case Verdict():
            return _verdict(block)


def _verdict(verdict: Verdict) -> str:
    word = re.sub("[A-Z]+", r"**\g<0>**", verdict.word)
    text = f"{_inline(verdict.about)}: {word}{_inline(verdict.text)}"
    return f"{text}; {_inline(verdict.reason)}" if verdict.reason else text


def _steps(steps: Steps) -> str:
    """An ordered list, in whose items the code is fenced; one item is a paragraph."""
    parts = []
    for number, (text, code) in zip(steps.numbers, steps.items, strict=True):
        fence = f"\n\n{_fenced('python', map(printable, code))}" if code else ""
        item = f"{_inline(text)}{fence}"
        parts.append(f"{number}{indent(item, ' ' * len(number)).lstrip()}" if number else item)
    return "\n\n".join(parts)


def _fenced(language: str, lines: Iterable[str]) -> str:
    """A code block; its fence has more backticks than any line has in a row."""
    kept = list(lines)
    fence = "`" * max(3, 1 + max(map(_longest_run, kept), default=0))
    return "\n".join([f"{fence}{language}", *kept, fence])


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _begun(text: str) -> str:
    """The text at the start of a block, where a dash or a number would make it a list."""
    return _BEGINS_BLOCK.sub(r"\1\\", text)


def _table(table: Table) -> Iterator[str]:
    titles = [_table_cell(column.title) for column in table.columns]
    rows = [
        [_table_cell(cell, strong=table.is_total(number)) for cell in row]
        for number, row in enumerate(table.rows)
    ]
    head, *body = aligned(table.columns, [titles, *rows], least=3)
    rule = [
        "-" * (len(cell) + 1) + (":" if column.numeric else "-")
        for cell, column in zip(head, table.columns, strict=True)
    ]
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join(rule)}|"
    yield from (f"| {' | '.join(cells)} |" for cells in body)


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
    """A sentence; its blanks are kept, since they separate its pieces."""
    return "".join(
        _escaped(printable(piece)) if isinstance(piece, str) else _cell(piece)
        for piece in pieces(text)
    )


def _code(text: str) -> str:
    """A code span; its fence is longer than any run of backticks in it."""
    fence = "`" * (_longest_run(text) + 1)
    space = " " if "`" in text or (text[:1] == " " == text[-1:] and text.strip()) else ""
    return f"{fence}{space}{text}{space}{fence}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
