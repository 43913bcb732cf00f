"""Keras's files: what each recurrent layer would be in PyTorch, and where the two differ."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rnnshape.layer.recognition import Recognised
from rnnshape.sources.files.contents import Contents
from rnnshape.sources.files.registry import read_file
from tests.filing import mutations, read_bytes, read_or_refused, refusal, shapes, zipped
from tests.program import call
from tests.schemas import problems

ONE_BIAS = "it has one bias: in PyTorch that is bias_ih, and bias_hh is zero"
PAPER = (
    "reset_after=False: r is multiplied with h before the product with recurrent_kernel,"
    " and in PyTorch after it, so no weights make both equal"
)
STACKS = (
    "its Bidirectional stacks the cells of each direction on their own,"
    " which no layer of PyTorch does"
)
LAST = "return_sequences=False: it returns the last output alone"
needs_h5py = pytest.mark.skipif(importlib.util.find_spec("h5py") is None, reason="needs h5py")


def layer(class_name: str, shape: list[int | None] | None = None, **config: Any) -> dict[str, Any]:
    """A layer as a config has it."""
    sequences = {"return_sequences": True} if class_name in ("LSTM", "GRU", "SimpleRNN") else {}
    node: dict[str, Any] = {"class_name": class_name, "config": {**sequences, **config}}
    return node if shape is None else {**node, "build_config": {"input_shape": shape}}


def model(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "model", "layers": list(layers)}}


def archive(config: Any, **more: bytes) -> bytes:
    return zipped({"metadata.json": "{}", "config.json": json.dumps(config), **more})


def hdf5(tensors: Mapping[str, tuple[int, ...]], config: Any = None) -> bytes:
    h5py = pytest.importorskip("h5py")
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        for name, shape in tensors.items():
            root.create_dataset(name, shape, "f4")
        if config is not None:
            root.attrs["model_config"] = json.dumps(config)
    return file.getvalue()


def only(contents: Contents) -> Recognised:
    assert contents.failures == ()
    (found,) = contents.layers
    return found


def read_only(config: Any, folder: Path) -> Recognised:
    return only(read_bytes(archive(config), folder))


SHAPE: list[int | None] = [None, 7, 5]
EACH = {
    "LSTM": (
        layer("LSTM", SHAPE, name="a", units=6),
        "nn.LSTM(5, 6, batch_first=True)",
        [ONE_BIAS],
    ),
    "LSTM without bias": (
        layer("LSTM", SHAPE, name="a", units=6, use_bias=False),
        "nn.LSTM(5, 6, bias=False, batch_first=True)",
        [],
    ),
    "GRU": (
        layer("GRU", SHAPE, name="a", units=6, reset_after=True),
        "nn.GRU(5, 6, batch_first=True)",
        [],
    ),
    "GRU of the paper": (
        layer("GRU", SHAPE, name="a", units=6, reset_after=False),
        "nn.GRU(5, 6, batch_first=True)",
        [
            PAPER,
            ONE_BIAS,
        ],
    ),
    "SimpleRNN": (
        layer("SimpleRNN", SHAPE, name="a", units=6, activation="relu"),
        "nn.RNN(5, 6, nonlinearity='relu', batch_first=True)",
        [ONE_BIAS],
    ),
    "CuDNNLSTM": (
        layer("CuDNNLSTM", SHAPE, name="a", units=6, return_sequences=True),
        "nn.LSTM(5, 6, batch_first=True)",
        [],
    ),
    "CuDNNGRU": (
        layer("CuDNNGRU", SHAPE, name="a", units=6, return_sequences=True),
        "nn.GRU(5, 6, batch_first=True)",
        [],
    ),
    "Keras 2's first layer": (
        layer("LSTM", name="a", units=6, batch_input_shape=SHAPE, time_major=True),
        "nn.LSTM(5, 6)",
        [ONE_BIAS],
    ),
    "departures": (
        layer(
            "LSTM",
            SHAPE,
            name="a",
            units=6,
            use_bias=False,
            recurrent_activation="hard_sigmoid",
            activation={"class_name": "function", "config": "selu"},
            go_backwards=True,
            return_sequences=False,
            stateful=True,
            dropout=0.25,
            recurrent_dropout=0.5,
        ),
        "nn.LSTM(5, 6, bias=False, batch_first=True)",
        [
            "activation='selu': PyTorch's layer has tanh",
            "recurrent_activation='hard_sigmoid': PyTorch's layer has sigmoid",
            "go_backwards=True: it reads the last step first; flip the steps in PyTorch",
            LAST,
            "stateful=True: it starts from the last states; pass them as h_0 in PyTorch",
            "dropout=0.25: it drops features of its input while training",
            "recurrent_dropout=0.5: it drops features of its state while training",
        ],
    ),
    "Bidirectional": (
        layer(
            "Bidirectional",
            SHAPE,
            name="a",
            merge_mode="sum",
            layer=layer("LSTM", units=6, use_bias=False),
            backward_layer=layer("LSTM", units=6, use_bias=False, go_backwards=True),
        ),
        "nn.LSTM(5, 6, bias=False, batch_first=True, bidirectional=True)",
        ["merge_mode='sum': PyTorch concatenates the directions"],
    ),
    "RNN over a cell": (
        layer("RNN", SHAPE, name="a", return_sequences=True, cell=layer("LSTMCell", units=6)),
        "nn.LSTM(5, 6, batch_first=True)",
        [ONE_BIAS],
    ),
    "stacked cells": (
        layer(
            "RNN",
            SHAPE,
            name="a",
            return_sequences=True,
            cell=layer("StackedRNNCells", cells=[layer("LSTMCell", units=6)] * 3),
        ),
        "nn.LSTM(5, 6, num_layers=3, batch_first=True)",
        [ONE_BIAS],
    ),
    "a cell": (layer("LSTMCell", [None, 5], name="a", units=6), "nn.LSTMCell(5, 6)", [ONE_BIAS]),
}


@pytest.mark.parametrize(("node", "constructor", "departures"), EACH.values(), ids=EACH)
def test_a_layer_is_what_pytorch_has_for_it(
    node: dict[str, Any], constructor: str, departures: list[str], tmp_path: Path
) -> None:
    found = read_only(model(node), tmp_path)
    assert found.name == "a"
    assert found.config.constructor == constructor
    assert list(found.departures) == departures
    assert found.unknown == frozenset()
    fields = [each.field for each in found.evidence]
    assert {"kind", "input_size", "hidden_size", "bias"} <= {*fields}
    order = list(found.config.__dataclass_fields__)
    assert fields == sorted(fields, key=order.index)


def test_layers_are_found_at_any_depth(tmp_path: Path) -> None:
    inner = model(layer("GRU", [None, 7, 3], name="gru", units=2, reset_after=True))
    inner["config"]["name"] = "encoder"
    wrapped = layer(
        "TimeDistributed", [None, 4, 7, 5], name="each", layer=layer("LSTM", name="lstm", units=3)
    )
    contents = read_bytes(archive(model(inner, layer("Dense", units=3), wrapped)), tmp_path)
    assert {found.name: found.config.constructor for found in contents.layers} == {
        "encoder.gru": "nn.GRU(3, 2, batch_first=True)",
        "each.lstm": "nn.LSTM(5, 3, batch_first=True)",
    }


def test_cells_of_different_sizes_are_layers_of_their_own(tmp_path: Path) -> None:
    cells = [layer("GRUCell", units=n, reset_after=True) for n in (6, 4)]
    node = layer("RNN", SHAPE, name="a", cell=layer("StackedRNNCells", cells=cells))
    contents = read_bytes(archive(model(node)), tmp_path)
    assert {found.name: found.config.constructor for found in contents.layers} == {
        "a.0": "nn.GRU(5, 6, batch_first=True)",
        "a.1": "nn.GRU(6, 4, batch_first=True)",
    }


UNLIKE = {
    "ConvLSTM": (
        layer("ConvLSTM2D", name="a", filters=3),
        "it is a ConvLSTM2D, which PyTorch has no layer for",
    ),
    "own class": (
        layer("Addons>PeepholeLSTM", name="a", units=3),
        "it is a Addons>PeepholeLSTM, which PyTorch has no layer for",
    ),
    "own cell": (
        layer("RNN", name="a", cell=layer("MinimalCell", units=3)),
        "it is a RNN over MinimalCell, which PyTorch has no layer for",
    ),
    "units": (
        layer("LSTM", SHAPE, name="a", units="6\n"),
        r"its units is '6\n', not a number of 1 or more",
    ),
    "directions": (
        layer(
            "Bidirectional",
            SHAPE,
            name="a",
            layer=layer("LSTM", units=6),
            backward_layer=layer("LSTM", units=7),
        ),
        "its Bidirectional has directions that differ, which no layer of PyTorch does",
    ),
    "stacks in both directions": (
        layer(
            "Bidirectional",
            SHAPE,
            name="a",
            layer=layer(
                "RNN", cell=layer("StackedRNNCells", cells=[layer("LSTMCell", units=6)] * 2)
            ),
        ),
        STACKS,
    ),
}


@pytest.mark.parametrize(("node", "problem"), UNLIKE.values(), ids=UNLIKE)
def test_what_pytorch_has_no_layer_for_is_said(
    node: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    (failure,) = read_bytes(archive(model(node)), tmp_path).failures
    assert (failure.name, failure.problem) == ("a", problem)


def test_the_json_of_a_model_is_enough(tmp_path: Path) -> None:
    config = json.dumps(model(layer("LSTM", SHAPE, name="a", units=6))).encode()
    assert read_bytes(config, tmp_path).format == "Keras config"


def test_a_size_that_nothing_tells_is_unknown(tmp_path: Path) -> None:
    found = read_only(model(layer("LSTM", [None, None, None], name="a", units=6)), tmp_path)
    assert found.unknown == {"input_size"}


def test_the_json_of_a_layer_of_unknown_size_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "model.keras"
    file.write_bytes(archive(model(layer("LSTM", [None, None, None], name="a", units=6))))
    document = json.loads(call("inspect", str(file), "-f", "json").out)
    assert document["modules"][0]["config"]["input_size"] is None
    assert problems(document, "report") == []
    document["modules"][0]["unknown"] = []
    assert problems(document, "report") != []


KERNELS = {
    "lstm/cell/vars/0": (5, 24),
    "lstm/cell/vars/1": (6, 24),
    "lstm/cell/vars/2": (24,),
}


@needs_h5py
@pytest.mark.parametrize("deflated", [False, True])
def test_the_weights_of_an_archive_tell_what_its_config_leaves_out(
    deflated: bool, tmp_path: Path
) -> None:
    weights = hdf5({f"layers/{name}": shape for name, shape in KERNELS.items()})
    entries: dict[str, bytes | str] = {
        "metadata.json": "{}",
        "config.json": json.dumps(model(layer("LSTM", name="a", units=6))),
        "model.weights.h5": weights,
    }
    found = only(read_bytes(zipped(entries, deflated=deflated), tmp_path))
    assert found.unknown == frozenset()
    assert found.config.constructor == "nn.LSTM(5, 6, batch_first=True)"


@needs_h5py
def test_weights_that_contradict_the_config_are_named(tmp_path: Path) -> None:
    config = model(layer("LSTM", name="lstm", units=7))
    data = hdf5({f"model_weights/lstm/lstm/{n}": s for n, s in NAMED.items()}, config)
    (failure,) = read_bytes(data, tmp_path).failures
    assert failure.problem == "recurrent_kernel (6, 24) does not fit units 7: it should be (7, 28)"


NAMED = {"kernel:0": (5, 24), "recurrent_kernel:0": (6, 24), "bias:0": (24,)}


@needs_h5py
@pytest.mark.parametrize(
    ("tensors", "constructor", "unknown"),
    [
        ({f"layers/{n}": s for n, s in KERNELS.items()}, "nn.LSTM(5, 6)", set()),
        ({f"lstm/lstm/lstm_cell/{n}": s for n, s in NAMED.items()}, "nn.LSTM(5, 6)", set()),
        (
            {"lstm/lstm/kernel:0": (5, 18), "lstm/lstm/recurrent_kernel:0": (6, 18)},
            "nn.GRU(5, 6, bias=False)",
            set(),
        ),
        (
            {"lstm/kernel:0": (5, 6), "lstm/recurrent_kernel:0": (6, 6), "lstm/bias:0": (6,)},
            "nn.RNN(5, 6)",
            {"nonlinearity"},
        ),
        (
            {
                f"lstm/lstm/{way}_lstm/lstm_cell_{number}/{name}": shape
                for number, way in enumerate(("forward", "backward"))
                for name, shape in NAMED.items()
            },
            "nn.LSTM(5, 6, bidirectional=True)",
            set(),
        ),
    ],
    ids=["Keras 3", "Keras 2", "no bias", "RNN", "both directions"],
)
def test_weights_alone_tell_the_sizes(
    tensors: dict[str, tuple[int, ...]], constructor: str, unknown: set[str], tmp_path: Path
) -> None:
    found = only(read_bytes(hdf5(tensors), tmp_path))
    assert found.name == "lstm"
    assert found.config.constructor == constructor
    assert found.unknown == {"batch_first", "dropout", *unknown}
    assert dict(found.shapes) == tensors


@needs_h5py
@pytest.mark.parametrize(
    ("bias", "two"), [((18,), False), ((2, 18), True), ((36,), True)], ids=["one", "two", "CuDNN"]
)
def test_the_bias_of_a_gru_tells_reset_after(
    bias: tuple[int, ...], two: bool, tmp_path: Path
) -> None:
    tensors = {"gru/kernel:0": (5, 18), "gru/recurrent_kernel:0": (6, 18), "gru/bias:0": bias}
    departures = only(read_bytes(hdf5(tensors), tmp_path)).departures
    assert (ONE_BIAS in departures) is not two
    assert any(text.startswith("reset_after=False") for text in departures) is not two


@needs_h5py
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"recurrent_kernel:0": (6, 30)},
            "recurrent_kernel (6, 30) does not have 1, 3 or 4 times as many columns as rows",
        ),
        (
            {"kernel:0": (5, 18)},
            "kernel (5, 18) does not fit recurrent_kernel (6, 24): it should be (..., 24)",
        ),
        ({"bias:0": (25,)}, "bias (25,) is not a bias of 4 gates of 6 units"),
    ],
)
def test_contradictory_weights_are_named(
    changes: dict[str, tuple[int, ...]], problem: str, tmp_path: Path
) -> None:
    data = hdf5({f"lstm/{n}": s for n, s in {**NAMED, **changes}.items()})
    (failure,) = read_bytes(data, tmp_path).failures
    assert (failure.name, failure.problem) == ("lstm", problem)


@needs_h5py
def test_other_hdf5_is_a_state_dict(tmp_path: Path) -> None:
    contents = read_bytes(hdf5({"encoder/lstm.weight_ih_l0": (4, 3)}), tmp_path)
    assert contents.format == "HDF5"
    assert shapes(contents) == {"encoder.lstm.weight_ih_l0": ((4, 3), "float32")}


@needs_h5py
def test_files_that_hdf5_names_are_not_opened(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    (tmp_path / "other.h5").write_bytes(hdf5({"secret": (3,)}))
    with h5py.File(tmp_path / "a.h5", "w") as root:
        root["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/secret")
        root["cycle"] = root["/"]
        root["soft"] = h5py.SoftLink("/nowhere")
        root["lstm"] = root["/"]
    assert shapes(read_file(tmp_path / "a.h5")) == {}


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ("[" * 100_000, "its config.json is nested too deeply"),
        ("{", "its config.json is not valid JSON"),
    ],
)
def test_a_wrong_config_is_refused(config: str, problem: str, tmp_path: Path) -> None:
    data = zipped({"metadata.json": "{}", "config.json": config})
    assert refusal(data, tmp_path)[0] == problem


def test_deep_models_are_refused(tmp_path: Path) -> None:
    node = layer("LSTM", SHAPE, name="a", units=6)
    for _ in range(200):
        node = model(node)
    problem, _ = refusal(archive(node), tmp_path)
    assert problem == "its config is nested too deeply"


@needs_h5py
def test_mutations_are_read_or_refused(tmp_path: Path) -> None:
    config = model(layer("LSTM", name="lstm", units=6))
    whole = hdf5({f"layers/{n}": s for n, s in KERNELS.items()}, config)
    inside = archive(config, **{"model.weights.h5": whole})
    for data, count in (
        (archive(model(layer("LSTM", SHAPE, name="a", units=6))), 1000),
        (inside, 500),
    ):
        for changed in mutations(data, count, seed=6):
            read_or_refused(changed, tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="needs keras")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_real_files_of_keras_are_read(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("h5py")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras  # type: ignore[import-untyped, unused-ignore, import-not-found]
    from keras import layers as kl  # type: ignore[import-untyped, unused-ignore, import-not-found]

    sub = keras.Sequential(
        [keras.Input((7, 3)), kl.SimpleRNN(2, return_sequences=True)], name="sub"
    )
    built = keras.Sequential(
        [
            keras.Input((7, 5)),
            kl.LSTM(6, return_sequences=True, use_bias=False),
            kl.Bidirectional(kl.GRU(3, reset_after=False, return_sequences=True)),
            kl.RNN([kl.LSTMCell(4), kl.LSTMCell(4)], return_sequences=True),
            kl.RNN(kl.GRUCell(3), return_sequences=True),
            sub,
            kl.Reshape((7, 2, 1)),
            kl.TimeDistributed(kl.LSTM(3)),
        ]
    )
    path = tmp_path / f"a{suffix}"
    built.save_weights(path) if suffix == ".weights.h5" else built.save(path)
    contents = read_file(path)
    assert contents.failures == ()
    found = sorted(
        each.config.constructor.replace(", batch_first=True", "") for each in contents.layers
    )
    stacked = (
        ["nn.LSTM(4, 4)", "nn.LSTM(6, 4)"]
        if suffix == ".weights.h5"
        else ["nn.LSTM(6, 4, num_layers=2)"]
    )
    assert found == sorted(
        [
            "nn.LSTM(5, 6, bias=False)",
            "nn.GRU(6, 3, bidirectional=True)",
            *stacked,
            "nn.GRU(4, 3)",
            "nn.RNN(3, 2)",
            "nn.LSTM(1, 3)",
        ]
    )
