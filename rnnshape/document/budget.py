"""The document of a budget: the largest layer within it, beside its neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from rnnshape.analysis.budget import Candidate, Quantity, Solution
from rnnshape.document.data import (
    assumed_data,
    config_data,
    findings_data,
    input_data,
    preamble,
    totals_data,
    traps_data,
    verification_data,
)
from rnnshape.document.findings import finding_text, trap_text, traps_of
from rnnshape.document.legend import MACS, common_legend
from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Column,
    Document,
    Heading,
    Note,
    Paragraph,
    Section,
    Table,
)
from rnnshape.document.verification import run_verdict, verification_blocks
from rnnshape.layer.findings import CostlyProjection, DropoutWithoutEffect, Finding
from rnnshape.layer.report import LayerReport
from rnnshape.layer.subject import Subject

_TITLES: Final[Mapping[Quantity, str]] = {
    Quantity.PARAMETERS: "parameters",
    Quantity.MACS: "MACs",
    Quantity.BYTES: "bytes",
}


def budget_document(solution: Solution, report: LayerReport, *, request: str) -> Document:
    """The solution, and what is known of the layer found; `request` is the command line."""
    heading = Heading(Code(report.subject.config.constructor))
    sections = (
        Section(key="header", blocks=(heading,), titled=False),
        Section(key="budget", blocks=tuple(_budget(solution, report))),
        Section(key="findings", blocks=tuple(_findings(solution, report)), titled=False),
        Section(
            key="verification",
            blocks=tuple(verification_blocks(report, Code(request))),
            titled=False,
            needs_run=True,
        ),
    )
    return Document(
        sections=tuple(section for section in sections if section.blocks),
        data=partial(_data, solution, report),
        verdicts=lambda: [run_verdict(report, Code(request))],
    )


def _budget(solution: Solution, report: LayerReport) -> Iterator[Block]:
    quantity = solution.budget.quantity
    of_parameters = quantity is Quantity.PARAMETERS
    yield Table(
        columns=(
            Column(key=solution.unknown, title=solution.unknown),
            Column(key="used", title=_TITLES[quantity], numeric=True),
            Column(key="left", title="left", numeric=True),
            Column(
                key="macs" if of_parameters else "parameters",
                title="MACs" if of_parameters else "parameters",
                numeric=True,
                rank=1,
            ),
        ),
        rows=tuple(_row(solution, candidate) for candidate in solution.candidates),
    )
    yield Paragraph((_answer(solution),))
    yield Paragraph((_limit(solution, report),))
    if quantity is Quantity.MACS or of_parameters:
        yield Paragraph((f"{MACS}, whole input",))
    yield common_legend([report.subject], without=solution.unknown)


def _row(solution: Solution, candidate: Candidate) -> tuple[Cell, ...]:
    of_parameters = solution.budget.quantity is Quantity.PARAMETERS
    return (
        Code(f"{solution.unknown}={_size(solution, candidate)}"),
        candidate.used,
        candidate.left,
        candidate.subject.macs if of_parameters else candidate.subject.parameters,
    )


def _size(solution: Solution, candidate: Candidate) -> int:
    size: int = getattr(candidate.subject.config, solution.unknown)
    return size


def _answer(solution: Solution) -> str:
    config, size = solution.found.subject.config, _size(solution, solution.found)
    if solution.above is None:
        return (
            f"{size} is the largest {solution.unknown} there is:"
            f" it must be smaller than hidden_size {config.hidden_size}"
        )
    return f"{size} is the largest {solution.unknown} that fits; {size + 1} does not"


def _limit(solution: Solution, report: LayerReport) -> str:
    budget = solution.budget
    if budget.matched is not None:
        return f"{budget.allowed:,} allowed: {budget.matched.config.constructor}"
    limit = f"{budget.allowed:,} {_TITLES[budget.quantity]} allowed"
    if budget.quantity is Quantity.BYTES:
        dtype = report.subject.settings.dtype
        return f"{limit}: {dtype.itemsize} a parameter, {dtype.value}"
    return limit


def _findings(solution: Solution, report: LayerReport) -> Iterator[Block]:
    for target, trap in traps_of(_matched(solution)):
        yield Note(trap_text(target, trap))
    for finding in _of_the_layer(report):
        yield Note(finding_text(finding, report.subject.origin.words))


def _matched(solution: Solution) -> list[Subject]:
    return [] if solution.budget.matched is None else [solution.budget.matched]


def _of_the_layer(report: LayerReport) -> list[Finding]:
    """Without what is said of the input's shape, which a budget is not about."""
    about = (CostlyProjection, DropoutWithoutEffect)
    return [finding for finding in report.findings if isinstance(finding, about)]


def _data(solution: Solution, report: LayerReport) -> Mapping[str, Any]:
    budget, subject = solution.budget, report.subject
    findings = findings_data(_of_the_layer(report), subject)
    return {
        **preamble([report.run]),
        "constructor": subject.config.constructor,
        "config": config_data(subject),
        "assumed": assumed_data([subject]),
        "input": input_data(subject),
        "budget": {
            "quantity": budget.quantity.value,
            "allowed": budget.allowed,
            "matched": budget.matched.config.constructor if budget.matched else None,
        },
        "solved": solution.unknown,
        "size": _size(solution, solution.found),
        "candidates": [
            {
                "size": _size(solution, candidate),
                "constructor": candidate.subject.config.constructor,
                **totals_data(candidate.subject),
                "used": candidate.used,
                "left": candidate.left,
                "fits": candidate.left >= 0,
            }
            for candidate in solution.candidates
        ],
        "findings": [*traps_data(_matched(solution)), *findings],
        "verification": verification_data(report),
    }
