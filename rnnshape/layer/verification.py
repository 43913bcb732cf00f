"""Prediction and measurement held against each other, item by item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rnnshape.layer.config import DType
from rnnshape.layer.facts import Facts, Shape

# A run that is given no initial states says nothing about their shapes.
_INITIAL_STATES: Final = ("h_0", "c_0")

Value: TypeAlias = "int | bool | Shape | None"  # None: there is no such tensor or weight


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """One thing that the formulas and PyTorch see differently."""

    what: str  # a tensor's or a weight's name, "parameters", or a claim
    predicted: Value
    measured: Value


# Kernels add in different orders, and some devices round float32 products to fewer bits (TF32).
_DEVICE_TOLERANCE: Final = {
    DType.FLOAT64: 1e-9,
    DType.COMPLEX128: 1e-9,
    DType.FLOAT32: 1e-2,
    DType.COMPLEX64: 1e-2,
}
_COARSE_TOLERANCE: Final = 0.05
# Errors of float64 stay far below, a wrong equation far above.
EQUATION_TOLERANCE: Final = 1e-10


def device_tolerance(dtype: DType) -> float:
    """How far a device's values may be from the CPU's, relative to the largest of them."""
    return _DEVICE_TOLERANCE.get(dtype, _COARSE_TOLERANCE)


def verify_differences(
    *, equations: float | None, device: float | None, dtype: DType
) -> tuple[Mismatch, ...]:
    """Mismatches for the largest differences found: from the equations, and from the CPU.

    None is a difference that was not looked for. NaN is within no tolerance.
    """
    checks = (
        ("the cell's equations", equations, EQUATION_TOLERANCE),
        ("the CPU's values", device, device_tolerance(dtype)),
    )
    return tuple(
        Mismatch(what=what, predicted=True, measured=False)
        for what, difference, tolerance in checks
        if difference is not None and not difference <= tolerance
    )


def verify_flops(*, predicted: int, counted: int | None) -> tuple[Mismatch, ...]:
    """A mismatch where PyTorch counted other FLOPs; None was not counted."""
    if counted is None or counted == predicted:
        return ()
    return (Mismatch(what="flops", predicted=predicted, measured=counted),)


def verify(predicted: Facts, measured: Facts) -> tuple[Mismatch, ...]:
    """Every difference between the two: shapes, names and shapes of weights, total, equalities.

    An equality that the run could not judge is no difference.
    """
    looked_at = [name for name in predicted.tensors if name not in _INITIAL_STATES]
    looked_at += [name for name in measured.tensors if name not in looked_at]
    return (
        *_differences(
            _shapes_of_tensors(predicted, looked_at), _shapes_of_tensors(measured, looked_at)
        ),
        *_differences(_shapes_of_weights(predicted), _shapes_of_weights(measured)),
        *_differences(_sizes_of_batches(predicted), _sizes_of_batches(measured)),
        *_differences({"parameters": predicted.parameters}, {"parameters": measured.parameters}),
        *(
            Mismatch(what=str(claim), predicted=True, measured=False)
            for claim in measured.claims
            if claim.holds is False
        ),
    )


def _differences(
    predicted: Mapping[str, int | Shape], measured: Mapping[str, int | Shape]
) -> Iterator[Mismatch]:
    for name in {**predicted, **measured}:
        if predicted.get(name) != measured.get(name):
            yield Mismatch(what=name, predicted=predicted.get(name), measured=measured.get(name))


def _shapes_of_tensors(facts: Facts, names: Sequence[str]) -> dict[str, Shape]:
    return {name: facts.tensors[name].shape for name in names if name in facts.tensors}


def _shapes_of_weights(facts: Facts) -> dict[str, Shape]:
    return {weight.name: weight.shape for weight in facts.weights}


def _sizes_of_batches(facts: Facts) -> dict[str, Shape]:
    return {} if facts.batch_sizes is None else {"batch_sizes": facts.batch_sizes}
