"""What is known of a layer, either by formula or from a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from rnnshape.dims import written_shape

Dims: TypeAlias = tuple[int, ...]
Index: TypeAlias = int | slice

LARGEST_SIZE: Final = 2**63 - 1  # of a dimension, and of a tensor, for PyTorch

_WHOLE = slice(None)


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A tensor that goes into or comes out of the forward pass."""

    name: str
    shape: Dims
    axes: tuple[str, ...]  # the name of each dimension: "seq", "batch", "feature", "layer*dir"


@dataclass(frozen=True, kw_only=True)
class Weight:
    """A parameter by its name in `state_dict`."""

    name: str
    shape: Dims


@dataclass(frozen=True, kw_only=True)
class Part:
    """A slice of a tensor; where they are given, after `.view(*view)` and before `.sum(summed)`.

    With `swapped`, the first two axes change places before, so that the view must be a reshape; and
    with `flat`, the slice becomes one axis.

    What is printed, `output[-1, :, :40]`, and what a run slices are this one value.
    """

    tensor: str
    view: Dims | None = None
    index: tuple[Index, ...] = ()
    summed: int | None = None  # the dimension
    swapped: bool = False
    flat: bool = False

    def __str__(self) -> str:
        method = ".transpose(0, 1).reshape" if self.swapped else ".view"
        view = "" if self.view is None else f"{method}({', '.join(map(str, self.view))})"
        index = list(self.index)
        while index and index[-1] == _WHOLE:
            index.pop()
        inside = f"[{', '.join(map(_written_index, index))}]" if index else ""
        total = "" if self.summed is None else f".sum({self.summed})"
        return f"{self.tensor}{view}{inside}{total}{'.flatten()' * self.flat}"


@dataclass(frozen=True, kw_only=True)
class Cat:
    """Parts side by side along the last dimension, the features."""

    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return f"torch.cat([{', '.join(map(str, self.parts))}], -1)"


Expression: TypeAlias = Part | Cat

ClaimCode: TypeAlias = Literal[
    "all-of-h_n",
    "last-layer",
    "forward",
    "reverse",
    "view",
    "not-the-last-step",
    "not-the-forwards",
    "sequence-row",
    "mixed-row",
    "decoder-sum",
    "decoder-cat",
    "zero-state",
    "row-end",
    "row-start",
    "row-padding",
]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A relation between parts of the results, predicted and then judged by a run.

    Where the right side is a shape, it is compared with the shape of the left side.
    """

    code: ClaimCode
    left: Expression
    relation: Literal["==", "!="] = "=="
    right: Expression | Dims
    row: int | None = None  # of the batch, where the claim is about one row
    holds: bool | None = None  # None: nothing ran, or the values cannot decide it

    @property
    def left_text(self) -> str:
        """The left side as a Python expression."""
        return f"{self.left}.shape" if isinstance(self.right, tuple) else str(self.left)

    @property
    def right_text(self) -> str:
        """The right side as a Python expression."""
        return written_shape(self.right) if isinstance(self.right, tuple) else str(self.right)

    def __str__(self) -> str:
        return f"{self.left_text} {self.relation} {self.right_text}"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Shapes, weights and claims of one layer with one input."""

    tensors: Mapping[str, Tensor]  # in the order of `formulas.layout`
    weights: Collection[Weight]  # in the order of state_dict
    counts: Mapping[str, int]  # "parameters", "parameter_bytes", "macs" and "next_linear"
    claims: tuple[Claim, ...]
    batch_sizes: tuple[int, ...] | None = None  # of a PackedSequence: rows alive at each step


def part(tensor: Tensor, index: Mapping[str, Index]) -> Part:
    """A slice of `tensor`: `index` has an index by the name of an axis; other axes stay whole."""
    return Part(tensor=tensor.name, index=tuple(index.get(axis, _WHOLE) for axis in tensor.axes))


def _written_index(index: Index) -> str:
    if isinstance(index, int):
        return str(index)
    start, stop = ("" if edge is None else str(edge) for edge in (index.start, index.stop))
    step = "" if index.step is None else f":{index.step}"
    return f"{start}:{stop}{step}"
