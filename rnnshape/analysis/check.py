"""A manifest held against its modules: what was expected of each, and what it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from rnnshape.analysis.expectation import Judgement, Operator
from rnnshape.analysis.matching import Difference
from rnnshape.layer.config import RNNConfig
from rnnshape.layer.report import Report
from rnnshape.layer.run import with_run


@dataclass(frozen=True, kw_only=True)
class Match:
    """Another layer that a module must fit, and where it does not."""

    target: str  # as it would be typed
    config: RNNConfig
    differences: tuple[Difference, ...]
    line: int  # where it is demanded

    @property
    def holds(self) -> bool:
        """Whether the two fit each other."""
        return not self.differences


@dataclass(frozen=True, kw_only=True)
class Expected:
    """An expectation, judged, and the line where it is demanded."""

    judgement: Judgement
    line: int


@dataclass(frozen=True, kw_only=True)
class Module:
    """One module of a manifest, judged by formula; `report.run` is None until it was run."""

    name: str
    target: str
    line: int
    report: Report
    expected: tuple[Expected, ...]
    match: Match | None

    @cached_property
    def unmet(self) -> tuple[Expected, ...]:
        """The expectations that fail."""
        return tuple(each for each in self.expected if not each.judgement.holds)

    @property
    def held(self) -> int:
        """How many of its demands hold."""
        matched = self.match is not None and self.match.holds
        return len(self.expected) - len(self.unmet) + matched

    @property
    def demands(self) -> int:
        """How many expectations there are, and another for what it must match."""
        return len(self.expected) + (self.match is not None)

    @property
    def disagrees(self) -> bool:
        """Whether a run found something else than was predicted."""
        return self.report.disagrees

    def run(self) -> Module:
        """The module with its layer run. Raises RequestError where that is not possible."""
        return replace(self, report=with_run(self.report))


@dataclass(frozen=True, kw_only=True)
class Check:
    """Every module of a manifest that was asked for."""

    file: str
    modules: tuple[Module, ...]

    @property
    def held(self) -> int:
        """Demands that hold, over all modules."""
        return sum(module.held for module in self.modules)

    @property
    def demands(self) -> int:
        """Demands of all modules."""
        return sum(module.demands for module in self.modules)

    @property
    def disagreeing(self) -> tuple[Module, ...]:
        """The modules whose run found something else than was predicted."""
        return tuple(module for module in self.modules if module.disagrees)

    @property
    def outdated(self) -> tuple[tuple[Module, int], ...]:
        """The unmet equalities, each by its module and its number there.

        They can be brought up to date; a limit that is exceeded is a decision, not a record.
        """
        return tuple(
            (module, number)
            for module in self.modules
            for number, each in enumerate(module.expected)
            if not each.judgement.holds and each.judgement.expectation.operator is Operator.EQUAL
        )
