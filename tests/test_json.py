"""`-f json`: what it writes is what the schema in the package describes, exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from math import prod
from typing import Any

import pytest

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Document
from rnnshape.document.report import report_document
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.report import predicted_report
from rnnshape.layer.run import Outcome, Run
from rnnshape.layer.settings import DType, Settings
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.probes import within
from rnnshape.pytorch.probes.cpu_values import tolerance
from rnnshape.render.json import render_json
from tests.program import call
from tests.schemas import VALIDATORS, problems

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
    "trained": ("gru", "--train", "--seq", "2", "--optimizer", "sgd"),
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
    if not {"--time", "--train"} & set(words)
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


@EACH_CASE
def test_a_document_is_as_the_schema_says(words: tuple[str, ...]) -> None:
    assert problems(document(words), "report") == []


@EACH_CASE
def test_a_document_is_ascii_on_short_lines_and_ends_with_a_newline(words: tuple[str, ...]) -> None:
    text = _text(words)
    assert text.isascii()
    assert text.endswith("}\n")
    assert not any(line.endswith(" ") for line in text.splitlines())


def _pointwise(config: dict[str, Any]) -> dict[str, int]:
    """How many of each a number of the state takes, by the equations of the documentation."""
    relu = config["nonlinearity"] == "relu"
    sigmoids, tanhs, relus, products = {
        "LSTM": (3, 2, 0, 3),
        "GRU": (2, 1, 0, 3),
        "RNN": (0, int(not relu), int(relu), 0),
    }[config["kind"]]
    return {"sigmoids": sigmoids, "tanhs": tanhs, "relus": relus, "products": products}


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
    finals = [t for name, t in layer["tensors"].items() if name.endswith(("_n", "_1"))]
    parameters = sum(row["parameters"] for row in rows)
    elements = {
        "parameter_bytes": parameters,
        "gradient_bytes": parameters,
        "adam_bytes": 2 * parameters,
        "state_bytes": sum(prod(tensor["shape"]) for tensor in finals),
        "input_bytes": prod(layer["tensors"]["input"]["shape"]),
        "output_bytes": 0 if config["cell"] else prod(layer["tensors"]["output"]["shape"]),
    }
    in_bytes = {name: count * bits // 8 for name, count in elements.items()}
    weights, optimizer = (
        in_bytes["parameter_bytes"],
        0 if "sgd" in words else in_bytes["adam_bytes"],
    )
    kept, natively = (layer["totals"][name] for name in ("kept_bytes", "kept_natively_bytes"))
    assert (kept is None) == (natively is None) == (layer["totals"]["training_bytes"] is None)
    biases = parameters - matrices
    assert layer["totals"] == {
        "parameters": parameters,
        "macs": steps * matrices,
        "flops": 2 * steps * matrices,
        "macs_per_step": matrices,
        **in_bytes,
        "inference_bytes": weights
        + sum(in_bytes[f"{n}_bytes"] for n in ("input", "output", "state")),
        "optimizer_bytes": optimizer,
        "kept_bytes": kept,
        "kept_natively_bytes": natively,
        "training_bytes": None
        if kept is None
        else 2 * weights + optimizer + in_bytes["input_bytes"] + kept,
        "int8_bytes": matrices + 4 * biases,
        "int4_bytes": (matrices + 1) // 2 + 4 * biases,
        "pointwise": {
            name: count * steps * stacks * config["hidden_size"]
            for name, count in _pointwise(config).items()
        },
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
    [w for w in REQUESTS.values() if not {"--no-run", "--time", "--train"} & set(w)],
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
    return not VALIDATORS["report"].is_valid(instance)


_NULLABLE = {"batch_size", "kept_bytes", "kept_natively_bytes", "training_bytes"}


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
                nullable = wrong is None and path[-1] in _NULLABLE
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


@pytest.mark.usefixtures("disagreement")
def test_the_document_of_a_disagreement_names_it_and_is_as_the_schema_says() -> None:
    result = call("gru", "-f", "json")
    whole = json.loads(result.out)
    verification = whole["modules"][0]["verification"]
    assert result.code == 3
    assert problems(whole, "report") == []
    assert verification["agrees"] is False
    assert verification["mismatches"] == [
        {"what": "bias_hh_l0", "predicted": None, "measured": [120]},
        {"what": "weights", "predicted": 3, "measured": 4},
        {"what": "parameters", "predicted": 7_320, "measured": 7_440},
    ]


@pytest.mark.parametrize("difference", [float("nan"), float("inf")], ids=["NaN", "infinity"])
def test_a_difference_that_is_no_number_is_null_beside_its_mismatch(difference: float) -> None:
    subject = Subject(config=RNNConfig(kind=Kind.GRU), settings=Settings(device="cuda"))
    mismatches = within("the CPU's values", difference, tolerance(DType.FLOAT32))
    run = Run(
        torch_version="2.13.0",
        input_spec=subject.input_spec,
        claims=(),
        mismatches=mismatches,
        outcomes={"cpu_values": Outcome(value=difference, mismatches=mismatches)},
    )
    report = replace(predicted_report(subject), run=run)
    text = render_json(report_document(Inspection(report=report), show=()))
    whole = json.loads(text, parse_constant=pytest.fail)
    assert problems(whole, "report") == []
    verification = whole["modules"][0]["verification"]
    assert verification["device_difference"] is None
    assert [each["what"] for each in verification["mismatches"]] == ["the CPU's values"]


def test_what_json_cannot_say_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        render_json(Document(sections=(), verdicts=list, data=lambda: {"macs": float("nan")}))
