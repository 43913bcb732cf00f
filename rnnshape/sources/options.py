"""Read a layer from options: those of a command, or a target in one word, `lstm --hidden 40`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from rnnshape.errors import RequestError, quoted
from rnnshape.fields import FIELDS, Field, FieldGroup, fields_of, spelled
from rnnshape.layer.config import Kind
from rnnshape.layer.subject import Origin
from rnnshape.sources import values
from rnnshape.sources.target import Target, UnknownTargetError
from rnnshape.words import COMMAND, TARGET

# The options that the user gave, by field: a text, or True or False for a flag or switch.
Options: TypeAlias = Mapping[str, str | bool]

_KINDS: Final = {kind.value.lower(): kind for kind in Kind}
_FORM: Final = '"lstm --hidden 40 --bidir"'


def looks_like_options(text: str) -> bool:
    """Whether a target begins with the name of a kind that is not a variable, as in `rnn = ...`."""
    first, *rest = [*text.split(maxsplit=2), ""]
    return first.lower() in _KINDS and re.match(r"\W?=", rest[0]) is None


def read_options(text: str) -> Target:
    """The layer that options in one word describe. Raises RequestError.

    Options of the input and the run are refused: they belong to the command, which shares them
    among its targets.
    """
    try:
        # Text pasted from a web page may have blanks that a shell does not split at.
        name, *words = shlex.split(re.sub(r"\s", " ", text))
    except ValueError as error:
        raise RequestError(
            f"target {quoted(text)}: {str(error).lower()}", hint=f"as in {_FORM}"
        ) from error
    name = name.lower()
    try:
        given = _once(_read(words))
    except RequestError as error:
        raise _reworded(error, text) from error
    try:
        fields = layer_fields(given)
    except RequestError as error:
        raise _of_target(error) from error
    words = [word for field, value in given.items() for word in option_words(field, value)]
    origin = Origin(words=TARGET, target=shlex.join([name, *words]))
    return Target(kind=_KINDS[name], fields=fields, origin=origin)


def _once(read: Iterable[tuple[str, str | bool]]) -> dict[str, str | bool]:
    """The fields with their values. Raises RequestError for one that is given twice."""
    given: dict[str, str | bool] = {}
    for field, value in read:
        if field in given and FIELDS[field].takes != "flag":
            raise RequestError(
                f"option {FIELDS[field].option} is given more than once in the target",
                hint=f"give it once: {shlex.join(option_words(field, value))}",
            )
        given[field] = value
    return given


def _reworded(error: RequestError, text: str) -> RequestError:
    """The error with the target that `text` most likely means, if that is clear."""
    from rnnshape.sources.rewording import target_meant  # only mistakes need it

    meant = target_meant(text)
    hint = f"in the target: {meant}" if meant else _of_target(error).hint
    return UnknownTargetError("{}", error.problem, hint, hint="{}")


def _of_target(error: RequestError) -> RequestError:
    """The error of an option in a target; its command may have an option of the same name."""
    if error.hint.startswith(("rnnshape ", "as in ")) or error.hint.endswith(" the target"):
        return error
    return RequestError(error.problem, hint=f"in the target: {error.hint}")


def described(kind: Kind, given: Options) -> Target:
    """The layer that the options of a command describe."""
    return Target(kind=kind, fields=layer_fields(given), origin=Origin(words=COMMAND))


def option_words(field: str, value: str | bool) -> list[str]:
    """The words of a command line that give a field its value: `--hidden`, `40`."""
    if isinstance(value, str):
        return [FIELDS[field].option, value.strip()]
    return [COMMAND.field(field, value)]


def layer_fields(given: Options) -> dict[str, Any]:
    """The fields of the layer with their values. Raises RequestError for a bad value."""
    return _fields("layer", given)


def input_fields(given: Options) -> dict[str, Any]:
    """The fields of the input with their values. Raises RequestError for a bad value."""
    return _fields("input", given)


def _fields(group: FieldGroup, given: Options) -> dict[str, Any]:
    names = (field.name for field in fields_of(group))
    return {name: field_value(name, given[name]) for name in names if name in given}


def field_value(name: str, given: str | bool) -> Any:
    """The value that an option gives a field. Raises RequestError for a bad one."""
    return given if isinstance(given, bool) else values.value(name, given)


def _read(words: Sequence[str]) -> Iterator[tuple[str, str | bool]]:
    """Each field of the layer that the words give, with its value."""
    left = iter(words)
    for word in left:
        option, equals, value = word.partition("=")
        field, on = _option(option)
        if field.takes in ("flag", "switch"):
            if equals:
                raise RequestError(
                    f"option {option} takes no value", hint=f"{option} alone, or leave it out"
                )
            yield field.name, on
            continue
        text = value if equals else next(left, None)
        if text is None:
            raise RequestError(f"option {option} takes a value", hint=f"{option} VALUE")
        yield field.name, text


def _option(option: str) -> tuple[Field, bool]:
    """The field of an option of the layer, and whether the option switches it on."""
    if not option.startswith("-"):
        raise RequestError(
            f"unexpected {quoted(option)} in the target: sizes are given by name",
            hint=f"as in {_FORM}",
        )
    known = {field.alias: (field, True) for field in FIELDS.values()}
    known |= {
        f"no-{field.alias}": (field, False) for field in FIELDS.values() if field.takes == "switch"
    }
    found = known.get(spelled(option.removeprefix("--")))
    if found is None or found[0].group != "layer":
        raise RequestError(
            f"{quoted(option)} is not an option of a target, which describes only a layer",
            hint=f"leave {option} out of the target",
        )
    return found
