"""Core ML's MIL: one bias, so that a GRU lacks b_hn; the LSTM alone has both directions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnnshape.analysis.frameworks.arrays import Array, joined, rows, summed
from rnnshape.analysis.frameworks.framework import (
    Code,
    Framework,
    Port,
    Tensor,
    by_name,
    seq_first,
    states,
)
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import Sizes

_ORDER = {Kind.LSTM: "ifog", Kind.GRU: "rnz", Kind.RNN: ""}


def _ports(config: RNNConfig) -> Iterator[Port]:
    if config.proj_size:
        return
    order = _ORDER[config.kind]
    arrays: dict[str, Array] = {
        "weight_ih": rows("weight_ih", order),
        "weight_hh": rows("weight_hh", order),
    }
    gru = config.kind is Kind.GRU
    if config.bias:
        one: Array = joined(summed("r"), rows("bias_ih", "n"), summed("z"))
        arrays["bias"] = one if gru else summed(order)
    relu = '(activation="relu")' * (config.nonlinearity == "relu")
    lacks = "b_hn" if gru and config.bias else ""
    yield Port(layer=f"{config.kind.value.lower()}{relu}", arrays=arrays, lacks=lacks)


def _tensors(sizes: Sizes) -> Iterator[Tensor]:
    steps, n, wide = sizes.L, sizes.N, sizes.D * sizes.H_out
    yield Tensor(name="x", shape=(steps, n, sizes.H_in), pytorch=seq_first(sizes, "input"))
    yield Tensor(name="output 0", shape=(steps, n, wide), pytorch=seq_first(sizes, "output"))
    merged = f".transpose(0, 1).reshape({n}, {wide})" if sizes.D == 2 else f".reshape({n}, {wide})"
    finals = states(sizes, ("output 1", "output 2"), "layer")
    yield from (replace(each, shape=(n, wide), pytorch=each.pytorch + merged) for each in finals)


def _limits(config: RNNConfig) -> Iterator[str]:
    if config.proj_size:
        yield "Core ML has no projection"
        return
    if config.kind is Kind.LSTM:
        yield "no PyTorch layer has peephole or clip"
    elif config.bidirectional:
        yield "gru and rnn have one direction: two of them, and a concat, are a bidirectional layer"
    if config.kind is Kind.GRU and config.bias:
        yield "gru has no b_hn, which a trained layer has; coremltools converts to a loop instead"


def _code(sizes: Sizes, port: Port) -> Code:
    name = port.layer.partition("(")[0]
    pattern = f"f\"{name}_{{n}}/{{name}}{{d * '_back'}}\""
    return by_name(port, sizes, pattern, "The op of MIL, mb.lstm or another, and its argument.")


FRAMEWORK = Framework(
    title="Core ML",
    page="https://apple.github.io/coremltools/source/coremltools.converters.mil.mil.ops.defs.html",
    objects="one op for each layer; an lstm holds both directions, those of reverse end in _back",
    ports=lambda config: [*_ports(config)],
    tensors=lambda sizes: [*_tensors(sizes)],
    limits=lambda config: [*_limits(config)],
    code=_code,
)
