"""The input that a layer reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import index
from typing import Any, Final

from rnnshape.errors import RequestError, written
from rnnshape.fields import FIELDS
from rnnshape.layer.config import require_bool, require_size

# Each row of a packed batch has claims of its own, and each step a size.
_MOST_LENGTHS: Final = 10_000
_MOST_PACKED_STEPS: Final = 1_000_000
# The most lengths that a hint lists.
_MOST_SHOWN: Final = 20


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """The input of a forward pass: `seq_len` steps of `batch_size` sequences.

    `batched=False` is one sequence without a batch axis, of shape (L, H_in); `batch_size` is then
    1. A batch may have 0 sequences, but PyTorch refuses a sequence of 0 steps. `with_state` also
    compares a call that gets zeros as h_0 and c_0 with one that gets neither. With `lengths`, the
    steps of each row as a tuple, a list or a tensor, the layer reads a PackedSequence of the padded
    input. A cell reads one step, whatever `seq_len` is. Raises RequestError for a size that is not
    a whole number or is out of range, and for sizes that contradict each other.
    """

    batch_size: int = FIELDS["batch_size"].default
    seq_len: int = FIELDS["seq_len"].default
    batched: bool = True
    with_state: bool = False
    lengths: tuple[int, ...] | None = None  # of each row, in a PackedSequence

    def __post_init__(self) -> None:
        require_bool("batched", self.batched)
        require_bool("with_state", self.with_state)
        if not self.batched:
            object.__setattr__(self, "batch_size", 1)
        require_size("batch_size", self.batch_size, least=0)
        require_size("seq_len", self.seq_len, least=1)
        self._require_lengths()

    @property
    def steps(self) -> int:
        """How many times each layer and direction applies its cell: L*N, or the sum of lengths."""
        return self.seq_len * self.batch_size if self.lengths is None else sum(self.lengths)

    def _require_lengths(self) -> None:
        if self.lengths is None:
            return
        object.__setattr__(self, "lengths", _lengths(self.lengths))
        if len(self.lengths) > _MOST_LENGTHS:
            raise RequestError(
                f"{len(self.lengths):,} lengths; the most is {_MOST_LENGTHS:,}",
                hint="give the lengths of fewer rows",
                lengths=self.lengths,
            )
        if any(length == 0 and type(length) is int for length in self.lengths):
            raise RequestError(
                "a length is 0, which pack_padded_sequence refuses: each row needs a step",
                hint="{lengths}: pack only the rows that have steps, those of mask = lengths > 0",
                lengths=tuple(n for n in self.lengths if type(n) is int and n > 0) or (1,),
            )
        for length in self.lengths:
            require_size("length", length, least=1)
        if not self.lengths:
            raise RequestError(
                "lengths is empty; there must be one for each row", lengths=(7, 3, 2)
            )
        rows = len(self.lengths)
        if not self.batched:
            raise RequestError("lengths need a batch", batched=True, batch_size=rows)
        if rows != self.batch_size:
            raise RequestError(
                f"{rows} length{'s do' if rows > 1 else ' does'} not fit batch {self.batch_size}",
                hint="give one length for each row: {batch_size}",
                batch_size=rows,
            )
        longest = max(self.lengths)
        if longest > _MOST_PACKED_STEPS:
            raise RequestError(
                f"length {longest} has too many steps to list; the most is {_MOST_PACKED_STEPS:,}",
                hint="give shorter rows",
                lengths=self.lengths,
            )
        if longest > self.seq_len:
            raise RequestError(
                f"length {longest} is longer than the input's {self.seq_len} steps",
                hint="{lengths}: PyTorch packs the steps there are, and the layer then raises"
                if rows <= _MOST_SHOWN
                else f"give lengths of at most {self.seq_len}",
                lengths=tuple(min(length, self.seq_len) for length in self.lengths),
            )


def _lengths(value: Iterable[Any]) -> tuple[object, ...]:
    """The items as a tuple; whole numbers of other types, such as a tensor's, become ints."""
    try:
        return tuple(each if type(each) is bool else index(each) for each in value)
    except (TypeError, ValueError, RuntimeError):  # tensors without values raise the last
        raise RequestError(
            "lengths must be whole numbers, one for each row, not {}",
            written(value),
            lengths=(7, 3, 2),
        ) from None
