"""Typed cells as plain text, the same in every format."""

from __future__ import annotations

from fractions import Fraction

from rnnshape.dims import written_shape
from rnnshape.document.model import Cell, Code, Formula, Seconds, Shape, Times
from rnnshape.errors import printable

# Halves, thirds and quarters are ratios that a person remembers.
_MOST_DENOMINATOR = 4
_DIGITS = 3


def cell_text(cell: Cell) -> str:
    """A cell without marks on one line: `3/4`, `0.579`, `(10, 5, 80)`, `136,960`, `x 6`."""
    match cell:
        case None:
            return ""
        case str():
            return printable(cell)
        case int():
            return f"{cell:,}"
        case Fraction():
            return ratio_text(cell)
        case Code(text) | Formula(text):
            return printable(text)
        case Shape(sizes):
            return written_shape(sizes)
        case Seconds():
            return str(cell)
        case Times(count):
            return f"x {count:,}"


def ratio_text(ratio: Fraction) -> str:
    """A simple ratio exactly, any other to three digits that never round it to 1 or 0."""
    if ratio.denominator <= _MOST_DENOMINATOR:
        return str(ratio)
    for digits in range(_DIGITS, 13):
        scaled = round(ratio * 10**digits)
        if scaled and scaled != 10**digits and scaled >= 10 ** (_DIGITS - 1) // 10:
            whole, fraction = divmod(scaled, 10**digits)
            return f"{whole}.{fraction:0{digits}}"
    return "about 1" if ratio > Fraction(1, 2) else "about 0"
