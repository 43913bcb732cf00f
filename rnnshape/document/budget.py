"""The document of a budget: the largest layer within it, next to its neighbours."""

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
from rnnshape.document.legend import MACS, assumed, common_legend
from rnnshape.document.model import (
    Block,
    Code,
    Column,
    Document,
    Heading,
    Note,
    Paragraph,
    Table,
)
from rnnshape.document.sections import assembled
from rnnshape.document.verification import run_verdict, verification_blocks
from rnnshape.layer.findings import CostlyProjection, DropoutWithoutEffect, Finding
from rnnshape.layer.report import LayerReport

_TITLES: Final[Mapping[Quantity, str]] = {
    Quantity.PARAMETERS: "parameters",
    Quantity.MACS: "MACs",
    Quantity.BYTES: "bytes",
}


def budget_document(solution: Solution, report: LayerReport, *, request: str) -> Document:
    """The solution, and what is known of the layer found; `request` is the command line."""
    blocks = {
        "header": [Heading(Code(report.subject.config.constructor))],
        "budget": _budget(solution, report),
        "findings": _findings(solution, report),
        "verification": verification_blocks(report, Code(request)),
    }
    return Document(
        sections=assembled(blocks),
        data=partial(_data, solution, report),
        verdicts=lambda: [run_verdict(report, Code(request))],
    )


def _budget(solution: Solution, report: LayerReport) -> Iterator[Block]:
    quantity, other = solution.budget.quantity, Quantity.PARAMETERS
    if quantity is Quantity.PARAMETERS:
        other = Quantity.MACS
    yield Table(
        columns=(
            Column(key=solution.sought, title=solution.sought),
            Column(key="used", title=_TITLES[quantity], numeric=True),
            Column(key="left", title="left", numeric=True),
            Column(key=other.value, title=_TITLES[other], numeric=True, rank=1),
        ),
        rows=tuple(
            (
                Code(f"{solution.sought}={_size(solution, each)}"),
                each.used,
                each.left,
                getattr(each.subject, other.value),
            )
            for each in solution.candidates
        ),
    )
    yield Paragraph((_answer(solution),))
    yield Paragraph((_limit(solution, report),))
    if quantity is not Quantity.BYTES:
        column = "" if quantity is Quantity.MACS else other.value
        yield Paragraph((f"{MACS}, whole input",), column=column)
    yield common_legend([report.subject], without=solution.sought)
    if defaults := assumed([report.subject], without=solution.sought):
        yield Paragraph(defaults)


def _size(solution: Solution, candidate: Candidate) -> int:
    size: int = getattr(candidate.subject.config, solution.sought)
    return size


def _answer(solution: Solution) -> str:
    config, size = solution.found.subject.config, _size(solution, solution.found)
    if solution.above is None:
        return (
            f"{size} is the largest {solution.sought} there is:"
            f" it must be smaller than hidden_size {config.hidden_size}"
        )
    return f"{size} is the largest {solution.sought} that fits; {size + 1} does not"


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
    for target, trap in traps_of(filter(None, [solution.budget.matched])):
        yield Note(trap_text(target, trap))
    for finding in _of_the_layer(report):
        yield Note(finding_text(finding, report.subject.origin.words))


def _of_the_layer(report: LayerReport) -> list[Finding]:
    """The findings about the layer; a budget has nothing to do with the shape of the input."""
    of_the_layer = (CostlyProjection, DropoutWithoutEffect)
    return [finding for finding in report.findings if isinstance(finding, of_the_layer)]


def _data(solution: Solution, report: LayerReport) -> Mapping[str, Any]:
    budget, subject = solution.budget, report.subject
    traps = traps_data(filter(None, [budget.matched]))
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
        "solved": solution.sought,
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
        "findings": [*traps, *findings_data(_of_the_layer(report), subject)],
        "verification": verification_data(report),
    }
