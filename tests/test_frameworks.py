"""Counts in other frameworks: measured ones, and the real frameworks where they are installed."""

from __future__ import annotations

import importlib.util
import re

import pytest

from rnnshape import inspect
from rnnshape.analysis.frameworks import counterparts
from rnnshape.analysis.inspection import Inspection
from rnnshape.document.report import report_document
from rnnshape.layer.config import Kind, Nonlinearity, RNNConfig
from rnnshape.render import Format, render
from tests.subjects import subject

# Measured with Keras 3, Flax 0.12 and ONNX for input 20 and hidden 40.
MEASURED = {
    Kind.LSTM: {"nn.LSTM": 9920, "LSTM": 9760, "LSTMCell": 9760, "ONNX LSTM": 9920},
    Kind.GRU: {
        "nn.GRU": 7440,
        "GRU": 7440,
        "GRU(reset_after=False)": 7320,
        "linen.GRUCell": 7360,
        "nnx.GRUCell": 7320,
        "ONNX GRU": 7440,
    },
    Kind.RNN: {"nn.RNN": 2480, "SimpleRNN": 2440, "SimpleCell": 2440, "ONNX RNN": 2480},
}


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_the_formulas_give_the_counts_that_were_measured(kind: Kind) -> None:
    found = {
        f"{'ONNX ' * (row.framework == 'ONNX')}{row.layer}": row.parameters
        for row in counterparts(subject(RNNConfig(kind=kind)))
    }
    assert found == MEASURED[kind]


def test_a_projection_is_pytorchs_alone() -> None:
    rows = counterparts(subject(RNNConfig(kind=Kind.LSTM, proj_size=10)))
    assert [(row.framework, row.parameters) for row in rows] == [("PyTorch", 5520)]


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_without_biases_all_frameworks_count_the_same(kind: Kind) -> None:
    config = RNNConfig(kind=kind, bias=False, num_layers=2, bidirectional=True)
    assert len({row.parameters for row in counterparts(subject(config))}) == 1


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_biases_are_spoken_of_where_there_are_any(kind: Kind, bias: bool) -> None:
    report = inspect(RNNConfig(kind=kind, bias=bias), run=False)
    document = report_document(Inspection(report=report), show=["frameworks"])
    advice = "".join(render(document, Format.TABLE).partition("to Keras")[1:])
    without, no_flax, _ = advice.partition("Flax's cells always have biases")
    assert bool(no_flax) is not bias
    assert bool(re.search(r"biases|forget_bias|\bb_|\bconcatenate", without)) is bias
    assert ("use_bias=False" in advice) is not bias
    assert ("Flax" in {row.framework for row in counterparts(report.subject)}) is bias


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_a_relu_is_asked_of_each_framework(bias: bool) -> None:
    choices: list[tuple[Nonlinearity, bool]] = [("relu", True), ("tanh", False)]
    for nonlinearity, spoken in choices:
        config = RNNConfig(kind=Kind.RNN, nonlinearity=nonlinearity, bias=bias)
        document = report_document(
            Inspection(report=inspect(config, run=False)), show=["frameworks"]
        )
        text = render(document, Format.TABLE)
        for activation in (
            "to Keras with activation='relu'",
            *(["Flax with activation_fn=nn.relu"] if bias else []),
            "to ONNX with activations=['Relu']",
        ):
            assert (activation in text) is spoken


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="needs keras")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("kind", "layer", "options"),
    [
        (Kind.LSTM, "LSTM", {}),
        (Kind.GRU, "GRU", {}),
        (Kind.GRU, "GRU", {"reset_after": False}),
        (Kind.RNN, "SimpleRNN", {}),
    ],
    ids=["LSTM", "GRU", "GRU-reset-before", "SimpleRNN"],
)
def test_real_keras_has_these_counts(
    kind: Kind, layer: str, options: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras  # type: ignore[import-untyped, unused-ignore, import-not-found]

    built = getattr(keras.layers, layer)(40, **options)
    built.build((None, 10, 20))
    named = f"{layer}(reset_after=False)" if options else layer
    rows = {
        row.layer: row.parameters
        for row in counterparts(subject(RNNConfig(kind=kind)))
        if row.framework == "Keras"
    }
    assert rows[named] == built.count_params()


@pytest.mark.skipif(importlib.util.find_spec("onnx") is None, reason="needs onnx")
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_real_onnx_runs_weights_of_these_sizes(kind: Kind) -> None:
    """The reference evaluator accepts W, R and B of the counted sizes, and computes a step."""
    np = pytest.importorskip("numpy")
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    rows, hidden, features = kind.gates * 40, 40, 20
    shapes = {"W": (1, rows, features), "R": (1, rows, hidden), "B": (1, 2 * rows)}
    node = helper.make_node(kind.value, ["X", *shapes], ["Y", "Y_h"], hidden_size=hidden)
    graph = helper.make_graph(
        [node],
        "one",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in {"X": (3, 2, features), **shapes}.items()
        ],
        [helper.make_tensor_value_info("Y_h", TensorProto.FLOAT, (1, 2, hidden))],
    )
    feeds = {
        name: np.zeros(shape, dtype=np.float32)
        for name, shape in {"X": (3, 2, features), **shapes}.items()
    }
    (last,) = ReferenceEvaluator(helper.make_model(graph)).run(None, feeds)
    assert np.shape(last) == (1, 2, hidden)
    counted = sum(int(np.prod(shape)) for shape in shapes.values())
    row = next(r for r in counterparts(subject(RNNConfig(kind=kind))) if r.framework == "ONNX")
    assert row.parameters == counted
