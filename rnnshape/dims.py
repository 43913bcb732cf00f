"""Integers that remember how they were computed: the formula shown is the one that ran."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from typing_extensions import Self


class _Name(NamedTuple):
    symbol: str
    value: int


class _Operation(NamedTuple):
    sign: str
    left: _Term
    right: _Term


_Term: TypeAlias = "int | _Name | _Operation"

_PRECEDENCE: Final = {"+": 1, "-": 1, "*": 2}


class Dim(int):
    """An int that keeps the tree of sums, differences and products it was computed by.

    Literal 0 and 1 are neutral (`dim * 1` is `dim`); a Dim whose value is 1 is kept, since the
    formula is the same for other sizes. Every other operation (`//`, `%`, `-dim`, `2 - dim`) yields
    a plain int; `max` and `min` return one of their arguments and forget the others.
    """

    term: _Term

    def __new__(cls, value: int, term: _Term) -> Self:
        """The int `value`, computed as `term` says."""
        dim = super().__new__(cls, value)
        dim.term = term
        return dim

    def __getnewargs__(self) -> tuple[int, _Term]:  # type: ignore[override]
        """What `copy` and `pickle` rebuild a Dim from; int's own answer lacks the term."""
        return int(self), self.term

    def __add__(self, other: int) -> Dim:
        return _combined(int.__add__(self, other), "+", self, other)

    def __radd__(self, other: int) -> Dim:
        return _combined(int.__radd__(self, other), "+", other, self)

    def __sub__(self, other: int) -> Dim:
        return _combined(int.__sub__(self, other), "-", self, other)

    def __mul__(self, other: int) -> Dim:
        return _combined(int.__mul__(self, other), "*", self, other)

    def __rmul__(self, other: int) -> Dim:
        return _combined(int.__rmul__(self, other), "*", other, self)


def named(symbol: str, value: int) -> Dim:
    """A size with a name: `named("D", 2)`."""
    return Dim(value, _Name(symbol, value))


def formula(value: int) -> str:
    """How `value` was computed, in names: `D*H_out`. A plain int is its own formula."""
    return _written(_term(value), lambda name: name.symbol)


def substituted(value: int) -> str:
    """How `value` was computed, in numbers: `2*40`."""
    return _written(_term(value), lambda name: str(name.value))


def symbols(value: int) -> dict[str, int]:
    """The names in the formula of `value`, each with the size it stands for."""
    return dict(_symbols_in(_term(value)))


def shape_formula(shape: Sequence[int]) -> str:
    """A shape in names, as Python writes tuples: `(L, N, D*H_out)`, `(4*H_cell,)`."""
    return written_shape([formula(size) for size in shape])


def ints(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape as plain ints."""
    return tuple(map(int, shape))


def written_shape(sizes: Sequence[object]) -> str:
    """A tuple of sizes as Python writes it: `(10, 5, 80)`, `(160,)`."""
    inside = ", ".join(map(str, sizes))
    return f"({inside},)" if len(sizes) == 1 else f"({inside})"


def _symbols_in(term: _Term) -> Iterator[tuple[str, int]]:
    if isinstance(term, _Name):
        yield term.symbol, term.value
    elif isinstance(term, _Operation):
        yield from _symbols_in(term.left)
        yield from _symbols_in(term.right)


def _term(value: int) -> _Term:
    return value.term if isinstance(value, Dim) else value


def _combined(value: int, sign: str, left: int, right: int) -> Dim:
    neutral = 1 if sign == "*" else 0
    if isinstance(left, Dim) and type(right) is int and right == neutral:
        return left
    if isinstance(right, Dim) and type(left) is int and left == neutral and sign != "-":
        return right
    return Dim(value, _Operation(sign, _term(left), _term(right)))


def _written(term: _Term, leaf: Callable[[_Name], str]) -> str:
    if isinstance(term, int):
        return str(term)
    if isinstance(term, _Name):
        return leaf(term)
    space = "" if term.sign == "*" else " "
    left = _grouped(term.left, leaf, within=_PRECEDENCE[term.sign])
    # A difference does not associate, so its right side needs parentheses at equal precedence.
    right = _grouped(term.right, leaf, within=_PRECEDENCE[term.sign] + (term.sign == "-"))
    return f"{left}{space}{term.sign}{space}{right}"


def _grouped(term: _Term, leaf: Callable[[_Name], str], *, within: int) -> str:
    text = _written(term, leaf)
    looser = isinstance(term, _Operation) and _PRECEDENCE[term.sign] < within
    return f"({text})" if looser else text
