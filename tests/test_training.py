"""`--train`: what training steps take, measured and next to the formula."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnshape import InputSpec, Kind, RequestError, RNNConfig
from rnnshape.layer.memory import need_of_training
from rnnshape.layer.run import Training
from rnnshape.layer.settings import DType, Optimizer
from rnnshape.pytorch import backend
from rnnshape.pytorch.probes import training as probe_module
from rnnshape.pytorch.probes.training import training
from tests import reference
from tests.program import call, needs_pinned_torch, shell
from tests.strategies import configs, examples, inputs, packed_inputs
from tests.subjects import subject


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "_MOST_SECONDS", 0.0)


def _trained(*arguments: object, **settings: object) -> Training:
    outcome = training(subject(*arguments, **settings))  # type: ignore[arg-type]
    assert outcome.mismatches == ()
    assert isinstance(outcome.value, Training)
    return outcome.value


@needs_pinned_torch
@given(configs(), st.one_of(inputs(fewest=1), packed_inputs()))
@examples(15)
def test_a_training_step_keeps_what_was_predicted(config: RNNConfig, spec: InputSpec) -> None:
    found = _trained(config, spec)
    assert found.kept == found.predicted
    assert found.gradients == 4 * reference.parameters(config)


@pytest.mark.parametrize(
    ("optimizer", "moments"), [(Optimizer.SGD, 0), (Optimizer.ADAM, 2), (Optimizer.ADAMW, 2)]
)
def test_the_state_of_the_optimizer_is_measured(optimizer: Optimizer, moments: int) -> None:
    config = RNNConfig(kind=Kind.GRU)
    found = _trained(config, optimizer=optimizer)
    assert found.optimizer == moments * 4 * reference.parameters(config)


@pytest.mark.parametrize("dtype", [DType.FLOAT64, DType.BFLOAT16, DType.COMPLEX64])
def test_other_dtypes_are_trained_too(dtype: DType) -> None:
    found = _trained(RNNConfig(kind=Kind.GRU), dtype=dtype)
    assert found.kept == found.predicted


def test_a_cell_is_trained_for_one_step() -> None:
    found = _trained(RNNConfig(kind=Kind.LSTM, cell=True), InputSpec(batch_size=3, seq_len=1))
    assert found.kept == found.predicted == 4 * 3 * 40 * 6  # i f g o, tanh c, and the zeros


def test_the_random_numbers_of_the_caller_stay() -> None:
    torch.manual_seed(5)
    _trained(RNNConfig(kind=Kind.GRU, num_layers=2, dropout=0.5))
    drawn = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(3))
    assert torch.is_grad_enabled()


def test_a_prediction_that_is_off_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "kept_for_backward", lambda *_, **__: 50_000)
    out = call("gru", "--train").out
    # 7 numbers for each of 50 steps of 40, in 4 bytes.
    assert "kept for backward   56,000  56.0 kB  predicted 50,000, 10.7% less" in out
    assert "56,000 bytes in a training step, 50,000 were predicted" in " ".join(out.split())


def test_the_peak_of_a_large_layer_is_near_the_estimate() -> None:
    config = RNNConfig(kind=Kind.GRU, input_size=64, hidden_size=256, num_layers=2)
    spec = InputSpec(batch_size=64, seq_len=50)
    found = _trained(config, spec)
    if found.peak is None:
        pytest.skip("this system does not tell the peak")
    needed = need_of_training(subject(config, spec)).total
    assert needed == pytest.approx(found.peak, rel=0.3)  # the heap of this process has holes


def test_the_section_names_threads_and_mode_and_fits_a_screen() -> None:
    lines = call("lstm", "--train", "--optimizer", "adamw").out.splitlines()
    threads = torch.get_num_threads()
    named = "1 thread" if threads == 1 else f"{threads} threads"
    for pattern in (
        rf"(medians of \d+ steps|one step) in train mode, after warm-up, with {named}",
        r"AdamW +79,360 +79\.4 kB +two moments of each parameter",
        r"AdamW +[\d.]+ [mun]?s +[\d.]+ [mun]?s to [\d.]+ [mun]?s",
    ):
        assert any(re.fullmatch(pattern, line) for line in lines), pattern
    assert max(map(len, lines)) <= 80


def test_training_that_memory_cannot_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "free_memory", lambda _: 100_000)
    with pytest.raises(RequestError, match=r"^a training step on cpu needs [0-9,]+ bytes besides"):
        training(subject(RNNConfig(kind=Kind.LSTM)))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("std::bad_alloc"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=["Python", "C++", "torch"],
)
def test_memory_that_runs_out_is_a_refusal_in_every_dtype(error: Exception) -> None:
    for dtype in (DType.FLOAT32, DType.FLOAT64):
        layer = subject(RNNConfig(kind=Kind.RNN), dtype=dtype)
        with pytest.raises(RequestError) as refusal, backend.refusals(layer):
            raise error
        assert refusal.value.problem.startswith("a run on cpu needs about ")
        assert refusal.value.problem.endswith(" and an allocation failed")


def test_memory_that_runs_out_in_python_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("rnnshape.cli.main._dispatch", fail)
    result = call("compare", "lstm", "gru")
    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines()[0] == "error: there is not enough memory for this request"


@pytest.mark.parametrize(
    ("kilobytes", "request_"),
    [
        (300_000, "lstm"),
        (300_000, "lstm --device meta"),
        (600_000, "gru --train"),
        (1_000_000, "rnn --seq 1000000 --hidden 1 --input 1 --batch 1"),
        (1_000_000, "rnn --seq 1000000 --hidden 1 --input 1 --batch 1 --dtype float64"),
        (1_000_000, "lstm --hidden 4000 --train"),
        (260_000, "compare lstm gru --hidden 1..30000"),
    ],
)
def test_a_small_address_space_gives_a_refusal(kilobytes: int, request_: str) -> None:
    done = shell(f"ulimit -v {kilobytes} && rnnshape {request_}")
    error, hint = done.err.splitlines()
    assert (done.code, done.out) == (2, "")
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")


@pytest.mark.skipif(bool(torch.version.cuda), reason="the libraries of CUDA need more")
def test_a_small_run_fits_a_small_address_space() -> None:
    done = shell("ulimit -v 1000000 && rnnshape lstm --show verification")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("ok: ")


def test_the_optimizer_changes_what_cost_says() -> None:
    adam = call("lstm", "--no-run", "--show", "cost").out
    assert call("lstm", "--no-run", "--show", "cost", "--optimizer", "ADAM").out == adam
    sgd = call("lstm", "--no-run", "--show", "cost", "--optimizer", "sgd").out
    assert "Adam" in adam
    assert "Adam" not in sgd
    layer = subject(RNNConfig(kind=Kind.LSTM), optimizer="sgd")
    settings = replace(layer.settings, device="meta")
    assert replace(layer, settings=settings).request == (
        "rnnshape.inspect(nn.LSTM(20, 40), settings=rnnshape.Settings(device='meta',"
        " optimizer='sgd'))"
    )


@pytest.mark.parametrize("more", [(), ("--no-run",), ("--show", "gates"), ("--device", "meta")])
def test_an_optimizer_that_nothing_shown_depends_on_is_refused(more: tuple[str, ...]) -> None:
    refused = call("lstm", "--optimizer", "sgd", *more)
    assert refused.code == 2
    assert refused.err == (
        "error: --optimizer is about training, of which nothing is shown\nhint: add --show cost\n"
    )


def test_an_optimizer_changes_what_json_says_without_show() -> None:
    assert call("lstm", "--optimizer", "sgd", "--no-run", "-f", "json").code == 0


def test_cost_does_not_advise_a_measurement_that_the_device_cannot_make() -> None:
    said = call("lstm", "--show", "cost", "--device", "meta").out
    assert "Peaks are higher." in said
    assert "--train" not in said
