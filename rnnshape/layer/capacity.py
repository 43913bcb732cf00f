"""Bytes that a run needs, and bytes that the machine and its container have left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

from rnnshape.errors import RequestError
from rnnshape.layer.config import InputSpec, RNNConfig, Settings
from rnnshape.layer.formulas import MOST_WEIGHTS, elements, layout, plain_sizes, weights

# PyTorch counts elements and bytes in signed 64-bit integers.
LARGEST_TENSOR: Final = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Need:
    """Bytes that building a layer and one forward pass take at the same time."""

    parameters: int
    activations: int  # input, output, states, and one layer's gates for all steps

    @property
    def total(self) -> int:
        """Bytes in all."""
        return self.parameters + self.activations


def need(config: RNNConfig, input_spec: InputSpec, settings: Settings) -> Need:
    """What a run takes: the weights once, and the widest moment of the forward pass.

    PyTorch's own kernels compute a layer's input-to-gates product for all steps at once, while
    that layer's input and output are alive.
    """
    sizes = plain_sizes(config, input_spec)
    tensors = layout(config, input_spec, sizes)
    held = sum(elements(tensor.shape) for tensor in tensors.values())
    below = elements(tensors["output"].shape) if "output" in tensors else 0
    gates = sizes.steps * config.kind.gates * sizes.H_cell
    itemsize = settings.dtype.itemsize
    return Need(
        parameters=itemsize * weights(config, sizes).parameters,
        activations=itemsize * (held + below + gates),
    )


def require_runnable(config: RNNConfig, input_spec: InputSpec, settings: Settings) -> None:
    """Raise RequestError for a layer that no machine can build, before torch is asked."""
    sizes = plain_sizes(config, input_spec)
    layer_weights = weights(config, sizes)
    if layer_weights.count > MOST_WEIGHTS:
        raise RequestError(
            f"a run would build {layer_weights.count:,} weights; the most is {MOST_WEIGHTS:,}",
            hint="{run} gives every number by formula",
            run=False,
        )
    shapes = {t.name: t.shape for t in layout(config, input_spec, sizes).values()}
    for block in layer_weights.blocks:
        shapes.update({f"{stem}_l{block.first}": s for stem, s in block.shapes.items()})
    # A layer multiplies the input of all steps by weight_ih at once.
    shapes["input @ weight_ih.T"] = (sizes.L, sizes.N, config.kind.gates * sizes.H_cell)
    for name, shape in shapes.items():
        # A batch of 0 leaves no elements, but PyTorch still reads each of the other sizes.
        count = prod(max(size, 1) for size in shape)
        if count * settings.dtype.itemsize > LARGEST_TENSOR:
            raise RequestError(
                f"{name} would have {count:,} elements; PyTorch counts bytes in 63 bits",
                hint="{run} gives every number by formula",
                run=False,
            )


def require_memory(needed: Need, available: int | None, *, device: str) -> None:
    """Raise RequestError, naming both figures, when `needed` bytes are not `available`."""
    if available is None or needed.total <= available:
        return
    raise RequestError(
        f"a run on {device} needs {written_bytes(needed.total)}"
        f" ({written_bytes(needed.parameters)} of it parameters);"
        f" {written_bytes(available)} are available",
        hint="{run} gives every number by formula; {device} runs without memory",
        run=False,
        device="meta",
    )


def written_bytes(count: int) -> str:
    """Bytes for a person: `547,840 bytes`, `1.31 GiB`."""
    if count < 1024**2:
        return f"{count:,} bytes"
    units = ("MiB", "GiB", "TiB", "PiB", "EiB")
    unit = min((count.bit_length() - 1) // 10 - 2, len(units) - 1)
    hundredths = count * 100 // 1024 ** (unit + 2)
    return f"{hundredths // 100:,}.{hundredths % 100:02} {units[unit]}"


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that this process may still take, or None where the system does not tell.

    The least of the machine's MemAvailable and what each enclosing control group leaves: beyond
    it the kernel kills the process instead of failing the allocation.
    """
    figures = [*_machine(root), *_control_groups(root)]
    return max(0, min(figures)) if figures else None


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
        return  # "max", or no such group here
    reclaimable = 0
    for line in _text(folder / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name == cache:
            reclaimable = int(value)
    yield int(most) - int(taken) + reclaimable


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
