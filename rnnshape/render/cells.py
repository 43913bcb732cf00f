"""What the formats share: how cells, sentences, legends and aligned tables are written as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from rnnshape.dims import written_shape
from rnnshape.document.model import (
    Axes,
    Bytes,
    Cell,
    Code,
    Column,
    Formula,
    Inline,
    Mark,
    Piece,
    Seconds,
    Shape,
    Symbol,
    Times,
)
from rnnshape.errors import printable

_MOST_DENOMINATOR = 4  # people remember halves, thirds and quarters


def cell_text(cell: Cell) -> str:
    """A cell without marks on one line: `3/4`, `0.579`, `(10, 5, 80)`, `136,960`, `x 6`."""
    match cell:
        case None:
            return ""
        case str():
            return printable(cell)
        case int():
            return f"{cell:,}"
        case Code(text) | Formula(text):
            return printable(text)
        case Shape(sizes):
            return written_shape(sizes)
        case Fraction():
            return _ratio_text(cell)
        case Axes(names):
            return ", ".join(names)
        case Seconds() | Bytes() | Mark():
            return str(cell)
        case Times(count):
            return f"x {count:,}"


def _ratio_text(ratio: Fraction) -> str:
    """A simple ratio exactly, any other to three digits or more, never rounded to 1 or 0."""
    numerator, denominator = ratio.as_integer_ratio()
    if denominator <= _MOST_DENOMINATOR:
        return str(ratio)
    for digits in range(3, 13):
        scaled, rest = divmod(numerator * 10**digits, denominator)
        scaled += 2 * rest > denominator  # several times faster than round(Fraction)
        if scaled >= 10 and scaled != 10**digits:
            whole, fraction = divmod(scaled, 10**digits)
            return f"{whole}.{fraction:0{digits}}"
    return "about 1" if ratio > Fraction(1, 2) else "about 0"


def line_text(text: Inline) -> str:
    """A sentence without marks on one line, with everything unprintable escaped."""
    return "".join(map(cell_text, text))


def pieces(text: Inline) -> Iterator[Piece]:
    """The pieces of a sentence, with its numbers as text without commas."""
    return (str(piece) if isinstance(piece, int) else piece for piece in text)


def symbol_texts(symbols: Sequence[Symbol]) -> Iterator[Inline]:
    """`H_out=H_cell=40 hidden` for each symbol."""
    for symbol in symbols:
        value = f"={symbol.value} {symbol.meaning}".rstrip()
        yield Code("=".join(symbol.symbols)), value


def aligned(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, least: int = 0
) -> Iterator[list[str]]:
    """The cells padded to the width of their column, at least `least`; numbers on the right."""
    widths = [max(least, *map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield [
            cell.rjust(width) if column.numeric else cell.ljust(width)
            for cell, column, width in zip(row, columns, widths, strict=True)
        ]
