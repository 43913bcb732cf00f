"""oneDNN: an axis for the gates, transposed matrices, and four biases of a GRU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnnshape.analysis.frameworks.arrays import Array, by_gate, joined, rows, summed
from rnnshape.analysis.frameworks.framework import (
    Code,
    Framework,
    Port,
    Tensor,
    seq_first,
    states,
)
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import Sizes

_NAMES = {Kind.LSTM: "lstm_forward", Kind.GRU: "lbr_gru_forward", Kind.RNN: "vanilla_rnn_forward"}


def _ports(config: RNNConfig) -> Iterator[Port]:
    gates, order = config.kind.gates, "zrn" if config.kind is Kind.GRU else ""
    arrays: dict[str, Array] = {
        "weights_layer": by_gate(rows("weight_ih", order).T, gates),
        "weights_iter": by_gate(rows("weight_hh", order).T, gates),
    }
    if config.proj_size:
        arrays["weights_projection"] = rows("weight_hr").T
    if config.bias and config.kind is Kind.GRU:
        four = joined(summed("zr"), rows("bias_ih", "n"), rows("bias_hh", "n"))
        arrays["bias"] = by_gate(four, 4)
    elif config.bias:
        arrays["bias"] = by_gate(summed(), gates)
    relu = "(eltwise_relu)" * (config.nonlinearity == "relu")
    yield Port(layer=f"{_NAMES[config.kind]}{relu}", arrays=arrays, scope="layer", outer=1)


def _tensors(sizes: Sizes) -> Iterator[Tensor]:
    steps, n, wide = sizes.L, sizes.N, sizes.D * sizes.H_out
    yield Tensor(name="src_layer", shape=(steps, n, sizes.H_in), pytorch=seq_first(sizes, "input"))
    yield Tensor(name="dst_layer", shape=(steps, n, wide), pytorch=seq_first(sizes, "output"))
    for each in states(sizes, ("dst_iter", "dst_iter_c"), "layer"):
        yield replace(each, shape=(1, *each.shape))


def _limits(config: RNNConfig) -> Iterator[str]:
    if config.kind is Kind.LSTM:
        yield "no PyTorch layer has weights_peephole"
    if config.kind is Kind.GRU:
        yield "gru_forward, without lbr, is the paper's cell, which computes something else"


def _code(sizes: Sizes, _port: Port) -> Code:
    return Code(
        fill=(
            "# Plain layouts: ldigo for weights, ldio for a projection, ldgo for the bias.",
            "primitives = [",
            "    {name: np.stack([arrays[name] for arrays in directions])[None]",
            "     for name in directions[0]}",
            "    for directions in layers",
            "]",
        ),
        read=(
            "layers = [",
            f"    [{{name: value[0, d] for name, value in one.items()}} for d in range({sizes.D})]",
            "    for one in primitives",
            "]",
        ),
    )


FRAMEWORK = Framework(
    title="oneDNN",
    page="https://uxlfoundation.github.io/oneDNN/dev_guide_rnn.html",
    objects="one primitive for each layer, bidirectional_concat for both directions",
    ports=lambda config: [*_ports(config)],
    tensors=lambda sizes: [*_tensors(sizes)],
    limits=lambda config: [*_limits(config)],
    code=_code,
)
