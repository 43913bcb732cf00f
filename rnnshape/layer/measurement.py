"""What PyTorch does: the real layer, built on the device, and one forward pass.

See `modules` for when torch is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import torch

from rnnshape.layer.capacity import (
    need,
    require_memory,
)
from rnnshape.layer.config import InputSpec, RNNConfig, Settings
from rnnshape.layer.facts import Cat, Claim, Expression, Facts, Part, Sum, Tensor, Weight
from rnnshape.layer.formulas import (
    layout,
    macs,
    plain_sizes,
    state_names,
    stateless_results,
    weights,
)
from rnnshape.layer.modules import (
    called,
    existing_device,
    filled_module,
    free_memory,
    named_results,
    packed,
    quiet_state,
    random_tensor,
    refusal,
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
    try:
        with quiet_state(threads=_threads(config, input_spec)):
            facts = _run(config, fed, settings, claims)
    except (RuntimeError, NotImplementedError, TypeError) as error:
        raise refusal(error, config, settings, needed.total) from error
    # Without the build's tag, "+cpu", which the device already tells.
    version = torch.__version__.partition("+")[0]
    return Measured(facts=facts, torch_version=version, input_spec=fed)


def _shortened(input_spec: InputSpec) -> InputSpec:
    if input_spec.lengths is not None:
        return input_spec  # the lengths are what is asked about
    return replace(input_spec, seq_len=min(input_spec.seq_len, _META_STEPS))


def _run(
    config: RNNConfig, input_spec: InputSpec, settings: Settings, claims: Sequence[Claim]
) -> Facts:
    forward = _forward(config, input_spec, settings)
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
    random = torch.Generator().manual_seed(0)
    module = filled_module(config, settings, random)
    expected = layout(config, input_spec, plain_sizes(config, input_spec))
    given = {"input": random_tensor(expected["input"].shape, settings, random)}
    read: Any = given["input"]
    batch_sizes = None
    if "data" in expected:
        read = packed(config, input_spec, given["input"])
        given["data"] = read.data
        batch_sizes = tuple(read.batch_sizes.tolist())
    stateless: dict[str, torch.Tensor] = {}
    states: tuple[torch.Tensor, ...] = ()
    if input_spec.with_state:
        # Zeros of the predicted shapes: PyTorch itself refuses them where they are wrong.
        names = state_names(config, "0")
        states = tuple(given["input"].new_zeros(expected[name].shape) for name in names)
        given |= dict(zip(names, states, strict=True))
        expressions = stateless_results(config)
        without = named_results(config, called(module, read))
        stateless = {expressions[result]: value for result, value in without.items()}
    return _Forward(
        module=module,
        results=given | named_results(config, called(module, read, states)),
        stateless=stateless,
        batch_sizes=batch_sizes,
    )


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


def difference_from_cpu(config: RNNConfig, input_spec: InputSpec, settings: Settings) -> float:
    """How far the results on a device are from the CPU's for the same weights and input, at most.

    Both are drawn on the CPU from the same seed, so that only the arithmetic differs.
    """
    on_cpu = replace(settings, device="cpu")
    with quiet_state(threads=_threads(config, input_spec)):
        there = _forward(config, input_spec, settings).results
        here = _forward(config, input_spec, on_cpu).results
        return largest_difference(there, here)


def largest_difference(
    there: Mapping[str, torch.Tensor], here: Mapping[str, torch.Tensor]
) -> float:
    """The largest difference of two runs' results relative to each one's size; NaN stays NaN."""
    each = [
        (there[name].cpu() - value).abs().max().double() / value.abs().max().double().clamp(1e-30)
        for name, value in here.items()
        if value.numel() and name in ("output", "h_n", "c_n", "h_1", "c_1")
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
    if claim.relation == "==":
        return equal
    # One run proves a difference; equality may be underflow, or relu that gives zeros.
    return None if equal else True


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
