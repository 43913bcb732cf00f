"""Find the largest layer within a budget, exactly, by bisection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias

from rnnshape.errors import RequestError
from rnnshape.layer.config import MAX_SIZE, Kind
from rnnshape.layer.subject import Subject

Sought: TypeAlias = Literal["hidden_size", "proj_size"]


class Quantity(Enum):
    """What a budget limits, by its name in words and in JSON."""

    PARAMETERS = "parameters"
    MACS = "macs"
    BYTES = "bytes"


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A limit that may be reached but not exceeded."""

    quantity: Quantity
    allowed: int
    matched: Subject | None = None  # the layer whose parameters are the limit


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A layer and how much of the budget it uses."""

    subject: Subject
    used: int
    left: int  # below 0 where it does not fit


@dataclass(frozen=True, kw_only=True)
class Solution:
    """The largest layer that fits, and those with one feature less and more, if they exist."""

    budget: Budget
    sought: Sought
    found: Candidate
    below: Candidate | None
    above: Candidate | None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The layers, the smallest first."""
        return tuple(each for each in (self.below, self.found, self.above) if each)


def solve(subject: Subject, *, budget: Budget, sought: Sought) -> Solution:
    """The subject with the largest `sought` within the budget, whatever its own value of it.

    Parameters, bytes and MACs grow with hidden_size and with proj_size, so that bisection finds
    the only answer. Raises RequestError where nothing fits, where everything does, and where the
    layer cannot have a projection.
    """
    least, most = _bounds(subject, budget, sought)

    def candidate(size: int) -> Candidate:
        return _candidate(subject.changed(**{sought: size}), budget)

    smallest = candidate(least)
    if smallest.left < 0:
        raise _nothing_fits(smallest, budget)
    size = _last(lambda size: candidate(size).left >= 0, least, most)
    return Solution(
        budget=budget,
        sought=sought,
        found=candidate(size),
        below=candidate(size - 1) if size > least else None,
        above=candidate(size + 1) if size < most else None,
    )


def _bounds(subject: Subject, budget: Budget, sought: Sought) -> tuple[int, int]:
    config = subject.config
    if budget.quantity is Quantity.MACS and not subject.sizes.steps:
        raise RequestError(
            "with batch 0 there are no MACs, so every layer fits",
            hint="{params:name} instead of {macs:name}, or a batch of 1 or more",
            params=0,
            macs=0,
        )
    if sought == "hidden_size":
        # Each hidden feature takes at least one parameter and one multiply-add.
        return config.proj_size + 1, min(max(budget.allowed, config.proj_size) + 1, MAX_SIZE)
    if config.kind is not Kind.LSTM or config.cell:
        raise RequestError(
            f"{config.class_name} has no proj_size; only nn.LSTM has one", solve="hidden"
        )
    if config.hidden_size == 1:
        raise RequestError(
            "hidden_size 1 leaves no smaller proj_size", hint="{hidden_size} or more", hidden_size=2
        )
    return 1, config.hidden_size - 1


def _candidate(subject: Subject, budget: Budget) -> Candidate:
    match budget.quantity:
        case Quantity.PARAMETERS:
            used = subject.parameters
        case Quantity.MACS:
            used = subject.macs
        case Quantity.BYTES:
            used = subject.parameters * subject.settings.dtype.itemsize
    return Candidate(subject=subject, used=used, left=budget.allowed - used)


def _last(fits: Callable[[int], bool], least: int, most: int) -> int:
    """The largest size that fits. If a size does not fit, no larger one does; `least` fits."""
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
        Quantity.PARAMETERS: ("parameters", "params"),
        Quantity.MACS: ("MACs", "macs"),
        Quantity.BYTES: ("bytes of parameters", "bytes"),
    }[budget.quantity]
    problem = (
        f"the smallest, {smallest.subject.config.constructor}, has {smallest.used:,} {has};"
        f" {budget.allowed:,} {'is' if budget.allowed == 1 else 'are'} allowed"
    )
    if budget.matched is not None:
        hint = f"{{match:name}} a layer of {smallest.used:,} parameters or more"
        return RequestError(problem, hint=hint, match="")
    return RequestError(
        problem,
        hint=f"{{{option}}} is the smallest budget that allows it",
        **{option: smallest.used},
    )
