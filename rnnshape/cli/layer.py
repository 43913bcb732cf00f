"""`rnnshape lstm`, `gru` and `rnn`: report on the layer that the options describe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rnnshape.cli.command import Help, command, words_of
from rnnshape.cli.expectations import judged
from rnnshape.cli.options import (
    ExpectOptions,
    InputOptions,
    LayerOptions,
    LayerOutputOptions,
    RunOptions,
)
from rnnshape.cli.reports import converting_to, deliver, layer_plan
from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind
from rnnshape.layer.report import predicted_report
from rnnshape.sources import values
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
        output: LayerOutputOptions,
    ) -> int:
        plan, to = layer_plan(output, measured=bool(run.measured)), converting_to(output)
        try:
            target, of_input = described(kind, layer), input_fields(input_)
            settings = settings_for(target, **run.settings)
            subject = subject_of(target, of_input, settings)
        except values.ListGivenError as error:
            words = [name, *words_of(layer, input_, run, expect, output)]
            raise _in_comparison(error, words) from error
        except RequestError as error:
            if "kind" not in error.fields:
                raise
            of_kind = {"nonlinearity": str(error.fields.get("nonlinearity"))}
            given = {n: of_kind.get(n, value) for n, value in layer.items()}
            words = [str(error.fields["kind"]).lower()]
            words += words_of(given, input_, run, expect, output)
            raise _instead(error, words) from error
        inspection = replace(judged(expect, predicted_report(subject)), to=to)
        return deliver([inspection], plan, run, expect)

    examples = (
        f"rnnshape {name} --hidden 40 --layers 4 --bidir --batch-first",
        f"rnnshape {name} --layers 2 --show diagram -f markdown",
    )
    whole = Help(f"{help} --show diagram draws a picture of the network.", examples)
    return command(report_layer, name=name, help=whole, kind=kind)


def _instead(error: RequestError, words: Sequence[str]) -> RequestError:
    """The error with a whole command line as its hint."""
    from rnnshape.cli.meant import command_line  # only mistakes need it

    return RequestError("{}", error.problem, command_line(words), hint="{}")


def _in_comparison(error: values.ListGivenError, words: Sequence[str]) -> RequestError:
    """The error with the same request as a comparison, where `compare` has all of its options."""
    from rnnshape.cli.meant import compared  # only mistakes need it

    hint = compared(words, error.option, error.listed)
    return RequestError("{}", error.problem, hint, hint="{}")
