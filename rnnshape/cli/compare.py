"""`rnnshape compare`: show layers side by side, and grids of them."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from rnnshape.analysis.comparison import ORDERS, ComparedGroup, Comparison, group, ordered, run_each
from rnnshape.analysis.summands import joined
from rnnshape.cli import exits
from rnnshape.cli.command import Help, command, words_of
from rnnshape.cli.options import (
    RUN,
    InputOptions,
    LayerOptions,
    OutputOptions,
    RunOptions,
    argument,
    either,
    option,
)
from rnnshape.cli.output import Delivery, Plan, picture_file
from rnnshape.cli.progress import progress
from rnnshape.document.compare import compare_document
from rnnshape.errors import RequestError, quoted
from rnnshape.sources import values
from rnnshape.sources.shared_options import subjects_at_points
from rnnshape.sources.subjects import chosen_settings
from rnnshape.sources.sums import MERGES, Sum, merging, read_sum

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from typer.core import TyperCommand

_COMPARE: Final = "Comparison"
# Options of other commands whose effect no row or column of a comparison shows.
_WITHOUT: Final = (
    *("cell", "time", "train", "optimizer"),
    *("lengths", "with_state", "show", "full"),
)
# Lines of the terminal for everything but rows: legend, title, notes, verdict, prompt.
_OTHER_LINES: Final = 10
_FEWEST_ROWS: Final = 5


@dataclass(frozen=True, kw_only=True)
class _CompareOptions:
    """What is compared, in which order, and how much of it is shown."""

    targets: list[str] | None = argument(
        _COMPARE,
        "TARGET",
        'Layers: lstm, "gru --bidir", "nn.RNN(20, 40)"; or sums: "6 x lstm + nn.Linear(40, 7)".'
        " The first is the baseline.",
    )
    merge: str | None = option(
        _COMPARE,
        "--merge",
        "HOW",
        f"What is read of two directions: {either(MERGES)}. [default: concat, as torch.nn]",
    )
    feeds: bool = option(
        _COMPARE,
        "--feeds",
        "",
        "Whether each layer's final states fit the next as initial ones, and what makes them fit.",
        default=False,
    )
    sort: str | None = option(
        _COMPARE, "--sort", "COLUMN", "Sort each group: parameters, macs or name."
    )
    limit: str | None = option(
        _COMPARE, "--limit", "N", "Rows shown. [default: all; on a terminal a screenful]"
    )
    plot: str | None = option(
        _COMPARE, "--plot", "FILE", "Plot over the size that varies: .svg or .png."
    )
    plot_of: str | None = option(
        _COMPARE,
        "--plot-of",
        "WHAT",
        "What to plot: parameters, macs or bytes. [default: parameters]",
    )


@dataclass(frozen=True, kw_only=True)
class _RunOnRequest(RunOptions):
    """Where the layers run, if at all: formulas are enough to compare."""

    run: bool = option(
        RUN, "--run/--no-run", "", "Build and run each, or only use formulas.", default=False
    )


def compare_command(name: str, *, help: str) -> TyperCommand:
    """The command."""
    whole = f"{help} A size may be a list or a range, --hidden 32,64 or 16..64..16: a grid."
    examples = (
        "rnnshape compare lstm gru --hidden 32,64",
        'rnnshape compare lstm "lstm --proj 20" gru --input 80 --sort parameters',
    )
    return command(_compare, name=name, help=Help(whole, examples), without=_WITHOUT)


def _compare(
    compare: _CompareOptions,
    layer: LayerOptions,
    input_: InputOptions,
    run: _RunOnRequest,
    output: OutputOptions,
) -> int:
    plan = Plan.of(output, sections=(), default=())
    limit = None if compare.limit is None else values.size(compare.limit, "--limit")
    own = [read_sum(text) for text in compare.targets or ()]
    given = replace(compare, targets=[each.text for each in own], plot=None, plot_of=None)
    sums = merging(own, compare.merge)
    request = shlex.join(["rnnshape", "compare", *words_of(given, layer, input_, run)])
    if not sums:
        every = replace(given, targets=["lstm", "gru", "rnn"])
        words = words_of(every, layer, input_, run)
        hint = shlex.join(["rnnshape", "compare", *words])
        raise RequestError("there is nothing to compare", hint=hint)
    counted = any(term.copies is not None for each in sums for term in each.terms)
    groups = _groups(sums, layer, input_, run)
    if compare.feeds and not any(len(each.rows) > 1 for each in groups):
        two = replace(given, targets=[own[0].text] * 2)
        raise RequestError(
            "--feeds needs a layer that gives its states and one that takes them",
            hint=shlex.join(["rnnshape", "compare", *words_of(two, layer, input_, run)]),
        )
    comparison = Comparison(groups=groups, request=request, counted=counted, feeds=compare.feeds)
    if compare.sort is not None:
        comparison = ordered(comparison, values.one_of(compare.sort, "--sort", ORDERS))
    pictures = _pictures(compare, comparison, plan)
    shown = _screenful(comparison.groups) if limit is None else limit
    delivery = Delivery(plan)
    delivery.begin(partial(compare_document, comparison, limit=shown))
    if run.run:
        with progress(len(comparison.subjects)) as runs:
            comparison = run_each(comparison, runs.run)
    delivery.finish(
        compare_document(comparison, limit=limit),
        on_stdout=compare_document(comparison, limit=shown) if plan.streams else None,
        pictures=pictures,
    )
    return exits.verdict(agrees=not comparison.disagreeing)


def _groups(
    sums: Sequence[Sum], layer: LayerOptions, input_: InputOptions, run: RunOptions
) -> tuple[ComparedGroup, ...]:
    settings = chosen_settings(run.device, run.dtype)
    targets = [target for each in sums for target in each.targets]
    for target in targets:
        # A file has a dtype, but says nothing of the run.
        if target.found is None and target.own_settings:
            raise RequestError(
                f"{quoted(target.origin.target or '')} names its device or dtype,"
                " which all targets must share",
                hint="--device and --dtype after the targets, not in them",
            )
    points = [joined(sums, point) for point in subjects_at_points(targets, layer, input_, settings)]
    if len(sums) == 1:  # one target is compared with itself at the other points
        points = [[each for point in points for each in point]]
    return tuple(group(point) for point in points)


def _pictures(
    compare: _CompareOptions, comparison: Comparison, plan: Plan
) -> list[tuple[Path, bytes]]:
    if compare.plot is None:
        if compare.plot_of is not None:
            raise RequestError(
                "--plot-of says what --plot draws, but --plot is not given",
                hint="leave --plot-of out, or add --plot with a file",
            )
        return []
    from rnnshape.document.chart import QUANTITIES, chart
    from rnnshape.render.chart import render_chart

    path = picture_file(compare.plot, "--plot")
    if os.path.realpath(path) in {os.path.realpath(file) for file, _ in plan.files}:
        raise RequestError(
            f"--plot and -o both write {quoted(compare.plot)}", hint="give each its own file"
        )
    quantity = values.one_of(compare.plot_of or QUANTITIES[0], "--plot-of", QUANTITIES)
    return [(path, render_chart(chart(comparison, quantity), path.suffix.lower()))]


def _screenful(groups: Sequence[ComparedGroup]) -> int | None:
    """How many rows fit on the terminal, with a blank line between groups; None for all."""
    room = shutil.get_terminal_size().lines - _OTHER_LINES
    rows = 0
    for each in groups:
        if room < len(each.rows):
            return max(rows + max(room, 0), _FEWEST_ROWS)
        rows += len(each.rows)
        room -= len(each.rows) + 1
    return None
