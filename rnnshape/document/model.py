"""A document: sections for people and data for machines, in no format yet.

Cells and the pieces of a sentence keep their types, so that each renderer can write, mark and
escape them as its format needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context
from fractions import Fraction
from typing import Any, Final, Literal, TypeAlias

from rnnshape.dims import ints, written_shape
from rnnshape.layer.facts import Tensor


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
    """A tensor's shape, with the name of each axis where the axes have names."""

    sizes: tuple[int, ...]
    axes: tuple[str, ...] = ()

    @classmethod
    def of(cls, tensor: Tensor) -> Shape:
        """The shape of a tensor that goes into or comes out of a layer."""
        return cls(ints(tensor.shape), tensor.axes)


@dataclass(frozen=True)
class Axes:
    """The names of a tensor's axes, in order: `seq, batch, feature`."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Bytes:
    """An amount of memory, shown to three digits in units of 1000: `548 kB`, `1.41 GB`."""

    count: int

    def __str__(self) -> str:
        rounded = Context(prec=3).create_decimal(self.count)
        power = min(rounded.adjusted() // 3, len(_UNITS) - 1)
        return (
            f"{rounded.scaleb(-3 * power):,f} {_UNITS[power]}" if power else f"{self.count} bytes"
        )


_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


@dataclass(frozen=True)
class Times:
    """A number of copies: `x 6`."""

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


Status: TypeAlias = Literal["ok", "mismatch", "failed", "refused", "skipped"]
_WORDS: Final[Mapping[Status, str]] = {
    "ok": "ok",
    "mismatch": "MISMATCH",
    "failed": "FAILED",
    "refused": "ERROR",
    "skipped": "",
}


@dataclass(frozen=True)
class Mark:
    """The word for a status, in a cell: `ok` or `FAILED`."""

    status: Status

    def __str__(self) -> str:
        return _WORDS[self.status]


Cell: TypeAlias = (
    str | int | Fraction | Code | Formula | Shape | Axes | Bytes | Times | Seconds | Mark | None
)
Piece: TypeAlias = str | int | Code | Formula | Shape | Axes | Bytes
Inline: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table."""

    key: str  # for machines: "parameters_ratio"
    title: str
    short: str = ""  # what a terminal shows of the title where the table is too wide
    numeric: bool = False  # aligned right
    headed: bool = True  # whether a terminal shows the title
    rank: int = 0  # the highest is left out first where room is short, 0 never
    spare: bool = False  # left out before room is made by breaking calls
    calls: bool = False  # whether cells are calls, which may be broken between arguments


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under columns; `total` says that the last row sums the others."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: bool = False
    breaks: frozenset[int] = frozenset()  # the numbers of the rows that begin a new group

    def is_total(self, row: int) -> bool:
        """Whether the row with this number sums the others."""
        return self.total and row == len(self.rows) - 1


@dataclass(frozen=True, kw_only=True)
class Symbol:
    """What a symbol of the formulas stands for here: `H_out=H_cell=40 hidden`."""

    symbols: tuple[str, ...]
    value: int
    meaning: str
    assumed: bool  # a default, not given
    axis: str = ""  # the axis that it is the size of, if there is one


@dataclass(frozen=True)
class Legend:
    """The symbols that the formulas of a section use."""

    symbols: tuple[Symbol, ...]


@dataclass(frozen=True)
class Paragraph:
    """One sentence or two.

    Those that explain a column of the table before them go where that column is left out; `short`
    stays.
    """

    text: Inline
    column: str = ""  # the key of the column that the text explains
    short: Inline = ()


@dataclass(frozen=True)
class Listing:
    """Expressions, or labels as plain text, each with what it means."""

    items: tuple[tuple[Code | str, Inline], ...]


@dataclass(frozen=True)
class Steps:
    """Texts, numbered if there are several, each with lines of Python below it."""

    items: tuple[tuple[Inline, tuple[str, ...]], ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        """What stands before each text: "1. ", or nothing before the only one."""
        count = len(self.items)
        return tuple(f"{number}. " if count > 1 else "" for number in range(1, count + 1))


@dataclass(frozen=True)
class Picture:
    """Lines for a fixed-width font; `narrow` is shown where they are too wide."""

    lines: tuple[str, ...]
    narrow: tuple[str, ...] = ()
    language: str = "text"  # or "python", for formats that mark up code


@dataclass(frozen=True)
class Equations:
    """Equations in ASCII, each on a line: `c' = f * c + i * g`; `*` is pointwise."""

    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Where a node leaves its final states: `h_n[0], c_n[0]`, and the shape there."""

    name: Code
    shape: Shape


@dataclass(frozen=True, kw_only=True)
class Node:
    """A tensor of a diagram, or an operation with the shape of its output, if it has one."""

    name: str
    shape: Shape | None = None
    operation: bool = False
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True)
class Diagram:
    """Stages in the order that data takes through them; a node reads all of the stage before."""

    stages: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Heading:
    """What the document is about, and its totals."""

    text: Code
    totals: Inline = ()


@dataclass(frozen=True)
class Note:
    """Something that the reader should look at."""

    text: Inline


@dataclass(frozen=True, kw_only=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether one thing holds.

    "mismatch": a run disagrees with the prediction. "failed": an expectation does not hold.
    "refused": the request is wrong. "skipped": it was not judged, since nothing was run, or since a
    run disagrees with the formulas that an expectation rests on.
    """

    status: Status
    text: Inline
    subject: Code  # the request or the module that is judged
    what: str = "verification"  # or the expectation as it is written
    reason: Inline = ()  # why it does not hold
    place: Place | None = None  # the line of the manifest that demands it

    @property
    def word(self) -> str:
        """What stands before the text: "ok: ", "MISMATCH: ", "FAILED: ", "ERROR: " or nothing."""
        word = _WORDS[self.status]
        return word and f"{word}: "

    @property
    def about(self) -> Inline:
        """The place, if there is one, and the subject: `rnnshape.toml:9: encoder`."""
        place = () if self.place is None else (Code(str(self.place)), ": ")
        return (*place, self.subject)


Block: TypeAlias = (
    Table
    | Legend
    | Paragraph
    | Listing
    | Steps
    | Picture
    | Equations
    | Diagram
    | Heading
    | Note
    | Verdict
)


@dataclass(frozen=True, kw_only=True)
class Section:
    """Blocks on one topic."""

    key: str
    blocks: tuple[Block, ...]
    titled: bool = True  # whether people see the key as a title
    needs_run: bool = False  # whether the blocks are known only after the run


@dataclass(frozen=True, kw_only=True)
class Caption:
    """What a paper says of the tables, and the label by which it refers to them, if any."""

    text: str
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A result, ready for every format: sections for text, data for machines, verdicts for tests.

    Data, verdicts and records are made when a format asks for them, since they name every weight
    and everything that was judged, which takes time. Records are the rows of one table, by column;
    a document about one layer has none.
    """

    sections: tuple[Section, ...]
    data: Callable[[], Mapping[str, Any]]
    verdicts: Callable[[], Sequence[Verdict]]
    records: Callable[[], Sequence[Mapping[str, Cell]]] = tuple
    caption: Caption | None = None


def plain(text: Inline) -> str:
    """A sentence as one string for machines, with nothing escaped."""
    return "".join(map(_plain, text))


def _plain(piece: Piece) -> str:
    match piece:
        case Code(text) | Formula(text):
            return text
        case Shape(sizes):
            return written_shape(sizes)
        case Axes(names):
            return ", ".join(names)
        case str() | int() | Bytes():
            return str(piece)
