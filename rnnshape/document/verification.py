"""Whether PyTorch does what was predicted: one line, or what it does instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import floor, log10
from typing import Final

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
from rnnshape.layer.config import InputSpec, Settings
from rnnshape.layer.report import Report, Run
from rnnshape.layer.verification import Mismatch, Value


def verification(report: Report, subject: Code) -> Iterator[Block]:
    """What the run of a layer found, or that there was none; `subject` is the request."""
    verdict = run_verdict(report, subject)
    if report.run is None or report.run.agrees:
        yield verdict
        return
    yield replace(verdict, reason=())  # which the table tells
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


def run_verdict(report: Report, subject: Code) -> Verdict:
    """Whether PyTorch does what was predicted, and where it does not."""
    run = report.run
    if run is None:
        return Verdict(status="open", text=("formulas only, not run",), subject=subject)
    where = written_place(report.settings)
    if run.agrees:
        text = f"torch {run.torch_version} on {where}, gives {_agreed(run, report.input_spec)}"
        return Verdict(status="ok", text=(text,), subject=subject)
    text = f"PyTorch {run.torch_version} on {where}, disagrees with the formulas"
    return Verdict(
        status="failed", text=(text,), subject=subject, reason=mismatches_text(run.mismatches)
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
_MEANS: Final = Paragraph(("This is a bug in rnnshape or a change in PyTorch: please report it.",))


def _row(mismatch: Mismatch) -> tuple[Cell, ...]:
    return Code(mismatch.what), _value(mismatch.predicted), _value(mismatch.measured)


def _agreed(run: Run, asked: InputSpec) -> str:
    if any(claim.holds and not isinstance(claim.right, tuple) for claim in run.claims):
        text = "these shapes, weights and equalities"
    elif run.claims:
        text = "these shapes and weights; there are no values to compare"
    else:
        text = "these shapes and weights"
    if run.input_spec.seq_len < asked.seq_len:
        text += f"; run with {run.input_spec.seq_len} steps, which stand for all"
    if run.counted_flops is not None:
        text += f"; PyTorch counts {run.counted_flops:,} FLOPs"
    if run.equations_difference is not None:
        text += f"; the equations hold within {_bound(run.equations_difference)} in float64"
    if run.device_difference is not None:
        text += f"; values are within {_bound(run.device_difference)} of the CPU's"
    return text


def _bound(difference: float) -> str:
    """The power of ten above a difference: its digits are noise."""
    return "0" if difference == 0 else f"1e{floor(log10(difference)) + 1}"


def _value(value: Value) -> str | int | Shape:
    match value:
        case None:
            return "absent"
        case bool():
            return "holds" if value else "does not hold"
        case int():
            return int(value)
        case tuple():
            return Shape(ints(value))
