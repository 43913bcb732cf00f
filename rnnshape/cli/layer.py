"""`rnnshape lstm`, `gru` and `rnn`: the layer that the options describe."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rnnshape.cli import exits
from rnnshape.cli.command import command
from rnnshape.cli.options import InputOptions, LayerOptions, OutputOptions, RunOptions
from rnnshape.cli.output import Delivery, Plan
from rnnshape.cli.request import OF_ONE_KIND, requested
from rnnshape.document.layer import DEFAULT_SECTIONS, SECTIONS, layer_document
from rnnshape.layer.config import Kind, Settings, dtype_named
from rnnshape.layer.report import predicted_report, with_run

if TYPE_CHECKING:
    from typer.core import TyperCommand


def layer_command(name: str, *, help: str) -> TyperCommand:
    """The command of the kind of layer called `name`."""
    kind = Kind(name.upper())

    def inspect(
        layer: LayerOptions, input_: InputOptions, run: RunOptions, output: OutputOptions
    ) -> int:
        return _inspect(kind, layer, input_, run, output)

    # Accepted for every kind, so that the error can say which kind has it; shown where it belongs.
    hidden = [field for field, owner in OF_ONE_KIND.items() if owner is not kind]
    return command(inspect, name=name, help=help, hidden=hidden)


def _inspect(
    kind: Kind, layer: LayerOptions, input_: InputOptions, run: RunOptions, output: OutputOptions
) -> int:
    plan = Plan.of(output, sections=tuple(SECTIONS), default=DEFAULT_SECTIONS)
    settings = Settings(device=run.device, dtype=dtype_named(run.dtype))
    request = requested(kind, layer, input_)
    predicted = predicted_report(
        request.config,
        request.input_spec,
        settings,
        assumed=request.assumed,
        from_input_shape=request.order_unconfirmed,
    )
    document = partial(layer_document, show=plan.show, full=plan.full)
    delivery = Delivery(plan)
    delivery.begin(document(predicted))
    report = with_run(predicted) if run.run else predicted
    delivery.finish(document(report))
    disagrees = report.run is not None and not report.run.agrees
    return exits.DISAGREEMENT if disagrees else exits.SUCCESS
