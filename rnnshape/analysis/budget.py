"""The largest layer within a budget: exact, by bisection over formulas that only grow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal, TypeAlias

from rnnshape.errors import RequestError
from rnnshape.layer.config import MAX_SIZE, InputSpec, Kind, RNNConfig, Settings
from rnnshape.layer.formulas import macs, plain_sizes, weights

Unknown: TypeAlias = Literal["hidden_size", "proj_size"]


class Quantity(Enum):
    """What a budget limits; the value is its name in JSON and in words."""

    PARAMETERS = "parameters"
    MACS = "macs"
    BYTES = "bytes"


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A limit that may be reached, not exceeded."""

    quantity: Quantity
    allowed: int
    matched: RNNConfig | None = None  # the layer whose parameters are the limit


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A layer and what it takes of the budget."""

    config: RNNConfig
    parameters: int
    macs: int
    used: int
    left: int  # below 0 where it does not fit


@dataclass(frozen=True, kw_only=True)
class Solution:
    """The largest layer that fits, with the sizes one below and one above where there are any."""

    budget: Budget
    unknown: Unknown
    found: Candidate
    below: Candidate | None
    above: Candidate | None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """By size."""
        return tuple(each for each in (self.below, self.found, self.above) if each)


def solve(
    config: RNNConfig,
    input_spec: InputSpec,
    settings: Settings,
    *,
    budget: Budget,
    unknown: Unknown,
) -> Solution:
    """The largest `unknown` of `config` within the budget; what `config` has of it is ignored.

    Parameters, bytes and MACs are linear in proj_size and grow with hidden_size, so that
    bisection finds the only answer. Raises RequestError where nothing fits, where everything
    does, and where there is no projection.
    """
    least, most = _bounds(config, input_spec, budget, unknown)

    def candidate(size: int) -> Candidate:
        return _candidate(_sized(config, unknown, size), input_spec, settings, budget)

    smallest = candidate(least)
    if smallest.left < 0:
        raise _nothing_fits(smallest, budget)
    size = _last(lambda size: candidate(size).left >= 0, least, most)
    return Solution(
        budget=budget,
        unknown=unknown,
        found=candidate(size),
        below=candidate(size - 1) if size > least else None,
        above=candidate(size + 1) if size < most else None,
    )


def _bounds(
    config: RNNConfig, input_spec: InputSpec, budget: Budget, unknown: Unknown
) -> tuple[int, int]:
    if budget.quantity is Quantity.MACS and not plain_sizes(config, input_spec).steps:
        raise RequestError(
            "with batch 0 there are no MACs, and every layer fits",
            hint="--batch 1, or --params",
        )
    if unknown == "hidden_size":
        # Each hidden feature takes a parameter and a multiply-add at least.
        return config.proj_size + 1, min(max(budget.allowed, config.proj_size) + 1, MAX_SIZE)
    if config.kind is not Kind.LSTM or config.cell:
        raise RequestError(
            f"{config.class_name} has no proj_size; only nn.LSTM has",
            hint="--solve hidden",
        )
    if config.hidden_size == 1:
        raise RequestError("hidden_size 1 leaves no smaller proj_size", hint="--hidden 2 or more")
    return 1, config.hidden_size - 1


def _sized(config: RNNConfig, unknown: Unknown, size: int) -> RNNConfig:
    if unknown == "hidden_size":
        return replace(config, hidden_size=size)
    return replace(config, proj_size=size)


def _candidate(
    config: RNNConfig, input_spec: InputSpec, settings: Settings, budget: Budget
) -> Candidate:
    sizes = plain_sizes(config, input_spec)
    layer_weights = weights(config, sizes)
    parameters, multiply_adds = layer_weights.parameters, macs(layer_weights, sizes)
    match budget.quantity:
        case Quantity.PARAMETERS:
            used = parameters
        case Quantity.MACS:
            used = multiply_adds
        case Quantity.BYTES:
            used = parameters * settings.dtype.itemsize
    return Candidate(
        config=config,
        parameters=parameters,
        macs=multiply_adds,
        used=used,
        left=budget.allowed - used,
    )


def _last(fits: Callable[[int], bool], least: int, most: int) -> int:
    """The last size that fits, when `least` does and all that fit come first."""
    if fits(most):
        return most
    while most - least > 1:
        middle = (least + most) // 2
        if fits(middle):
            least = middle
        else:
            most = middle
    return least


def _nothing_fits(smallest: Candidate, budget: Budget) -> RequestError:
    has, option = {
        Quantity.PARAMETERS: ("parameters", "--params"),
        Quantity.MACS: ("MACs", "--macs"),
        Quantity.BYTES: ("bytes of parameters", "--bytes"),
    }[budget.quantity]
    return RequestError(
        f"the smallest, {smallest.config.constructor}, has {smallest.used:,} {has};"
        f" {budget.allowed:,} {'is' if budget.allowed == 1 else 'are'} allowed",
        hint=f"{option} {smallest.used} is the least that it fits"
        if budget.matched is None
        else f"--match a layer of {smallest.used:,} parameters or more",
    )
