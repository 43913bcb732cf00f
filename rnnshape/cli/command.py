"""Functions of option dataclasses as Typer commands, with plain help in 80 columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from dataclasses import fields, is_dataclass
from inspect import Parameter, Signature
from typing import Annotated, Any, Final, get_args, get_type_hints

import typer
from typer.core import TyperCommand
from typer.exceptions import TyperException
from typer.main import get_command
from typer.models import ArgumentInfo, OptionInfo

from rnnshape.cli.expectations import EXAMPLE, unquoted
from rnnshape.cli.options import LayerOptions, spelling
from rnnshape.errors import RequestError, quoted, word

CONTEXT_SETTINGS = {
    "help_option_names": ["-h", "--help"],
    "token_normalize_func": spelling,
    "max_content_width": 80,
}


class AsGiven:
    """Stands in for Typer's coercion of values, which imports pydantic to do it.

    That would be a third of the start-up time, and every option here is a text, texts or a flag
    already. Should Typer stop asking a parameter for its coercion, only the time is lost.
    """

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value that was given; nothing given repeatedly is an empty sequence."""
        return () if value is None and param.multiple else value

    @classmethod
    def for_each(cls, parameters: list[Any]) -> list[Any]:
        """The same parameters, with this in place of Typer's coercion."""
        for parameter in parameters:
            parameter.get_runtime_param = cls
        return parameters


class PlainCommand(TyperCommand):
    """A command whose help lists its options in groups, in ASCII, without boxes."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options, taking their words as they were given."""
        return AsGiven.for_each(super().get_params(ctx))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write one section a group of options, in the order in which they were defined."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                title = getattr(parameter, "rich_help_panel", None) or "Other"
                if parameter.param_type_name == "argument":
                    record = (f"{parameter.metavar}{'...' * (parameter.nargs != 1)}", record[1])
                groups.setdefault(title, []).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)


def command(
    function: Callable[..., int],
    *,
    name: str,
    help: str,
    hidden: Collection[str] = (),
    without: Collection[str] = (),
) -> TyperCommand:
    """The command that calls `function` with its option dataclasses filled from the words.

    Each parameter of `function` is annotated with a dataclass from `cli.options`; `hidden` names
    fields that are accepted but not shown in the help, `without` those that the command does not
    have.
    """
    groups = get_type_hints(function)
    groups.pop("return", None)
    group_of = {field.name: key for key, group in groups.items() for field in fields(group)}

    def callback(**values: Any) -> int:
        given: dict[str, dict[str, Any]] = {key: {} for key in groups}
        for field, value in values.items():
            given[group_of[field]][field] = value
        return function(**{key: group(**given[key]) for key, group in groups.items()})

    parameters = [
        parameter
        for group in groups.values()
        for parameter in _parameters(group, hidden)
        if parameter.name not in without
    ]
    callback.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, cls=PlainCommand, help=help, context_settings=CONTEXT_SETTINGS)(callback)
    built = get_command(app)
    assert isinstance(built, TyperCommand)
    return built


def _parameters(group: type, hidden: Collection[str]) -> list[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=_hidden(hints[field.name]) if field.name in hidden else hints[field.name],
        )
        for field in fields(group)
    ]


def words_of(*groups: object) -> Iterator[str]:
    """The words that give these option dataclasses their values, arguments first."""
    words: list[str] = []
    for group in groups:
        assert is_dataclass(group)
        hints = get_type_hints(type(group), include_extras=True)
        for field in fields(group):
            value, parameter = getattr(group, field.name), get_args(hints[field.name])[1]
            if isinstance(parameter, ArgumentInfo):
                yield from [value] if isinstance(value, str) else value or ()
            elif value != field.default:
                # Within Annotated, Typer's first word is the option's name, not its default.
                words += _words(parameter.default, value)
    yield from words


def _words(declaration: str, value: object) -> list[str]:
    on, _, off = declaration.partition("/")
    if isinstance(value, bool):
        return [on if value else off]
    several = value if isinstance(value, list) else [value]
    return [piece for each in several for piece in (on, str(each))]


def _hidden(annotation: Any) -> Any:
    kind, option = get_args(annotation)
    assert isinstance(option, OptionInfo)
    unseen = copy(option)
    unseen.hidden = True
    return Annotated[kind, unseen]


_EXTRA_WORDS: Final = re.compile(r"unexpected extra argument\S* \((.*)\)", re.DOTALL)


def usage_problem(error: TyperException) -> RequestError:
    """What Typer found wrong with the words, in the form of every other error."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "rnnshape COMMAND"
    option = getattr(error, "option_name", None)
    help_hint = f"{command} --help lists the options"
    if option is not None:
        if hasattr(error, "possibilities"):
            return _unknown_option(command, option, error.possibilities or [])
        return _option_value_problem(option, error.message)
    extra = _EXTRA_WORDS.search(error.message)
    if extra and context and any(map(unquoted, context.params.get("expect") or ())):
        return RequestError(f"unexpected {quoted(extra[1])} behind --expect", hint=EXAMPLE)
    if extra:
        return RequestError(
            f"unexpected {quoted(extra[1])}: every size has a name",
            hint=f"--input 20 --hidden 40; {help_hint}",
        )
    text = error.message.rstrip(".").replace("'", "")
    return RequestError(text[:1].lower() + text[1:], hint=help_hint)


def _unknown_option(command: str, option: str, alike: Sequence[str]) -> RequestError:
    """An option that the command does not have; `alike` are those it has, the nearest first."""
    if command == "rnnshape":
        return RequestError(
            f"no option {quoted(option)} before the command",
            hint=f"the command comes first: rnnshape lstm {word(option)}",
        )
    hint = f"{command} --help lists the options"
    if spelling(option.lstrip("-")) in _layer_options():
        hint = f'a target is one word, in quotes: {command} "lstm {option} ..."'
    elif alike:
        hint = f"{alike[0]}; {hint}"
    return RequestError(f"{command} has no option {quoted(option)}", hint=hint)


def _option_value_problem(option: str, message: str) -> RequestError:
    """A value is missing, or there is one too many; Typer does not tell of which command."""
    if "requires" in message:
        return RequestError(f"option {option} takes a value", hint=f"{option} VALUE")
    return RequestError(f"option {option} takes no value", hint=f"{option} alone")


def _layer_options() -> set[str]:
    """The names of the options that describe a layer, without their dashes."""
    parameters = _parameters(LayerOptions, ())
    words = [word for p in parameters for word in get_args(p.annotation)[1].default.split("/")]
    return {word.lstrip("-") for word in words}
