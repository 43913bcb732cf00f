"""Whether what was expected of a layer holds, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rnnshape.analysis.expectation import Judgement, Operator, Reference
from rnnshape.analysis.feeding import Feed, fed
from rnnshape.analysis.inspection import Inspection
from rnnshape.analysis.value import TensorShape, Value
from rnnshape.document.feeds import feed_text
from rnnshape.document.model import Block, Code, Formula, Inline, Shape, Verdict, plain
from rnnshape.layer.formulas import final_state_names, state_names
from rnnshape.layer.subject import Subject


def expectation_blocks(inspection: Inspection) -> Iterator[Block]:
    """One line if all hold; otherwise each failure with the formula and its numbers."""
    verdicts = list(expectation_verdicts(inspection))
    failed = [verdict for verdict in verdicts if verdict.status == "failed"]
    yield from failed
    total, holding = len(verdicts), len(verdicts) - len(failed)
    count = f"{total} expectation{'s' * (total > 1)}"
    text = f"{holding} of {count} hold{'s' * (total == 1)}"
    subject = Code(inspection.subject.request)
    if failed:
        if total > 1:
            text = f"{len(failed)} of {count}"
            yield Verdict(status="failed", text=(text,), subject=subject)
    elif inspection.report.disagrees:
        disputed = f"{text}, according to formulas that the run contradicts"
        yield Verdict(status="skipped", text=(disputed,), subject=subject)
    else:
        yield Verdict(status="ok", text=(text,), subject=subject)


def expectation_verdicts(inspection: Inspection) -> Iterator[Verdict]:
    """A verdict on each expectation; a failed one has the formula and its numbers."""
    subject = Code(inspection.subject.request)
    for judgement in inspection.judgements:
        yield expectation_verdict(judgement, subject=subject, disputed=inspection.report.disagrees)


def expectation_verdict(judgement: Judgement, *, subject: Code, disputed: bool) -> Verdict:
    """Whether one expectation holds; it is skipped if it holds only by `disputed` formulas."""
    text = judgement.expectation.text
    if judgement.holds and disputed:
        by_formulas = (Code(text), " holds according to formulas that the run contradicts")
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


def _failure(judgement: Judgement) -> Inline:
    expectation = judgement.expectation
    actual, expected = _cell(judgement.predicted), _cell(judgement.required)
    return (
        Code(expectation.text),
        ": it is ",
        actual,
        f", {negated(expectation.operator)}",
        expected,
    )


def _cell(value: Value) -> str | Shape:
    return Shape(value.plain) if isinstance(value, TensorShape) else f"{value.plain:,}"


def _reason(judgement: Judgement) -> Inline:
    """`(L, N, D*H_out) with H_out=48 hidden, D=2`; of a state, what makes it fit."""
    if (fitting := _fitting(judgement)) is not None:
        return ("fits after: " * (not fitting.clash), *feed_text(fitting))
    known = dict(judgement.symbols)
    if {"H_out", "H_cell"} <= known.keys() and not judgement.subject.config.proj_size:
        known["H_out=H_cell"] = known.pop("H_out")
        del known["H_cell"]
    numbers = ", ".join(
        f"{symbol}={known[symbol]:,} {meaning}".rstrip()
        for symbol, meaning in _meanings(judgement.subject).items()
        if symbol in known
    )
    return (Formula(judgement.formula), f" with {numbers}" if numbers else "")


def _fitting(judgement: Judgement) -> Feed | None:
    """How the state of another layer becomes this one; None unless that is what is expected."""
    value, subject, other = judgement.expectation.value, judgement.subject, judgement.other
    if other is None or not isinstance(value, Reference):
        return None
    own, theirs = judgement.expectation.name, value.name
    starts = own in state_names(subject.config, "0") and theirs in final_state_names(other.config)
    return fed(other, other.tensors[theirs], subject, subject.tensors[own]) if starts else None


def _meanings(subject: Subject) -> Mapping[str, str]:
    """What each symbol stands for, if its name does not say, in the order of listing."""
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


def negated(operator: Operator) -> str:
    """What comes before the value that was expected: `not at most `."""
    match operator:
        case Operator.EQUAL:
            return "not "
        case Operator.AT_MOST:
            return "not at most "
        case Operator.AT_LEAST:
            return "not at least "
        case Operator.LESS:
            return "not less than "
        case Operator.MORE:
            return "not more than "
