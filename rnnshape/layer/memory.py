"""Bytes that a run needs, and the refusal of a run that needs too much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from rnnshape.errors import RequestError
from rnnshape.layer.allocation import has_onednn, inference_peak, input_bytes, training_peak
from rnnshape.layer.facts import LARGEST_SIZE, Dims
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import MOST_WEIGHTS, elements


@dataclass(frozen=True, kw_only=True)
class Need:
    """Bytes that a run takes at the same time, besides torch itself."""

    weights: int
    activations: int  # input, states, results, and what is held on the way at the peak

    @property
    def total(self) -> int:
        """The sum, in bytes."""
        return self.weights + self.activations


def need(subject: Subject) -> Need:
    """What building a layer and one forward pass take, by the kernel that holds more.

    On a CPU weights of the same scale overlap, so they take the memory of the largest.
    """
    if subject.settings.device_type != "cpu":
        return Need(weights=_own_weights(subject), activations=inference_peak(subject))
    shapes = [shape for block in subject.weights.blocks for shape in block.shapes.values()]
    largest = _largest_by_scale(shapes, subject.config.hidden_size)
    return Need(
        weights=subject.settings.dtype.itemsize * sum(largest.values()),
        activations=inference_peak(subject),
    )


def scale_power(shape: Dims, hidden_size: int) -> int:
    """How small random weights of this shape are: n, where the largest is 2 ** (-n / 2).

    That is about one over the root of the columns, as many products as are summed. A bias is as
    small as weight_hh.
    """
    columns = shape[1] if len(shape) == 2 else hidden_size
    return (columns - 1).bit_length()


def _largest_by_scale(shapes: Iterable[Dims], hidden_size: int) -> dict[int, int]:
    """The elements of the largest of the weights of each scale."""
    largest: dict[int, int] = {}
    for shape in shapes:
        power = scale_power(shape, hidden_size)
        largest[power] = max(largest.get(power, 0), elements(shape))
    return largest


def _own_weights(subject: Subject) -> int:
    return subject.settings.dtype.itemsize * subject.parameters


def need_of_timing(*subjects: Subject) -> Need:
    """What these layers take together, one of which is called at a time, by its default kernel."""
    inputs = [input_bytes(each) for each in subjects]
    peaks = [inference_peak(each, onednn=has_onednn(each)) for each in subjects]
    return Need(
        weights=sum(map(_own_weights, subjects)),
        activations=sum(inputs) + max(p - i for p, i in zip(peaks, inputs, strict=True)),
    )


def need_of_training(subject: Subject) -> Need:
    """What a training step takes, with the gradients and the state of the optimizer."""
    copies = 2 + subject.settings.optimizer.moments
    return Need(
        weights=copies * _own_weights(subject),
        activations=training_peak(subject, onednn=has_onednn(subject)),
    )


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
        if size > LARGEST_SIZE:
            raise RequestError(
                f"{name} would take {size:,} bytes; PyTorch allows at most 2**63 - 1",
                hint="{run} computes everything by formula",
                run=False,
            )


def require_room_for_torch(available: int | None) -> None:
    """Raise RequestError where no bytes would be left once torch is imported; None means unknown.

    torch ends the process where it cannot be loaded for lack of memory.
    """
    if available == 0:
        raise RequestError(
            "importing torch takes all the memory that this process may have",
            hint="{run} computes everything by formula, without torch",
            run=False,
        )


def require_memory(
    needed: Need,
    available: int | None,
    *,
    device: str,
    what: str = "a run",
    of_it: str = "weights",
) -> None:
    """Raise RequestError if more bytes are needed than are available; None means unknown."""
    if available is None or needed.total <= available:
        return
    raise RequestError(
        f"{what} on {device} needs {written_bytes(needed.total)} besides torch itself"
        f" ({written_bytes(needed.weights)} of it {of_it});"
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


def out_of_memory(needed: Need, *, device: str) -> RequestError:
    """The error for an allocation that failed, though the estimate was below what is available."""
    return RequestError(
        f"a run on {device} needs about {written_bytes(needed.total)}, and an allocation failed",
        hint="{run} computes everything by formula",
        run=False,
    )
