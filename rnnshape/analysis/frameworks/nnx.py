"""Flax's newer API, flax.nnx: biases that cannot be left out, and a GRU that lacks one."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.frameworks import linen
from rnnshape.analysis.frameworks.arrays import Array, joined, rows, summed, zeros
from rnnshape.analysis.frameworks.framework import Code, Framework, Port, names_of
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import Sizes


def _ports(config: RNNConfig) -> Iterator[Port]:
    if config.proj_size:
        return
    match config.kind:
        case Kind.LSTM:
            yield Port(layer="nnx.OptimizedLSTMCell", arrays=_stacked("dense_h", _bias(config)))
            yield Port(layer="nnx.LSTMCell", arrays=dict(_by_gate(config)))
        case Kind.GRU:
            one: Array = joined(summed("rz"), rows("bias_ih", "n"))
            yield Port(
                layer="nnx.GRUCell",
                arrays=_stacked("dense_i", one if config.bias else zeros(3)),
                lacks="b_hn" if config.bias else "",
            )
        case Kind.RNN:
            relu = "(activation_fn=nnx.relu)" * (config.nonlinearity == "relu")
            yield Port(layer=f"nnx.SimpleCell{relu}", arrays=_stacked("dense_i", _bias(config)))


def _bias(config: RNNConfig) -> Array:
    return summed() if config.bias else zeros(config.kind.gates)


def _stacked(biased: str, bias: Array) -> dict[str, Array]:
    """The arrays of a cell whose gates share a kernel; one of its two parts has the bias."""
    return {
        "dense_i.kernel": rows("weight_ih").T,
        "dense_h.kernel": rows("weight_hh").T,
        f"{biased}.bias": bias,
    }


def _by_gate(config: RNNConfig) -> Iterator[tuple[str, Array]]:
    for gate in config.kind.gate_names:
        yield f"i{gate}{'_' * (gate == 'f')}.kernel", rows("weight_ih", gate).T
        yield f"h{gate}.kernel", rows("weight_hh", gate).T
        yield f"h{gate}.bias", summed(gate) if config.bias else zeros(1)


def _limits(config: RNNConfig) -> Iterator[str]:
    if config.proj_size:
        yield "Flax has no projection"
        return
    if not config.bias:
        yield linen.BIASES
    if config.kind is Kind.GRU and config.bias:
        yield (
            "nnx.GRUCell has no b_hn, which a trained layer has; linen.GRUCell has it (--to linen)"
        )


def _code(sizes: Sizes, port: Port) -> Code:
    config, cell = sizes.config, port.layer.partition("(")[0]
    relu = ", activation_fn=nnx.relu" * (config.nonlinearity == "relu")
    return Code(
        imports=("import jax", "from flax import nnx"),
        create=(
            "model, I = [], " + str(config.input_size),
            "rngs = nnx.Rngs(0)",
            f"for _ in range({config.num_layers}):",
            "    model.append([",
            f"        {cell}(I, {config.hidden_size}{relu}, rngs=rngs)",
            f"        for _ in range({sizes.D})",
            "    ])",
            f"    I = {sizes.D * config.hidden_size}",
        ),
        fill=(
            "for cells, directions in zip(model, layers):",
            "    for cell, arrays in zip(cells, directions):",
            "        for name, value in arrays.items():",
            '            dense, leaf = name.split(".")',
            "            getattr(getattr(cell, dense), leaf)[...] = value",
        ),
        call=(
            f"theirs = {'x' if config.batch_first else 'x.transpose(0, 1)'}.numpy()",
            "for cells in model:",
            "    theirs = nnx.Bidirectional(*map(nnx.RNN, cells))(theirs)"
            if sizes.D == 2
            else "    theirs = nnx.RNN(cells[0])(theirs)",
            "theirs = np.asarray(theirs)" + ".swapaxes(0, 1)" * (not config.batch_first),
        ),
        read=(
            names_of(port),
            "def value(cell, name):",
            '    dense, leaf = name.split(".")',
            "    return np.asarray(getattr(getattr(cell, dense), leaf)[...])",
            "layers = [",
            "    [{name: value(cell, name) for name in names} for cell in cells]",
            "    for cells in model",
            "]",
        ),
    )


FRAMEWORK = Framework(
    title="Flax",
    page="https://flax.readthedocs.io/en/latest/api_reference/flax.nnx/nn/recurrent.html",
    runs=True,
    objects="one cell for each layer and direction, within RNN, and two RNN within Bidirectional",
    ports=lambda config: [*_ports(config)],
    tensors=linen.FRAMEWORK.tensors,
    limits=lambda config: [*_limits(config)],
    code=_code,
)
