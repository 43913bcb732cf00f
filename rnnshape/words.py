"""How each front end writes a field with its value: as an option, an argument or a TOML key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from rnnshape.fields import FIELDS, fields_of

_Style: TypeAlias = Literal["option", "argument", "key"]

# What a target can say of a layer.
_OF_A_TARGET: Final = frozenset({"kind", *(field.name for field in fields_of("layer"))})


class Words(NamedTuple):
    """How a front end writes the fields of a layer, of its input and of its run."""

    layer: _Style = "argument"
    input: _Style = "argument"
    run: _Style = "argument"
    keys: Mapping[str, str] = {}  # in TOML, the key of each field: {"seq_len": "seq"}
    target: frozenset[str] = frozenset()  # the fields that are written in a target

    def name(self, field: str) -> str:
        """What the field is called: `--batch`, `batch_size`."""
        if self._style(field) == "option":
            return _option(field)
        return self.keys.get(field, field)

    def field(self, field: str, value: object) -> str:
        """The field with a value and its place: `--batch 5`, `--batch-first in the target`."""
        if self.place(field) and _left_out(field, value):
            return f"{_as_option(field, value)} of the target"
        return f"{self.bare(field, value)}{self.place(field)}"

    def place(self, field: str) -> str:
        """Where an option of a target stands, since its command may have the same option."""
        in_target = field in self.target and self._style(field) == "option"
        return " in the target" if in_target else ""

    def bare(self, field: str, value: object) -> str:
        """The field with a value alone: `--batch 5`, `batch_size=5`, `batch_size = 5`."""
        match self._style(field):
            case "option" if field in self.target and field == "kind":
                return str(value).lower()
            case "option":
                return _as_option(field, value)
            case "key":
                return f"{self.name(field)} = {toml_value(value)}"
            case "argument":
                return f"{field}={value!r}"

    def fields(self, values: Mapping[str, object]) -> str:
        """Several fields with their values; those of a target come first."""
        are_options = all(self._style(name) == "option" for name in values)
        between = " " if are_options else ", "
        by_place: dict[str, list[str]] = {" in the target": [], "": []}
        for name, value in values.items():
            by_place[self.place(name)].append(self.bare(name, value))
        parts = (f"{between.join(bare)}{place}" for place, bare in by_place.items() if bare)
        return " and ".join(parts)

    def beside(self, fields: Iterable[str]) -> Words:
        """The words where a target gives these fields, and options next to it give the others."""
        return self._replace(target=self.target & {"kind", *fields})

    def _style(self, field: str) -> _Style:
        if field in self.keys:
            return "key"
        if field in _OF_A_TARGET:
            shared = self.input == "option" and field not in self.target
            return "option" if shared else self.layer
        return self.input if field in FIELDS and FIELDS[field].group == "input" else self.run


PYTHON: Final = Words()
COMMAND: Final = Words(layer="option", input="option", run="option")
# A command whose target is options in one word, or a constructor call.
TARGET: Final = COMMAND._replace(target=_OF_A_TARGET)
CALL: Final = TARGET._replace(layer="argument")


def _option(name: str) -> str:
    return FIELDS[name].option if name in FIELDS else f"--{name.replace('_', '-')}"


def _as_option(name: str, value: object) -> str:
    option, field = _option(name), FIELDS.get(name)
    match value:
        case _ if _left_out(name, value):
            return f"leave {option} out"
        case _ if name == "kind":
            return f"rnnshape {str(value).lower()}"
        case True:
            return option
        case False if field is not None and field.takes == "switch":
            return f"--no-{option.removeprefix('--')}"
        case tuple():
            return f"{option} {','.join(map(str, value))}"
        case _:
            return f"{option} {value}"


def _left_out(name: str, value: object) -> bool:
    """Whether a field has a value that no option gives: the default 0, or False."""
    return name in FIELDS and not value and value == FIELDS[name].default


def toml_value(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return basic_string(value) if isinstance(value, str) else str(value)


def basic_string(text: str) -> str:
    """A TOML string in double quotes: JSON's, except that TOML has no raw delete."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def python_literal(value: str | int) -> str:
    """A name or a number as Python code has it, in double quotes where that needs no escape."""
    plain = isinstance(value, str) and value.isprintable() and not {'"', "\\"} & set(value)
    return f'"{value}"' if plain else ascii(value)
