"""Closed-form formulas over a layer's sizes: axes, weights, counts.

Each formula is written once, over `Sizes`. It runs fast on plain ints; on Dims its results remember
how they were computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple, TypeAlias

from rnnshape.dims import named
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.facts import Dims, Tensor
from rnnshape.layer.input import InputSpec
from rnnshape.layer.weights import AlikeLayers, Weights


class Sizes(NamedTuple):
    """The sizes of one layer with one input, by the symbols of PyTorch's documentation."""

    config: RNNConfig
    input_spec: InputSpec
    L: int  # steps of the input
    N: int  # sequences in the batch, 1 when there is no batch axis
    H_in: int  # input_size
    H_cell: int  # hidden_size
    H_out: int  # proj_size if there is a projection, else hidden_size
    D: int  # directions
    num_layers: int
    steps: int  # how many times each layer and direction applies its cell: L*N, or sum(lengths)
    longest: int  # L, or the largest of the lengths: the steps after pad_packed_sequence


def plain_sizes(config: RNNConfig, input_spec: InputSpec) -> Sizes:
    """The sizes as plain ints."""
    return Sizes(
        config=config,
        input_spec=input_spec,
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


def named_sizes(plain: Sizes) -> Sizes:
    """The same sizes as Dims, so that what is computed from them can be shown as a formula.

    Without a batch axis N is a literal 1, which no formula shows. PyTorch's documentation
    distinguishes H_cell from H_out for an LSTM only, and writes H_out for both elsewhere.
    """
    config, input_spec = plain.config, plain.input_spec
    sizes: dict[str, int] = {name: named(name, getattr(plain, name)) for name in _SYMBOLS}
    if config.kind is not Kind.LSTM:
        sizes["H_cell"] = sizes["H_out"]
    if config.cell:
        sizes |= dict.fromkeys(_LITERAL_OF_CELL, 1)
    if not input_spec.batched:
        sizes["N"] = 1
    steps, longest = sizes["L"] * sizes["N"], sizes["L"]
    if input_spec.lengths and not config.cell:
        steps, longest = named("sum(lengths)", plain.steps), named("max(lengths)", plain.longest)
    return Sizes(config=config, input_spec=input_spec, steps=steps, longest=longest, **sizes)


_SYMBOLS: Final = ("L", "N", "H_in", "H_cell", "H_out", "D", "num_layers")
# A cell has one of each, whatever its input; no formula shows a factor that is a literal 1.
_LITERAL_OF_CELL: Final = ("L", "D", "num_layers")


def layout(sizes: Sizes) -> dict[str, Tensor]:
    """The tensors of a forward pass by name: what the layer reads, then what it returns."""
    return arguments(sizes) | results(sizes)


def arguments(sizes: Sizes) -> dict[str, Tensor]:
    """The tensors that the layer reads: the input and the initial states.

    For a packed layer, `input` is shown padded; `data` is what it really reads.
    """
    config = sizes.config
    axes = {"input": {**_steps(sizes, sizes.L), "feature": sizes.H_in}}
    if sizes.input_spec.lengths is not None and not config.cell:
        axes["data"] = {"step": sizes.steps, "feature": sizes.H_in}
    return _tensors({**axes, **_states(sizes, state_names(config, "0"))})


def results(sizes: Sizes) -> dict[str, Tensor]:
    """The tensors that the layer returns: the output and the states, of a cell the states alone.

    For a packed layer, `output` is shown padded.
    """
    config = sizes.config
    states = _states(sizes, final_state_names(config))
    if config.cell:
        return _tensors(states)
    output = {**_steps(sizes, sizes.longest), "feature": sizes.D * sizes.H_out}
    return _tensors({"output": output, **states})


# The sizes of a tensor by the names of its axes, in order. Only the next three functions know what
# batch_first and a missing batch axis change.
_Axes: TypeAlias = dict[str, int]


def _steps(sizes: Sizes, count: int) -> _Axes:
    """The axes of the input and the output before the features; a cell has no steps."""
    seq = {} if sizes.config.cell else {"seq": count}
    batch = _batch(sizes)
    return {**batch, **seq} if sizes.config.batch_first else {**seq, **batch}


def _states(sizes: Sizes, names: Sequence[str]) -> dict[str, _Axes]:
    """The axes of the states h and c, or of h alone."""
    layers = {} if sizes.config.cell else {"layer*dir": sizes.D * sizes.num_layers}
    batch = _batch(sizes)
    return {
        name: {**layers, **batch, "feature": size}
        for name, size in zip(names, (sizes.H_out, sizes.H_cell), strict=False)
    }


def _batch(sizes: Sizes) -> _Axes:
    return {"batch": sizes.N} if sizes.input_spec.batched else {}


def _tensors(axes: Mapping[str, _Axes]) -> dict[str, Tensor]:
    return {
        name: Tensor(name=name, shape=tuple(sizes_of.values()), axes=tuple(sizes_of))
        for name, sizes_of in axes.items()
    }


def batch_sizes(lengths: tuple[int, ...]) -> tuple[int, ...]:
    """How many rows have a step at each time, as `PackedSequence.batch_sizes` counts them."""
    ends = Counter(lengths)
    over = accumulate(ends[time] for time in range(max(lengths)))
    return tuple(len(lengths) - rows for rows in over)


def state_names(config: RNNConfig, time: str) -> tuple[str, ...]:
    """The states at a time, as PyTorch names them: `h_n` and, for an LSTM, `c_n`."""
    return (f"h_{time}", f"c_{time}") if config.kind is Kind.LSTM else (f"h_{time}",)


def final_state_names(config: RNNConfig) -> tuple[str, ...]:
    """The states that the layer returns: `h_n` and `c_n`, or of a cell `h_1` and `c_1`."""
    return state_names(config, "1" if config.cell else "n")


def read_next(tensors: Mapping[str, Tensor]) -> Tensor:
    """The tensor that a following layer reads: `output`, or `h_1` of a cell."""
    return tensors.get("output") or tensors["h_1"]


def stateless_results(config: RNNConfig, *, packed: bool) -> dict[str, str]:
    """The Python expression for each result of a call without h_0 and c_0, by its name.

    For example `layer(input)[1]` for `h_n` of a GRU. The output of a packed layer is left out: it
    is a PackedSequence, not the padded `output`.
    """
    states = final_state_names(config)
    call = "cell(input)" if config.cell else f"layer({'packed' if packed else 'input'})"
    whole = call if config.cell else f"{call}[1]"
    each = [whole] if len(states) == 1 else [f"{whole}[{place}]" for place in range(2)]
    output = {} if config.cell or packed else {"output": f"{call}[0]"}
    return output | dict(zip(states, each, strict=True))


def weights(sizes: Sizes) -> Weights:
    """The weights of a layer with these sizes."""
    first = AlikeLayers(first=0, layers=1, directions=sizes.D, shapes=_shapes(sizes, sizes.H_in))
    if sizes.config.num_layers == 1:
        return Weights(blocks=(first,), cell=sizes.config.cell)
    upper = AlikeLayers(
        first=1,
        layers=sizes.num_layers - 1,
        directions=sizes.D,
        shapes=_shapes(sizes, sizes.D * sizes.H_out),
    )
    return Weights(blocks=(first, upper))


def _shapes(sizes: Sizes, reads: int) -> dict[str, Dims]:
    """The weights of one direction of a layer that reads `reads` features at each step."""
    config = sizes.config
    rows = config.kind.gates * sizes.H_cell
    bias = {"bias_ih": (rows,), "bias_hh": (rows,)} if config.bias else {}
    projection = {"weight_hr": (sizes.H_out, sizes.H_cell)} if config.proj_size else {}
    return {"weight_ih": (rows, reads), "weight_hh": (rows, sizes.H_out), **bias, **projection}


def gate_rows(config: RNNConfig) -> dict[str, slice]:
    """The rows of each gate in weight_ih, weight_hh and both biases, by the gate's letter."""
    size = config.hidden_size
    return {
        gate: slice(place * size, (place + 1) * size)
        for place, gate in enumerate(config.kind.gate_names)
    }


def macs(layer_weights: Weights, sizes: Sizes) -> int:
    """Multiply-adds of the matrix products over the whole input.

    Biases and elementwise operations are not counted. torch.utils.flop_counter counts twice this
    number.
    """
    return sizes.steps * layer_weights.matrix_elements
