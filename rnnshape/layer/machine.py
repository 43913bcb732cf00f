"""Bytes that the machine, its control groups and limits leave for this process."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# What importing torch takes by itself: bytes of memory, and of addresses. A build for CUDA takes
# more.
_TORCH: Final = 180 * 2**20
_TORCH_ADDRESSES: Final = 640 * 2**20


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that this process may still allocate, or None if the system does not report them.

    This is the least of the machine's MemAvailable, what each enclosing control group leaves, and
    what the limit on the process's addresses does (`ulimit -v`), less what importing torch will
    take. Beyond the first two the kernel does not refuse an allocation: it kills the process.
    """
    memory = [*_machine(root), *_control_groups(root)]
    addresses = [*_addresses(root)]
    if "torch" not in sys.modules:
        memory = [count - _TORCH for count in memory]
        addresses = [count - _TORCH_ADDRESSES for count in addresses]
    figures = memory + addresses
    return max(0, min(figures)) if figures else None


def _addresses(root: Path) -> Iterator[int]:
    limit = re.search(r"^Max address space +(\d+)", _text(root / "proc/self/limits"), re.MULTILINE)
    size = re.search(r"^VmSize:\s+(\d+) kB", _text(root / "proc/self/status"), re.MULTILINE)
    if limit and size:
        yield int(limit[1]) - int(size[1]) * 1024


def _machine(root: Path) -> Iterator[int]:
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _control_groups(root: Path) -> Iterator[int]:
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            base, limit, used = root / "sys/fs/cgroup", "memory.max", "memory.current"
            cache = "inactive_file"
        elif "memory" in controllers.split(","):
            base, limit = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
            used, cache = "memory.usage_in_bytes", "total_inactive_file"
        else:
            continue
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            yield from _left(folder, limit=limit, used=used, cache=cache)
            if folder == base:
                break


def _left(folder: Path, *, limit: str, used: str, cache: str) -> Iterator[int]:
    most, taken = _text(folder / limit).strip(), _text(folder / used).strip()
    if not (most.isdecimal() and taken.isdecimal()):
        return  # "max" means no limit; the file may also be missing
    figures = (line.split() for line in _text(folder / "memory.stat").splitlines())
    reclaimable = sum(int(value) for name, value in figures if name == cache)
    yield int(most) - int(taken) + reclaimable


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
