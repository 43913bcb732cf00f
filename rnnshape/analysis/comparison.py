"""Layers side by side: parameters, MACs and their exact ratios to a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind
from rnnshape.layer.report import Runner, predicted_report
from rnnshape.layer.siblings import of_kind, siblings
from rnnshape.layer.subject import Subject

if TYPE_CHECKING:
    from rnnshape.layer.run import Run


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One layer compared with the baseline. A ratio to nothing is None."""

    subject: Subject
    parameters_ratio: Fraction | None
    macs_ratio: Fraction | None

    @property
    def parameters(self) -> int:
        """Elements of all weights of all copies."""
        return self.subject.copies * self.subject.parameters

    @property
    def macs(self) -> int:
        """Multiply-adds of the matrix products over the whole input, of all copies."""
        return self.subject.copies * self.subject.macs


@dataclass(frozen=True, kw_only=True)
class ComparedGroup:
    """Layers compared with one baseline, which is among them."""

    baseline: Subject
    rows: tuple[Compared, ...]

    @property
    def parameters(self) -> int:
        """The sum over the rows."""
        return sum(row.parameters for row in self.rows)

    @property
    def macs(self) -> int:
        """The sum over the rows."""
        return sum(row.macs for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Groups of layers in the same settings; `runs` is None until they are run."""

    groups: tuple[ComparedGroup, ...]
    request: str  # the command line
    counted: bool = False  # whether copies are counted, so that a total is wanted
    runs: Mapping[Subject, Run] | None = None

    @cached_property
    def rows(self) -> tuple[Compared, ...]:
        """The layers of all groups."""
        return tuple(row for group in self.groups for row in group.rows)

    @cached_property
    def subjects(self) -> tuple[Subject, ...]:
        """The different layers, in order; a layer with the same input in two groups counts once."""
        different = {(row.subject.config, row.subject.input_spec): row.subject for row in self.rows}
        return tuple(different.values())

    @property
    def disagreeing(self) -> list[tuple[Subject, Run]]:
        """The layers with a mismatch, and their runs."""
        runs = self.runs or {}
        return [(subject, run) for subject, run in runs.items() if not run.agrees]


def group(subjects: Sequence[Subject]) -> ComparedGroup:
    """These layers compared with the first of them."""
    return ComparedGroup(baseline=subjects[0], rows=_against(subjects[0], subjects))


ORDERS: Final[Mapping[str, Callable[[Compared], Any]]] = {
    "parameters": lambda row: row.parameters,
    "macs": lambda row: row.macs,
    "name": lambda row: (
        row.subject.config.class_name,
        row.subject.config.input_size,
        row.subject.config.hidden_size,
        row.subject.config.constructor,
    ),
}


def ordered(comparison: Comparison, order: str) -> Comparison:
    """The comparison with each group sorted by `order`, a key of ORDERS; the sort is stable."""
    groups = (
        replace(each, rows=tuple(sorted(each.rows, key=ORDERS[order])))
        for each in comparison.groups
    )
    return replace(comparison, groups=tuple(groups))


def run_each(comparison: Comparison, run: Runner) -> Comparison:
    """The comparison with each different layer run once, by `run`.

    Raises RequestError, which names the layer, where one cannot be run.
    """
    return replace(comparison, runs={each: _found(run, each) for each in comparison.subjects})


def _found(run: Runner, subject: Subject) -> Run:
    try:
        found = run(predicted_report(subject)).run
    except RequestError as error:
        raise error.behind(subject.config.constructor) from error
    assert found is not None
    return found


def against_siblings(subject: Subject) -> tuple[Compared, ...]:
    """The layer's siblings compared with the LSTM without a projection."""
    return _against(of_kind(subject, Kind.LSTM), siblings(subject))


def _against(baseline: Subject, subjects: Iterable[Subject]) -> tuple[Compared, ...]:
    """Each compared with the baseline, of which there may be several copies too."""
    parameters, macs = (baseline.copies * n for n in (baseline.parameters, baseline.macs))
    return tuple(
        Compared(
            subject=subject,
            parameters_ratio=_ratio(subject.copies * subject.parameters, parameters),
            macs_ratio=_ratio(subject.copies * subject.macs, macs),
        )
        for subject in subjects
    )


def _ratio(own: int, other: int) -> Fraction | None:
    return Fraction(own, other) if other else None
