"""`rnnshape compare`: layers side by side, and grids of them."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from typer import Argument, Option

from rnnshape.analysis.comparison import ORDERS, Comparison, Group, group, ordered, run_all
from rnnshape.cli import exits, values
from rnnshape.cli.command import command, words_of
from rnnshape.cli.grid import assumed, grid
from rnnshape.cli.options import RUN, InputOptions, LayerOptions, OutputOptions, RunOptions
from rnnshape.cli.output import Delivery, Plan, picture_file
from rnnshape.cli.request import settings_of
from rnnshape.cli.target import Target, read_target, traps_of
from rnnshape.document.compare import chart, compare_document
from rnnshape.errors import RequestError, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from typer.core import TyperCommand

_COMPARE: Final = "Comparison"
# Options of other commands that no row or column of a comparison shows.
_WITHOUT: Final = ("cell", "time", "lengths", "with_state", "show", "full")
# Lines of a terminal that are no rows: legend, title, notes, verdict, prompt.
_OTHER_LINES: Final = 10
_FEWEST_ROWS: Final = 5


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """What is compared, in which order, and how much of it is shown."""

    targets: Annotated[
        list[str] | None,
        Argument(
            metavar="TARGET",
            help='Layers: lstm, "gru --bidir", "nn.RNN(20, 40)". The first is the baseline.',
            rich_help_panel=_COMPARE,
            show_default=False,
        ),
    ] = None
    sort: Annotated[
        str | None,
        Option(
            "--sort",
            metavar="COLUMN",
            help="Sort each group: parameters, macs or name.",
            rich_help_panel=_COMPARE,
        ),
    ] = None
    limit: Annotated[
        str | None,
        Option(
            "--limit",
            metavar="N",
            help="Rows shown. [default: all; on a terminal a screenful]",
            rich_help_panel=_COMPARE,
        ),
    ] = None
    plot: Annotated[
        str | None,
        Option(
            "--plot",
            metavar="FILE",
            help="Draw parameters over hidden_size: .svg or .png.",
            rich_help_panel=_COMPARE,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class RunOnRequest(RunOptions):
    """Where and whether the layers run; formulas are enough to compare."""

    run: Annotated[
        bool,
        Option(
            "--run/--no-run",
            help="Build and run each, or formulas alone.",
            rich_help_panel=RUN,
        ),
    ] = False


def compare_command(name: str, *, help: str) -> TyperCommand:
    """The command."""
    whole = f"{help} A size may be a list or a range, --hidden 32,64 or 16..64..16: a grid."
    return command(_compare, name=name, help=whole, without=_WITHOUT)


def _compare(
    compare: CompareOptions,
    layer: LayerOptions,
    input_: InputOptions,
    run: RunOnRequest,
    output: OutputOptions,
) -> int:
    plan = Plan.of(output, sections=(), default=())
    limit = None
    if compare.limit is not None:
        limit = values.size(compare.limit, "--limit")
    targets = [read_target(text) for text in compare.targets or ()]
    comparison = _comparison(compare, targets, layer, input_, run)
    pictures = _pictures(compare, comparison, plan)
    asked = replace(compare, targets=[target.text for target in targets], plot=None)
    request = shlex.join(["rnnshape", "compare", *words_of(asked, layer, input_, run)])
    document = partial(compare_document, request=request, traps=traps_of(targets))
    shown = _screenful(comparison.groups) if limit is None else limit
    delivery = Delivery(plan)
    if plan.streams:
        delivery.begin(document(comparison, limit=shown))
    if run.run:
        comparison = run_all(comparison)
    delivery.finish(
        document(comparison, limit=limit),
        on_terminal=document(comparison, limit=shown) if plan.streams else None,
        pictures=pictures,
    )
    return exits.verdict(agrees=not comparison.disagreeing)


def _comparison(
    compare: CompareOptions,
    targets: Sequence[Target],
    layer: LayerOptions,
    input_: InputOptions,
    run: RunOptions,
) -> Comparison:
    if not targets:
        raise RequestError("there is nothing to compare", hint="rnnshape compare lstm gru rnn")
    if compare.sort is not None:
        values.one_of(compare.sort, "--sort", ORDERS)
    settings = settings_of(run)
    for target in targets:
        if target.device is not None or target.dtype is not None:
            raise RequestError(
                f"{quoted(target.text)} names its device or dtype; all targets share one",
                hint="--device and --dtype beside the targets",
            )
    points = grid(targets, layer, input_)
    if len(targets) == 1:  # one target is compared with itself at the other points
        points = [[each for point in points for each in point]]
    comparison = Comparison(
        groups=tuple(group(point) for point in points),
        settings=settings,
        assumed=assumed(targets, layer, input_),
    )
    return comparison if compare.sort is None else ordered(comparison, compare.sort)


def _pictures(
    compare: CompareOptions, comparison: Comparison, plan: Plan
) -> list[tuple[Path, bytes]]:
    if compare.plot is None:
        return []
    from rnnshape.render.chart import render_chart

    path = picture_file(compare.plot, "--plot")
    if os.path.realpath(path) in {os.path.realpath(file) for file, _ in plan.files}:
        raise RequestError(
            f"--plot {quoted(compare.plot)} is the file of -o too", hint="give each its own"
        )
    return [(path, render_chart(chart(comparison), path.suffix.lower()))]


def _screenful(groups: Sequence[Group]) -> int | None:
    """How many rows a terminal shows at once, with a blank line between two groups."""
    room = shutil.get_terminal_size().lines - _OTHER_LINES
    rows = 0
    for each in groups:
        if room < len(each.rows):
            return max(rows + max(room, 0), _FEWEST_ROWS)
        rows += len(each.rows)
        room -= len(each.rows) + 1
    return None
