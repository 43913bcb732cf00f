"""Traps: arguments in the text of a call that do something other than they seem to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, kw_only=True)
class PositionalBias:
    """True or False as the last argument by place: it looks like bidirectional but is bias."""

    bias: bool
    place: int  # 4: the fourth argument; 5 in nn.RNN
    meant: str  # the constructor with bidirectional in place of bias


@dataclass(frozen=True, kw_only=True)
class UncheckedFlag:
    """A value that is not a bool, which PyTorch's constructor takes as one without a check."""

    name: str
    value: str | float | None
    taken_as: bool
    runs: bool  # False: forward raises TypeError


@dataclass(frozen=True, kw_only=True)
class UncheckedSize:
    """A bool or a float where a whole number belongs, which PyTorch's constructor accepts."""

    name: str
    value: float  # or a bool
    taken_as: int
    runs: bool  # False: forward raises TypeError


Trap: TypeAlias = PositionalBias | UncheckedFlag | UncheckedSize
