"""Whether PyTorch does what was predicted: one line, or what it does instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rnnshape.dims import ints
from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Column,
    Inline,
    Paragraph,
    Shape,
    Table,
    Verdict,
)
from rnnshape.layer.facts import Claim
from rnnshape.layer.input import InputSpec
from rnnshape.layer.report import LayerReport
from rnnshape.layer.settings import Settings

if TYPE_CHECKING:
    from rnnshape.layer.run import Mismatch, Observed, Run


def verification_blocks(report: LayerReport, subject: Code) -> Iterator[Block]:
    """What the run of a layer found, or that there was none; `subject` is the request."""
    verdict = run_verdict(report, subject)
    if report.run is None or report.run.agrees:
        yield verdict
        return
    yield replace(verdict, reason=())  # the table has it
    yield Table(columns=_COLUMNS, rows=tuple(map(_row, report.run.mismatches)))
    yield _MEANS


def mismatches_of(key: str, runs: Iterable[tuple[str, Run | None]]) -> Iterator[Block]:
    """What several runs found, if they were; `key` says what the name beside each is."""
    yield Table(
        columns=(Column(key=key, title="", headed=False, calls=key == "constructor"), *_COLUMNS),
        rows=tuple(
            (Code(name), *_row(mismatch))
            for name, run in runs
            if run is not None
            for mismatch in run.mismatches
        ),
    )
    yield _MEANS


def run_verdict(report: LayerReport, subject: Code) -> Verdict:
    """Whether PyTorch does what was predicted, and where it does not."""
    run = report.run
    if run is None:
        return Verdict(status="skipped", text=("formulas only, not run",), subject=subject)
    where = written_place(report.subject.settings)
    if run.agrees:
        text = (
            f"torch {run.torch_version} on {where}, gives {_agreed(run, report.subject.input_spec)}"
        )
        return Verdict(status="ok", text=(text,), subject=subject)
    text = f"PyTorch {run.torch_version} on {where}, disagrees with the formulas"
    return Verdict(
        status="mismatch", text=(text,), subject=subject, reason=mismatches_text(run.mismatches)
    )


def mismatches_text(mismatches: Sequence[Mismatch]) -> Inline:
    """Every mismatch in one line: `h_n: (8, 5, 40), PyTorch (4, 5, 40)`."""
    return tuple(
        piece
        for number, each in enumerate(mismatches)
        for piece in (
            "; " * (number > 0),
            Code(each.what),
            ": ",
            _value(each.predicted),
            ", PyTorch ",
            _value(each.measured),
        )
    )


def written_place(settings: Settings) -> str:
    """Where a layer runs and in what type: `cpu, float32`."""
    return f"{settings.device}, {settings.dtype.value}"


_COLUMNS: Final = (
    Column(key="what", title="", headed=False),
    Column(key="formula", title="formula", numeric=True),
    Column(key="pytorch", title="PyTorch", numeric=True),
)
_MEANS: Final = Paragraph(("This is a bug in rnnshape, or PyTorch has changed: please report it.",))


def _row(mismatch: Mismatch) -> tuple[Cell, ...]:
    return Code(mismatch.what), _value(mismatch.predicted), _value(mismatch.measured)


def _agreed(run: Run, asked: InputSpec) -> str:
    texts = [_proven(run.claims)]
    if run.input_spec.seq_len < asked.seq_len:
        texts.append(f"run with {run.input_spec.seq_len} steps, which stand for all")
    texts += (outcome.remark for outcome in run.outcomes.values() if outcome.remark)
    return "; ".join(texts)


def _proven(claims: Sequence[Claim]) -> str:
    """What a run proved, and which of the claims it could not judge."""
    relations = [claim for claim in claims if not isinstance(claim.right, tuple)]
    unjudged = [str(claim) for claim in relations if claim.holds is None]
    if not claims:
        return "these shapes and weights"
    if len(unjudged) == len(relations):
        return "these shapes and weights; there are no values to compare"
    if not unjudged:
        return "these shapes, weights and equalities"
    judged = f"{len(relations) - len(unjudged)} of {len(relations)} equalities"
    more = f" and {len(unjudged) - 1} more" if len(unjudged) > 1 else ""
    return f"these shapes, weights and {judged}; not judged: {unjudged[0]}{more}"


def _value(value: Observed) -> str | int | Shape:
    match value:
        case None:
            return "absent"
        case bool():
            return "holds" if value else "does not hold"
        case int():
            return int(value)
        case tuple():
            return Shape(ints(value))
