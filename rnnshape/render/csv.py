"""CSV at full precision: a line for each layer, or for each value where a table of layers has none.

Of several layers, a line for each: its names, arguments, sizes and totals, by column. A ratio is
exact, `3/4`, and has a column for its decimals too. Of anything else, one flat table:

| column  | holds                                                                      |
|---------|----------------------------------------------------------------------------|
| module  | the heading above: `nn.LSTM(20, 40)`                                       |
| section | its key: `weights`                                                         |
| block   | the number of the table or text within its section, from 1                 |
| row     | the number of the row within its block, from 1                             |
| name    | what the row is about: the text of its first cell                          |
| column  | the key of the column                                                      |
| value   | an integer in full, a ratio as `3/4`, a shape as `(10, 5, 80)`, seconds    |

Every cell is a line, so a pivot of `row` and `column` gives back any table. A text that begins with
`=`, `+`, `-` or `@` would be run as a formula by spreadsheets; a `'` before it, which they hide,
prevents that. A number never gets one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Final

from rnnshape.document.model import (
    Block,
    Bytes,
    Cell,
    Diagram,
    Document,
    Equations,
    Heading,
    Inline,
    Legend,
    Listing,
    Node,
    Note,
    Paragraph,
    Picture,
    Seconds,
    Section,
    Steps,
    Symbol,
    Table,
    Times,
    Verdict,
)
from rnnshape.render.cells import cell_text

HEADER: Final = ("module", "section", "block", "row", "name", "column", "value")

# Some spreadsheets take the full-width forms of the four for formulas too.
_FORMULA: Final = re.compile(
    "[=+\\-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}]"
)
_NUMBER: Final = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def render_csv(document: Document) -> str:
    """The header, then a line for each layer or for each value; each ends in a newline."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    if records := [_written(record) for record in document.records()]:
        columns = list(dict.fromkeys(column for record in records for column in record))
        writer.writerow(columns)
        for record in records:
            writer.writerow([_inert(record.get(column, "")) for column in columns])
        return lines.getvalue()
    writer.writerow(HEADER)
    module = ""
    for section in document.sections:
        module = next((_exact(b.text) for b in section.blocks if isinstance(b, Heading)), module)
        for values in _values(section):
            writer.writerow([_inert(str(value)) for value in (module, *values)])
    return lines.getvalue()


def _values(section: Section) -> Iterator[tuple[str | int, ...]]:
    for place, block in enumerate(section.blocks, 1):
        for number, (name, values) in enumerate(_rows(block), 1):
            for column, value in values.items():
                yield section.key, place, number, name, column, value


def _rows(block: Block) -> Iterator[tuple[str, dict[str, str]]]:
    """The name of each row of a block, and its values by column."""
    match block:
        case Table(columns=columns, rows=rows):
            for row in rows:
                cells = zip(columns, row, strict=True)
                known = {column.key: cell for column, cell in cells if cell is not None}
                yield _exact(row[0]), _written(known)
        case Legend(symbols):
            yield from map(_symbol, symbols)
        case Paragraph(text):
            yield "", {"text": _inline(text)}
        case Listing(items):
            for name, text in items:
                yield _exact(name), {"meaning": _inline(text)}
        case Steps(items):
            for text, code in items:
                yield "", {"step": _inline(text)}
                yield from (("", {"line": _exact(line)}) for line in code)
        case Picture(lines) | Equations(lines):
            for line in lines:
                yield "", {"line": _exact(line)}
        case Diagram(stages):
            for stage, nodes in enumerate(stages, 1):
                yield from (_node(node, stage) for node in nodes)
        case Heading(text, totals):
            yield "", {"heading": _exact(text), **({"totals": _inline(totals)} if totals else {})}
        case Note(text):
            yield "", {"note": _inline(text)}
        case Verdict():
            yield "", _verdict(block)


def _written(cells: Mapping[str, Cell]) -> dict[str, str]:
    """The cells by column, with the decimals of each ratio in a column of their own."""
    written: dict[str, str] = {}
    for column, cell in cells.items():
        written[column] = _exact(cell)
        if isinstance(cell, Fraction):
            written[f"{column}_decimal"] = _decimal(cell)
    return written


def _decimal(ratio: Fraction) -> str:
    """The ratio to 15 digits, which may be larger than any float."""
    with localcontext(Context(prec=15)):
        return str(Decimal(ratio.numerator) / Decimal(ratio.denominator))


def _verdict(verdict: Verdict) -> dict[str, str]:
    values = {
        "status": verdict.status,
        "text": _inline(verdict.text),
        "subject": _exact(verdict.subject),
    }
    if verdict.reason:
        values["reason"] = _inline(verdict.reason)
    if verdict.place is not None:
        values["place"] = _exact(str(verdict.place))
    return values


def _symbol(symbol: Symbol) -> tuple[str, dict[str, str]]:
    return "=".join(symbol.symbols), {
        "value": _exact(symbol.value),
        "meaning": _exact(symbol.meaning),
        "assumed": "yes" if symbol.assumed else "no",
    }


def _node(node: Node, stage: int) -> tuple[str, dict[str, str]]:
    shape = {} if node.shape is None else {"shape": _exact(node.shape)}
    slots = {_exact(slot.name): _exact(slot.shape) for slot in node.slots}
    return _exact(node.name), {"stage": str(stage), **shape, **slots}


def _inline(text: Inline) -> str:
    return "".join(
        f"{_exact(piece)} bytes" if isinstance(piece, Bytes) else _exact(piece) for piece in text
    )


def _exact(cell: Cell) -> str:
    match cell:
        case int() | Fraction():
            return str(cell)
        case Times(count) | Bytes(count):
            return str(count)
        case Seconds(value):
            return repr(value)
        case str():
            return re.sub(" +", " ", cell_text(cell))
        case _:
            return cell_text(cell)


def _inert(text: str) -> str:
    """The text, which neither a spreadsheet nor the log of a GitHub job takes for a command."""
    commands = _FORMULA.match(text) or text.startswith(("::", "##["))
    return f"'{text}" if commands and not _NUMBER.fullmatch(text) else text
