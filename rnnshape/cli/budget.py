"""`rnnshape budget`: the largest layer within parameters, MACs or bytes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

from typer import Argument, Option

from rnnshape.analysis.budget import Budget, Quantity, Solution, Unknown, solve
from rnnshape.cli import exits, values
from rnnshape.cli.command import command, words_of
from rnnshape.cli.grid import applied
from rnnshape.cli.options import InputOptions, LayerOptions, OutputOptions, RunOptions, spelling
from rnnshape.cli.output import Delivery, Plan
from rnnshape.cli.request import (
    OF_ONE_KIND,
    assumed_fields,
    settings_of,
    told_config,
    told_fields,
    told_input,
    told_of_layer,
)
from rnnshape.cli.target import Target, read_target, traps_of
from rnnshape.document.budget import budget_document
from rnnshape.errors import RequestError, nearest, quoted
from rnnshape.layer.config import Kind, Settings
from rnnshape.layer.formulas import plain_sizes, weights
from rnnshape.layer.report import predicted_report
from rnnshape.layer.run import with_run

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from typer.core import TyperCommand

_BUDGET: Final = "Budget, one of them"
_SOLVE: Final = "Solve"
_UNKNOWNS: Final[dict[str, Unknown]] = {"hidden": "hidden_size", "proj": "proj_size"}


@dataclass(frozen=True, kw_only=True)
class BudgetOptions:
    """What is allowed, and which size is sought."""

    kind: Annotated[
        str | None,
        Argument(
            metavar="KIND", help="lstm, gru or rnn.", rich_help_panel=_SOLVE, show_default=False
        ),
    ] = None
    solve: Annotated[
        str,
        Option(
            "--solve",
            metavar="SIZE",
            help="hidden, or proj for a given --hidden.",
            rich_help_panel=_SOLVE,
        ),
    ] = "hidden"
    params: Annotated[
        str | None,
        Option(
            "--params",
            metavar="N",
            help="Parameters: 136960, 150k, 1.5M.",
            rich_help_panel=_BUDGET,
        ),
    ] = None
    macs: Annotated[
        str | None,
        Option(
            "--macs",
            metavar="N",
            help="Multiply-adds over the whole input: 5M.",
            rich_help_panel=_BUDGET,
        ),
    ] = None
    bytes: Annotated[
        str | None,
        Option(
            "--bytes",
            metavar="N",
            help="Bytes of the parameters in --dtype: 4MiB, 1GB.",
            rich_help_panel=_BUDGET,
        ),
    ] = None
    match: Annotated[
        str | None,
        Option(
            "--match",
            metavar="TARGET",
            help='The parameters of another layer: "lstm --bidir".',
            rich_help_panel=_BUDGET,
        ),
    ] = None


def budget_command(name: str, *, help: str) -> TyperCommand:
    """The command."""
    whole = f"{help} The other sizes are what the options say, of --match too."
    return command(_budget, name=name, help=whole, without=("show", "full", "time"))


def _budget(
    budget: BudgetOptions,
    layer: LayerOptions,
    input_: InputOptions,
    run: RunOptions,
    output: OutputOptions,
) -> int:
    plan = Plan.of(output, sections=(), default=())
    settings = settings_of(run)
    unknown = _UNKNOWNS[values.one_of(budget.solve, "--solve", _UNKNOWNS)]
    kind = _kind(budget.kind)
    _require_sought(kind, layer, unknown)
    told = told_fields(told_of_layer(layer), input_)
    _require_own(kind, told)
    match = None if budget.match is None else read_target(budget.match)
    allowed = _allowed(budget, match, layer, input_)
    solution = _solution(kind, told, settings, allowed, unknown)
    predicted = predicted_report(
        solution.found.config,
        told_input(told),
        settings,
        assumed=assumed_fields(told) - {unknown},
    )
    asked = budget if match is None else replace(budget, match=match.text)
    request = shlex.join(["rnnshape", "budget", *words_of(asked, layer, input_, run)])
    document = partial(
        budget_document, solution, request=request, traps=traps_of([match] if match else [])
    )
    delivery = Delivery(plan)
    delivery.begin(document(predicted))
    report = with_run(predicted) if run.run else predicted
    delivery.finish(document(report))
    return exits.verdict(agrees=not report.disagrees)


def _require_sought(kind: Kind, layer: LayerOptions, unknown: Unknown) -> None:
    """Raise RequestError where the size that is sought is given."""
    sizes = {"hidden": layer.hidden_size, "proj": layer.proj_size}
    sought, other = sizes if unknown == "hidden_size" else reversed(sizes)
    given = sizes[sought]
    if given is None:
        return
    projects = kind is Kind.LSTM and not layer.cell
    free = sizes[other] is None and (other == "hidden" or projects)
    raise RequestError(
        f"--{sought} {quoted(given)} is given, and it is what is sought",
        hint=f"leave --{sought} out{f', or seek the other: --solve {other}' * free}",
    )


def _require_own(kind: Kind, told: Collection[str]) -> None:
    """Raise RequestError for an option of another kind of layer."""
    for field, owner in OF_ONE_KIND.items():
        if field in told and owner is not kind:
            raise RequestError(
                f"nn.{kind.value} has no {field}; only nn.{owner.value} has",
                hint=f"leave --{spelling(field)} out",
            )


def _solution(
    kind: Kind, told: Mapping[str, Any], settings: Settings, allowed: Budget, unknown: Unknown
) -> Solution:
    if unknown == "hidden_size":
        # The least that is valid; its place is what is sought.
        told = {**told, "hidden_size": told.get("proj_size", 0) + 1}
    return solve(
        told_config(kind, told), told_input(told), settings, budget=allowed, unknown=unknown
    )


def _kind(text: str | None) -> Kind:
    kinds = [kind.value.lower() for kind in Kind]
    name = (text or "").lower()
    if name not in kinds:
        given = f"no kind {quoted(text)}" if text else "there is no kind"
        raise RequestError(
            f"{given}; it is one of {', '.join(kinds)}",
            hint=f"{nearest(name, kinds)} in its place"
            if text
            else "rnnshape budget lstm --params 1M",
        )
    return Kind(name.upper())


def _allowed(
    budget: BudgetOptions, match: Target | None, layer: LayerOptions, input_: InputOptions
) -> Budget:
    options = {
        "--params": budget.params,
        "--macs": budget.macs,
        "--bytes": budget.bytes,
        "--match": budget.match,
    }
    given = {option: text for option, text in options.items() if text is not None}
    if len(given) != 1:
        names = f"{' and '.join(given)} are given" if given else "none is given"
        raise RequestError(
            f"a budget is one of {', '.join(options)}; {names}", hint="--params 1M alone"
        )
    ((option, text),) = given.items()
    if match is not None:
        config, input_spec = applied(match, layer, input_)
        parameters = weights(config, plain_sizes(config, input_spec)).parameters
        return Budget(quantity=Quantity.PARAMETERS, allowed=parameters, matched=config)
    quantity = {
        "--params": Quantity.PARAMETERS,
        "--macs": Quantity.MACS,
        "--bytes": Quantity.BYTES,
    }[option]
    allowed = values.amount(text, option, in_bytes=quantity is Quantity.BYTES)
    return Budget(quantity=quantity, allowed=allowed)
