"""A report, and the judgements of what was expected of its layer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnnshape.layer.report import LayerReport
from rnnshape.layer.subject import Subject

if TYPE_CHECKING:
    from rnnshape.analysis.expectation import Judgement


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A report with judged expectations, if there are any."""

    report: LayerReport
    judgements: tuple[Judgement, ...] = ()

    @property
    def subject(self) -> Subject:
        """The layer that it is about."""
        return self.report.subject

    @property
    def holds(self) -> bool:
        """Whether every expectation holds."""
        return all(judgement.holds for judgement in self.judgements)

    def run(self, probes: Collection[str] = ()) -> Inspection:
        """The inspection with the layer run. Raises RequestError where that is not possible."""
        from rnnshape.pytorch.run import with_run  # many requests need no run

        return replace(self, report=with_run(self.report, probes))
