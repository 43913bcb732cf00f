"""Whether what was expected of a layer holds, and why not: in words, and as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rnnshape.analysis.expectation import Judgement, Operator
from rnnshape.analysis.value import Number, TensorShape, Value
from rnnshape.document.model import Block, Code, Formula, Inline, Paragraph, Shape, Verdict, plain
from rnnshape.layer.report import Report

_NOT: Final[Mapping[Operator, str]] = {
    Operator.EQUAL: "not ",
    Operator.AT_MOST: "not at most ",
    Operator.AT_LEAST: "not at least ",
    Operator.LESS: "not less than ",
    Operator.MORE: "not more than ",
}


def expectations(
    report: Report, judgements: Sequence[Judgement], *, subject: Code
) -> Iterator[Block]:
    """One line where all hold; where not, each failure with the formula and its numbers."""
    verdicts = [expectation_verdict(each, report, subject=subject) for each in judgements]
    failed = [verdict for verdict in verdicts if verdict.status == "unmet"]
    yield from failed
    count = _count(len(judgements) - len(failed), len(judgements))
    if not failed:
        if report.disagrees:
            count += ", by formulas that PyTorch disputes"
        yield Verdict(status="open" if report.disagrees else "ok", text=(count,), subject=subject)
    elif len(judgements) > 1:
        yield Paragraph((count,))


def expectation_verdict(judgement: Judgement, report: Report, *, subject: Code) -> Verdict:
    """Whether one expectation holds; where not, with the formula and its numbers."""
    text = judgement.expectation.text
    if judgement.holds and report.disagrees:
        disputed = (Code(text), " holds by formulas that PyTorch disputes")
        return Verdict(status="open", text=disputed, subject=subject, what=text)
    if judgement.holds:
        return Verdict(status="ok", text=(Code(text),), subject=subject, what=text)
    return Verdict(
        status="unmet",
        text=_failure(judgement),
        subject=subject,
        what=text,
        reason=_reason(judgement, report),
    )


def failure_text(judgement: Judgement, report: Report) -> str:
    """A failure in two lines, for an exception."""
    return f"{plain(_failure(judgement))}\n  {plain(_reason(judgement, report))}"


def expectation_data(judgement: Judgement) -> Mapping[str, Any]:
    """An expectation for machines."""
    return {
        "text": judgement.expectation.text,
        "name": judgement.expectation.name,
        "operator": judgement.expectation.operator.value,
        "expected": judgement.expected,
        "actual": judgement.actual,
        "holds": judgement.holds,
        "formula": judgement.formula,
    }


def _failure(judgement: Judgement) -> Inline:
    expectation = judgement.expectation
    expected = _NOT[expectation.operator]
    return (
        Code(expectation.text),
        ": it is ",
        _cell(judgement.predicted),
        f", {expected}",
        _cell(expectation.value),
    )


def _cell(value: Value) -> str | Shape:
    match value:
        case Number():
            return f"{value.plain:,}"
        case TensorShape():
            return Shape(value.plain)


def _reason(judgement: Judgement, report: Report) -> Inline:
    """`(L, N, D*H_out) with H_out=48 hidden, D=2`."""
    return (Formula(judgement.formula), f" with {', '.join(_numbers(judgement, report))}")


def _numbers(judgement: Judgement, report: Report) -> Iterator[str]:
    known = dict(judgement.symbols)
    if {"H_out", "H_cell"} <= known.keys() and not report.config.proj_size:
        known["H_out=H_cell"] = known.pop("H_out")
        del known["H_cell"]
    for symbol, meaning in _meanings(report).items():
        if symbol in known:
            yield f"{symbol}={known[symbol]:,} {meaning}".rstrip()


def _meanings(report: Report) -> Mapping[str, str]:
    """What each symbol is besides its name, in the order in which they are listed."""
    return {
        "L": "seq",
        "N": "batch",
        "sum(lengths)": "",
        "max(lengths)": "",
        "H_in": "input",
        "H_out=H_cell": "hidden",
        "H_cell": "hidden",
        "H_out": "proj" if report.config.proj_size else "hidden",
        "num_layers": "",
        "D": "",
        "itemsize": report.settings.dtype.value,
    }


def _count(holding: int, count: int) -> str:
    return f"{holding} of {count} expectation{'s' * (count > 1)} hold{'s' * (count == 1)}"
