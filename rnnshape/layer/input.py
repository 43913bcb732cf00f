"""The input that a layer reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import index
from typing import Any, Final

from rnnshape.errors import RequestError, written
from rnnshape.fields import FIELDS
from rnnshape.layer.config import require_bool, require_size

# Each row of a packed batch has claims of its own.
MOST_ROWS: Final = 10_000
# Each step of a packed batch has a size of its own.
MOST_PACKED_STEPS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """The input of a forward pass: `seq_len` steps of `batch_size` sequences.

    `batched=False` is one sequence without a batch axis, shape (L, H_in); `batch_size` is then 1.
    A batch of 0 is valid; a sequence of 0 is not, since PyTorch refuses it. `with_state` also
    compares a call without h_0 and c_0 with one that is given zeros. With `lengths` (a list or a
    tensor will do) the layer reads a PackedSequence of the padded input. A cell reads one step,
    whatever `seq_len` is. Raises RequestError for sizes that do not fit each other.
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
        """How often a cell is applied in one layer and direction: L*N, or the sum of lengths."""
        return self.seq_len * self.batch_size if self.lengths is None else sum(self.lengths)

    def _require_lengths(self) -> None:
        if self.lengths is None:
            return
        object.__setattr__(self, "lengths", _lengths(self.lengths))
        if len(self.lengths) > MOST_ROWS:
            raise RequestError(
                f"{len(self.lengths):,} lengths; the most is {MOST_ROWS:,}",
                hint="give the lengths of fewer rows",
                lengths=self.lengths,
            )
        for length in self.lengths:
            require_size("length", length, least=1)
        if not self.lengths or not self.batched or len(self.lengths) != self.batch_size:
            raise RequestError(
                f"{len(self.lengths)} lengths do not fit batch {self.batch_size}",
                hint="one length a row of the batch: {batch_size}",
                batch_size=len(self.lengths) or self.batch_size,
            )
        if max(self.lengths) > MOST_PACKED_STEPS:
            raise RequestError(
                f"length {max(self.lengths)} is too long to list its steps; the most is"
                f" {MOST_PACKED_STEPS:,}",
                hint="give shorter rows",
                lengths=self.lengths,
            )
        if max(self.lengths) > self.seq_len:
            raise RequestError(
                f"length {max(self.lengths)} is longer than the input's {self.seq_len} steps",
                hint="shorten it: PyTorch packs the steps there are, and the layer then raises",
                lengths=self.lengths,
            )


def _lengths(value: Iterable[Any]) -> tuple[object, ...]:
    """The items as a tuple; whole numbers of other types, such as a tensor's, become ints."""
    try:
        return tuple(each if type(each) is bool else index(each) for each in value)
    except (TypeError, ValueError, RuntimeError):  # tensors without values raise the last
        raise RequestError(
            f"lengths must be whole numbers, one a row, not {written(value)}", lengths=(7, 3, 2)
        ) from None
