"""Bytes that a run needs, and the refusal of a run that needs too many."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Final

from rnnshape.errors import RequestError
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import MOST_WEIGHTS, elements

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


def need(subject: Subject) -> Need:
    """What a run takes: the weights once, and the widest moment of the forward pass.

    PyTorch's own kernels compute a layer's input-to-gates product for all steps at once, while
    that layer's input and output are alive.
    """
    sizes, tensors = subject.sizes, subject.tensors
    held = sum(elements(tensor.shape) for tensor in tensors.values())
    below = elements(tensors["output"].shape) if "output" in tensors else 0
    gates = sizes.steps * subject.config.kind.gates * sizes.H_cell
    itemsize = subject.settings.dtype.itemsize
    return Need(
        parameters=itemsize * subject.parameters,
        activations=itemsize * (held + below + gates),
    )


def require_runnable(subject: Subject) -> None:
    """Raise RequestError for a layer that no machine can build; torch is not needed to tell."""
    sizes, layer_weights = subject.sizes, subject.weights
    if layer_weights.count > MOST_WEIGHTS:
        raise RequestError(
            f"a run would build {layer_weights.count:,} weights; the most is {MOST_WEIGHTS:,}",
            hint="{run} gives every number by formula",
            run=False,
        )
    shapes = {tensor.name: tensor.shape for tensor in subject.tensors.values()}
    for block in layer_weights.blocks:
        shapes.update({f"{stem}_l{block.first}": s for stem, s in block.shapes.items()})
    # A layer multiplies the input of all steps by weight_ih at once.
    shapes["input @ weight_ih.T"] = (sizes.L, sizes.N, subject.config.kind.gates * sizes.H_cell)
    for name, shape in shapes.items():
        # A batch of 0 leaves no elements, but PyTorch still reads each of the other sizes.
        count = prod(max(size, 1) for size in shape)
        if count * subject.settings.dtype.itemsize > LARGEST_TENSOR:
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
        hint="{run} gives every number by formula; {device} allocates nothing",
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
