"""A report, and the judgements of what was expected of its layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnshape.layer.report import LayerReport
from rnnshape.layer.subject import Subject

if TYPE_CHECKING:
    from rnnshape.analysis.expectation import Judgement
    from rnnshape.analysis.matching import Match


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A report with judged expectations and a match, if there are any."""

    report: LayerReport
    judgements: tuple[Judgement, ...] = ()
    match: Match | None = None  # another layer that it must match
    to: str | None = None  # the framework to convert it to, of analysis/frameworks

    @property
    def subject(self) -> Subject:
        """The layer that it is about."""
        return self.report.subject

    @property
    def holds(self) -> bool:
        """Whether every expectation holds, and the layer matches what it must match."""
        matches = self.match is None or self.match.holds
        return matches and all(judgement.holds for judgement in self.judgements)
