"""How each front end writes a field with a value: options, a call, a TOML file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from rnnshape.fields import FIELDS

Style: TypeAlias = Literal["option", "argument", "key"]


class Words(NamedTuple):
    """The style in which a front end writes the fields of a layer, its input and its run."""

    layer: Style = "argument"
    input: Style = "argument"
    run: Style = "argument"
    keys: Mapping[str, str] = {}  # the keys that a TOML file has, by field: {"seq_len": "seq"}

    def name(self, field: str) -> str:
        """What the field is called: `--batch`, `batch_size`."""
        if self._style(field) == "option":
            return _option(field)
        return self.keys.get(field, field)

    def setting(self, field: str, value: object) -> str:
        """The field with a value: `--batch 5`, `batch_size=5`, `batch_size = 5`."""
        match self._style(field):
            case "option":
                return _as_option(field, value)
            case "key":
                return f"{self.name(field)} = {toml_value(value)}"
            case "argument":
                return f"{field}={value!r}"

    @property
    def between(self) -> str:
        """What stands between two settings."""
        return " " if self.layer == "option" else ", "

    def _style(self, field: str) -> Style:
        if field in self.keys:
            return "key"
        group = FIELDS[field].group if field in FIELDS else "run"
        return {"layer": self.layer, "input": self.input, "run": self.run}[group]


PYTHON: Final = Words()
COMMAND: Final = Words(layer="option", input="option", run="option")
# A command whose target is a constructor call.
CALL: Final = Words(layer="argument", input="option", run="option")


def _option(name: str) -> str:
    return FIELDS[name].option if name in FIELDS else f"--{name.replace('_', '-')}"


def _as_option(name: str, value: object) -> str:
    option, field = _option(name), FIELDS.get(name)
    match value:
        case _ if name == "kind":
            return f"rnnshape {str(value).lower()}"
        case True:
            return option
        case False if field is not None and field.takes == "switch":
            return f"--no-{option.removeprefix('--')}"
        case _ if field is not None and not value and value == field.default:
            return f"leave {option} out"
        case tuple():
            return f"{option} {','.join(map(str, value))}"
        case _:
            return f"{option} {value}"


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
