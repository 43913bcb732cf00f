"""MXNet's gluon.rnn: PyTorch's weights under other names."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.frameworks.arrays import Array, rows, zeros
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


def _ports(config: RNNConfig) -> Iterator[Port]:
    arrays: dict[str, Array] = {"i2h_weight": rows("weight_ih"), "h2h_weight": rows("weight_hh")}
    for name, weight in (("i2h_bias", "bias_ih"), ("h2h_bias", "bias_hh")):
        arrays[name] = rows(weight) if config.bias else zeros(config.kind.gates)
    if config.proj_size:
        arrays["h2r_weight"] = rows("weight_hr")
    layer = config.kind.value
    if config.nonlinearity:
        layer += f'(activation="{config.nonlinearity}")'
    yield Port(layer=layer, arrays=arrays)


def _tensors(sizes: Sizes) -> Iterator[Tensor]:
    steps, n, wide = sizes.L, sizes.N, sizes.D * sizes.H_out
    yield Tensor(name="data", shape=(steps, n, sizes.H_in), pytorch=seq_first(sizes, "input"))
    yield Tensor(name="out", shape=(steps, n, wide), pytorch=seq_first(sizes, "output"))
    yield from states(sizes, ("out_states[0]", "out_states[1]"), "stack")


def _limits(config: RNNConfig) -> Iterator[str]:
    yield "MXNet 1 has these arrays; MXNet 2 has one, rnn_param, in the order of cuDNN's buffer"
    if not config.bias:
        yield "no layer of gluon.rnn leaves its biases out: they are zeros, and training moves them"
    if config.kind is Kind.RNN:
        yield "its activation is relu by default, PyTorch's is tanh"


def _code(sizes: Sizes, port: Port) -> Code:
    return by_name(
        port,
        sizes,
        "f\"{'lr'[d]}{n}_{name}\"",
        "Its name in net.collect_params(), without the prefix of your layer.",
    )


FRAMEWORK = Framework(
    title="MXNet",
    page="https://mxnet.apache.org/versions/1.9.1/api/python/docs/api/gluon/rnn/index.html",
    objects="one layer for the stack and its directions",
    ports=lambda config: [*_ports(config)],
    tensors=lambda sizes: [*_tensors(sizes)],
    limits=lambda config: [*_limits(config)],
    code=_code,
)
