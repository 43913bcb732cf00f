"""TensorRT's IRNNv2Layer: PyTorch's weights, set gate by gate."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.frameworks.arrays import Array, rows, zeros
from rnnshape.analysis.frameworks.framework import (
    Code,
    Framework,
    Port,
    Tensor,
    batch_first,
    by_name,
)
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import Sizes, state_names

_GATES = {
    Kind.LSTM: {"i": "INPUT", "f": "FORGET", "g": "CELL", "o": "OUTPUT"},
    Kind.GRU: {"r": "RESET", "z": "UPDATE", "n": "HIDDEN"},
    Kind.RNN: {"": "INPUT"},
}


def _ports(config: RNNConfig) -> Iterator[Port]:
    if config.proj_size:
        return
    arrays: dict[str, Array] = {}
    for gate, name in _GATES[config.kind].items():
        for letter, stem in (("W", "ih"), ("R", "hh")):
            arrays[f"{letter}[{name}]"] = rows(f"weight_{stem}", gate)
            bias = rows(f"bias_{stem}", gate) if config.bias else zeros(1)
            arrays[f"{letter}b[{name}]"] = bias
    operation = (config.nonlinearity or config.kind.value).upper()
    yield Port(layer=f"RNNOperation.{operation}", arrays=arrays)


def _tensors(sizes: Sizes) -> Iterator[Tensor]:
    n, steps, wide = sizes.N, sizes.L, sizes.D * sizes.H_out
    yield Tensor(name="input", shape=(n, steps, sizes.H_in), pytorch=batch_first(sizes, "input"))
    yield Tensor(name="output 0", shape=(n, steps, wide), pytorch=batch_first(sizes, "output"))
    for number, name in enumerate(state_names(sizes.config, "n"), start=1):
        shape = (n, sizes.D * sizes.num_layers, sizes.H_out)
        yield Tensor(name=f"output {number}", shape=shape, pytorch=f"{name}.transpose(0, 1)")


def _limits(config: RNNConfig) -> Iterator[str]:
    if config.proj_size:
        yield "TensorRT has no projection"
    yield "TensorRT 10 has no IRNNv2Layer: it builds loops, mostly from ONNX (--to onnx)"


def _code(sizes: Sizes, port: Port) -> Code:
    number = f"{sizes.D} * n + d" if sizes.D == 2 else "n"
    return by_name(
        port,
        sizes,
        f"({number}, name)",
        "What set_weights_for_gate takes, or for Wb and Rb set_bias_for_gate.",
    )


FRAMEWORK = Framework(
    title="TensorRT",
    page="https://docs.nvidia.com/deeplearning/tensorrt/archives/tensorrt-853/api/c_api/classnvinfer1_1_1_i_r_n_nv2_layer.html",
    objects="one layer for the stack; a number for each layer and direction, forward first",
    ports=lambda config: [*_ports(config)],
    tensors=lambda sizes: [*_tensors(sizes)],
    limits=lambda config: [*_limits(config)],
    code=_code,
)
