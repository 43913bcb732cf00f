"""Prediction and measurement compared, item by item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rnnshape.layer.facts import Dims, Facts
from rnnshape.layer.run import Mismatch


def verify(predicted: Facts, measured: Facts) -> tuple[Mismatch, ...]:
    """Every difference between the two: shapes, names and shapes of weights, totals, equalities.

    A claim that the run could not judge is not a difference.
    """
    return (
        *_differences(_shapes_of_tensors(predicted), _shapes_of_tensors(measured)),
        *_differences(_shapes_of_weights(predicted), _shapes_of_weights(measured)),
        *_differences(_sizes_of_batches(predicted), _sizes_of_batches(measured)),
        *_differences(_totals(predicted), _totals(measured)),
        *(
            Mismatch(what=str(claim), predicted=True, measured=False)
            for claim in measured.claims
            if claim.holds is False
        ),
    )


def _differences(
    predicted: Mapping[str, int | Dims], measured: Mapping[str, int | Dims]
) -> Iterator[Mismatch]:
    for name in {**predicted, **measured}:
        if predicted.get(name) != measured.get(name):
            yield Mismatch(what=name, predicted=predicted.get(name), measured=measured.get(name))


def _shapes_of_tensors(facts: Facts) -> dict[str, Dims]:
    return {name: tensor.shape for name, tensor in facts.tensors.items()}


def _shapes_of_weights(facts: Facts) -> dict[str, Dims]:
    return {weight.name: weight.shape for weight in facts.weights}


def _totals(facts: Facts) -> dict[str, int]:
    return {"weights": len(facts.weights), "parameters": facts.parameters}


def _sizes_of_batches(facts: Facts) -> dict[str, Dims]:
    return {} if facts.batch_sizes is None else {"batch_sizes": facts.batch_sizes}
