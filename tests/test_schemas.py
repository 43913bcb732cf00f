"""The JSON Schemas: strict, described, free of repetition, and usable from their files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from itertools import combinations
from pathlib import Path
from typing import Any, TypeAlias, get_args
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from rnnshape.analysis.frameworks.registry import NAMES, framework
from rnnshape.document.data import FORMAT_VERSION
from rnnshape.document.findings import finding_code
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.facts import Tensor
from rnnshape.layer.findings import Finding
from rnnshape.layer.input import InputSpec
from rnnshape.layer.settings import DType
from rnnshape.layer.subject import Subject
from tests.program import call
from tests.schemas import DOCUMENTS, SCHEMAS, VALIDATORS, problems
from tests.transcripts import ROOT

Schema: TypeAlias = dict[str, Any]

each_schema = pytest.mark.parametrize("name", SCHEMAS)
each_document = pytest.mark.parametrize("name", DOCUMENTS)

MANIFEST = """\
[modules.decoder]
target = "nn.LSTM(20, 40, proj_size=10)"
expect = ["output = 10,5,10", "params > 1"]
matches = "gru"
"""
# Their documents contain every kind of object but timings, which take seconds to measure.
REQUESTS = {
    "report": (
        *("lstm", "--layers", "2", "--bidir", "--proj", "10", "--dropout", "0.5", "--with-state"),
        *("--batch", "7", "--seq", "7", "--expect", "h_n = 4,7,10", "--to", "tf1"),
    ),
    "compare": ("compare", "nn.LSTM(20, 40, True)", "gru", "--run", "--feeds"),
    "budget": ("budget", "lstm", "--params", "10k", "--dropout", "0.5"),
    "check": ("check",),
    "explain": ("explain", "Expected hidden[0] size (8, 10, 40), got [8, 5, 40]"),
}


# What has a key for each axis or tensor, whatever its name.
NAMED = {"expected", "got", "tensors"}


@pytest.fixture
def document(
    name: str, disagreement: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """The document of a command whose run disagrees with the formulas."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rnnshape.toml").write_text(MANIFEST)
    result = call(*REQUESTS[name], "-f", "json")
    assert (result.code, result.err) == (0 if name == "explain" else 3, "")
    whole: dict[str, Any] = json.loads(result.out)
    return whole


def parts(value: Any) -> Iterator[Schema]:
    """Every object in a JSON value, the value itself included."""
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from parts(each)


def objects(schema: Schema) -> list[Schema]:
    """The parts of a schema that list the keys of an object, or add keys to one they refer to."""
    return [
        each for each in parts(schema) if "properties" in each and ({"type", "$ref"} & each.keys())
    ]


def target(reference: str, name: str) -> tuple[str, str]:
    """The file that a `$ref` in the schema `name` leads to, and the definition there."""
    file, _, definition = reference.partition("#/$defs/")
    if file:
        assert file == f"common-{FORMAT_VERSION}.json"
        return "common", definition
    return name, definition


def referred(schema: Schema, name: str) -> Schema:
    """What a part of the schema `name` refers to; empty without a `$ref`."""
    if "$ref" not in schema:
        return {}
    file, definition = target(schema["$ref"], name)
    found: Schema = SCHEMAS[file]["$defs"][definition]
    return found


def reached(schema: Schema, name: str) -> set[tuple[str, str]]:
    """The definitions that a part of the schema `name` needs, with those that these need."""
    direct = {target(each["$ref"], name) for each in parts(schema) if "$ref" in each}
    return direct.union(*(reached(SCHEMAS[file]["$defs"][key], file) for file, key in direct))


def closed(schema: Schema) -> bool:
    return False in (schema.get("additionalProperties"), schema.get("unevaluatedProperties"))


@each_schema
def test_the_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@each_schema
def test_every_object_is_closed_and_one_that_is_extended_is_closed_where_it_is_used(
    name: str,
) -> None:
    schema = SCHEMAS[name]
    extended = list(schema["$defs"].values()) if name == "common" else []
    for described in objects(schema):
        assert closed(described) or described in extended, described
    for part in parts(schema):
        base = referred(part, name)
        assert "properties" not in base or closed(base) or closed(part), part


@each_schema
def test_every_object_requires_the_keys_it_lists_except_tensors_of_some_layers(name: str) -> None:
    for described in objects(SCHEMAS[name]):
        base = referred(described, name)
        required = {*described.get("required", ()), *base.get("required", ())}
        optional = described["properties"].keys() - required
        assert optional <= {"c_0", "c_n", "c_1", "h_1", "output", "h_n", "data"}, described


@each_schema
def test_everything_in_the_schema_is_described(name: str) -> None:
    for described in objects(SCHEMAS[name]):
        base = referred(described, name)
        assert described.get("description") or base["description"]
        for key, value in described["properties"].items():
            places = (value, referred(value, name), base.get("properties", {}).get(key, {}))
            assert any(place.get("description") for place in places), key


@each_document
def test_every_definition_of_a_schema_is_used(name: str) -> None:
    schema = SCHEMAS[name]
    root = {key: value for key, value in schema.items() if key != "$defs"}
    own = {definition for file, definition in reached(root, name) if file == name}
    assert own == schema["$defs"].keys()


def test_every_common_definition_is_used_by_at_least_two_schemas() -> None:
    users = Counter(
        definition
        for name in DOCUMENTS
        for file, definition in reached(SCHEMAS[name], name)
        if file == "common"
    )
    assert users.keys() == SCHEMAS["common"]["$defs"].keys()
    assert {definition for definition, count in users.items() if count < 2} == set()


@pytest.mark.parametrize("names", list(combinations(SCHEMAS, 2)), ids=" and ".join)
def test_no_two_schemas_define_the_same(names: tuple[str, str]) -> None:
    one, other = (SCHEMAS[name]["$defs"] for name in names)
    assert one.keys() & other.keys() == set()
    rules = [
        {json.dumps({**each, "description": ""}, sort_keys=True) for each in definitions.values()}
        for definitions in (one, other)
    ]
    assert rules[0] & rules[1] == set()


def test_the_enumerations_of_the_schemas_are_those_of_the_program() -> None:
    common, report = SCHEMAS["common"]["$defs"], SCHEMAS["report"]["$defs"]
    codes = {finding_code(kind.__new__(kind)) for kind in get_args(Finding)}
    assert common["config"]["properties"]["kind"]["enum"] == [kind.value for kind in Kind]
    assert common["verification"]["properties"]["dtype"]["enum"] == [d.value for d in DType]
    assert set(common["finding"]["properties"]["code"]["enum"]) == codes
    packed = InputSpec(batch_size=1, seq_len=1, lengths=(1,))
    tensors: dict[str, Tensor] = {}
    for config in (RNNConfig(kind=Kind.LSTM), RNNConfig(kind=Kind.LSTM, cell=True)):
        tensors |= Subject(config=config, input_spec=packed).tensors
    assert set(report["tensor"]["properties"]["axes"]["items"]["enum"]) == {
        axis for tensor in tensors.values() for axis in tensor.axes
    }
    assert set(report["tensors"]["properties"]) == set(tensors)
    assert report["framework_name"]["enum"] == [*NAMES]
    titles = dict.fromkeys(framework(name).title for name in NAMES)
    assert report["framework"]["enum"] == ["PyTorch", *titles]


@each_document
def test_a_document_with_a_key_less_or_more_is_not_valid(
    name: str, document: dict[str, Any]
) -> None:
    assert problems(document, name) == []
    changed = deepcopy(document)
    named = [each[key] for each in parts(changed) for key in NAMED & each.keys()]
    found = [each for each in parts(changed) if each not in named]
    assert sum(map(len, found)) > 20
    for each in found:
        each["another"] = 1
        assert not VALIDATORS[name].is_valid(changed), each
        del each["another"]
        for key in list(each):
            value = each.pop(key)
            assert not VALIDATORS[name].is_valid(changed), (key, each)
            each[key] = value
    assert changed == document


def _from_disk(uri: str) -> Resource[Any]:
    path = Path(url2pathname(urlsplit(uri).path))
    return Resource.from_contents(json.loads(path.read_text(encoding="utf-8")))


@each_document
def test_a_schema_is_complete_with_the_files_beside_it(name: str, document: dict[str, Any]) -> None:
    path = ROOT / f"rnnshape/schemas/{name}-{FORMAT_VERSION}.json"
    registry: Registry[Any] = Registry(retrieve=_from_disk)  # type: ignore[call-arg]
    validator = Draft202012Validator({"$ref": path.as_uri()}, registry=registry)
    assert validator.is_valid(document)
    document["environment"]["torch"] = ""
    assert not validator.is_valid(document)
