"""`rnnshape inspect`: report on layers that are described elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from rnnshape.analysis.inspection import Inspection
from rnnshape.analysis.matching import matched
from rnnshape.cli.command import Help, command
from rnnshape.cli.expectations import judged
from rnnshape.cli.options import (
    RUN,
    TARGET,
    ExpectOptions,
    InputOptions,
    LayerOutputOptions,
    RunOptions,
    TargetOptions,
    option,
)
from rnnshape.cli.reports import converting_to, deliver, layer_plan
from rnnshape.document.sections import DEFAULT_SECTIONS, FOUND_SECTIONS, MODEL_SECTIONS
from rnnshape.errors import RequestError, RequestErrors, gathered
from rnnshape.layer.report import predicted_report
from rnnshape.pytorch.request import GivenTensor
from rnnshape.sources.forward import read_called, read_given_tensor
from rnnshape.sources.options import input_fields
from rnnshape.sources.registry import read_source, read_target
from rnnshape.sources.source import Source
from rnnshape.sources.subjects import settings_for, subject_of
from rnnshape.sources.target import Target

if TYPE_CHECKING:
    from typer.core import TyperCommand

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

_STDIN: Final = "-"
_MOST_LINES: Final = 10_000  # a report of each takes 3 ms and 35 kB
_EXAMPLE: Final = 'rnnshape inspect "nn.LSTM(20, 40, num_layers=4)"'


def inspect_command(name: str, *, help: str) -> TyperCommand:
    """The command that reads targets."""
    examples = (
        'rnnshape inspect "rnn = nn.LSTM(10, 20, 2)" --batch 32 --show default,cost',
        'rnnshape inspect weights.pt:encoder.lstm --matches "nn.LSTM(20, 40)"',
    )
    return command(_inspect, name=name, help=Help(help, examples))


@dataclass(frozen=True, kw_only=True)
class _InspectOptions(TargetOptions):
    """Layers that are described elsewhere, and what they must match."""

    matches: str | None = option(
        TARGET,
        "--matches",
        "TARGET",
        "Whether the layer fits TARGET, and which arguments differ; exit code 1 if it does not.",
    )


@dataclass(frozen=True, kw_only=True)
class _RunOfFound(RunOptions):
    """Where the layers run, if at all: those of a file are read, the others run."""

    run: bool | None = option(
        RUN,
        "--run/--no-run",
        "",
        "Build and run such a layer: the default, except for layers of files.",
    )


def _inspect(
    target: _InspectOptions,
    input_: InputOptions,
    run: _RunOfFound,
    expect: ExpectOptions,
    output: LayerOutputOptions,
) -> int:
    to = converting_to(output)
    other = None if target.matches is None else read_target(target.matches)
    given = tuple(map(read_given_tensor, target.forward or ()))

    def inspection(read: Target) -> Inspection:
        settings = settings_for(read, **run.settings)
        told = read if other is None else read.informed_by(other)
        subject = subject_of(told, input_fields(input_), settings, fixed=read.fields.keys())
        found = replace(judged(expect, predicted_report(subject)), to=to)
        return found if other is None else replace(found, match=matched(read, other))

    numbered = _sources(target.targets or [], given)
    sources = [source for _, source in numbered]
    targets = [each for source in sources for each in source.targets]
    found = bool(targets) and all(each.found for each in targets)
    in_files = found and all(each.found and each.found.from_file for each in targets)
    described = MODEL_SECTIONS if found else DEFAULT_SECTIONS
    default = FOUND_SECTIONS if in_files else described
    plan = layer_plan(output, measured=bool(run.measured), default=default)
    runs = replace(run, run=(bool(run.measured) or not in_files) if run.run is None else run.run)
    holding = [source for source in sources if source.holder is not None]
    placed = [(place, each) for place, source in numbered for each in source.targets]
    inspections = gathered(lambda one: _behind(one[0], inspection, one[1]), placed)
    return deliver(inspections, plan, runs, expect, holding)


def _behind(place: str, function: Callable[[_Given], _Made], given: _Given) -> _Made:
    """The function's result. Raises RequestError behind the place."""
    try:
        return function(given)
    except RequestError as error:
        raise RequestErrors(each.behind(place) for each in error.errors) from error


def _sources(targets: Sequence[str], given: Sequence[GivenTensor]) -> list[tuple[str, Source]]:
    """What each target names, with its line where it stands on stdin."""
    if not targets and sys.stdin is not None and sys.stdin.isatty():
        raise RequestError("no TARGET is given, and stdin is a terminal", hint=_EXAMPLE)
    sources: list[tuple[str, Source]] = []
    for target in targets or [_STDIN]:
        sources += (
            _of_lines(_stdin(), given) if target == _STDIN else [("", _source(target, given))]
        )
    return sources


def _source(text: str, given: Sequence[GivenTensor]) -> Source:
    return read_called(text, given) if given else read_source(text)


def _of_lines(text: str, given: Sequence[GivenTensor]) -> list[tuple[str, Source]]:
    """What each line names. Raises RequestErrors with every bad line."""
    lines = [
        (f"line {number}", line.strip())
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise RequestError("stdin has no target", hint=_EXAMPLE)
    if len(lines) > _MOST_LINES:
        raise RequestError(
            f"stdin has {len(lines):,} targets; the most is {_MOST_LINES:,}",
            hint=f"split -l {_MOST_LINES} divides a file into such parts",
        )

    def of_line(line: str) -> Source:
        return _source(line, given)

    return gathered(lambda one: (one[0], _behind(one[0], of_line, one[1])), lines)


def _stdin() -> str:
    """The text on stdin. Raises RequestError if there is none, or if it is not UTF-8."""
    if sys.stdin is None:
        raise RequestError("stdin is closed", hint=_EXAMPLE)
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise RequestError(
            "stdin is not UTF-8 text", hint="one target per line, in UTF-8"
        ) from error
