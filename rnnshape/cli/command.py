"""Turn functions of groups of options into Typer commands, with plain help in 80 columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from inspect import Parameter, Signature
from typing import Annotated, Any, Final, NamedTuple, get_type_hints

import typer
from typer import Option
from typer.core import TyperCommand
from typer.exceptions import TyperException
from typer.main import get_command

from rnnshape.cli.completion import completing
from rnnshape.cli.expectations import require_quoted
from rnnshape.cli.options import INPUT, LAYER, InputOptions, LayerOptions, either
from rnnshape.errors import RequestError, quoted
from rnnshape.fields import FIELDS, Field, FieldGroup, fields_of, spelled
from rnnshape.layer.config import Kind
from rnnshape.sources.options import option_words

CONTEXT_SETTINGS = {
    "help_option_names": ["-h", "--help"],
    "token_normalize_func": spelled,
    "max_content_width": 80,
}


class AsGiven:
    """Replaces Typer's coercion of values, which imports pydantic: a third of the start-up time.

    No option here needs it, since each is a text, texts or a flag. Should Typer stop asking a
    parameter for its coercion, only the time is lost.
    """

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value as it was given; an empty sequence for a repeatable option not given."""
        return () if value is None and param.multiple else value

    @classmethod
    def for_each(cls, parameters: list[Any]) -> list[Any]:
        """The same parameters, without Typer's coercion."""
        for parameter in parameters:
            parameter.get_runtime_param = cls
        return parameters


class _PlainCommand(TyperCommand):
    """A command whose help lists its options in groups, in ASCII, without boxes."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options, whose values stay as they were given."""
        return AsGiven.for_each(super().get_params(ctx))

    def make_parser(self, ctx: Any) -> Any:
        """A parser that refuses what is given more than once and counts once."""
        parser = super().make_parser(ctx)
        parse = parser.parse_args

        def parse_args(args: list[str]) -> Any:
            values, extra, order = parse(args)
            if not ctx.resilient_parsing:
                _require_once(order, values, ctx)
            return values, extra, order

        parser.parse_args = parse_args  # type: ignore[method-assign]
        return parser

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each group of options, in the order of their definition."""
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

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples, each on its line as it is typed."""
        write_examples(formatter, self.epilog or "")


def write_examples(formatter: Any, examples: str) -> None:
    """Write command lines as a section of help, without wrapping them."""
    with formatter.section("Examples"):
        for line in examples.splitlines():
            formatter.write(f"{' ' * formatter.current_indent}{line}\n")


class _RepeatedOptionError(TyperException):
    """The error for an option that is given more than once, where only the last would count."""

    def __init__(self, option: str, value: object, ctx: Any) -> None:
        super().__init__(f"option {option} is given more than once")
        self.ctx = ctx
        self.hint = f"give it once: {option} {value}"


def _require_once(order: Sequence[Any], values: Mapping[str, Any], ctx: Any) -> None:
    """Raise for an option that is repeated. Of a switch the last counts, to override another."""
    for each in order:
        repeatable = each.param_type_name == "argument" or each.multiple or each.is_flag
        if not repeatable and order.count(each) > 1:
            raise _RepeatedOptionError(each.opts[0], values[each.name], ctx)


class Help(NamedTuple):
    """What the help of a command says first, and the command lines that it ends with."""

    text: str
    examples: tuple[str, ...]


def command(
    function: Callable[..., int],
    *,
    name: str,
    help: Help,
    kind: Kind | None = None,
    without: Collection[str] = (),
) -> TyperCommand:
    """The command that calls `function` with the groups of options that the user gave.

    Each parameter of `function` is annotated with a group: LayerOptions, InputOptions or a
    dataclass. `without` names the options that this command lacks. Options that only another
    `kind` of layer has are hidden, and accepted so that the error can say which kind has them.
    """
    groups = get_type_hints(function)
    groups.pop("return", None)
    parameters = {key: _parameters(group, kind) for key, group in groups.items()}
    group_of = {each.name: key for key, own in parameters.items() for each in own}

    def callback(**values: Any) -> int:
        given: dict[str, dict[str, Any]] = {key: {} for key in groups}
        for field, value in values.items():
            key = group_of[field]
            if is_dataclass(groups[key]) or _is_given(field, value):
                given[key][field] = value
        return function(**{key: group(**given[key]) for key, group in groups.items()})

    shown = [each for own in parameters.values() for each in own if each.name not in without]
    callback.__signature__ = Signature(shown)  # type: ignore[attr-defined]
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(
        name,
        cls=_PlainCommand,
        help=help.text,
        epilog="\n".join(help.examples),
        context_settings=CONTEXT_SETTINGS,
    )(callback)
    built = get_command(app)
    assert isinstance(built, TyperCommand)
    return built


def _is_given(field: str, value: object) -> bool:
    return value is not None and (value is not False or FIELDS[field].takes == "switch")


def _parameters(group: type, kind: Kind | None) -> list[Parameter]:
    if group in _GROUPS:
        return [_of_field(field, kind) for field in fields_of(_GROUPS[group])]
    hints = get_type_hints(group)
    return [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=Annotated[hints[field.name], field.metadata["parameter"]],
        )
        for field in fields(group)
    ]


_GROUPS: Final[dict[type, FieldGroup]] = {LayerOptions: "layer", InputOptions: "input"}
_TITLES: Final = {"layer": LAYER, "input": INPUT}


def _of_field(field: Field, kind: Kind | None) -> Parameter:
    """The option of a field, as Typer wants it."""
    is_flag = field.takes in ("flag", "switch")
    off = f"/--no-{field.alias}" if field.takes == "switch" else ""
    cells = either(f"nn.{each.value}Cell" for each in ([kind] if kind else Kind))
    default = "" if is_flag or not field.default else f" [default: {field.default}]"
    if field.takes == "probability":
        default = " [default: 0]"
    option = Option(
        field.option + off,
        metavar=field.metavar or None,
        help=field.help.format(cell=cells) + default,
        rich_help_panel=_TITLES[field.group],
        autocompletion=completing(field.option),
        hidden=kind is not None and field.kind not in ("", kind.value),
    )
    value = bool | None if field.takes == "switch" else bool if is_flag else str | None
    return Parameter(
        field.name,
        Parameter.KEYWORD_ONLY,
        default=False if field.takes == "flag" else None,
        annotation=Annotated[value, option],
    )


def words_of(*groups: object) -> Iterator[str]:
    """The words of a command line that give these groups their values, arguments first."""
    words: list[str] = []
    for group in groups:
        if isinstance(group, dict):
            words += (word for name, value in group.items() for word in option_words(name, value))
            continue
        assert is_dataclass(group)
        for field in fields(group):
            value, names = getattr(group, field.name), field.metadata.get("names")
            if names is None:
                yield from [value] if isinstance(value, str) else value or ()
            elif value != field.default:
                words += _words(names, value)
    yield from words


def _words(names: str, value: object) -> list[str]:
    on, _, off = names.split(maxsplit=1)[0].partition("/")
    if isinstance(value, bool):
        return [on if value else off]
    several = value if isinstance(value, list) else [value]
    return [piece for each in several for piece in (on, str(each))]


_EXTRA_WORDS: Final = re.compile(r"unexpected extra argument\S* \((.*)\)", re.DOTALL)


def usage_problem(error: TyperException, arguments: Sequence[str]) -> RequestError:
    """The error for what Typer found wrong with the arguments."""
    from rnnshape.cli.meant import meant  # only mistakes need it

    context = getattr(error, "ctx", None)
    command = context.command_path if context else f"rnnshape {arguments[0].lower()}"
    problem, hint = _usage_problem(error, context, command, arguments)
    return RequestError("{}", problem, meant(arguments) or hint, hint="{}")


def _usage_problem(
    error: TyperException, context: Any, command: str, arguments: Sequence[str]
) -> tuple[str, str]:
    """What is wrong, and what to do where it is unclear what is meant."""
    if isinstance(error, _RepeatedOptionError):
        return error.message, error.hint
    option = getattr(error, "option_name", None)
    hint = f"{command} --help lists the options"
    if option is not None and hasattr(error, "possibilities"):
        option = next((each for each in arguments if _begins(each, option)), option)
        option = option.partition("=")[0]
        if command == "rnnshape":
            return f"no option {quoted(option)} before the command", "rnnshape --help shows how"
        return f"{command} has no option {quoted(option)}", hint
    if option is not None:
        takes = "a value" if "requires" in error.message else "no value"
        return f"option {option} takes {takes}", hint
    extra = _EXTRA_WORDS.search(error.message)
    if extra is None:
        text = error.message.rstrip(".").replace("'", "")
        return text[:1].lower() + text[1:], hint
    if context:
        require_quoted(context.params.get("expect") or (), extra[1])
    what = f"{command} takes only options"
    if extra[1][:1].isdigit():
        what = "sizes are given by name"
    elif extra[1].lower() in ("true", "false"):
        what = "an option such as --bidir takes no value"
    return f"unexpected {quoted(extra[1])}: {what}", hint


def target_problem(error: RequestError, arguments: Sequence[str]) -> RequestError:
    """The error for a word that is not a target, with what the whole line most likely means."""
    from rnnshape.cli.meant import meant  # only mistakes need it

    hint = meant(arguments)
    return error if hint is None else RequestError("{}", error.problem, hint, hint="{}")


def _begins(text: str, option: str) -> bool:
    """Whether Typer has read `option` in this text: it divides `-bs` into letters."""
    if len(option) == 2:
        return text.startswith("-") and not text.startswith("--") and option[1] in text
    return text.partition("=")[0] == option
