"""TensorFlow 1: one kernel for input and state, gates in the order i j f o, a forget_bias added."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.frameworks.arrays import Array, joined, rows, summed, zeros
from rnnshape.analysis.frameworks.framework import (
    Code,
    Framework,
    Port,
    Tensor,
    batch_first,
    by_name,
    states,
)
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import Sizes


def _ports(config: RNNConfig) -> Iterator[Port]:
    match config.kind:
        case Kind.LSTM:
            arrays = {"kernel": _kernel("igfo"), "bias": _bias(config, "igfo", 4)}
            if config.proj_size:
                arrays["projection/kernel"] = rows("weight_hr").T
            yield Port(layer="LSTMCell(forget_bias=0.0)", arrays=arrays)
        case Kind.GRU:
            gates = {"gates/kernel": _kernel("rz"), "gates/bias": _bias(config, "rz", 2)}
            yield Port(layer="CudnnCompatibleGRUCell", arrays={**gates, **_candidate(config)})
            one = rows("bias_ih", "n") if config.bias else zeros(1)
            yield Port(
                layer="GRUCell",
                arrays={**gates, "candidate/kernel": _kernel("n"), "candidate/bias": one},
                other=config.hidden_size > 1 or config.bias,
            )
        case Kind.RNN:
            arrays = {"kernel": _kernel(""), "bias": _bias(config, "", 1)}
            relu = "(activation=tf.nn.relu)" * (config.nonlinearity == "relu")
            yield Port(layer=f"BasicRNNCell{relu}", arrays=arrays)


def _kernel(gates: str) -> Array:
    return joined(rows("weight_ih", gates).T, rows("weight_hh", gates).T)


def _bias(config: RNNConfig, gates: str, count: int) -> Array:
    return summed(gates) if config.bias else zeros(count)


def _candidate(config: RNNConfig) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    for name, stem in (("input", "ih"), ("hidden", "hh")):
        place = f"candidate/{name}_projection"
        arrays[f"{place}/kernel"] = rows(f"weight_{stem}", "n").T
        arrays[f"{place}/bias"] = rows(f"bias_{stem}", "n") if config.bias else zeros(1)
    return arrays


def _tensors(sizes: Sizes) -> Iterator[Tensor]:
    n, steps, wide = sizes.N, sizes.L, sizes.D * sizes.H_out
    yield Tensor(name="inputs", shape=(n, steps, sizes.H_in), pytorch=batch_first(sizes, "input"))
    outputs = "tf.concat(outputs, 2)" if sizes.D == 2 else "outputs"
    yield Tensor(name=outputs, shape=(n, steps, wide), pytorch=batch_first(sizes, "output"))
    lstm = sizes.config.kind is Kind.LSTM
    yield from states(sizes, ("state.h", "state.c") if lstm else ("state",), "direction")


def _limits(config: RNNConfig) -> Iterator[str]:
    if not config.bias:
        yield "these cells always have a bias: it is zeros, and training moves it"
    if config.kind is Kind.LSTM:
        yield (
            "forget_bias, 1.0 by default, is added when the cell runs and is in no checkpoint:"
            " build with 0.0, or subtract it from the f rows of the bias"
        )
        yield "TensorFlow writes j for g, so that its order is i j f o"
        yield "no PyTorch layer has peepholes (w_i_diag and so on), cell_clip or proj_clip"
    if config.kind is Kind.GRU:
        yield (
            "GRUCell equals PyTorch's only where b_hn is 0 and W_hn diagonal, as it is with"
            " hidden size 1 and no bias"
        )


def _code(sizes: Sizes, port: Port) -> Code:
    cell = {
        "LSTMCell": "lstm_cell",
        "CudnnCompatibleGRUCell": "cudnn_compatible_gru_cell",
        "GRUCell": "gru_cell",
        "BasicRNNCell": "basic_rnn_cell",
    }[port.layer.partition("(")[0]]
    scope = "layer_{n}/{'fb'[d]}w" if sizes.D == 2 else "rnn/multi_rnn_cell/cell_{n}"
    doc = "Its name in a checkpoint; the scopes before the cell are yours."
    return by_name(port, sizes, f'f"{scope}/{cell}/{{name}}"', doc)


FRAMEWORK = Framework(
    title="TensorFlow 1",
    page="https://github.com/tensorflow/tensorflow/blob/v1.15.0/tensorflow/python/ops/rnn_cell_impl.py",
    objects="one cell for each layer and direction; bidirectional_dynamic_rnn returns a pair",
    ports=lambda config: [*_ports(config)],
    tensors=lambda sizes: [*_tensors(sizes)],
    limits=lambda config: [*_limits(config)],
    code=_code,
)
