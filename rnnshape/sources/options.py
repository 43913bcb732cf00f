"""A layer as options: those of a command, or a whole target in one word, `lstm --hidden 40`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from rnnshape.errors import RequestError, quoted
from rnnshape.fields import FIELDS, Field, fields_of, spelled
from rnnshape.layer.config import Kind
from rnnshape.layer.subject import Origin
from rnnshape.sources import values
from rnnshape.sources.input_fields import likely_shape
from rnnshape.sources.target import Target
from rnnshape.words import COMMAND, TARGET

# What was given of each field: a text for what takes a value, True or False for a flag or switch.
Given: TypeAlias = Mapping[str, str | bool]

_KINDS: Final = {kind.value.lower(): kind for kind in Kind}
_FORM: Final = '"lstm --hidden 40 --bidir"'


def looks_like_options(text: str) -> bool:
    """Whether a target begins with the name of a kind, unless that is a variable: `rnn = ...`."""
    first, *rest = [*text.split(maxsplit=2), ""]
    return first.lower() in _KINDS and not rest[0].startswith("=")


def read_options(text: str) -> Target:
    """The layer that options in one word describe. Raises RequestError.

    A target is a layer. Its input and its run are asked of the command, once for all targets, so
    their options are refused here.
    """
    try:
        # A shell splits at ASCII's blanks alone, but a text pasted from a web page has others.
        name, *words = shlex.split(re.sub(r"\s", " ", text))
    except ValueError as error:
        raise RequestError(
            f"target {quoted(text)}: {str(error).lower()}", hint=f"as in {_FORM}"
        ) from error
    name = name.lower()
    try:
        given = dict(_read(name, words))
        fields = layer_fields(given)
    except RequestError as error:
        raise _of_target(error) from error
    origin = Origin(words=TARGET, target=written(name, given))
    return Target(kind=_KINDS[name], fields=fields, origin=origin)


def _of_target(error: RequestError) -> RequestError:
    """An error of an option in a target, whose command may have the same option beside it."""
    if error.hint.startswith("rnnshape ") or error.hint.endswith(" the target"):
        return error
    return RequestError(error.problem, hint=f"in the target: {error.hint}")


def described(kind: Kind, given: Given) -> Target:
    """The layer that the options of a command describe."""
    return Target(kind=kind, fields=layer_fields(given), origin=Origin(words=COMMAND))


def written(name: str, given: Given) -> str:
    """The target in one word: `lstm --hidden 40`."""
    words = [word for field, value in given.items() for word in option_words(field, value)]
    return shlex.join([name, *words])


def option_words(field: str, value: str | bool) -> list[str]:
    """The words that give a field its value: `--hidden`, `40`."""
    if isinstance(value, str):
        return [FIELDS[field].option, value.strip()]
    return [COMMAND.setting(field, value)]


def layer_fields(given: Given) -> dict[str, Any]:
    """The fields of the layer with their values. Raises RequestError for a text that is none."""
    fields: dict[str, Any] = {}
    for field in fields_of("layer"):
        text = given.get(field.name)
        if field.name == "proj_size" and isinstance(text, str):
            fields["proj_size"] = _projection(text, fields.get("hidden_size"))
        elif text is not None:
            fields[field.name] = text if text is True or text is False else _value(field, text)
    return fields


def input_fields(given: Given, layer: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the input with their values. Raises RequestError for a text that is none.

    `layer` holds the fields of the layer that are given: a hint fits them.
    """
    fields: dict[str, Any] = {
        field.name: text if isinstance(text, bool) else _value(field, text)
        for field in fields_of("input")
        if (text := given.get(field.name)) is not None and field.takes != "shape"
    }
    shape = given.get("input_shape")
    if isinstance(shape, str):
        option, example = FIELDS["input_shape"].option, likely_shape(fields, layer)
        fields["input_shape"] = values.shape(shape, option, example=example)
    return fields


def _value(field: Field, text: str) -> Any:
    return values.value(field.name, text)


def _projection(text: str, hidden_size: int | None) -> int:
    """What `--proj` gives; the hint is smaller than hidden_size."""
    hidden = FIELDS["hidden_size"].default if hidden_size is None else hidden_size
    half = max(1, hidden // 2)
    return values.size(text, "--proj", most=max(1, hidden - 1), example=half)


def _read(name: str, words: Sequence[str]) -> Iterator[tuple[str, str | bool]]:
    """Each field of the layer that the words give, as the command `name` reads them."""
    left = iter(words)
    for word in left:
        option, equals, value = word.partition("=")
        field, on = _option(name, option)
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


def _option(name: str, option: str) -> tuple[Field, bool]:
    """The field of an option of the layer, and whether the option switches it on."""
    if not option.startswith("-"):
        raise RequestError(
            f"unexpected {quoted(option)} in the target: every size has a name",
            hint="--input 20 --hidden 40",
        )
    from difflib import get_close_matches  # only targets in one word need it

    known = {field.alias: (field, True) for field in fields_of("layer")}
    known |= {
        f"no-{field.alias}": (field, False) for field in FIELDS.values() if field.takes == "switch"
    }
    known |= {field.alias: (field, True) for field in fields_of("input", "run")}
    given = spelled(option.removeprefix("--"))
    found = known.get(given)
    if found is None and (alike := get_close_matches(given, known, n=1)):
        raise RequestError(
            f"rnnshape {name} has no option {quoted(option)}",
            hint=f"--{alike[0]}; rnnshape {name} --help lists the options",
        )
    if found is None or found[0].group != "layer":
        raise RequestError(
            f"{quoted(option)} is not an option of a target, which is a layer alone",
            hint=f"leave {option} out of the target",
        )
    return found
