"""ONNX: a node for each layer, which holds both directions; PyTorch's biases, concatenated."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.frameworks.arrays import joined, rows
from rnnshape.analysis.frameworks.framework import (
    Code,
    Framework,
    Port,
    Tensor,
    names_of,
    seq_first,
    states,
)
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import Sizes, state_names

_ORDER = {Kind.LSTM: "iofg", Kind.GRU: "zrn", Kind.RNN: ""}


def _ports(config: RNNConfig) -> Iterator[Port]:
    if config.proj_size:
        return
    order = _ORDER[config.kind]
    matrices = {"W": rows("weight_ih", order), "R": rows("weight_hh", order)}
    biases = {"B": joined(rows("bias_ih", order), rows("bias_hh", order))} if config.bias else {}
    option = "(linear_before_reset=1)" * (config.kind is Kind.GRU)
    if config.nonlinearity == "relu":
        option = '(activations=["Relu"])'
    yield Port(layer=f"{config.kind.value}{option}", arrays={**matrices, **biases}, scope="layer")


def _tensors(sizes: Sizes) -> Iterator[Tensor]:
    steps, n, d, h = sizes.L, sizes.N, sizes.D, sizes.H_out
    yield Tensor(name="X", shape=(steps, n, sizes.H_in), pytorch=seq_first(sizes, "input"))
    merged = "Y.squeeze(1)" if d == 1 else f"Y.transpose(1, 2).reshape({steps}, {n}, {d * h})"
    output = f"{seq_first(sizes, 'output')} == {merged}"
    yield Tensor(name="Y", shape=(steps, d, n, h), pytorch=output)
    yield from states(sizes, ("Y_h", "Y_c"), "layer")


def _limits(config: RNNConfig) -> Iterator[str]:
    if config.proj_size:
        yield "ONNX has no projection"
        return
    if config.kind is Kind.LSTM:
        yield "no PyTorch layer has P (peepholes), clip or input_forget=1"
    if config.kind is Kind.GRU:
        yield (
            "linear_before_reset=0, its default, is the paper's cell: equal only where b_hn is 0"
            " and W_hn diagonal; no PyTorch layer has clip"
        )
    yield "onnxruntime refuses layout=1, which is batch_first: transpose X and Y"


def _code(sizes: Sizes, port: Port) -> Code:
    config = sizes.config
    finals = "".join(f', f"Y_{name[0]}{{n}}"' for name in state_names(config, "n"))
    options = [f"hidden_size={config.hidden_size}"]
    if sizes.D == 2:
        options.append('direction="bidirectional"')
    if config.kind is Kind.GRU:
        options.append("linear_before_reset=1")
    if config.nonlinearity == "relu":
        options.append(f"activations={['Relu'] * sizes.D}".replace("'", '"'))
    given = "x.transpose(0, 1)" if config.batch_first else "x"
    return Code(
        imports=(
            "import onnx",
            "import onnxruntime",
            "from onnx import TensorProto, helper, numpy_helper",
        ),
        create=(
            "merged = np.array([0, 0, -1])  # (L, N, D, H) to (L, N, D*H)",
            'nodes, weights = [], [numpy_helper.from_array(merged, "merged")]',
        ),
        fill=(
            "for n, directions in enumerate(layers):",
            "    names = [*directions[0]]  # the order of the inputs of a node",
            "    for name in names:",
            "        both = np.stack([arrays[name] for arrays in directions])",
            '        weights.append(numpy_helper.from_array(both, f"{name}{n}"))',
            '    reads = [f"X{n}", *(f"{name}{n}" for name in names)]',
            "    nodes.append(helper.make_node(",
            f'        "{config.kind.value}", reads, [f"Y{{n}}"{finals}],',
            f"        {', '.join(options)},",
            "    ))",
            "    # Y is (L, D, N, H).",
            "    nodes.append(helper.make_node(",
            '        "Transpose", [f"Y{n}"], [f"T{n}"], perm=[0, 2, 1, 3]))',
            "    nodes.append(helper.make_node(",
            '        "Reshape", [f"T{n}", "merged"], [f"X{n + 1}"]))',
            "def value(name):",
            "    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 3)",
            'graph = helper.make_graph(nodes, "rnn", [value("X0")],',
            f'    [value("X{config.num_layers}")], weights)',
            "model = helper.make_model(",
            '    graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])',
            "onnx.checker.check_model(model)",
        ),
        call=(
            "session = onnxruntime.InferenceSession(model.SerializeToString())",
            f'(theirs,) = session.run(None, {{"X0": {given}.numpy()}})',
            *(["theirs = theirs.swapaxes(0, 1)"] if config.batch_first else []),
        ),
        read=(
            "w = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}",
            names_of(port),
            "layers = [",
            f'    [{{name: w[f"{{name}}{{n}}"][d] for name in names}} for d in range({sizes.D})]',
            f"    for n in range({config.num_layers})",
            "]",
        ),
    )


FRAMEWORK = Framework(
    title="ONNX",
    page="https://onnx.ai/onnx/operators/",
    runs=True,
    objects="one node for each layer, which holds both directions",
    ports=lambda config: [*_ports(config)],
    tensors=lambda sizes: [*_tensors(sizes)],
    limits=lambda config: [*_limits(config)],
    code=_code,
)
