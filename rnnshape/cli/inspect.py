"""`rnnshape inspect`: layers that are written down elsewhere, one document for all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rnnshape.cli.command import command
from rnnshape.cli.options import (
    ExpectOptions,
    InputOptions,
    OutputOptions,
    RunOptions,
    TargetOptions,
)
from rnnshape.cli.reports import deliver, layer_plan, predicted
from rnnshape.cli.request import request_of, settings_of
from rnnshape.cli.target import read_target
from rnnshape.errors import RequestError
from rnnshape.layer.report import Report

if TYPE_CHECKING:
    from typer.core import TyperCommand

_STDIN: Final = "-"
_LONGEST_STDIN: Final = 1_000_000
_EXAMPLE: Final = 'rnnshape inspect "nn.LSTM(20, 40, num_layers=4)"'


def inspect_command(name: str, *, help: str) -> TyperCommand:
    """The command that reads targets."""
    return command(_inspect, name=name, help=help)


def _inspect(
    target: TargetOptions,
    input_: InputOptions,
    run: RunOptions,
    expect: ExpectOptions,
    output: OutputOptions,
) -> int:
    def report(text: str) -> Report:
        read = read_target(text)
        request = request_of(read.config.kind, read.fields, input_, fixed=read.told)
        settings = settings_of(run, device=read.device, dtype=read.dtype)
        return predicted(request, settings, traps=read.traps)

    plan = layer_plan(output)
    return deliver(list(_reports(target.targets or [], report)), plan, run, expect)


def _reports(targets: Sequence[str], report: Callable[[str], Report]) -> Iterator[Report]:
    if not targets and sys.stdin is not None and sys.stdin.isatty():
        raise RequestError("no TARGET is given, and stdin is a terminal", hint=_EXAMPLE)
    for target in targets or [_STDIN]:
        if target == _STDIN:
            yield from _of_lines(_stdin(), report)
        else:
            yield report(target)


def _of_lines(text: str, report: Callable[[str], Report]) -> Iterator[Report]:
    """A report a line. Raises RequestError for the first bad line, which counts the others."""
    refused: dict[int, RequestError] = {}
    empty = True
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        empty = False
        try:
            yield report(line.strip())
        except RequestError as error:
            refused[number] = error
    if empty:
        raise RequestError("stdin has no target", hint=_EXAMPLE)
    if refused:
        (number, first), *others = refused.items()
        numbers = ", ".join(str(other) for other, _ in others)
        also = f" (refused too: line{'s' * (len(others) > 1)} {numbers})" if others else ""
        raise first.retold(f"line {number}: {first.problem}{also}")


def _stdin() -> str:
    """The text on stdin, not more of it than a person would write."""
    if sys.stdin is None:
        raise RequestError("stdin is closed", hint=_EXAMPLE)
    try:
        text = sys.stdin.read(_LONGEST_STDIN + 1)
    except UnicodeDecodeError as error:
        raise RequestError("stdin is no text", hint="one target a line, in UTF-8") from error
    if len(text) > _LONGEST_STDIN:
        raise RequestError(
            f"stdin has over {_LONGEST_STDIN:,} characters", hint="give fewer targets at a time"
        )
    return text
