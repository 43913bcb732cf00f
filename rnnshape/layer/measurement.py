"""What PyTorch does: the real layer, built on the device, and one forward pass.

The only module that imports torch. `report.with_run` imports this one when there is something to
measure: torch costs more start-up time than everything else together.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import torch

from rnnshape.errors import RequestError
from rnnshape.layer.capacity import (
    available_memory,
    need,
    require_memory,
    written_bytes,
)
from rnnshape.layer.config import InputSpec, Kind, RNNConfig, Settings
from rnnshape.layer.facts import Claim, Facts, Part, Tensor, Weight
from rnnshape.layer.formulas import layout, macs, plain_sizes, stateless_results, weights

# One random block fills all weights, since copying is many times faster than drawing. Each
# weight starts elsewhere in it, so that no two are equal.
_BLOCK: Final = 2**18
_OFFSETS: Final = 1021
# Below this many multiply-adds and parameters one thread is as fast, and does not stall when
# several processes share the cores.
_ONE_THREAD: Final = 50_000_000
# On the meta device a step costs milliseconds and no step differs from the others.
_META_STEPS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The facts that a run found, and what it ran."""

    facts: Facts
    torch_version: str
    input_spec: InputSpec  # what was fed; on the meta device fewer steps than were asked for


def measure(
    config: RNNConfig, input_spec: InputSpec, settings: Settings, claims: Sequence[Claim]
) -> Measured:
    """Build the layer, run it once on random finite numbers, and judge `claims` on the result.

    Raises RequestError, before anything is allocated, for what no run can do or this machine has
    no room for, and for a device or dtype that PyTorch does not run here. The global state of
    torch (random numbers, threads, backends, default device and dtype) is left as it was.
    """
    device = _device(settings)
    needed = need(config, input_spec, settings)
    require_memory(needed, _available(device), device=settings.device)
    fed = input_spec
    if device.type == "meta":
        fed = replace(input_spec, seq_len=min(input_spec.seq_len, _META_STEPS))
    try:
        with _quiet_state(threads=_threads(config, input_spec)):
            facts = _run(config, fed, settings, claims)
    except (RuntimeError, NotImplementedError, TypeError) as error:
        raise _refusal(error, config, settings, needed.total) from error
    # Without the build's tag, "+cpu", which the device already tells.
    version = torch.__version__.partition("+")[0]
    return Measured(facts=facts, torch_version=version, input_spec=fed)


def _run(
    config: RNNConfig,
    input_spec: InputSpec,
    settings: Settings,
    claims: Sequence[Claim],
) -> Facts:
    module = _built(config, settings)
    random = torch.Generator().manual_seed(0)
    _fill(module, config, random)
    expected = layout(config, input_spec, plain_sizes(config, input_spec))
    given = {"input": _random(expected["input"].shape, settings, random)}
    returned: dict[str, torch.Tensor] = {}
    if input_spec.with_state:
        # Zeros of the predicted shapes: PyTorch itself refuses them where they are wrong.
        states = [name for name in ("h_0", "c_0") if name in expected]
        given |= {n: given["input"].new_zeros(expected[n].shape) for n in states}
        without = _results(config, module(given["input"]))
        names = stateless_results(config)
        returned = {names[result]: value for result, value in without.items()}
    results = given | _results(config, _called(module, given))
    return Facts(
        tensors={
            name: Tensor(name=name, shape=tuple(value.shape), axes=())
            for name, value in results.items()
        },
        weights=tuple(
            Weight(name=name, shape=tuple(value.shape)) for name, value in module.named_parameters()
        ),
        parameters=sum(value.numel() for value in module.parameters()),
        claims=tuple(replace(claim, holds=_holds(claim, results | returned)) for claim in claims),
    )


def _built(config: RNNConfig, settings: Settings) -> torch.nn.Module:
    """The layer without its initialisation, whose values `_fill` replaces anyway."""
    parent = getattr(torch.nn, config.kind.value)
    kind = type(parent.__name__, (parent,), {"reset_parameters": lambda _self: None})
    arguments: dict[str, Any] = {
        "num_layers": config.num_layers,
        "bias": config.bias,
        "batch_first": config.batch_first,
        "dropout": config.dropout,
        "bidirectional": config.bidirectional,
    }
    # proj_size and nonlinearity are arguments of one kind each; the others refuse even 0.
    if config.proj_size:
        arguments["proj_size"] = config.proj_size
    if config.kind is Kind.RNN:
        arguments["nonlinearity"] = config.nonlinearity
    module: torch.nn.Module = kind(
        config.input_size,
        config.hidden_size,
        **arguments,
        device=settings.device,
        dtype=getattr(torch, settings.dtype.value),
    )
    return module.eval()  # no dropout: it would make layers differ from run to run


def _fill(module: torch.nn.Module, config: RNNConfig, random: torch.Generator) -> None:
    """Random finite values within PyTorch's own range, small enough that no gate saturates.

    PyTorch's range looks at hidden_size alone; with an input many times wider the sums grow until
    a complex sigmoid is NaN, which equals nothing.
    """
    parameters = list(module.parameters())
    if not parameters or parameters[0].device.type == "meta":
        return
    like = parameters[0]
    size = min(_BLOCK, max(value.numel() for value in parameters)) + _OFFSETS
    drawn = torch.rand(size, generator=random, dtype=torch.float64, device="cpu") * 2 - 1
    summed = max(config.hidden_size, config.input_size)
    block = (drawn * summed**-0.5).to(device=like.device, dtype=like.dtype)
    for number, value in enumerate(parameters):
        start = number * 7 % _OFFSETS
        flat = value.view(-1)
        for piece in torch.split(flat, size - _OFFSETS):
            piece.copy_(block[start : start + piece.numel()])


def _random(shape: tuple[int, ...], settings: Settings, random: torch.Generator) -> torch.Tensor:
    dtype = getattr(torch, settings.dtype.value)
    if settings.device == "meta":
        return torch.empty(shape, device="meta", dtype=dtype)
    drawn_dtype = torch.complex64 if settings.dtype.is_complex else torch.float32
    drawn = torch.randn(shape, generator=random, dtype=drawn_dtype, device="cpu")
    return drawn.to(device=settings.device, dtype=dtype)


def _called(module: torch.nn.Module, given: Mapping[str, torch.Tensor]) -> Any:
    states = tuple(value for name, value in given.items() if name != "input")
    if not states:
        return module(given["input"])
    return module(given["input"], states if len(states) > 1 else states[0])


def _results(config: RNNConfig, returned: Any) -> dict[str, torch.Tensor]:
    output, states = returned
    if config.kind is Kind.LSTM:
        return {"output": output, "h_n": states[0], "c_n": states[1]}
    return {"output": output, "h_n": states}


def _holds(claim: Claim, results: Mapping[str, torch.Tensor]) -> bool | None:
    """Whether both sides hold the same bits; None where there are no values to compare."""
    try:
        left, right = _taken(claim.left, results), _taken(claim.right, results)
    except (RuntimeError, IndexError):
        return False  # a slice or view that does not exist equals nothing
    if left.device.type == "meta" or left.numel() == right.numel() == 0:
        return None
    return bool(torch.equal(left, right))


def _taken(part: Part, results: Mapping[str, torch.Tensor]) -> torch.Tensor:
    tensor = results[part.tensor]
    return (tensor if part.view is None else tensor.view(part.view))[part.index]


def _device(settings: Settings) -> torch.device:
    """The device, or RequestError that says why it is not there."""
    device = torch.device(settings.device)
    reason = _absence(device)
    if reason is not None:
        raise RequestError(
            f"device {settings.device}: {reason}",
            hint="--device cpu, or --no-run for the formulas alone",
        )
    return device


def _absence(device: torch.device) -> str | None:
    """Why a device is not there, or None."""
    if device.type == "mps":
        return None if torch.backends.mps.is_available() else "there is no MPS device here"
    if device.type not in ("cuda", "xpu"):
        return None
    name = device.type.upper()
    backend = getattr(torch, device.type)
    count: int = backend.device_count()
    if (device.index or 0) < count:
        return None
    if not count and not (torch.version.cuda or torch.version.hip or torch.version.xpu):
        return f"torch {torch.__version__} is built without {name}"
    return f"there are {count} {name} devices here, numbered from 0"


def _available(device: torch.device) -> int | None:
    match device.type:
        case "cpu":
            return available_memory()
        case "cuda":
            free: int = torch.cuda.mem_get_info(device)[0]
            return free
        case _:
            return None  # meta needs no memory; the others refuse an allocation by themselves


def _threads(config: RNNConfig, input_spec: InputSpec) -> int:
    sizes = plain_sizes(config, input_spec)
    layer_weights = weights(config, sizes)
    work = max(layer_weights.parameters, macs(layer_weights, sizes))
    threads: int = 1 if work < _ONE_THREAD else torch.get_num_threads()
    return threads


@contextmanager
def _quiet_state(*, threads: int) -> Iterator[None]:
    """Inference without oneDNN, whose LSTM does not check the shapes of its weights."""
    onednn, threads_before = torch.backends.mkldnn.enabled, torch.get_num_threads()
    try:
        torch.backends.mkldnn.enabled = False  # type: ignore[assignment]
        torch.set_num_threads(threads)
        # What PyTorch warns about here is a finding of ours, or about its own kernels.
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mkldnn.enabled = onednn
        torch.set_num_threads(threads_before)


def _refusal(error: Exception, config: RNNConfig, settings: Settings, needed: int) -> Exception:
    """A RequestError for what PyTorch refuses for want of memory or of a kernel; else a bug."""
    text = str(error)
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in text:
        return RequestError(
            f"a run on {settings.device} needs {written_bytes(needed)} and did not get them",
            hint="--no-run gives every number by formula; --device meta runs without memory",
        )
    if (settings.device, settings.dtype.value) == ("cpu", "float32"):
        return error
    return RequestError(
        f"PyTorch does not run nn.{config.kind.value} in {settings.dtype.value}"
        f" on {settings.device}: {_first_line(error)}",
        hint="--dtype float32, or --no-run for the formulas alone",
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
