"""Predict layers, run them if asked, and write one document about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from rnnshape.analysis.inspection import Inspection
from rnnshape.cli import exits
from rnnshape.cli.options import ExpectOptions, LayerOutputOptions, RunOptions
from rnnshape.cli.output import Delivery, Plan
from rnnshape.document.report import report_document
from rnnshape.document.sections import (
    DEFAULT_SECTIONS,
    MEASURED,
    MEASURED_SECTIONS,
    SECTIONS,
    probes_of,
)
from rnnshape.errors import RequestError
from rnnshape.layer.subject import Subject

if TYPE_CHECKING:
    from rnnshape.sources.source import Source


def layer_plan(
    output: LayerOutputOptions, *, measured: bool, default: frozenset[str] | None = None
) -> Plan:
    """Where to write a document of layers, and which of its sections.

    `default` has those of a target; None where options alone describe a layer, so that there are no
    sections on where it was found. A framework to convert to is shown in any case, if only by
    the program that `--show code` prints.
    """
    if output.to is not None and "code" not in (output.show or ()):
        output = replace(output, show=[*(output.show or ()), "frameworks"])
    sections = [
        name
        for name, traits in SECTIONS.items()
        if default is not None or not (traits.found or name == "matches")
    ]
    shown = MEASURED_SECTIONS if measured else default or DEFAULT_SECTIONS
    return Plan.of(output, sections=sections, default=shown)


def deliver(
    inspections: Sequence[Inspection],
    plan: Plan,
    run: RunOptions,
    expect: ExpectOptions,
    sources: Sequence[Source] = (),
) -> int:
    """Write one document about all the layers, run if `run` says so, and return the exit code.

    Every expectation must hold for each of them. `sources` are the files and models that hold some,
    of which all must be readable.
    """
    subjects = [each.subject for each in inspections]
    plan.keep(each.found.holder for each in subjects if each.found and each.found.from_file)
    _require_measurable(subjects, run)
    _require_real(inspections)
    _require_trained(plan, run)
    _require_shown(inspections, plan, run, expect)
    show = (plan.show - MEASURED.keys()) | run.measured
    document = partial(
        report_document, show=show, detailed=plan.detailed, full=plan.full, sources=sources
    )
    delivery = Delivery(plan, more="" if plan.named else _more(subjects, plan))
    delivery.begin(partial(document, *inspections))
    if run.run:
        from rnnshape.cli.progress import progress  # formulas alone need none
        from rnnshape.pytorch.threads import series

        with progress(len(inspections), timed=run.time) as runs, series():
            inspections = [
                replace(each, report=runs.run(each.report, probes_of(show))) for each in inspections
            ]
    delivery.finish(document(*inspections))
    return exits.verdict(
        agrees=not any(each.report.disagrees for each in inspections),
        holds=all(each.holds for each in inspections) and not any(s.unread for s in sources),
    )


def converting_to(output: LayerOutputOptions) -> str | None:
    """The framework to convert to, if one is named. Raises RequestError for an unknown one."""
    if output.to is None:
        return None
    from rnnshape.analysis.frameworks.registry import NAMES
    from rnnshape.sources.values import one_of

    return one_of(output.to, "--to", NAMES)


def _more(subjects: Sequence[Subject], plan: Plan) -> str:
    """The sections that are not shown and could be, as an option."""
    cells = all(subject.config.cell for subject in subjects)
    found = any(subject.found for subject in subjects)
    names = [
        name
        for name in SECTIONS
        if name not in plan.show | {*MEASURED, "matches"}
        and not (cells and SECTIONS[name].of_layers)
        and (found or not SECTIONS[name].found)
    ]
    return f"more: --show {','.join(names)} or all" if names else ""


def _require_measurable(subjects: Sequence[Subject], run: RunOptions) -> None:
    for option in (MEASURED[section] for section in MEASURED if section in run.measured):
        if not run.run:
            raise RequestError(
                f"{option} needs a run, but --no-run is given",
                hint=f"leave out {option} or --no-run",
            )
        if any(subject.settings.device_type == "meta" for subject in subjects):
            raise RequestError(
                f"{option} needs a device that computes, which meta does not",
                hint=f"leave {option} out",
            )


def _require_real(inspections: Sequence[Inspection]) -> None:
    """Raise RequestError for complex weights that are to be converted to a framework."""
    for each in inspections:
        dtype = each.subject.settings.dtype
        if each.to is not None and dtype.is_complex:
            raise RequestError(
                f"--to {each.to} converts real numbers, but the dtype is {dtype.value}",
                hint="leave --to out",
            )


def _require_trained(plan: Plan, run: RunOptions) -> None:
    """Raise RequestError for an optimizer on which nothing that is written depends."""
    shown = plan.writes_data or run.train or "cost" in plan.show
    if run.optimizer is not None and not shown:
        raise RequestError(
            "--optimizer is about training, of which nothing is shown", hint="add --show cost"
        )


def _require_shown(
    inspections: Sequence[Inspection], plan: Plan, run: RunOptions, expect: ExpectOptions
) -> None:
    """Raise RequestError for a section that is named but has nothing to show."""
    subjects = [each.subject for each in inspections]
    for section, option in MEASURED.items():
        if section in plan.named and section not in run.measured:
            raise RequestError(
                f"--show {section} shows what {option} measures, but {option} is not given",
                hint=f"add {option}",
            )
    if "expectations" in plan.named and not expect.expect:
        raise RequestError(
            "--show expectations shows what --expect judges, but --expect is not given",
            hint='add --expect "params <= 150k"',
        )
    if "calls" in plan.named and all(subject.calls is None for subject in subjects):
        raise RequestError(
            "--show calls shows what --forward measures, but it is not given, or saw no call",
            hint="name a model, net.py:Tagger, and add --forward 16,50,80",
        )
    if "matches" in plan.named and not any(each.match for each in inspections):
        raise RequestError(
            "--show matches shows what --matches compares, but --matches is not given",
            hint='add --matches "nn.LSTM(20, 40)"',
        )
    for name in plan.named:
        if SECTIONS[name].found and not any(subject.found for subject in subjects):
            raise RequestError(
                f"--show {name} is about layers of files and models, but no target is one of these",
                hint="--show default",
            )
        if SECTIONS[name].of_layers and all(subject.config.cell for subject in subjects):
            raise RequestError(
                f"--show {name} needs a layer; a cell takes only one step", hint="--show default"
            )
    if "load" in plan.named and not any(s.found and s.found.loading for s in subjects):
        raise RequestError(
            "--show load has no program: only weights under their own names in a file of PyTorch,"
            " safetensors or NumPy can be loaded into a plain layer",
            hint="--show evidence says how these are kept",
        )
