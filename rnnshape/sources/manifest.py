"""The manifest, `rnnshape.toml` or `[tool.rnnshape]`: modules, and what is expected of them.

[modules.encoder]
target = "nn.LSTM(20, 40, num_layers=4, bidirectional=True)"
input_shape = [10, 5, 20]
expect = ["output = 10,5,80", "params <= 150k"]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

from rnnshape.errors import PlacedError, RequestError, near, quoted
from rnnshape.fields import FIELDS, Takes, fields_of
from rnnshape.layer.config import MAX_SIZE
from rnnshape.sources.toml import KeyPath, TOMLText
from rnnshape.words import Words, basic_string, toml_value

_EXAMPLE: Final = 'target = "nn.LSTM(20, 40)"'
_BARE: Final = re.compile("[A-Za-z0-9_-]+")
# A size may also have the short name of its option: `batch` for `batch_size`.
_ALIASES: Final = {
    field.alias: field.name for field in fields_of("input") if field.takes in ("size", "count")
}


@dataclass(frozen=True, kw_only=True)
class ModuleEntry:
    """One module as it is written: its target and expectations are still texts."""

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
        keys = {"device": "device", "dtype": "dtype", **self.keys}
        return Words(layer="option", input="key", run="option", keys=keys)


@dataclass(frozen=True)
class Manifest:
    """A manifest: its modules, without the keys and values that are wrong, and what is wrong."""

    document: TOMLText
    entries: tuple[ModuleEntry, ...]
    problems: tuple[PlacedError, ...]
    path: KeyPath  # of `modules`: ("tool", "rnnshape", "modules") in a pyproject.toml

    def line(self, entry: ModuleEntry, *keys: str | int) -> int:
        """The line of a module, or of the value at `keys` in it."""
        return self.document.line((*self.path, entry.name, *keys))

    def problem(self, entry: ModuleEntry, error: RequestError, *keys: str | int) -> PlacedError:
        """The error at the line of `keys`, or else of the first field that it refers to."""
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
        """The text with these expectations replaced, each by its module and its index in `expect`.

        Everything else stays as it is, to the last blank.
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
    """The modules under `root`, and every key and value of a wrong name or type.

    Raises RequestError where something else stands in place of the table of modules.
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
    """A path as it is written in the brackets of a header."""
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


def _entry(name: str, values: Mapping[str, Any]) -> ModuleEntry:
    """A module without its wrong values."""
    keys = {
        _ALIASES.get(key, key): key
        for key, value in values.items()
        if key in _TYPES and _TYPES[key].accepts(value)
    }
    right = {field: values[key] for field, key in keys.items()}
    return ModuleEntry(
        name=name,
        target=right.pop("target", None),
        matches=right.pop("matches", None),
        expect=tuple(right.pop("expect", ())),
        device=right.pop("device", None),
        dtype=right.pop("dtype", None),
        # A flag that is false means the same as one that is left out.
        input={field: _plain(value) for field, value in right.items() if value is not False},
        keys=keys,
    )


def _wrong_value(key: str, value: Any, values: Mapping[str, Any]) -> Iterator[RequestError]:
    if key not in _TYPES:
        yield _unknown_key(key, list(_TYPES))
        return
    expected = _TYPES[key]
    if not expected.accepts(value):
        problem = f"{key} is {_shown(value)}, not {expected.what}"
        yield RequestError(problem, hint=f"{key} = {expected.example}")
    if _ALIASES.get(key) in values:
        other = _ALIASES[key]
        yield RequestError(f"{key} and {other} are the same", hint=f"leave out {key} or {other}")


def _unknown_key(key: str, known: Sequence[str]) -> RequestError:
    alike = _key_meant(key, known)
    keys = "the keys are" if len(known) > 1 else "the only key is"
    return RequestError(
        f"unknown key {quoted(key)}; {keys} {', '.join(known)}",
        hint=f"{alike}, or leave it out" if alike else "leave it out",
    )


def _key_meant(key: str, known: Sequence[str]) -> str | None:
    from rnnshape.synonyms import meant_field  # only mistakes need it

    found = meant_field(key)
    own = found is not None and found.field.name in known
    return found.field.name if found is not None and own else near(key, known)


def _at(
    document: TOMLText, path: KeyPath, error: RequestError, name: str | None = None
) -> PlacedError:
    return PlacedError(error, file=document.file, line=document.line(path), name=name)


class _Type(NamedTuple):
    """What the value of a key must be: one item, or an array of them."""

    item: type
    what: str
    example: str
    array: bool = False
    least: int = 0  # of each integer

    def accepts(self, value: Any) -> bool:
        """Whether a value from TOML is of this type."""
        items = value if self.array else [value]
        if not isinstance(items, list) or (items == [] and self.item is int):
            return False
        return all(map(self._accepts_item, items))

    def _accepts_item(self, item: Any) -> bool:
        right = type(item) is self.item  # True is an int too
        return right and (self.item is not int or self.least <= item <= MAX_SIZE)


_STRING: Final = _Type(str, "a string", '"nn.LSTM(20, 40)"')
_STRINGS: Final = _Type(str, "an array of strings", '["output = 10,5,80"]', array=True)
_OF_FIELD: Final[Mapping[Takes, _Type]] = {
    "size": _Type(int, "an integer of 1 or more", "10", least=1),
    "count": _Type(int, "an integer of 0 or more", "5"),
    "shape": _Type(int, "an array of integers of 0 or more", "[10, 5, 20]", array=True),
    "lengths": _Type(int, "an array of integers of 1 or more", "[7, 3, 2]", array=True, least=1),
    "flag": _Type(bool, "true or false", "true"),
}
_TYPES: Final[Mapping[str, _Type]] = {
    "target": _STRING,
    "expect": _STRINGS,
    "matches": _STRING,
    **{field.name: _OF_FIELD[field.takes] for field in fields_of("input")},
    "device": _STRING._replace(example='"cpu"'),
    "dtype": _STRING._replace(example='"float32"'),
    **{alias: _OF_FIELD[FIELDS[name].takes] for alias, name in _ALIASES.items()},
}


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _shown(value: Any) -> str:
    """A value as TOML writes it, cut short, or in words where that is too long to read."""
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
    """A TOML string in the quotes of the old one, where these allow it."""
    if quote == "'" and text.isprintable() and "'" not in text:
        return f"'{text}'"
    return basic_string(text)
