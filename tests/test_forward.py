"""What a model's layers get: `--forward`, `inspect_model(model, inputs=...)`, the section calls."""

from __future__ import annotations

import hashlib
import json
import pickle
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

import rnnshape
from rnnshape import InputSpec, Reports, RequestError, RNNConfig
from rnnshape.layer.calls import Call
from rnnshape.layer.findings import BatchReadAsSteps, NotCalled
from rnnshape.pytorch.request import GivenTensor
from rnnshape.sources.forward import read_given_tensor
from tests import reference
from tests.program import call
from tests.schemas import problems
from tests.strategies import configs, examples, inputs


class Tagger(nn.Module):
    def __init__(self, **arguments: Any) -> None:
        super().__init__()
        self.embed = nn.Embedding(100, 32)
        self.lstm = nn.LSTM(32, 64, **arguments)
        self.transposed = False

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embed(tokens)
        return self.lstm(x.transpose(0, 1) if self.transposed else x)[0]  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """A packed encoder, then a cell in a loop, then a layer that is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.GRU(8, 16, batch_first=True)
        self.cell = nn.LSTMCell(16, 12)
        self.unused = nn.GRU(3, 4)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> Any:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, h = self.encoder(packed)
        states = None
        for _ in range(5):
            states = self.cell(h[0], states)
        return states


def calls_of(reports: Reports, name: str) -> tuple[Call, ...]:
    found = reports[name].subject.found
    assert found is not None
    assert found.calls is not None
    return found.calls


def swapped(reports: Reports) -> list[BatchReadAsSteps]:
    return [
        finding
        for report in reports.values()
        for finding in report.findings
        if isinstance(finding, BatchReadAsSteps)
    ]


TOKENS = torch.randint(1, 100, (16, 50))


# What the layers get


@given(config=configs(largest=4), spec=inputs(fewest=1), data=st.data())
@examples(60)
def test_calls_are_what_the_layer_was_given_and_returned(
    config: RNNConfig, spec: InputSpec, data: st.DataObject
) -> None:
    class Around(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = reference.built(config)

        def forward(self, x: torch.Tensor) -> Any:
            return self.layer(x)

    model = Around()
    expected = reference.called(model.layer, config, spec)
    reports = rnnshape.inspect_model(model, inputs=(expected["input"],), run=False)
    (one,) = calls_of(reports, "layer")
    assert one.tensors == {name: tuple(value.shape) for name, value in expected.items()}
    assert one.input_spec == InputSpec(
        batch_size=spec.batch_size, seq_len=spec.seq_len, batched=spec.batched
    )
    report = reports["layer"]
    assert report.input_spec == one.input_spec
    assert report.macs == reference.macs(config, one.input_spec)
    assert not report.disagrees
    assert not report.mismatches


def test_packed_inputs_states_and_cells_in_loops_are_told() -> None:
    lengths = torch.tensor([5, 7, 2])
    reports = rnnshape.inspect_model(Decoder(), inputs=(torch.randn(3, 7, 8), lengths))
    (packed,) = calls_of(reports, "encoder")
    assert packed.packed
    assert packed.input_spec.lengths == (5, 7, 2)
    assert packed.tensors == {"data": (14, 8), "output": (14, 16), "h_n": (1, 3, 16)}
    first, others = calls_of(reports, "cell")
    assert (first.count, first.input_spec.with_state) == (1, False)
    assert (others.count, others.input_spec.with_state) == (4, True)
    assert others.tensors == {
        "input": (3, 16), "h_0": (3, 12), "c_0": (3, 12), "h_1": (3, 12), "c_1": (3, 12)
    }  # fmt: skip
    assert NotCalled() in reports["unused"].findings
    assert calls_of(reports, "unused") == ()
    assert all(not report.disagrees for report in reports.values())
    text = str(reports)
    assert f"{5 * 3 * 4 * 12 * (16 + 12):,}" in text  # the total of the cell


def test_macs_and_shapes_are_in_json() -> None:
    lengths = torch.tensor([5, 7, 2])
    reports = rnnshape.inspect_model(Decoder(), inputs=(torch.randn(3, 7, 8), lengths), run=False)
    data = reports._document().data()
    assert not list(problems(data, "report"))
    encoder, cell, unused = (module["calls"] for module in data["modules"])
    assert encoder == [
        {
            "input": [14, 8],
            "output": [14, 16],
            "states": {},
            "final_states": {"h_n": [1, 3, 16]},
            "packed": True,
            "lengths": [5, 7, 2],
            "count": 1,
            "macs": 14 * 3 * 16 * (8 + 16),
        }
    ]
    assert [(each["count"], each["macs"]) for each in cell] == [
        (1, 3 * 4 * 12 * (16 + 12)),
        (4, 3 * 4 * 12 * (16 + 12)),
    ]
    assert unused == []


def test_a_result_that_differs_from_the_formulas_is_a_mismatch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from torch.nn.modules import rnn

    forward = rnn.GRU.forward

    def wrong(self: Any, *given: Any, **named: Any) -> Any:
        output, h_n = forward(self, *given, **named)
        return output[..., :-1], h_n

    wrong.__module__ = "torch.nn.modules.rnn"
    monkeypatch.setattr(rnn.GRU, "forward", wrong)
    reports = rnnshape.inspect_model(nn.GRU(3, 4), inputs=torch.randn(5, 2, 3), run=False)
    assert reports[""].disagrees
    text = str(reports)
    assert "MISMATCH" in text
    assert "(5, 2, 4)" in text
    assert "(5, 2, 3)" in text
    with pytest.raises(AssertionError):
        reports.expect("params > 1")


class Doubled(nn.LSTM):
    def forward(self, x: torch.Tensor, scale: int) -> torch.Tensor:  # type: ignore[override]
        return super().forward(x * scale)[0].repeat(1, 1, 2)


def test_a_forward_of_a_subclass_is_shown_and_not_blamed_on_the_formulas() -> None:
    class Around(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = Doubled(3, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x, 2)  # type: ignore[no-any-return]

    reports = rnnshape.inspect_model(Around(), inputs=torch.randn(5, 2, 3))
    (one,) = calls_of(reports, "layer")
    assert one.tensors == {"input": (5, 2, 3), "output": (5, 2, 8)}
    assert not reports["layer"].disagrees


# The batch that is read as the sequence


@pytest.mark.parametrize(
    ("batch_first", "transposed", "is_swapped"),
    [(False, False, True), (True, False, False), (False, True, False), (True, True, True)],
)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_batch_that_is_read_as_the_sequence_is_found(
    batch_first: bool, transposed: bool, is_swapped: bool, bidirectional: bool
) -> None:
    model = Tagger(batch_first=batch_first, bidirectional=bidirectional)
    model.transposed = transposed
    reports = rnnshape.inspect_model(model, inputs=(TOKENS,))
    found = [BatchReadAsSteps(layer="lstm", size=16, batch_first=batch_first, batched=True)]
    assert swapped(reports) == found * is_swapped
    text = " ".join(str(reports).split())
    assert ("the model's first axis (16) is read by lstm as" in text) is is_swapped
    # What the finding advises is what mends it.
    model.transposed = not transposed
    assert swapped(rnnshape.inspect_model(model, inputs=(TOKENS,))) == found * (not is_swapped)


@pytest.mark.parametrize("batch_first", [False, True])
def test_rows_that_are_read_as_one_sequence_are_found(batch_first: bool) -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.GRU(8, 4, batch_first=batch_first))
    x = torch.randn(16, 8)
    reports = rnnshape.inspect_model(model, inputs=x)
    assert swapped(reports) == [
        BatchReadAsSteps(layer="1", size=16, batch_first=batch_first, batched=False)
    ]
    advice = f"x.unsqueeze({int(batch_first)})"
    assert f"give the layer {advice}" in " ".join(str(reports).split())
    assert not swapped(rnnshape.inspect_model(model, inputs=eval(advice, {"x": x})))  # noqa: S307


def test_values_that_do_not_tell_the_axis_tell_nothing() -> None:
    mixed = nn.Sequential(nn.Softmax(0), nn.GRU(3, 4))
    assert not swapped(rnnshape.inspect_model(mixed, inputs=torch.randn(5, 5, 3)))
    lone = rnnshape.inspect_model(nn.GRU(3, 4), inputs=torch.randn(1, 5, 3))
    assert not swapped(lone)
    meta = torch.randn(16, 5, 3, device="meta")
    assert not swapped(rnnshape.inspect_model(nn.GRU(3, 4, device="meta"), inputs=meta))


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.uint8, torch.complex64])
def test_inputs_of_every_dtype_tell_the_axis(dtype: torch.dtype) -> None:
    class Cast(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru = nn.GRU(3, 4)

        def forward(self, x: torch.Tensor) -> Any:
            return self.gru(torch.view_as_real(x).sum(-1) if x.is_complex() else x.float())

    given = torch.ones(5, 2, 3, dtype=dtype)
    assert len(swapped(rnnshape.inspect_model(Cast(), inputs=given))) == 1
    assert torch.equal(given, torch.ones(5, 2, 3, dtype=dtype))


# What is left as it was


class Stateful(nn.Module):
    """A model that changes all that it can when it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.utils.parametrizations.weight_norm(nn.LSTM(3, 4), "weight_hh_l0")
        self.norm = nn.BatchNorm1d(4, momentum=0.5)
        self.count: torch.Tensor
        self.register_buffer("count", torch.zeros(1))
        self.register_buffer("replaced", torch.zeros(1))
        self.hidden: Any = None
        self.kept = torch.zeros(2)
        self.history: list[Any] = [1]
        self.cache: dict[str, Any] = OrderedDict(a=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output, self.hidden = self.lstm(x, self.hidden)
        self.count.add_(1)
        self.replaced = self.kept + 1
        self.kept.add_(1)
        self.history.append(output)
        self.cache["a"] = self.cache["b"] = output
        self.lstm.train()
        torch.manual_seed(5)
        torch.set_default_dtype(torch.float64)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.set_grad_enabled(True)
        x.zero_()
        return self.norm(output[-1].float()) + torch.rand(1)  # type: ignore[no-any-return]


def fingerprint(model: nn.Module) -> str:
    parts = {name: value.clone() for name, value in model.state_dict().items()}
    rest = [
        (
            name,
            sorted(set(vars(module)) - {"_parameters", "_buffers", "_modules"}),
            module.training,
            len(module._forward_hooks),
            type(module).__name__,
        )
        for name, module in model.named_modules()
    ]
    data = {name: value.numpy().tobytes() for name, value in parts.items()}
    return hashlib.sha256(pickle.dumps((data, rest))).hexdigest()


def test_the_model_its_inputs_and_torch_are_left_as_they_were() -> None:
    model, x = Stateful(), torch.randn(5, 2, 3)
    model.norm.eval()
    before, given = fingerprint(model), x.clone()
    containers = model.history, model.cache, model.kept
    random = torch.get_rng_state()
    reports = rnnshape.inspect_model(model, inputs=(x,), run=False)
    assert len(calls_of(reports, "lstm")) == 1
    assert fingerprint(model) == before
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.equal(x, given)
    assert (torch.get_default_dtype(), torch.is_grad_enabled()) == (torch.float32, True)
    assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert (model.hidden, model.history, model.cache) == (None, [1], {"a": 1})
    assert containers == (model.history, model.cache, model.kept)
    assert model.history is containers[0]
    assert model.kept.tolist() == [0, 0]


def test_a_model_that_fails_is_left_as_it_was_too() -> None:
    model = Stateful()
    before = fingerprint(model)
    with pytest.raises(RequestError, match="the model's forward fails: "):
        rnnshape.inspect_model(model, inputs=(torch.randn(5, 2, 9),))
    assert fingerprint(model) == before
    assert torch.get_default_dtype() is torch.float32


def test_lazy_modules_stay_lazy_and_their_layers_are_read() -> None:
    model = nn.Sequential(nn.LazyLinear(3), nn.GRU(3, 4))
    reports = rnnshape.inspect_model(model, inputs=torch.randn(5, 2, 7))
    assert calls_of(reports, "1")[0].tensors["input"] == (5, 2, 3)
    assert type(model[0]) is nn.LazyLinear
    assert isinstance(model[0].weight, nn.UninitializedParameter)


def test_a_compiled_model_is_run_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def backend(*given: Any) -> None:
        raise AssertionError("compiled")

    model: Any = torch.compile(Tagger(), backend=backend)
    assert len(calls_of(rnnshape.inspect_model(model, inputs=(TOKENS,)), "_orig_mod.lstm")) == 1


@pytest.mark.filterwarnings("ignore")  # TorchScript is deprecated
def test_calls_inside_torchscript_are_said_to_be_out_of_sight() -> None:
    compiled: Any = torch.jit.script(nn.Sequential(nn.GRUCell(3, 4)))
    reports = rnnshape.inspect_model(compiled, inputs=torch.randn(5, 3))
    assert reports.passed_over == ("calls of 0 cannot be seen: it is TorchScript",)
    assert not reports["0"].findings


def test_two_hundred_layers_cost_a_tenth_of_a_second_beyond_their_run() -> None:
    class Deep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(nn.LSTM(8, 8) for _ in range(200))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for layer in self.layers:
                x, _ = layer(x)
            return x

    model, x = Deep().eval(), torch.randn(5, 3, 8)

    def seconds(run: Any) -> float:
        begun = time.process_time()
        run()
        return time.process_time() - begun

    def ran() -> None:
        with torch.no_grad():
            model(x)

    ran()
    own = min(seconds(ran) for _ in range(3))
    for given_ in (None, (x,)):
        took = min(
            seconds(lambda given_=given_: rnnshape.inspect_model(model, inputs=given_, run=False))
            for _ in range(3)
        )
        # A run with inputs is two, and the bar is loose, since other tests run at the same time.
        assert took - 2 * own < 0.4


# The command line


@pytest.mark.parametrize(
    ("text", "tensor"),
    [
        ("16,50", GivenTensor(shape=(16, 50))),
        ("16x50x8", GivenTensor(shape=(16, 50, 8))),
        ("16, 50:int64", GivenTensor(shape=(16, 50), dtype="int64")),
        ("3:long=7", GivenTensor(shape=(3,), dtype="int64", value=7)),
        ("3=-1", GivenTensor(shape=(3,), value=-1)),
        (f"00{2**63 - 1}=-0", GivenTensor(shape=(2**63 - 1,), value=0)),
    ],
)
def test_a_tensor_is_described_by_shape_dtype_and_value(text: str, tensor: GivenTensor) -> None:
    assert read_given_tensor(text) == tensor


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "16,", "16,50:", "16,50:int65", "16=", "16=x", "-1,2", "1,2=1.5"),
        *("9" * 30, "9" * 5000, str(2**63), f"3={2**63}", f"3=-{'9' * 5000}"),
    ],
)
def test_another_text_is_refused_with_examples(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        read_given_tensor(text)
    assert "--forward" in refused.value.problem
    assert refused.value.hint


NET = """\
import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(100, 32)
        self.lstm = nn.LSTM(32, 64)

    def forward(self, tokens, lengths=None):
        print("forward")
        return self.lstm(self.embed(tokens))


def double():
    return nn.GRU(3, 4).double()
"""


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)
    return tmp_path


def test_forward_shows_what_the_layers_get(net: Path) -> None:
    result = call("inspect", "net.py:Tagger", "--forward", "16,50:int64", "--no-run", "-f", "json")
    assert result.code == 0
    (module,) = json.loads(result.out)["modules"]
    assert module["calls"][0]["input"] == [16, 50, 32]
    assert module["tensors"]["output"]["shape"] == [16, 50, 64]
    assert module["assumed"] == []
    assert [each["code"] for each in module["findings"]] == ["batch-read-as-seq"]
    assert set(result.err.splitlines()) == {"forward"}


def test_an_input_that_is_given_beside_it_is_what_the_report_is_about(net: Path) -> None:
    more = ("--batch", "7", "--no-run", "-f", "json")
    result = call("inspect", "net.py:Tagger", "--forward", "16,50:int64", *more)
    (module,) = json.loads(result.out)["modules"]
    assert module["input"]["batch_size"] == 7
    assert module["calls"][0]["input"] == [16, 50, 32]


def test_tensors_are_in_the_dtype_of_the_model(net: Path) -> None:
    assert call("inspect", "net.py:double", "--forward", "5,2,3", "--no-run").code == 0


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        (
            ("net.py:Tagger", "--forward", "16,50"),
            "error: the model's forward fails: net.py:13: RuntimeError: ",
            (
                "hint: one --forward SHAPE[:DTYPE][=VALUE] for each argument of"
                " forward(tokens, lengths); 1 is given"
            ),
        ),
        (
            ("lstm", "--forward", "16,50"),
            "error: --forward runs a model, but lstm is not a model",
            "hint: name a model, net.py:Tagger, or leave --forward out",
        ),
        (
            ("net.py:Tagger", "--forward", f"{2**40},{2**20}"),
            "error: the tensors of --forward cannot be made: ",
            "hint: give smaller shapes",
        ),
    ],
)
def test_a_forward_that_fails_is_told(
    net: Path, arguments: tuple[str, ...], problem: str, hint: str
) -> None:
    result = call("inspect", *arguments)
    assert (result.code, result.out) == (2, "")
    *_, first, second = result.err.splitlines()
    assert first.startswith(problem)
    assert second == hint


def test_the_section_needs_a_forward(net: Path) -> None:
    result = call("inspect", "net.py:Tagger", "--no-run", "--show", "calls")
    assert result.code == 2
    assert "--show calls shows what --forward measures" in result.err
