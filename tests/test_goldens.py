"""The goldens are not only what the program printed: each number is computed again.

PyTorch's own modules on the meta device, sums over the printed rows and plain arithmetic stand
against what the transcripts in `goldens/` show; nothing here comes from the program's formulas.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import pytest
import torch
from torch import nn

from tests.transcripts import ROOT, Step, steps

# PyTorch itself is asked for what the goldens show, warnings and all.
pytestmark = [
    pytest.mark.filterwarnings("ignore:dropout option adds dropout:UserWarning"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not:UserWarning"),
]

GOLDENS = sorted((ROOT / "tests/goldens").glob("*.md"))


@dataclass(frozen=True, kw_only=True)
class Golden:
    """What one command printed, its Markdown tables without their marks."""

    command: str
    lines: tuple[str, ...]

    @property
    def constructor(self) -> str:
        """The call in the first line, before the totals."""
        return self.heading[1]

    @property
    def heading(self) -> re.Match[str]:
        """The first line: the call, the parameters and their bytes."""
        text = " ".join(self.lines)
        line = re.match(r"(nn\.\w+\(.*?\)) +([\d,]+) +parameters, +([\d.]+) +(\w+)", text)
        assert line is not None
        return line

    def module(self, **changes: Any) -> Any:
        """The layer of the first line, without memory, with some arguments changed."""
        kind, arguments = re.fullmatch(r"nn\.(\w+)\((.*)\)", self.constructor).groups()  # type: ignore[union-attr]
        call = f"dict(zip(('input_size', 'hidden_size'), ({arguments.split(', ')[0]},"
        call += f" {arguments.split(', ')[1]})), {', '.join(arguments.split(', ')[2:])})"
        given: dict[str, Any] = {**eval(call), "kind": kind, **changes}  # noqa: S307 - our own file
        kind = given.pop("kind")
        if kind != "LSTM":
            given.pop("proj_size", None)
        if kind != "RNN":
            given.pop("nonlinearity", None)
        return getattr(nn, kind)(**given, device="meta").eval()

    def found(self, pattern: str) -> list[re.Match[str]]:
        """The lines that are as `pattern` says."""
        matches = (re.fullmatch(pattern, line) for line in self.lines)
        return [match for match in matches if match]


def _goldens(name: str) -> list[Golden]:
    text = (ROOT / "tests/goldens" / name).read_text()
    return [
        Golden(
            command=step.command,
            lines=tuple(map(_without_marks, step.expected.splitlines())),
        )
        for step in steps(text)
    ]


def _without_marks(line: str) -> str:
    unmarked = re.sub(r"[`\\]|\*\*", "", line)
    if line.startswith("|"):
        return "  ".join(cell.strip() for cell in unmarked.strip("|").split("|")).strip()
    return unmarked.removeprefix("- ")


TABLES = _goldens("table.md") + _goldens("markdown.md")
EACH_TABLE = pytest.mark.parametrize("golden", TABLES, ids=[golden.command for golden in TABLES])
ERRORS = list(steps((ROOT / "tests/goldens/errors.md").read_text()))

SHAPE = r"\([\d, ]+\)"
TENSORS = rf"(input|output|h_n, h_0|c_n, c_0) +({SHAPE})"
COMPARED = (
    r"(LSTM|GRU|RNN)(?: +(\(this\)|no --proj|--proj (\d+)))? +([\d,]+) +(\S+) +([\d,]+)(?: +(\S+))?"
)


def number(text: str) -> int:
    return int(text.replace(",", ""))


def shape(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in text.strip("()").split(",") if size.strip())


def parameters(module: Any) -> int:
    return sum(int(value.numel()) for value in module.parameters())


def multiply_adds(module: Any, steps_: int) -> int:
    """Every element of a matrix is used once a step and sequence."""
    return steps_ * sum(int(value.numel()) for value in module.parameters() if value.dim() == 2)


def printed_shapes(golden: Golden) -> dict[str, tuple[int, ...]]:
    """The shapes of the section on shapes."""
    rows = golden.found(rf"{TENSORS} +\([^)]*[A-Z][^)]*\).*")
    return {row[1]: shape(row[2]) for row in rows}


def steps_of(golden: Golden) -> int:
    """How often a cell is applied in one layer and direction: all of the input but features."""
    return prod(printed_shapes(golden)["input"][:-1])


def results(module: Any, size: tuple[int, ...], device: str = "meta") -> dict[str, torch.Tensor]:
    output, states = module(torch.randn(size, device=device))
    h_n, c_n = states if isinstance(states, tuple) else (states, None)
    return {"output": output, "h_n": h_n} | ({} if c_n is None else {"c_n": c_n})


def totals(module: Any, size: tuple[int, ...]) -> dict[str, int]:
    """Counts and bytes of float32, from PyTorch's own tensors."""
    given, steps_ = results(module, size), prod(size[:-1])
    own = 4 * parameters(module)
    return {
        "parameters": parameters(module),
        "parameter_bytes": own,
        "macs": multiply_adds(module, steps_),
        "flops": 2 * multiply_adds(module, steps_),
        "macs_per_step": multiply_adds(module, 1),
        "gradient_bytes": own,
        "adam_bytes": 2 * own,
        "input_bytes": 4 * prod(size),
        "output_bytes": given["output"].nbytes,
        "state_bytes": sum(value.nbytes for name, value in given.items() if name != "output"),
    }


def alike(name: str) -> Iterator[str]:
    """The weights that a row folds together: `weight_ih_l1..l3`."""
    stem, first, last = re.fullmatch(r"(\w+_l)(\d+)\.\.l(\d+)", name).groups()  # type: ignore[union-attr]
    for layer in range(int(first), int(last) + 1):
        yield f"{stem}{layer}"


def test_there_are_goldens_of_every_format() -> None:
    names = {
        "budget",
        "check",
        "compare",
        "errors",
        "expect",
        "formats",
        "inspect",
        "json",
        "markdown",
        "table",
    }
    assert {path.stem for path in GOLDENS} == names
    assert len(TABLES) > 10


@pytest.mark.parametrize("path", GOLDENS, ids=[path.name for path in GOLDENS])
def test_a_golden_is_ascii_without_trailing_blanks(path: Any) -> None:
    text = path.read_text()
    assert text.isascii()
    assert not any(line.endswith(" ") for line in text.splitlines())


@pytest.mark.parametrize(
    "step",
    list(steps((ROOT / "tests/goldens/table.md").read_text())),
    ids=lambda step: str(step.command),
)
def test_a_table_has_80_columns(step: Step) -> None:
    assert step.expected
    assert max(map(len, step.expected.splitlines())) <= 80


@EACH_TABLE
def test_the_heading_counts_the_parameters_and_their_bytes(golden: Golden) -> None:
    module = golden.module()
    assert number(golden.heading[2]) == parameters(module)
    itemsize = 2 if "bfloat16" in golden.command else 4
    unit = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}[golden.heading[4]]
    exact = Fraction(itemsize * parameters(module), unit)
    assert exact < 1000
    assert abs(Fraction(golden.heading[3]) - exact) <= exact / 200  # three digits


@EACH_TABLE
def test_the_verdict_repeats_the_shapes_and_the_parameters(golden: Golden) -> None:
    text = " ".join(" ".join(golden.lines).split())
    said = re.search(r"(?:ok: \S.*?|not run): (output .*?) ([\d,]+) parameters", text)
    shown = {"verification", "all"} & {*re.split(r"[ ,]", golden.command)}
    assert (said is None) is ("--show" in golden.command and not shown)
    if said is None:
        return
    printed = printed_shapes(golden)
    shapes = re.findall(rf"([\w ]+?) ({SHAPE})", said[1])
    named = {name: shape(size) for names, size in shapes for name in names.strip().split(" and ")}
    size = printed.get("input", (10, 5, golden.module().input_size))
    given = results(golden.module(), size)
    assert named == {name: tuple(value.shape) for name, value in given.items()}
    assert number(said[2]) == parameters(golden.module())


@EACH_TABLE
def test_shapes_are_those_that_pytorch_gives(golden: Golden) -> None:
    printed = printed_shapes(golden)
    if "input" not in printed:
        assert "--show" in golden.command
        return
    given = results(golden.module(), printed["input"])
    assert {names.split(", ")[0]: size for names, size in printed.items() if names != "input"} == {
        name: tuple(value.shape) for name, value in given.items()
    }
    (next_linear,) = golden.found(r"(?:assumed: .*; )?next nn\.Linear: D\*H_out = (\d+)")
    assert int(next_linear[1]) == given["output"].shape[-1]


@EACH_TABLE
def test_formulas_of_shapes_are_worth_the_shapes(golden: Golden) -> None:
    module, printed = golden.module(), printed_shapes(golden)
    if not printed:
        return
    sizes = list(printed["input"][:-1])
    symbols = {
        "H_in": module.input_size,
        "H_cell": module.hidden_size,
        "H_out": module.proj_size or module.hidden_size,
        "D": 2 if module.bidirectional else 1,
        "num_layers": module.num_layers,
        "N": 1 if len(sizes) == 1 else sizes.pop(0 if module.batch_first else 1),
        "L": sizes[0],
    }
    rows = golden.found(rf"(\S.*?) +({SHAPE})(?: +x [\d,]+)?(?: +[\d,]+)? +(\([^)]*[A-Z][^)]*\)).*")
    assert len(rows) >= len(printed)
    for row in rows:
        assert shape(row[2]) == eval(row[3], {}, symbols)  # noqa: S307 - our own file
    legend = " ".join(golden.lines)
    for symbol, value in symbols.items():
        shown = re.search(rf"(?<!\w){symbol}(?:=\w+)?=(\d+)", legend)
        assert shown is None or int(shown[1]) == value
    assert re.search(r"(?<!\w)D=[12]", legend)


@EACH_TABLE
def test_layouts_are_those_that_pytorch_gives(golden: Golden) -> None:
    rows = golden.found(rf"{TENSORS} +({SHAPE})")
    assert bool(rows) is ("--show all" in golden.command)
    for column, batch_first in ((2, False), (3, True)):
        sizes = {row[1].split(", ")[0]: shape(row[column]) for row in rows}
        if sizes:
            given = results(golden.module(batch_first=batch_first), sizes.pop("input"))
            assert sizes == {name: tuple(value.shape) for name, value in given.items()}


@EACH_TABLE
def test_weights_are_those_of_pytorch_and_their_sum_is_the_total(golden: Golden) -> None:
    names = r"((?:weight|bias)_\w+(?:\.\.l\d+)?)"
    rows = golden.found(rf"{names} +({SHAPE})(?: +x ([\d,]+))? +([\d,]+) +\(.*\)")
    totals = golden.found(r"total +(?:(\d+) +)?([\d,]+)(?: +[34] = gates .*)?")
    if not rows:
        assert not totals
        assert "--show" in golden.command
        return
    module = golden.module()
    own = dict(module.named_parameters())
    unfolded = "--full" in golden.command
    for row in rows:
        forward = list(alike(row[1])) if ".." in row[1] else [row[1]]
        both = [*forward, *(f"{name}_reverse" for name in forward if module.bidirectional)]
        meant = forward if unfolded else both
        assert {tuple(own.pop(name).shape) for name in meant} == {shape(row[2])}
        count = number(row[3] or "1")
        assert count == len(meant)
        assert number(row[4]) == count * prod(shape(row[2]))
    assert own == {}
    (total,) = totals
    assert number(total[2]) == sum(number(row[4]) for row in rows) == parameters(module)
    if not unfolded:
        assert number(total[1]) == sum(number(row[3]) for row in rows)


@EACH_TABLE
def test_compared_layers_count_what_pytorch_counts(golden: Golden) -> None:
    rows = golden.found(COMPARED)
    if not rows:
        assert "--show" in golden.command
        return
    assert [row[1] for row in rows if not row[3]].count("LSTM") in (1, 2)
    assert {row[1] for row in rows} == {"LSTM", "GRU", "RNN"}
    baseline = golden.module(kind="LSTM", proj_size=0)
    for row in rows:
        changes = {} if row[2] == "(this)" else {"kind": row[1], "proj_size": int(row[3] or 0)}
        module = golden.module(**changes)
        macs, base_macs = (multiply_adds(m, steps_of(golden)) for m in (module, baseline))
        assert number(row[4]) == parameters(module)
        assert number(row[6]) == macs
        assert_ratio(row[5], parameters(module), parameters(baseline))
        assert_ratio(row[7], macs, base_macs)


def assert_ratio(shown: str | None, part: int, whole: int) -> None:
    """Exact for halves, thirds and quarters; else to three digits."""
    if not whole:
        assert shown is None
        return
    assert shown is not None
    exact = Fraction(part, whole)
    if exact.denominator <= 4:
        assert Fraction(shown) == exact
    else:
        assert re.fullmatch(r"\d\.\d{3}", shown)
        assert abs(Fraction(shown) - exact) <= Fraction(1, 2000)


@EACH_TABLE
def test_what_is_said_of_projections_holds(golden: Golden) -> None:
    text = " ".join(golden.lines)

    def with_projection(size: int) -> int:
        return parameters(golden.module(proj_size=size))

    said = list(re.finditer(r"(?:--proj saves parameters|only) up to (\d+)", text))
    in_detail = "--show all" in golden.command or ",compare," in golden.command
    assert bool(said) is (golden.constructor.startswith("nn.LSTM") and in_detail)
    for match in said:
        saving = int(match[1])
        without = with_projection(0)
        assert with_projection(saving) < without
        # A projection as wide as hidden_size is none.
        if saving + 1 < golden.module().hidden_size:
            assert without <= with_projection(saving + 1)
    for match in re.finditer(r"(\d+) equals no projection", text):
        assert with_projection(int(match[1])) == with_projection(0)
    for match in re.finditer(r"(?:proj_size=)?(\d+) adds ([\d,]+)", text):
        assert with_projection(int(match[1])) - with_projection(0) == number(match[2])


@EACH_TABLE
def test_arithmetic_is_right(golden: Golden) -> None:
    sums = golden.found(r"(layers? \S+|parameters|MACs):? +([\d*+() -]+|[\d, +]+) = ([\d,]+)")
    assert bool(sums) is ("--show all" in golden.command)
    for row in sums:
        assert eval(row[2].replace(",", "")) == number(row[3])  # noqa: S307 - our own file
    whole = {row[1]: number(row[3]) for row in sums if not row[1].startswith("layer")}
    if whole:
        module = golden.module()
        assert whole == {
            "parameters": parameters(module),
            "MACs": multiply_adds(module, steps_of(golden)),
        }


@EACH_TABLE
def test_costs_are_those_of_pytorchs_tensors(golden: Golden) -> None:
    computed = golden.found(r"(MACs|MACs per step|FLOPs) +([\d,]+) +(?:L\*N x|one step|2 x).*")
    kept = golden.found(
        r"(parameters|gradients|Adam|input|output|states|inference|kept|training)"
        r" +([\d,]+) +[\d.]+ (?:[kM]B|bytes).*"
    )
    assert bool(computed) is bool(kept) is ("--show all" in golden.command)
    if kept:
        module = golden.module()
        known = totals(module, printed_shapes(golden)["input"])
        names = {"MACs": "macs", "FLOPs": "flops", "MACs per step": "macs_per_step"}
        names["Adam"] = "adam_bytes"
        found = {
            names.get(row[1], f"{row[1].removesuffix('s')}_bytes"): number(row[2])
            for row in (*computed, *kept)
        }
        passing = ("parameter_bytes", "input_bytes", "output_bytes", "state_bytes")
        assert found.pop("inference_bytes") == sum(known[name] for name in passing)
        trained = ("parameter_bytes", "gradient_bytes", "adam_bytes", "input_bytes")
        assert found.pop("training_bytes") == sum(known[name] for name in trained) + found.pop(
            "kept_bytes"
        )
        assert found == {name: value for name, value in known.items() if name != "parameters"}


@EACH_TABLE
def test_each_framework_adds_the_biases_it_says(golden: Golden) -> None:
    name = r"(PyTorch|Keras|Flax|ONNX|TensorFlow 1|MXNet|cuDNN|oneDNN|TensorRT|Core ML)"
    rows = golden.found(rf"{name} +(\S+) +(none|one|two) .*?([\d,]+)")
    assert bool(rows) is ("--show all" in golden.command)
    if rows:
        module = golden.module()
        matrices = [value for value in module.parameters() if value.dim() == 2]
        one = sum(len(value) for value in matrices if value.shape[0] % module.hidden_size == 0) // 2
        kept = {"none": 0, "one": one, "two": 2 * one}
        for row in rows:
            assert number(row[4]) == sum(value.numel() for value in matrices) + kept[row[3]]


@EACH_TABLE
def test_the_rows_of_a_gate_are_its_share_of_each_weight(golden: Golden) -> None:
    rows = golden.found(r"([ifgorznh]) +\[(\d+):(\d+)\] +W_.*")
    assert bool(rows) is ("--show all" in golden.command)
    if rows:
        module = golden.module()
        edges = [(int(row[2]), int(row[3])) for row in rows]
        assert "".join(row[1] for row in rows) in ("ifgo", "rzn", "h")
        assert edges == [
            (n * module.hidden_size, (n + 1) * module.hidden_size) for n in range(len(rows))
        ]
        assert edges[-1][1] == module.weight_ih_l0.shape[0]


@EACH_TABLE
def test_equalities_hold_when_they_are_evaluated(golden: Golden) -> None:
    claims = golden.found(r"((?:output|h_n)\S.*?) == (h_n\[-?\d+\])(?::| {3}).*")
    views = re.findall(r"h_n\.view\([^)]*\)(?=\[layer, dir\])", " ".join(golden.lines))
    assert bool(claims) is ("--show" not in golden.command or "--show all" in golden.command)
    if not claims:
        return
    module = golden.module().to_empty(device="cpu")
    for value in module.parameters():
        nn.init.uniform_(value, -0.5, 0.5)
    with torch.no_grad():
        given = results(module, printed_shapes(golden)["input"], "cpu")
    for claim in golden.found(r"((?:output|h_n|torch\.cat)\S.*?) (==|!=) (\S.*?)(?:: | {3}).*"):
        left, right = (
            eval(claim[side], {"torch": torch}, given)  # noqa: S307 - our own file
            for side in (1, 3)
        )
        equal = left == right if isinstance(right, tuple) else torch.equal(left, right)
        assert equal is (claim[2] == "=="), claim[0]
    for claim in claims:
        left, right = (eval(side, {}, given) for side in claim.groups())  # noqa: S307 - our own file
        assert left.numel() > 0
        assert torch.equal(left, right)
    in_detail = "--show all" in golden.command
    assert bool(views) is (in_detail and module.bidirectional)
    for view in views:
        viewed = eval(view, {}, given)  # noqa: S307 - our own file
        for layer in range(module.num_layers):
            for direction in range(2):
                assert torch.equal(viewed[layer, direction], given["h_n"][2 * layer + direction])


def test_the_batch_axis_that_is_asked_about_changes_h_n_as_it_says() -> None:
    (golden,) = (golden for golden in TABLES if "--input-shape" in golden.command)
    said = re.search(
        rf"output is ({SHAPE}) either way,\s+but h_n becomes ({SHAPE}) instead of ({SHAPE})",
        " ".join(golden.lines),
    )
    assert said is not None
    size = printed_shapes(golden)["input"]
    as_read = results(golden.module(), size)
    otherwise = results(golden.module(batch_first=True), size)
    assert shape(said[1]) == tuple(as_read["output"].shape) == tuple(otherwise["output"].shape)
    assert shape(said[2]) == tuple(otherwise["h_n"].shape)
    assert shape(said[3]) == tuple(as_read["h_n"].shape)


def test_the_json_counts_what_pytorch_counts() -> None:
    whole, filtered, _ = steps((ROOT / "tests/goldens/json.md").read_text())
    layer = json.loads(whole.expected)["modules"][0]
    module = nn.RNN(2, 3, bias=False, device="meta")
    assert layer["totals"].items() >= totals(module, (5, 4, 2)).items()
    assert layer["totals"]["kept_bytes"] == (5 + 1) * 4 * 3 * 4  # h_0 and the outputs
    assert layer["gates"] == {"h": [0, 3]}
    kept = {"none": 0, "one": 3, "two": 6}
    for row in layer["frameworks"]:
        assert row["parameters"] == parameters(module) + kept[row["biases"]]
    assert [(row["name"], tuple(row["shape"])) for row in layer["weights"]] == [
        (name, tuple(value.shape)) for name, value in module.named_parameters()
    ]
    given = results(module, (5, 4, 2))
    assert {name: tuple(layer["tensors"][name]["shape"]) for name in given} == {
        name: tuple(value.shape) for name, value in given.items()
    }
    for row in layer["comparison"]:
        sibling = getattr(nn, row["label"])(2, 3, bias=False, device="meta")
        assert row["parameters"] == parameters(sibling)
        assert row["macs"] == multiply_adds(sibling, 5 * 4)
        assert Fraction(row["parameters_ratio"]) == Fraction(row["parameters"], 4 * 15)
    deep = nn.LSTM(20, 40, num_layers=4, bidirectional=True, device="meta")
    of_deep = ast.literal_eval(filtered.expected.splitlines()[0])
    assert of_deep.items() >= totals(deep, (10, 5, 20)).items()
    # 7 numbers in each of 8 directions, and what 3 layers read.
    assert of_deep["kept_natively_bytes"] == 4 * 50 * (8 * 7 * 40 + 3 * 80)


@pytest.mark.parametrize("step", ERRORS, ids=[step.command for step in ERRORS])
def test_an_error_is_two_lines_and_exit_code_2(step: Step) -> None:
    error, hint = step.expected.splitlines()
    assert step.exit_code == 2
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    assert not error.endswith(".")
    assert not hint.endswith(".")


def test_every_size_that_a_projections_error_names_is_the_largest_that_saves() -> None:
    named = 0
    for step in ERRORS:
        match = re.search(
            r"hidden_size (\d+)\nhint: --proj (\d+) is the largest that saves", step.expected
        )
        if match:
            hidden, saving = int(match[1]), int(match[2])
            without, at, above = (
                parameters(nn.LSTM(20, hidden, proj_size=size, device="meta"))
                for size in (0, saving, saving + 1)
            )
            assert at < without <= above
            named += 1
    assert named == 2
