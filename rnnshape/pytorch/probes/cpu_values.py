"""The values that a device computes, compared with the CPU's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from rnnshape.errors import RequestError
from rnnshape.layer.memory import need, require_memory
from rnnshape.layer.run import Outcome
from rnnshape.layer.settings import DType
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.backend import free_memory
from rnnshape.pytorch.forward import forward
from rnnshape.pytorch.probes import power_above, within


def cpu_values(subject: Subject) -> Outcome | None:
    """The largest difference between a device's results and the CPU's, relative to their size.

    Weights and input are drawn on the CPU from the same seed, so that only the arithmetic differs.
    None for the CPU itself and for meta, which has no values, and where the CPU lacks memory or a
    kernel for the layer.
    """
    if subject.settings.device_type in ("cpu", "meta"):
        return None
    on_cpu = replace(subject, settings=replace(subject.settings, device="cpu"))
    with torch.inference_mode():
        there = forward(subject).tensors
        try:
            require_memory(need(on_cpu), free_memory(on_cpu.settings), device="cpu")
            here = forward(on_cpu).tensors
        except RequestError:
            return None
        difference = relative_difference(there, here)
    return Outcome(
        value=difference,
        remark=f"values are within {power_above(difference)} of the CPU's",
        mismatches=within("the CPU's values", difference, tolerance(subject.settings.dtype)),
    )


def tolerance(dtype: DType) -> float:
    """How far a device's values may differ from the CPU's, relative to the largest of them."""
    match dtype:
        case DType.FLOAT64 | DType.COMPLEX128:
            return 1e-9  # kernels add in different orders
        case DType.FLOAT32 | DType.COMPLEX64:
            return 1e-2  # some devices round products to fewer bits (TF32)
        case _:
            return 0.05


def relative_difference(
    there: Mapping[str, torch.Tensor], here: Mapping[str, torch.Tensor]
) -> float:
    """The largest difference between two runs' tensors, each relative to its largest value.

    Infinite or NaN if a value is; 0 if there is nothing to compare.
    """
    each = [
        (there[name].cpu() - own).abs().max().double() / own.abs().max().double().clamp(1e-30)
        for name, own in here.items()
        if own.numel()
    ]
    return float(torch.stack(each).max()) if each else 0.0
