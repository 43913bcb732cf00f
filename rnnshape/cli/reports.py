"""Predict layers, run them if asked, and write one document about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from rnnshape.cli import exits
from rnnshape.cli.expectations import judged
from rnnshape.cli.options import ExpectOptions, OutputOptions, RunOptions
from rnnshape.cli.output import Delivery, Plan
from rnnshape.cli.progress import progress
from rnnshape.document.report import report_document
from rnnshape.document.sections import DEFAULT_SECTIONS, SECTIONS, TIMED_SECTIONS, probes_of
from rnnshape.errors import RequestError
from rnnshape.layer.report import predicted_report
from rnnshape.layer.subject import Subject


def layer_plan(output: OutputOptions, *, timed: bool) -> Plan:
    """Where to write a document of layers, and which of its sections."""
    default = TIMED_SECTIONS if timed else DEFAULT_SECTIONS
    return Plan.of(output, sections=tuple(SECTIONS), default=default)


def deliver(subjects: Sequence[Subject], plan: Plan, run: RunOptions, expect: ExpectOptions) -> int:
    """Write one document about all the layers, run if `run` says so, and return the exit code.

    Every expectation must hold for each of them.
    """
    _require_timeable(subjects, run)
    _require_shown(subjects, plan, run, expect)
    inspections = [judged(expect, predicted_report(subject)) for subject in subjects]
    show = plan.show | {"time"} if run.time else plan.show - {"time"}
    document = partial(report_document, show=show, detailed=plan.detailed, full=plan.full)
    delivery = Delivery(plan, more="" if plan.named else _more(subjects, plan))
    if plan.streams:
        delivery.begin(document(*inspections))
    if run.run:
        with progress(len(inspections)) as runs:
            inspections = [
                replace(each, report=runs.run(each.report, probes_of(show))) for each in inspections
            ]
    delivery.finish(document(*inspections))
    return exits.verdict(
        agrees=not any(each.report.disagrees for each in inspections),
        holds=all(each.holds for each in inspections),
    )


def _more(subjects: Sequence[Subject], plan: Plan) -> str:
    """The sections that are not shown and could be, as an option."""
    cells = all(subject.config.cell for subject in subjects)
    names = [
        name
        for name in SECTIONS
        if name not in plan.show | {"time"} and not (cells and SECTIONS[name].of_layers)
    ]
    return f"more: --show {','.join(names)} or all" if names else ""


def _require_timeable(subjects: Sequence[Subject], run: RunOptions) -> None:
    if run.time and not run.run:
        raise RequestError(
            "--time needs a run, but --no-run is given", hint="leave out --time or --no-run"
        )
    if run.time and any(subject.settings.device_type == "meta" for subject in subjects):
        raise RequestError(
            "--time needs a device that computes, which meta does not", hint="leave --time out"
        )


def _require_shown(
    subjects: Sequence[Subject], plan: Plan, run: RunOptions, expect: ExpectOptions
) -> None:
    """Raise RequestError for a section that is named but has nothing to show."""
    if "time" in plan.named and not run.time:
        raise RequestError(
            "--show time shows what --time measures, but --time is not given", hint="add --time"
        )
    if "expectations" in plan.named and not expect.expect:
        raise RequestError(
            "--show expectations shows what --expect judges, but --expect is not given",
            hint='add --expect "params <= 150k"',
        )
    for name in plan.named:
        if SECTIONS[name].of_layers and all(subject.config.cell for subject in subjects):
            raise RequestError(
                f"--show {name} needs a layer; a cell takes only one step", hint="--show default"
            )
