"""A run leaves torch as it was, feeds what can tell right from wrong, and refuses in words."""

from __future__ import annotations

import dataclasses
import re
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import pytest
import torch

from rnnshape import DType, InputSpec, Kind, RequestError, RNNConfig, Settings, inspect
from rnnshape.layer.run import Mismatch, Run
from rnnshape.pytorch import backend, forward
from rnnshape.pytorch.probes import cpu_values, within
from rnnshape.pytorch.probes.timing import timed
from tests import reference
from tests.program import PYTHON, environment, spawn
from tests.subjects import subject

_LSTM = RNNConfig(kind=Kind.LSTM)
_STEP = InputSpec(batch_size=1, seq_len=1)
_HUGE = RNNConfig(
    kind=Kind.LSTM, input_size=65536, hidden_size=65536, num_layers=8, bidirectional=True
)


def _run(config: RNNConfig, input_spec: InputSpec | None = None, **settings: Any) -> Run:
    run = inspect(config, input_spec, Settings(**settings)).run
    assert run is not None
    return run


def _state() -> dict[str, Any]:
    """What a program may have set in torch and in Python, and would miss."""
    return {
        "random numbers": torch.get_rng_state().tolist(),
        "grad mode": torch.is_grad_enabled(),
        "inference mode": torch.is_inference_mode_enabled(),
        "threads": torch.get_num_threads(),
        "oneDNN": torch.backends.mkldnn.enabled,
        "default dtype": torch.get_default_dtype(),
        "default device": torch.get_default_device(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "warnings": list(warnings.filters),
        "show a warning": warnings.showwarning,
    }


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _without_onednn() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.backends.mkldnn, "enabled", False)
        yield


@contextmanager
def _caught_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        yield


_CALLERS = [
    pytest.param(nullcontext(), id="no setting"),
    pytest.param(_default_dtype(torch.float64), id="default dtype float64"),
    pytest.param(reference.default_device("meta"), id="default device meta"),
    pytest.param(torch.device("meta"), id="with torch.device"),
    pytest.param(torch.no_grad(), id="no_grad"),
    pytest.param(torch.inference_mode(), id="inference_mode"),
    pytest.param(_threads(2), id="two threads"),
    pytest.param(_without_onednn(), id="oneDNN off"),
    pytest.param(_caught_warnings(), id="warnings shown"),
]


@pytest.mark.parametrize("caller", _CALLERS)
def test_a_run_leaves_the_callers_settings_and_agrees_under_them(
    caller: AbstractContextManager[None],
) -> None:
    config = RNNConfig(kind=Kind.LSTM, num_layers=2, bidirectional=True, proj_size=10, dropout=0.5)
    with caller:
        before = _state()
        run = _run(config, InputSpec(with_state=True))
        assert _state() == before
    assert run.agrees
    assert {claim.holds for claim in run.claims} == {True}


def test_the_settings_of_these_tests_are_really_set() -> None:
    with (
        _default_dtype(torch.float64),
        reference.default_device("meta"),
        _threads(2),
        _without_onednn(),
    ):
        state = _state()
    assert (state["default dtype"], state["default device"]) == (
        torch.float64,
        torch.device("meta"),
    )
    assert (state["threads"], state["oneDNN"]) == (2, False)


_REFUSED = [
    pytest.param(_HUGE, {}, id="for want of memory"),
    pytest.param(_LSTM, {"device": "xpu"}, id="for want of a device"),
    pytest.param(_LSTM, {"dtype": DType.FLOAT8_E5M2}, id="in the middle of a run"),
]


@pytest.mark.parametrize(("config", "settings"), _REFUSED)
def test_a_refused_run_leaves_the_callers_settings(
    config: RNNConfig, settings: dict[str, Any]
) -> None:
    with _threads(2), _default_dtype(torch.float64):
        before = _state()
        with pytest.raises(RequestError):
            _run(config, **settings)
        assert _state() == before


def test_a_bug_in_the_middle_of_a_run_leaves_the_callers_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken(torch.nn.LSTM):
        def forward(self, *_: Any) -> Any:
            raise RuntimeError("a bug, which is not for want of memory or a kernel")

    monkeypatch.setattr(torch.nn, "LSTM", Broken)
    before = _state()
    with pytest.raises(RuntimeError, match="a bug, which"):
        _run(_LSTM)
    assert _state() == before


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(RNNConfig(kind=Kind.LSTM, dropout=0.5), id="dropout with one layer"),
        pytest.param(RNNConfig(kind=Kind.LSTM, proj_size=10), id="projection without oneDNN"),
    ],
)
def test_a_run_is_silent_where_pytorch_warns(config: RNNConfig) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert _run(config).agrees
    assert seen == []


def test_pytorch_warns_of_dropout_with_one_layer() -> None:
    """Else the test above could not fail."""
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        torch.nn.LSTM(20, 40, dropout=0.5)


class _Watched:
    """What the layer that is run is made of, and what it is fed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
        parent: Any = getattr(torch.nn, kind.value)
        watched = self

        class Watched(parent):  # type: ignore[misc]
            def forward(self, given: torch.Tensor, *states: Any) -> Any:
                watched.training = self.training
                watched.modes = (torch.is_inference_mode_enabled(), torch.backends.mkldnn.enabled)
                watched.threads = torch.get_num_threads()
                watched.given = given.clone()
                watched.weights = {name: w.clone() for name, w in self.named_parameters()}
                watched.returned = super().forward(given, *states)
                return watched.returned

        self.training: bool
        self.modes: tuple[bool, Any]  # inference, oneDNN
        self.threads: int
        self.given: torch.Tensor
        self.weights: dict[str, torch.Tensor]
        self.returned: Any
        monkeypatch.setattr(torch.nn, kind.value, Watched)


def _distinct(tensor: torch.Tensor) -> set[complex]:
    return set(tensor.flatten().tolist())


@pytest.mark.parametrize(
    "dtype",
    [DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32, DType.FLOAT64, DType.COMPLEX64],
    ids=lambda dtype: dtype.value,
)
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_a_run_has_finite_weights_no_two_of_them_alike(
    kind: Kind, dtype: DType, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = _Watched(monkeypatch, kind)
    config = RNNConfig(
        kind=kind, input_size=6, hidden_size=6, num_layers=3, bidirectional=True, bias=False
    )
    assert _run(config, dtype=dtype).agrees
    weights = list(watched.weights.values())
    assert {weight.dtype for weight in weights} == {getattr(torch, dtype.value)}
    for number, weight in enumerate(weights):
        assert torch.isfinite(weight).all()
        assert len(_distinct(weight)) > weight.numel() / 2
        assert not any(torch.equal(weight, other) for other in weights[:number])


def test_a_weight_larger_than_the_random_block_is_filled_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = _Watched(monkeypatch, Kind.RNN)
    config = RNNConfig(kind=Kind.RNN, input_size=3, hidden_size=601)  # 361,201 elements
    _run(config, InputSpec(seq_len=2, batch_size=1))
    hidden = watched.weights["weight_hh_l0"]
    assert torch.isfinite(hidden).all()
    assert float(hidden.abs().max()) <= 601**-0.5
    assert len(_distinct(hidden[-1])) > 500
    most = float(hidden.abs().max())
    assert float(hidden[-1].std()) == pytest.approx(most / 3**0.5, rel=0.1)  # as drawn evenly


def test_a_run_can_tell_right_from_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """All-zero results would make any equality hold."""
    watched = _Watched(monkeypatch, Kind.GRU)
    _run(RNNConfig(kind=Kind.GRU, num_layers=2, bidirectional=True), InputSpec(batch_size=2))
    output, h_n = watched.returned
    for results in (output, h_n, watched.given):
        assert torch.isfinite(results).all()
        rows = results.flatten(0, 1).tolist()
        assert len(set(map(tuple, rows))) == len(rows)


def test_a_run_is_inference_without_dropout_and_without_onednn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched = _Watched(monkeypatch, Kind.LSTM)
    with _threads(2):
        _run(RNNConfig(kind=Kind.LSTM, num_layers=2, dropout=1.0))
    assert watched.training is False
    assert watched.modes == (True, False)
    assert watched.threads == 1  # a small layer


@pytest.mark.parametrize("name", ["weight_hh_l0", "weight_ih_l0", "bias_hh_l0"])
def test_a_weight_of_a_wrong_shape_does_not_run_unnoticed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does in oneDNN's LSTM, which reads beyond a weight without looking at its shape."""

    class Wrong(torch.nn.LSTM):
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            weight = getattr(self, name)
            shape = (*weight.shape[:-1], weight.shape[-1] + 1)
            self._parameters[name] = torch.nn.Parameter(weight.new_zeros(shape))
            self._flat_weights = [getattr(self, own) for own in self._flat_weights_names]

    monkeypatch.setattr(torch.nn, "LSTM", Wrong)
    with pytest.raises(RuntimeError):
        _run(_LSTM)


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        pytest.param("cuda", f"torch {torch.__version__} is built without CUDA", id="cuda"),
        pytest.param("cuda:1", f"torch {torch.__version__} is built without CUDA", id="cuda:1"),
        pytest.param("xpu", f"torch {torch.__version__} is built without XPU", id="xpu"),
        pytest.param("mps", "there is no MPS device here", id="mps"),
    ],
)
@pytest.mark.skipif(
    any((torch.version.cuda, torch.version.hip, torch.version.xpu, torch.backends.mps.is_built())),
    reason="this torch is built with a device",
)
def test_a_device_that_is_not_there_is_refused(device: str, reason: str) -> None:
    with pytest.raises(RequestError) as refusal:
        _run(_LSTM, device=device)
    assert refusal.value.problem == f"device {device}: {reason}"
    assert refusal.value.hint == "device='cpu', or run=False for the formulas alone"


@pytest.mark.parametrize(
    ("config", "dtype"),
    [
        *(
            pytest.param(_LSTM, dtype, id=dtype.value)
            for dtype in DType
            if (dtype.itemsize == 1 or dtype is DType.COMPLEX32) and hasattr(torch, dtype.value)
        ),
        pytest.param(
            RNNConfig(kind=Kind.RNN, nonlinearity="relu"), DType.COMPLEX64, id="relu of complex64"
        ),
    ],
)
def test_a_dtype_that_pytorch_does_not_run_is_refused_with_its_reason(
    config: RNNConfig, dtype: DType
) -> None:
    with pytest.raises(RequestError) as refusal:
        _run(config, dtype=dtype)
    assert re.fullmatch(
        rf"PyTorch does not run nn\.{config.kind.value} in {dtype.value} on cpu: "
        r"(\"\w+\" not implemented for '\w+'|clamp is not supported for complex types)",
        refusal.value.problem,
    )
    assert refusal.value.hint == "dtype='float32', or run=False for the formulas alone"


@pytest.fixture
def _nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: Any, **__: Any) -> Any:
        pytest.fail("a layer was built")

    for kind in Kind:
        monkeypatch.setattr(torch.nn, kind.value, build)


@pytest.mark.usefixtures("_nothing_is_built")
def test_a_layer_without_room_is_refused_with_figures_before_it_is_built() -> None:
    with pytest.raises(RequestError) as refusal:
        _run(_HUGE)
    figures = re.fullmatch(
        r"a run on cpu needs ([\d.]+) GiB besides torch itself \(([\d.]+) GiB of it weights\); "
        r"[\d.]+ [KMGT]iB are available",
        refusal.value.problem,
    )
    assert figures is not None
    # weight_ih_l0 and weight_ih_l1: four gates of H rows, with H columns and with 2H.
    gibibytes = 4 * 65_536 * (65_536 + 2 * 65_536) * 4 / 2**30
    assert float(figures[2]) == gibibytes == 192
    assert gibibytes < float(figures[1]) < gibibytes * 1.01
    assert refusal.value.hint == (
        "run=False computes everything by formula; device='meta' allocates nothing"
    )


def test_a_layer_without_room_runs_on_the_meta_device() -> None:
    assert _run(_HUGE, device="meta").agrees


@pytest.mark.parametrize(
    ("config", "input_spec", "name"),
    [
        pytest.param(
            RNNConfig(kind=Kind.RNN, input_size=2**61, hidden_size=1),
            InputSpec(batch_size=1, seq_len=1),
            "input",
            id="input",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, input_size=2**30, hidden_size=2**30),
            InputSpec(batch_size=1, seq_len=1),
            "weight_ih_l0",
            id="weight",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, input_size=1, hidden_size=2**29),
            InputSpec(batch_size=2**31, seq_len=1),
            "input @ weight_ih.T",
            id="what a layer computes for all steps",
        ),
        pytest.param(
            RNNConfig(kind=Kind.GRU),
            InputSpec(batch_size=0, seq_len=10**20),
            "input",
            id="an empty batch of very long sequences",
        ),
    ],
)
@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.usefixtures("_nothing_is_built")
def test_a_tensor_beyond_63_bits_is_refused_on_any_device(
    config: RNNConfig, input_spec: InputSpec, name: str, device: str
) -> None:
    with pytest.raises(RequestError) as refusal:
        _run(config, input_spec, device=device)
    assert re.fullmatch(
        rf"{re.escape(name)} would take [\d,]+ bytes; PyTorch allows at most 2\*\*63 - 1",
        refusal.value.problem,
    )
    assert refusal.value.hint == "run=False computes everything by formula"


@pytest.mark.usefixtures("_nothing_is_built")
def test_a_million_layers_are_refused_before_any_is_built() -> None:
    with pytest.raises(RequestError) as refusal:
        _run(RNNConfig(kind=Kind.LSTM, num_layers=10**6), device="meta")
    assert refusal.value.problem == "a run would build 4,000,000 weights; the most is 100,000"


def _alone(code: str) -> str:
    """What `code` prints in a process of its own."""
    env = environment(OMP_NUM_THREADS="1")
    result = spawn("-W", "error", "-c", code, program=PYTHON, env=env)
    assert (result.code, result.err) == (0, "")
    return result.out.strip()


_IMPORTS = "import sys; from rnnshape import *; from rnnshape import inspect; "


def test_torch_is_imported_for_a_run_alone() -> None:
    """Not for formulas, nor for what no machine can build; for a run, or the others cannot fail."""
    code = f"""{_IMPORTS}
for hidden_size, run in ((40, False), (10**20, True), (40, True)):
    try:
        config = RNNConfig(kind=Kind.LSTM, hidden_size=hidden_size)
        answer = inspect(config, run=run).parameters
    except RequestError:
        answer = "refused"
    print(answer, "torch" in sys.modules)
"""
    assert _alone(code).splitlines() == ["9920 False", "refused False", "9920 True"]


def test_a_torch_that_cannot_be_imported_is_refused_with_the_reason() -> None:
    code = f"""{_IMPORTS}
sys.modules["torch"] = None
try:
    inspect(RNNConfig(kind=Kind.LSTM))
except RequestError as error:
    print(error.problem, error.hint, sep="; ")
"""
    assert re.fullmatch(
        r"torch cannot be imported: .*torch.*; pip install torch, or run=False .*", _alone(code)
    )


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space as Linux does")
def test_an_allocation_that_fails_after_all_is_refused_with_what_it_needed() -> None:
    code = f"""{_IMPORTS}
import resource, torch
import rnnshape.pytorch.run as run
run.available_memory = lambda: None
inspect(RNNConfig(kind=Kind.RNN))
with open("/proc/self/statm") as file:
    now = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + 2**28, resource.RLIM_INFINITY))
try:
    inspect(RNNConfig(kind=Kind.RNN, input_size=2**14, hidden_size=2**14), InputSpec(seq_len=2))
except RequestError as error:
    print(error.problem)
"""
    # Either weight, 2**28 numbers of 4 bytes, is 1 GiB; the rest is below 4 MiB.
    assert re.fullmatch(
        r"a run on cpu needs about 1\.00 GiB, and an allocation failed", _alone(code)
    )


def test_what_the_allocator_keeps_is_memory_that_a_run_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PyTorch hands out again what it took from the device and no tensor holds any more."""
    figures = {"mem_get_info": (1_000, 9_000), "memory_reserved": 700, "memory_allocated": 300}
    for name, figure in figures.items():
        monkeypatch.setattr(torch.cuda, name, lambda _device, figure=figure: figure)
    assert backend.free_memory(Settings(device="cuda")) == 1_000 + 700 - 300


def test_a_bug_in_judging_is_not_taken_for_a_dtype_that_does_not_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> Any:
        raise TypeError("a bug in judging")

    monkeypatch.setattr(forward, "_evaluated", broken)
    with pytest.raises(TypeError, match="a bug in judging"):
        _run(_LSTM, dtype=DType.FLOAT64)


def test_timing_a_layer_that_does_not_run_is_refused() -> None:
    tanh = RNNConfig(kind=Kind.RNN)
    relu = replace(tanh, nonlinearity="relu")
    with pytest.raises(RequestError, match=r"PyTorch does not run nn\.RNN in complex64 on cpu"):
        timed([subject(each, _STEP, dtype=DType.COMPLEX64) for each in (tanh, relu)])


_LONG = InputSpec(batch_size=16, seq_len=100_000)


@pytest.mark.parametrize(
    "spec",
    [_STEP, _LONG, replace(_LONG, lengths=(100_000, *[3] * 15))],
    ids=["short", "long", "packed"],
)
def test_timing_takes_seconds_and_says_over_how_many_steps(spec: InputSpec) -> None:
    layers = [RNNConfig(kind=kind, input_size=64, hidden_size=128) for kind in Kind]
    start = time.perf_counter()
    found = timed([subject(each, spec) for each in layers])
    assert time.perf_counter() - start < 30  # 3 s on an idle machine, half an hour for all steps
    (steps,) = {each.seq_len for each in found}
    assert steps < spec.seq_len if spec.seq_len > 1 else steps == 1
    for each, layer in zip(found, layers, strict=True):
        rows = spec.lengths or [spec.seq_len] * spec.batch_size
        read = sum(min(length, steps) for length in rows)
        assert each.macs == read * layer.kind.gates * 128 * (64 + 128)
        assert 1 <= each.runs <= 75
        assert 0 < each.lower <= each.median <= each.upper


_GRU = RNNConfig(kind=Kind.GRU, input_size=3, hidden_size=4)


@pytest.fixture
def _a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU under its other name stands in for a device, so that these tests run anywhere."""
    own = Settings.device_type.fget  # type: ignore[attr-defined]
    patched = property(lambda self: "xpu" if self.device == "cpu:0" else own(self))
    monkeypatch.setattr(Settings, "device_type", patched)


@pytest.mark.usefixtures("_a_device")
def test_the_same_weights_and_input_give_no_difference() -> None:
    found = cpu_values.cpu_values(subject(_GRU, device="cpu:0"))
    assert found is not None
    assert (found.value, found.mismatches) == (0.0, ())
    assert found.remark == "values are within 0 of the CPU's"


@pytest.mark.usefixtures("_a_device")
def test_another_weight_on_the_device_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[torch.nn.Module] = []

    class Device(torch.nn.GRU):
        def forward(self, *arguments: Any) -> Any:
            if not built:
                self.get_parameter("weight_ih_l0")[0, 0] += 0.5
            built.append(self)
            return super().forward(*arguments)

    monkeypatch.setattr(torch.nn, "GRU", Device)
    found = cpu_values.cpu_values(subject(_GRU, device="cpu:0"))
    assert len(built) == 2
    assert found is not None
    wrong = Mismatch(what="the CPU's values", predicted=True, measured=False)
    assert found.mismatches == (wrong,)


@pytest.mark.usefixtures("_a_device")
def test_without_room_on_the_cpu_there_is_nothing_to_hold_a_device_against(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backend, "available_memory", lambda: 100)
    assert cpu_values.cpu_values(subject(_GRU, device="cpu:0")) is None


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_cpu_and_meta_are_not_held_against_the_cpu(device: str) -> None:
    assert cpu_values.cpu_values(subject(_GRU, device=device)) is None


_NAN, _INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("there", "here", "difference"),
    [
        pytest.param([1.0, -2.0], [1.0, -2.0], 0.0, id="equal"),
        pytest.param([1.0, -2.5], [1.0, -2.0], 0.25, id="relative to the largest on the CPU"),
        pytest.param([0.0, 0.0], [0.0, 0.0], 0.0, id="zeros"),
        pytest.param([], [], 0.0, id="nothing"),
        pytest.param([0.0, 1e-3], [0.0, 0.0], None, id="zeros on the CPU alone"),
        pytest.param([1.0, _NAN], [1.0, 2.0], None, id="NaN on the device"),
        pytest.param([1.0, 2.0], [1.0, _NAN], None, id="NaN on the CPU"),
        pytest.param([1.0, _INF], [1.0, 2.0], None, id="infinity on the device"),
        pytest.param([1.0, 2.0], [1.0, _INF], None, id="infinity on the CPU"),
        pytest.param([1.0, _INF], [1.0, _INF], None, id="infinity on both"),
    ],
)
def test_the_difference_of_two_runs_is_relative_and_no_number_hides_one(
    there: list[float], here: list[float], difference: float | None
) -> None:
    """None stands for a difference that no tolerance takes."""
    same = torch.tensor([3.0])
    found = cpu_values.relative_difference(
        {"output": torch.tensor(there), "h_n": same},
        {"output": torch.tensor(here), "h_n": same},
    )
    most = cpu_values.tolerance(DType.FLOAT16)
    caught = within("the CPU's values", found, most)
    assert bool(caught) is (difference is None or difference > most)
    if difference is not None:
        assert found == difference


@pytest.mark.parametrize(
    "dtype",
    [DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32, DType.COMPLEX64],
    ids=lambda dtype: dtype.value,
)
@pytest.mark.parametrize(
    ("input_size", "hidden_size"), [(2000, 8), (8, 400)], ids=["wide input", "wide state"]
)
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_no_gate_saturates_and_every_input_tells(
    kind: Kind, input_size: int, hidden_size: int, dtype: DType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each weight by how many products it sums, whatever the other one sums."""
    watched = _Watched(monkeypatch, kind)
    config = RNNConfig(kind=kind, input_size=input_size, hidden_size=hidden_size)
    _run(config, InputSpec(batch_size=50, seq_len=20), dtype=dtype)
    gain = 0.25 if dtype.value.startswith("complex") else 1.0
    for name in ("weight_ih_l0", "weight_hh_l0"):
        weight = watched.weights[name]
        most = gain / weight.shape[1] ** 0.5
        assert 0.7 * most < weight.abs().float().max() <= 1.01 * most
    output = watched.returned[0].abs().float()
    assert torch.isfinite(output).all()
    # In 16 bits, the tanh of a number four deviations away, one of 400,000, is written as 1.
    assert (output >= 1.0).float().mean() < 1e-5
    assert output.std() > 1e-2


@pytest.mark.parametrize("lengths", [(7, 3, 2), (2, 7, 3)], ids=["sorted", "not sorted"])
@pytest.mark.parametrize("kind", Kind)
def test_a_packed_input_runs_on_the_meta_device(kind: Kind, lengths: tuple[int, ...]) -> None:
    config = RNNConfig(kind=kind, num_layers=2, bidirectional=True)
    packed = InputSpec(batch_size=3, seq_len=9, lengths=lengths)
    for with_state in (False, True):
        asked = dataclasses.replace(packed, with_state=with_state)
        run = inspect(config, asked, Settings(device="meta")).run
        assert run is not None
        assert run.agrees
        assert run.input_spec == asked
