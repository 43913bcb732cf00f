"""Reports of layers on their way: predicted, run as asked, and written as one document."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from rnnshape.analysis.comparison import timed_configs
from rnnshape.cli import exits
from rnnshape.cli.expectations import judged
from rnnshape.cli.options import ExpectOptions, OutputOptions, RunOptions
from rnnshape.cli.output import Delivery, Plan
from rnnshape.cli.request import Request
from rnnshape.document.layer import DEFAULT_SECTIONS, SECTIONS, layer_document
from rnnshape.document.model import Document
from rnnshape.errors import RequestError
from rnnshape.layer.config import Settings
from rnnshape.layer.findings import Trap
from rnnshape.layer.report import Report, predicted_report
from rnnshape.layer.run import with_run

# What no cell has.
_OF_LAYERS: Final = ("grid", "layouts")


def layer_plan(output: OutputOptions) -> Plan:
    """Where a document of layers goes, with which of its sections."""
    return Plan.of(output, sections=tuple(SECTIONS), default=DEFAULT_SECTIONS)


def predicted(request: Request, settings: Settings, *, traps: tuple[Trap, ...] = ()) -> Report:
    """The report of a request by formula alone; `traps` are findings in its own text."""
    report = predicted_report(
        request.config,
        request.input_spec,
        settings,
        assumed=request.assumed,
        from_input_shape=request.order_unconfirmed,
    )
    return replace(report, traps=traps)


def deliver(
    predictions: Sequence[Report], plan: Plan, run: RunOptions, expect: ExpectOptions
) -> int:
    """Write one document of all the reports, run as `run` says; the exit code.

    What is expected must hold of each of them.
    """
    if run.time and not run.run:
        raise RequestError("--time needs a run, and --no-run is given", hint="leave one out")
    if run.time and any(report.settings.device_type == "meta" for report in predictions):
        raise RequestError(
            "--time needs a device that computes, and meta does not", hint="leave --time out"
        )
    judgements = [judged(expect, report) for report in predictions]
    show = plan.show | {"time"} if run.time else plan.show
    document = partial(layer_document, show=show, full=plan.full, judgements=judgements)
    predicted_document = document(*predictions)
    _require_shown(plan.named, predicted_document, run, expect)
    delivery = Delivery(plan)
    delivery.begin(predicted_document)
    reports = predictions
    if run.run:
        reports = [
            with_run(
                report,
                equations="gates" in show,
                flops="cost" in show,
                time=timed_configs(report.config) if run.time else (),
            )
            for report in predictions
        ]
    delivery.finish(document(*reports))
    return exits.verdict(
        agrees=not any(report.disagrees for report in reports),
        holds=all(judgement.holds for own in judgements for judgement in own),
    )


def _require_shown(
    named: Collection[str], predicted: Document, run: RunOptions, expect: ExpectOptions
) -> None:
    """Raise RequestError for a section asked for by name that has nothing to show."""
    if "time" in named and not run.time:
        raise RequestError(
            "--show time shows what --time measures, and it is not given", hint="add --time"
        )
    if "expectations" in named and not expect.expect:
        raise RequestError(
            "--show expectations shows what --expect says, and it is not given",
            hint='add --expect "params <= 150k"',
        )
    shown = {section.key for section in predicted.sections}
    for name in _OF_LAYERS:
        if name in named and name not in shown:
            raise RequestError(
                f"--show {name} is of layers, and a cell takes one step", hint="--show default"
            )
