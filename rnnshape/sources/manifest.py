"""The manifest, `rnnshape.toml` or `[tool.rnnshape]`: which modules, and what is expected of them.

[modules.encoder]
target = "nn.LSTM(20, 40, num_layers=4, bidirectional=True)"
input_shape = [10, 5, 20]
expect = ["output = 10,5,80", "params <= 150k"]
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rnnshape.errors import RequestError, nearest, quoted
from rnnshape.sources.toml import Document, KeyPath

_EXAMPLE: Final = 'target = "nn.LSTM(20, 40)"'
_ALIASES: Final[Mapping[str, str]] = {"batch": "batch_size", "seq": "seq_len"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One module; its words are still to be read."""

    name: str
    target: str
    matches: str | None  # another target, which it must fit
    expect: tuple[str, ...]
    input: Mapping[str, Any]  # the input's options by field: {"input_shape": "10,5,20"}
    device: str | None
    dtype: str | None


@dataclass(frozen=True)
class Manifest:
    """The modules of a manifest whose keys and types are right, and what is wrong with others."""

    document: Document
    root: KeyPath  # where `modules` is: ("tool", "rnnshape") in a pyproject.toml
    entries: tuple[Entry, ...]
    problems: tuple[RequestError, ...]

    def line(self, entry: Entry, *keys: str | int) -> int:
        """The line of a module, or of what it has under `keys`."""
        return self.document.line((*self.root, "modules", entry.name, *keys))

    def problem(self, entry: Entry, error: RequestError, *keys: str | int) -> RequestError:
        """What is wrong with a module, at its place."""
        return _at(self.document, (*self.root, "modules", entry.name, *keys), error, entry.name)

    def with_expectations(self, texts: Mapping[tuple[str, int], str]) -> str:
        """The text with other expectations, each by its module and its number in `expect`.

        Nothing else changes, not a blank.
        """
        text = self.document.text
        places = {
            self.document.spans[(*self.root, "modules", name, "expect", number)]: new
            for (name, number), new in texts.items()
        }
        for span, new in sorted(places.items(), reverse=True):
            text = text[: span.start] + _literal(new, text[span.start]) + text[span.end :]
        return text


def manifest_of(document: Document, root: Sequence[str] = ()) -> Manifest:
    """The modules under `root`. Raises RequestError where there are no tables to speak of."""
    table: Any = document.values
    path: KeyPath = ()
    for key in root:
        table, path = table.get(key, {}), (*path, key)
        _require_table(document, path, table)
    problems = [
        _at(document, (*path, key), _unknown_key(key, ["modules"]))
        for key in table
        if key != "modules"
    ]
    modules = table.get("modules", {})
    _require_table(document, (*path, "modules"), modules)
    entries: list[Entry] = []
    for name, values in modules.items():
        place = (*path, "modules", name)
        wrong = list(_wrong(values, _dotted(place)))
        problems += [_at(document, (*place, *keys), error, name) for keys, error in wrong]
        # A key too many does not keep the others from being read.
        if all(keys and keys[0] not in _TYPES for keys, _ in wrong):
            entries.append(_entry(name, values))
    return Manifest(document, path, tuple(entries), tuple(problems))


def _require_table(document: Document, path: KeyPath, value: Any) -> None:
    if not isinstance(value, dict):
        text = f"{_dotted(path)} is {_kind(value)}, not a table"
        raise _at(document, path, RequestError(text, hint=f"[{_dotted(path)}.encoder]"))


def _dotted(path: KeyPath) -> str:
    return ".".join(map(str, path))


def _entry(name: str, values: Mapping[str, Any]) -> Entry:
    named: dict[str, Any] = {
        _ALIASES.get(key, key): value for key, value in values.items() if key in _TYPES
    }
    return Entry(
        name=name,
        target=named.pop("target"),
        matches=named.pop("matches", None),
        expect=tuple(named.pop("expect", ())),
        device=named.pop("device", None),
        dtype=named.pop("dtype", None),
        input={key: _word(value) for key, value in named.items()},
    )


def _wrong(values: Any, table: str) -> Iterator[tuple[tuple[str, ...], RequestError]]:
    """What is wrong with a module, each with the key that it is wrong with, if it is one."""
    if not isinstance(values, dict):
        hint = f"[{table}] and {_EXAMPLE}"
        yield (), RequestError(f"it is {_kind(values)}, not a table", hint=hint)
        return
    if "target" not in values:
        yield (), RequestError("it has no target", hint=_EXAMPLE)
    for key, value in values.items():
        for error in _wrong_value(key, value, values):
            yield (key,), error


def _wrong_value(key: str, value: Any, values: Mapping[str, Any]) -> Iterator[RequestError]:
    if key not in _TYPES:
        yield _unknown_key(key, list(_TYPES))
        return
    is_right, what, example = _TYPES[key]
    if not is_right(value):
        yield RequestError(f"{key} is {_kind(value)}, not {what}", hint=f"{key} = {example}")
    if _ALIASES.get(key) in values:
        yield RequestError(f"{key} and {_ALIASES[key]} are the same", hint="leave one of them out")


def _unknown_key(key: str, known: Sequence[str]) -> RequestError:
    return RequestError(
        f"unknown key {quoted(key)}; there {'are' if len(known) > 1 else 'is'} {', '.join(known)}",
        hint=nearest(key, known),
    )


def _at(
    document: Document, path: KeyPath, error: RequestError, name: str | None = None
) -> RequestError:
    subject = "" if name is None else f"{quoted(name)}: "
    place = f"{document.file}:{document.line(path)}"
    return RequestError(f"{place}: {subject}{error.problem}", hint=error.hint)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_sizes(value: Any) -> bool:
    return _is_text(value) or (
        isinstance(value, list) and value != [] and all(map(_is_size, value))
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


# Key: whether a value is of its type, what that is, and an example.
_TYPES: Final[Mapping[str, tuple[Callable[[Any], bool], str, str]]] = {
    "target": (_is_text, "a string", '"nn.LSTM(20, 40)"'),
    "expect": (_are_texts, "an array of strings", '["output = 10,5,80"]'),
    "matches": (_is_text, "a string", '"nn.LSTM(20, 40)"'),
    "input_shape": (_are_sizes, "an array of integers", "[10, 5, 20]"),
    "batch_size": (_is_size, "an integer", "5"),
    "seq_len": (_is_size, "an integer", "10"),
    "lengths": (_are_sizes, "an array of integers", "[7, 3, 2]"),
    "unbatched": (_is_flag, "true or false", "true"),
    "with_state": (_is_flag, "true or false", "true"),
    "device": (_is_text, "a string", '"cpu"'),
    "dtype": (_is_text, "a string", '"float32"'),
    "batch": (_is_size, "an integer", "5"),
    "seq": (_is_size, "an integer", "10"),
}


def _word(value: Any) -> str | bool:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return value if isinstance(value, bool) else str(value)


def _kind(value: Any) -> str:
    """What a value is, in TOML's words."""
    if isinstance(value, list):
        others = sorted({_kind(element).split(" ", 1)[1] for element in value})
        return f"an array of {', '.join(f'{other}s' for other in others)}" if others else "empty"
    names = {
        bool: f"the boolean {str(value).lower()}",
        int: "an integer",
        float: "a float",
        str: "a string",
        dict: "a table",
    }
    return names.get(type(value), "a date or time")


def _literal(text: str, quote: str) -> str:
    """A TOML string in the quotes that there were, if they can hold it."""
    if quote == "'" and text.isprintable() and "'" not in text:
        return f"'{text}'"
    return basic_string(text)


def basic_string(text: str) -> str:
    """A TOML string in double quotes: JSON's, but that TOML has no raw delete."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
