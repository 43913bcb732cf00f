"""Real layers in PyTorch: built without initialisation, filled, fed and called.

This module, those that use it (measurement, stepwise, timing, and run, which imports them) and
instances are the only ones that import torch, and do so when something is run: torch costs more
start-up time than everything else together.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import torch

from rnnshape.errors import RequestError
from rnnshape.layer.capacity import available_memory, need, written_bytes
from rnnshape.layer.config import InputSpec, Kind, RNNConfig, Settings
from rnnshape.layer.formulas import final_state_names, layout, plain_sizes

# One random block fills all weights, since copying is many times faster than drawing. Each
# weight starts elsewhere in it, so that no two are equal.
_BLOCK: Final = 2**18
_OFFSETS: Final = 1021
_COMPLEX_GAIN: Final = 0.25


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A layer in eval mode with random weights, and its input, which is the same on every device.

    `padded` is the input as a tensor, `read` what the layer is called with: the same, or a
    PackedSequence of it.
    """

    module: torch.nn.Module
    padded: torch.Tensor
    read: Any


def prepared(config: RNNConfig, input_spec: InputSpec, settings: Settings) -> Prepared:
    """Everything that one forward pass needs but initial states."""
    random = torch.Generator().manual_seed(0)
    module = filled_module(config, settings, random)
    expected = layout(config, input_spec, plain_sizes(config, input_spec))
    padded = random_tensor(expected["input"].shape, settings, random)
    read = packed(config, input_spec, padded) if "data" in expected else padded
    return Prepared(module=module, padded=padded, read=read)


def filled_module(
    config: RNNConfig, settings: Settings, random: torch.Generator
) -> torch.nn.Module:
    """The layer in eval mode, with random finite weights.

    Its initialisation, slower than all the rest, is left out. On the meta device there are no
    values.
    """
    module = _built(config, settings)
    if settings.device_type != "meta":
        _fill(module, config, random)
    return module


def _built(config: RNNConfig, settings: Settings) -> torch.nn.Module:
    parent = getattr(torch.nn, config.class_name.removeprefix("nn."))
    kind = type(parent.__name__, (parent,), {"reset_parameters": lambda _self: None})
    arguments: dict[str, Any] = {"bias": config.bias}
    if not config.cell:
        arguments |= {
            "num_layers": config.num_layers,
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
        dtype=torch_dtype(settings),
    )
    return module.eval()  # no dropout: it would make layers differ from run to run


def _fill(module: torch.nn.Module, config: RNNConfig, random: torch.Generator) -> None:
    """Values small enough that no gate saturates and large enough that each input tells.

    Each weight is scaled by how many products it sums; PyTorch's own range looks at hidden_size
    alone. Complex sigmoid and tanh have poles, at i*pi and i*pi/2, around which numbers grow until
    they are NaN, which equals nothing: complex weights stay further away.
    """
    parameters = list(module.parameters())
    like = parameters[0]
    size = min(_BLOCK, max(value.numel() for value in parameters)) + _OFFSETS
    drawn = torch.rand(size, generator=random, dtype=torch.float64, device="cpu") * 2 - 1
    gain = _COMPLEX_GAIN if like.is_complex() else 1.0
    block = (gain * drawn).to(device=like.device, dtype=like.dtype)
    for number, value in enumerate(parameters):
        start = number * 7 % _OFFSETS
        summed = value.shape[1] if value.dim() == 2 else config.hidden_size
        for piece in torch.split(value.view(-1), size - _OFFSETS):
            torch.mul(block[start : start + piece.numel()], summed**-0.5, out=piece)


def random_tensor(
    shape: tuple[int, ...], settings: Settings, random: torch.Generator
) -> torch.Tensor:
    """Normally distributed values, drawn on the CPU: the same on every device."""
    dtype = torch_dtype(settings)
    if settings.device_type == "meta":
        return torch.empty(shape, device="meta", dtype=dtype)
    drawn_dtype = torch.complex64 if settings.dtype.is_complex else torch.float32
    drawn = torch.randn(shape, generator=random, dtype=drawn_dtype, device="cpu")
    return drawn.to(device=settings.device, dtype=dtype)


def packed(
    config: RNNConfig, input_spec: InputSpec, padded: torch.Tensor
) -> torch.nn.utils.rnn.PackedSequence:
    """The padded input as a PackedSequence, its rows in any order of lengths."""
    sequence = torch.nn.utils.rnn.pack_padded_sequence(
        padded,
        torch.tensor(input_spec.lengths, device="cpu"),
        batch_first=config.batch_first,
        enforce_sorted=False,
    )
    if padded.is_meta:  # how the rows were sorted is then on meta too, and cannot be read back
        return torch.nn.utils.rnn.PackedSequence(sequence.data, sequence.batch_sizes)
    return sequence


def called(module: torch.nn.Module, read: Any, states: tuple[torch.Tensor, ...] = ()) -> Any:
    """What the module returns for an input and, where there are any, initial states."""
    if not states:
        return module(read)
    return module(read, states if len(states) > 1 else states[0])


def named_results(config: RNNConfig, returned: Any) -> dict[str, torch.Tensor]:
    """What the layer returned, by name; a PackedSequence is padded again, as its reader does."""
    if config.cell:
        states, output = returned, {}
    else:
        sequence, states = returned
        if isinstance(sequence, torch.nn.utils.rnn.PackedSequence):
            sequence, _ = torch.nn.utils.rnn.pad_packed_sequence(
                sequence, batch_first=config.batch_first
            )
        output = {"output": sequence}
    names = final_state_names(config)
    each = states if isinstance(states, tuple) else (states,)
    return output | dict(zip(names, each, strict=True))


def torch_dtype(settings: Settings) -> torch.dtype:
    """PyTorch's dtype, or RequestError: older releases lack the newest."""
    dtype: torch.dtype | None = getattr(torch, settings.dtype.value, None)
    if dtype is None:
        raise RequestError(
            f"torch {torch.__version__} has no {settings.dtype.value}",
            hint="{dtype}, or {run} for the formulas alone",
            dtype="float32",
            run=False,
        )
    return dtype


def existing_device(settings: Settings) -> torch.device:
    """The device, or RequestError that says why it is not there."""
    device = torch.device(settings.device)
    reason = _absence(device)
    if reason is not None:
        raise RequestError(
            f"device {settings.device}: {reason}",
            hint="{device}, or {run} for the formulas alone",
            device="cpu",
            run=False,
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
    if not count:
        return f"there is no {name} device here"
    return f"there are {count} {name} devices here, numbered from 0"


def free_memory(settings: Settings) -> int | None:
    """Bytes that a run on the device may take, or None where the system does not tell."""
    match settings.device_type:
        case "cpu":
            return available_memory()
        case "cuda":
            device = torch.device(settings.device)
            # PyTorch's allocator keeps what it once took, and hands it out again.
            kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
            return int(torch.cuda.mem_get_info(device)[0]) + kept
        case _:
            return None  # meta needs no memory; the others refuse an allocation by themselves


@contextmanager
def quiet_state(*, threads: int) -> Iterator[None]:
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


@contextmanager
def refusals(config: RNNConfig, input_spec: InputSpec, settings: Settings) -> Iterator[None]:
    """Raise RequestError for what PyTorch refuses in a forward pass and its preparation."""
    try:
        yield
    except (RuntimeError, NotImplementedError, TypeError) as error:
        needed = need(config, input_spec, settings).total
        raise _refusal(error, config, settings, needed) from error


def _refusal(error: Exception, config: RNNConfig, settings: Settings, needed: int) -> Exception:
    """A RequestError for what PyTorch refuses for want of memory or of a kernel; else a bug."""
    text = str(error)
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in text:
        return RequestError(
            f"a run on {settings.device} needs {written_bytes(needed)} and did not get them",
            hint="{run} gives every number by formula; {device} runs without memory",
            run=False,
            device="meta",
        )
    if (settings.device, settings.dtype.value) == ("cpu", "float32"):
        return error
    return RequestError(
        f"PyTorch does not run {config.class_name} in {settings.dtype.value}"
        f" on {settings.device}: {_first_line(error)}",
        hint="{dtype}, or {run} for the formulas alone",
        dtype="float32",
        run=False,
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
