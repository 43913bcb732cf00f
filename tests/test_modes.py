"""Reports made inside PyTorch's modes: fake tensors, tracing, transforms and global settings."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import rnnshape
from rnnshape import Kind, Report, RNNConfig
from tests.reference import default_device

Result = Callable[[], None]


class Refusing(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"{func} was seen")


class RefusingCalls(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"{func} was seen")


class Model(nn.Module):
    """A model whose forward inspects its own layer."""

    def __init__(self, inspected: Result) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.inspected = inspected

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.inspected()
        return x * self.scale


def within(context: Callable[[], AbstractContextManager[object]]) -> Callable[[Result], object]:
    def run(inspected: Result) -> None:
        with context():
            inspected()

    return run


def traced(trace: Callable[..., object], *options: Any, **named: Any) -> Callable[[Result], object]:
    def run(inspected: Result) -> None:
        def function(x: torch.Tensor) -> torch.Tensor:
            inspected()
            return (x * 2).sum()

        made = trace(function, *options, **named)
        assert callable(made)
        made(torch.ones(3))

    return run


@contextmanager
def default_dtype() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextmanager
def global_hook() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise AssertionError("a module ran")

    hook = nn.modules.module.register_module_forward_hook(refuse)
    try:
        yield
    finally:
        hook.remove()


def exported(inspected: Result) -> None:
    torch.export.export(Model(inspected), (torch.zeros(2, 3),), strict=False)


def jit_traced(inspected: Result) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made: Any = torch.jit.trace(  # type: ignore[no-untyped-call]
            Model(inspected), (torch.zeros(2, 3),)
        )
    assert "randn" not in str(made.graph)


def symbolically_traced(inspected: Result) -> None:
    torch.fx.symbolic_trace(Model(inspected))


MODES: dict[str, Callable[[Result], object]] = {
    "fake tensors": within(FakeTensorMode),
    "make_fx": traced(make_fx),
    "make_fx, fake": traced(make_fx, tracing_mode="fake"),
    "make_fx, symbolic": traced(make_fx, tracing_mode="symbolic"),
    "make_fx before dispatch": traced(make_fx, pre_dispatch=True),
    "export": exported,
    "jit.trace": jit_traced,
    "fx.symbolic_trace": symbolically_traced,
    "vmap": traced(torch.vmap),
    "grad": traced(torch.func.grad),
    "vmap of grad": traced(lambda f: torch.vmap(torch.func.grad(f))),
    "jacfwd": traced(torch.func.jacfwd),
    "functionalize": traced(torch.func.functionalize),
    "a dispatch mode": within(Refusing),
    "a function mode": within(RefusingCalls),
    "inference_mode": within(torch.inference_mode),
    "no_grad": within(torch.no_grad),
    "autocast": within(lambda: torch.autocast("cpu", dtype=torch.bfloat16)),
    "a device": within(lambda: torch.device("meta")),
    "default device": within(partial(default_device, "meta")),
    "default dtype": within(default_dtype),
    "deterministic": within(deterministic),
    "a global hook": within(global_hook),
}


def state() -> tuple[object, ...]:
    """What torch keeps for the whole process and for this thread."""
    return (
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.backends.mkldnn.enabled,
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.are_deterministic_algorithms_enabled(),
        torch._C._len_torch_dispatch_stack(),
        torch._C._len_torch_function_stack(),
    )


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.filterwarnings("ignore")  # PyTorch's own, about tracing
def test_a_report_is_the_same_in_every_mode(mode: Callable[[Result], object]) -> None:
    """Of a description and of two modules, and torch's global state as before."""
    layers: list[RNNConfig | nn.Module] = [
        RNNConfig(kind=Kind.LSTM),
        nn.LSTM(20, 40, bidirectional=True),
        nn.GRUCell(3, 4, dtype=torch.float64),
    ]
    plain = [rnnshape.inspect(layer) for layer in layers]
    before, random = state(), torch.get_rng_state()
    seen: list[list[Report]] = []

    def inspected() -> None:
        inside = None if mode is REFUSING else state()
        seen.append([rnnshape.inspect(layer) for layer in layers])
        assert inside is None or inside == state()

    mode(inspected)
    assert seen
    assert all(reports == plain for reports in seen)
    assert all(report.run is not None and report.run.agrees for report in plain)
    assert state() == before
    assert torch.equal(torch.get_rng_state(), random)


# This mode does not even let the state be read.
REFUSING = MODES["a function mode"]


@pytest.mark.filterwarnings("ignore")  # PyTorch's own, about breaks in the graph
def test_a_report_is_the_same_in_a_compiled_model() -> None:
    """A description alone: dynamo reads every line of the package before it gives up."""
    config, seen = RNNConfig(kind=Kind.GRU, cell=True), []
    model = Model(lambda: seen.append(rnnshape.inspect(config)))
    torch.compile(model, backend="eager")(torch.zeros(2, 3))
    assert seen == [rnnshape.inspect(config)]


def test_autocast_does_not_change_what_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the run every product has the dtype that the report names."""
    dtypes = set()
    forward = nn.LSTM.forward

    def spied(self: nn.LSTM, *args: Any) -> Any:
        weight = vars(self)["_parameters"]["weight_ih_l0"]
        dtypes.add(torch.mm(args[0][0], weight.T).dtype)
        return forward(self, *args)

    monkeypatch.setattr(nn.LSTM, "forward", spied)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rnnshape.inspect(nn.LSTM(3, 4))
    assert dtypes == {torch.float32}


def test_a_mode_counts_nothing_of_the_run() -> None:
    with FlopCounterMode(display=False) as counter:
        rnnshape.inspect(nn.LSTM(3, 4))
    assert counter.get_total_flops() == 0


@pytest.mark.parametrize("inside", [True, False], ids=["in the mode", "after it"])
def test_a_module_of_fake_tensors_is_read_like_a_real_one(inside: bool) -> None:
    mode = FakeTensorMode()
    with mode:
        layer = nn.LSTM(3, 4)
        report = rnnshape.inspect(layer)
    if not inside:
        report = rnnshape.inspect(layer)
    assert report == rnnshape.inspect(nn.LSTM(3, 4))


def test_a_module_on_meta_is_run_there() -> None:
    report = rnnshape.inspect(nn.LSTM(3, 4, device="meta"))
    assert report.settings.device == "meta"
    assert report.run is not None
    assert report.run.agrees


def test_parameters_that_a_transform_has_wrapped_are_read() -> None:
    """An ensemble of two, each of whose members inspects itself."""
    layer, seen = nn.GRU(3, 4), []
    stacked = {name: torch.stack([p.detach(), p.detach()]) for name, p in layer.named_parameters()}

    class Inspecting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(rnnshape.inspect(self.layer))
            return x

    model = Inspecting()

    def member(parameters: dict[str, torch.Tensor], x: torch.Tensor) -> Any:
        named = {f"layer.{name}": value for name, value in parameters.items()}
        return torch.func.functional_call(model, named, (x,))

    torch.vmap(member, in_dims=(0, None))(stacked, torch.zeros(2))
    assert seen == [rnnshape.inspect(layer)]


def test_a_manifest_is_checked_in_a_mode(tmp_path: Any) -> None:
    path = tmp_path / "rnnshape.toml"
    path.write_text('[modules.a]\ntarget = "nn.GRU(3, 4)"\nexpect = ["output = 10,5,4"]\n')
    with FakeTensorMode():
        rnnshape.check(path)
