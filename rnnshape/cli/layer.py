"""`rnnshape lstm`, `gru` and `rnn`: report on the layer that the options describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.cli.command import command
from rnnshape.cli.options import (
    ExpectOptions,
    InputOptions,
    LayerOptions,
    OutputOptions,
    RunOptions,
)
from rnnshape.cli.reports import deliver, layer_plan
from rnnshape.layer.config import Kind
from rnnshape.sources.options import described, input_fields
from rnnshape.sources.subjects import settings_for, subject_of

if TYPE_CHECKING:
    from typer.core import TyperCommand


def layer_command(name: str, *, help: str) -> TyperCommand:
    """The command for the kind of layer called `name`."""
    kind = Kind(name.upper())

    def report_layer(
        layer: LayerOptions,
        input_: InputOptions,
        run: RunOptions,
        expect: ExpectOptions,
        output: OutputOptions,
    ) -> int:
        plan = layer_plan(output, timed=run.time)
        target = described(kind, layer)
        settings = settings_for(target, device=run.device, dtype=run.dtype)
        return deliver([subject_of(target, input_fields(input_), settings)], plan, run, expect)

    return command(report_layer, name=name, help=help, kind=kind)
