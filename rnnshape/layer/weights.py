"""The weights of a layer: named one by one, or as blocks of layers that are alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from math import prod
from typing import Final

from rnnshape.dims import shape_formula
from rnnshape.errors import RequestError, written
from rnnshape.layer.facts import Dims, Weight

# The most that are listed by name or built as objects: a million layers have 8 million weights,
# which the formulas count without naming them.
MOST_WEIGHTS: Final = 100_000

# Python refuses to read over 4,300 digits; the largest num_layers has 501.
_PLACE: Final = re.compile(r"_l(0|[1-9][0-9]{0,500})(_reverse)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class AlikeLayers:
    """Consecutive layers whose weights have the same shapes, in each direction."""

    first: int  # the index of the first of the layers
    layers: int  # how many layers
    directions: int
    shapes: dict[str, Dims]  # by name without layer and direction: "weight_ih"

    @property
    def copies(self) -> int:
        """How many times each of `shapes` occurs."""
        return self.layers * self.directions

    def has(self, place: str) -> bool:
        """Whether these are the weights of a layer and direction: `_l3_reverse`."""
        match = _PLACE.fullmatch(place)
        if match is None or (match[2] and self.directions == 1):
            return False
        return self.first <= int(match[1]) < self.first + self.layers

    @property
    def matrices(self) -> list[Dims]:
        """The weights that multiply; the others are biases, which only add."""
        return [shape for shape in self.shapes.values() if len(shape) == 2]


@dataclass(frozen=True, kw_only=True)
class Weights(Collection[Weight]):
    """All weights of a layer as at most two blocks, since layers 1 and up are alike.

    A total, or a weight by name, `weights["weight_ih_l0"]`, costs the same for two layers as for a
    million. Iteration goes through every weight in the order of `state_dict`.
    """

    blocks: tuple[AlikeLayers, ...]
    cell: bool = False  # a cell's weights have no `_l0`

    @property
    def parameters(self) -> int:
        """Elements of all weights."""
        return sum(b.copies * sum(map(elements, b.shapes.values())) for b in self.blocks)

    @property
    def matrix_elements(self) -> int:
        """Elements of all weight matrices, without the biases."""
        return sum(b.copies * sum(map(elements, b.matrices)) for b in self.blocks)

    @property
    def count(self) -> int:
        """How many weights there are, even where `len` would overflow."""
        return sum(b.copies * len(b.shapes) for b in self.blocks)

    def __len__(self) -> int:
        return int(self.count)

    def listed(self) -> list[Weight]:
        """Every weight by name. Raises RequestError if there are more than MOST_WEIGHTS."""
        if self.count > MOST_WEIGHTS:
            raise RequestError(
                f"the layer has {int(self.count):,} weights; the most listed is {MOST_WEIGHTS:,}",
                hint="tables of text and Markdown fold them into a few rows unless {full:name} is"
                " given",
                full=True,
            )
        return list(self)

    def find(self, name: str) -> Weight | None:
        """The weight called `name` in `state_dict`, if there is one."""
        for block in self.blocks:
            for stem, shape in block.shapes.items():
                place = name.removeprefix(stem)
                known = place == "" if self.cell else block.has(place)
                if name.startswith(stem) and known:
                    return Weight(name=name, shape=shape)
        return None

    def __getitem__(self, name: str) -> Weight:
        if not isinstance(name, str):
            raise TypeError(
                f'weights are found by name, weights["weight_ih_l0"], not by {written(name)}'
            )
        weight = self.find(name)
        if weight is None:
            raise KeyError(name)
        return weight

    def __contains__(self, weight: object) -> bool:
        """Whether this is one of the weights, or the name of one."""
        if isinstance(weight, Weight):
            return self.find(weight.name) == weight
        return isinstance(weight, str) and self.find(weight) is not None

    def __iter__(self) -> Iterator[Weight]:
        for block in self.blocks:
            for layer in range(block.first, block.first + block.layers):
                for suffix in ("", "_reverse")[: block.directions]:
                    for stem, shape in block.shapes.items():
                        place = "" if self.cell else f"_l{layer}{suffix}"
                        yield Weight(name=f"{stem}{place}", shape=shape)


def elements(shape: Dims) -> int:
    """How many numbers a tensor of this shape holds."""
    return prod(shape)


@dataclass(frozen=True, kw_only=True)
class FoldedWeight:
    """Weights with the same name and formula in several layers and directions."""

    name: str  # "weight_ih_l1..l3"
    shape: Dims
    count: int
    parameters: int  # of all of them


def folded(layer_weights: Weights) -> list[FoldedWeight]:
    """The weights, with one row for those that differ in layer and direction only."""
    return [
        _as_one(stem, list(alike), cell=layer_weights.cell)
        for stem in layer_weights.blocks[0].shapes
        for _, alike in groupby(layer_weights.blocks, partial(_formula, stem))
    ]


def _formula(stem: str, block: AlikeLayers) -> str:
    return shape_formula(block.shapes[stem])


def _as_one(stem: str, blocks: list[AlikeLayers], *, cell: bool) -> FoldedWeight:
    shape = blocks[0].shapes[stem]
    first, last = blocks[0].first, blocks[-1].first + int(blocks[-1].layers) - 1
    layers = "" if cell else f"_l{first}" if first == last else f"_l{first}..l{last}"
    count = sum(block.copies for block in blocks)
    return FoldedWeight(
        name=f"{stem}{layers}", shape=shape, count=count, parameters=count * elements(shape)
    )
