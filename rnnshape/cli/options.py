"""The options beside those of `rnnshape.fields`: what each is called, takes and says in help.

An option that was not given is None or False, so that a default is known as one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from typer import Argument, Option

TARGET: Final = "Target"
LAYER: Final = "Layer"
INPUT: Final = "Input"
RUN: Final = "Run"
EXPECTATIONS: Final = "Expectations"
OUTPUT: Final = "Output"


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
    """Layers that exist elsewhere."""

    targets: list[str] | None = argument(
        TARGET,
        "TARGET",
        '"nn.LSTM(20, 40, 4)" or "lstm --hidden 40"; - or none reads stdin, one a line.',
    )


class LayerOptions(dict[str, "str | bool"]):
    """What was given of the constructor's arguments, by field."""


class InputOptions(dict[str, "str | bool"]):
    """What was given of the input of the forward pass, by field."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where and whether the layer runs."""

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
        EXPECTATIONS,
        "--expect",
        "EXPR",
        '"output = 10,5,80", "params <= 150k": else exit with 1. Repeatable.',
    )


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What is written, where and how."""

    format: str = option(
        OUTPUT,
        "--format -f",
        "NAME",
        "table, markdown, html, latex, csv, json, svg, github or junit.",
        default="table",
    )
    files: list[str] | None = option(
        OUTPUT,
        "--output -o",
        "FILE",
        "Also write FILE, in the format of its suffix: .txt, .md, .html,"
        " .tex, .csv, .json, .svg or .xml. Repeatable.",
    )
    show: str | None = option(OUTPUT, "--show", "SECTION,...", "default, all, or sections by name.")
    full: bool = option(OUTPUT, "--full", "", "Name every weight.", default=False)
    color: str = option(OUTPUT, "--color", "WHEN", "auto, always or never.", default="auto")
