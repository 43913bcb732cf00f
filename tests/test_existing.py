"""Existing modules: what they hold that a plain layer does not; models, texts and manifests."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import rnnshape
from rnnshape import InputSpec, Kind, Report, Reports, RequestError, RNNConfig
from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Document
from rnnshape.document.report import report_document
from rnnshape.document.sections import SECTIONS
from rnnshape.render import Format, render
from tests.program import PYTHON, call, spawn


class Learned(nn.LSTM):
    """An LSTM that learns its initial state."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = nn.Parameter(torch.zeros(1, 1, self.hidden_size))
        self.head = nn.Linear(self.hidden_size, 2)


def freeze(layer: nn.Module) -> None:
    value = vars(layer)["_parameters"]["weight_hh_l0"].detach()
    del layer.weight_hh_l0
    layer.register_buffer("weight_hh_l0", value)


def tie(layer: nn.Module) -> None:
    layer.weight_hh_l0_reverse = layer.weight_hh_l0


def add(layer: nn.Module) -> None:
    layer.register_parameter("scale", nn.Parameter(torch.ones(2)))


CHANGES: dict[str, Callable[[nn.Module], object]] = {
    "weight_norm": partial(nn.utils.parametrizations.weight_norm, name="weight_hh_l0"),
    "spectral_norm": partial(nn.utils.parametrizations.spectral_norm, name="weight_hh_l0"),
    "the old weight_norm": partial(nn.utils.weight_norm, name="weight_hh_l0"),
    "the old spectral_norm": partial(nn.utils.spectral_norm, name="weight_hh_l0"),
    "pruning": partial(prune.l1_unstructured, name="weight_hh_l0", amount=0.3),
    "a buffer": freeze,
    "tied weights": tie,
    "a parameter more": add,
}


def holds(layer: nn.Module) -> tuple[int, int]:
    parameters = list(layer.parameters())
    return sum(p.numel() for p in parameters), sum(p.nbytes for p in parameters)


def told(report: Report) -> str:
    """The report on one line, as whoever prints it reads it."""
    return " ".join(str(report).split())


def data(result: Any) -> Any:
    return result._document().data()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.filterwarnings("ignore")  # some of them are deprecated
def test_parameters_are_those_that_the_module_holds(change: Callable[..., object]) -> None:
    layer = nn.LSTM(3, 4, bidirectional=True)
    plain = dict(layer.named_parameters())
    plain_count = holds(layer)[0]
    change(layer)
    own = dict(layer.named_parameters())
    assert own.keys() != plain.keys()
    report = rnnshape.inspect(layer)
    assert report.run is not None
    assert report.run.agrees
    assert (report.parameters, report.parameter_bytes) == holds(layer)
    report.expect(f"params = {holds(layer)[0]}", f"parameter_bytes = {holds(layer)[1]}")
    with pytest.raises(AssertionError) as failed:
        report.expect("params = 1")
    _, formula = str(failed.value).splitlines()
    assert eval(formula, {"module": layer}) == holds(layer)[0]  # noqa: S307 - a formula of ours
    text = told(report)
    assert f"the module holds {holds(layer)[0]:,} parameters in {len(own)} tensors" in text
    assert f"{report.config.constructor} has {plain_count:,} in {len(plain)} tensors" in text
    for name in plain.keys() ^ own.keys():
        assert name in text
    assert report.subject.held is not None
    assert {each.name: each.shape for each in report.subject.held.parameters} == {
        name: tuple(parameter.shape) for name, parameter in own.items()
    }
    # What a plain layer has is still told: the table of weights is of the class.
    assert sum(weight["parameters"] for weight in data(report)["modules"][0]["weights"]) == (
        plain_count
    )


def test_parameters_of_submodules_and_of_a_subclass_are_its_own() -> None:
    layer = Learned(3, 4)
    report = rnnshape.inspect(layer, run=False)
    assert (report.parameters, report.parameter_bytes) == holds(layer)
    assert "initial (1, 1, 4), head.weight (2, 4), head.bias (2,)" in told(report)


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.complex64], ids=str)
def test_a_plain_module_has_nothing_of_its_own(kind: Kind, dtype: torch.dtype) -> None:
    for cell in ("", "Cell"):
        layer = getattr(nn, f"{kind.value}{cell}")(3, 4, dtype=dtype)
        report = rnnshape.inspect(layer, run=False)
        assert "the module" not in told(report)
        assert report.subject.held is None
        assert (report.parameters, report.parameter_bytes) == holds(layer)


LAYERS: dict[str, Callable[..., nn.Module]] = {
    "LSTM": nn.LSTM,
    "LSTM with projection": partial(nn.LSTM, proj_size=2),
    "GRU": nn.GRU,
    "RNN": nn.RNN,
    "LSTMCell": nn.LSTMCell,
    "GRUCell": nn.GRUCell,
    "RNNCell": nn.RNNCell,
}
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64)


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_tensors_of_mixed_dtypes_are_named_and_the_layer_is_not_said_to_run(
    make: Callable[..., nn.Module],
) -> None:
    names = [name for name, _ in make(3, 4).named_parameters()]
    for name, (most, other) in product(names, product(DTYPES, DTYPES)):
        if most is other:
            continue
        layer = make(3, 4, dtype=most)
        setattr(layer, name, nn.Parameter(torch.zeros_like(getattr(layer, name), dtype=other)))
        report = rnnshape.inspect(layer)
        assert report.run is None
        assert (report.parameters, report.parameter_bytes) == holds(layer)
        text = told(report)
        most_name, other_name = (str(each).removeprefix("torch.") for each in (most, other))
        said = f"are {most_name} on cpu, but not {name} ({other_name} on cpu): "
        assert said in text
        assert "ok: torch" not in text
        assert report.settings.dtype.value == most_name
        if f"{said}its forward raises" in text:
            given = torch.zeros(report.input.shape, dtype=most)
            with pytest.raises((RuntimeError, ValueError)):
                layer(given)
        else:
            assert name.startswith("bias")  # which some of oneDNN's kernels take


def test_the_tensors_of_mixed_devices_are_named() -> None:
    layer = nn.GRU(3, 4)
    layer.weight_hh_l0 = nn.Parameter(torch.zeros(12, 4, device="meta"))
    report = rnnshape.inspect(layer)
    # Some kernels do not notice: of a cell, forward runs with a weight on meta.
    said = "but not weight_hh_l0 (float32 on meta): most kernels refuse that, so it was not run"
    assert said in told(report)
    assert report.run is None
    assert data(report)["modules"][0]["findings"][0]["code"] == "mixed-tensors"


def test_nothing_of_a_module_runs_when_it_is_read() -> None:
    class Ran(nn.Module):
        def forward(self, _: torch.Tensor) -> torch.Tensor:
            raise AssertionError("it ran")

    layer = nn.LSTM(3, 4)
    nn.utils.parametrize.register_parametrization(layer, "weight_hh_l0", Ran(), unsafe=True)
    assert rnnshape.inspect(layer).parameters == holds(layer)[0]


# Models


class Lazy(nn.GRU):
    """A layer with a parameter that has no shape before its first input."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = nn.UninitializedParameter()


class LazyWeight(nn.LSTM):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.weight_hh_l0 = nn.UninitializedParameter()


class Unready(nn.GRU):
    def __init__(self) -> None:
        pass


def tampered() -> nn.Module:
    layer = nn.LSTM(3, 4)
    layer.hidden_size = 5
    return layer


def sparse() -> nn.Module:
    layer = nn.LSTM(3, 4)
    layer.weight_ih_l0 = nn.Parameter(torch.eye(16, 3).to_sparse())
    return layer


UNREADABLE: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "uninitialized": (lambda: Lazy(3, 4), "initial of this Lazy is not initialized"),
    "uninitialized weight": (
        lambda: LazyWeight(3, 4),
        "weight_hh_l0 of this LazyWeight is not initialized",
    ),
    "not set up": (Unready, "Unready has no modules"),
    "other sizes": (tampered, "this LSTM is not the nn.LSTM(3, 5)"),
    "sparse": (sparse, "weight_ih_l0 of this LSTM is not a dense tensor"),
}


@pytest.mark.parametrize(("make", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_layer_that_cannot_be_read_is_named_beside_the_others(
    make: Callable[[], nn.Module], problem: str
) -> None:
    with pytest.raises(RequestError, match=re.escape(problem)):
        rnnshape.inspect(make())
    model = nn.ModuleDict({"encoder": nn.LSTM(3, 4), "decoder": make()})
    reports = rnnshape.inspect_model(model)
    assert list(reports) == ["encoder"]
    assert list(reports.unread) == ["decoder"]
    assert reports.unread["decoder"].problem.startswith(problem)
    text = " ".join(str(reports).split())
    assert f"note: decoder is left out: {problem}" in text
    assert reports.unread["decoder"].hint in text
    reports.expect("encoder/output = 10,5,4")
    for expectation in ("decoder/output = 10,5,4", "output = 10,5,4"):
        with pytest.raises(RequestError, match="decoder: ") as refused:
            reports.expect("encoder/output = 10,5,4", expectation)
        assert problem in refused.value.problem
    with pytest.raises(RequestError, match="about else, which is not here"):
        reports.expect("else/output = 1")


def test_a_layer_that_cannot_be_run_is_named_too() -> None:
    model = nn.ModuleDict({"one": nn.LSTM(3, 4), "two": nn.GRU(3, 4).to(torch.float8_e5m2)})
    reports = rnnshape.inspect_model(model)
    assert (list(reports), list(reports.unread)) == (["one"], ["two"])
    assert "PyTorch does not run nn.GRU in float8_e5m2" in reports.unread["two"].problem
    assert list(rnnshape.inspect_model(model, run=False)) == ["one", "two"]


def test_what_is_packed_for_the_layers_of_a_model_has_one_step_for_its_cells() -> None:
    model = nn.ModuleDict({"layer": nn.LSTM(3, 4), "cell": nn.LSTMCell(3, 4)})
    spec = InputSpec(batch_size=2, seq_len=3, lengths=(3, 1))
    reports = rnnshape.inspect_model(model, spec)
    reports.expect("layer/data = 4,3", "cell/h_1 = 2,4")
    assert "cell: nn.LSTMCell(3, 4)" in str(reports)


def test_where_no_layer_can_be_read_all_reasons_are_raised() -> None:
    model = nn.ModuleDict({"one": tampered(), "two": Lazy(3, 4)})
    with pytest.raises(RequestError) as refused:
        rnnshape.inspect_model(model)
    first, second = refused.value.errors
    assert first.problem.startswith("one: this LSTM is not")
    assert second.problem.startswith("two: initial of this Lazy")


class OwnBase(nn.RNNBase):
    def __init__(self) -> None:
        super().__init__("LSTM", 3, 4, proj_size=2)


@pytest.mark.parametrize(
    ("layer", "constructor", "nonlinearity"),
    [
        (nn.RNNBase("LSTM", 6, 8), "nn.LSTM(6, 8)", None),
        (nn.RNNBase("GRU", 6, 8, bidirectional=True), "nn.GRU(6, 8, bidirectional=True)", None),
        (nn.RNNBase("RNN_TANH", 6, 8), "nn.RNN(6, 8)", "tanh"),
        (nn.RNNBase("RNN_RELU", 6, 8), "nn.RNN(6, 8, nonlinearity='relu')", "relu"),
        (OwnBase(), "nn.LSTM(3, 4, proj_size=2)", None),
    ],
    ids=["LSTM", "GRU", "tanh", "relu", "subclass"],
)
def test_the_base_class_is_the_layer_of_its_mode(
    layer: nn.RNNBase, constructor: str, nonlinearity: str | None
) -> None:
    report = rnnshape.inspect(layer)
    assert (report.config.constructor, report.config.nonlinearity) == (constructor, nonlinearity)
    assert report.parameters == holds(layer)[0]
    assert list(rnnshape.inspect_model(nn.Sequential(nn.Linear(2, 3), layer), run=False)) == ["1"]


# What a report is as a value


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
@pytest.mark.parametrize("run", [False, True])
def test_equal_reports_have_one_hash_copies_included(run: bool, kind: Kind) -> None:
    layer = getattr(nn, kind.value)
    report = rnnshape.inspect(layer(3, 4, 2), run=run)
    config = RNNConfig(kind=kind, input_size=3, hidden_size=4, num_layers=2)
    same = rnnshape.inspect(config, run=run)
    others = [same, copy.copy(report), copy.deepcopy(report), pickle.loads(pickle.dumps(report))]  # noqa: S301
    assert {report, *others} == {report}
    assert all(str(other) == str(report) for other in others)
    assert report not in (
        rnnshape.inspect(layer(3, 5, 2), run=run),
        rnnshape.inspect(layer(3, 4, 2), InputSpec(seq_len=3), run=run),
        rnnshape.inspect(layer(3, 4, 2), run=not run),
    )


def test_reports_are_copied_and_pickled_whole() -> None:
    reports = rnnshape.inspect_model(nn.Sequential(nn.GRU(3, 4), tampered()), run=False)
    for other in (copy.copy(reports), copy.deepcopy(reports), pickle.loads(pickle.dumps(reports))):  # noqa: S301
        assert isinstance(other, Reports)
        assert {other, reports} == {reports}
        assert str(other) == str(reports)
        assert other.unread["1"].problem == reports.unread["1"].problem
    assert "unread={'1': " in repr(reports)


def test_dir_lists_what_the_package_exports() -> None:
    program = "import rnnshape\nprint(*dir(rnnshape))\nprint(*rnnshape.__all__)"
    listed, exported = spawn("-c", program, program=PYTHON).out.splitlines()
    assert set(exported.split()) <= set(listed.split())
    assert {"inspect", "inspect_model", "check", "Report", "Reports"} <= set(exported.split())


# Layers as text


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("nn.GRU(20, 40)", nn.GRU(20, 40)),
        ("nn.LSTM(3, 4, num_layers=2, bidirectional=True)", nn.LSTM(3, 4, 2, bidirectional=True)),
        ("nn.RNNCell(3, 4, dtype=torch.float64)", nn.RNNCell(3, 4, dtype=torch.float64)),
        ("lstm --hidden 40", nn.LSTM(20, 40)),
        ("gru --input 3 --hidden 4 --cell", nn.GRUCell(3, 4)),
        ("gru --layers 2", nn.GRU(20, 40, 2)),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_text_is_the_layer_that_it_describes(text: str, layer: nn.Module) -> None:
    report, own = rnnshape.inspect(text), rnnshape.inspect(layer)
    assert (report.config, report.settings) == (own.config, own.settings)
    assert (report.predicted, report.run) == (own.predicted, own.run)
    report.expect(f"params = {holds(layer)[0]}")
    again = eval(report.subject.request, {"rnnshape": rnnshape})  # noqa: S307 - ours
    assert again == report


def test_what_a_text_does_not_give_is_assumed() -> None:
    assert "input_size=20" in str(rnnshape.inspect("lstm --hidden 40", run=False))
    assert "input_size=20" not in str(rnnshape.inspect("nn.LSTM(20, 40)", run=False))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("lstm --proj 50", "--proj 31 in the target"),
        ("nn.LSTM(20, 40, proj_size=50)", "proj_size="),
        ("lstm --hidden 8 --proj 8 --bidir", "--proj 6 in the target"),
    ],
)
def test_a_text_that_describes_no_layer_is_refused_in_the_words_of_the_text(
    text: str, hint: str
) -> None:
    with pytest.raises(RequestError) as refused:
        rnnshape.inspect(text)
    assert hint in refused.value.hint


def _documents() -> dict[str, Document]:
    """Every section of reports that between them have every note."""
    layers: list[Any] = [
        *(RNNConfig(kind=kind, dropout=0.5) for kind in Kind),
        *(RNNConfig(kind=kind, cell=True) for kind in Kind),
        RNNConfig(kind=Kind.LSTM, proj_size=10, num_layers=2, bidirectional=True),
        RNNConfig(kind=Kind.LSTM, proj_size=39),
        RNNConfig(kind=Kind.LSTM, hidden_size=1),
        Learned(3, 4),
        "nn.LSTM(20, 40, 2, True)",
        "nn.LSTMCell(20, 40, bias=1)",
    ]
    specs = [
        InputSpec(batch_size=20, seq_len=20),
        InputSpec(batch_size=3, seq_len=7, lengths=(5, 3, 2)),
        InputSpec(batched=False),
        InputSpec(with_state=True),
    ]
    documents: dict[str, Document] = {}
    for layer, spec in product(layers, specs):
        inspection = Inspection(report=rnnshape.inspect(layer, spec, run=spec.with_state))
        documents[f"{layer} {spec}"] = report_document(inspection, show=tuple(SECTIONS))
    model = nn.ModuleDict({"encoder": nn.GRU(3, 4), "decoder": Lazy(3, 4)})
    documents["model"] = rnnshape.inspect_model(model)._document()
    return documents


def test_no_document_of_the_api_names_an_option_of_the_command_line() -> None:
    documents = _documents()
    assert len(documents) > 30
    for name, document in documents.items():
        for form in (Format.TABLE, Format.JSON, Format.MARKDOWN, Format.CSV):
            assert not re.findall(r"(?<!\S)[(\"`']?--[a-z]", render(document, form)), (name, form)


# Manifests

HELD = """\
[modules.encoder]
target = "nn.LSTM(20, 40)"
expect = ["output = 10,5,40", "params <= 10k"]
"""


def test_a_manifest_that_holds_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "rnnshape.toml"
    path.write_text(HELD)
    rnnshape.check(path)
    rnnshape.check(str(path), run=False)


@pytest.mark.parametrize("run", [True, False])
def test_a_manifest_that_fails_raises_what_the_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rnnshape.toml").write_text(HELD.replace("10k", "9k"))
    with pytest.raises(AssertionError) as failed:
        rnnshape.check(run=run)
    printed = call("check", *(() if run else ("--no-run",))).out
    assert "FAILED: params <= 9k: it is 9,920" in str(failed.value)
    assert str(failed.value) == printed.rstrip("\n")
    assert "--" not in str(failed.value)


def test_a_manifest_is_held_against_pytorch_unless_told_not_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnnshape.layer import formulas

    real = formulas._shapes

    def without_hidden_bias(*args: Any, **kwargs: Any) -> dict[str, tuple[int, ...]]:
        return {name: shape for name, shape in real(*args, **kwargs).items() if name != "bias_hh"}

    monkeypatch.setattr(formulas, "_shapes", without_hidden_bias)
    path = tmp_path / "rnnshape.toml"
    path.write_text(HELD)
    rnnshape.check(path, run=False)
    with pytest.raises(AssertionError, match="disagrees with the formulas"):
        rnnshape.check(path)


def test_a_manifest_that_cannot_be_read_is_refused_with_all_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "rnnshape.toml"
    with pytest.raises(RequestError, match="there is no file"):
        rnnshape.check(path)
    path.write_text(HELD.replace("output =", "outpt =").replace("params <=", "params"))
    with pytest.raises(RequestError) as refused:
        rnnshape.check(path)
    assert len(refused.value.errors) == 2
    assert all(f"{path}:3" in error.problem for error in refused.value.errors)


@pytest.mark.parametrize(
    ("target", "other", "differs"),
    [
        ("dtype=torch.float64", "dtype=torch.float32", "dtype is float64 here, float32 there"),
        ("device='cpu'", "device='meta'", "device is cpu here, meta there"),
        ("dtype=torch.float64", "dtype=torch.float64", None),
        ("dtype=torch.float64", "bias=True", None),
        ("bias=True", "device='meta'", None),
    ],
)
def test_layers_match_in_dtype_and_device_where_both_say_one(
    tmp_path: Path, target: str, other: str, differs: str | None
) -> None:
    path = tmp_path / "rnnshape.toml"
    path.write_text(
        f'[modules.encoder]\ntarget = "nn.LSTM(3, 4, {target})"\n'
        f'matches = "nn.LSTM(3, 4, {other})"\n'
    )
    if differs is None:
        rnnshape.check(path, run=False)
        return
    with pytest.raises(AssertionError, match=differs):
        rnnshape.check(path, run=False)
