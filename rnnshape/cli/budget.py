"""`rnnshape budget`: find the largest layer within parameters, MACs or bytes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from rnnshape.analysis.budget import Budget, Quantity, Sought, solve
from rnnshape.cli import exits
from rnnshape.cli.command import Help, command, words_of
from rnnshape.cli.options import (
    InputOptions,
    LayerOptions,
    OutputOptions,
    RunOptions,
    argument,
    option,
)
from rnnshape.cli.output import Delivery, Plan
from rnnshape.cli.progress import progress
from rnnshape.document.budget import budget_document
from rnnshape.errors import RequestError, quoted
from rnnshape.fields import FIELDS
from rnnshape.layer.config import Kind
from rnnshape.layer.report import predicted_report
from rnnshape.layer.settings import Settings
from rnnshape.sources import values
from rnnshape.sources.options import described, input_fields
from rnnshape.sources.registry import read_target
from rnnshape.sources.shared_options import shared
from rnnshape.sources.subjects import chosen_settings, subject_of
from rnnshape.sources.target import Target

if TYPE_CHECKING:
    from typer.core import TyperCommand

_BUDGET: Final = "Budget, one of these"
_SOLVE: Final = "Solve"
_SOUGHT: Final[dict[str, Sought]] = {"hidden": "hidden_size", "proj": "proj_size"}
# What each option of a budget limits.
_QUANTITIES: Final = {
    "params": Quantity.PARAMETERS,
    "macs": Quantity.MACS,
    "bytes": Quantity.BYTES,
    "match": Quantity.PARAMETERS,
}


@dataclass(frozen=True, kw_only=True)
class _BudgetOptions:
    """The budget, and which size to find."""

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
    whole = (
        f"{help} Options that are left out are taken from the layer of --match, except --hidden"
        " and --proj; otherwise they have their defaults."
    )
    examples = (
        "rnnshape budget lstm --params 5M --input 80 --layers 3 --bidir",
        'rnnshape budget gru --match "lstm --hidden 512"',
    )
    without = ("show", "full", "time", "train", "optimizer")
    return command(_budget, name=name, help=Help(whole, examples), without=without)


def _budget(
    budget: _BudgetOptions,
    layer: LayerOptions,
    input_: InputOptions,
    run: RunOptions,
    output: OutputOptions,
) -> int:
    plan = Plan.of(output, sections=(), default=())
    settings = chosen_settings(run.device, run.dtype)
    sought = _SOUGHT[values.one_of(budget.solve, "--solve", _SOUGHT)]
    kind = _kind(budget, layer, input_, run, output)
    _require_not_given(layer, sought)
    match = None if budget.match is None else read_target(budget.match)
    target = _with_matched(described(kind, layer), match)
    _require_own(target)
    allowed = _allowed(budget, match, layer, input_, settings)
    sized = _with_least(target, sought)
    subject = subject_of(sized, input_fields(input_), settings)
    solution = solve(subject, budget=allowed, sought=sought)
    predicted = predicted_report(solution.found.subject)
    given = budget if match is None else replace(budget, match=match.origin.target)
    request = shlex.join(["rnnshape", "budget", *words_of(given, layer, input_, run)])
    document = partial(budget_document, solution, request=request)
    delivery = Delivery(plan)
    delivery.begin(partial(document, predicted))
    report = predicted
    if run.run:
        with progress(1) as runs:
            report = runs.run(predicted)
    delivery.finish(document(report))
    return exits.verdict(agrees=not report.disagrees)


def _require_not_given(layer: LayerOptions, sought: Sought) -> None:
    """Raise RequestError where the size to be found is given."""
    if sought in layer:
        option = FIELDS[sought].option
        raise RequestError(
            f"{option} {quoted(str(layer[sought]))} is given, but it is the size to be found",
            hint=f"leave {option} out",
        )


def _with_matched(target: Target, match: Target | None) -> Target:
    """The target; fields that it does not give, except `own`, come from the layer to match."""
    if match is None:
        return target
    own = ("hidden_size", "proj_size")
    more = target.taken({n: v for n, v in match.fields.items() if n not in own})
    return replace(target, fields={**target.fields, **more})


def _require_own(target: Target) -> None:
    """Raise RequestError for an option of another kind of layer."""
    for name in target.fields:
        if not target.has(name) and FIELDS[name].kind not in ("", target.kind.value):
            raise RequestError(
                f"nn.{target.kind.value} has no {name}; only nn.{FIELDS[name].kind} has one",
                hint=f"leave {FIELDS[name].option} out",
            )


def _with_least(target: Target, sought: Sought) -> Target:
    """The target with the least valid hidden_size, if that is the size to be found."""
    if sought != "hidden_size":
        return target
    least = target.fields.get("proj_size", 0) + 1
    return replace(target, fields={**target.fields, "hidden_size": least})


def _kind(budget: _BudgetOptions, *others: object) -> Kind:
    """The kind of layer. Raises RequestError, whose hint keeps the other words of the request."""
    kinds, text = [kind.value.lower() for kind in Kind], budget.kind
    if text is None:
        none = all(getattr(budget, name) is None for name in _QUANTITIES)
        meant = replace(budget, kind="lstm", params="1M" if none else budget.params)
        raise RequestError(
            f"no KIND is given; it is one of {', '.join(kinds)}",
            hint=shlex.join(["rnnshape", "budget", *words_of(meant, *others)]),
        )
    name = text.lower().removeprefix("torch.").removeprefix("nn.")
    if name not in kinds:
        from rnnshape.synonyms import layer_meant  # only mistakes need it

        alike = layer_meant(name)
        raise RequestError(
            f"no kind {quoted(text)}; it is one of {', '.join(kinds)}",
            hint=f"{alike} in its place" if alike else "rnnshape budget --help shows examples",
        )
    return Kind(name.upper())


def _allowed(
    budget: _BudgetOptions,
    match: Target | None,
    layer: LayerOptions,
    input_: InputOptions,
    settings: Settings,
) -> Budget:
    given = {name: text for name in _QUANTITIES if (text := getattr(budget, name)) is not None}
    if len(given) != 1:
        options = [f"--{name}" for name in given]
        names = f"{' and '.join(options)} are given" if given else "none is given"
        raise RequestError(
            f"a budget is one of {', '.join(f'--{name}' for name in _QUANTITIES)}; {names}",
            hint=f"leave {options[1]} out" if given else "--params 1M",
        )
    ((name, text),) = given.items()
    quantity = _QUANTITIES[name]
    if match is not None:
        matched = shared(match, layer, input_, settings)
        return Budget(quantity=quantity, allowed=matched.parameters, matched=matched)
    allowed = values.amount(text, f"--{name}", in_bytes=quantity is Quantity.BYTES)
    return Budget(quantity=quantity, allowed=allowed)
