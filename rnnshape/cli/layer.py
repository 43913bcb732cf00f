"""`rnnshape lstm`, `gru` and `rnn`: the layer that the options describe."""

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
from rnnshape.cli.reports import deliver, layer_plan, predicted
from rnnshape.cli.request import OF_ONE_KIND, requested, settings_of
from rnnshape.layer.config import Kind

if TYPE_CHECKING:
    from typer.core import TyperCommand


def layer_command(name: str, *, help: str) -> TyperCommand:
    """The command of the kind of layer called `name`."""
    kind = Kind(name.upper())

    def inspect(
        layer: LayerOptions,
        input_: InputOptions,
        run: RunOptions,
        expect: ExpectOptions,
        output: OutputOptions,
    ) -> int:
        plan = layer_plan(output)
        report = predicted(requested(kind, layer, input_), settings_of(run))
        return deliver([report], plan, run, expect)

    # Accepted for every kind, so that the error can say which kind has it; shown where it belongs.
    hidden = [field for field, owner in OF_ONE_KIND.items() if owner is not kind]
    return command(inspect, name=name, help=help, hidden=hidden)
