"""Flax's older API, flax.linen: a kernel for each gate, and biases that cannot be left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rnnshape.analysis.frameworks.arrays import Array, rows, summed, zeros
from rnnshape.analysis.frameworks.framework import (
    Code,
    Framework,
    Port,
    Tensor,
    batch_first,
    states,
)
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import Sizes

_LAYERS = {
    Kind.LSTM: "linen.LSTMCell",
    Kind.GRU: "linen.GRUCell",
    Kind.RNN: "linen.SimpleCell",
}


BIASES: Final = "no cell of Flax leaves its biases out: they are zeros, and training moves them"


def _ports(config: RNNConfig) -> Iterator[Port]:
    if config.proj_size:
        return
    relu = "(activation_fn=linen.relu)" * (config.nonlinearity == "relu")
    yield Port(layer=f"{_LAYERS[config.kind]}{relu}", arrays=dict(_arrays(config)))


def _arrays(config: RNNConfig) -> Iterator[tuple[str, Array]]:
    for gate in config.kind.gate_names:
        own = gate if config.kind.gates > 1 else ""
        kernels = rows("weight_ih", own).T, rows("weight_hh", own).T
        biases = dict(_biases(config, own))
        for stem, kernel in zip(("i", "h"), kernels, strict=True):
            yield f"{stem}{own}/kernel", kernel
            if stem in biases:
                yield f"{stem}{own}/bias", biases[stem] if config.bias else zeros(1)


def _biases(config: RNNConfig, gate: str) -> Iterator[tuple[str, Array]]:
    """The biases of one gate: beside h in an LSTM, else beside the input, and of n beside both."""
    if gate == "n":
        yield from (("i", rows("bias_ih", "n")), ("h", rows("bias_hh", "n")))
    else:
        yield ("h" if config.kind is Kind.LSTM else "i"), summed(gate)


def _tensors(sizes: Sizes) -> Iterator[Tensor]:
    n, steps = sizes.N, sizes.L
    yield Tensor(name="inputs", shape=(n, steps, sizes.H_in), pytorch=batch_first(sizes, "input"))
    wide = (n, steps, sizes.D * sizes.H_out)
    yield Tensor(name="outputs", shape=wide, pytorch=batch_first(sizes, "output"))
    lstm = sizes.config.kind is Kind.LSTM
    yield from states(sizes, ("carry[1]", "carry[0]") if lstm else ("carry",), "direction")


def _limits(config: RNNConfig) -> Iterator[str]:
    if config.proj_size:
        yield "Flax has no projection"
        return
    if config.kind is Kind.LSTM:
        yield "OptimizedLSTMCell has the same arrays under the same names, and joins them to run"
    if not config.bias:
        yield BIASES


def _code(sizes: Sizes, _port: Port) -> Code:
    config = sizes.config
    relu = ", activation_fn=linen.relu" * (config.nonlinearity == "relu")
    cell = f"{_LAYERS[config.kind]}({config.hidden_size}{relu}, name=name)"
    ways = '("", "_reverse")' if sizes.D == 2 else '("",)'
    both = "linen.Bidirectional(*ways)(x)" if sizes.D == 2 else "ways[0](x)"
    return Code(
        imports=("import jax", "from flax import linen"),
        create=(
            "class Stack(linen.Module):",
            "    @linen.compact",
            "    def __call__(self, x):",
            f"        for n in range({config.num_layers}):",
            "            ways = []",
            f"            for way in {ways}:",
            '                name = f"cell_l{n}{way}"',
            f"                cell = {cell}",
            "                ways.append(linen.RNN(cell))",
            f"            x = {both}",
            "        return x",
            "model = Stack()",
            f"x0 = np.zeros((1, 1, {config.input_size}), np.float32)",
            'params = model.init(jax.random.key(0), x0)["params"]',
        ),
        fill=(
            "params = {}",
            "for n, directions in enumerate(layers):",
            f"    for way, arrays in zip({ways}, directions):",
            '        cell = params[f"cell_l{n}{way}"] = {}',
            "        for name, value in arrays.items():",
            '            dense, leaf = name.split("/")',
            "            cell.setdefault(dense, {})[leaf] = value",
        ),
        call=(
            'theirs = np.asarray(model.apply({"params": params}, x.numpy()))'
            if config.batch_first
            else 'theirs = model.apply({"params": params}, x.transpose(0, 1).numpy())',
            *([] if config.batch_first else ["theirs = np.asarray(theirs).swapaxes(0, 1)"]),
        ),
        read=(
            "layers = []",
            f"for n in range({config.num_layers}):",
            f'    cells = [params[f"cell_l{{n}}{{way}}"] for way in {ways}]',
            "    layers.append([",
            '        {f"{dense}/{leaf}": np.asarray(value)',
            "         for dense, leaves in cell.items() for leaf, value in leaves.items()}",
            "        for cell in cells",
            "    ])",
        ),
    )


FRAMEWORK = Framework(
    title="Flax",
    page="https://flax-linen.readthedocs.io/en/latest/api_reference/flax.linen/layers.html",
    runs=True,
    objects="one cell for each layer and direction, within RNN, and two RNN within Bidirectional",
    ports=lambda config: [*_ports(config)],
    tensors=lambda sizes: [*_tensors(sizes)],
    limits=lambda config: [*_limits(config)],
    code=_code,
)
