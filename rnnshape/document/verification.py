"""Whether PyTorch does what was predicted: one line, or what it does instead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rnnshape.analysis.inspection import Inspection
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
from rnnshape.layer.formulas import final_state_names
from rnnshape.layer.input import InputSpec
from rnnshape.layer.report import LayerReport
from rnnshape.layer.subject import Subject

if TYPE_CHECKING:
    from rnnshape.layer.run import Mismatch, Observed, Run


def verification_blocks(report: LayerReport, request: Code) -> Iterator[Block]:
    """The verdict on a layer, and a table of its mismatches if there are any."""
    yield replace(run_verdict(report, request), reason=())  # the table has it
    if report.disagrees:
        yield Table(columns=_COLUMNS, rows=tuple(map(_row, report.mismatches)))
        yield _MEANS


def sum_of_found(inspections: Sequence[Inspection]) -> Iterator[Block]:
    """One verdict on all layers of a file or a model; what PyTorch does otherwise is a table."""
    reports = [each.report for each in inspections]
    ran = [each.run for each in reports if each.run is not None]
    request = Code(reports[0].subject.request)
    if not ran:
        fits = [_fits(each.subject) for each in reports]
        if all(fits):
            text = f"all tensors of these {len(fits)} layers have the predicted names and shapes;"
            text += " nothing in the file was run"
            yield Verdict(status="ok", text=(text,), subject=request)
        else:
            text = "not run: neither the layer nor anything in the file"
            yield Verdict(status="skipped", text=(text,), subject=request)
        return
    wrong = [(each.subject.name, each.run) for each in reports if each.disagrees]
    yield verdict_of_runs(
        request,
        [each.subject for each in reports],
        ran,
        gives=f"each of {len(reports)} layers like these its shapes and weights",
        disputed=f" on {len(wrong)} of {len(reports)} layers",
    )
    if wrong:
        yield from mismatches_of("layer", wrong)


def _fits(subject: Subject) -> bool:
    """Whether the tensors in a file have the names and shapes of the layer's weights."""
    found = subject.found
    if found is None or not found.from_file:
        return False
    held = found.recognised
    if len(held.shapes) != subject.weights.count:
        return False
    return held.shapes == {f"{held.prefix}{each.name}": each.shape for each in subject.weights}


def mismatches_of(key: str, runs: Iterable[tuple[str, Run | None]]) -> Iterator[Block]:
    """A table of the mismatches of several runs, named in a column whose key is `key`."""
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


def run_verdict(report: LayerReport, request: Code) -> Verdict:
    """Whether PyTorch does what was predicted of a layer, and where it does not."""
    run, subject = report.run, report.subject
    answer = _answer(report)
    if run is None and report.disagrees:
        reason = mismatches_text(report.mismatches)
        where = "the model's forward pass disagrees with the formulas"
        return Verdict(status="mismatch", text=(where,), subject=request, reason=reason)
    if run is None and subject.found is not None and subject.found.from_file:
        return _read_verdict(subject, request)
    if run is None:
        text: Inline = ("not run: ", *answer, " by formula alone")
        return Verdict(status="skipped", text=text, subject=request)
    if not report.disagrees:
        where = f"torch {_where([run], [subject])}: "
        proven = f", {_proven(run, subject.input_spec)}"
        return Verdict(status="ok", text=(where, *answer, proven), subject=request)
    reason = mismatches_text(report.mismatches)
    return verdict_of_runs(request, [subject], [run], gives="", reason=reason)


def _read_verdict(subject: Subject, request: Code) -> Verdict:
    """Of a layer in a file: whether its tensors are the predicted ones."""
    if not _fits(subject):
        text: Inline = ("not run: neither the layer nor anything in the file",)
        return Verdict(status="skipped", text=text, subject=request)
    text = (
        f"{subject.weights.count:,} tensors have the names and shapes of this ",
        Code(subject.config.class_name),
        "" if subject.found and subject.found.in_memory else "; nothing in the file was run",
    )
    return Verdict(status="ok", text=text, subject=request)


def verdict_of_runs(  # noqa: PLR0913 - the parts of a sentence
    request: Code,
    subjects: Collection[Subject],
    runs: Iterable[Run | None],
    *,
    gives: str,
    disputed: str = "",
    reason: Inline = (),
    skipped: str = "not run: by formula alone",
) -> Verdict:
    """Whether PyTorch does what was predicted of all subjects.

    `gives` says what it then gives, `disputed` how many subjects it disagrees on, `skipped` that
    nothing was run.
    """
    ran = [run for run in runs if run is not None]
    if not ran:
        return Verdict(status="skipped", text=(skipped,), subject=request)
    where = _where(ran, subjects)
    where += "," * (" on " in where)
    if all(run.agrees for run in ran):
        return Verdict(status="ok", text=(f"torch {where} gives {gives}",), subject=request)
    text = f"PyTorch {where} disagrees with the formulas{disputed}"
    return Verdict(status="mismatch", text=(text,), subject=request, reason=reason)


def _where(runs: Sequence[Run], subjects: Collection[Subject]) -> str:
    """`2.13.0 on cpu, float32`, or only the release where the settings differ."""
    settings = {(each.settings.device, each.settings.dtype.value) for each in subjects}
    place = f" on {', '.join(settings.pop())}" if len(settings) == 1 else ""
    return f"{runs[0].torch_version}{place}"


def _answer(report: LayerReport) -> Inline:
    """What the layer returns and how large it is, with states of one shape named together."""
    tensors, config = report.tensors, report.subject.config
    returned = (*(["output"] if "output" in tensors else []), *final_state_names(config))
    names: dict[Shape, list[str]] = {}
    for name in returned:
        names.setdefault(Shape.of(tensors[name]), []).append(name)
    pieces: Inline = ()
    for shape, several in names.items():
        pieces += (*_joined(several), " ", shape, ", ")
    return (*pieces, f"{report.predicted.counts['parameters']:,} parameters")


def _joined(names: Sequence[str]) -> Iterator[Code | str]:
    for place, name in enumerate(names):
        yield from (" and ",) * bool(place)
        yield Code(name)


def mismatches_text(mismatches: Sequence[Mismatch]) -> Inline:
    """Every mismatch on one line: `h_n: (8, 5, 40), PyTorch (4, 5, 40)`."""
    pieces: Inline = ()
    for each in mismatches:
        values = _value(each.predicted), ", PyTorch ", _value(each.measured)
        pieces += ("; ", Code(each.what), ": ", *values)
    return pieces[1:]


_COLUMNS: Final = (
    Column(key="what", title="", headed=False),
    Column(key="formula", title="formula", numeric=True),
    Column(key="pytorch", title="PyTorch", numeric=True),
)
# Claims that a run could not judge; a packed batch may have thousands.
_MOST_NAMED: Final = 4
_MEANS: Final = Paragraph(("This is a bug in rnnshape, or PyTorch has changed: please report it.",))


def _row(mismatch: Mismatch) -> tuple[Cell, ...]:
    return Code(mismatch.what), _value(mismatch.predicted), _value(mismatch.measured)


def _proven(run: Run, given: InputSpec) -> str:
    """How much of what was predicted a run proved."""
    texts = [_judged(run.claims)]
    if run.input_spec.seq_len < given.seq_len:
        texts.append(f"only {run.input_spec.seq_len} steps were run, since all are alike")
    texts += (outcome.remark for outcome in run.outcomes.values() if outcome.remark)
    return "; ".join(texts)


def _judged(claims: Sequence[Claim]) -> str:
    """That all is as predicted, and which of the claims a run could not judge."""
    relations = [claim for claim in claims if not isinstance(claim.right, tuple)]
    unjudged = [str(claim) for claim in relations if claim.holds is None]
    if not unjudged:
        return "all as predicted"
    if len(unjudged) == len(relations):
        return "all as predicted; there are no values to compare"
    judged = f"{len(relations) - len(unjudged)} of {len(relations)} equalities"
    more = [f"and {len(unjudged) - _MOST_NAMED} more"] * (len(unjudged) > _MOST_NAMED)
    named = ", ".join([*unjudged[:_MOST_NAMED], *more])
    return f"all as predicted, with {judged} judged; not judged: {named}"


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
