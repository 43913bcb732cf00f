"""Prediction and measurement compared, item by item."""

from __future__ import annotations

from collections.abc import Mapping

from rnnshape.layer.facts import Dims, Facts
from rnnshape.layer.run import Mismatch


def verify(predicted: Facts, measured: Facts) -> tuple[Mismatch, ...]:
    """Every difference between the two: shapes, names and shapes of weights, totals, claims.

    A claim that the run could not judge is not a difference.
    """
    pairs = (
        (name, own.get(name), other.get(name))
        for own, other in (
            (_shapes_by_name(predicted), _shapes_by_name(measured)),
            (_totals(predicted), _totals(measured)),
        )
        for name in {**own, **other}
    )
    false = (claim for claim in measured.claims if claim.holds is False)
    return (
        *(Mismatch(what=what, predicted=p, measured=m) for what, p, m in pairs if p != m),
        *(Mismatch(what=str(claim), predicted=True, measured=False) for claim in false),
    )


def _shapes_by_name(facts: Facts) -> Mapping[str, int | Dims]:
    shapes: dict[str, int | Dims] = {t.name: t.shape for t in facts.tensors.values()}
    shapes |= {weight.name: weight.shape for weight in facts.weights}
    return shapes | ({} if facts.batch_sizes is None else {"batch_sizes": facts.batch_sizes})


def _totals(facts: Facts) -> Mapping[str, int | Dims]:
    return {"weights": len(facts.weights), "parameters": facts.parameters}
