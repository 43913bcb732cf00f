"""The document of a check: what fails and where, and how much of each module holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, Final

from rnnshape.analysis.check import Check, Matching, Module
from rnnshape.analysis.expectation import Judgement
from rnnshape.analysis.value import Number
from rnnshape.document.data import (
    config_data,
    expectation_data,
    final_states_data,
    findings_data,
    input_data,
    match_data,
    preamble,
    totals_data,
    verification_data,
)
from rnnshape.document.expectations import expectation_verdict, negated
from rnnshape.document.final_states import state_cells, state_columns, state_titles
from rnnshape.document.findings import trap_text
from rnnshape.document.matching import match_verdict
from rnnshape.document.model import (
    Block,
    Code,
    Column,
    Document,
    Inline,
    Mark,
    Note,
    Paragraph,
    Place,
    Table,
    Verdict,
    plain,
)
from rnnshape.document.records import Record, report_record
from rnnshape.document.sections import assembled
from rnnshape.document.verification import mismatches_of, run_verdict, verdict_of_runs
from rnnshape.errors import counted

# With more modules than a person looks over, the table has only those that fail.
_MOST_LISTED: Final = 20


def check_document(check: Check, *, update: str | None = None, quiet: bool = False) -> Document:
    """Failures first, each at its line of the manifest, then the modules, the run and the sum.

    `update` is the command that brings outdated values up to date, where it is to be proposed;
    `quiet` leaves out what is as it should be, and the sum.
    """
    blocks: dict[str, Iterable[Block]] = {"failures": _failures(check)}
    if quiet:
        blocks["verification"] = _run(check) if check.disagreeing else ()
    else:
        blocks["check"] = _modules(check)
        blocks["findings"] = _reservations(check)
        blocks["verification"] = chain(_run(check), _sum(check, update))
    return Document(
        sections=assembled(blocks),
        data=partial(_data, check),
        verdicts=lambda: [each for module in check.modules for each in _verdicts(check, module)],
        records=lambda: [_record(check, module) for module in check.modules],
    )


def _failures(check: Check) -> Iterator[Block]:
    """The failed demands on each module, and the traps in its target that may explain them."""
    for module in check.modules:
        if module.holding < module.demands:
            yield from (each for each in _demands(check, module) if each.status == "failed")
            traps = module.report.subject.origin.traps
            yield from (Note(trap_text(module.name, trap)) for trap in traps)


def _verdicts(check: Check, module: Module) -> Iterator[Verdict]:
    yield from _demands(check, module)
    place = Place(file=check.file, line=module.line)
    yield replace(run_verdict(module.report, Code(module.name)), place=place)


def _demands(check: Check, module: Module) -> Iterator[Verdict]:
    """Whether each demand on a module holds."""
    subject, disputed = Code(module.name), module.report.disagrees
    for each in module.expected:
        verdict = expectation_verdict(each.judgement, subject=subject, disputed=disputed)
        text = _failed(each.judgement) if verdict.status == "failed" else verdict.text
        yield replace(verdict, text=text, place=Place(file=check.file, line=each.line))
    if module.matching is not None:
        place = Place(file=check.file, line=module.matching.line)
        yield replace(match_verdict(module.matching.match, subject), place=place)


def _failed(judgement: Judgement) -> Inline:
    """`output = 10,5,80: it is 10,5,96`: the value as the manifest would have it."""
    actual = judgement.predicted
    value, required = (
        f"{each.plain:,}" if isinstance(each, Number) else Code(each.typed)
        for each in (actual, judgement.required)
    )
    text = (Code(judgement.expectation.text), ": it is ", value)
    if judgement.other is None:
        return text
    # What a name stands for is not to be seen in the text.
    return (*text, f", {negated(judgement.expectation.operator)}", required)


def _reservations(check: Check) -> Iterator[Block]:
    """What each match that holds leaves open, since it is unknown."""
    for module in check.modules:
        match = module.matching and module.matching.match
        if match and match.holds and match.undecided:
            yield Note((Code(module.name), " ", *match_verdict(match, Code(module.name)).text))


def _modules(check: Check) -> Iterator[Block]:
    modules = check.modules
    if len(modules) > _MOST_LISTED:
        modules = tuple(module for module in modules if module.holding < module.demands)
    if modules:
        states = state_titles(module.report.subject for module in modules)
        yield Table(
            columns=(
                Column(key="module", title="check"),
                Column(key="held", title="held", numeric=True),
                Column(key="status", title="status", headed=False),
                Column(key="constructor", title="constructor", headed=False, rank=1, calls=True),
                *state_columns(states),
            ),
            rows=tuple(
                (
                    Code(module.name),
                    f"{module.holding}/{module.demands}",
                    Mark("ok" if module.holding == module.demands else "failed"),
                    Code(module.report.subject.config.constructor),
                    *state_cells([module.report.subject], states),
                )
                for module in modules
            ),
        )


def _run(check: Check) -> Iterator[Block]:
    """Whether PyTorch does what is predicted of the modules, and where it does not."""
    count, disagreeing = len(check.modules), check.disagreeing
    every = "" if count == 1 else f"all {count:,} modules "
    yield verdict_of_runs(
        Code(check.file),
        [module.report.subject for module in check.modules],
        [module.report.run for module in check.modules],
        gives=f"{every}these shapes and weights",
        disputed=f" on {len(disagreeing):,} of {count:,} modules",
    )
    if disagreeing:
        disputed = ((module.name, module.report.run) for module in disagreeing)
        yield from mismatches_of("module", disputed)


def _sum(check: Check, update: str | None) -> Iterator[Block]:
    """What to do about failures, and in the last line whether all is well."""
    subject, failed = Code(check.file), failed_text(check)
    if check.disagreeing:
        by_formula = f"FAILED: {failed}" if failed else f"by disputed formulas {_all_hold(check)}"
        text = f"{len(check.disagreeing):,} of {counted(len(check.modules), 'module')}; "
        yield Verdict(status="mismatch", text=(text, by_formula), subject=subject)
    elif failed:
        if update and check.outdated:  # --update writes nothing disputed
            only = len(check.outdated) < check.demands - check.holding
            what = "those after =" if only else "them"
            yield Paragraph((f"If the new values are right, {update} writes {what}.",))
        yield Verdict(status="failed", text=(failed,), subject=subject)
    else:
        yield Verdict(status="ok", text=(_all_hold(check),), subject=subject)


def failed_text(check: Check) -> str:
    """`2 of 4 expectations, in 1 of 2 modules`: how many fail; empty where none does."""
    modules = [module for module in check.modules if module.holding < module.demands]
    if not modules:
        return ""
    failed = f"{check.demands - check.holding:,} of {counted(check.demands, 'expectation')}"
    return f"{failed}, in {len(modules):,} of {counted(len(check.modules), 'module')}"


def _all_hold(check: Check) -> str:
    modules = counted(len(check.modules), "module")
    if not check.demands:
        return f"nothing is expected of {modules}"
    if check.demands == 1:
        return f"the expectation of {modules} holds"
    return f"all {check.demands:,} expectations of {modules} hold"


def _record(check: Check, module: Module) -> Record:
    failed = (each for each in _demands(check, module) if each.status == "failed")
    return {
        **report_record(module.report),
        "line": module.line,
        "held": module.holding,
        "expected": module.demands,
        "status": "ok" if module.holding == module.demands else "FAILED",
        "failures": "; ".join(plain(each.text) for each in failed) or None,
    }


def _data(check: Check) -> Mapping[str, Any]:
    return {
        **preamble(module.report.run for module in check.modules),
        "file": check.file,
        "expected": check.demands,
        "held": check.holding,
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
        "final_states": final_states_data(subject),
        "totals": totals_data(subject),
        "expectations": [
            {**expectation_data(each.judgement), "line": each.line} for each in module.expected
        ],
        "matches": None if module.matching is None else _matching_data(module.matching),
        "findings": findings_data(report.findings, subject),
        "verification": verification_data(report),
    }


def _matching_data(matching: Matching) -> Mapping[str, Any]:
    return {**match_data(matching.match), "line": matching.line}
