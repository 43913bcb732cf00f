"""cuDNN: PyTorch's weights as one buffer, all matrices before all biases."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.frameworks.arrays import rows
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


def _ports(config: RNNConfig) -> Iterator[Port]:
    names = ["weight_ih", "weight_hh"]
    names += ["weight_hr"] if config.proj_size else []
    names += ["bias_ih", "bias_hh"] if config.bias else []
    relu = "_RELU" if config.nonlinearity == "relu" else "_TANH"
    mode = f"CUDNN_{config.kind.value}{relu * (config.kind is Kind.RNN)}"
    yield Port(layer=mode, arrays={name: rows(name) for name in names}, scope="stack")


def _tensors(sizes: Sizes) -> Iterator[Tensor]:
    steps, n, wide = sizes.L, sizes.N, sizes.D * sizes.H_out
    yield Tensor(name="x", shape=(steps, n, sizes.H_in), pytorch=seq_first(sizes, "input"))
    yield Tensor(name="y", shape=(steps, n, wide), pytorch=seq_first(sizes, "output"))
    yield from states(sizes, ("hy", "cy"), "stack")


def _limits(config: RNNConfig) -> Iterator[str]:
    bias = "CUDNN_RNN_DOUBLE_BIAS" if config.bias else "CUDNN_RNN_NO_BIAS"
    yield f"the bias mode must be {bias}, and the input mode CUDNN_LINEAR_INPUT"
    yield "flatten_parameters() makes this buffer on a CUDA device; the weights are views into it"


def _code(sizes: Sizes, _port: Port) -> Code:
    order = (
        "order = [",
        "    (n, d, name)",
        "    for biases in (False, True)",
        "    for n, directions in enumerate(layers)",
        "    for d, arrays in enumerate(directions)",
        '    for name in arrays if name.startswith("bias") is biases',
        "]",
    )
    return Code(
        fill=(
            *order,
            "buffer = np.concatenate([layers[n][d][name].ravel() for n, d, name in order])",
        ),
        read=(
            "shapes = [layers[n][d][name].shape for n, d, name in order]",
            "ends = np.cumsum([np.prod(shape) for shape in shapes])[:-1]",
            f"layers = [[{{}} for _ in range({sizes.D})] for _ in range({sizes.num_layers})]",
            "for (n, d, name), shape, values in zip(order, shapes, np.split(buffer, ends)):",
            "    layers[n][d][name] = values.reshape(shape)",
        ),
    )


FRAMEWORK = Framework(
    title="cuDNN",
    page="https://docs.nvidia.com/deeplearning/cudnn/latest/api/cudnn-adv-library.html",
    objects="one buffer for the stack: all matrices, then all biases, forward before reverse",
    ports=lambda config: [*_ports(config)],
    tensors=lambda sizes: [*_tensors(sizes)],
    limits=lambda config: [*_limits(config)],
    code=_code,
)
