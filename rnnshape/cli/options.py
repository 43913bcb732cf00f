"""The options that are not in the table of `rnnshape.fields`: names, values and help.

An option without a default is None or False where it was not given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from typer import Argument, Option

_TARGET: Final = "Target"
LAYER: Final = "Layer"
INPUT: Final = "Input"
RUN: Final = "Run"
_EXPECTATIONS: Final = "Expectations"
_OUTPUT: Final = "Output"


def option(panel: str, names: str, metavar: str, help: str, default: object = None) -> Any:
    """A dataclass field that is an option: `option(RUN, "--format -f", "NAME", "...")`."""
    shown = Option(*names.split(), metavar=metavar or None, help=help, rich_help_panel=panel)
    return field(default=default, metadata={"parameter": shown, "names": names})


def argument(panel: str, metavar: str, help: str) -> Any:
    """A dataclass field that is an argument."""
    shown = Argument(metavar=metavar, help=help, show_default=False, rich_help_panel=panel)
    return field(default=None, metadata={"parameter": shown})


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """Layers that are described elsewhere."""

    targets: list[str] | None = argument(
        _TARGET,
        "TARGET",
        '"nn.LSTM(20, 40, 4)" or "lstm --hidden 40"; - or none reads stdin, one a line.',
    )


class LayerOptions(dict[str, "str | bool"]):
    """The options of the layer that were given, by field."""


class InputOptions(dict[str, "str | bool"]):
    """The options of the input that were given, by field."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where the layer runs, if at all."""

    device: str | None = option(
        RUN, "--device", "NAME", "cpu, cuda, cuda:1, mps, xpu or meta. [default: cpu]"
    )
    dtype: str | None = option(
        RUN, "--dtype", "NAME", "float32, bfloat16, complex64, ... [default: float32]"
    )
    run: bool = option(
        RUN, "--run/--no-run", "", "Run it, or formulas alone, without torch.", default=True
    )
    time: bool = option(
        RUN, "--time", "", "Also time the forward pass, beside LSTM, GRU and RNN.", default=False
    )


@dataclass(frozen=True, kw_only=True)
class ExpectOptions:
    """What must hold."""

    expect: list[str] | None = option(
        _EXPECTATIONS,
        "--expect",
        "EXPR",
        '"output = 10,5,80", "params <= 150k": else exit with 1. Repeatable.',
    )


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What to write, where and how."""

    format: str = option(
        _OUTPUT,
        "--format -f",
        "NAME",
        "table, markdown, html, latex, csv, json, svg, github or junit.",
        default="table",
    )
    files: list[str] | None = option(
        _OUTPUT,
        "--output -o",
        "FILE",
        "Also write FILE, in the format of its suffix: .txt, .md, .html,"
        " .tex, .csv, .json, .svg or .xml. Repeatable.",
    )
    show: str | None = option(
        _OUTPUT, "--show", "SECTION,...", "default, all, or sections by name."
    )
    full: bool = option(_OUTPUT, "--full", "", "Name every weight.", default=False)
    color: str = option(_OUTPUT, "--color", "WHEN", "auto, always or never.", default="auto")
