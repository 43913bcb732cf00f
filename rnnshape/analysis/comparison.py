"""Layers, and sums of them, side by side: counts and their exact ratios to a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from rnnshape.analysis.feeding import Feeding, feeding
from rnnshape.analysis.summands import (
    Layer,
    Summands,
    alone,
    output_of,
    recurrent,
    stateless,
    written,
)
from rnnshape.computed import cached_property
from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind
from rnnshape.layer.report import Runner, predicted_report
from rnnshape.layer.siblings import of_kind, siblings
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.threads import side_by_side

if TYPE_CHECKING:
    from rnnshape.layer.facts import Tensor
    from rnnshape.layer.run import Run
    from rnnshape.layer.stateless import Embedding, Linear


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What one target counts together, compared with the baseline. A ratio to nothing is None."""

    summands: Summands
    subject: Subject  # the layer; of a sum, its first recurrent one
    parameters: int  # elements of all weights of all copies
    macs: int  # multiply-adds of the matrix products over the whole input, of all copies
    parameters_ratio: Fraction | None
    macs_ratio: Fraction | None

    @property
    def is_sum(self) -> bool:
        """Whether it is more than one layer and copies of that."""
        return len(self.summands) > 1

    @property
    def constructor(self) -> str:
        """The calls that build it: `6 x nn.LSTM(20, 40) + nn.Linear(40, 20)`."""
        return written(self.summands)

    @property
    def output(self) -> Tensor:
        """What the last layer gives."""
        return output_of(self.summands[-1], self.subject)


@dataclass(frozen=True, kw_only=True)
class ComparedGroup:
    """Layers compared with one baseline, which is among them."""

    baseline: Summands
    rows: tuple[Compared, ...]

    @property
    def parameters(self) -> int:
        """The sum over the rows."""
        return sum(row.parameters for row in self.rows)

    @property
    def macs(self) -> int:
        """The sum over the rows."""
        return sum(row.macs for row in self.rows)

    @property
    def feedings(self) -> list[Feeding]:
        """How each row hands its states to the next: its last layer to the first of that."""
        return [
            feeding(recurrent(row.summands)[-1], following.subject)
            for row, following in pairwise(self.rows)
        ]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Groups of layers in the same settings; `runs` is None until they are run."""

    groups: tuple[ComparedGroup, ...]
    request: str  # the command line
    counted: bool = False  # whether copies are counted, so that a total is wanted
    feeds: bool = False  # whether it is asked if the states of each row fit the next
    runs: Mapping[Layer, Run] | None = None

    @cached_property
    def rows(self) -> tuple[Compared, ...]:
        """The layers of all groups."""
        return tuple(row for group in self.groups for row in group.rows)

    @cached_property
    def every(self) -> tuple[Subject, ...]:
        """The recurrent layers of all rows."""
        return tuple(each for row in self.rows for each in recurrent(row.summands))

    @cached_property
    def subjects(self) -> tuple[Subject, ...]:
        """The different recurrent layers, in order: those with one config and one input are one."""
        return tuple({(each.config, each.input_spec): each for each in self.every}.values())

    @cached_property
    def stateless(self) -> tuple[Linear | Embedding, ...]:
        """The different layers beside them, in order."""
        every = [each for row in self.rows for each in stateless(row.summands)]
        return tuple(dict.fromkeys(every))

    @property
    def disagreeing(self) -> list[tuple[Layer, Run]]:
        """The layers with a mismatch, and their runs."""
        runs = self.runs or {}
        return [(layer, run) for layer, run in runs.items() if not run.agrees]


def group(rows: Sequence[Summands]) -> ComparedGroup:
    """These layers and sums compared with the first of them."""
    return ComparedGroup(baseline=rows[0], rows=_against(rows[0], rows))


ORDERS: Final[Mapping[str, Callable[[Compared], Any]]] = {
    "parameters": lambda row: row.parameters,
    "macs": lambda row: row.macs,
    "name": lambda row: (
        row.subject.config.class_name,
        row.subject.config.input_size,
        row.subject.config.hidden_size,
        row.constructor,
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
    """The comparison with each different layer run once; the recurrent ones by `run`.

    Raises RequestError, which names the layer, where one cannot be run.
    """
    first, *others = comparison.subjects
    # The first alone: it imports torch, or is refused without it.
    runs: dict[Layer, Run] = {first: _found(run, first)}
    results = side_by_side(partial(_found, run), others, until_error=True)
    runs |= {each: result.get() for each, result in zip(others, results, strict=True)}
    if comparison.stateless:
        from rnnshape.pytorch.stateless import run_stateless  # imports torch

        runs |= {each: run_stateless(each) for each in comparison.stateless}
    return replace(comparison, runs=runs)


def _found(run: Runner, subject: Subject) -> Run:
    try:
        found = run(predicted_report(subject)).run
    except RequestError as error:
        raise error.behind(subject.config.constructor) from error
    assert found is not None
    return found


def against_siblings(subject: Subject) -> tuple[Compared, ...]:
    """The layer's siblings compared with the LSTM without a projection."""
    return _against(alone(of_kind(subject, Kind.LSTM)), map(alone, siblings(subject)))


def _against(baseline: Summands, rows: Iterable[Summands]) -> tuple[Compared, ...]:
    """Each compared with the baseline, of which there may be several copies too."""
    baseline_parameters, baseline_macs = _totals(baseline)
    compared = []
    for row in rows:
        parameters, macs = _totals(row)
        compared.append(
            Compared(
                summands=row,
                subject=recurrent(row)[0],
                parameters=parameters,
                macs=macs,
                parameters_ratio=_ratio(parameters, baseline_parameters),
                macs_ratio=_ratio(macs, baseline_macs),
            )
        )
    return tuple(compared)


def _totals(summands: Summands) -> tuple[int, int]:
    """Parameters and MACs of all copies of all layers."""
    return sum([each.parameters for each in summands]), sum([each.macs for each in summands])


def _ratio(own: int, other: int) -> Fraction | None:
    return Fraction(own, other) if other else None
