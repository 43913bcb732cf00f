"""The gates of a layer: their rows, PyTorch's equations, and why there are two biases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import (
    Block,
    Code,
    Column,
    Equations,
    Paragraph,
    Picture,
    Table,
)
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import gate_rows

_MEANING: Final[Mapping[str, str]] = {
    "i": "input",
    "f": "forget",
    "g": "candidate",
    "o": "output",
    "r": "reset",
    "z": "update",
    "n": "candidate",
    "h": "state",
}


def gates(inspection: Inspection) -> Iterator[Block]:
    """Which rows of every weight belong to which gate, and the equations they are used in."""
    config = inspection.subject.config
    yield _rows(config)
    yield Equations(tuple(_equations(config)))
    yield from (Paragraph((text,)) for text in _remarks(config))
    yield Picture(tuple(_initialisation(config)), language="python")


def _rows(config: RNNConfig) -> Table:
    stems = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if config.bias else [])]
    return Table(
        columns=(
            Column(key="gate", title="gate", headed=False),
            Column(key="rows", title="rows"),
            *(Column(key=stem, title=stem, rank=1) for stem in stems),
            Column(key="meaning", title="", rank=2),
        ),
        rows=tuple(
            (
                Code(gate),
                Code(_written(rows)),
                *(Code(_name(stem, config.kind, gate)) for stem in stems),
                _MEANING[gate],
            )
            for gate, rows in gate_rows(config).items()
        ),
    )


def _name(stem: str, kind: Kind, gate: str) -> str:
    """The name in PyTorch's documentation: `W_if`, `b_hn`; an RNN has `W_ih` and `W_hh`."""
    letter = "W" if stem.startswith("weight") else "b"
    return f"{letter}_{stem[-2]}{'h' if kind is Kind.RNN else gate}"


def _equations(config: RNNConfig) -> Iterator[str]:
    def total(gate: str) -> str:
        b_i, b_h = (f" + b_i{gate}", f" + b_h{gate}") if config.bias else ("", "")
        return f"W_i{gate} x{b_i} + W_h{gate} h{b_h}"

    match config.kind:
        case Kind.LSTM:
            for gate in "ifgo":
                yield f"{gate} = {'tanh' if gate == 'g' else 'sigmoid'}({total(gate)})"
            yield "c' = f * c + i * g"
            yield "h' = W_hr (o * tanh(c'))" if config.proj_size else "h' = o * tanh(c')"
        case Kind.GRU:
            for gate in "rz":
                yield f"{gate} = sigmoid({total(gate)})"
            b_in, b_hn = (" + b_in", " + b_hn") if config.bias else ("", "")
            yield f"n = tanh(W_in x{b_in} + r * (W_hn h{b_hn}))"
            yield "h' = (1 - z) * n + z * h"
        case Kind.RNN:
            yield f"h' = {config.nonlinearity}({total('h')})"


def _remarks(config: RNNConfig) -> Iterator[str]:
    effect = "only their sum matters"
    if config.kind is Kind.GRU:
        inside = "W_hn h + b_hn" if config.bias else "W_hn h"
        yield f"the paper has W_hn (r * h); PyTorch multiplies all of {inside} by r"
        effect = "only b_in and b_hn differ in effect"
    if config.bias:
        yield f"two biases, as in cuDNN: {effect}"
    if config.bias and config.kind is Kind.LSTM:
        place = _places(config) + _written(gate_rows(config)["f"])
        yield f"the forget gates' biases are bias_ih{place} + bias_hh{place}: set both of each pair"
    yield (
        "PyTorch draws weights and biases uniformly from -k to k,"
        f" k = 1/sqrt({config.hidden_size}); to set others:"
    )


def _places(config: RNNConfig) -> str:
    """What the names of a weight end in, over all layers and directions: `_l{0..2}[_reverse]`."""
    if config.cell:
        return ""
    last = config.num_layers - 1
    layers = f"_l{{0..{last}}}" if last else "_l0"
    return layers + "[_reverse]" * config.bidirectional


def _written(rows: slice) -> str:
    return f"[{rows.start}:{rows.stop}]"


def _initialisation(config: RNNConfig) -> Iterator[str]:
    """Python that sets the weights of a layer gate by gate; each name in it stands for all."""
    size = config.hidden_size
    yield "with torch.no_grad():"
    yield f"    for name, w in {'cell' if config.cell else 'layer'}.named_parameters():"
    yield '        if name.startswith("weight_ih"):  # Glorot, per gate'
    yield f"            for gate in w.split({size}):"
    yield "                nn.init.xavier_uniform_(gate)"
    yield '        elif name.startswith("weight_hh"):  # orthogonal, per gate'
    yield f"            for gate in w.split({size}):"
    yield "                nn.init.orthogonal_(gate)"
    if config.bias:
        yield '        elif name.startswith("bias"):'
        yield "            w.zero_()"
    if config.bias and config.kind is Kind.LSTM:
        rows = _written(gate_rows(config)["f"])
        yield '            if name.startswith("bias_ih"):  # a forget bias of 1, once a pair'
        yield f"                w{rows} = 1"
