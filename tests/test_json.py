"""`-f json`: what it writes is what the schema in the package describes, exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from importlib.resources import files
from math import prod
from typing import Any, get_args

import pytest
import torch
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from rnnshape.analysis.frameworks import counterparts
from rnnshape.document.findings import finding_code
from rnnshape.layer import formulas
from rnnshape.layer.config import DType, InputSpec, Kind, RNNConfig
from rnnshape.layer.facts import Tensor
from rnnshape.layer.findings import Finding
from tests.program import call

SCHEMA = json.loads((files("rnnshape") / "schemas" / "report-1.0.json").read_text(encoding="utf-8"))
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
    "meta device": ("lstm", "--device", "meta"),
    "cell": ("lstm", "--cell"),
    "cell with states": ("gru", "--cell", "--with-state"),
    "cell, unbatched": ("rnn", "--cell", "--unbatched", "--nonlinearity", "relu"),
    "cell without biases": ("lstm", "--cell", "--no-bias", "--batch", "6", "--hidden", "6"),
    "packed": ("lstm", "--lengths", "7,3,2"),
    "packed, unsorted, both ways": ("gru", "--lengths", "2,7,3", "--bidir", "--layers", "2"),
    "packed, padded further": ("rnn", "--lengths", "3,2", "--seq", "5", "--batch-first"),
    "packed, with states": ("lstm", "--lengths", "3,3", "--with-state", "--proj", "10"),
    "batch and seq swapped": ("gru", "--batch", "10", "--seq", "64"),
    "double precision": ("rnn", "--dtype", "double"),
    "complex numbers": ("rnn", "--dtype", "complex64"),
    "hidden size of 1": ("lstm", "--hidden", "1"),
    "dropout without effect": ("lstm", "--dropout", "0.25"),
    "projection that costs": ("lstm", "--proj", "35"),
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


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_object_of_the_schema_is_closed_and_requires_what_it_lists_except_some_tensors() -> (
    None
):
    objects = [SCHEMA, SCHEMA["properties"]["environment"], *SCHEMA["$defs"].values()]
    of_some_layers = {"data", "output", "h_n", "h_1", "c_0", "c_n", "c_1"}
    for described in objects:
        if described.get("type") == "object":
            optional = set(described["properties"]) - set(described["required"])
            tensors = described is SCHEMA["$defs"]["tensors"]
            assert described["additionalProperties"] is False, described["description"]
            assert optional == (of_some_layers if tensors else set()), described["description"]


def test_everything_in_the_schema_is_described() -> None:
    for described in (SCHEMA, SCHEMA["properties"]["environment"], *SCHEMA["$defs"].values()):
        for name, property_ in described.get("properties", {}).items():
            reference = property_.get("$ref", "").rpartition("/")[2]
            assert property_.get("description") or SCHEMA["$defs"][reference]["description"], name


def test_the_enumerations_of_the_schema_are_those_of_the_program() -> None:
    definitions = SCHEMA["$defs"]
    codes = {finding_code(kind.__new__(kind)) for kind in get_args(Finding)}
    assert definitions["config"]["properties"]["kind"]["enum"] == [kind.value for kind in Kind]
    assert definitions["verification"]["properties"]["dtype"]["enum"] == [d.value for d in DType]
    assert set(definitions["finding"]["properties"]["code"]["enum"]) == codes
    every: list[Tensor] = []
    for cell, lengths in ((False, None), (False, (3, 2)), (True, None)):
        config = RNNConfig(kind=Kind.LSTM, cell=cell)
        spec = InputSpec(batch_size=2, seq_len=3, lengths=lengths)
        every += formulas.layout(config, spec, formulas.plain_sizes(config, spec)).values()
    axes = {axis for tensor in every for axis in tensor.axes}
    assert set(definitions["tensor"]["properties"]["axes"]["items"]["enum"]) == axes
    assert set(definitions["tensors"]["properties"]) == {tensor.name for tensor in every}
    letters = {letter for kind in Kind for letter in kind.gate_names}
    gates = definitions["module"]["properties"]["gates"]["propertyNames"]["enum"]
    assert set(gates) == letters
    counted = [row for kind in Kind for row in counterparts(RNNConfig(kind=kind))]
    counterpart = definitions["counterpart"]["properties"]
    assert set(counterpart["framework"]["enum"]) == {row.framework for row in counted}
    assert set(counterpart["biases"]["enum"]) == {row.biases for row in counted} | {"none"}


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
    batch = 1 if input_["batch_size"] is None else input_["batch_size"]
    steps = batch if config["cell"] else sum(input_["lengths"] or [input_["seq_len"] * batch])
    parameters = sum(row["parameters"] for row in rows)
    results = [tensor for name, tensor in layer["tensors"].items() if name[1:] in ("_n", "_1")]
    features = config["proj_size"] or config["hidden_size"]
    copies = config["num_layers"] * (2 if config["bidirectional"] else 1)
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[config["kind"]]
    assert len(results) == (2 if config["kind"] == "LSTM" else 1)
    assert layer["totals"] == {
        "parameters": parameters,
        "parameter_bytes": parameters * bits // 8,
        "macs": steps * matrices,
        "flops": 2 * steps * matrices,
        "gradient_bytes": parameters * bits // 8,
        "adam_bytes": 2 * (parameters * bits // 8),
        "state_bytes": sum(prod(tensor["shape"]) for tensor in results) * bits // 8,
        "activation_bytes": steps * (config["input_size"] + copies * features) * bits // 8,
        "gate_bytes": steps * copies * gates * config["hidden_size"] * bits // 8,
    }
    stacks = config["num_layers"] * (2 if config["bidirectional"] else 1)
    assert len(rows) == stacks * (2 + 2 * config["bias"] + (config["proj_size"] > 0))


@EACH_CASE
def test_shapes_axes_and_formulas_of_a_tensor_have_the_same_length(words: tuple[str, ...]) -> None:
    layer = module(words)
    for tensor in layer["tensors"].values():
        members = tensor["formula"].strip("()").split(", ")
        assert len(tensor["shape"]) == len(tensor["axes"]) == len(members)
        packed = tensor is layer["tensors"].get("data")
        assert ("batch" in tensor["axes"]) is (layer["input"]["batched"] and not packed)
        assert ("step" in tensor["axes"]) is packed
    result = layer["tensors"]["h_1" if layer["config"]["cell"] else "output"]
    assert layer["next_linear"] == result["shape"][-1]


@EACH_CASE
def test_the_batch_sizes_are_those_of_a_packed_sequence(words: tuple[str, ...]) -> None:
    layer = module(words)
    lengths, packed = layer["input"]["lengths"], layer["tensors"].get("data")
    if "--lengths" not in words:
        assert (lengths, layer["input"]["batch_sizes"], packed) == (None, None, None)
        return
    rows = [torch.zeros(length, 1) for length in lengths]
    sequence = torch.nn.utils.rnn.pack_sequence(rows, enforce_sorted=False)
    assert layer["input"]["batch_sizes"] == sequence.batch_sizes.tolist()
    assert packed["shape"] == [len(sequence.data), layer["config"]["input_size"]]


@EACH_CASE
def test_the_gates_share_the_rows_of_each_weight_in_order(words: tuple[str, ...]) -> None:
    layer = module(words)
    size, letters = layer["config"]["hidden_size"], layer["gates"]
    order = {"LSTM": "ifgo", "GRU": "rzn", "RNN": "h"}[layer["config"]["kind"]]
    assert "".join(letters) == order
    assert list(letters.values()) == [[n * size, (n + 1) * size] for n in range(len(order))]
    assert layer["weights"][0]["shape"][0] == len(order) * size


@EACH_CASE
def test_the_frameworks_differ_in_their_biases_alone(words: tuple[str, ...]) -> None:
    layer = module(words)
    config, rows = layer["config"], layer["frameworks"]
    own, *others = [row["parameters"] for row in rows]
    gates = len(layer["gates"])
    copies = config["num_layers"] * (2 if config["bidirectional"] else 1)
    # Of the two bias vectors; an nn.GRU's candidate has two that act apart.
    kept = {"none": 0, "one": gates, "one, and b_hn": gates + 1, "two": 2 * gates}
    assert own == layer["totals"]["parameters"]
    assert len(others) == (0 if config["proj_size"] else {"GRU": 5}.get(config["kind"], 3))
    for row in rows:
        missing = (kept[rows[0]["biases"]] - kept[row["biases"]]) * config["hidden_size"]
        assert row["parameters"] == own - copies * missing


def test_timings_are_of_the_three_kinds_in_seconds() -> None:
    layer = module(("gru", "--hidden", "4", "--time"))
    names = ["nn.LSTM(20, 4)", "nn.GRU(20, 4)", "nn.RNN(20, 4)"]
    assert problems(document(("gru", "--hidden", "4", "--time"))) == []
    assert [timing["constructor"] for timing in layer["timings"]] == names
    for timing, gates in zip(layer["timings"], (4, 3, 1), strict=True):
        assert timing["macs"] == 50 * gates * 4 * (20 + 4)
        quartiles = [timing[f"{name}_seconds"] for name in ("lower_quartile", "median")]
        assert 0 < quartiles[0] <= quartiles[1] <= timing["upper_quartile_seconds"]
        assert timing["runs"] > 1


def test_the_equations_difference_is_there_when_the_gates_are_shown() -> None:
    def difference(*words: str) -> Any:
        return module(("gru", *words))["verification"]["equations_difference"]

    assert 0 <= difference("--show", "gates") < 1e-10
    assert difference() is None
    assert difference("--show", "gates", "--no-run") is None


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
        # What is said of shapes is judged where there are no values.
        of_values = [claim for claim in layer["claims"] if not claim["left"].endswith(".shape")]
        of_shapes = [claim for claim in layer["claims"] if claim["left"].endswith(".shape")]
        assert {claim["holds"] for claim in of_values} <= {None if without_values else True}
        assert {claim["holds"] for claim in of_shapes} <= {True}
        assert bool(of_values) is not ("--cell" in words and "--with-state" not in words)
        assert (verification["ran"], verification["agrees"]) == (True, True)
    assert verification["mismatches"] == []


@pytest.mark.parametrize(
    "words", [w for w in REQUESTS.values() if "--no-run" not in w], ids=" ".join
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
        (("gru", "--batch", "10", "--seq", "64"), ["batch-and-seq-swapped"]),
        (("gru", "--lengths", "7,3,2"), ["padded-rows"]),
        (("inspect", "nn.LSTM(3, 4, 2, True)"), ["bias-not-bidirectional"]),
        (("inspect", "nn.LSTM(3, 4, 2, bidirectional=1)"), ["flag-not-bool"]),
        (("inspect", "nn.LSTM(3, 4, True)"), ["size-not-int"]),
        (("gru",), []),
    ],
    ids=[
        *("dropout", "projection", "equal sizes", "batch axis", "swapped", "padded"),
        *("bias", "flag", "size", "none"),
    ],
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


# Every key there is: a projection, both states, claims of each kind.
RICH = ("lstm", "--layers", "2", "--bidir", "--proj", "10", "--dropout", "0.5")


def _refused(instance: object) -> bool:
    try:
        VALIDATOR.validate(instance)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize(
    ("words", "least"),
    [
        ((*RICH, "--with-state"), 200),
        ((*RICH, "--lengths", "3,2", "--show", "gates"), 200),
        (("lstm", "--cell", "--with-state"), 100),
        (("gru", "--hidden", "4", "--time"), 100),
    ],
    ids=["states", "packed", "cell", "time"],
)
def test_a_document_with_a_key_renamed_or_missing_is_not_valid(
    words: tuple[str, ...], least: int
) -> None:
    whole = document(words)
    keys = [path for path in leaves(whole) if isinstance(path[-1], str)]
    assert len(keys) > least
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
