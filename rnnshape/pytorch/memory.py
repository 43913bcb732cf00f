"""By how much the memory in use grows, as the device or the system counts it."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from typing import Final

import torch

from rnnshape.layer.settings import Settings

_PROCESS: Final = Path("/proc/self")


class MemoryWatch:
    """Counts from when it is made.

    On a CPU that is the memory of this process, which the allocator is first told to give back.
    """

    def __init__(self, settings: Settings) -> None:
        self._device = torch.device(settings.device)
        self._before: int | None = None
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
            self._before = int(torch.cuda.memory_allocated(self._device))
        elif self._device.type == "cpu":
            self._before = _resident_from_now()

    def grown(self) -> int | None:
        """The bytes at the peak since then, less those at the start; None where nothing counts."""
        if self._before is None:
            return None
        if self._device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self._device)) - self._before
        peak = _status("VmHWM")
        return None if peak is None else peak - self._before


def _resident_from_now() -> int | None:
    """Bytes of this process, whose peak is now forgotten; None where the system cannot do that."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
        (_PROCESS / "clear_refs").write_text("5")
    except (OSError, AttributeError, TypeError):
        return None
    return _status("VmRSS")


def _status(name: str) -> int | None:
    found = re.search(rf"^{name}:\s+(\d+) kB", (_PROCESS / "status").read_text(), re.MULTILINE)
    return found and int(found[1]) * 1024
