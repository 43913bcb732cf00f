"""What PyTorch does: the real layer, built on the device, and one forward pass.

See `modules` for when torch is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch

from rnnshape.errors import RequestError
from rnnshape.layer.capacity import available_memory, need, require_memory
from rnnshape.layer.config import InputSpec, RNNConfig, Settings
from rnnshape.layer.facts import Cat, Claim, Expression, Facts, Part, Sum, Tensor, Weight
from rnnshape.layer.formulas import (
    layout,
    macs,
    plain_sizes,
    result_names,
    state_names,
    stateless_results,
    weights,
)
from rnnshape.layer.modules import (
    called,
    existing_device,
    free_memory,
    named_results,
    prepared,
    quiet_state,
    refusals,
)

# Below this many multiply-adds and parameters one thread is as fast, and does not stall when
# several processes share the cores.
_ONE_THREAD: Final = 50_000_000
# On the meta device a step costs milliseconds and no step differs from the others.
_META_STEPS: Final = 2


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The facts that a run found, and what it ran."""

    facts: Facts
    torch_version: str
    input_spec: InputSpec  # what was fed; on the meta device fewer steps than were asked for


def measure(
    config: RNNConfig, input_spec: InputSpec, settings: Settings, claims: Sequence[Claim]
) -> Measured:
    """Build the layer, run it once on random finite numbers, and judge `claims` on the result.

    Raises RequestError, before anything is allocated, for what no run can do or this machine has
    no room for, and for a device or dtype that PyTorch does not run here. The global state of
    torch (random numbers, threads, backends, default device and dtype) is left as it was.
    """
    device = existing_device(settings)
    needed = need(config, input_spec, settings)
    require_memory(needed, free_memory(settings), device=settings.device)
    fed = input_spec
    if device.type == "meta":
        fed = _shortened(input_spec)
    with quiet_state(threads=_threads(config, input_spec)):
        facts = _facts(_forward(config, fed, settings), claims)
    # Without the build's tag, "+cpu", which the device already tells.
    version = torch.__version__.partition("+")[0]
    return Measured(facts=facts, torch_version=version, input_spec=fed)


def _shortened(input_spec: InputSpec) -> InputSpec:
    if input_spec.lengths is not None:
        return input_spec  # the lengths are what is asked about
    return replace(input_spec, seq_len=min(input_spec.seq_len, _META_STEPS))


def _facts(forward: _Forward, claims: Sequence[Claim]) -> Facts:
    known = {**forward.results, **forward.stateless}
    return Facts(
        tensors={
            name: Tensor(name=name, shape=tuple(value.shape), axes=())
            for name, value in forward.results.items()
        },
        weights=tuple(
            Weight(name=name, shape=tuple(value.shape))
            for name, value in forward.module.named_parameters()
        ),
        parameters=sum(value.numel() for value in forward.module.parameters()),
        claims=tuple(replace(claim, holds=_holds(claim, known)) for claim in claims),
        batch_sizes=forward.batch_sizes,
    )


@dataclass(frozen=True, kw_only=True)
class _Forward:
    """One forward pass: what went in, what came out."""

    module: torch.nn.Module
    results: Mapping[str, torch.Tensor]  # by the names of `formulas.layout`
    stateless: Mapping[str, torch.Tensor]  # of a call without states, as Python reads it
    batch_sizes: tuple[int, ...] | None


def _forward(config: RNNConfig, input_spec: InputSpec, settings: Settings) -> _Forward:
    with refusals(config, input_spec, settings):
        layer = prepared(config, input_spec, settings)
        given = {"input": layer.padded}
        batch_sizes = None
        if isinstance(layer.read, torch.nn.utils.rnn.PackedSequence):
            given["data"] = layer.read.data
            batch_sizes = tuple(layer.read.batch_sizes.tolist())
        stateless: dict[str, torch.Tensor] = {}
        states = _zero_states(config, input_spec, layer.padded) if input_spec.with_state else {}
        if states:
            expressions = stateless_results(config)
            without = named_results(config, called(layer.module, layer.read))
            stateless = {expressions[result]: value for result, value in without.items()}
        returned = called(layer.module, layer.read, tuple(states.values()))
        return _Forward(
            module=layer.module,
            results=given | states | named_results(config, returned),
            stateless=stateless,
            batch_sizes=batch_sizes,
        )


def _zero_states(
    config: RNNConfig, input_spec: InputSpec, given: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Of the predicted shapes: PyTorch itself refuses them where they are wrong."""
    expected = layout(config, input_spec, plain_sizes(config, input_spec))
    return {name: given.new_zeros(expected[name].shape) for name in state_names(config, "0")}


def counted_flops(config: RNNConfig, input_spec: InputSpec, settings: Settings) -> int:
    """FLOPs of a forward pass as PyTorch's own counter sees them, which sees the CPU's alone."""
    from torch.utils.flop_counter import FlopCounterMode  # as slow to import as all the rest

    stateless = replace(input_spec, with_state=False)
    with (
        quiet_state(threads=_threads(config, stateless)),
        FlopCounterMode(display=False) as counter,
    ):
        _forward(config, stateless, settings)
    return int(counter.get_total_flops())


def difference_from_cpu(
    config: RNNConfig, input_spec: InputSpec, settings: Settings
) -> float | None:
    """How far the results on a device are from the CPU's for the same weights and input, at most.

    Both are drawn on the CPU from the same seed, so that only the arithmetic differs. None where
    the CPU has no room for the layer or no kernel for the dtype.
    """
    on_cpu = replace(settings, device="cpu")
    with quiet_state(threads=_threads(config, input_spec)):
        there = _forward(config, input_spec, settings).results
        try:
            require_memory(need(config, input_spec, on_cpu), available_memory(), device="cpu")
            here = _forward(config, input_spec, on_cpu).results
        except RequestError:
            return None
        return relative_difference(config, there, here)


def relative_difference(
    config: RNNConfig, there: Mapping[str, torch.Tensor], here: Mapping[str, torch.Tensor]
) -> float:
    """The largest difference of two runs' results relative to each one's size.

    NaN or infinite where anything in either is; 0 where there is nothing to compare.
    """
    each = [
        (there[name].cpu() - here[name]).abs().max().double()
        / here[name].abs().max().double().clamp(1e-30)
        for name in result_names(config)
        if here[name].numel()
    ]
    return float(torch.stack(each).max()) if each else 0.0


def _holds(claim: Claim, results: Mapping[str, torch.Tensor]) -> bool | None:
    """Whether the relation holds bit by bit; None where there is too little to tell."""
    try:
        left = _value(claim.left, results)
        if isinstance(claim.right, tuple):
            return tuple(left.shape) == claim.right
        right = _value(claim.right, results)
    except (RuntimeError, IndexError):
        return False  # a slice or view that does not exist is related to nothing
    if left.device.type == "meta" or left.numel() == right.numel() == 0:
        return None
    equal = torch.equal(left, right)
    if claim.relation == "!=":
        # One run proves a difference; equality may be underflow, or relu that gives zeros.
        return None if equal else True
    # Zeros, as relu gives them, equal each other wherever they come from.
    return None if equal and not left.count_nonzero() else equal


def _value(expression: Expression, results: Mapping[str, torch.Tensor]) -> torch.Tensor:
    match expression:
        case Part(tensor=name, index=index, view=view):
            tensor = results[name]
            return (tensor if view is None else tensor.view(view))[index]
        case Sum(part=summed, dim=dim):
            return _value(summed, results).sum(dim)
        case Cat(parts=parts):
            return torch.cat([_value(each, results) for each in parts], -1)


def _threads(config: RNNConfig, input_spec: InputSpec) -> int:
    sizes = plain_sizes(config, input_spec)
    layer_weights = weights(config, sizes)
    work = max(layer_weights.parameters, macs(layer_weights, sizes))
    threads: int = 1 if work < _ONE_THREAD else torch.get_num_threads()
    return threads
