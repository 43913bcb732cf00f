"""The values that an expectation compares: numbers and shapes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from rnnshape.dims import formula, ints, shape_formula, written_shape
from rnnshape.layer.facts import Dims
from rnnshape.sources.amounts import read_amount


@dataclass(frozen=True)
class Number:
    """A count or a size; a Dim remembers how it was computed."""

    kind: ClassVar[str] = "a number"
    ordered: ClassVar[bool] = True

    value: int

    @property
    def plain(self) -> int:
        """The number as a plain int."""
        return int(self.value)

    @property
    def sizes(self) -> Dims:
        """The number alone."""
        return (self.value,)

    @property
    def formula(self) -> str:
        """Its formula: `D*H_out`."""
        return formula(self.value)

    def __str__(self) -> str:
        return str(self.plain)

    @property
    def typed(self) -> str:
        """As it is typed: `9920`."""
        return str(self)

    def written_like(self, old: str) -> str:
        """The number, grouped by underscores if `old` is."""
        return f"{self.plain:_}" if "_" in old else str(self)


@dataclass(frozen=True)
class TensorShape:
    """The shape of a tensor or weight; Dims remember how the sizes were computed."""

    kind: ClassVar[str] = "a shape"
    ordered: ClassVar[bool] = False

    sizes: Dims

    @property
    def plain(self) -> Dims:
        """The sizes as plain ints."""
        return ints(self.sizes)

    @property
    def formula(self) -> str:
        """The formulas of the sizes: `(L, N, D*H_out)`."""
        return shape_formula(self.sizes)

    def __str__(self) -> str:
        return written_shape(self.sizes)

    @property
    def typed(self) -> str:
        """As it is typed, without brackets and blanks: `10,5,80`, `160,`."""
        return str(self).strip("()").replace(", ", ",")

    def written_like(self, old: str) -> str:
        """The sizes with the separators of `old`, if it has as many: `10x5x80`."""
        sizes = list(map(str, self.sizes))
        if len(re.findall("[0-9]+", old)) != len(sizes):
            return self.typed
        return re.sub("[0-9]+", lambda _: sizes.pop(0), old)


Value: TypeAlias = Number | TensorShape

_SEPARATOR: Final = re.compile(r"\s*[,xX]\s*")
_BRACKETS: Final = (("(", ")"), ("[", "]"))


def value_of(text: str, *, in_bytes: bool) -> Value:
    """The value of a text: a shape, `10,5,80`, `10x5x80`, `(160,)`, or an amount, `150k`.

    Raises RequestError for anything else; see `read_amount`.
    """
    inside = text[1:-1].strip() if (text[0], text[-1]) in _BRACKETS else text
    words = _SEPARATOR.split(inside.removesuffix(",").rstrip())
    marked = len(words) > 1 or inside != text or inside.endswith(",")
    if marked and all(word.isascii() and word.isdecimal() for word in words):
        return TensorShape(tuple(map(read_amount, words)))
    return Number(read_amount(text, in_bytes=in_bytes))
