"""PyTorch's devices, its global state and its errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch

from rnnshape.errors import RequestError, first_line
from rnnshape.layer.machine import available_memory
from rnnshape.layer.memory import need, out_of_memory
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import Subject

_NO_MEMORY: Final = re.compile(r"can't allocate memory|bad_alloc|not enough memory|out of memory")


def require_device(settings: Settings) -> None:
    """Raise RequestError, which says why, unless PyTorch has the device here."""
    reason = _absence(torch.device(settings.device))
    if reason is not None:
        raise RequestError(
            f"device {settings.device}: {reason}",
            hint="{device}, or {run} for the formulas alone",
            device="cpu",
            run=False,
        )


def _absence(device: torch.device) -> str | None:
    """Why PyTorch does not have a device here, or None."""
    if device.type in ("cpu", "meta"):
        return None
    name, count = device.type.upper(), int(getattr(torch, device.type).device_count())
    if (device.index or 0) < count:
        return None
    if count:
        are = "is 1" if count == 1 else f"are {count}"
        return f"there {are} {name} device{'s' * (count != 1)} here, numbered from 0"
    if name == "MPS" or torch.version.cuda or torch.version.hip or torch.version.xpu:
        return f"there is no {name} device here"
    return f"torch {torch.__version__} is built without {name}"


def free_memory(settings: Settings) -> int | None:
    """Bytes that a run on the device may allocate; None if that is unknown."""
    if settings.device_type == "cpu":
        return available_memory()
    if settings.device_type != "cuda":
        return None  # meta needs no memory; the others refuse an allocation themselves
    device = torch.device(settings.device)
    # PyTorch's allocator keeps freed memory and hands it out again.
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0]) + kept


@contextmanager
def refusals(subject: Subject) -> Iterator[None]:
    """Raise RequestError where PyTorch lacks the memory or a kernel for a forward pass."""
    try:
        yield
    except (RuntimeError, TypeError, MemoryError) as error:
        settings = subject.settings
        if lacks_memory(error):
            raise out_of_memory(need(subject), device=settings.device) from error
        if (settings.device, settings.dtype.value) == ("cpu", "float32"):
            raise  # PyTorch has these kernels, so this is a bug
        raise RequestError(
            f"PyTorch does not run {subject.config.class_name} in {settings.dtype.value}"
            f" on {settings.device}: {{}}",
            first_line(error),
            hint="{dtype}, or {run} for the formulas alone",
            dtype="float32",
            run=False,
        ) from error


def lacks_memory(error: Exception) -> bool:
    """Whether an allocation failed, in Python, in C++ or on a device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and bool(_NO_MEMORY.search(str(error)))
