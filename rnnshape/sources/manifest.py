"""The manifest, `rnnshape.toml` or `[tool.rnnshape]`: which modules, and what is expected of them.

[modules.encoder]
target = "nn.LSTM(20, 40, num_layers=4, bidirectional=True)"
input_shape = [10, 5, 20]
expect = ["output = 10,5,80", "params <= 150k"]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any, Final, NamedTuple

from rnnshape.errors import PlacedError, RequestError, quoted
from rnnshape.fields import FIELDS, Takes, fields_of
from rnnshape.layer.config import MAX_SIZE
from rnnshape.sources.toml import KeyPath, TOMLText
from rnnshape.words import Words, basic_string, toml_value

_EXAMPLE: Final = 'target = "nn.LSTM(20, 40)"'
_BARE: Final = re.compile("[A-Za-z0-9_-]+")
# The short names of sizes, as options have them.
_ALIASES: Final = {
    field.alias: field.name for field in fields_of("input") if field.takes in ("size", "count")
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One module; its target and expectations are still to be read."""

    name: str
    target: str | None  # None where it is missing or not a string
    matches: str | None  # another target, which it must match
    expect: tuple[str, ...]
    input: Mapping[str, Any]  # the fields of the input: {"input_shape": (10, 5, 20)}
    device: str | None
    dtype: str | None
    keys: Mapping[str, str]  # the key of each field here: {"batch_size": "batch"}

    @property
    def words(self) -> Words:
        """How a manifest writes this module's fields; those of its target are options."""
        return Words(layer="option", input="key", run="option", keys=self.keys)


@dataclass(frozen=True)
class Manifest:
    """A manifest: its modules, as far as keys and types are right, and what is wrong."""

    document: TOMLText
    entries: tuple[Entry, ...]
    problems: tuple[PlacedError, ...]
    path: KeyPath  # of `modules`: ("tool", "rnnshape", "modules") in a pyproject.toml

    def line(self, entry: Entry, *keys: str | int) -> int:
        """The line of a module, or of what it has under `keys`."""
        return self.document.line((*self.path, entry.name, *keys))

    def problem(self, entry: Entry, error: RequestError, *keys: str | int) -> PlacedError:
        """What is wrong with a module, at the line of `keys`, or of the first field it is about."""
        about = (entry.keys[name] for name in error.fields if name in entry.keys)
        path = (*self.path, entry.name, *(keys or islice(about, 1)))
        return PlacedError(
            error,
            file=self.document.file,
            line=self.document.line(path),
            name=entry.name,
            words=entry.words,
        )

    def with_expectations(self, texts: Mapping[tuple[str, int], str]) -> str:
        """The text with other expectations, each by its module and its number in `expect`.

        Nothing else changes, not a blank.
        """
        text, end = self.document.text, 0
        spans = {
            self.document.spans[(*self.path, name, "expect", number)]: new
            for (name, number), new in texts.items()
        }
        pieces = []
        for span, new in sorted(spans.items()):
            pieces += [text[end : span.start], _literal(new, text[span.start])]
            end = span.end
        return "".join((*pieces, text[end:]))


def manifest_of(document: TOMLText, root: Sequence[str] = ()) -> Manifest:
    """The modules under `root`, and every key and type that is wrong.

    Raises RequestError where there is no table to read them from.
    """
    table: Any = document.values
    path: KeyPath = (*root, "modules")
    for depth, key in enumerate(path, 1):
        above, table = table, table.get(key, {})
        if not isinstance(table, dict):
            text = f"{_header(path[:depth])} is {_shown(table)}, not a table"
            error = RequestError(text, hint=f"[{_header((*path, 'encoder'))}]")
            raise _at(document, path[:depth], error)
    problems = [
        _at(document, (*root, key), _unknown_key(key, ["modules"]))
        for key in above
        if key != "modules"
    ]
    entries = []
    for name, values in table.items():
        within = (*path, name)
        if not isinstance(values, dict):
            hint = f"[{_header(within)}] and below it {_EXAMPLE}"
            error = RequestError(f"it is {_shown(values)}, not a table", hint=hint)
            problems.append(_at(document, within, error, name))
            continue
        problems += _wrong_values(document, within, name, values)
        entries.append(_entry(name, values))
    return Manifest(document, tuple(entries), tuple(problems), path)


def _header(path: KeyPath) -> str:
    """A path as a header has it, without its brackets."""
    keys = map(str, path)
    return ".".join(key if _BARE.fullmatch(key) else basic_string(key) for key in keys)


def _wrong_values(
    document: TOMLText, path: KeyPath, name: str, values: Mapping[str, Any]
) -> Iterator[PlacedError]:
    if "target" not in values:
        error = RequestError("it has no target", hint=_EXAMPLE)
        yield _at(document, path, error, name)
    for key, value in values.items():
        for error in _wrong_value(key, value, values):
            yield _at(document, (*path, key), error, name)


def _entry(name: str, values: Mapping[str, Any]) -> Entry:
    """A module without the values that are wrong."""
    keys = {
        _ALIASES.get(key, key): key
        for key, value in values.items()
        if key in _TYPES and _TYPES[key].accepts(value)
    }
    right = {field: values[key] for field, key in keys.items()}
    return Entry(
        name=name,
        target=right.pop("target", None),
        matches=right.pop("matches", None),
        expect=tuple(right.pop("expect", ())),
        device=right.pop("device", None),
        dtype=right.pop("dtype", None),
        # A flag that is false says what leaving it out says.
        input={field: _plain(value) for field, value in right.items() if value is not False},
        keys=keys,
    )


def _wrong_value(key: str, value: Any, values: Mapping[str, Any]) -> Iterator[RequestError]:
    if key not in _TYPES:
        yield _unknown_key(key, list(_TYPES))
        return
    accepts, what, example = _TYPES[key]
    if not accepts(value):
        yield RequestError(f"{key} is {_shown(value)}, not {what}", hint=f"{key} = {example}")
    if _ALIASES.get(key) in values:
        other = _ALIASES[key]
        yield RequestError(f"{key} and {other} are the same", hint=f"leave out {key} or {other}")


def _unknown_key(key: str, known: Sequence[str]) -> RequestError:
    alike = get_close_matches(key, known, n=1)
    return RequestError(
        f"unknown key {quoted(key)}; there {'are' if len(known) > 1 else 'is'} {', '.join(known)}",
        hint=f"{alike[0]}, or leave it out" if alike else "leave it out",
    )


def _at(
    document: TOMLText, path: KeyPath, error: RequestError, name: str | None = None
) -> PlacedError:
    return PlacedError(error, file=document.file, line=document.line(path), name=name)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_integer(value) and 0 <= value <= MAX_SIZE


def _is_size(value: Any) -> bool:
    return _is_count(value) and value >= 1


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and value != [] and all(map(_is_count, value))


def _are_sizes(value: Any) -> bool:
    return _are_counts(value) and 0 not in value


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


class _Type(NamedTuple):
    accepts: Callable[[Any], bool]
    what: str
    example: str


_STRING: Final = _Type(_is_text, "a string", '"nn.LSTM(20, 40)"')
_OF_FIELD: Final[Mapping[Takes, _Type]] = {
    "size": _Type(_is_size, "an integer of 1 or more", "10"),
    "count": _Type(_is_count, "an integer of 0 or more", "5"),
    "shape": _Type(_are_counts, "an array of integers of 0 or more", "[10, 5, 20]"),
    "lengths": _Type(_are_sizes, "an array of integers of 1 or more", "[7, 3, 2]"),
    "flag": _Type(_is_flag, "true or false", "true"),
}
_TYPES: Final[Mapping[str, _Type]] = {
    "target": _STRING,
    "expect": _Type(_are_texts, "an array of strings", '["output = 10,5,80"]'),
    "matches": _STRING,
    **{field.name: _OF_FIELD[field.takes] for field in fields_of("input")},
    "device": _STRING._replace(example='"cpu"'),
    "dtype": _STRING._replace(example='"float32"'),
    **{alias: _OF_FIELD[FIELDS[name].takes] for alias, name in _ALIASES.items()},
}


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _shown(value: Any) -> str:
    """A value as TOML writes it, cut short; what has too many digits or lines in other words."""
    match value:
        case dict():
            return "a table"
        case [dict(), *_]:
            return "an array of tables"
        case int() if abs(value) > MAX_SIZE:
            return "an integer of over 500 digits"
    try:
        return quoted(toml_value(_plain(value)))
    except ValueError:  # more digits than Python prints
        return "an array with an integer of over 500 digits"


def _literal(text: str, quote: str) -> str:
    """A TOML string in the quotes of the old one, if they can hold it."""
    if quote == "'" and text.isprintable() and "'" not in text:
        return f"'{text}'"
    return basic_string(text)
