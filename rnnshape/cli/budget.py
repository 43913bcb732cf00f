"""`rnnshape budget`: the largest layer within parameters, MACs or bytes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from rnnshape.analysis.budget import Budget, Quantity, Unknown, solve
from rnnshape.cli import exits
from rnnshape.cli.command import command, words_of
from rnnshape.cli.options import (
    InputOptions,
    LayerOptions,
    OutputOptions,
    RunOptions,
    argument,
    option,
)
from rnnshape.cli.output import Delivery, Plan
from rnnshape.document.budget import budget_document
from rnnshape.errors import RequestError, nearest, quoted
from rnnshape.fields import FIELDS
from rnnshape.layer.config import Kind
from rnnshape.layer.report import predicted_report
from rnnshape.layer.settings import Settings
from rnnshape.pytorch.run import with_run
from rnnshape.sources import values
from rnnshape.sources.options import described, input_fields
from rnnshape.sources.registry import read_target
from rnnshape.sources.shared_options import shared
from rnnshape.sources.subjects import chosen_settings, subject_of
from rnnshape.sources.target import Target

if TYPE_CHECKING:
    from typer.core import TyperCommand

_BUDGET: Final = "Budget, one of them"
_SOLVE: Final = "Solve"
_UNKNOWNS: Final[dict[str, Unknown]] = {"hidden": "hidden_size", "proj": "proj_size"}


@dataclass(frozen=True, kw_only=True)
class BudgetOptions:
    """What is allowed, and which size is sought."""

    kind: str | None = argument(_SOLVE, "KIND", "lstm, gru or rnn.")
    solve: str = option(
        _SOLVE, "--solve", "SIZE", "hidden, or proj for a given --hidden.", default="hidden"
    )
    params: str | None = option(_BUDGET, "--params", "N", "Parameters: 136960, 150k, 1.5M.")
    macs: str | None = option(_BUDGET, "--macs", "N", "Multiply-adds over the whole input: 5M.")
    bytes: str | None = option(
        _BUDGET, "--bytes", "N", "Bytes of the parameters in --dtype: 4MiB, 1GB."
    )
    match: str | None = option(
        _BUDGET, "--match", "TARGET", 'The parameters of another layer: "lstm --bidir".'
    )


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
    settings = chosen_settings(run.device, run.dtype)
    unknown = _UNKNOWNS[values.one_of(budget.solve, "--solve", _UNKNOWNS)]
    kind = _kind(budget.kind)
    _require_sought(kind, layer, unknown)
    match = None if budget.match is None else read_target(budget.match)
    target = _beside(described(kind, layer), match)
    _require_own(target)
    allowed = _allowed(budget, match, layer, input_, settings)
    sized = _with_least(target, unknown)
    subject = subject_of(sized, input_fields(input_, sized.fields), settings)
    solution = solve(subject, budget=allowed, unknown=unknown)
    predicted = predicted_report(solution.found.subject)
    asked = budget if match is None else replace(budget, match=match.origin.target)
    request = shlex.join(["rnnshape", "budget", *words_of(asked, layer, input_, run)])
    document = partial(budget_document, solution, request=request)
    delivery = Delivery(plan)
    if plan.streams:
        delivery.begin(document(predicted))
    report = with_run(predicted) if run.run else predicted
    delivery.finish(document(report))
    return exits.verdict(agrees=not report.disagrees)


def _require_sought(kind: Kind, layer: LayerOptions, unknown: Unknown) -> None:
    """Raise RequestError where the size that is sought is given."""
    sizes = {"hidden": layer.get("hidden_size"), "proj": layer.get("proj_size")}
    sought, other = sizes if unknown == "hidden_size" else reversed(sizes)
    given = sizes[sought]
    if given is None:
        return
    projects = kind is Kind.LSTM and "cell" not in layer
    free = sizes[other] is None and (other == "hidden" or projects)
    raise RequestError(
        f"--{sought} {quoted(str(given))} is given, and it is the size to be found",
        hint=f"leave --{sought} out{f', or find the other: --solve {other}' * free}",
    )


def _beside(target: Target, match: Target | None) -> Target:
    """The target with what it does not give taken from the layer that it must match."""
    if match is None:
        return target
    sought = ("hidden_size", "proj_size", "nonlinearity")
    return target.beside({n: v for n, v in match.fields.items() if n not in sought})


def _require_own(target: Target) -> None:
    """Raise RequestError for an option of another kind of layer."""
    for name in target.fields:
        if not target.has(name) and FIELDS[name].kind not in ("", target.kind.value):
            raise RequestError(
                f"nn.{target.kind.value} has no {name}; only nn.{FIELDS[name].kind} has",
                hint=f"leave {FIELDS[name].option} out",
            )


def _with_least(target: Target, unknown: Unknown) -> Target:
    """The target with the least valid hidden_size, where that is what is sought."""
    if unknown != "hidden_size":
        return target
    least = target.fields.get("proj_size", 0) + 1
    return replace(target, fields={**target.fields, "hidden_size": least})


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
    budget: BudgetOptions,
    match: Target | None,
    layer: LayerOptions,
    input_: InputOptions,
    settings: Settings,
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
            f"a budget is one of {', '.join(options)}; {names}",
            hint=f"leave {[*given][1]} out" if given else "--params 1M",
        )
    ((option, text),) = given.items()
    if match is not None:
        matched = shared(match, layer, input_, settings)
        return Budget(quantity=Quantity.PARAMETERS, allowed=matched.parameters, matched=matched)
    quantity = {
        "--params": Quantity.PARAMETERS,
        "--macs": Quantity.MACS,
        "--bytes": Quantity.BYTES,
    }[option]
    allowed = values.amount(text, option, in_bytes=quantity is Quantity.BYTES)
    return Budget(quantity=quantity, allowed=allowed)
