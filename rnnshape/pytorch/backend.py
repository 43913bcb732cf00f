"""PyTorch's devices, its global state and its refusals."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch

from rnnshape.errors import RequestError
from rnnshape.layer.machine import available_memory
from rnnshape.layer.memory import need, written_bytes
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import Subject

# Below this many multiply-adds and parameters one thread is as fast, and does not stall when
# several processes share the cores.
_ONE_THREAD: Final = 50_000_000


def require_device(settings: Settings) -> None:
    """Raise RequestError, which says why, unless the device is there."""
    reason = _absence(torch.device(settings.device))
    if reason is not None:
        raise RequestError(
            f"device {settings.device}: {reason}",
            hint="{device}, or {run} for the formulas alone",
            device="cpu",
            run=False,
        )


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
    """Bytes that a run on the device may allocate, or None where the system does not say."""
    match settings.device_type:
        case "cpu":
            return available_memory()
        case "cuda":
            device = torch.device(settings.device)
            # PyTorch's allocator keeps the memory that was freed, and hands it out again.
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
        # PyTorch warns about its own kernels, or about what is a finding of ours.
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mkldnn.enabled = onednn
        torch.set_num_threads(threads_before)


@contextmanager
def refusals(subject: Subject) -> Iterator[None]:
    """Raise RequestError where PyTorch lacks the memory or a kernel for a forward pass."""
    try:
        yield
    except (RuntimeError, NotImplementedError, TypeError) as error:
        raise _refusal(error, subject) from error


def _refusal(error: Exception, subject: Subject) -> Exception:
    """A RequestError for want of memory or of a kernel; any other error, a bug, as it is."""
    text, settings = str(error), subject.settings
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in text:
        needed = written_bytes(need(subject).total)
        return RequestError(
            f"a run on {settings.device} needs {needed} and did not get them",
            hint="{run} gives every number by formula; {device} allocates nothing",
            run=False,
            device="meta",
        )
    if (settings.device, settings.dtype.value) == ("cpu", "float32"):
        return error
    return RequestError(
        f"PyTorch does not run {subject.config.class_name} in {settings.dtype.value}"
        f" on {settings.device}: {_first_line(error)}",
        hint="{dtype}, or {run} for the formulas alone",
        dtype="float32",
        run=False,
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def suitable_threads(subject: Subject) -> int:
    """One thread for a small layer, else as many as PyTorch uses by itself."""
    small = max(subject.parameters, subject.macs) < _ONE_THREAD
    return 1 if small else torch.get_num_threads()
