"""The manifest, `rnnshape.toml` or `[tool.rnnshape]`: which modules, and what is expected of them.

[modules.encoder]
target = "nn.LSTM(20, 40, num_layers=4, bidirectional=True)"
input_shape = [10, 5, 20]
expect = ["output = 10,5,80", "params <= 150k"]
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from rnnshape.errors import PlacedError, RequestError, quoted
from rnnshape.layer.config import MAX_SIZE
from rnnshape.sources.toml import Document, KeyPath

_EXAMPLE: Final = 'target = "nn.LSTM(20, 40)"'
_BARE: Final = re.compile("[A-Za-z0-9_-]+")
_ALIASES: Final[Mapping[str, str]] = {"batch": "batch_size", "seq": "seq_len"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One module; its words are still to be read."""

    name: str
    target: str | None  # None where it is missing or no string
    matches: str | None  # another target, which it must fit
    expect: tuple[str, ...]
    input: Mapping[str, Any]  # the input's options by field: {"input_shape": "10,5,20"}
    device: str | None
    dtype: str | None
    keys: Mapping[str, str]  # of each field, the key that tells it here: {"batch_size": "batch"}


@dataclass(frozen=True)
class Manifest:
    """A manifest: what its modules say as far as keys and types are right, and what is wrong."""

    document: Document
    entries: tuple[Entry, ...]
    problems: tuple[PlacedError, ...]
    path: KeyPath  # of `modules`: ("tool", "rnnshape", "modules") in a pyproject.toml

    def line(self, entry: Entry, *keys: str | int) -> int:
        """The line of a module, or of what it has under `keys`."""
        return self.document.line((*self.path, entry.name, *keys))

    def problem(self, entry: Entry, error: RequestError, *keys: str | int) -> PlacedError:
        """What is wrong with a module, at its place."""
        return _at(self.document, (*self.path, entry.name, *keys), error, entry.name)

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


def manifest_of(document: Document, root: Sequence[str] = ()) -> Manifest:
    """The modules under `root`, and every key and type that is wrong.

    Raises RequestError where there is no table to read them from.
    """
    table: Any = document.values
    path: KeyPath = (*root, "modules")
    for depth, key in enumerate(path, 1):
        above, table = table, table.get(key, {})
        if not isinstance(table, dict):
            text = f"{_header(path[:depth])} is {_kind(table)}, not a table"
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
            error = RequestError(f"it is {_kind(values)}, not a table", hint=hint)
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
    document: Document, path: KeyPath, name: str, values: Mapping[str, Any]
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
        if key in _TYPES and _TYPES[key][0](value)
    }
    right = {field: values[key] for field, key in keys.items()}
    return Entry(
        name=name,
        target=right.pop("target", None),
        matches=right.pop("matches", None),
        expect=tuple(right.pop("expect", ())),
        device=right.pop("device", None),
        dtype=right.pop("dtype", None),
        input={field: _word(value) for field, value in right.items()},
        keys=keys,
    )


def _wrong_value(key: str, value: Any, values: Mapping[str, Any]) -> Iterator[RequestError]:
    if key not in _TYPES:
        yield _unknown_key(key, list(_TYPES))
        return
    is_right, what, example = _TYPES[key]
    if not is_right(value):
        yield RequestError(f"{key} is {_shown(value)}, not {what}", hint=f"{key} = {example}")
    if _ALIASES.get(key) in values:
        yield RequestError(f"{key} and {_ALIASES[key]} are the same", hint="leave one of them out")


def _unknown_key(key: str, known: Sequence[str]) -> RequestError:
    alike = get_close_matches(key, known, n=1)
    return RequestError(
        f"unknown key {quoted(key)}; there {'are' if len(known) > 1 else 'is'} {', '.join(known)}",
        hint=f"{alike[0]}, or leave it out" if alike else "leave it out",
    )


def _at(
    document: Document, path: KeyPath, error: RequestError, name: str | None = None
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


# Key: whether a value is right, what a right one is, and an example.
_TYPES: Final[Mapping[str, tuple[Callable[[Any], bool], str, str]]] = {
    "target": (_is_text, "a string", '"nn.LSTM(20, 40)"'),
    "expect": (_are_texts, "an array of strings", '["output = 10,5,80"]'),
    "matches": (_is_text, "a string", '"nn.LSTM(20, 40)"'),
    "input_shape": (_are_counts, "an array of integers of 0 or more", "[10, 5, 20]"),
    "batch_size": (_is_count, "an integer of 0 or more", "5"),
    "seq_len": (_is_size, "an integer of 1 or more", "10"),
    "lengths": (_are_sizes, "an array of integers of 1 or more", "[7, 3, 2]"),
    "unbatched": (_is_flag, "true or false", "true"),
    "with_state": (_is_flag, "true or false", "true"),
    "device": (_is_text, "a string", '"cpu"'),
    "dtype": (_is_text, "a string", '"float32"'),
    "batch": (_is_count, "an integer of 0 or more", "5"),
    "seq": (_is_size, "an integer of 1 or more", "10"),
}


def _word(value: Any) -> str | bool:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return value if isinstance(value, bool) else str(value)


def _shown(value: Any) -> str:
    """A number as it is, since its size may be what is wrong; of all else, its kind.

    TOML's hexadecimal integers may have more digits than Python writes.
    """
    numbers = value if isinstance(value, list) and value else [value]
    if not all(map(_is_integer, numbers)):
        return _kind(value)
    if any(abs(number) > MAX_SIZE for number in numbers):
        return f"{_kind(value)} of over 500 digits"
    return quoted(str(value))


def _kind(value: Any) -> str:
    """What a value is, in TOML's words."""
    if isinstance(value, list):
        kinds = dict.fromkeys(_PLURALS.get(type(element), "dates") for element in value)
        return f"an array of {' and '.join(kinds)}" if kinds else "an empty array"
    if isinstance(value, bool):
        return str(value).lower()
    names = {int: "an integer", float: "a float", str: "a string", dict: "a table"}
    return names.get(type(value), "a date or time")


_PLURALS: Final = {
    bool: "booleans",
    int: "integers",
    float: "floats",
    str: "strings",
    dict: "tables",
    list: "arrays",
}


def _literal(text: str, quote: str) -> str:
    """A TOML string in the quotes that there were, if they can hold it."""
    if quote == "'" and text.isprintable() and "'" not in text:
        return f"'{text}'"
    return basic_string(text)


def basic_string(text: str) -> str:
    """A TOML string in double quotes: JSON's, but that TOML has no raw delete."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
