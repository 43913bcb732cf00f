"""`-f json`: what it writes is what the schema in the package describes, exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from importlib.resources import files
from math import prod
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from rnnshape.document.findings import finding_code
from rnnshape.document.layer import layer_document
from rnnshape.document.model import Document
from rnnshape.layer import formulas
from rnnshape.layer.config import DType, InputSpec, Kind, RNNConfig, Settings
from rnnshape.layer.facts import Tensor
from rnnshape.layer.findings import Finding
from rnnshape.layer.report import Run, predicted_report
from rnnshape.layer.verification import verify_differences
from rnnshape.render.json import render_json
from tests.program import call

SCHEMAS = {
    name: json.loads((files("rnnshape") / f"schemas/{name}-1.0.json").read_text(encoding="utf-8"))
    for name in ("report", "compare", "budget", "check")
}
each_schema = pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
SCHEMA = SCHEMAS["report"]
# JSON Schema takes 8.0 for an integer; no number here may have passed through a float.
_EXACT = Draft202012Validator.TYPE_CHECKER.redefine(
    "integer", lambda _checker, value: type(value) is int
)
VALIDATOR = extend(Draft202012Validator, type_checker=_EXACT)(SCHEMA)  # type: ignore[no-untyped-call]

BIG = 2**53 + 1

REQUESTS = {
    f"{kind}{' bidir' * bidir}{f' {layers} layers' * (layers > 1)}{' unbatched' * unbatched}": (
        kind,
        *["--bidir"] * bidir,
        *["--layers", str(layers)] * (layers > 1),
        *["--unbatched"] * unbatched,
    )
    for kind in ("lstm", "gru", "rnn")
    for bidir in (False, True)
    for layers in (1, 3)
    for unbatched in (False, True)
} | {
    "projection": ("lstm", "--proj", "10"),
    "projection of a deep bidirectional layer": (
        *("lstm", "--proj", "10", "--layers", "3", "--bidir"),
    ),
    "relu": ("rnn", "--nonlinearity", "relu"),
    "without biases": ("gru", "--no-bias"),
    "batch first": ("lstm", "--batch-first"),
    "batch of 0": ("gru", "--batch", "0"),
    "with initial states": ("lstm", "--with-state", "--layers", "2", "--bidir"),
    "with one initial state": ("gru", "--with-state"),
    "packed": ("lstm", "--lengths", "3,7,2", "--seq", "9", "--bidir"),
    "packed, batch first": ("gru", "--lengths", "2,2", "--batch-first"),
    "LSTM cell": ("lstm", "--cell", "--with-state"),
    "unbatched GRU cell": ("gru", "--cell", "--unbatched"),
    "equations and FLOPs": ("rnn", "--show", "gates,cost"),
    "timed": ("lstm", "--time", "--seq", "2"),
    "meta device": ("lstm", "--device", "meta"),
    "double precision": ("rnn", "--dtype", "double"),
    "complex numbers": ("rnn", "--dtype", "complex64"),
    "hidden size of 1": ("lstm", "--hidden", "1"),
    "dropout without effect": ("lstm", "--dropout", "0.25"),
    "projection that costs": ("lstm", "--proj", "35"),
    "expectations": ("lstm", "--expect", "params <= 10k", "--expect", "output = 10,5,40"),
    "equal sizes": ("gru", "--batch", "6", "--seq", "6"),
    "input shape": ("gru", "--input-shape", "5,10,20"),
    "every size given": (
        *("lstm", "--input", "3", "--hidden", "4", "--layers", "2", "--batch", "6", "--seq", "7"),
        *("--proj", "2", "--dropout", "0.5", "--bidir", "--batch-first", "--no-bias"),
    ),
    "beyond what a float holds": ("lstm", "--hidden", str(BIG), "--no-run"),
    "500 digits": ("lstm", "--hidden", "9" * 500, "--no-run"),
}
# A request is run where that is quick, and always also answered by formula alone.
CASES = {f"{name}, run": words for name, words in REQUESTS.items() if "--no-run" not in words} | {
    f"{name}, by formula": (*words, *["--no-run"] * ("--no-run" not in words))
    for name, words in REQUESTS.items()
    if "--time" not in words
}
EACH_CASE = pytest.mark.parametrize("words", CASES.values(), ids=CASES)


@cache
def _text(words: tuple[str, ...]) -> str:
    result = call(*words, "-f", "json")
    assert (result.code, result.err) == (0, "")
    return result.out


def document(words: tuple[str, ...]) -> dict[str, Any]:
    parsed = json.loads(_text(words))
    assert isinstance(parsed, dict)
    return parsed


def module(words: tuple[str, ...]) -> dict[str, Any]:
    (only,) = document(words)["modules"]
    assert isinstance(only, dict)
    return only


def problems(instance: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(instance)]


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all members of objects, and of all elements of arrays, however deep."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in members:
        yield (*path, key)
        if isinstance(inner, (dict, list)):
            yield from leaves(inner, (*path, key))


def holder(whole: Any, path: tuple[str | int, ...]) -> Any:
    """The object or array that holds what `path` leads to."""
    for key in path[:-1]:
        whole = whole[key]
    return whole


def described_objects(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Every object of a schema that lists its keys."""
    return [
        value
        for path in ((), *inner(schema))
        if (value := reached(schema, path)).get("type") == "object" and "properties" in value
    ]


def inner(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a schema holds other objects."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, own in items:
        if isinstance(own, (dict, list)):
            if isinstance(own, dict):
                yield (*path, key)
            yield from inner(own, (*path, key))


def reached(whole: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
    for key in path:
        whole = whole[key]
    assert isinstance(whole, dict)
    return whole


@each_schema
def test_the_schema_is_one(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


@each_schema
def test_every_object_of_the_schema_is_closed_and_requires_what_it_lists_except_cell_states(
    schema: dict[str, Any],
) -> None:
    objects = described_objects(schema)
    assert len(objects) > 5
    for described in objects:
        optional = set(described["properties"]) - set(described["required"])
        assert described["additionalProperties"] is False, described["description"]
        of_some_layers = {"c_0", "c_n", "c_1", "h_1", "output", "h_n", "data"}
        assert optional <= of_some_layers, described["description"]


@each_schema
def test_everything_in_the_schema_is_described(schema: dict[str, Any]) -> None:
    for described in described_objects(schema):
        assert described["description"]
        for name, property_ in described["properties"].items():
            reference = property_.get("$ref", "").rpartition("/")[2]
            assert property_.get("description") or schema["$defs"][reference]["description"], name


@pytest.mark.parametrize("name", ["compare", "budget", "check"])
def test_what_schemas_have_in_common_is_described_alike(name: str) -> None:
    own, report = SCHEMAS[name]["$defs"], SCHEMAS["report"]["$defs"]
    common = own.keys() & report.keys() - {"input"}
    assert {"config", "value", "constructor", "size", "count"} <= common
    apart = {
        # It tells of which layer a mismatch is, and of the runs of all layers together.
        "compare": {"mismatch", "verification"},
        "budget": set(),
        # It tells at which line an expectation stands, and of a layer only what is expected.
        "check": {"module", "totals", "expectation"},
    }
    assert {key for key in common if own[key] != report[key]} == apart[name]
    batch_sizes = report["input"]["properties"].keys() - own["input"]["properties"].keys()
    assert batch_sizes == {"batch_sizes"}


def _references(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_references, value))
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"].rpartition("/")[2]} if "$ref" in value else set()
    return own.union(*map(_references, value.values()))


@each_schema
def test_every_definition_of_the_schema_is_used(schema: dict[str, Any]) -> None:
    assert _references(schema) == set(schema["$defs"])


def test_the_enumerations_of_the_schema_are_those_of_the_program() -> None:
    definitions = SCHEMA["$defs"]
    codes = {finding_code(kind.__new__(kind)) for kind in get_args(Finding)}
    assert definitions["config"]["properties"]["kind"]["enum"] == [kind.value for kind in Kind]
    assert definitions["verification"]["properties"]["dtype"]["enum"] == [d.value for d in DType]
    assert set(definitions["finding"]["properties"]["code"]["enum"]) == codes
    packed = InputSpec(batch_size=1, seq_len=1, lengths=(1,))
    tensors: dict[str, Tensor] = {}
    for config in (RNNConfig(kind=Kind.LSTM), RNNConfig(kind=Kind.LSTM, cell=True)):
        tensors |= formulas.layout(config, packed, formulas.plain_sizes(config, packed))
    assert set(definitions["tensor"]["properties"]["axes"]["items"]["enum"]) == {
        axis for tensor in tensors.values() for axis in tensor.axes
    }
    assert set(definitions["tensors"]["properties"]) == set(tensors)


@EACH_CASE
def test_a_document_is_as_the_schema_says(words: tuple[str, ...]) -> None:
    assert problems(document(words)) == []


@EACH_CASE
def test_a_document_is_ascii_on_short_lines_and_ends_with_a_newline(words: tuple[str, ...]) -> None:
    text = _text(words)
    assert text.isascii()
    assert text.endswith("}\n")
    assert not any(line.endswith(" ") for line in text.splitlines())


@EACH_CASE
def test_totals_are_the_sums_over_the_weights(words: tuple[str, ...]) -> None:
    layer = module(words)
    config, input_ = layer["config"], layer["input"]
    rows = layer["weights"]
    assert [row["parameters"] for row in rows] == [prod(row["shape"]) for row in rows]
    bits = int("".join(letter for letter in layer["verification"]["dtype"] if letter.isdigit()))
    matrices = sum(row["parameters"] for row in rows if len(row["shape"]) == 2)
    stacks = config["num_layers"] * (2 if config["bidirectional"] else 1)
    batch = 1 if input_["batch_size"] is None else input_["batch_size"]
    steps = batch if config["cell"] else sum(input_["lengths"] or [input_["seq_len"] * batch])
    width = config["proj_size"] or config["hidden_size"]
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[config["kind"]]
    finals = [t for name, t in layer["tensors"].items() if name.endswith(("_n", "_1"))]
    parameters = sum(row["parameters"] for row in rows)
    elements = {
        "parameter_bytes": parameters,
        "gradient_bytes": parameters,
        "adam_bytes": 2 * parameters,
        "state_bytes": sum(prod(tensor["shape"]) for tensor in finals),
        "activation_bytes": steps * (config["input_size"] + stacks * width),
        "gate_bytes": steps * stacks * gates * config["hidden_size"],
    }
    assert layer["totals"] == {
        "parameters": parameters,
        "macs": steps * matrices,
        "flops": 2 * steps * matrices,
        **{name: count * bits // 8 for name, count in elements.items()},
    }
    assert len(rows) == stacks * (2 + 2 * config["bias"] + (config["proj_size"] > 0))


@EACH_CASE
def test_shapes_axes_and_formulas_of_a_tensor_have_the_same_length(words: tuple[str, ...]) -> None:
    layer = module(words)
    for tensor in layer["tensors"].values():
        members = tensor["formula"][1:-1].removesuffix(",").split(", ")
        assert len(tensor["shape"]) == len(tensor["axes"]) == len(members)
        packed = "step" in tensor["axes"]
        assert ("batch" in tensor["axes"]) is (layer["input"]["batched"] and not packed)
    result = layer["tensors"]["h_1" if layer["config"]["cell"] else "output"]
    assert layer["next_linear"] == result["shape"][-1]


@EACH_CASE
def test_assumed_is_what_has_a_value_and_was_not_given(words: tuple[str, ...]) -> None:
    layer = module(words)
    option_of = {
        "input_size": ("--input", "--input-shape"),
        "hidden_size": ("--hidden",),
        "num_layers": ("--layers",),
        "bias": ("--no-bias",),
        "batch_first": ("--batch-first",),
        "dropout": ("--dropout",),
        "bidirectional": ("--bidir",),
        "proj_size": ("--proj",),
        "nonlinearity": ("--nonlinearity",),
        "batch_size": ("--batch", "--input-shape", "--lengths"),
        "seq_len": ("--seq", "--input-shape", "--lengths"),
    }
    value_of = {**layer["config"], **layer["input"]}
    assert layer["assumed"] == [
        name
        for name, options in option_of.items()
        if value_of[name] is not None and not any(option in words for option in options)
    ]


@EACH_CASE
def test_what_a_run_finds_is_null_without_one(words: tuple[str, ...]) -> None:
    whole, layer = document(words), module(words)
    verification = layer["verification"]
    if "--no-run" in words:
        assert whole["environment"]["torch"] is None
        assert {claim["holds"] for claim in layer["claims"]} <= {None}
        assert (verification["ran"], verification["agrees"]) == (False, None)
    else:
        without_values = "meta" in words or "0" in words
        assert whole["environment"]["torch"].startswith("2.")
        judged = {c["holds"] for c in layer["claims"] if not c["right"].startswith("(")}
        assert judged <= ({None} if without_values else {True})
        assert (verification["ran"], verification["agrees"]) == (True, True)
    assert verification["mismatches"] == []


@pytest.mark.parametrize(
    "words",
    [w for w in REQUESTS.values() if not {"--no-run", "--time"} & set(w)],
    ids=" ".join,
)
def test_a_run_changes_nothing_but_what_it_finds(words: tuple[str, ...]) -> None:
    run, formula = document(words), document((*words, "--no-run"))
    for whole in (run, formula):
        del whole["environment"]
        del whole["modules"][0]["verification"]
        for claim in whole["modules"][0]["claims"]:
            del claim["holds"]
    assert run == formula


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (("lstm", "--dropout", "0.25"), ["dropout-one-layer"]),
        (("lstm", "--proj", "35"), ["projection-saves-nothing"]),
        (("gru", "--batch", "6", "--seq", "6"), ["equal-sizes"]),
        (("gru", "--input-shape", "5,10,20"), ["batch-axis-unconfirmed"]),
        (("gru",), []),
    ],
    ids=["dropout", "projection", "equal sizes", "batch axis", "none"],
)
def test_findings_have_their_codes(words: tuple[str, ...], codes: list[str]) -> None:
    layer = module((*words, "--no-run"))
    assert [finding["code"] for finding in layer["findings"]] == codes


def test_integers_stay_exact_beyond_what_a_float_holds() -> None:
    layer = module(("lstm", "--hidden", str(BIG), "--no-run"))
    parameters = 4 * BIG * 20 + 4 * BIG * BIG + 2 * 4 * BIG
    assert float(BIG) != BIG
    assert layer["config"]["hidden_size"] == BIG
    assert layer["tensors"]["h_n"]["shape"] == [1, 5, BIG]
    assert layer["totals"]["parameters"] == parameters
    assert layer["totals"]["macs"] == 50 * (parameters - 2 * 4 * BIG)


def test_ratios_are_exact() -> None:
    rows = {
        row["label"]: row
        for row in module(("lstm", "--hidden", "40", "--layers", "4", "--bidir", "--no-run"))[
            "comparison"
        ]
    }
    assert rows["LSTM"]["parameters_ratio"] == rows["LSTM"]["macs_ratio"] == "1"
    assert rows["GRU"]["parameters_ratio"] == rows["GRU"]["macs_ratio"] == "3/4"
    assert rows["RNN"]["parameters_ratio"] == rows["RNN"]["macs_ratio"] == "1/4"
    projected, whole = rows["LSTM proj_size=20"]["parameters"], rows["LSTM"]["parameters"]
    assert (projected, whole) == (62 * 1_280, 107 * 1_280)
    assert rows["LSTM proj_size=20"]["parameters_ratio"] == "62/107"


def test_a_ratio_to_nothing_is_null() -> None:
    rows = module(("gru", "--batch", "0", "--no-run"))["comparison"]
    assert {row["macs_ratio"] for row in rows} == {None}
    assert {row["macs"] for row in rows} == {0}


# Every key there is: a projection, both states, claims of each kind, expectations.
RICH = (
    *("lstm", "--layers", "2", "--bidir", "--proj", "10", "--dropout", "0.5"),
    *("--expect", "h_n = 4,5,10", "--expect", "params > 1"),
)


def _refused(instance: object) -> bool:
    try:
        VALIDATOR.validate(instance)
    except ValidationError:
        return True
    return False


def test_a_document_with_a_key_renamed_or_missing_is_not_valid() -> None:
    whole = document((*RICH, "--with-state"))
    keys = [path for path in leaves(whole) if isinstance(path[-1], str)]
    assert len(keys) > 100
    for path in keys:
        for new_name in (f"{path[-1]}_", None):
            changed = deepcopy(whole)
            value = holder(changed, path).pop(path[-1])
            if new_name is not None:
                holder(changed, path)[new_name] = value
            assert _refused(changed), path


def test_a_document_with_a_number_that_passed_through_a_float_is_not_valid() -> None:
    whole = document((*RICH, "--with-state"))
    changed_paths = 0
    for path in leaves(whole):
        changed = deepcopy(whole)
        within = holder(changed, path)
        if type(within[path[-1]]) is int:
            changed_paths += 1
            for wrong in (float(within[path[-1]]), f"{within[path[-1]]:,}", True, None, -1):
                within[path[-1]] = wrong
                nullable = wrong is None and path[-1] == "batch_size"
                assert nullable or _refused(changed), (path, wrong)
    assert changed_paths > 50


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format_version",), "1.1"),
        (("modules",), []),
        (("modules", 0, "config", "kind"), "lstm"),
        (("modules", 0, "config", "dropout"), 1.5),
        (("modules", 0, "config", "nonlinearity"), "tanh"),
        (("modules", 0, "tensors", "output", "axes", 0), "time"),
        (("modules", 0, "claims", 0, "relation"), "="),
        (("modules", 0, "expectations", 0, "operator"), "=="),
        (("modules", 0, "expectations", 0, "formula"), ""),
        (("modules", 0, "weights", 0, "name"), "weight_l0"),
        (("modules", 0, "weights", 0, "formula"), "4*H_cell"),
        (("modules", 0, "comparison", 0, "parameters_ratio"), "0.75"),
        (("modules", 0, "verification", "dtype"), "float"),
        (("modules", 0, "verification", "device"), "tpu"),
        (("modules", 0, "verification", "agrees"), False),
        (("modules", 0, "verification", "ran"), False),
        (("modules", 0, "findings"), [{"code": "something", "message": "else"}]),
        (("environment", "torch"), None),
        (("modules", 0, "input", "batch_size"), None),
        (("modules", 0, "tensors", "c_n"), None),
    ],
    ids=lambda value: "/".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_document_with_a_word_that_is_none_of_ours_is_not_valid(
    path: tuple[str | int, ...], value: object
) -> None:
    whole = document(RICH)
    holder(whole, path)[path[-1]] = value
    assert _refused(whole)


def test_the_document_of_a_disagreement_names_it_and_is_as_the_schema_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = formulas._shapes

    def without_hidden_bias(*args: Any, **kwargs: Any) -> dict[str, tuple[int, ...]]:
        shapes = real(*args, **kwargs)
        return {name: shape for name, shape in shapes.items() if name != "bias_hh"}

    monkeypatch.setattr(formulas, "_shapes", without_hidden_bias)
    result = call("gru", "-f", "json")
    whole = json.loads(result.out)
    verification = whole["modules"][0]["verification"]
    assert result.code == 3
    assert problems(whole) == []
    assert verification["agrees"] is False
    assert verification["mismatches"] == [
        {"what": "bias_hh_l0", "predicted": None, "measured": [120]},
        {"what": "parameters", "predicted": 7_320, "measured": 7_440},
    ]


@pytest.mark.parametrize("difference", [float("nan"), float("inf")], ids=["NaN", "infinity"])
def test_a_difference_that_is_no_number_is_null_beside_its_mismatch(difference: float) -> None:
    predicted = predicted_report(RNNConfig(kind=Kind.GRU), InputSpec(), Settings(device="cuda"))
    mismatches = verify_differences(equations=None, device=difference, dtype=DType.FLOAT32)
    run = Run(
        torch_version="2.13.0",
        input_spec=predicted.input_spec,
        claims=(),
        mismatches=mismatches,
        device_difference=difference,
    )
    text = render_json(layer_document(replace(predicted, run=run), show=(), full=False))
    whole = json.loads(text, parse_constant=pytest.fail)
    assert problems(whole) == []
    verification = whole["modules"][0]["verification"]
    assert verification["device_difference"] is None
    assert [each["what"] for each in verification["mismatches"]] == ["the CPU's values"]


def test_what_json_cannot_say_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        render_json(Document(sections=(), verdicts=list, data=lambda: {"macs": float("nan")}))
