"""examples/rnnshape.toml: it holds, and no line of it could say something else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from rnnshape.analysis.expectation import Operator, parse_expectation
from tests.program import Result, call
from tests.transcripts import ROOT

FILE: Final = ROOT / "examples/rnnshape.toml"
TEXT: Final = FILE.read_text()
DEMANDS: Final = re.findall(r'"([\w/]+ (?:[<>]?=|[<>]) [^"]+)"', TEXT)
# The numbers of what is not an expectation: sizes of the layers, of their input, and of a match.
SIZES: Final = [
    match.start() + size.start()
    for match in re.finditer(r"^(?!expect)\w+ = [^#\n]*", TEXT, re.MULTILINE)
    for size in re.finditer(r"\b\d+\b", match[0])
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the test is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_example_holds_and_its_layers_run() -> None:
    result = call("check", str(FILE))
    assert result.code == 0, result
    assert f"ok: all {len(DEMANDS) + 1} expectations of {TEXT.count('[modules.')} modules hold" in (
        result.out.splitlines()
    )


def test_the_example_shows_every_way_to_compare_and_to_write_a_value() -> None:
    assert {parse_expectation(demand).operator for demand in DEMANDS} == set(Operator)
    values = [re.split("[<>=]+ ", demand)[1] for demand in DEMANDS]
    for form in (
        r"\d+,\d+",
        r"\d+x\d+x\d+",
        r"\(\d+, \d+\)",
        r"\d+_\d+",
        r"\d+",
        r"\d+M",
        r"\d+KiB",
    ):
        assert any(re.fullmatch(form, value) for value in values), form


@pytest.mark.parametrize("demand", DEMANDS)
def test_another_value_fails_at_its_line(demand: str, folder: Path) -> None:
    assert TEXT.count(f'"{demand}"') == 1
    wrong = falsified(demand)
    line = TEXT[: TEXT.index(f'"{demand}"')].count("\n") + 1
    result = check(TEXT.replace(f'"{demand}"', f'"{wrong}"'), folder)
    assert result.code == 1
    (failure,) = re.findall(r"^(\S+?):(\d+): \w+: FAILED: (.*): it is ", result.out, re.MULTILINE)
    assert failure == (FILE.name, str(line), wrong)


@pytest.mark.parametrize(
    "place", SIZES, ids=lambda place: f"line {TEXT[:place].count(chr(10)) + 1}"
)
def test_another_size_does_not_pass(place: int, folder: Path) -> None:
    text = TEXT[:place] + re.sub(r"\d+", lambda size: str(int(size[0]) + 1), TEXT[place:], count=1)
    assert check(text, folder).code in (1, 2)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (", bidirectional=True", ""),
        (" --batch-first", ""),
        (", batch_first=True", ""),
        ("gru --", "lstm --"),
        ("nn.GRUCell", "nn.LSTMCell"),
        ("bfloat16", "float32"),
    ],
)
def test_another_layer_does_not_pass(old: str, new: str, folder: Path) -> None:
    assert TEXT.count(old) == 1
    assert check(TEXT.replace(old, new), folder).code in (1, 2)


def falsified(demand: str) -> str:
    """The same with a value that cannot hold: one more where it is equal, or a far limit."""
    operator = parse_expectation(demand).operator
    if operator is Operator.EQUAL:
        return re.sub(r"(\d+)(?=\)?$)", lambda size: str(int(size[1]) + 1), demand)
    far = "1" if operator in (Operator.AT_MOST, Operator.LESS) else "1T"
    return re.sub(r"\S+$", far, demand)


def check(text: str, folder: Path) -> Result:
    (folder / FILE.name).write_text(text)
    return call("check", "--no-run")
