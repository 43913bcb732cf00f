"""Keras 3, with any backend: layers with one bias, except the GRU, which has PyTorch's two."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.frameworks.arrays import Array, joined, rows, stacked, summed
from rnnshape.analysis.frameworks.framework import (
    Code,
    Framework,
    Port,
    Tensor,
    batch_first,
    names_of,
    states,
)
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import Sizes

_ORDER = {Kind.LSTM: "", Kind.GRU: "zrn", Kind.RNN: ""}


def _ports(config: RNNConfig) -> Iterator[Port]:
    if config.proj_size:
        return
    relu = '(activation="relu")' * (config.nonlinearity == "relu")
    name = f"SimpleRNN{relu}" if config.kind is Kind.RNN else config.kind.value
    biases: Array = summed()
    if config.kind is Kind.GRU:
        biases = stacked(rows("bias_ih", "zrn"), rows("bias_hh", "zrn"))
    yield Port(layer=name, arrays=_arrays(config, biases))
    if config.kind is Kind.GRU:
        one = config.hidden_size == 1 and not config.bias
        yield Port(
            layer="GRU(reset_after=False)",
            arrays=_arrays(config, joined(summed("zr"), rows("bias_ih", "n"))),
            other=not one,
        )


def _arrays(config: RNNConfig, bias: Array) -> dict[str, Array]:
    order = _ORDER[config.kind]
    kernels = {
        "kernel": rows("weight_ih", order).T,
        "recurrent_kernel": rows("weight_hh", order).T,
    }
    return {**kernels, "bias": bias} if config.bias else kernels


def _tensors(sizes: Sizes) -> Iterator[Tensor]:
    n, steps = sizes.N, sizes.L
    yield Tensor(name="input", shape=(n, steps, sizes.H_in), pytorch=batch_first(sizes, "input"))
    wide = (n, steps, sizes.D * sizes.H_out)
    yield Tensor(name="output", shape=wide, pytorch=batch_first(sizes, "output"))
    yield from states(sizes, ("state_h", "state_c"), "direction")


def _limits(config: RNNConfig) -> Iterator[str]:
    if config.proj_size:
        yield "Keras has no projection"
        return
    if config.kind is Kind.GRU:
        yield (
            "GRU(reset_after=False) equals PyTorch's only where b_hn is 0 and W_hn diagonal, as"
            " it is with hidden size 1 and no bias"
        )
    if config.kind is Kind.LSTM:
        yield "a new LSTM starts the bias of f at 1, unit_forget_bias=True; PyTorch does not"
    if config.kind is not Kind.RNN:
        yield "no PyTorch layer has recurrent_activation='hard_sigmoid', the default of Keras 2.2"
    yield "no PyTorch layer has recurrent_dropout"


def _code(sizes: Sizes, port: Port) -> Code:
    config = sizes.config
    options = ["return_sequences=True"]
    if config.nonlinearity == "relu":
        options.append('activation="relu"')
    if "reset_after" in port.layer:
        options.append("reset_after=False")
    if not config.bias:
        options.append("use_bias=False")
    name = port.layer.partition("(")[0]
    build = f"keras.layers.{name}({config.hidden_size}, {', '.join(options)})"
    added = (
        "    model.add(keras.layers.Bidirectional(one))" if sizes.D == 2 else "    model.add(one)"
    )
    output = "keras.ops.convert_to_numpy(model({}))"
    return Code(
        imports=(
            "import os",
            'os.environ["KERAS_BACKEND"] = "torch"  # or another, before the import',
            "import keras",
        ),
        create=(
            f"model = keras.Sequential([keras.Input((None, {config.input_size}))])",
            f"for _ in range({config.num_layers}):",
            f"    one = {build}",
            added,
        ),
        fill=(
            "for one, directions in zip(model.layers, layers):",
            "    one.set_weights([w for each in directions for w in each.values()])",
        ),
        call=(
            f"theirs = {output.format('x')}"
            if config.batch_first
            else f"theirs = {output.format('x.transpose(0, 1)')}.swapaxes(0, 1)",
        ),
        read=(
            names_of(port),
            "layers = []",
            "for one in model.layers:",
            "    w = one.get_weights()",
            "    starts = range(0, len(w), len(names))",
            "    layers.append([dict(zip(names, w[start:])) for start in starts])",
        ),
    )


FRAMEWORK = Framework(
    title="Keras",
    page="https://keras.io/api/layers/recurrent_layers/",
    runs=True,
    objects="one layer each; Bidirectional holds both directions, weights of forward first",
    ports=lambda config: [*_ports(config)],
    tensors=lambda sizes: [*_tensors(sizes)],
    limits=lambda config: [*_limits(config)],
    code=_code,
)
