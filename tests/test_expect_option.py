"""`--expect` on the command line: what it prints, and the exit code."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from rnnshape.cli import exits
from rnnshape.cli.main import main
from rnnshape.layer.facts import Facts
from rnnshape.layer.run import Mismatch
from rnnshape.pytorch import run as pytorch_run
from rnnshape.render import Format
from tests.program import spawn
from tests.schemas import problems
from tests.transcripts import ROOT, steps

STACK = ["lstm", "--hidden", "48", "--layers", "4", "--bidir", "--show", "expectations"]
FORMULAS = [*STACK, "--no-run"]

CONSTRUCTOR = "nn.LSTM(20, 48, num_layers=4, bidirectional=True)"
THERE = (
    "input, h_0, c_0, output, h_n, c_n, parameters, macs, flops, parameter_bytes, next_linear,"
    " weight_ih_l0, weight_ih_l1..l3, weight_hh_l0..l3, bias_ih_l0..l3, bias_hh_l0..l3"
)


def expecting(*texts: str) -> list[str]:
    return [word for text in texts for word in ("--expect", text)]


def test_expectations_that_hold_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    given = expecting("output = 10,5,96", "params <= 200k", "weight_hh_l3_reverse = 192x48")
    assert main([*FORMULAS, *given]) == exits.SUCCESS
    assert capsys.readouterr() == ("ok: 3 of 3 expectations hold\n", "")


def test_one_that_holds_is_said_to_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FORMULAS, *expecting("next_linear = 96")]) == exits.SUCCESS
    assert capsys.readouterr().out == "ok: 1 of 1 expectation holds\n"


def test_a_failure_tells_expected_actual_and_formula(capsys: pytest.CaptureFixture[str]) -> None:
    given = expecting("output = 10,5,80", "h_n = 8,5,48", "weight_ih_l0 = 192x21")
    assert main([*FORMULAS, *given]) == exits.FAILED
    assert capsys.readouterr().out == (
        "FAILED: output = 10,5,80: it is (10, 5, 96), not (10, 5, 80)\n"
        "  (L, N, D*H_out) with H_out=48 hidden, D=2\n"
        "FAILED: weight_ih_l0 = 192x21: it is (192, 20), not (192, 21)\n"
        "  (4*H_cell, H_in) with H_in=20 input\n"
        "FAILED: 2 of 3 expectations\n"
    )


@pytest.mark.parametrize(
    ("expectation", "said"),
    [
        ("next_linear = 80", "it is 96, not 80\n"),
        ("next_linear <= 95", "it is 96, not at most 95\n"),
        ("next_linear >= 1k", "it is 96, not at least 1,000\n"),
        ("next_linear < 96", "it is 96, not less than 96\n"),
        ("next_linear > 96", "it is 96, not more than 96\n"),
    ],
)
def test_each_operator_is_said_in_words(
    expectation: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*FORMULAS, *expecting(expectation)]) == exits.FAILED
    formula = "  D*H_out with H_out=48 hidden, D=2\n"
    assert capsys.readouterr().out == f"FAILED: {expectation}: {said}{formula}"


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("lstm --hidden 8 --proj 3 --expect h_n=1", "H_out=3 proj"),
        ("lstm --hidden 8 --proj 3 --expect c_n=1", "H_cell=8 hidden"),
        ("lstm --hidden 8 --proj 3 --expect parameters=1", "H_cell=8 hidden, H_out=3 proj, D=1"),
        ("lstm --expect parameters=1", "H_in=20 input, H_out=H_cell=40 hidden, D=1"),
        ("lstm --dtype float16 --expect parameter_bytes=1", "itemsize=2 float16"),
        ("gru --layers 3 --expect h_n=1", "H_out=40 hidden, num_layers=3, D=1"),
        ("gru --lengths 3,2 --expect output=1", "N=2 batch, max(lengths)=3, H_out=40"),
        ("gru --lengths 3,2 --expect data=1", "sum(lengths)=5, H_in=20 input"),
    ],
)
def test_the_numbers_of_the_formula_are_named(
    words: str, numbers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    is_shape = "parameter" not in words
    given = f"{words}," if is_shape else words
    assert main([*given.split(), "--no-run", "--show", "expectations"]) == exits.FAILED
    assert f" {numbers}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            expecting("params"),
            (
                '--expect "params" has no operator',
                'quote it, or the shell interprets < and >: --expect "params <= 150k"',
            ),
        ),
        (
            expecting("params \u2264 150k"),  # in quotes already, but one letter for <=
            ('--expect "params \u2264 150k" has no operator', '--expect "params <= 150k"'),
        ),
        (
            ["--expect", "params", "=", "5"],
            (
                "unexpected = 5 after --expect",
                'quote it, or the shell interprets < and >: --expect "params <= 150k"',
            ),
        ),
        (
            ["--expect", "params", "150k"],  # --expect params >= 150k, less what the shell took
            (
                "unexpected 150k after --expect",
                'quote it, or the shell interprets < and >: --expect "params <= 150k"',
            ),
        ),
        (
            expecting(""),
            (
                '--expect "" is empty',
                'quote it, or the shell interprets < and >: --expect "params <= 150k"',
            ),
        ),
        (
            expecting("params => 150k"),
            (
                '--expect "params => 150k" has the unknown operator =>',
                '--expect "params >= 150k"',
            ),
        ),
        (
            expecting("params = 1.0005k"),
            (
                '--expect "params = 1.0005k": 1.0005k is not whole',
                '--expect "params = 1000"',
            ),
        ),
        (
            expecting("output = 10,5,96", "output <= 150k"),
            (
                '--expect "output <= 150k": output is a shape, and 150000 is a number',
                '--expect "output = 10,5,96"',
            ),
        ),
        (
            expecting("encoder/output = 10,5,96"),
            (
                '--expect "encoder/output = 10,5,96" is about encoder, which is not here',
                '--expect "output = 10,5,96"',
            ),
        ),
        (
            expecting("c_1 = 5,48"),
            (
                f'--expect "c_1 = 5,48": {CONSTRUCTOR} has no c_1',
                f'--expect "c_n = 5,48"; it has {THERE}',
            ),
        ),
    ],
)
def test_what_cannot_be_judged_is_refused_before_anything_runs(
    words: list[str],
    error: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("it ran")

    monkeypatch.setattr("rnnshape.pytorch.run.with_run", fail)
    file = tmp_path / "report.json"
    assert main([*STACK, "-o", str(file), *words]) == exits.REFUSED
    assert capsys.readouterr() == ("", "error: {}\nhint: {}\n".format(*error))
    assert not file.exists()


def test_a_disagreement_wins_over_a_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(_predicted: Facts, _measured: Facts) -> tuple[Mismatch, ...]:
        return (Mismatch(what="h_n", predicted=(8, 5, 48), measured=(4, 5, 48)),)

    assert main([*STACK, *expecting("params = 1")]) == exits.FAILED
    monkeypatch.setattr(pytorch_run, "verify", wrong)
    capsys.readouterr()
    assert main([*STACK, *expecting("params = 1")]) == exits.DISAGREEMENT
    out = capsys.readouterr().out
    assert out.index("MISMATCH: PyTorch") < out.index("FAILED: params = 1: it is 195,072")
    assert main([*STACK, *expecting("params > 1")]) == exits.DISAGREEMENT


def test_a_failure_is_shown_whatever_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["gru", "--no-run", "--show", "header"]
    assert main([*arguments, *expecting("params > 7k")]) == exits.SUCCESS
    assert capsys.readouterr().out == "nn.GRU(20, 40)   7,440 parameters, 29.8 kB\n"
    assert main([*arguments, *expecting("params > 8k")]) == exits.FAILED
    assert "FAILED: params > 8k: it is 7,440, not more than 8,000" in capsys.readouterr().out


def test_on_a_terminal_the_section_is_written_once_and_in_its_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code = main(["gru", "--color", "always", *expecting("params = 7440", "output = 1,2,3")])
    out = capsys.readouterr().out
    assert code == exits.FAILED
    assert out.count("\x1b[31mFAILED: \x1b[0moutput = 1,2,3") == 1
    places = [out.index(text) for text in ("compare", "ok: \x1b[0mtorch", "FAILED", "1 of 2")]
    assert places == sorted(places)


@pytest.mark.parametrize("output", Format, ids=lambda output: output.value)
def test_every_format_tells_expected_and_actual(
    output: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*FORMULAS, "-f", output.value, *expecting("params <= 150k")]) == exits.FAILED
    out = capsys.readouterr().out
    assert "150" in out
    assert "195072" in out.replace(",", "")


def test_a_file_is_written_when_an_expectation_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.md"
    assert main([*FORMULAS, "-o", str(file), *expecting("params = 1")]) == exits.FAILED
    assert file.read_text().startswith(
        "`rnnshape lstm --hidden 48 --layers 4 --bidir`: **FAILED**: `params = 1`: it is 195,072"
    )


def test_json_tells_each_expectation(capsys: pytest.CaptureFixture[str]) -> None:
    given = expecting("params <= 150k", "h_n == (8, 5, 48)")
    assert main([*FORMULAS, "-f", "json", *given]) == exits.FAILED
    whole = json.loads(capsys.readouterr().out)
    assert problems(whole, "report") == []
    (module,) = whole["modules"]
    first, second = module["expectations"]
    assert first.pop("formula").startswith("D*(4*H_cell*H_in + ")
    assert first == {
        "text": "params <= 150k",
        "name": "parameters",
        "operator": "<=",
        "expected": 150_000,
        "actual": module["totals"]["parameters"],
        "holds": False,
    }
    assert second == {
        "text": "h_n == (8, 5, 48)",
        "name": "h_n",
        "operator": "=",
        "expected": [8, 5, 48],
        "actual": module["tensors"]["h_n"]["shape"],
        "holds": True,
        "formula": module["tensors"]["h_n"]["formula"],
    }


def test_of_several_targets_each_must_hold_what_is_expected(
    capsys: pytest.CaptureFixture[str],
) -> None:
    targets = ["inspect", "lstm", "gru", "--no-run"]
    assert main([*targets, *expecting("output = 10,5,40", "params > 1k")]) == exits.SUCCESS
    assert capsys.readouterr().out.count("ok: 2 of 2 expectations hold\n") == 2
    given = expecting("output = 10,5,40", "params = 9920")
    assert main([*targets, "--show", "header", *given]) == exits.FAILED
    assert capsys.readouterr().out.startswith(
        "nn.LSTM(20, 40)   9,920 parameters, 39.7 kB\n\n"
        "nn.GRU(20, 40)   7,440 parameters, 29.8 kB\n\n"
        "FAILED: params = 9920: it is 7,440, not 9,920\n"
    )
    assert main([*targets, "-f", "json", *given]) == exits.FAILED
    whole = json.loads(capsys.readouterr().out)
    assert problems(whole, "report") == []
    held = [[each["holds"] for each in module["expectations"]] for module in whole["modules"]]
    assert held == [[True, True], [True, False]]
    assert main([*targets, *expecting("c_n = 1,5,40")]) == exits.REFUSED
    assert "nn.GRU(20, 40) has no c_n" in capsys.readouterr().err


def test_json_without_expectations_has_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gru", "--no-run", "-f", "json"]) == exits.SUCCESS
    assert json.loads(capsys.readouterr().out)["modules"][0]["expectations"] == []


def test_the_goldens_tell_what_pytorch_gives() -> None:
    """Each actual value of the failures in goldens/expect.md, asked of the real layer."""
    proven = 0
    for step in steps((ROOT / "tests/goldens/expect.md").read_text()):
        constructor = re.search(r"^\**`?(nn\.\w+\(.*\))", step.expected, re.MULTILINE)
        failure = re.search(r"FAILED\**: `?(\w+) .*: it is `?(.*?)`?, not", step.expected)
        if not (constructor and failure):
            continue
        layer = eval(constructor[1], {"nn": nn})  # noqa: S307 - our own file
        if "float16" in step.command:
            layer = layer.half()
        actual = ast.literal_eval(re.sub(r"(?<=\d),(?=\d)", "", failure[2]))
        assert actual == _asked(layer, failure[1], packed="--lengths 7,3,2" in step.command)
        proven += 1
    assert proven == 6


def _asked(layer: nn.Module, name: str, *, packed: bool) -> object:
    weights = dict(layer.named_parameters())
    if name in weights:
        return tuple(weights[name].shape)
    if name == "params":
        return sum(weight.numel() for weight in weights.values())
    if name == "parameter_bytes":
        return sum(weight.nbytes for weight in weights.values())
    if name == "h_1":
        return tuple(layer(torch.zeros(5, 20)).shape)
    assert name == "output"
    read: Any = torch.zeros(10, 5, 20)
    if packed:
        read = nn.utils.rnn.pack_padded_sequence(torch.zeros(7, 3, 20), torch.tensor([7, 3, 2]))
    output = layer(read)[0]
    return tuple((nn.utils.rnn.pad_packed_sequence(output)[0] if packed else output).shape)


def test_a_process_ends_with_the_code() -> None:
    result = spawn("gru", "--no-run", "--show", "header", *expecting("params = 1"))
    assert (result.code, result.err) == (1, "")
    assert "FAILED: params = 1: it is 7,440, not 1\n" in result.out
