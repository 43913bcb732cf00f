"""Bytes that a run needs, and the refusal of a run that needs too much."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Final

from rnnshape.errors import RequestError
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import MOST_WEIGHTS, elements

# PyTorch counts elements and bytes in signed 64-bit integers.
_LARGEST_TENSOR: Final = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Need:
    """Bytes that building a layer and one forward pass take at the same time."""

    parameters: int
    activations: int  # input, output, states, and one layer's gates for all steps

    @property
    def total(self) -> int:
        """The sum, in bytes."""
        return self.parameters + self.activations


def need(*subjects: Subject) -> Need:
    """What runs of these subjects take together: all weights, and the peak of each forward pass.

    PyTorch's own kernels compute a layer's input-to-gates product for all steps at once, while
    the layer's input and output are in memory.
    """
    return Need(
        parameters=sum(each.settings.dtype.itemsize * each.parameters for each in subjects),
        activations=sum(each.settings.dtype.itemsize * _activations(each) for each in subjects),
    )


def _activations(subject: Subject) -> int:
    sizes, tensors = subject.sizes, subject.tensors
    all_tensors = sum(elements(tensor.shape) for tensor in tensors.values())
    below = elements(tensors["output"].shape) if "output" in tensors else 0
    return all_tensors + below + sizes.steps * subject.config.kind.gates * sizes.H_cell


def require_runnable(subject: Subject) -> None:
    """Raise RequestError for a layer that no machine can build; this needs no torch."""
    sizes, layer_weights = subject.sizes, subject.weights
    if layer_weights.count > MOST_WEIGHTS:
        raise RequestError(
            f"a run would build {layer_weights.count:,} weights; the most is {MOST_WEIGHTS:,}",
            hint="{run} computes everything by formula",
            run=False,
        )
    shapes = {name: tensor.shape for name, tensor in subject.tensors.items()}
    for block in layer_weights.blocks:
        shapes.update({f"{stem}_l{block.first}": s for stem, s in block.shapes.items()})
    # A layer multiplies the input of all steps by weight_ih at once.
    shapes["input @ weight_ih.T"] = (sizes.L, sizes.N, subject.config.kind.gates * sizes.H_cell)
    for name, shape in shapes.items():
        # With a batch of 0 there are no elements, but PyTorch still multiplies the other sizes.
        count = prod(max(size, 1) for size in shape)
        size = count * subject.settings.dtype.itemsize
        if size > _LARGEST_TENSOR:
            raise RequestError(
                f"{name} would take {size:,} bytes; PyTorch allows at most 2**63 - 1",
                hint="{run} computes everything by formula",
                run=False,
            )


def require_memory(needed: Need, available: int | None, *, device: str) -> None:
    """Raise RequestError if more bytes are needed than are available; None means unknown."""
    if available is None or needed.total <= available:
        return
    raise RequestError(
        f"a run on {device} needs {written_bytes(needed.total)}"
        f" ({written_bytes(needed.parameters)} of it parameters);"
        f" {written_bytes(available)} are available",
        hint="{run} computes everything by formula; {device} allocates nothing",
        run=False,
        device="meta",
    )


def written_bytes(count: int) -> str:
    """Bytes as a person reads them: `547,840 bytes`, `1.31 GiB`."""
    if count < 1024**2:
        return f"{count:,} bytes"
    units = ("MiB", "GiB", "TiB", "PiB", "EiB")
    unit = min((count.bit_length() - 1) // 10 - 2, len(units) - 1)
    hundredths = count * 100 // 1024 ** (unit + 2)
    return f"{hundredths // 100:,}.{hundredths % 100:02} {units[unit]}"
