"""What is known of a recurrent layer of Keras, from its config, its weights or both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rnnshape.dims import written_shape
from rnnshape.errors import quoted
from rnnshape.layer.config import Kind
from rnnshape.layer.facts import Dims

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CellWeights:
    """The weights of one cell: one layer in one direction."""

    path: Path  # of the group that holds them
    shapes: Mapping[str, Dims]  # by full name: kernel, recurrent_kernel and, if there is one, bias

    @property
    def kernel(self) -> Dims:
        """(features, gates * units)."""
        return next(iter(self.shapes.values()))

    @property
    def recurrent(self) -> Dims:
        """(units, gates * units)."""
        return tuple(self.shapes.values())[1]

    @property
    def bias(self) -> Dims:
        """The shape of all its biases, () if it has none."""
        return tuple(self.shapes.values())[2] if len(self.shapes) > 2 else ()

    def named(self, place: int) -> str:
        """One of the weights with its shape, as an error or evidence shows it."""
        name, shape = list(self.shapes.items())[place]
        *groups, leaf = name.split("/")
        shown = "/".join((*groups[-2:], leaf)) if leaf.isdigit() else leaf.partition(":")[0]
        return f"{quoted(shown)} {written_shape(shape)}"


@dataclass(frozen=True, kw_only=True)
class Described:
    """A recurrent layer as far as it is known."""

    name: str  # "encoder.lstm", without the name of the model
    kind: Kind
    class_name: str = ""  # in Keras; empty where only its weights are there
    cell: bool = False
    bidirectional: bool = False
    merge_mode: str | None = "concat"  # of both directions
    num_layers: int = 1  # cells that are stacked
    input_shape: tuple[Any, ...] = ()  # as the config has it: (None, 7, 5)
    settings: Mapping[str, Any] = field(default_factory=dict)  # what Keras calls its config
    saved: Path = ()  # the group in which Keras 3 keeps its weights
    weights: tuple[CellWeights, ...] = ()

    @property
    def input_size(self) -> int | None:
        """The features of each step, where the config tells them."""
        last = self.input_shape[-1] if self.input_shape else None
        return last if type(last) is int and last > 0 else None
