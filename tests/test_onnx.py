"""Layers in ONNX models: nodes written by hand, and PyTorch's exports, which tell the same."""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from rnnshape import Kind, RNNConfig
from rnnshape.layer.facts import Dims
from rnnshape.layer.recognition import Recognised, Unrecognised
from rnnshape.sources.files.onnx import read
from tests.onnx_models import (
    Graph,
    Reference,
    Tensor,
    contents,
    external,
    function,
    integers,
    model,
    node,
    scalar,
    tensor,
)
from tests.strategies import configs, examples

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def weights(  # noqa: PLR0913 - the sizes of a layer
    op: str,
    input_size: int,
    hidden_size: int,
    *,
    directions: int = 1,
    bias: bool = True,
    suffix: str = "",
) -> list[bytes]:
    """The tensors W, R and B of a node, with these names."""
    rows = GATES[op] * hidden_size
    found = [
        tensor(f"W{suffix}", (directions, rows, input_size)),
        tensor(f"R{suffix}", (directions, rows, hidden_size)),
    ]
    return [*found, tensor(f"B{suffix}", (directions, 2 * rows))] if bias else found


def layers(graph: Graph, *functions: bytes) -> list[tuple[str, str, set[str]]]:
    """The name, the constructor call and the unknown fields of each layer; nothing else failed."""
    found = contents(graph, *functions)
    assert not found.failures
    return [(each.name, each.config.constructor, set(each.unknown)) for each in found.layers]


def the_layer(graph: Graph, *functions: bytes) -> Recognised:
    found = contents(graph, *functions)
    assert not found.failures
    (layer,) = found.layers
    return layer


def the_failure(graph: Graph) -> Unrecognised:
    found = contents(graph)
    assert not found.layers
    (failure,) = found.failures
    return failure


def one(
    op: str, *extra: bytes, inputs: tuple[str, ...] = ("X", "W", "R", "B"), **given_: Any
) -> Graph:
    """A graph of one recurrent node of 5 features and 4 hidden ones."""
    directions = 2 if given_.get("direction") == "bidirectional" else 1
    return Graph(
        nodes=[node(op, inputs, ["Y", "Y_h"], **given_)],
        tensors=[*weights(op, 5, 4, directions=directions), *extra],
        inputs={"X": ("steps", "batch", 5)},
        outputs=["Y"],
    )


# Exports -----------------------------------------------------------------------------------------


class Holder(nn.Module):
    """A module that calls another, `inner`."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> Any:
        return self.inner(x)


def built(config: RNNConfig) -> nn.Module:
    arguments = {
        name: getattr(config, name)
        for name in (
            *("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout"),
            "bidirectional",
        )
    }
    if config.nonlinearity:
        arguments["nonlinearity"] = config.nonlinearity
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dropout of a single layer
        layer: nn.Module = getattr(nn, config.kind.value)(**arguments)
    return layer.eval()


@pytest.fixture(name="exported")
def _exported(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function from a module and its inputs to the ONNX model that PyTorch makes of it."""
    if importlib.util.find_spec("onnx") is None:
        # The exporter needs the package only for functions of onnxscript, of which there are none.
        exporter: Any = pytest.importorskip("torch.onnx._internal.torchscript_exporter")

        def unchanged(model_bytes: bytes, _: object) -> bytes:
            return model_bytes

        monkeypatch.setattr(exporter.onnx_proto_utils, "_add_onnxscript_fn", unchanged)
    return exported_by_tracing


def exported_by_tracing(module: nn.Module, *inputs: torch.Tensor, **options: Any) -> Any:
    file: Any = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, inputs, file, dynamo=False, **options)
    return file


def test_an_export_by_tracing_gives_the_config_back(exported: Any) -> None:
    @settings(parent=examples(25))
    @given(configs(projections=False), st.booleans(), st.booleans())
    def gives_back(config: RNNConfig, folded: bool, dynamic: bool) -> None:
        x = torch.randn(3, 2, config.input_size)
        axes = {"input_names": ["x"], "dynamic_axes": {"x": {0: "a", 1: "b"}}} if dynamic else {}
        file = exported(Holder(Holder(built(config))), x, do_constant_folding=folded, **axes)
        (layer,) = read(file).layers
        assert layer.name == "inner.inner"
        assert layer.config == replace(config, dropout=0.0)
        assert layer.unknown == {"dropout"}

    gives_back()


@pytest.mark.skipif(
    importlib.util.find_spec("onnxscript") is None, reason="onnxscript is not installed"
)
@settings(parent=examples(6))
@given(configs(projections=False, kinds=[Kind.LSTM, Kind.GRU]))
def test_an_export_by_dynamo_tells_everything(config: RNNConfig) -> None:
    file: Any = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = torch.randn(3, 2, config.input_size)
        torch.onnx.export(Holder(Holder(built(config))), (x,), file, dynamo=True, verbose=False)
    (layer,) = read(file).layers
    assert (layer.name, layer.config, layer.unknown) == ("inner.inner", config, frozenset())


def test_branches_of_an_export_with_the_same_weights_are_one_layer(exported: Any) -> None:
    class Branching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(4, 6)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if x.sum() > 0:  # noqa: SIM108 - a branch in the graph
                result = self.rnn(x)[0]
            else:
                result = self.rnn(x + 1)[0]
            return result  # type: ignore[no-any-return]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(Branching())
    (layer,) = read(exported(scripted, torch.randn(3, 2, 4))).layers
    assert layer.config.constructor == "nn.GRU(4, 6)"
    assert "then_branch (the same weights: GRU node" in layer.evidence[0].text


def test_unrolled_cells_of_an_export_are_beyond_reading(exported: Any) -> None:
    class Unrolled(nn.Module):
        def __init__(self, cell: nn.Module) -> None:
            super().__init__()
            self.cell = cell

        def forward(self, x: torch.Tensor) -> Any:
            state = None
            for step in x:
                state = self.cell(step, state)
            return state

    for kind, cell in (("LSTM", nn.LSTMCell(4, 6)), ("GRU", nn.GRUCell(4, 6))):
        found = read(exported(Unrolled(cell).eval(), torch.randn(3, 2, 4)))
        assert not found.layers
        (failure,) = found.failures
        assert failure.name == "cell"
        assert failure.problem.startswith(
            f"there are 3 {kind} cells, of one step each, written out"
        )


# Nodes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "attributes", "constructor"),
    [
        ("LSTM", {}, "nn.LSTM(5, 4)"),
        ("LSTM", {"direction": "bidirectional"}, "nn.LSTM(5, 4, bidirectional=True)"),
        ("LSTM", {"layout": 1}, "nn.LSTM(5, 4, batch_first=True)"),
        ("GRU", {"linear_before_reset": 1}, "nn.GRU(5, 4)"),
        ("RNN", {}, "nn.RNN(5, 4)"),
        ("RNN", {"activations": ["Relu"]}, "nn.RNN(5, 4, nonlinearity='relu')"),
        (
            "RNN",
            {"activations": ["Relu", "Relu"], "direction": "bidirectional"},
            "nn.RNN(5, 4, nonlinearity='relu', bidirectional=True)",
        ),
        ("LSTM", {"activations": ["Sigmoid", "Tanh", "Tanh"], "clip": 0.0}, "nn.LSTM(5, 4)"),
        ("LSTM", {"domain": "ai.onnx"}, "nn.LSTM(5, 4)"),
    ],
    ids=str,
)
def test_attributes_tell_the_config(op: str, attributes: dict[str, Any], constructor: str) -> None:
    layer = the_layer(one(op, **attributes))
    assert (layer.config.constructor, layer.departures) == (constructor, ())
    assert layer.unknown == {"dropout"}


@pytest.mark.parametrize(
    ("op", "attributes", "departure"),
    [
        ("GRU", {}, "its reset gate is applied to h before the matrix product, nn.GRU's after it"),
        (
            "LSTM",
            {"direction": "reverse"},
            "it only reads from the last step to the first; nn.LSTM reads forward or both ways",
        ),
        (
            "LSTM",
            {"activations": ["HardSigmoid", "Tanh", "Tanh"]},
            "its activations are hardsigmoid, tanh, tanh; nn.LSTM has sigmoid, tanh, tanh",
        ),
        ("LSTM", {"clip": 3.5}, "it clips what goes into the activations at 3.5"),
        (
            "LSTM",
            {"input_forget": 1},
            "its input gate is 1 minus its forget gate; nn.LSTM's gates are independent",
        ),
        ("RNN", {"activations": ["Softsign"]}, "its activations are softsign; nn.RNN has tanh"),
    ],
    ids=str,
)
def test_what_pytorch_does_not_do_is_a_departure(
    op: str, attributes: dict[str, Any], departure: str
) -> None:
    assert the_layer(one(op, **attributes)).departures == (departure,)


def test_a_function_that_pytorch_lacks_leaves_the_nonlinearity_unknown() -> None:
    assert the_layer(one("RNN", activations=["Softsign"])).unknown == {"dropout", "nonlinearity"}


def test_peepholes_are_a_departure() -> None:
    graph = one("LSTM", tensor("P", (1, 12)), inputs=("X", "W", "R", "B", "", "", "", "P"))
    (departure,) = the_layer(graph).departures
    assert departure.startswith("it has peepholes P")


def test_states_and_lengths_are_none() -> None:
    graph = one("LSTM", inputs=("X", "W", "R", "B", "lengths", "h", "c"))
    assert the_layer(graph).departures == ()


def test_without_b_there_is_no_bias() -> None:
    layer = the_layer(one("LSTM", inputs=("X", "W", "R")))
    assert layer.config.constructor == "nn.LSTM(5, 4, bias=False)"
    assert dict(layer.shapes) == {"W": (1, 16, 5), "R": (1, 16, 4)}


def test_the_evidence_names_tensors_with_shapes_and_the_order_of_gates() -> None:
    layer = the_layer(one("LSTM", name="/tagger/rnn/LSTM"))
    assert {each.field: each.text for each in layer.evidence} == {
        "kind": "LSTM node /tagger/rnn/LSTM; ONNX stacks its gates as i o f c",
        "input_size": "W W (1, 16, 5)",
        "hidden_size": "R R (1, 16, 4)",
        "num_layers": "1 node",
        "bias": "B B (1, 32): bias_ih and bias_hh, 16 rows each",
        "batch_first": "layout 0, and no Transpose before X or after Y",
        "dropout": "not stored in an ONNX model made for inference",
        "bidirectional": "no attribute direction, so forward",
    }


def test_a_quantized_lstm_stores_its_weights_transposed() -> None:
    graph = Graph(
        nodes=[
            node(
                "DynamicQuantizeLSTM",
                ["X", "W", "R", "B"],
                ["Y"],
                name="/rnn/LSTM_quant",
                domain="com.microsoft",
            )
        ],
        tensors=[tensor("W", (1, 5, 16)), tensor("R", (1, 4, 16)), tensor("B", (1, 32))],
    )
    layer = the_layer(graph)
    assert (layer.name, layer.config.constructor) == ("rnn", "nn.LSTM(5, 4)")
    assert layer.shapes["W"] == (1, 5, 16)
    assert "8-bit" in layer.departures[0]


@pytest.mark.parametrize(
    ("tensors", "attributes", "problem"),
    [
        (
            [tensor("W", (1, 16, 5)), tensor("R", (1, 20, 4))],
            {},
            "R R (1, 20, 4) should be (1, 16, 4) for LSTM, hidden_size 4 and 1 direction",
        ),
        (
            [tensor("W", (1, 16, 5)), tensor("R", (1, 16, 4))],
            {"hidden_size": 6},
            "its hidden_size is 6, but it has R R (1, 16, 4)",
        ),
        (
            [tensor("W", (2, 16, 5)), tensor("R", (2, 16, 4))],
            {},
            "W W (2, 16, 5) should be (1, 16, 5) for LSTM, hidden_size 4 and 1 direction",
        ),
        (
            [tensor("W", (1, 16, 7)), tensor("R", (1, 16, 4))],
            {},
            "X (?, ?, 5) does not have the features of W W (1, 16, 7)",
        ),
        (
            [tensor("W", (1, 16, 5)), tensor("R", (1, 16, 4))],
            {"direction": "sideways"},
            "its direction is sideways, not forward, reverse or bidirectional",
        ),
    ],
    ids=["rows", "hidden_size", "directions", "features", "direction"],
)
def test_tensors_that_contradict_each_other_are_named(
    tensors: list[bytes], attributes: dict[str, Any], problem: str
) -> None:
    graph = Graph(
        nodes=[node("LSTM", ["X", "W", "R"], ["Y"], name="rnn", **attributes)],
        tensors=tensors,
        inputs={"X": ("steps", "batch", 5)},
    )
    failure = the_failure(graph)
    assert (failure.name, failure.problem) == ("rnn", f"LSTM node rnn: {problem}")


def test_sizes_that_nothing_tells_are_no_layer() -> None:
    nothing = Graph(nodes=[node("LSTM", ["X", "W", "R"], ["Y"], name="rnn")])
    assert "tells its hidden_size" in the_failure(nothing).problem
    half = Graph(nodes=[node("LSTM", ["X", "W", "R"], ["Y"], name="rnn", hidden_size=4)])
    assert "input_size, is known" in the_failure(half).problem
    left_out = Graph(nodes=[node("LSTM", ["X", "", "R"], ["Y"], name="rnn")])
    assert the_failure(left_out).problem == "LSTM node rnn: its input W is left out"


def test_the_attribute_and_x_tell_sizes_where_tensors_are_unknown() -> None:
    graph = Graph(
        nodes=[node("GRU", ["X", "W", "R"], ["Y"], hidden_size=4, linear_before_reset=1)],
        inputs={"X": ("steps", "batch", 5)},
    )
    assert the_layer(graph).config.constructor == "nn.GRU(5, 4, bias=False)"


def test_a_recurrent_node_of_an_unknown_domain_is_named() -> None:
    failure = the_failure(Graph(nodes=[node("GRUSequence", ["X"], ["Y"], domain="org.vendor")]))
    assert failure.problem == "GRUSequence node Y: it is of org.vendor, not one of ONNX's own"


# Where W and R come from -------------------------------------------------------------------------


def constant(name: str, *numbers: int) -> bytes:
    return node("Constant", [], [name], value=Tensor(integers("", numbers)))


def test_external_data_is_not_looked_for() -> None:
    graph = Graph(
        nodes=[node("LSTM", ["X", "W", "R"], ["Y"])],
        tensors=[
            external("W", (1, 16, 5), location="../../etc/passwd", offset=0, length=320),
            external("R", (1, 16, 4), location="missing.data", offset=0, length=256),
        ],
    )
    assert the_layer(graph).config.constructor == "nn.LSTM(5, 4, bias=False)"


def test_inputs_with_shapes_are_weights_too() -> None:
    graph = Graph(
        nodes=[node("LSTM", ["X", "W", "R"], ["Y"])],
        inputs={"W": (1, 16, 5), "R": (1, "rows", 4)},
    )
    assert the_layer(graph).config.constructor == "nn.LSTM(5, 4, bias=False)"


CHAINS: dict[str, tuple[Dims, list[bytes]]] = {
    "Identity": ((1, 16, 5), [node("Identity", ["a"], ["W"])]),
    "Constant": (
        (1,),
        [node("Constant", [], ["W"], value=Tensor(tensor("", (1, 16, 5))))],
    ),
    "Transpose": ((5, 16, 1), [node("Transpose", ["a"], ["W"])]),
    "Transpose by perm": ((1, 5, 16), [node("Transpose", ["a"], ["W"], perm=[0, 2, 1])]),
    "Unsqueeze by attribute": ((16, 5), [node("Unsqueeze", ["a"], ["W"], axes=[0])]),
    "Unsqueeze by input": (
        (16, 5),
        [constant("axes", -3), node("Unsqueeze", ["a", "axes"], ["W"])],
    ),
    "Squeeze": ((1, 1, 16, 5), [constant("axes", 1), node("Squeeze", ["a", "axes"], ["W"])]),
    "Reshape": ((80,), [constant("to", 1, 16, -1), node("Reshape", ["a", "to"], ["W"])]),
    "Reshape with a kept size": (
        (1, 4, 4, 5),
        [constant("to", 0, 16, 5), node("Reshape", ["a", "to"], ["W"])],
    ),
    "Cast": ((1, 16, 5), [node("Cast", ["a"], ["W"], to=1)]),
    "quantized": (
        (1, 16, 5),
        [
            node("QuantizeLinear", ["a", "s", "z"], ["q"]),
            node("DequantizeLinear", ["q", "s", "z"], ["W"]),
        ],
    ),
    "Concat of Slices": (
        (1, 16, 5),
        [
            *(constant(f"at{place}", 4 * place) for place in range(5)),
            constant("axis", 1),
            *(
                node("Slice", ["a", f"at{place}", f"at{place + 1}", "axis"], [f"gate{place}"])
                for place in range(4)
            ),
            node("Concat", ["gate0", "gate3", "gate1", "gate2"], ["W"], axis=1),
        ],
    ),
    "Slice by attributes": (
        (1, 20, 5),
        [node("Slice", ["a"], ["W"], starts=[4], ends=[99], axes=[1])],
    ),
    "Split": (
        (1, 32, 5),
        [node("Split", ["a"], ["W", "other"], axis=1, num_outputs=2)],
    ),
    "Split in parts": (
        (1, 20, 5),
        [constant("parts", 4, 16), node("Split", ["a", "parts"], ["other", "W"], axis=1)],
    ),
    "Gather": (
        (3, 1, 16, 5),
        [
            node("Constant", [], ["which"], value=Tensor(scalar("", 2))),
            node("Gather", ["a", "which"], ["W"]),
        ],
    ),
    "Expand": ((1, 16, 1), [constant("to", 1, 1, 5), node("Expand", ["a", "to"], ["W"])]),
    "weight norm": (
        (1, 16, 5),
        [
            node("ReduceL2", ["a"], ["norm"], axes=[2], keepdims=1),
            node("Div", ["a", "norm"], ["unit"]),
            node("Mul", ["unit", "norm"], ["W"]),
        ],
    ),
    "ConstantOfShape": (
        (1,),
        [constant("shape", 1, 16, 5), node("ConstantOfShape", ["shape"], ["W"])],
    ),
    "a shape computed of shapes": (
        (80, 16),
        [
            node("Shape", ["a"], ["sizes"]),
            constant("last", 1),
            node("Gather", ["sizes", "last"], ["rows"], axis=0),
            constant("front", 1),
            constant("rest", 5),
            node("Concat", ["front", "rows", "rest"], ["to"], axis=0),
            node("Slice", ["a", "front", "last", "front"], ["none"]),
            constant("five", 0),
            constant("six", 5),
            constant("first", 0),
            node("Slice", ["a", "five", "six", "first"], ["b"]),
            node("Reshape", ["b", "to"], ["W"]),
        ],
    ),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_computed_weights_have_shapes(chain: str) -> None:
    shape, nodes = CHAINS[chain]
    graph = Graph(
        nodes=[*nodes, node("LSTM", ["X", "W", "R"], ["Y"])],
        tensors=[tensor("a", shape), tensor("R", (1, 16, 4)), tensor("s", ()), tensor("z", ())],
    )
    layer = the_layer(graph)
    assert layer.shapes["W"] == (1, 16, 5)
    assert layer.config.constructor == "nn.LSTM(5, 4, bias=False)"


@pytest.mark.parametrize("chain", CHAINS)
def test_onnx_computes_the_same_shapes(chain: str) -> None:
    onnx = pytest.importorskip("onnx")
    shape, nodes = CHAINS[chain]
    graph = Graph(
        nodes=nodes,
        tensors=[tensor("a", shape), tensor("s", ()), tensor("z", ())],
        outputs=["W"],
    )
    opset = 9 if "by attribute" in chain or chain == "weight norm" else 20
    whole = onnx.load_from_string(model(graph, opset=opset))
    (output,) = onnx.shape_inference.infer_shapes(whole, data_prop=True).graph.output
    assert [size.dim_value for size in output.type.tensor_type.shape.dim] == [1, 16, 5]


def test_a_stated_shape_stands_in_for_an_unknown_operation() -> None:
    graph = Graph(
        nodes=[node("Mystery", ["a"], ["W"]), node("LSTM", ["X", "W", "R"], ["Y"])],
        tensors=[tensor("R", (1, 16, 4))],
        shapes={"W": (1, 16, 5)},
    )
    assert the_layer(graph).config.constructor == "nn.LSTM(5, 4, bias=False)"


# Graphs in graphs --------------------------------------------------------------------------------


def lstm(suffix: str = "", **more: Any) -> bytes:
    inputs = ["X", f"W{suffix}", f"R{suffix}", f"B{suffix}"]
    return node("LSTM", inputs, [f"Y{suffix}"], **more)


@pytest.mark.parametrize(
    ("op", "attribute"), [("Loop", "body"), ("Scan", "body"), ("If", "else_branch")]
)
def test_bodies_see_the_tensors_around_them(op: str, attribute: str) -> None:
    held: dict[str, Any] = {}
    held[attribute] = Graph(nodes=[lstm(name="rnn")], tensors=weights("LSTM", 5, 4)[:1])
    held[attribute] = Graph(nodes=[node(op, [], ["inside"], name="inner", **held)])
    outer = Graph(
        nodes=[node(op, [], ["out"], name="outer", **held)],
        tensors=weights("LSTM", 5, 4)[1:],
    )
    layer = the_layer(outer)
    assert layer.config.constructor == "nn.LSTM(5, 4)"
    place = f"LSTM node rnn in outer {attribute} inner {attribute}"
    assert layer.evidence[0].text.startswith(f"{place};")


def test_a_function_is_read_for_each_call_with_what_it_is_given() -> None:
    body = function(
        "Recurrent",
        ["x", "w", "r"],
        ["y"],
        [
            node("Identity", ["w"], ["w2"]),
            node("LSTM", ["x", "w2", "r"], ["y"], direction=Reference("way")),
        ],
    )
    call = node("Recurrent", ["X", "W", "R"], ["Y"], name="a", domain="local")
    both = node(
        "Recurrent", ["X", "W2", "R2"], ["Y2"], name="b", domain="local", way="bidirectional"
    )
    graph = Graph(
        nodes=[call, both],
        tensors=[
            *weights("LSTM", 5, 4),
            *weights("LSTM", 5, 6, directions=2, suffix="2"),
        ],
    )
    assert [constructor for _, constructor, _ in layers(graph, body)] == [
        "nn.LSTM(5, 4, bias=False)",
        "nn.LSTM(5, 6, bias=False, bidirectional=True)",
    ]


def test_a_function_that_is_called_like_a_layer_is_read_itself() -> None:
    body = function("LSTM", ["x", "w", "r"], ["y"], [node("GRU", ["x", "w", "r"], ["y"])])
    graph = Graph(
        nodes=[node("LSTM", ["X", "W", "R"], ["Y"], domain="local")],
        tensors=weights("GRU", 5, 4),
    )
    assert the_layer(graph, body).config.kind is Kind.GRU


def in_branches(then: list[bytes], otherwise: list[bytes]) -> Graph:
    """The same node in both branches, each with tensors of its own."""
    branches: dict[str, Any] = {
        name: Graph(nodes=[lstm(name="rnn")], tensors=tensors)
        for name, tensors in (("then_branch", then), ("else_branch", otherwise))
    }
    return Graph(nodes=[node("If", ["which"], ["out"], name="If", **branches)])


def stored(values: int) -> list[bytes]:
    """Weights whose elements are all alike, but for the last."""
    shapes = {"W": (1, 16, 500), "R": (1, 16, 4), "B": (1, 32)}
    sizes = {"W": 16 * 500, "R": 64, "B": 32}
    return [
        tensor(name, shape, bytes(4 * sizes[name] - 1) + bytes([values if name == "W" else 0]))
        for name, shape in shapes.items()
    ]


def test_copies_of_the_same_weights_are_one_layer() -> None:
    layer = the_layer(in_branches(stored(1), stored(1)))
    assert "(the same weights: LSTM node rnn in If else_branch)" in layer.evidence[0].text


def test_weights_that_differ_in_their_last_byte_are_two_layers() -> None:
    found = layers(in_branches(stored(1), stored(2)))
    assert [name for name, _, _ in found] == ["rnn", "rnn_2"]


def test_external_copies_are_told_by_their_place() -> None:
    def beside(offset: int) -> list[bytes]:
        rest = weights("LSTM", 5, 4)[1:]
        return [external("W", (1, 16, 5), location="w.bin", offset=offset), *rest]

    assert len(layers(in_branches(beside(0), beside(0)))) == 1
    assert len(layers(in_branches(beside(0), beside(320)))) == 2


def test_two_uses_of_the_same_tensors_are_one_layer() -> None:
    graph = Graph(
        nodes=[lstm(name="once"), node("LSTM", ["X2", "W", "R", "B"], ["Y2"], name="twice")],
        tensors=weights("LSTM", 5, 4),
    )
    assert [name for name, _, _ in layers(graph)] == ["once"]


# Stacks ------------------------------------------------------------------------------------------


def stack(*between: bytes, **changes: Any) -> Graph:
    """Two nodes with these operations between `Y` and `X2`; changes are those of the second."""
    directions = 2 if changes.pop("directions", 1) == 2 else 1
    way = {"direction": "bidirectional"} if directions == 2 else {}
    hidden_size = changes.pop("hidden_size", 4)
    outputs = changes.pop("outputs", ["Y2"])
    second = {"name": "lstm_1", **way, **changes}
    return Graph(
        nodes=[
            lstm(name="lstm_0", **way),
            *between,
            node("LSTM", ["X2", "W2", "R2", "B2"], ["Y2"], **second),
        ],
        tensors=[
            *weights("LSTM", 5, 4, directions=directions),
            *weights("LSTM", 4 * directions, hidden_size, directions=directions, suffix="2"),
            integers("one", [1]),
            integers("flat", [0, 0, -1]),
            integers("wrong", [0, -1, 16]),
        ],
        inputs={"X": ("steps", "batch", 5)},
        outputs=outputs,
    )


def squeezed(result: str = "X2") -> bytes:
    return node("Squeeze", ["Y", "one"], [result])


SIDE_BY_SIDE = [
    node("Transpose", ["Y"], ["turned"], perm=[0, 2, 1, 3]),
    node("Reshape", ["turned", "flat"], ["X2"]),
]
STACKED: dict[str, Graph] = {
    "Squeeze": stack(squeezed()),
    "Squeeze by attribute": stack(node("Squeeze", ["Y"], ["X2"], axes=[1])),
    "both directions": stack(*SIDE_BY_SIDE, directions=2),
    "one direction reshaped": stack(*SIDE_BY_SIDE),
    "a pair of Transposes": stack(
        squeezed("a"),
        node("Transpose", ["a"], ["b"], perm=[1, 0, 2]),
        node("Transpose", ["b"], ["X2"], perm=[1, 0, 2]),
    ),
    "Cast and Identity": stack(
        squeezed("a"), node("Cast", ["a"], ["b"], to=1), node("Identity", ["b"], ["X2"])
    ),
    "its shape is read too": stack(squeezed(), node("Shape", ["X2"], ["sizes"])),
}


@pytest.mark.parametrize("case", STACKED)
def test_nodes_that_follow_each_other_are_a_stack(case: str) -> None:
    layer = the_layer(STACKED[case])
    assert layer.config.num_layers == 2
    assert layer.name == "lstm_0"
    evidence = {each.field: each.text for each in layer.evidence}
    assert evidence["num_layers"] == "2 nodes up to lstm_1, each reading the output of the previous"
    assert set(layer.shapes) == {"W", "R", "B", "W2", "R2", "B2"}


APART: dict[str, Graph] = {
    "normalised between": stack(
        squeezed("a"), node("LayerNormalization", ["a", "s"], ["X2"], axis=-1)
    ),
    "a residual": stack(
        squeezed("a"), node("Identity", ["a"], ["X2"]), node("Add", ["a", "Y2"], ["sum"])
    ),
    "an output of the model": stack(squeezed(), outputs=["X2", "Y2"]),
    "batch and steps swapped": stack(
        squeezed("a"), node("Transpose", ["a"], ["X2"], perm=[1, 0, 2])
    ),
    "directions mixed": stack(node("Reshape", ["Y", "flat"], ["X2"]), directions=2),
    "reshaped to something else": stack(
        node("Transpose", ["Y"], ["turned"], perm=[0, 2, 1, 3]),
        node("Reshape", ["turned", "wrong"], ["X2"]),
    ),
    "another hidden size": stack(squeezed(), hidden_size=6),
    "another layout": stack(squeezed(), layout=1),
    "another setting": stack(squeezed(), clip=2.0),
    "other modules of PyTorch": Graph(
        nodes=[
            lstm(name="/first/LSTM"),
            squeezed(),
            node("LSTM", ["X2", "W2", "R2", "B2"], ["Y2"], name="/second/LSTM"),
        ],
        tensors=[
            *weights("LSTM", 5, 4),
            *weights("LSTM", 4, 4, suffix="2"),
            integers("one", [1]),
        ],
        outputs=["Y2"],
    ),
}


@pytest.mark.parametrize("case", APART)
def test_nodes_that_no_single_layer_could_replace_stay_apart(case: str) -> None:
    found = layers(APART[case])
    assert len(found) == 2
    assert "num_layers" not in str(found)


def test_the_same_weights_twice_in_a_row_are_no_stack() -> None:
    graph = Graph(
        nodes=[lstm(), squeezed(), node("LSTM", ["X2", "W", "R", "B"], ["Y2"])],
        tensors=[*weights("LSTM", 4, 4), integers("one", [1])],
    )
    assert the_layer(graph).config.num_layers == 1


def test_what_a_body_reads_keeps_layers_apart() -> None:
    body = Graph(nodes=[node("Add", ["X2", "X2"], ["sum"])], outputs=["sum"])
    graph = stack(squeezed(), node("If", ["which"], ["out"], then_branch=body))
    assert len(layers(graph)) == 2


def test_a_dropout_between_layers_tells_its_probability() -> None:
    ratio = node("Constant", [], ["ratio"], value_float=0.25)
    graph = stack(squeezed("a"), ratio, node("Dropout", ["a", "ratio"], ["X2"]))
    layer = the_layer(graph)
    assert layer.config.constructor == "nn.LSTM(5, 4, num_layers=2, dropout=0.25)"
    assert "dropout" not in layer.unknown
    older = the_layer(stack(squeezed("a"), node("Dropout", ["a"], ["X2"], ratio=0.5)))
    assert older.config.dropout == 0.5


# The batch ---------------------------------------------------------------------------------------


def between(*, before: list[int] | None, after: list[int] | None, ending: str = "Y2") -> Graph:
    into = [] if before is None else [node("Transpose", ["in"], ["X"], perm=before)]
    out = [] if after is None else [node("Transpose", ["Y1"], ["Y2"], perm=after)]
    return Graph(
        nodes=[*into, lstm(), node("Squeeze", ["Y", "one"], ["Y1"]), *out],
        tensors=[*weights("LSTM", 5, 4), integers("one", [1])],
        outputs=["Y2" if after else "Y1"],
    )


SWAP = [1, 0, 2]


@pytest.mark.parametrize(
    ("before", "after", "batch_first"),
    [
        (None, None, False),
        (SWAP, SWAP, True),
        (SWAP, None, None),
        (None, SWAP, None),
        ([2, 0, 1], None, None),
        ([2, 0, 1], SWAP, None),
        (SWAP, [1, 2, 0], True),
    ],
    ids=str,
)
def test_transposes_on_both_sides_tell_batch_first(
    before: list[int] | None, after: list[int] | None, batch_first: bool | None
) -> None:
    layer = the_layer(between(before=before, after=after))
    if batch_first is None:
        assert "batch_first" in layer.unknown
        (evidence,) = (each.text for each in layer.evidence if each.field == "batch_first")
        assert evidence.startswith("not certain: ")
    else:
        assert "batch_first" not in layer.unknown
        assert layer.config.batch_first is batch_first


def test_the_exporters_note_tells_batch_first_and_dropout() -> None:
    call = "%lstm : [num_users=1] = call_function[target=torch.ops.aten.lstm.input](args = (%x, "
    arguments = "[%a, %b], [%c, %d], True, 1, 0.3, False, False, True), kwargs = {})"
    graph = one("LSTM", metadata={"pkg.torch.onnx.fx_node": call + arguments})
    layer = the_layer(graph)
    assert layer.config.constructor == "nn.LSTM(5, 4, batch_first=True, dropout=0.3)"
    assert layer.unknown == frozenset()


# Names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/encoder/lstm/LSTM", "encoder.lstm"),
        ("/encoder/lstm/LSTM_3", "encoder.lstm"),
        ("lstm.LSTM_12", "lstm"),
        ("lstm", "lstm"),
        ("tagger/rnn/LSTM__40", "tagger.rnn"),
        ("/LSTM", "lstm"),
        ("LSTM_0", "lstm"),
        ("", "lstm"),
        ("node_LSTM_64", "lstm"),
    ],
)
def test_layers_are_called_like_their_modules(name: str, expected: str) -> None:
    assert the_layer(one("LSTM", name=name)).name == expected


def test_a_node_without_a_name_is_called_like_the_module_of_its_weights() -> None:
    graph = Graph(
        nodes=[
            node("Unsqueeze", ["net.encoder.weight_ih_l0"], ["W"], axes=[0]),
            node("LSTM", ["X", "W", "R"], ["Y"]),
        ],
        tensors=[tensor("net.encoder.weight_ih_l0", (16, 5)), tensor("R", (1, 16, 4))],
    )
    assert the_layer(graph).name == "net.encoder"


def test_names_are_unique() -> None:
    graph = Graph(
        nodes=[lstm(), lstm("2"), lstm("3", name="lstm_2")],
        tensors=[
            each for suffix in ("", "2", "3") for each in weights("LSTM", 5, 4, suffix=suffix)[:2]
        ]
        + [
            tensor(f"B{suffix}", (1, 32), bytes([place]))
            for place, suffix in enumerate(["", "2", "3"])
        ],
    )
    names = [name for name, _, _ in layers(graph)]
    assert names == ["lstm", "lstm_2", "lstm_2_2"]


# Layers written out ------------------------------------------------------------------------------


def lstm_cell(state: str = "c") -> list[bytes]:
    """One step of an LSTM: c' = f * c + i * tanh(g); h' = o * tanh(c')."""
    return [
        *(node("Sigmoid", [f"{gate}_in"], [gate]) for gate in "ifo"),
        node("Tanh", ["g_in"], ["g"]),
        node("Mul", ["f", state], ["kept"]),
        node("Mul", ["i", "g"], ["taken"]),
        node("Add", ["kept", "taken"], ["c_next"]),
        node("Tanh", ["c_next"], ["squashed"]),
        node("Mul", ["o", "squashed"], ["h_next"]),
    ]


def gru_cell() -> list[bytes]:
    """One step of a GRU: n = tanh(a + r * b); h' = (1 - z) * n + z * h."""
    return [
        *(node("Sigmoid", [f"{gate}_in"], [gate]) for gate in "rz"),
        node("Mul", ["r", "b"], ["reset"]),
        node("Add", ["a", "reset"], ["n_in"]),
        node("Tanh", ["n_in"], ["n"]),
        node("Sub", ["1", "z"], ["not_z"]),
        node("Mul", ["not_z", "n"], ["new"]),
        node("Mul", ["z", "h"], ["old"]),
        node("Add", ["new", "old"], ["h_next"]),
    ]


@pytest.mark.parametrize(("kind", "cell"), [("LSTM", lstm_cell()), ("GRU", gru_cell())])
def test_a_cell_written_out_in_a_loop_is_beyond_reading(kind: str, cell: list[bytes]) -> None:
    body = Graph(nodes=cell, outputs=["h_next"])
    failure = the_failure(Graph(nodes=[node("Loop", [], ["out"], name="steps", body=body)]))
    assert failure.name == "steps body"
    assert failure.problem == (
        f"in steps body, there is 1 {kind} cell, of one step each, written out as matrix products"
        " and functions, from which no sizes can be read"
    )


NO_CELLS = {
    "a gated convolution": [
        node("Conv", ["x"], ["a"]),
        node("Conv", ["x"], ["b"]),
        node("Tanh", ["a"], ["tanh"]),
        node("Sigmoid", ["b"], ["gate"]),
        node("Mul", ["tanh", "gate"], ["y"]),
        node("Add", ["x", "y"], ["out"]),
    ],
    "a highway": [
        node("Sigmoid", ["t"], ["gate"]),
        node("Tanh", ["h"], ["new"]),
        node("Mul", ["gate", "new"], ["a"]),
        node("Sub", ["1", "gate"], ["rest"]),
        node("Mul", ["rest", "x"], ["b"]),
        node("Add", ["a", "b"], ["out"]),
    ],
    "GELU by tanh": [
        node("Mul", ["x", "x3"], ["cubed"]),
        node("Add", ["x", "cubed"], ["sum"]),
        node("Tanh", ["sum"], ["t"]),
        node("Add", ["t", "1"], ["t1"]),
        node("Mul", ["x", "t1"], ["out"]),
    ],
    "gated blocks in a row": [
        node("Tanh", ["a"], ["tanh"]),
        node("Sigmoid", ["b"], ["gate"]),
        node("Mul", ["tanh", "gate"], ["added"]),
        node("Add", ["x", "added"], ["y"]),
        node("Tanh", ["y"], ["tanh2"]),
        node("Sigmoid", ["y"], ["gate2"]),
        node("Mul", ["tanh2", "gate2"], ["out"]),
    ],
    "a gate before a tanh": [
        node("Sigmoid", ["a"], ["gate"]),
        node("Mul", ["gate", "b"], ["gated"]),
        node("Add", ["x", "gated"], ["sum"]),
        node("Tanh", ["sum"], ["out"]),
    ],
    "SwiGLU": [
        node("Sigmoid", ["a"], ["s"]),
        node("Mul", ["a", "s"], ["silu"]),
        node("Mul", ["silu", "b"], ["out"]),
    ],
}


@pytest.mark.parametrize("case", NO_CELLS)
def test_gates_alone_are_no_recurrent_layer(case: str) -> None:
    found = contents(Graph(nodes=NO_CELLS[case]))
    assert not found.layers
    assert not found.failures


def test_the_exporters_note_of_a_class_is_evidence() -> None:
    notes = {
        "pkg.torch.onnx.class_hierarchy": "['M', 'torch.nn.modules.rnn.RNN', 'aten.tanh']",
        "pkg.torch.onnx.name_scopes": "['', 'encoder', 'tanh']",
    }
    graph = Graph(nodes=[node("Tanh", ["x"], [f"y{step}"], metadata=notes) for step in range(3)])
    failure = the_failure(graph)
    assert failure.name == "encoder"
    assert failure.problem.startswith("the exporter wrote an nn.RNN out as matrix products")


# The onnx package --------------------------------------------------------------------------------


def test_what_these_tests_write_is_onnx() -> None:
    onnx = pytest.importorskip("onnx")
    for graph in (*STACKED.values(), one("GRU", name="a"), in_branches(stored(1), stored(2))):
        loaded = onnx.load_from_string(model(graph))
        assert [each.op_type for each in loaded.graph.node]
        assert loaded.SerializeToString()
