"""One forward pass of the real layer: what PyTorch does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from math import prod
from typing import Final

import torch

from rnnshape.layer.facts import Cat, Claim, Dims, Expression, Facts, Part, Tensor, Weight
from rnnshape.layer.formulas import final_state_names, state_names, stateless_results
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.backend import refusals
from rnnshape.pytorch.building import Prepared, called, named_results, prepared
from rnnshape.pytorch.modes import without_onednn

# On the meta device a step takes milliseconds, and all steps are alike.
_META_STEPS: Final = 2


def fed_subject(subject: Subject) -> Subject:
    """The subject as it is run: on the meta device, two steps stand for all."""
    spec = subject.input_spec
    if subject.settings.device_type != "meta" or spec.lengths is not None:
        return subject  # fewer steps would contradict the lengths
    return replace(subject, input_spec=replace(spec, seq_len=min(spec.seq_len, _META_STEPS)))


def measure(subject: Subject, claims: Sequence[Claim]) -> Facts:
    """Build the layer, run it once on random finite numbers, and judge `claims` by the result.

    Raises RequestError for a dtype that PyTorch does not run here, and where memory runs out.
    """
    with torch.inference_mode():
        run = forward(subject)
        known = {**run.tensors, **run.stateless}
        judged = tuple(replace(claim, holds=_holds(claim, known)) for claim in claims)
    shapes = {name: tuple(value.shape) for name, value in run.tensors.items()}
    return Facts(
        tensors={name: Tensor(name=name, shape=shape, axes=()) for name, shape in shapes.items()},
        weights=tuple(
            Weight(name=name, shape=tuple(value.shape))
            for name, value in run.module.named_parameters()
        ),
        counts=_counts(run.module, shapes),
        claims=judged,
        batch_sizes=run.batch_sizes,
    )


def _counts(module: torch.nn.Module, shapes: Mapping[str, Dims]) -> dict[str, int]:
    """The counts of a report, computed from these weights and tensors."""
    parameters = list(module.parameters())
    steps = prod(shapes.get("data", shapes["input"])[:-1])
    return {
        "parameters": sum(value.numel() for value in parameters),
        "parameter_bytes": sum(value.nbytes for value in parameters),
        "macs": steps * sum(value.numel() for value in parameters if value.dim() == 2),
        "next_linear": shapes.get("output", shapes.get("h_1", (0,)))[-1],
    }


@dataclass(frozen=True, kw_only=True)
class Forward:
    """One forward pass: what went in and what came out."""

    module: torch.nn.Module
    tensors: Mapping[str, torch.Tensor]  # by the names of `formulas.layout`
    stateless: Mapping[str, torch.Tensor]  # of a call without states: "layer(input)[0]"
    batch_sizes: tuple[int, ...] | None


def forward(subject: Subject) -> Forward:
    """Build the layer and call it with zeros of the predicted shapes as its initial states."""
    # Two calls are equal bit for bit only if no other thread switches oneDNN between them.
    steady = without_onednn if subject.input_spec.with_state else nullcontext()
    with refusals(subject), steady:
        layer = prepared(subject, shared=True)
        given = {"input": layer.padded}
        batch_sizes = None
        if isinstance(layer.read, torch.nn.utils.rnn.PackedSequence):
            given["data"] = layer.read.data
            batch_sizes = tuple(layer.read.batch_sizes.tolist())
        states, results = _called_with_states(subject, layer)
        stateless: Mapping[str, torch.Tensor] = {}
        if subject.input_spec.with_state:
            without = named_results(subject.config, called(layer.module, layer.read))
            texts = stateless_results(subject.config, packed="data" in given)
            stateless = {text: without[name] for name, text in texts.items()}
        return Forward(
            module=layer.module,
            tensors=given | states | results,
            stateless=stateless,
            batch_sizes=batch_sizes,
        )


def _called_with_states(
    subject: Subject, layer: Prepared
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The initial states that PyTorch takes, and what it returns for them.

    PyTorch does not always check the initial states, but they must have the shapes of the final
    states; so the final states stand for them. If PyTorch refuses the predicted shapes, the layer
    is called without states.
    """
    names = state_names(subject.config, "0")
    zeros = [layer.padded.new_zeros(subject.tensors[name].shape) for name in names]
    try:
        results = named_results(subject.config, called(layer.module, layer.read, tuple(zeros)))
    except RuntimeError:  # PyTorch refuses the predicted shapes, or cannot run the layer at all
        results = named_results(subject.config, called(layer.module, layer.read))
    finals = [results[name] for name in final_state_names(subject.config)]
    return dict(zip(names, finals, strict=True)), results


def _holds(claim: Claim, results: Mapping[str, torch.Tensor]) -> bool | None:
    """Whether the relation holds bit for bit; None if the values cannot decide it."""
    try:
        left = _evaluated(claim.left, results)
        if isinstance(claim.right, tuple):
            return tuple(left.shape) == claim.right
        right = _evaluated(claim.right, results)
    except (RuntimeError, IndexError):
        return False  # there is no such slice or view
    if left.device.type == "meta" or left.numel() == right.numel() == 0:
        return None
    equal = torch.equal(left, right)
    if claim.relation == "!=":
        # One run proves a difference; equality may come from underflow, or from zeros of relu.
        return None if equal else True
    # Zeros, as relu returns them, are equal wherever they come from.
    return None if equal and not left.count_nonzero() else equal


def _evaluated(expression: Expression, results: Mapping[str, torch.Tensor]) -> torch.Tensor:
    match expression:
        case Part(tensor=name, view=view, index=index, summed=summed):
            whole = results[name].transpose(0, 1) if expression.swapped else results[name]
            if view is not None:
                whole = whole.reshape(view) if expression.swapped else whole.view(view)
            sliced = whole[index] if summed is None else whole[index].sum(summed)
            return sliced.flatten() if expression.flat else sliced
        case Cat(parts=parts):
            return torch.cat([_evaluated(each, results) for each in parts], -1)
