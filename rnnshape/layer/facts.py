"""What is known of a layer, whoever found it: by formula or by a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Shape: TypeAlias = tuple[int, ...]
Index: TypeAlias = int | slice

WHOLE = slice(None)


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A tensor that goes into or comes out of the forward pass."""

    name: str
    shape: Shape
    axes: tuple[str, ...]  # one name a dimension: "seq", "batch", "feature", "layer*dir"


@dataclass(frozen=True, kw_only=True)
class Weight:
    """A parameter by its name in `state_dict`."""

    name: str
    shape: Shape


@dataclass(frozen=True, kw_only=True)
class Part:
    """A slice of a tensor, after `.view(*view)` where `view` is given.

    The text printed and the slice taken are this one value: `output[-1, :, :40]`.
    """

    tensor: str
    index: tuple[Index, ...] = ()
    view: Shape | None = None

    def __str__(self) -> str:
        viewed = "" if self.view is None else f".view({', '.join(map(str, self.view))})"
        index = list(self.index)
        while index and index[-1] == WHOLE:
            index.pop()
        inside = f"[{', '.join(map(_written_index, index))}]" if index else ""
        return f"{self.tensor}{viewed}{inside}"


ClaimCode: TypeAlias = Literal[
    "all-of-h_n", "last-layer", "forward", "reverse", "view", "zero-state"
]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An equality between parts of the results, made by prediction and judged by a run."""

    code: ClaimCode
    left: Part
    right: Part
    holds: bool | None = None  # None: not judged, since nothing ran or the tensors have no values

    def __str__(self) -> str:
        return f"{self.left} == {self.right}"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Shapes, weights and equalities of one layer with one input."""

    tensors: Mapping[str, Tensor]  # in the order input, h_0, c_0, output, h_n, c_n
    weights: Collection[Weight]  # in the order of state_dict
    parameters: int  # elements of all weights
    claims: tuple[Claim, ...]


def part(tensor: Tensor, index: Mapping[str, Index]) -> Part:
    """The slice of `tensor` that takes `index` along the axes it names, and all of the others."""
    return Part(tensor=tensor.name, index=tuple(index.get(axis, WHOLE) for axis in tensor.axes))


def _written_index(index: Index) -> str:
    if isinstance(index, int):
        return str(index)
    start, stop = ("" if edge is None else str(edge) for edge in (index.start, index.stop))
    return f"{start}:{stop}"
