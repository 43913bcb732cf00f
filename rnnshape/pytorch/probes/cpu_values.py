"""The values that a device computes, held against the CPU's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import torch

from rnnshape.errors import RequestError
from rnnshape.layer.formulas import result_names
from rnnshape.layer.memory import need, require_memory
from rnnshape.layer.run import Outcome
from rnnshape.layer.settings import DType
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.backend import free_memory, quiet_state, suitable_threads
from rnnshape.pytorch.forward import forward
from rnnshape.pytorch.probes import bound, within

# Kernels add in different orders, and some devices round float32 products to fewer bits (TF32).
_TOLERANCE: Final = {
    DType.FLOAT64: 1e-9,
    DType.COMPLEX128: 1e-9,
    DType.FLOAT32: 1e-2,
    DType.COMPLEX64: 1e-2,
}
_COARSE_TOLERANCE: Final = 0.05


def cpu_values(subject: Subject) -> Outcome | None:
    """The largest difference of the results on a device from the CPU's, relative to their size.

    Weights and input are drawn on the CPU from the same seed, so that only the arithmetic differs.
    None on the CPU itself and on meta, which has no values, and where the CPU has no room for the
    layer or no kernel for the dtype.
    """
    if subject.settings.device_type in ("cpu", "meta"):
        return None
    on_cpu = replace(subject, settings=replace(subject.settings, device="cpu"))
    with quiet_state(threads=suitable_threads(subject)):
        there = forward(subject).tensors
        try:
            require_memory(need(on_cpu), free_memory(on_cpu.settings), device="cpu")
            here = forward(on_cpu).tensors
        except RequestError:
            return None
        difference = relative_difference(result_names(subject.config), there, here)
    return Outcome(
        value=difference,
        remark=f"values are within {bound(difference)} of the CPU's",
        mismatches=within("the CPU's values", difference, tolerance(subject.settings.dtype)),
    )


def tolerance(dtype: DType) -> float:
    """How far a device's values may be from the CPU's, relative to the largest of them."""
    return _TOLERANCE.get(dtype, _COARSE_TOLERANCE)


def relative_difference(
    names: tuple[str, ...], there: Mapping[str, torch.Tensor], here: Mapping[str, torch.Tensor]
) -> float:
    """The largest difference of two runs' results relative to the size of each.

    NaN or infinite where anything in either is; 0 where there is nothing to compare.
    """
    each = [
        (there[name].cpu() - here[name]).abs().max().double()
        / here[name].abs().max().double().clamp(1e-30)
        for name in names
        if here[name].numel()
    ]
    return float(torch.stack(each).max()) if each else 0.0
