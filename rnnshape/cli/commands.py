"""The commands by name; each module is imported only when its command is invoked."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from rnnshape import __version__
from rnnshape.cli.command import CONTEXT_SETTINGS, AsGiven, write_examples
from rnnshape.cli.streams import write_stdout
from rnnshape.errors import RequestError, quoted

# Name: the function that builds the command, and what the list of commands says of it.
_COMMANDS: Final = {
    "lstm": ("rnnshape.cli.layer:layer_command", "An nn.LSTM: shapes, weights, parameters, MACs."),
    "gru": ("rnnshape.cli.layer:layer_command", "An nn.GRU."),
    "rnn": ("rnnshape.cli.layer:layer_command", "An nn.RNN, with tanh or relu."),
    "inspect": (
        "rnnshape.cli.inspect:inspect_command",
        "The layers of a file, a model or a constructor call.",
    ),
    "compare": ("rnnshape.cli.compare:compare_command", "Layers side by side, or grids of them."),
    "budget": ("rnnshape.cli.budget:budget_command", "The largest layer within a budget."),
    "check": ("rnnshape.cli.check:check_command", "Check layers against rnnshape.toml, for CI."),
    "explain": ("rnnshape.cli.explain:explain_command", "What an error of PyTorch means."),
}

_EXAMPLES: Final = """\
rnnshape lstm --hidden 40 --layers 4 --bidir
rnnshape inspect "rnn = nn.LSTM(10, 20, 2)"
"""


class Commands(TyperGroup):
    """A group that builds a command only when it is needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order in which help lists them."""
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:
        """The command called `cmd_name`: `LSTM` and `nn.LSTM` are PyTorch's own spellings."""
        name = cmd_name.lower()
        kind = name.removeprefix("torch.").removeprefix("nn.")
        name = kind if kind in ("lstm", "gru", "rnn") else name
        return _built(name) if name in _COMMANDS else None

    def get_params(self, ctx: Any) -> list[Any]:
        """The options before the command, whose values stay as they were given."""
        return AsGiven.for_each(super().get_params(ctx))

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write how to see more, and two examples."""
        super().format_epilog(ctx, formatter)
        write_examples(formatter, _EXAMPLES)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is invoked, which for a target is `inspect`.

        Raises RequestError for any other name, unless a shell completes the line.
        """
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            from rnnshape.sources.registry import is_target

            if not is_target(args[0]):
                raise _unknown_command(args)
            args = ["inspect", *args]
        return super().resolve_command(ctx, args)


def _unknown_command(arguments: list[str]) -> RequestError:
    from rnnshape.cli.meant import meant  # only mistakes need it

    problem = f"no command {{}}; the commands are {', '.join(_COMMANDS)}"
    hint = meant(arguments) or "rnnshape --help says what each is for"
    return RequestError(problem, quoted(arguments[0]), hint, hint="{}")


@cache
def _built(name: str) -> TyperCommand:
    place, summary = _COMMANDS[name]
    module, builder = place.split(":")
    built: TyperCommand = getattr(import_module(module), builder)(name, help=summary)
    return built


@cache
def application() -> TyperGroup:
    """The whole command line."""
    app = typer.Typer(
        cls=Commands,
        rich_markup_mode=None,
        context_settings=CONTEXT_SETTINGS,
        help="Shapes, weights, parameters and MACs of PyTorch's recurrent layers,"
        " predicted by formula and proven by a run.",
        epilog="rnnshape COMMAND --help lists a command's options.",
    )
    app.callback()(_options)
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return group


def _version(given: bool) -> None:
    if given:
        write_stdout(f"rnnshape {__version__}\n")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None: ...
