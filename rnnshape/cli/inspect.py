"""`rnnshape inspect`: report on layers that are described elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rnnshape.cli.command import Help, command
from rnnshape.cli.options import (
    ExpectOptions,
    InputOptions,
    OutputOptions,
    RunOptions,
    TargetOptions,
)
from rnnshape.cli.reports import deliver, layer_plan
from rnnshape.errors import RequestError, gathered
from rnnshape.layer.subject import Subject
from rnnshape.sources.options import input_fields
from rnnshape.sources.registry import read_target
from rnnshape.sources.subjects import settings_for, subject_of

if TYPE_CHECKING:
    from typer.core import TyperCommand

_STDIN: Final = "-"
_EXAMPLE: Final = 'rnnshape inspect "nn.LSTM(20, 40, num_layers=4)"'


def inspect_command(name: str, *, help: str) -> TyperCommand:
    """The command that reads targets."""
    examples = (
        'rnnshape inspect "rnn = nn.LSTM(10, 20, 2)"',
        'rnnshape inspect "gru --hidden 64 --bidir" --batch 32 --show default,cost',
    )
    return command(_inspect, name=name, help=Help(help, examples))


def _inspect(
    target: TargetOptions,
    input_: InputOptions,
    run: RunOptions,
    expect: ExpectOptions,
    output: OutputOptions,
) -> int:
    def subject(text: str) -> Subject:
        read = read_target(text)
        settings = settings_for(read, device=run.device, dtype=run.dtype)
        return subject_of(read, input_fields(input_), settings, fixed=read.fields.keys())

    plan = layer_plan(output, timed=run.time)
    return deliver(list(_subjects(target.targets or [], subject)), plan, run, expect)


def _subjects(targets: Sequence[str], subject: Callable[[str], Subject]) -> Iterator[Subject]:
    if not targets and sys.stdin is not None and sys.stdin.isatty():
        raise RequestError("no TARGET is given, and stdin is a terminal", hint=_EXAMPLE)
    for target in targets or [_STDIN]:
        if target == _STDIN:
            yield from _of_lines(_stdin(), subject)
        else:
            yield subject(target)


def _of_lines(text: str, subject: Callable[[str], Subject]) -> list[Subject]:
    """A subject for each line. Raises RequestErrors with every bad line."""
    lines = [
        (number, line.strip())
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise RequestError("stdin has no target", hint=_EXAMPLE)

    def of_line(numbered: tuple[int, str]) -> Subject:
        number, line = numbered
        try:
            return subject(line)
        except RequestError as error:
            raise error.behind(f"line {number}") from error

    return gathered(of_line, lines)


def _stdin() -> str:
    """The text on stdin. Raises RequestError where there is none, or it is not UTF-8."""
    if sys.stdin is None:
        raise RequestError("stdin is closed", hint=_EXAMPLE)
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise RequestError(
            "stdin is not UTF-8 text", hint="one target per line, in UTF-8"
        ) from error
