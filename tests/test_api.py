"""The Python API: real modules read, reports that show themselves, expectations that raise."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from torch import nn

import rnnshape
from rnnshape import DType, InputSpec, Kind, RequestError, RNNConfig, Settings
from rnnshape.analysis.inspection import Inspection
from rnnshape.computed import cached_property
from rnnshape.document.report import report_document
from rnnshape.document.sections import DEFAULT_SECTIONS, SECTIONS
from rnnshape.layer.facts import Facts
from rnnshape.layer.run import Mismatch
from rnnshape.pytorch import run as run_module
from rnnshape.render import Format, render
from tests.program import PYTHON, Result, environment, spawn
from tests.strategies import configs, examples
from tests.transcripts import ROOT

FLAGS = (False, True)


def modules_and_configs() -> Iterator[tuple[nn.Module, RNNConfig]]:
    """Each kind with each of its options on and off, layers and cells."""
    for kind, bias, first, bidir in product(Kind, FLAGS, FLAGS, FLAGS):
        options: dict[str, Any] = {"num_layers": 2, "bias": bias, "dropout": 0.25}
        options |= {"batch_first": first, "bidirectional": bidir}
        for own in _own_options(kind):
            module = getattr(nn, kind.value)(3, 4, **options, **own)
            yield module, RNNConfig(kind=kind, input_size=3, hidden_size=4, **options, **own)
    for kind, bias in product(Kind, FLAGS):
        for own in _own_options(kind, cell=True):
            module = getattr(nn, f"{kind.value}Cell")(3, 4, bias=bias, **own)
            yield (
                module,
                RNNConfig(kind=kind, cell=True, input_size=3, hidden_size=4, bias=bias, **own),
            )


def _own_options(kind: Kind, *, cell: bool = False) -> list[dict[str, Any]]:
    if kind is Kind.RNN:
        return [{"nonlinearity": "tanh"}, {"nonlinearity": "relu"}]
    return [{}, {"proj_size": 2}] if kind is Kind.LSTM and not cell else [{}]


MODULES = [
    pytest.param(module, config, id=f"{config.constructor} {config.nonlinearity or ''}".strip())
    for module, config in modules_and_configs()
]


@pytest.mark.parametrize(("module", "config"), MODULES)
def test_a_module_gives_the_report_of_its_config(module: nn.Module, config: RNNConfig) -> None:
    report = rnnshape.inspect(module, run=False)
    assert report.config == config
    assert report == rnnshape.inspect(config, run=False)
    own = {name: tuple(weight.shape) for name, weight in module.state_dict().items()}
    assert {weight.name: weight.shape for weight in report.weights} == own
    assert {name: report.weights[name].shape for name in own} == own
    assert report.parameters == sum(weight.numel() for weight in module.parameters())


@given(configs(), st.integers(1, 3), st.integers(1, 4))
@examples(40)
@pytest.mark.filterwarnings("ignore:dropout option adds dropout", "ignore:LSTM with projections")
def test_the_attributes_are_the_shapes_of_a_real_pass(
    config: RNNConfig, batch: int, seq: int
) -> None:
    module = eval(config.constructor, {"nn": nn})  # noqa: S307 - made by the test
    report = rnnshape.inspect(module, InputSpec(batch_size=batch, seq_len=seq), run=False)
    output, states = module(torch.zeros(report.input.shape))
    finals = states if isinstance(states, tuple) else (states,)
    assert report.output.shape == tuple(output.shape)
    assert report.h_n.shape == report.h_0.shape == tuple(finals[0].shape)
    if config.kind is Kind.LSTM:
        assert report.c_n.shape == report.c_0.shape == tuple(finals[1].shape)
    assert all(type(size) is int for size in report.output.shape)
    report.expect(f"next_linear = {output.shape[-1]}", f"output = {tuple(output.shape)}")


def test_a_layer_is_run_unless_it_is_told_not_to() -> None:
    ran = rnnshape.inspect(nn.GRU(3, 4))
    assert ran.run is not None
    assert ran.run.agrees
    assert isinstance(ran, rnnshape.Report)
    assert ran == rnnshape.inspect(RNNConfig(kind=Kind.GRU, input_size=3, hidden_size=4))
    assert rnnshape.inspect(nn.GRU(3, 4), run=False).run is None


def test_cells_and_packed_inputs_have_tensors_of_their_own() -> None:
    cell = rnnshape.inspect(nn.LSTMCell(3, 4), run=False)
    assert (cell.h_1.shape, cell.c_1.shape, cell.input.shape) == ((5, 4), (5, 4), (5, 3))
    spec = InputSpec(batch_size=3, seq_len=7, lengths=(7, 3, 2))
    assert rnnshape.inspect(nn.GRU(3, 4), spec, run=False).data.shape == (12, 3)


@pytest.mark.parametrize(
    ("module", "name", "there"),
    [
        (nn.GRU(3, 4), "c_n", "input, h_0, output, h_n"),
        (nn.LSTM(3, 4), "h_1", "input, h_0, c_0, output, h_n, c_n"),
        (nn.LSTM(3, 4), "data", "input, h_0, c_0, output, h_n, c_n"),
        (nn.RNNCell(3, 4), "output", "input, h_0, h_1"),
    ],
    ids=["GRU c_n", "LSTM h_1", "LSTM data", "RNNCell output"],
)
def test_a_tensor_that_is_not_there_is_an_attribute_error(
    module: nn.Module, name: str, there: str
) -> None:
    report = rnnshape.inspect(module, run=False)
    with pytest.raises(AttributeError) as missing:
        getattr(report, name)
    text = f"{report.config.class_name} has no {name} here; it has {there}"
    assert str(missing.value).startswith(text)
    assert not hasattr(report, name)


def test_help_describes_each_property_of_a_report() -> None:
    members = inspect.getmembers(rnnshape.Report)
    described = {
        name: inspect.getdoc(member)
        for name, member in members
        if isinstance(member, (property, cached_property))
    }
    assert {"output", "c_1", "parameters", "weights"} <= described.keys()
    assert len({text for text in described.values() if text}) == len(described)


def test_a_weight_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="weight_hr_l0"):
        rnnshape.inspect(nn.LSTM(3, 4), run=False).weights["weight_hr_l0"]


@pytest.mark.parametrize("key", [0, None, b"weight_ih_l0", slice(0, 2)], ids=repr)
def test_weights_have_names_not_places(key: Any) -> None:
    weights = rnnshape.inspect(nn.LSTM(3, 4), run=False).weights
    with pytest.raises(TypeError) as refused:
        weights[key]
    assert str(refused.value).endswith(f'weights["weight_ih_l0"], not by {key!r}')


@pytest.mark.parametrize("name", ["parameters", "macs", "flops", "parameter_bytes", "next_linear"])
@pytest.mark.parametrize(
    "module", [nn.LSTM(20, 40, bidirectional=True), nn.GRUCell(3, 4)], ids=repr
)
def test_a_number_that_can_be_expected_can_be_read(module: nn.Module, name: str) -> None:
    half = Settings(dtype=DType.FLOAT16)
    report = rnnshape.inspect(module, settings=half, run=False)
    report.expect(f"{name} = {getattr(report, name)}")
    with pytest.raises(AssertionError):
        report.expect(f"{name} = {getattr(report, name) + 1}")


def test_the_numbers_are_those_of_the_layer() -> None:
    module = nn.LSTM(20, 40, bidirectional=True).half()
    report = rnnshape.inspect(module, InputSpec(seq_len=3, batch_size=7), run=False)
    weights = [weight for weight in module.parameters() if weight.dim() == 2]
    assert report.parameter_bytes == sum(p.numel() * p.element_size() for p in module.parameters())
    assert report.flops == 2 * 3 * 7 * sum(weight.numel() for weight in weights)
    assert report.next_linear == 2 * 40


def test_the_device_and_dtype_are_those_of_the_weights_unless_given() -> None:
    layer = nn.LSTM(3, 4, dtype=torch.float64, device="meta")
    assert rnnshape.inspect(layer, run=False).settings == Settings(
        device="meta", dtype=DType.FLOAT64
    )
    here = Settings(dtype=DType.FLOAT16)
    assert rnnshape.inspect(layer, settings=here, run=False).settings == here


def test_what_was_not_told_is_known_as_a_default() -> None:
    assert rnnshape.inspect(nn.GRU(3, 4), run=False).subject.assumed == {"batch_size", "seq_len"}
    assert rnnshape.inspect(nn.GRU(3, 4), InputSpec(), run=False).subject.assumed == set()


def test_flags_and_sizes_that_pytorch_takes_are_read_as_it_takes_them() -> None:
    layer = nn.GRU(True, 4, dropout=0, bidirectional=1)
    config = rnnshape.inspect(layer, run=False).config
    assert config == RNNConfig(kind=Kind.GRU, input_size=1, hidden_size=4, bidirectional=True)
    assert (type(config.input_size), config.bidirectional) == (int, True)


class Own(nn.LSTM):
    """A layer of the user's own, none of whose code may run once it is built."""

    built = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.built = True

    def forward(self, *_: object, **__: object) -> Any:
        raise AssertionError("it ran")

    def named_modules(self, *arguments: Any, **options: Any) -> Any:
        assert not self.built, "it ran"
        return super().named_modules(*arguments, **options)

    def named_parameters(self, *arguments: Any, **options: Any) -> Any:
        assert not self.built, "it ran"
        return super().named_parameters(*arguments, **options)


class Model(nn.Module):
    """Two recurrent layers, one of them twice, and a container that is in itself."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"lstm": Own(20, 40, bidirectional=True)})
        self.decoder = nn.GRUCell(80, 7)
        self.again = self.decoder
        self.itself = self.encoder
        self.encoder["itself"] = self.encoder
        self.head = nn.Linear(7, 2)

    def forward(self, *_: object) -> Any:
        raise AssertionError("it ran")

    def named_modules(self, *_: object, **__: object) -> Any:
        raise AssertionError("it ran")


def test_a_model_gives_the_report_of_each_layer_by_name_and_once() -> None:
    reports = rnnshape.inspect_model(Model())
    assert list(reports) == ["encoder.lstm", "decoder"]
    assert len(reports) == 2
    lstm = RNNConfig(kind=Kind.LSTM, bidirectional=True)
    alone = rnnshape.inspect(lstm)
    found = reports["encoder.lstm"].subject.found
    named = replace(alone.subject, name="encoder.lstm", found=found)
    assert reports["encoder.lstm"] == replace(alone, subject=named)
    assert repr(reports["decoder"]) == "<Report nn.GRUCell(80, 7)>"
    assert repr(reports).startswith("Reports({'encoder.lstm': <Report nn.LSTM(20, 40, ")
    reports.expect("encoder.lstm/output = 10,5,80", "decoder/h_1 = 5,7")
    with pytest.raises(AssertionError) as failed:
        reports.expect("decoder/h_1 = 5,8", "encoder.lstm/next_linear = 40")
    assert str(failed.value) == (
        "decoder/h_1 = 5,8: it is (5, 7), not (5, 8)\n"
        "  (N, H_out) with H_out=7 hidden\n"
        "encoder.lstm/next_linear = 40: it is 80, not 40\n"
        "  D*H_out with H_out=40 hidden, D=2"
    )
    with pytest.raises(RequestError, match="is about one of 2 modules"):
        reports.expect("output = 10,5,80")


def test_a_model_that_is_a_layer_or_has_one_needs_no_name() -> None:
    for model in (nn.GRU(3, 4), nn.Sequential(nn.Linear(2, 3), nn.GRU(3, 4))):
        rnnshape.inspect_model(model, run=False).expect("output = 10,5,4")
    nothing = rnnshape.inspect_model(nn.Linear(2, 3), run=False)
    assert not nothing
    with pytest.raises(RequestError, match="there is no recurrent layer"):
        nothing.expect("output = 10,5,4")


def test_what_is_not_a_layer_is_refused() -> None:
    with pytest.raises(RequestError) as refused:
        rnnshape.inspect(nn.Sequential(nn.GRU(3, 4)))
    assert refused.value.problem == "Sequential is not a recurrent layer of torch.nn"
    assert refused.value.hint == "rnnshape.inspect_model finds those in a model"
    with pytest.raises(RequestError) as refused:
        rnnshape.inspect(nn.Sequential(nn.Linear(3, 4)))
    assert refused.value.hint == "rnnshape.inspect(nn.LSTM(20, 40))"
    number: Any = 3
    with pytest.raises(RequestError) as refused:
        rnnshape.inspect(number)
    assert (
        refused.value.problem == "a layer must be an nn.Module, an RNNConfig or a string, not int"
    )
    text: Any = "lstm"
    with pytest.raises(RequestError) as refused:
        rnnshape.inspect_model(text)
    assert refused.value.problem == "a model must be an nn.Module, not str"


def refused(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(RequestError) as caught:
        call()
    return caught.value.problem, caught.value.hint


@pytest.mark.parametrize("inspect", [rnnshape.inspect, rnnshape.inspect_model])
@pytest.mark.parametrize(
    "given", [(5, 10, 20), {}, 0, torch.zeros(5, 10, 20), Settings()], ids=ascii
)
def test_an_input_in_another_form_is_refused(inspect: Any, given: Any) -> None:
    problem, hint = refused(lambda: inspect(nn.LSTM(3, 4), given, run=False))
    assert problem.startswith("the input must be an InputSpec, not ")
    assert eval(hint, {"rnnshape": rnnshape}) == InputSpec()  # noqa: S307 - it is a hint of ours


@pytest.mark.parametrize("inspect", [rnnshape.inspect, rnnshape.inspect_model])
@pytest.mark.parametrize("given", ["cpu", torch.device("cpu"), torch.float16, {}, ""], ids=ascii)
def test_settings_in_another_form_are_refused(inspect: Any, given: Any) -> None:
    problem, hint = refused(lambda: inspect(nn.LSTM(3, 4), None, given, run=False))
    assert problem == f"the settings must be a Settings, not {given!r}"
    assert eval(hint, {"rnnshape": rnnshape}) == Settings()  # noqa: S307 - it is a hint of ours


@pytest.mark.parametrize(
    "given", [["params = 7440"], ("params = 1",), 3, None, b"params = 1"], ids=repr
)
def test_an_expectation_that_is_not_text_is_refused(given: Any) -> None:
    report = rnnshape.inspect(nn.GRU(20, 40), run=False)
    problem, hint = refused(lambda: report.expect(given))
    assert problem == f"an expectation must be a string, NAME OP VALUE, not {given!r}"
    assert ("expect(*expectations)" in hint) is isinstance(given, (list, tuple))


@pytest.mark.parametrize(
    ("attribute", "value", "problem"),
    [
        ("hidden_size", 40.0, "hidden_size of this Own is 40.0, not a whole number"),
        ("proj_size", None, "proj_size of this Own is None, not a whole number"),
        ("bias", torch.ones(2), "bias of this Own is tensor([1., 1.]), not True or False"),
        ("bias", torch.empty(2, device="meta"), "bias of this Own is "),
        ("dropout", "much", "dropout of this Own is 'much', not a number"),
        ("input_size", -(10**5000), "input_size must be a whole number of 1 or more, not a value"),
        ("num_layers", 0, "num_layers must be a whole number of 1 or more, not 0"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_an_attribute_that_pytorch_never_sets_is_refused(
    attribute: str, value: Any, problem: str
) -> None:
    layer = Own(20, 40)
    vars(layer)[attribute] = value
    assert refused(lambda: rnnshape.inspect(layer))[0].startswith(problem)


def test_an_attribute_that_is_missing_or_raises_is_refused() -> None:
    class Raising(nn.RNN):
        @property
        def mode(self) -> str:
            raise OSError

        @mode.setter
        def mode(self, _: str) -> None: ...

    layer = nn.LSTM(3, 4)
    del layer.hidden_size
    missing = "hidden_size of this LSTM is missing, not a whole number"
    assert refused(lambda: rnnshape.inspect(layer))[0] == missing
    assert refused(lambda: rnnshape.inspect(Raising(3, 4)))[0].startswith("mode of this Raising is")


def _without(name: str) -> nn.LSTM:
    layer = nn.LSTM(3, 4)
    delattr(layer, name)
    return layer


def _with(layer: nn.Module, **changed: object) -> nn.Module:
    for name, value in changed.items():
        setattr(layer, name, value)
    return layer


@pytest.mark.parametrize(
    ("layer", "differences"),
    [
        (_without("weight_ih_l0"), "weight_ih_l0 is missing"),
        (_with(nn.LSTM(3, 4), bias_hh_l0=None), "bias_hh_l0 is missing"),
        (
            _with(nn.LSTM(3, 4), weight_hh_l0=nn.Parameter(torch.zeros(2, 5))),
            "weight_hh_l0 is (2, 5), not (16, 4)",
        ),
        (_with(nn.LSTMCell(3, 4), input_size=7), "weight_ih is (16, 3), not (16, 7)"),
        (
            _with(nn.GRU(3, 4, bidirectional=True, bias=False), bidirectional=False),
            "weight_ih_l0_reverse is extra; weight_hh_l0_reverse is extra",
        ),
        (
            _with(nn.RNN(3, 4), num_layers=10**9),
            "weight_ih_l1 is missing; weight_hh_l1 is missing; bias_ih_l1 is missing",
        ),
        (
            _with(nn.LSTM(3, 4), weight_hr_l0=nn.Parameter(torch.zeros(2, 4))),
            "weight_hr_l0 is extra",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_layer_without_the_weights_of_its_sizes_is_refused(
    layer: nn.Module, differences: str
) -> None:
    problem, hint = refused(lambda: rnnshape.inspect(layer))
    described = hint.removeprefix("restore it, or inspect the layer that they describe: ")
    constructor = described.removeprefix("rnnshape.inspect(").removesuffix(")")
    said = f"is not the {constructor} that its attributes describe: {differences}"
    assert problem == f"this {type(layer).__name__} {said}"
    model = nn.ModuleDict({"encoder": layer})
    in_model, _ = refused(lambda: rnnshape.inspect_model(model))
    assert in_model == f"encoder: {problem}"


def test_an_expectation_that_fails_raises_with_expected_actual_and_formula() -> None:
    report = rnnshape.inspect(nn.LSTM(20, 40))
    report.expect("params <= 10k", "output = 10,5,40", "weight_ih_l0 = 160x20")
    with pytest.raises(AssertionError) as failed:
        report.expect("params <= 9k")
    assert str(failed.value) == (
        "params <= 9k: it is 9,920, not at most 9,000\n"
        "  D*(4*H_cell*H_in + 4*H_cell*H_out + 4*H_cell + 4*H_cell)"
        " with H_in=20 input, H_out=H_cell=40 hidden, D=1"
    )
    with pytest.raises(RequestError, match="has no operator"):
        report.expect("params")
    with pytest.raises(RequestError, match="has no foo"):
        report.expect("params <= 9k", "foo = 1")


def test_a_layer_that_pytorch_runs_otherwise_holds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wrong(_predicted: Facts, _measured: Facts) -> tuple[Mismatch, ...]:
        return (Mismatch(what="h_n", predicted=(1, 5, 4), measured=(2, 5, 4)),)

    monkeypatch.setattr(run_module, "verify", wrong)
    report = rnnshape.inspect(nn.GRU(3, 4))
    with pytest.raises(AssertionError, match="MISMATCH: PyTorch"):
        report.expect("output = 10,5,4")


def test_a_string_that_describes_no_layer_is_refused() -> None:
    problem, _ = refused(lambda: rnnshape.inspect("GRUX"))
    assert problem.startswith("GRUX is not a layer")


def test_a_report_shows_itself() -> None:
    report = rnnshape.inspect(nn.LSTM(20, 40, num_layers=4, bidirectional=True))
    document = report_document(Inspection(report=report), show=DEFAULT_SECTIONS)
    assert f"{report}\n" == render(document, Format.TABLE)
    assert report._repr_markdown_() == render(document, Format.MARKDOWN)
    fragment = re.fullmatch(
        r'<div class="rnnshape">\n<style>\n(.*)</style>\n(.*)\n</div>',
        report._repr_html_(),
        re.DOTALL,
    )
    assert fragment is not None
    style, sections = fragment.groups()
    # A rule for anything else would change the rest of the notebook.
    selectors = [each for rule in re.findall(r"(.*) \{", style) for each in rule.split(", ")]
    assert all(selector.startswith(".rnnshape.rnnshape ") for selector in selectors)
    assert f"<main>\n{sections}\n</main>" in render(document, Format.HTML)
    assert repr(report) == "<Report nn.LSTM(20, 40, num_layers=4, bidirectional=True)>"
    for width, formulas in ((80, True), (60, False)):
        written = StringIO()
        Console(file=written, width=width, color_system=None).print(report)
        assert ("(L, N, D*H_out)" in written.getvalue()) is formulas
        assert "output    (10, 5, 80)" in written.getvalue()


@pytest.mark.parametrize(
    ("show", "sections"),
    [
        ("default", DEFAULT_SECTIONS),
        ("weights", {"weights"}),
        ("shapes, gates", {"shapes", "gates"}),
        (["default", "grid"], {*DEFAULT_SECTIONS, "grid"}),
        ("all", {*SECTIONS} - {"time", "expectations"}),
    ],
    ids=["default", "one", "two", "default and one", "all"],
)
def test_a_report_is_written_in_a_format_with_the_sections_asked_for(
    show: str | list[str], sections: set[str], tmp_path: Path
) -> None:
    report = rnnshape.inspect("lstm --layers 2", run=False)
    document = report_document(Inspection(report=report), show=sections)
    assert report.to_markdown(show=show) == render(document, Format.MARKDOWN)
    assert report.to_latex(show=show) == render(document, Format.LATEX)
    assert report.to_html(show=show) == render(document, Format.HTML)
    for output in Format:
        for suffix in output.suffixes:
            file = tmp_path / f"report{suffix.upper()}"
            report.save(file, show=show)
            assert file.read_bytes() == render(document, output).encode()
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith("report.")]


def test_the_reports_of_a_model_are_written_together(tmp_path: Path) -> None:
    reports = rnnshape.inspect_model(Model(), run=False)
    reports.save(f"{tmp_path}/model.md", show="header")
    assert (tmp_path / "model.md").read_text() == (
        "**`encoder.lstm: nn.LSTM(20, 40, bidirectional=True)`** 19,840 parameters, 79.4 kB\n\n"
        "**`decoder: nn.GRUCell(80, 7)`** 1,869 parameters, 7.48 kB\n"
    )
    reports.save(tmp_path / "model.csv")
    assert (tmp_path / "model.csv").read_text().count("\n") == 1 + len(reports)


def test_a_file_or_a_section_that_cannot_be_is_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    report = rnnshape.inspect("gru --cell", run=False)
    file = tmp_path / "report.md"
    file.write_text("before")
    for problem, hint, call_ in (
        ("has no suffix that names a format", "one of .txt", lambda: report.save("a.xyz")),
        ("there is no folder", "save with a file in", lambda: report.save(tmp_path / "b" / "c.md")),
        ("it is a folder", "save with a file in", lambda: report.save(_folder(tmp_path / "d.md"))),
        ("show='weightz' names no section; there are default,", "show='weights'",
         lambda: report.save(file, show="weightz")),
        ("show='grid' is empty here", "show='default'", lambda: report.save(file, show="grid")),
        ("show='time' names no section", "show='", lambda: report.to_html(show="time")),
    ):  # fmt: skip
        found, advice = refused(call_)
        assert problem in found
        assert advice.startswith(hint)
    assert file.read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} == {"report.md", "d.md"}


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_the_reports_of_a_model_show_themselves_by_name() -> None:
    reports = rnnshape.inspect_model(Model(), run=False)
    text = str(reports)
    lines = text.splitlines()
    assert lines[0].startswith("encoder.lstm: nn.LSTM(20, 40, bidirectional=True) ")
    second = next(
        n for n, line in enumerate(lines) if line.startswith("decoder: nn.GRUCell(80, 7)")
    )
    alone = str(reports["encoder.lstm"]).splitlines()
    assert lines[1 : len(alone)] == alone[1:]
    assert lines[second + 1 :] == str(reports["decoder"]).splitlines()[1:]
    assert "decoder: nn.GRUCell(80, 7)" in reports._repr_markdown_()
    assert reports._repr_html_().count("nn.GRUCell(80, 7)") >= 1
    written = StringIO()
    Console(file=written, width=80, color_system=None).print(reports)
    assert "decoder: nn.GRUCell(80, 7)" in written.getvalue()


def test_a_model_without_recurrent_layers_shows_that() -> None:
    nothing = rnnshape.inspect_model(nn.Linear(2, 3), run=False)
    assert str(nothing) == "there is no recurrent layer"
    assert nothing._repr_markdown_() == "there is no recurrent layer\n"


def test_the_package_imports_nothing_before_it_is_asked_to() -> None:
    program = (
        "import sys, rnnshape\n"
        "before = {name for name in sys.modules if name.startswith('rnnshape.')}\n"
        "config = rnnshape.RNNConfig(kind=rnnshape.Kind.GRU)\n"
        "report = rnnshape.inspect(config, run=False)\n"
        "report.expect('params = 7440')\n"
        "print(before, {'torch', 'rich', 'typer', 'pydantic'} & sys.modules.keys())"
    )
    result = spawn("-c", program, program=PYTHON)
    assert result == Result(code=0, out="set() set()\n", err="")


# As much of torch as a type checker needs to know; to read all of it takes it twenty seconds. That
# the real classes are taken too is seen where the types of these tests are checked.
TORCH = """
class Module: ...
class LSTM(Module):
    def __init__(self, input_size: int, hidden_size: int) -> None: ...
class GRU(LSTM): ...
class Sequential(Module):
    def __init__(self, *modules: Module) -> None: ...
"""
CHECKER = """
[mypy]
strict = True
follow_imports = silent
[mypy-torch.*,rich.*,typer.*,matplotlib.*]
follow_imports = skip
[mypy-torch,torch.nn]
follow_imports = normal
"""

SNIPPET = """
from collections.abc import Mapping

from torch import nn

import rnnshape
from rnnshape import InputSpec, Report

report: Report = rnnshape.inspect(nn.LSTM(20, 40), InputSpec(batch_size=2), run=False)
text: str = str(report)
shape: tuple[int, ...] = report.output.shape
rows: int = report.weights["weight_ih_l0"].shape[0]
total: int = report.parameters
report.expect("params <= 150k")
markdown: str = report.to_markdown(show="weights") + report.to_latex(show=["shapes"])
report.save("report.html", show=("default", "gates"))
by_name: Mapping[str, Report] = rnnshape.inspect_model(nn.Sequential(nn.GRU(3, 4)))
"""


WRONG = """
text = report.parameters
total = report.output.shape
rows = report.weights["weight_ih_l0"]
report.expect(3)
rnnshape.inspect(3)
report.to_html("weights")
report.save("report.html", show=3)
"""


def test_a_strict_type_checker_knows_the_api(tmp_path: Path) -> None:
    """It finds nothing in what is meant, and something in each line that is wrong."""
    names = ("meant.py", "wrong.py")
    texts = {
        "meant.py": SNIPPET,
        "wrong.py": SNIPPET + WRONG,
        "mypy.ini": CHECKER,
        "torch/__init__.pyi": "",
        "torch/nn.pyi": TORCH,
    }
    (tmp_path / "torch").mkdir()
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    env = environment(MYPYPATH=str(ROOT))
    result = spawn("-m", "mypy", *names, program=PYTHON, cwd=tmp_path, env=env)
    assert (result.code, result.err) == (1, "")
    errors = re.findall(r"(\w+)\.py:(\d+): error", result.out)
    wrong = range(SNIPPET.count("\n") + 2, (SNIPPET + WRONG).count("\n") + 1)
    assert errors == [("wrong", str(line)) for line in wrong], result.out
