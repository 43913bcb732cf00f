"""Prediction and measurement compared, item by item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from rnnshape.dims import written_shape
from rnnshape.layer.calls import Call
from rnnshape.layer.facts import Dims, Facts
from rnnshape.layer.run import Mismatch
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import Weights, elements, folded


def verify(predicted: Facts, measured: Facts) -> tuple[Mismatch, ...]:
    """Every difference between the two: shapes, names and shapes of weights, counts, claims.

    A claim that the run could not judge is not a difference.
    """
    different = (
        *_differences(_shapes(predicted), _shapes(measured)),
        *_differences(_totals(predicted), _totals(measured)),
    )
    return (
        *(different or _differences(_derived(predicted), _derived(measured))),
        *(
            Mismatch(what=str(claim), predicted=True, measured=False)
            for claim in measured.claims
            if claim.holds is False
        ),
    )


def verify_counts(predicted: Mapping[str, int], measured: Facts) -> tuple[Mismatch, ...]:
    """Every difference among the counts that are predicted as plain ints, without symbols."""
    return tuple(_differences(predicted, {name: measured.counts[name] for name in predicted}))


def called(subject: Subject, call: Call) -> Subject:
    """The layer with the input of one of its calls."""
    return replace(subject, input_spec=call.input_spec)


def verify_calls(subject: Subject) -> tuple[Mismatch, ...]:
    """Every difference between what calls of a layer were given and returned, and the formulas.

    The forward of a subclass may do otherwise, so that its calls prove nothing.
    """
    return tuple(
        mismatch
        for call in subject.calls or ()
        if not call.own_forward
        for mismatch in _differences(_as_called(called(subject, call), call), call.tensors)
    )


def _as_called(subject: Subject, call: Call) -> dict[str, Dims]:
    """What is predicted of those tensors that a call shows."""
    shapes = {name: each.shape for name, each in subject.tensors.items() if name in call.tensors}
    if call.packed:  # the output is packed too
        shapes["output"] = (subject.sizes.steps, shapes["output"][-1])
    return shapes


def _differences(
    predicted: Mapping[str, int | Dims], measured: Mapping[str, int | Dims]
) -> Iterator[Mismatch]:
    for name in {**predicted, **measured}:
        if predicted.get(name) != measured.get(name):
            yield Mismatch(what=name, predicted=predicted.get(name), measured=measured.get(name))


def _shapes(facts: Facts) -> Mapping[str, int | Dims]:
    shapes: dict[str, int | Dims] = {t.name: t.shape for t in facts.tensors.values()}
    shapes |= {weight.name: weight.shape for weight in facts.weights}
    if facts.batch_sizes is not None:
        shapes["batch_sizes"] = facts.batch_sizes
    return shapes


def _totals(facts: Facts) -> Mapping[str, int | Dims]:
    return {"weights": len(facts.weights), "parameters": facts.counts["parameters"]}


def _derived(facts: Facts) -> Mapping[str, int | Dims]:
    """What follows from the rest: the other counts, and the rows of a folded table of weights.

    A row is how many weights share a name and a shape, and their parameters.
    """
    rows: Iterable[tuple[str, Dims, int, int]]
    if isinstance(facts.weights, Weights):
        rows = ((row.name, row.shape, row.count, row.parameters) for row in folded(facts.weights))
    else:
        rows = ((each.name, each.shape, 1, elements(each.shape)) for each in facts.weights)
    sums: dict[str, Dims] = {}
    for name, shape, count, parameters in rows:
        key = f"{name.partition('_l')[0]} {written_shape(shape)}"
        before = sums.get(key, (0, 0))
        sums[key] = (before[0] + count, before[1] + parameters)
    return {**facts.counts, **sums}
