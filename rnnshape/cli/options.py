"""The options, each defined once: what it is called, what it takes and what it says of itself.

An option that was not given is None or False, so that a default is known as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from typer import Argument, Option

TARGET: Final = "Target"
LAYER: Final = "Layer"
INPUT: Final = "Input"
RUN: Final = "Run"
EXPECTATIONS: Final = "Expectations"
OUTPUT: Final = "Output"

# PyTorch's own spellings, accepted beside the short names; underscores are read as dashes.
SPELLINGS: Final = {
    "input-size": "input",
    "hidden-size": "hidden",
    "num-layers": "layers",
    "bidirectional": "bidir",
    "proj-size": "proj",
    "batch-size": "batch",
    "seq-len": "seq",
    "seq-length": "seq",
}


def spelling(name: str) -> str:
    """The name that help shows for an option spelled PyTorch's way: `hidden_size`, `hidden`."""
    dashed = name.replace("_", "-")
    return SPELLINGS.get(dashed, dashed)


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """Layers that exist elsewhere."""

    targets: Annotated[
        list[str] | None,
        Argument(
            metavar="TARGET",
            help='"nn.LSTM(20, 40, 4)" or "lstm --hidden 40"; - or none reads stdin, one a line.',
            show_default=False,
            rich_help_panel=TARGET,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class LayerOptions:
    """The constructor's arguments."""

    input_size: Annotated[
        str | None,
        Option(
            "--input",
            metavar="N",
            help="Features of each input step, input_size. [default: 20]",
            rich_help_panel=LAYER,
        ),
    ] = None
    hidden_size: Annotated[
        str | None,
        Option(
            "--hidden",
            metavar="N",
            help="Features of the hidden state, hidden_size. [default: 40]",
            rich_help_panel=LAYER,
        ),
    ] = None
    num_layers: Annotated[
        str | None,
        Option(
            "--layers",
            metavar="N",
            help="Stacked layers, num_layers. [default: 1]",
            rich_help_panel=LAYER,
        ),
    ] = None
    cell: Annotated[
        bool,
        Option("--cell", help="The cell, one step: nn.LSTMCell.", rich_help_panel=LAYER),
    ] = False
    bidirectional: Annotated[
        bool,
        Option("--bidir", help="Read in both directions.", rich_help_panel=LAYER),
    ] = False
    proj_size: Annotated[
        str | None,
        Option(
            "--proj",
            metavar="N",
            help="Project h to N features, proj_size.",
            rich_help_panel=LAYER,
        ),
    ] = None
    nonlinearity: Annotated[
        str | None,
        Option(
            "--nonlinearity",
            metavar="tanh|relu",
            help="The activation. [default: tanh]",
            rich_help_panel=LAYER,
        ),
    ] = None
    bias: Annotated[
        bool | None,
        Option("--bias/--no-bias", help="With the two bias vectors.", rich_help_panel=LAYER),
    ] = None
    batch_first: Annotated[
        bool,
        Option(
            "--batch-first",
            help="Input and output are (batch, seq, feature).",
            rich_help_panel=LAYER,
        ),
    ] = False
    dropout: Annotated[
        str | None,
        Option(
            "--dropout",
            metavar="P",
            help="Dropout between layers, 0 to 1. [default: 0]",
            rich_help_panel=LAYER,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class InputOptions:
    """The input of the forward pass."""

    batch_size: Annotated[
        str | None,
        Option(
            "--batch",
            metavar="N",
            help="Sequences in the batch. [default: 5]",
            rich_help_panel=INPUT,
        ),
    ] = None
    seq_len: Annotated[
        str | None,
        Option(
            "--seq",
            metavar="L",
            help="Steps of each sequence. [default: 10]",
            rich_help_panel=INPUT,
        ),
    ] = None
    input_shape: Annotated[
        str | None,
        Option(
            "--input-shape",
            metavar="L,N,H_in",
            help="The input's shape instead: 10,5,20.",
            rich_help_panel=INPUT,
        ),
    ] = None
    lengths: Annotated[
        str | None,
        Option(
            "--lengths",
            metavar="N,N,...",
            help="Steps of each row: a PackedSequence.",
            rich_help_panel=INPUT,
        ),
    ] = None
    unbatched: Annotated[
        bool,
        Option("--unbatched", help="One sequence, no batch axis.", rich_help_panel=INPUT),
    ] = False
    with_state: Annotated[
        bool,
        Option(
            "--with-state",
            help="Hand the layer zeros for h_0 (and c_0).",
            rich_help_panel=INPUT,
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where and whether the layer runs."""

    device: Annotated[
        str | None,
        Option(
            "--device",
            metavar="NAME",
            help="cpu, cuda, cuda:1, mps, xpu or meta. [default: cpu]",
            rich_help_panel=RUN,
        ),
    ] = None
    dtype: Annotated[
        str | None,
        Option(
            "--dtype",
            metavar="NAME",
            help="float32, bfloat16, complex64, ... [default: float32]",
            rich_help_panel=RUN,
        ),
    ] = None
    run: Annotated[
        bool,
        Option(
            "--run/--no-run",
            help="Run it, or formulas alone, without torch.",
            rich_help_panel=RUN,
        ),
    ] = True
    time: Annotated[
        bool,
        Option(
            "--time",
            help="Also time the forward pass, beside LSTM, GRU and RNN.",
            rich_help_panel=RUN,
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ExpectOptions:
    """What must hold."""

    expect: Annotated[
        list[str] | None,
        Option(
            "--expect",
            metavar="EXPR",
            help='"output = 10,5,80", "params <= 150k": else exit with 1. Repeatable.',
            rich_help_panel=EXPECTATIONS,
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What is written, where and how."""

    format: Annotated[
        str,
        Option(
            "--format",
            "-f",
            metavar="NAME",
            help="table, markdown, html, latex, csv, json, svg, github or junit.",
            rich_help_panel=OUTPUT,
        ),
    ] = "table"
    files: Annotated[
        list[str] | None,
        Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Also write FILE, in the format of its suffix: .txt, .md, .html,"
            " .tex, .csv, .json, .svg or .xml. Repeatable.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    show: Annotated[
        str | None,
        Option(
            "--show",
            metavar="SECTION,...",
            help="default, all, or sections by name.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    full: Annotated[
        bool,
        Option("--full", help="Name every weight.", rich_help_panel=OUTPUT),
    ] = False
    color: Annotated[
        str,
        Option(
            "--color",
            metavar="WHEN",
            help="auto, always or never.",
            rich_help_panel=OUTPUT,
        ),
    ] = "auto"
