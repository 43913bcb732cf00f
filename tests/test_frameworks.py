"""Other frameworks: counts and shapes that were measured there, and what the overview says."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from hypothesis import given

from rnnshape import inspect
from rnnshape.analysis.frameworks.counterparts import Counterpart, counterparts, counterparts_in
from rnnshape.analysis.frameworks.registry import NAMES, framework
from rnnshape.analysis.inspection import Inspection
from rnnshape.document.report import report_document
from rnnshape.layer.config import Kind, Nonlinearity, RNNConfig
from rnnshape.render import Format, render
from tests.program import call
from tests.strategies import examples, layers
from tests.subjects import subject

# Measured with Keras 3.15, Flax 0.12.8 and ONNX 1.23; summed from the shapes that the others
# document. For input 20 and hidden 40, with biases, then without.
MEASURED = {
    Kind.LSTM: {
        "PyTorch nn.LSTM": (9920, 9600),
        "Keras LSTM": (9760, 9600),
        "Flax linen.LSTMCell": (9760, 9760),
        "Flax nnx.OptimizedLSTMCell": (9760, 9760),
        "Flax nnx.LSTMCell": (9760, 9760),
        "ONNX LSTM": (9920, 9600),
        "TensorFlow 1 LSTMCell(forget_bias=0.0)": (9760, 9760),
        "MXNet LSTM": (9920, 9920),
        "cuDNN CUDNN_LSTM": (9920, 9600),
        "oneDNN lstm_forward": (9760, 9600),
        "TensorRT RNNOperation.LSTM": (9920, 9920),
        "Core ML lstm": (9760, 9600),
    },
    Kind.GRU: {
        "PyTorch nn.GRU": (7440, 7200),
        "Keras GRU": (7440, 7200),
        "Keras GRU(reset_after=False)": (7320, 7200),
        "Flax linen.GRUCell": (7360, 7360),
        "Flax nnx.GRUCell": (7320, 7320),
        "ONNX GRU(linear_before_reset=1)": (7440, 7200),
        "TensorFlow 1 CudnnCompatibleGRUCell": (7360, 7360),
        "TensorFlow 1 GRUCell": (7320, 7320),
        "MXNet GRU": (7440, 7440),
        "cuDNN CUDNN_GRU": (7440, 7200),
        "oneDNN lbr_gru_forward": (7360, 7200),
        "TensorRT RNNOperation.GRU": (7440, 7440),
        "Core ML gru": (7320, 7200),
    },
    Kind.RNN: {
        "PyTorch nn.RNN": (2480, 2400),
        "Keras SimpleRNN": (2440, 2400),
        "Flax linen.SimpleCell": (2440, 2440),
        "Flax nnx.SimpleCell": (2440, 2440),
        "ONNX RNN": (2480, 2400),
        "TensorFlow 1 BasicRNNCell": (2440, 2440),
        'MXNet RNN(activation="tanh")': (2480, 2480),
        "cuDNN CUDNN_RNN_TANH": (2480, 2400),
        "oneDNN vanilla_rnn_forward": (2440, 2400),
        "TensorRT RNNOperation.TANH": (2480, 2480),
        "Core ML rnn": (2440, 2400),
    },
}
each_kind = pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
each_bias = pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])


def shown(config: RNNConfig, to: str | None = None) -> str:
    """The section as text, on one line."""
    report = inspect(config, run=False)
    document = report_document(Inspection(report=report, to=to), show=["frameworks"])
    return " ".join(render(document, Format.TABLE).split())


def rows_of(row: Counterpart) -> dict[str, tuple[tuple[int, ...], int]]:
    return {array.name: (array.shape, array.count) for array in row.arrays}


@each_bias
@each_kind
def test_the_counts_are_those_that_were_measured(kind: Kind, bias: bool) -> None:
    rows = counterparts(subject(RNNConfig(kind=kind, bias=bias)))
    found = {f"{row.title} {row.layer}": row.parameters for row in rows}
    assert found == {name: counts[not bias] for name, counts in MEASURED[kind].items()}


@examples(150)
@given(layers(largest=7))
def test_the_arrays_add_up_to_the_parameters(config: RNNConfig) -> None:
    for row in counterparts(subject(config)):
        if row.port is None:
            assert row.parameters == inspect(config, run=False).parameters
            continue
        total = 0
        for shape, count in ((array.shape, array.count) for array in row.arrays):
            size = count
            for length in shape:
                size *= length
            total += size
        assert total == row.parameters, (row.title, row.layer)


@examples(100)
@given(layers(largest=7))
def test_every_matrix_of_pytorch_is_in_each_framework_once(config: RNNConfig) -> None:
    own = subject(config)
    for row in counterparts(own):
        biases = row.parameters - int(own.weights.matrix_elements)
        per_layer = biases // (config.num_layers * config.directions * config.hidden_size)
        assert per_layer in (0, config.kind.gates, 2 * config.kind.gates, 4)


def test_projections_are_in_those_frameworks_that_have_them() -> None:
    config = RNNConfig(kind=Kind.LSTM, proj_size=10)
    rows = counterparts(subject(config))
    assert {row.name for row in rows} == {"", "tf1", "mxnet", "cudnn", "onednn"}
    # 160 * (20 + 10) + 10 * 40, and 160 biases or twice that.
    assert {row.parameters for row in rows} == {5200 + 160, 5200 + 320}
    for name in sorted({*NAMES} - {"tf1", "mxnet", "cudnn", "onednn"}):
        assert "has no projection" in shown(config, name)


@each_kind
def test_the_overview_names_every_row_and_how_it_is_filled(kind: Kind) -> None:
    text = shown(RNNConfig(kind=kind))
    for name in MEASURED[kind]:
        assert name.partition("(")[0].split()[-1] in text
    for row in counterparts(subject(RNNConfig(kind=kind))):
        if row.port and row.port.exact:
            assert f"to {row.name} " in text


def test_gates_are_in_the_order_of_the_framework_or_apart() -> None:
    orders = {
        (row.title, row.layer.partition("(")[0]): row.gates
        for kind in (Kind.LSTM, Kind.GRU)
        for row in counterparts(subject(RNNConfig(kind=kind)))
    }
    assert {name: order for name, order in orders.items() if order == ""} == {
        ("Flax", "linen.LSTMCell"): "",
        ("Flax", "nnx.LSTMCell"): "",
        ("Flax", "linen.GRUCell"): "",
        ("TensorFlow 1", "CudnnCompatibleGRUCell"): "",
        ("TensorFlow 1", "GRUCell"): "",
        ("TensorRT", "RNNOperation.LSTM"): "",
        ("TensorRT", "RNNOperation.GRU"): "",
    }
    assert orders["ONNX", "LSTM"] == "i o f g"
    assert orders["ONNX", "GRU"] == orders["Keras", "GRU"] == orders["oneDNN", "lbr_gru_forward"]
    assert orders["Keras", "GRU"] == "z r n"
    assert orders["TensorFlow 1", "LSTMCell"] == "i g f o"
    assert orders["Core ML", "lstm"] == "i f o g"
    assert orders["Core ML", "gru"] == "r n z"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ("onnx", RNNConfig(kind=Kind.LSTM, bidirectional=True)),
            {"W": ((2, 160, 20), 1), "R": ((2, 160, 40), 1), "B": ((2, 320), 1)},
        ),
        (
            ("keras", RNNConfig(kind=Kind.GRU, bidirectional=True)),
            {
                "kernel": ((20, 120), 2),
                "recurrent_kernel": ((40, 120), 2),
                "bias": ((2, 120), 2),
            },
        ),
        (
            ("onednn", RNNConfig(kind=Kind.GRU)),
            {
                "weights_layer": ((1, 1, 20, 3, 40), 1),
                "weights_iter": ((1, 1, 40, 3, 40), 1),
                "bias": ((1, 1, 4, 40), 1),
            },
        ),
        (
            ("tf1", RNNConfig(kind=Kind.LSTM, proj_size=10)),
            {"kernel": ((30, 160), 1), "bias": ((160,), 1), "projection/kernel": ((40, 10), 1)},
        ),
        (
            ("coreml", RNNConfig(kind=Kind.RNN)),
            {"weight_ih": ((40, 20), 1), "weight_hh": ((40, 40), 1), "bias": ((40,), 1)},
        ),
    ],
    ids=["onnx", "keras", "onednn", "tf1", "coreml"],
)
def test_arrays_have_the_shapes_of_the_documentation(
    words: tuple[str, RNNConfig], expected: dict[str, Any]
) -> None:
    name, config = words
    assert rows_of(counterparts_in(name, subject(config))[0]) == expected


def test_a_relu_is_asked_of_each_framework() -> None:
    rows = {
        nonlinearity: counterparts(subject(RNNConfig(kind=Kind.RNN, nonlinearity=nonlinearity)))
        for nonlinearity in get_args(Nonlinearity)
    }
    for tanh, relu in zip(rows["tanh"][1:], rows["relu"][1:], strict=True):
        assert "relu" in relu.layer.lower()
        assert "relu" not in tanh.layer.lower()
        assert tanh.parameters == relu.parameters


def test_arrays_that_differ_by_layer_have_a_row_for_each() -> None:
    row = counterparts_in("keras", subject(RNNConfig(kind=Kind.LSTM, num_layers=4)))[0]
    found = [(a.name, a.layers, a.shape, a.count) for a in row.arrays]
    assert found == [
        ("kernel", range(1), (20, 160), 1),
        ("kernel", range(1, 4), (40, 160), 3),
        ("recurrent_kernel", range(4), (40, 160), 4),
        ("bias", range(4), (160,), 4),
    ]


def test_only_a_hidden_size_of_1_without_bias_makes_the_papers_cell_pytorchs() -> None:
    for name, layer in (("keras", "GRU(reset_after=False)"), ("tf1", "GRUCell")):
        for hidden, bias in ((1, False), (1, True), (2, False)):
            config = RNNConfig(kind=Kind.GRU, hidden_size=hidden, bias=bias)
            row = next(r for r in counterparts_in(name, subject(config)) if r.layer == layer)
            assert row.port is not None
            assert row.port.exact is ((hidden, bias) == (1, False))


@pytest.mark.parametrize("name", NAMES)
def test_each_framework_is_shown_in_full(name: str) -> None:
    found = framework(name)
    for kind in Kind:
        config = RNNConfig(kind=kind, num_layers=2, bidirectional=True)
        text = shown(config, name)
        assert text.startswith(f"frameworks {found.title}: {found.objects}")
        assert found.page in text
        rows = counterparts_in(name, subject(config))
        for array in rows[0].arrays:
            assert array.name in text
            assert array.source in text
        assert ("import torch" in text) is bool(rows[0].program)
        lines = rows[0].program
        assert max(map(len, lines), default=0) <= 80


def test_the_program_alone_is_shown_as_code() -> None:
    result = call("lstm", "--show", "code", "--to", "keras", "--no-run")
    assert result.out.startswith("import numpy as np\n")
    compile(result.out, "program", "exec")


@pytest.mark.parametrize("output", Format, ids=lambda each: each.value)
def test_each_format_has_the_arrays_and_their_sources(output: Format) -> None:
    result = call("lstm", "--to", "onnx", "-f", output.value, "--no-run")
    assert result.code == 0
    if output not in (Format.GITHUB, Format.JUNIT):
        assert re.search(r"weight_ih|weight\\_ih", result.out)
        assert "iofg" in result.out
        assert "make" in result.out  # of the program: make_node


def test_to_is_read_like_other_values() -> None:
    assert call("lstm", "--to", "flax", "--no-run").out.startswith("frameworks\nFlax: ")
    refused = call("lstm", "--to", "kears", "--no-run")
    assert refused.code == 2
    assert refused.err.endswith("hint: --to keras\n")
