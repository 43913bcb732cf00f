"""The options of the commands, in groups; those of fields follow from `rnnshape.fields`.

An option without a default is None or False where it was not given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from typer import Argument, Option

from rnnshape.cli.completion import completing
from rnnshape.document.sections import SECTIONS
from rnnshape.fields import FIELDS
from rnnshape.render import Format

TARGET: Final = "Target"
LAYER: Final = "Layer"
INPUT: Final = "Input"
RUN: Final = "Run"
_EXPECTATIONS: Final = "Expectations"
_OUTPUT: Final = "Output"


def option(panel: str, names: str, metavar: str, help: str, default: object = None) -> Any:
    """A dataclass field that is an option: `option(RUN, "--format -f", "NAME", "...")`."""
    shown = Option(
        *names.split(),
        metavar=metavar or None,
        help=help,
        rich_help_panel=panel,
        autocompletion=completing(names.split(maxsplit=1)[0]),
    )
    return field(default=default, metadata={"parameter": shown, "names": names})


def argument(panel: str, metavar: str, help: str) -> Any:
    """A dataclass field that is an argument."""
    shown = Argument(
        metavar=metavar,
        help=help,
        show_default=False,
        rich_help_panel=panel,
        autocompletion=completing(metavar),
    )
    return field(default=None, metadata={"parameter": shown})


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """Layers that are described elsewhere."""

    targets: list[str] | None = argument(
        TARGET,
        "TARGET",
        '"nn.LSTM(20, 40, 4)", "lstm --hidden 40", weights.pt, weights.pt:encoder.lstm or'
        " net.py:Tagger; - or no TARGET: one per line from stdin.",
    )
    forward: list[str] | None = option(
        TARGET,
        "--forward",
        "SHAPE",
        "Run a model once: 16,50,80 or 16,50:int64, once for each argument. Repeatable.",
    )


class LayerOptions(dict[str, "str | bool"]):
    """The options of the layer that were given, by field."""


class InputOptions(dict[str, "str | bool"]):
    """The options of the input that were given, by field."""


def _run_option(name: str) -> Any:
    """The option of a field of the run; one that is not given is None, but a switch is on."""
    row = FIELDS[name]
    if row.takes == "switch":
        return option(RUN, f"{row.option}/--no-{row.alias}", "", row.help, default=row.default)
    return option(RUN, row.option, row.metavar, f"{row.help} [default: {row.default}]")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where the layer runs, if at all."""

    device: str | None = _run_option("device")
    dtype: str | None = _run_option("dtype")
    run: bool | None = _run_option("run")  # None where that depends on what is inspected
    optimizer: str | None = _run_option("optimizer")
    time: bool = option(
        RUN,
        "--time",
        "",
        "Also time forward passes of this layer, LSTM, GRU and RNN, for a few seconds.",
        default=False,
    )
    train: bool = option(
        RUN,
        "--train",
        "",
        "Also measure the memory and the time of training steps, for a few seconds.",
        default=False,
    )

    @property
    def measured(self) -> frozenset[str]:
        """The sections that show what is to be measured."""
        given = {"time": self.time, "training": self.train}
        return frozenset(section for section, on in given.items() if on)

    @property
    def settings(self) -> dict[str, str | None]:
        """The fields of `Settings`, None where the user did not give one."""
        return {"device": self.device, "dtype": self.dtype, "optimizer": self.optimizer}


@dataclass(frozen=True, kw_only=True)
class ExpectOptions:
    """What must hold."""

    expect: list[str] | None = option(
        _EXPECTATIONS,
        "--expect",
        "EXPR",
        '"output = 10,5,80", "params <= 150k"; exit code 1 if it fails. Repeatable.',
    )


def either(words: Iterable[str]) -> str:
    """The words as a choice: "a, b or c"."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What to write, where and how."""

    format: str = option(
        _OUTPUT,
        "--format -f",
        "NAME",
        f"{either(each.value for each in Format)}.",
        default="table",
    )
    files: list[str] | None = option(
        _OUTPUT,
        "--output -o",
        "FILE",
        "Also write FILE, in the format of its suffix:"
        f" {either(each.suffixes[0] for each in Format if each.suffixes)}. Repeatable.",
    )
    caption: str | None = option(
        _OUTPUT, "--caption", "TEXT", "With -f latex: a floating table with this caption."
    )
    label: str | None = option(
        _OUTPUT, "--label", "NAME", r"With --caption: what \ref{NAME} refers to."
    )
    show: list[str] | None = option(
        _OUTPUT,
        "--show",
        "SECTION,...",
        f"default, all, or some of {', '.join(SECTIONS)}. Repeatable.",
    )
    full: bool = option(_OUTPUT, "--full", "", "Name every weight.", default=False)
    color: str = option(_OUTPUT, "--color", "WHEN", "auto, always or never.", default="auto")


@dataclass(frozen=True, kw_only=True)
class LayerOutputOptions(OutputOptions):
    """The same of a layer, which may go to another framework."""

    to: str | None = option(
        _OUTPUT,
        "--to",
        "NAME",
        "Port to keras, onnx, linen, nnx, tf1, ...: every tensor, and a program.",
    )
