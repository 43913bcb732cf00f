"""The JSON Schemas of the package, and what they find wrong with a document."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from referencing import Registry, Resource

from rnnshape.document.data import FORMAT_VERSION

DOCUMENTS: Final = ("report", "compare", "budget", "check", "explain")


def _schema(name: str) -> dict[str, Any]:
    path = files("rnnshape") / f"schemas/{name}-{FORMAT_VERSION}.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


SCHEMAS: Final = {name: _schema(name) for name in ("common", *DOCUMENTS)}

_REGISTRY: Final[Registry[Any]] = Resource.from_contents(SCHEMAS["common"]) @ Registry()
# JSON Schema takes 8.0 for an integer; no number here may have passed through a float.
_EXACT: Final = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _checker, value: type(value) is int
    ),
)
VALIDATORS: Final = {name: _EXACT(SCHEMAS[name], registry=_REGISTRY) for name in DOCUMENTS}


def problems(document: object, name: str) -> list[str]:
    """Where a document breaks the schema of that name, and how; empty for a valid one."""
    errors = VALIDATORS[name].iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in errors]
