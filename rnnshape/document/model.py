"""A document: typed sections for people and data for machines, without a format.

Cells and inline text keep their type, so that each renderer writes, marks and escapes them as
its format needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from rnnshape.dims import written_shape


@dataclass(frozen=True)
class Code:
    """A name or an expression that could stand in a program."""

    text: str


@dataclass(frozen=True)
class Formula:
    """How a number or shape is computed, in symbols."""

    text: str


@dataclass(frozen=True)
class Shape:
    """A tensor's shape."""

    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Times:
    """How many copies there are of what the row describes."""

    count: int


@dataclass(frozen=True)
class Seconds:
    """A measured time, shown to three digits: `155 ms`."""

    value: float

    def __str__(self) -> str:
        for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
            if self.value >= scale:
                return f"{self.value / scale:.3g} {unit}"
        return f"{self.value * 1e9:.3g} ns"


Cell: TypeAlias = str | int | Fraction | Code | Formula | Shape | Times | Seconds | None
Inline: TypeAlias = tuple[str | int | Code | Formula | Shape, ...]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table."""

    key: str  # for machines: "parameters_ratio"
    title: str
    numeric: bool = False  # aligned right
    headed: bool = True  # whether a terminal needs the title to understand the column
    rank: int = 0  # the column with the highest goes first where there is no room; 0 stays
    calls: bool = False  # of one a row, which may be broken between their arguments


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under columns; `total` says that the last row sums the others."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: bool = False
    breaks: frozenset[int] = frozenset()  # the rows that begin another group


@dataclass(frozen=True, kw_only=True)
class Symbol:
    """What a symbol of the formulas stands for here: `H_out=H_cell=40 hidden`."""

    symbols: tuple[str, ...]
    value: int
    meaning: str
    assumed: bool  # not given, a default


@dataclass(frozen=True)
class Legend:
    """The symbols that the formulas of a section use."""

    symbols: tuple[Symbol, ...]


@dataclass(frozen=True)
class Paragraph:
    """One sentence or two."""

    text: Inline


@dataclass(frozen=True)
class Listing:
    """Expressions, each with what it means."""

    items: tuple[tuple[Code | Formula | str, Inline], ...]


@dataclass(frozen=True)
class Picture:
    """Lines whose columns matter, as they are; `narrow` is for where they do not fit."""

    lines: tuple[str, ...]
    narrow: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Where a node leaves its final states: `h_n[0], c_n[0]`, and the shape there."""

    name: Code
    shape: Shape


@dataclass(frozen=True, kw_only=True)
class Node:
    """A tensor of a diagram, or an operation and the shape of what it hands on, if anything."""

    name: str
    shape: Shape | None = None
    operation: bool = False
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True)
class Diagram:
    """What flows where: stages one after another, each node of one read by every node of the next.

    Nodes of one stage work side by side on the same input.
    """

    stages: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Heading:
    """What the document is about."""

    text: Code


@dataclass(frozen=True)
class Note:
    """Something to look at."""

    text: Inline


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a chart: points (x, y), and what they belong to."""

    label: str
    points: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Lines over two axes."""

    x: str
    y: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A line, from 1, of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


Status: TypeAlias = Literal["ok", "failed", "unmet", "open"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether what was said holds. `subject` is the request, for those who keep the verdict.

    "failed" is a prediction that a run disagrees with, "unmet" an expectation that fails, "open"
    what was not judged. `what` was judged: an expectation as it is written, or "verification".
    """

    status: Status
    text: Inline
    subject: Code
    what: str = "verification"
    reason: Inline = ()  # why, in a line of its own
    place: Place | None = None  # where it is demanded


Block: TypeAlias = (
    Table | Legend | Paragraph | Listing | Picture | Diagram | Heading | Note | Verdict
)


@dataclass(frozen=True, kw_only=True)
class Section:
    """Blocks on one subject. One that `needs_run` is not known before the run."""

    key: str
    blocks: tuple[Block, ...]
    titled: bool = True  # whether a person needs the key to understand the blocks
    needs_run: bool = False


@dataclass(frozen=True, kw_only=True)
class Document:
    """A result, ready for every format: sections for text, data for machines, verdicts for tests.

    Data and verdicts are made when a format asks for them: unlike the sections, they name every
    weight, and everything that was judged.
    """

    sections: tuple[Section, ...]
    data: Callable[[], Mapping[str, Any]]
    verdicts: Callable[[], Sequence[Verdict]]


def plain(text: Inline) -> str:
    """Inline text as one string, for machines."""
    return "".join(map(_plain, text))


def _plain(piece: str | int | Code | Formula | Shape) -> str:
    match piece:
        case Code(text) | Formula(text):
            return text
        case Shape(sizes):
            return written_shape(sizes)
        case str() | int():
            return str(piece)
