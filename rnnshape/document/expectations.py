"""Whether what was expected of a layer holds, and why not: in words, and as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rnnshape.analysis.expectation import Judgement, Operator
from rnnshape.analysis.inspection import Inspection
from rnnshape.analysis.value import Number, TensorShape, Value
from rnnshape.document.model import Block, Code, Formula, Inline, Paragraph, Shape, Verdict, plain
from rnnshape.layer.subject import Subject

_NOT: Final[Mapping[Operator, str]] = {
    Operator.EQUAL: "not ",
    Operator.AT_MOST: "not at most ",
    Operator.AT_LEAST: "not at least ",
    Operator.LESS: "not less than ",
    Operator.MORE: "not more than ",
}


def expectation_blocks(inspection: Inspection) -> Iterator[Block]:
    """One line where all hold; where not, each failure with the formula and its numbers."""
    verdicts = list(expectation_verdicts(inspection))
    failed = [verdict for verdict in verdicts if verdict.status == "failed"]
    yield from failed
    count, disputed = (
        _count(len(verdicts) - len(failed), len(verdicts)),
        inspection.report.disagrees,
    )
    if not failed:
        text = f"{count}, by formulas that PyTorch disputes" if disputed else count
        subject = Code(inspection.subject.request)
        yield Verdict(status="skipped" if disputed else "ok", text=(text,), subject=subject)
    elif len(verdicts) > 1:
        yield Paragraph((count,))


def expectation_verdicts(inspection: Inspection) -> Iterator[Verdict]:
    """Whether each expectation holds; where not, with the formula and its numbers."""
    subject = Code(inspection.subject.request)
    for judgement in inspection.judgements:
        yield expectation_verdict(judgement, subject=subject, disputed=inspection.report.disagrees)


def expectation_verdict(judgement: Judgement, *, subject: Code, disputed: bool) -> Verdict:
    """Whether one expectation holds; `disputed` formulas, which PyTorch contradicts, prove none."""
    text = judgement.expectation.text
    if judgement.holds and disputed:
        by_formulas = (Code(text), " holds by formulas that PyTorch disputes")
        return Verdict(status="skipped", text=by_formulas, subject=subject, what=text)
    if judgement.holds:
        return Verdict(status="ok", text=(Code(text),), subject=subject, what=text)
    return Verdict(
        status="failed",
        text=_failure(judgement),
        subject=subject,
        what=text,
        reason=_reason(judgement),
    )


def failure_text(judgement: Judgement) -> str:
    """A failure in two lines, for an exception."""
    return f"{plain(_failure(judgement))}\n  {plain(_reason(judgement))}"


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


def _reason(judgement: Judgement) -> Inline:
    """`(L, N, D*H_out) with H_out=48 hidden, D=2`."""
    numbers = ", ".join(_numbers(judgement))
    return (Formula(judgement.formula), f" with {numbers}" if numbers else "")


def _numbers(judgement: Judgement) -> Iterator[str]:
    known = dict(judgement.symbols)
    if {"H_out", "H_cell"} <= known.keys() and not judgement.subject.config.proj_size:
        known["H_out=H_cell"] = known.pop("H_out")
        del known["H_cell"]
    for symbol, meaning in _meanings(judgement.subject).items():
        if symbol in known:
            yield f"{symbol}={known[symbol]:,} {meaning}".rstrip()


def _meanings(subject: Subject) -> Mapping[str, str]:
    """What each symbol is besides its name, in the order in which they are listed."""
    return {
        "L": "seq",
        "N": "batch",
        "sum(lengths)": "",
        "max(lengths)": "",
        "H_in": "input",
        "H_out=H_cell": "hidden",
        "H_cell": "hidden",
        "H_out": "proj" if subject.config.proj_size else "hidden",
        "num_layers": "",
        "D": "",
        "itemsize": subject.settings.dtype.value,
    }


def _count(holding: int, count: int) -> str:
    return f"{holding} of {count} expectation{'s' * (count > 1)} hold{'s' * (count == 1)}"
