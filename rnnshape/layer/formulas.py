"""Closed formulas over a layer's sizes: axes, weights, counts.

Each formula is written once, over `Sizes`, and runs on plain ints (fast) or on their named twin
(`named_sizes`), whose results remember how they were computed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from math import prod
from typing import Final

from rnnshape.dims import formula, named
from rnnshape.errors import RequestError, written
from rnnshape.layer.config import InputSpec, Kind, RNNConfig
from rnnshape.layer.facts import Shape, Tensor, Weight

# What is listed by name or built as an object; a million layers have 8 million weights, which
# the formulas count without naming them.
MOST_WEIGHTS: Final = 100_000

# Python reads no integer of over 4,300 digits; the largest num_layers has 501.
_PLACE: Final = re.compile(r"_l(0|[1-9][0-9]{0,500})(_reverse)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The symbols of PyTorch's documentation, and K as `num_layers`."""

    L: int  # steps of the input
    N: int  # sequences in the batch, 1 when there is no batch axis
    H_in: int  # input_size
    H_cell: int  # hidden_size
    H_out: int  # proj_size if there is a projection, else hidden_size
    D: int  # directions
    num_layers: int
    steps: int  # how often a cell is applied in one layer and direction: L*N, or all lengths
    longest: int  # L, or the longest of the lengths: what pad_packed_sequence gives


def plain_sizes(config: RNNConfig, input_spec: InputSpec) -> Sizes:
    """The sizes as plain ints."""
    return Sizes(
        L=input_spec.seq_len,
        N=input_spec.batch_size,
        H_in=config.input_size,
        H_cell=config.hidden_size,
        H_out=config.output_size,
        D=config.directions,
        num_layers=config.num_layers,
        steps=input_spec.batch_size if config.cell else input_spec.steps,
        longest=max(input_spec.lengths or (input_spec.seq_len,)),
    )


def named_sizes(config: RNNConfig, input_spec: InputSpec) -> Sizes:
    """The sizes as Dims: what is computed from them can be shown as a formula.

    Without a batch axis N is a literal 1, which no formula shows. Only an LSTM tells H_cell from
    H_out; PyTorch's documentation of the other two writes H_out for both.
    """
    plain = plain_sizes(config, input_spec)
    sizes: dict[str, int] = {f.name: named(f.name, getattr(plain, f.name)) for f in fields(Sizes)}
    if config.kind is not Kind.LSTM:
        sizes["H_cell"] = sizes["H_out"]
    if config.cell:
        sizes |= dict.fromkeys(_LITERAL_OF_CELL, 1)
    if not input_spec.batched:
        sizes["N"] = 1
    if input_spec.lengths is None or config.cell:
        sizes |= {"steps": sizes["L"] * sizes["N"], "longest": sizes["L"]}
    else:
        sizes |= {
            "steps": named("sum(lengths)", plain.steps),
            "longest": named("max(lengths)", plain.longest),
        }
    return Sizes(**sizes)


# A cell has one of each, whatever its input; no formula shows a literal 1 as a factor.
_LITERAL_OF_CELL: Final = ("L", "D", "num_layers")


def layout(config: RNNConfig, input_spec: InputSpec, sizes: Sizes) -> dict[str, Tensor]:
    """The tensors of a forward pass by name, each with its shape and the names of its axes.

    The one place that knows what batch_first, a missing batch axis, a PackedSequence and a cell
    change. A packed layer's input and output are shown padded, `data` is what it really reads.
    """
    batch = {"batch": sizes.N} if input_spec.batched else {}
    if config.cell:
        given = returned = states = batch
    else:
        given = _steps_first(config, {"seq": sizes.L}, batch)
        returned = _steps_first(config, {"seq": sizes.longest}, batch)
        states = {"layer*dir": sizes.D * sizes.num_layers, **batch}
    h = {**states, "feature": sizes.H_out}
    c = {**states, "feature": sizes.H_cell}
    first, last = state_names(config, "0"), final_state_names(config)
    packed = input_spec.lengths is not None and not config.cell
    axes = {
        "input": {**given, "feature": sizes.H_in},
        **({"data": {"step": sizes.steps, "feature": sizes.H_in}} if packed else {}),
        **dict(zip(first, (h, c), strict=False)),
        **({} if config.cell else {"output": {**returned, "feature": sizes.D * sizes.H_out}}),
        **dict(zip(last, (h, c), strict=False)),
    }
    return {
        name: Tensor(name=name, shape=tuple(sizes_of.values()), axes=tuple(sizes_of))
        for name, sizes_of in axes.items()
    }


def batch_sizes(lengths: tuple[int, ...]) -> tuple[int, ...]:
    """How many rows still have a step at each time: `PackedSequence.batch_sizes`."""
    ends = Counter(lengths)
    alive = len(lengths)
    sizes = []
    for time in range(max(lengths)):
        sizes.append(alive)
        alive -= ends[time + 1]
    return tuple(sizes)


def state_names(config: RNNConfig, time: str) -> tuple[str, ...]:
    """The states at a time, as PyTorch names them: `h_n` and, of an LSTM, `c_n`."""
    return (f"h_{time}", f"c_{time}") if config.kind is Kind.LSTM else (f"h_{time}",)


def final_state_names(config: RNNConfig) -> tuple[str, ...]:
    """The states that the layer returns: `h_n` and `c_n`, of a cell `h_1` and `c_1`."""
    return state_names(config, "1" if config.cell else "n")


def result_names(config: RNNConfig) -> tuple[str, ...]:
    """What the layer returns: `output`, which a cell does not have, and its final states."""
    return (*(() if config.cell else ("output",)), *final_state_names(config))


def read_next(tensors: Mapping[str, Tensor]) -> Tensor:
    """What whatever comes next reads: `output`, and of a cell `h_1`."""
    return tensors.get("output") or tensors["h_1"]


def _steps_first(config: RNNConfig, seq: dict[str, int], batch: dict[str, int]) -> dict[str, int]:
    return {**batch, **seq} if config.batch_first else {**seq, **batch}


def stateless_results(config: RNNConfig) -> dict[str, str]:
    """What each result is called when no h_0 and c_0 are given, as Python reads it."""
    states = final_state_names(config)
    whole = "cell(input)" if config.cell else "layer(input)[1]"
    each = [whole] if len(states) == 1 else [f"{whole}[{place}]" for place in range(2)]
    output = {} if config.cell else {"output": "layer(input)[0]"}
    return output | dict(zip(states, each, strict=True))


@dataclass(frozen=True, kw_only=True)
class Block:
    """Consecutive layers whose weights have the same shapes, in each direction."""

    first: int  # the index of the first of the layers
    layers: int  # how many layers
    directions: int
    shapes: dict[str, Shape]  # by name without layer and direction: "weight_ih"

    @property
    def copies(self) -> int:
        """How often each of `shapes` occurs."""
        return self.layers * self.directions

    def has(self, place: str) -> bool:
        """Whether the weights of a layer and direction are these: `_l3_reverse`."""
        match = _PLACE.fullmatch(place)
        if match is None or (match[2] and self.directions == 1):
            return False
        return self.first <= int(match[1]) < self.first + self.layers

    @property
    def matrices(self) -> list[Shape]:
        """The weights that multiply; the others are biases, which only add."""
        return [shape for shape in self.shapes.values() if len(shape) == 2]


@dataclass(frozen=True, kw_only=True)
class Weights(Collection[Weight]):
    """All weights of a layer as at most two blocks, since layers 1 and up are alike.

    Totals and one weight by name, `weights["weight_ih_l0"]`, cost the same for two layers and for
    a million; iterating names every weight, in the order of `state_dict`.
    """

    blocks: tuple[Block, ...]
    cell: bool = False  # a cell's weights have no `_l0`

    @property
    def parameters(self) -> int:
        """Elements of all weights."""
        return sum(b.copies * sum(map(elements, b.shapes.values())) for b in self.blocks)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one step: each element of a weight matrix is used once."""
        return sum(b.copies * sum(map(elements, b.matrices)) for b in self.blocks)

    @property
    def count(self) -> int:
        """How many weights; unlike `len`, at any size."""
        return sum(b.copies * len(b.shapes) for b in self.blocks)

    def __len__(self) -> int:
        return int(self.count)

    def listed(self) -> list[Weight]:
        """Every weight by name. Raises RequestError when that would be more than MOST_WEIGHTS."""
        if self.count > MOST_WEIGHTS:
            raise RequestError(
                f"the layer has {int(self.count):,} weights; the most listed is {MOST_WEIGHTS:,}",
                hint="-f table or -f markdown without --full folds them",
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
                f'a weight is found by its name, weights["weight_ih_l0"], not by {written(name)}'
            )
        weight = self.find(name)
        if weight is None:
            raise KeyError(name)
        return weight

    def __contains__(self, weight: object) -> bool:
        """Whether a weight is one of these, given itself or its name."""
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


def weights(config: RNNConfig, sizes: Sizes) -> Weights:
    """The weights of a layer with these sizes."""
    first = Block(
        first=0, layers=1, directions=sizes.D, shapes=_shapes(config, sizes, reads=sizes.H_in)
    )
    if config.num_layers == 1:
        return Weights(blocks=(first,), cell=config.cell)
    upper = Block(
        first=1,
        layers=sizes.num_layers - 1,
        directions=sizes.D,
        shapes=_shapes(config, sizes, reads=sizes.D * sizes.H_out),
    )
    return Weights(blocks=(first, upper))


def gate_rows(config: RNNConfig) -> dict[str, slice]:
    """The rows of each gate in weight_ih, weight_hh and both biases, by the gate's letter."""
    height = config.hidden_size
    return {
        gate: slice(place * height, (place + 1) * height)
        for place, gate in enumerate(config.kind.gate_names)
    }


def macs(layer_weights: Weights, sizes: Sizes) -> int:
    """Multiply-adds of the matrix products over the whole input.

    Biases and pointwise work are not counted. torch.utils.flop_counter counts twice this number.
    """
    return sizes.steps * layer_weights.multiply_adds


def elements(shape: Shape) -> int:
    """How many numbers a tensor of this shape holds."""
    return prod(shape)


@dataclass(frozen=True, kw_only=True)
class FoldedWeight:
    """Weights alike in name and formula, over layers and directions."""

    name: str  # "weight_ih_l1..l3"
    shape: Shape
    count: int
    parameters: int  # of all of them


def folded(layer_weights: Weights) -> list[FoldedWeight]:
    """The weights with one row for all layers and directions that share a shape's formula."""
    alike: dict[tuple[str, tuple[str, ...]], list[Block]] = {}
    for block in layer_weights.blocks:
        for stem, shape in block.shapes.items():
            alike.setdefault((stem, tuple(map(formula, shape))), []).append(block)
    stems = list(layer_weights.blocks[0].shapes)
    ordered = sorted(alike.items(), key=lambda item: stems.index(item[0][0]))
    return [_folded(stem, blocks, cell=layer_weights.cell) for (stem, _), blocks in ordered]


def _folded(stem: str, blocks: list[Block], *, cell: bool) -> FoldedWeight:
    shape = blocks[0].shapes[stem]
    first, last = blocks[0].first, blocks[-1].first + int(blocks[-1].layers) - 1
    layers = "" if cell else f"_l{first}" if first == last else f"_l{first}..l{last}"
    count = sum(block.copies for block in blocks)
    return FoldedWeight(
        name=f"{stem}{layers}", shape=shape, count=count, parameters=count * elements(shape)
    )


def _shapes(config: RNNConfig, sizes: Sizes, *, reads: int) -> dict[str, Shape]:
    """The weights of one direction of a layer that reads `reads` features a step."""
    rows = config.kind.gates * sizes.H_cell
    bias = {"bias_ih": (rows,), "bias_hh": (rows,)} if config.bias else {}
    projection = {"weight_hr": (sizes.H_out, sizes.H_cell)} if config.proj_size else {}
    return {
        "weight_ih": (rows, reads),
        "weight_hh": (rows, sizes.H_out),
        **bias,
        **projection,
    }
