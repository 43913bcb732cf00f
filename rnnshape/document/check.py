"""The document of a check: what fails and where, and how much of each module holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from rnnshape.analysis.check import Check, Expected, Match, Module
from rnnshape.analysis.value import Number, Value
from rnnshape.document.data import (
    config_data,
    findings_data,
    input_data,
    preamble,
    totals_data,
    verification_data,
)
from rnnshape.document.expectations import expectation_data, expectation_verdict
from rnnshape.document.findings import trap_text
from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Column,
    Document,
    Inline,
    Note,
    Paragraph,
    Place,
    Section,
    Table,
    Verdict,
)
from rnnshape.document.verification import mismatches_of, run_verdict, written_place

# Modules that a person looks over; of more than these the table has only those that fail.
_MOST_LISTED: Final = 20


def check_document(check: Check, *, update: str | None = None) -> Document:
    """Failures first, each where it is demanded, then the modules, then the run and the sum.

    `update` is a command to propose, which brings what is outdated up to date.
    """
    failures = tuple(_failures(check))
    sections = (
        Section(key="failures", blocks=failures, titled=False),
        Section(key="check", blocks=tuple(_modules(check))),
        Section(
            key="verification",
            blocks=tuple(_verification(check, update)),
            titled=False,
            needs_run=True,
        ),
    )
    return Document(
        sections=tuple(section for section in sections if section.blocks),
        data=partial(_data, check),
        verdicts=lambda: [each for module in check.modules for each in _verdicts(check, module)],
    )


def _failures(check: Check) -> Iterator[Block]:
    """What fails of each module, and what in the words of its target may be the reason."""
    for module in check.modules:
        if module.held < module.demands:
            yield from (each for each in _demands(check, module) if each.status == "failed")
            for trap in module.report.subject.origin.traps:
                yield Note(trap_text(module.name, trap))


def _verdicts(check: Check, module: Module) -> Iterator[Verdict]:
    yield from _demands(check, module)
    verdict = run_verdict(module.report, Code(module.name))
    yield replace(verdict, place=_place(check, module.line))


def _demands(check: Check, module: Module) -> Iterator[Verdict]:
    """What is demanded of a module, and whether it holds."""
    subject = Code(module.name)
    for each in module.expected:
        verdict = expectation_verdict(
            each.judgement, subject=subject, disputed=module.report.disagrees
        )
        text = _failed(each) if verdict.status == "failed" else verdict.text
        yield replace(verdict, text=text, place=_place(check, each.line))
    if module.match is not None:
        yield _match(module.match, check, subject)


def _place(check: Check, line: int) -> Place:
    return Place(file=check.file, line=line)


def _failed(expected: Expected) -> Inline:
    """`output = 10,5,80 failed: it is 10,5,96`, which could stand in the file."""
    judgement = expected.judgement
    return (Code(judgement.expectation.text), " failed: it is ", _written(judgement.predicted))


def _written(actual: Value) -> Code | str:
    return f"{actual.plain:,}" if isinstance(actual, Number) else Code(actual.typed)


def _match(match: Match, check: Check, subject: Code) -> Verdict:
    what = f"matches {match.other.origin.target}"
    if match.holds:
        text: Inline = (Code(what),)
        reason: Inline = ()
    else:
        text = (Code(what), " failed")
        reason = (
            "; ".join(
                f"{each.argument} is {each.value}, there {each.other}" for each in match.differences
            ),
        )
    return Verdict(
        status="ok" if match.holds else "failed",
        text=text,
        subject=subject,
        what=what,
        reason=reason,
        place=_place(check, match.line),
    )


def _modules(check: Check) -> Iterator[Block]:
    modules = check.modules
    if len(modules) > _MOST_LISTED:
        modules = tuple(module for module in modules if module.held < module.demands)
    if modules:
        yield Table(
            columns=(
                Column(key="module", title="check"),
                Column(key="held", title="held", numeric=True),
                Column(key="status", title="status", headed=False),
                Column(key="constructor", title="constructor", headed=False, rank=1, calls=True),
            ),
            rows=tuple(map(_row, modules)),
        )


def _row(module: Module) -> tuple[Cell, ...]:
    return (
        Code(module.name),
        f"{module.held}/{module.demands}",
        "ok" if module.held == module.demands else "FAIL",
        Code(module.report.subject.config.constructor),
    )


def _verification(check: Check, update: str | None) -> Iterator[Block]:
    yield from _runs(check)
    failed = check.demands - check.held
    subject = Code(check.file)
    if failed:
        text = f"{failed:,} of {check.demands:,} failed."
        if update and check.outdated and not check.disagreeing:  # it refuses what is disputed
            text += f" If the new values are right, {update} writes them."
        yield Paragraph((text,))
    elif check.disagreeing:
        yield Paragraph((f"by formulas that PyTorch disputes, {_held(check)}",))
    else:
        yield Verdict(status="ok", text=(_held(check),), subject=subject)


def _held(check: Check) -> str:
    modules = f"{len(check.modules):,} module{'s' * (len(check.modules) != 1)}"
    if not check.demands:
        return f"nothing is expected of {modules}"
    every = (
        f"all {check.demands:,} expectations hold" if check.demands > 1 else "the expectation holds"
    )
    return f"{every}, of {modules}"


def _runs(check: Check) -> Iterator[Block]:
    runs = [module.report.run for module in check.modules]
    subject, count = Code(check.file), len(check.modules)
    version = next((run.torch_version for run in runs if run is not None), None)
    if version is None:
        yield Verdict(status="skipped", text=("formulas only, not run",), subject=subject)
        return
    where = _where(check)
    if not check.disagreeing:
        every = "" if count == 1 else f"all {count:,} modules "
        text = f"torch {version}{where} gives {every}these shapes and weights"
        yield Verdict(status="ok", text=(text,), subject=subject)
        return
    text = (
        f"PyTorch {version}{where} disagrees with the formulas"
        f" on {len(check.disagreeing):,} of {count:,} modules"
    )
    yield Verdict(status="mismatch", text=(text,), subject=subject)
    disputed = ((module.name, module.report.run) for module in check.disagreeing)
    yield from mismatches_of("module", disputed)


def _where(check: Check) -> str:
    """Where all ran, if all ran in one place."""
    places = {written_place(module.report.subject.settings) for module in check.modules}
    return f" on {places.pop()}," if len(places) == 1 else ""


def _data(check: Check) -> Mapping[str, Any]:
    return {
        **preamble(module.report.run for module in check.modules),
        "file": check.file,
        "expected": check.demands,
        "held": check.held,
        "modules": [_module(module) for module in check.modules],
    }


def _module(module: Module) -> Mapping[str, Any]:
    report, subject = module.report, module.report.subject
    return {
        "name": module.name,
        "line": module.line,
        "target": subject.origin.target,
        "constructor": subject.config.constructor,
        "config": config_data(subject),
        "input": input_data(subject),
        "totals": totals_data(subject),
        "expectations": [
            {**expectation_data(each.judgement), "line": each.line} for each in module.expected
        ],
        "matches": None if module.match is None else _match_data(module.match),
        "findings": findings_data(report.findings, subject),
        "verification": verification_data(report),
    }


def _match_data(match: Match) -> Mapping[str, Any]:
    return {
        "target": match.other.origin.target,
        "line": match.line,
        "constructor": match.other.config.constructor,
        "holds": match.holds,
        "differences": [
            {"argument": each.argument, "value": each.value, "other": each.other}
            for each in match.differences
        ],
    }
