"""`rnnshape check`: what holds and what fails, what is rewritten, and what CI gets."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rnnshape.analysis.expectation import Reference, judge, parse_expectation, restated
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.report import predicted_report
from rnnshape.layer.subject import Subject
from rnnshape.render import Format
from rnnshape.sources.registry import read_target
from rnnshape.words import basic_string
from tests.junit import junit
from tests.program import SCRIPT, Result, call, shell, spawn
from tests.schemas import problems
from tests.strategies import examples
from tests.terminal import ESCAPE, PLAIN, shown, without_rules

# An LSTM whose hidden_size was 40 when its expectations were written.
DRIFTED = """\
# Layers that the paper names.
[modules.encoder]
target = "nn.LSTM(20, 48, num_layers=4, bidirectional=True)"  # was 40
input_shape = [10, 5, 20]
expect = [
  "output = 10,5,80",  # [L, N, D*H_out]
  'h_n = 8x5x40',
    "params = 136_960", "macs <= 7M",
]

[modules.decoder]
target = "nn.GRU(80, 128)"
expect = ["output = (10, 5, 128)", "next_linear = 128"]
matches = "gru --input 80 --hidden 128"
"""


def _plain(text: str) -> object:
    """The value of an expectation, which refers to no other layer."""
    value = parse_expectation(text).value
    assert not isinstance(value, Reference)
    return value.plain


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, name: str = "rnnshape.toml") -> Path:
    path = Path(name)
    path.write_bytes(text.encode())
    return path


def module(name: str, target: str, *expect: str, **keys: str) -> str:
    lines = [f"[modules.{name}]", f'target = "{target}"', f"expect = {json.dumps(list(expect))}"]
    return "\n".join([*lines, *(f"{key} = {value}" for key, value in keys.items()), "", ""])


# What is said


def test_failures_come_first_then_every_module_then_the_sum() -> None:
    write(DRIFTED)
    parameters = sum(p.numel() for p in nn.LSTM(20, 48, 4, bidirectional=True).parameters())
    macs = 10 * 5 * 2 * 4 * 48 * (20 + 48 + 3 * (96 + 48))
    result = call("check")
    assert (result.code, result.err) == (1, "")
    assert result.out == (
        "rnnshape.toml:6: encoder: FAILED: output = 10,5,80: it is 10,5,96\n"
        "  (L, N, D*H_out) with H_out=48 hidden, D=2\n"
        "rnnshape.toml:7: encoder: FAILED: h_n = 8x5x40: it is 8,5,48\n"
        "  (D*num_layers, N, H_out) with H_out=48 hidden\n"
        f"rnnshape.toml:8: encoder: FAILED: params = 136_960: it is {parameters:,}\n"
        "  D*(4*H_cell*H_in + 4*H_cell*H_out + 4*H_cell + 4*H_cell) + (num_layers -\n"
        "  1)*D*(4*H_cell*D*H_out + 4*H_cell*H_out + 4*H_cell + 4*H_cell) with H_in=20\n"
        "  input, H_out=H_cell=48 hidden, num_layers=4, D=2\n"
        f"rnnshape.toml:8: encoder: FAILED: macs <= 7M: it is {macs:,}\n"
        "  L*N*(D*(4*H_cell*H_in + 4*H_cell*H_out) + (num_layers - 1)*D*(4*H_cell*D*H_out\n"
        "  + 4*H_cell*H_out)) with L=10 seq, N=5 batch, H_in=20 input, H_out=H_cell=48\n"
        "  hidden, num_layers=4, D=2\n"
        "\n"
        f"check    held{' ' * 64}h_n, c_n\n"
        "encoder   0/4  FAILED  nn.LSTM(20, 48, num_layers=4, bidirectional=True)   (8, 5, 48)\n"
        f"decoder   3/3  ok      nn.GRU(80, 128){' ' * 36}(1, 5, 128)\n"
        "\n"
        f"ok: torch {torch.__version__.partition('+')[0]} on cpu, float32, gives all 2 modules"
        " these shapes and weights\n"
        "If the new values are right, rnnshape check --update writes those after =.\n"
        "FAILED: 4 of 7 expectations, in 1 of 2 modules\n"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (module("a", "gru"), "ok: nothing is expected of 1 module\n"),
        (module("a", "gru", "params > 1"), "ok: the expectation of 1 module holds\n"),
        (
            module("a", "gru", "params > 1") + module("b", "gru", "macs > 1"),
            "ok: all 2 expectations of 2 modules hold\n",
        ),
        (module("a", "gru", "params > 1M"), "FAILED: 1 of 1 expectation, in 1 of 1 module\n"),
        (
            module("a", "gru", "params = 1", "params > 1"),
            (
                "If the new values are right, rnnshape check --update --no-run writes them.\n"
                "FAILED: 1 of 2 expectations, in 1 of 1 module\n"
            ),
        ),
    ],
    ids=["nothing", "one", "all", "limit", "value"],
)
def test_the_last_line_is_the_sum(text: str, said: str) -> None:
    write(text)
    result = call("check", "--no-run")
    assert result.out.endswith(f"\nnot run: by formula alone\n{said}")
    assert result.code == ("FAILED" in said)


@pytest.mark.parametrize("name", ["other.toml", "an 'odd' name.toml", "pyproject.toml"])
def test_the_command_that_is_proposed_works(name: str) -> None:
    root = "tool.rnnshape." if name == "pyproject.toml" else ""
    write(module("a", "gru", "params = 1").replace("[modules", f"[{root}modules"), name)
    said = call("check", name, "--no-run").out.replace("\n", " ")
    command = re.search(r"right, rnnshape (.*) writes them", said)
    assert command is not None
    done = shell(f"rnnshape {command[1]}")
    assert done.code == 0, done.err
    assert call("check", name, "--no-run").code == 0


def test_what_is_proposed_is_about_the_modules_that_were_looked_at() -> None:
    write(module("a", "gru", "params = 1") + module("b", "gru", "params = 2"))
    said = call("check", "--only", "a", "--dtype", "float64", "--no-run").out.replace("\n", " ")
    command = re.search(r"right, rnnshape (.*) writes them", said)
    assert command is not None
    assert call(*command[1].split()).code == 0
    assert call("check", "--only", "a", "--no-run").code == 0
    assert '"params = 2"' in Path("rnnshape.toml").read_text()


@pytest.mark.parametrize(
    ("other", "differences"),
    [
        ("nn.LSTM(20, 40, 2)", None),
        ("lstm --hidden 40 --layers 2 --dropout 0.5", None),  # which changes nothing in eval()
        ("nn.LSTM(20, 41, 2)", "hidden_size is 40 here, 41 there"),
        ("nn.GRU(20, 40, 2)", "class is nn.LSTM here, nn.GRU there"),
        ("nn.LSTM(21, 40, 3)", "input_size is 20 here, 21 there; num_layers is 2 here, 3 there"),
        ("nn.LSTM(20, 40, 2, batch_first=True)", "batch_first is False here, True there"),
        ("nn.LSTM(20, 40, 2, bidirectional=True, bias=False)",
         "bidirectional is False here, True there; bias is True here, False there"),
        ("nn.LSTM(20, 40, 2, proj_size=4)", "proj_size is 0 here, 4 there"),
        ("nn.LSTMCell(20, 40)",
         "class is nn.LSTM here, nn.LSTMCell there; num_layers is 2 here, 1 there"),
    ],
)  # fmt: skip
def test_a_module_matches_what_computes_the_same(other: str, differences: str | None) -> None:
    write(module("a", "nn.LSTM(20, 40, 2)", "params > 1", matches=f'"{other}"'))
    result = call("check", "--no-run")
    if differences is None:
        assert (result.code, "FAILED" in result.out) == (0, False)
        assert "2/2  ok" in result.out
    else:
        assert result.code == 1
        first = f"rnnshape.toml:4: a: FAILED: does not match {other}\n  {differences}\n"
        assert result.out.replace("\n  ", " ").startswith(first.replace("\n  ", " "))
        assert "1/2  FAILED" in result.out


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_what_print_does_not_tell_of_a_layer_is_no_difference(nonlinearity: str) -> None:
    target = f"nn.RNN(20, 40, nonlinearity='{nonlinearity}')"
    write(module("a", target, "params > 1", matches='"RNN(20, 40)"'))
    assert call("check", "--no-run").code == 0
    write(module("a", target, "params > 1", matches='"nn.RNN(20, 40)"'))
    assert call("check", "--no-run").code == (nonlinearity != "tanh")


def test_what_the_words_of_a_failing_target_show_stands_below_it() -> None:
    write(module("a", "nn.LSTM(20, 40, 4, True)", "output = 10,5,80") + module("b", "gru"))
    failure, _, note, *_ = call("check", "--no-run").out.splitlines()
    assert failure.startswith("rnnshape.toml:3: a: FAILED: output = 10,5,80: it is 10,5,40")
    assert note.startswith("note: a: True is bias, the fourth argument")
    write(module("a", "nn.LSTM(20, 40, 4, True)", "output = 10,5,40"))
    assert "note: " not in call("check", "--no-run").out
    (own,) = json.loads(call("check", "--no-run", "-f", "json").out)["modules"]
    assert [each["code"] for each in own["findings"]] == ["bias-not-bidirectional"]


def test_beyond_20_modules_only_those_that_fail_are_listed() -> None:
    held = "".join(module(f"m{n}", "gru", "params > 1") for n in range(20))
    write(held)
    assert call("check", "--no-run").out.count("  ok  ") == 20
    write(held + module("last", "gru", "params > 1"))
    out = call("check", "--no-run").out
    assert out == "not run: by formula alone\nok: all 21 expectations of 21 modules hold\n"
    write(held + module("last", "gru", "params > 1M"))
    out = call("check", "--no-run").out
    assert "\nlast    0/1  FAILED  nn.GRU(20, 40)  (1, 5, 40)\n" in out
    assert out.endswith("\nFAILED: 1 of 21 expectations, in 1 of 21 modules\n")


def test_every_module_is_checked_though_one_fails() -> None:
    write("".join(module(f"m{n}", "gru", "params = 1") for n in range(3)))
    out = call("check", "--no-run").out
    assert [line.split(": ")[1] for line in out.splitlines() if "FAILED: params" in line] == [
        "m0",
        "m1",
        "m2",
    ]


@pytest.mark.parametrize("width", [40, 80])
def test_nothing_is_wider_than_the_terminal_but_names(width: int) -> None:
    write(DRIFTED)
    screen = shown("check", "--no-run", columns=width, changes=PLAIN)
    longest = max(
        (line for line in screen.lines if not re.match(r"rnnshape\.toml:", line)), key=len
    )
    assert len(longest) <= width, longest
    for said in ("encoder", "decoder", "0/4", "3/3", "FAILED"):
        assert said in screen.text


def test_a_long_constructor_takes_that_of_no_module_off_the_screen() -> None:
    write(
        module("encoder", "nn.GRU(80, 128)", "params > 1")
        + module("prenet", "nn.RNN(20, 40, 2, nonlinearity='relu', batch_first=True)", "macs > 1")
    )
    assert shown("check", "--no-run", columns=80, changes=PLAIN).lines[:4] == [
        "check    held",
        "encoder   1/1  ok  nn.GRU(80, 128)",
        "prenet    1/1  ok  nn.RNN(20, 40, num_layers=2, nonlinearity='relu',",
        "                    batch_first=True)",
    ]


def test_colour_is_for_terminals_and_for_whoever_asks() -> None:
    write(DRIFTED)
    assert "\x1b" not in call("check", "--no-run").out
    coloured = call("check", "--no-run", "--color", "always").out
    assert "\x1b[" in coloured
    assert without_rules(ESCAPE.sub("", coloured)) == call("check", "--no-run").out
    assert shown("check", "--no-run", columns=120).text == coloured
    assert "\x1b" not in shown("check", "--no-run", changes=PLAIN).text


# Exit codes and streams, of a process


def run(*words: str) -> Result:
    return spawn("check", *words, program=SCRIPT)


def test_a_process_ends_with_the_code_of_what_it_found() -> None:
    write(module("a", "gru", "params > 1"))
    held = run("--no-run")
    assert (held.code, held.err) == (0, "")
    write(module("a", "gru", "params > 1M"))
    failed = run("--no-run")
    assert (failed.code, failed.err, "FAILED" in failed.out) == (1, "", True)
    write(module("a", "gruu", "params > 1M"))
    refused = run()
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: rnnshape.toml:2: a: gruu is not a layer")


def test_a_check_that_runs_says_so() -> None:
    write(DRIFTED)
    result = call("check")
    assert (result.code, result.err) == (1, "")
    assert f"ok: torch {torch.__version__.partition('+')[0]} on cpu, float32" in result.out


@pytest.mark.parametrize("expectation", ["params > 1", "params = 1"], ids=["held", "failed"])
@pytest.mark.usefixtures("disagreement")
def test_a_disagreement_wins_over_a_failure(expectation: str) -> None:
    write(module("a", "gru", expectation) + module("b", "nn.GRU(2, 3)"))
    result = call("check")
    assert result.code == 3
    assert (
        f"MISMATCH: PyTorch {torch.__version__.partition('+')[0]} on cpu, float32, disagrees with"
        " the formulas"
    ) in result.out
    assert "on 2 of 2 modules" in " ".join(result.out.split())
    assert "--update" not in result.out  # which would refuse
    assert "\nok: " not in result.out
    last = result.out.rpartition("please report it.\n")[2]
    assert " ".join(last.split()) in (
        "MISMATCH: 2 of 2 modules; FAILED: 1 of 1 expectation, in 1 of 2 modules",
        "MISMATCH: 2 of 2 modules; by disputed formulas the expectation of 2 modules holds",
    )
    assert re.search(r"^a +bias_hh_l0 +(\S+) +\(120,\)$", result.out, re.MULTILINE)
    assert re.search(r"^b +bias_hh_l0 +(\S+) +\(9,\)$", result.out, re.MULTILINE)


@pytest.mark.usefixtures("disagreement")
def test_a_disagreement_is_a_failure_for_every_format() -> None:
    write(module("a", "gru", "params > 1"))
    annotated = call("check", "-f", "github").out
    assert "::error file=rnnshape.toml,line=1,title=a::" in annotated
    assert "ok:" not in annotated
    root = junit(call("check", "-f", "junit").out)
    assert (root[0].attrib["failures"], root[0].attrib["skipped"]) == ("1", "1")
    assert json.loads(call("check", "-f", "json").out)["modules"][0]["verification"]["mismatches"]


def test_a_layer_that_cannot_run_is_told_at_its_line_and_the_others_are_tried() -> None:
    write(
        module("a", "gru", device='"cuda:99"')
        + module("b", "gru", "params > 1")
        + module("c", "nn.LSTM(65536, 65536, 64, bidirectional=True)")
    )
    result = call("check")
    assert (result.code, result.out) == (2, "")
    first, _, second, _ = result.err.splitlines()
    assert first.startswith("error: rnnshape.toml:4: a: device cuda:99")
    assert second.startswith("error: rnnshape.toml:10: c: ")


@pytest.mark.parametrize(
    ("keys", "line", "problem", "hint"),
    [
        ({"device": '"cuda:99"'}, 4, "device cuda:99: ", 'device = "cpu", or --no-run'),
        ({"dtype": '"complex32"'}, 4, "PyTorch does not run nn.GRU", 'dtype = "float32", or'),
        ({"batch_size": "100_000_000_000"}, 1, "a run on cpu needs ", "--no-run computes"),
    ],
)
def test_a_single_layer_that_cannot_run_is_told_in_the_words_of_the_manifest(
    keys: dict[str, str], line: int, problem: str, hint: str
) -> None:
    write(module("a", "gru", **keys))
    result = call("check")
    assert (result.code, result.out) == (2, "")
    error, said = result.err.splitlines()
    assert error.startswith(f"error: rnnshape.toml:{line}: a: {problem}")
    assert said.startswith(f"hint: {hint}")


@pytest.mark.parametrize("names", ["a", "ab"])
def test_what_keeps_every_module_from_running_is_told_once(names: str) -> None:
    write("".join(module(name, "gru") for name in names))
    result = call("check", "--device", "cuda:99")
    assert result.code == 2
    error, hint = result.err.splitlines()
    assert error.startswith("error: device cuda:99")
    assert hint.startswith("hint: --device cpu")


def test_files_get_the_check_too(folder: Path) -> None:
    write(DRIFTED)
    names = ("a.md", "a.json", "a.xml", "a.txt", "a.html", "a.csv", "a.svg", "a.tex")
    result = call("check", "--no-run", *(word for name in names for word in ("-o", name)))
    assert result.code == 1
    assert all("10,5,96" in (folder / name).read_text() for name in names if name != "a.json")
    assert json.loads((folder / "a.json").read_text())["held"] == 3
    assert (folder / "a.txt").read_text() == result.out


# --update


def updated(text: str, *words: str) -> tuple[Result, str]:
    path = write(text)
    result = call("check", "--update", *words)
    return result, path.read_bytes().decode()


def test_an_update_writes_the_values_that_failed_and_nothing_else() -> None:
    result, text = updated(DRIFTED)
    parameters = sum(p.numel() for p in nn.LSTM(20, 48, 4, bidirectional=True).parameters())
    assert text == (
        DRIFTED.replace("10,5,80", "10,5,96")
        .replace("8x5x40", "8x5x48")
        .replace("136_960", f"{parameters:_}")
    )
    assert result.code == 1  # the limit is exceeded still
    assert result.err == ""
    first, rest = result.out.split("\n\n", 1)
    assert first.splitlines() == [
        "rnnshape.toml:6: encoder: output = 10,5,80 -> output = 10,5,96",
        "rnnshape.toml:7: encoder: h_n = 8x5x40 -> h_n = 8x5x48",
        f"rnnshape.toml:8: encoder: params = 136_960 -> params = {parameters:_}",
    ]
    assert rest == call("check").out
    assert rest.startswith("rnnshape.toml:8: encoder: FAILED: macs <= 7M: it is ")


@pytest.mark.parametrize("words", [(), ("--no-run",)], ids=["run", "formulas"])
def test_an_update_makes_what_follows_succeed_and_the_next_one_do_nothing(
    words: tuple[str, ...],
) -> None:
    text = module("a", "gru", "params = 1", "output = 1,2", "macs >= 1")
    result, new = updated(text, *words)
    assert (result.code, result.err) == (0, "")
    assert call("check", *words).code == 0
    again, same = updated(new, *words)
    assert (again.code, again.out) == (0, "rnnshape.toml: every value after = is up to date\n")
    assert same == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("output = 10x5x80", "output = 10x5x96"),
        ("output=10X5X80", "output=10X5X96"),
        ("output = (10, 5, 80)", "output = (10, 5, 96)"),
        ("output == [10,5, 80]", "output == [10,5, 96]"),
        ("output  =  10, 5, 80 ", "output  =  10, 5, 96"),
        ("output = 10,5", "output = 10,5,96"),
        ("output = 10,5,80,1", "output = 10,5,96"),
        ("output = (10, 5, 80,)", "output = (10, 5, 96,)"),
        ("params = 136_960", "params = 195_072"),
        ("params = 136960", "params = 195072"),
        ("params = 150k", "params = 195072"),
        ("Params == 1.5M", "Params == 195072"),
        ("parameter_bytes = 2MiB", "parameter_bytes = 780288"),
        ("next_linear = 80", "next_linear = 96"),
        ("bias_ih_l0 = 160,", "bias_ih_l0 = 192,"),
        ("bias_ih_l0 = (160,)", "bias_ih_l0 = (192,)"),
        ("bias_ih_l0 = 1,2", "bias_ih_l0 = 192,"),
        ("weight_ih_l3_reverse = 1,2", "weight_ih_l3_reverse = 192,96"),
    ],
)
def test_an_update_keeps_the_way_a_value_is_written(old: str, new: str) -> None:
    layer = nn.LSTM(20, 48, 4, bidirectional=True)
    assert sum(p.numel() for p in layer.parameters()) == 195_072
    assert layer.state_dict()["weight_ih_l3_reverse"].shape == (192, 96)
    text = module("a", "nn.LSTM(20, 48, 4, bidirectional=True)", old)
    result, written = updated(text, "--no-run")
    assert written == text.replace(json.dumps(old), json.dumps(new))
    assert result.code == 0
    assert call("check", "--no-run").code == 0


@pytest.mark.parametrize(
    ("literal", "new"),
    [
        ("'params = 1'", "'params = 7440'"),
        ('"params = 1"', '"params = 7440"'),
        ('"params\\u0020= 1"', '"params = 7440"'),
        ('"""params = 1"""', '"params = 7440"'),
        ('"""\nparams = 1"""', '"params = 7440"'),
        ("'''\nparams\n = 1'''", '"params\\n = 7440"'),
        ("'params\t= 1'", '"params\\t= 7440"'),
    ],
)
def test_an_update_rewrites_any_kind_of_string(literal: str, new: str) -> None:
    text = f'[modules.a]\ntarget = "gru"\nexpect = [{literal}, # one\n"macs > 1"]\n'
    result, written = updated(text, "--no-run")
    assert written == text.replace(literal, new)
    assert result.code == 0
    assert result.out == "rnnshape.toml:3: a: params = 1 -> params = 7440\n"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: f"\ufeff{text}",
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", "  \t\n") + "\n\n# \u5c42 \U0001f600\n\n\n",
        lambda text: (
            text.replace("expect", "\t expect").replace("[", "[ ", 1).replace("]", " ]", 1)
        ),
        lambda text: f"[tool.other]\nx = [1,\n  2]\n{text}[[later]]\ny = 'params = 1'\n",
        lambda text: text + '[modules.b]\ntarget = "lstm"\nexpect = ["params = 1"]\n',
    ],
    ids=["CRLF", "BOM", "no newline", "blanks", "indentation", "other tables", "one more"],
)
def test_an_update_keeps_every_other_byte(wrap: Any) -> None:
    text = wrap('[modules.a]\ntarget = "gru"\nexpect = ["params = 1"]\n')
    root = "[tool.other]" in text
    path = write(text.replace("[modules", "[tool.rnnshape.modules") if root else text,
                 "pyproject.toml" if root else "rnnshape.toml")  # fmt: skip
    before = path.read_bytes()
    assert call("check", "--no-run", "--update", "--only", "a").code == 0
    assert path.read_bytes() == before.replace(b"params = 1", b"params = 7440", 1)


@pytest.mark.parametrize("value", ["true", "1", "True", "yes"])
def test_an_update_in_a_ci_job_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", value)
    for words in (("--update",), ("--init", "lstm")):
        path = write(DRIFTED)
        result = call("check", *words)
        assert (result.code, result.out) == (2, "")
        assert "CI is set" in result.err
        assert path.read_text() == DRIFTED
    monkeypatch.setenv("CI", "false")
    assert call("check", "--update", "--no-run").code == 1
    assert path.read_text() != DRIFTED


@pytest.mark.usefixtures("disagreement")
def test_nothing_is_updated_where_pytorch_disagrees() -> None:
    text = module("a", "gru", "params = 1")
    result, after = updated(text)
    assert (result.code, after) == (3, text)
    assert "disagrees with the formulas" in result.out


@pytest.mark.parametrize(
    "bad",
    [
        module("b", "gruu"),
        module("b", "gru", "nothing = 1"),
        module("b", "gru", expct="[]"),
        module("b", "gru", device='"cuda:99"'),
        "[",
    ],
    ids=["target", "expectation", "key", "device", "syntax"],
)
def test_nothing_is_updated_where_a_module_is_wrong(bad: str) -> None:
    text = module("a", "gru", "params = 1") + bad
    result, after = updated(text)
    assert (result.code, result.out, after) == (2, "", text)


@pytest.mark.parametrize("words", [("-f", "json"), ("-o", "a.json")], ids=" ".join)
@pytest.mark.parametrize("task", [("--update",), ("--init", "lstm")], ids=" ".join)
def test_a_task_that_writes_the_manifest_has_no_other_output(
    task: tuple[str, ...], words: tuple[str, ...], folder: Path
) -> None:
    result = call("check", *task, *words)
    assert (result.code, result.out, list(folder.iterdir())) == (2, "", [])
    assert f"{words[0]} cannot be combined with {task[0]}" in result.err


def test_update_and_init_are_one_or_the_other() -> None:
    for words in (("--update", "--init", "lstm"), ("--init", "lstm", "--only", "a")):
        result = call("check", *words)
        assert (result.code, result.out) == (2, "")
        assert "leave" in result.err


def test_an_update_goes_through_a_link_and_keeps_the_mode(folder: Path) -> None:
    text = module("a", "gru", "params = 1")
    (folder / "real").mkdir()
    real = write(text, "real/there.toml")
    real.chmod(0o640)
    Path("rnnshape.toml").symlink_to("real/there.toml")
    assert call("check", "--no-run", "--update").code == 0
    assert Path("rnnshape.toml").is_symlink()
    assert "params = 7440" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in folder.rglob("*")) == [
        "real",
        "rnnshape.toml",
        "there.toml",
    ]


def test_a_file_that_cannot_be_written_stays_and_is_told(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    path = write(DRIFTED)
    monkeypatch.setattr(os, "access", lambda *_args: False)  # permissions do not bind root
    result = call("check", "--no-run", "--update")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: cannot write rnnshape.toml: permission denied\nhint: ")
    assert path.read_text() == DRIFTED
    monkeypatch.undo()
    assert sorted(each.name for each in folder.iterdir()) == ["rnnshape.toml"]


@pytest.mark.parametrize("task", [("--update",), ("--init", "gru")], ids=" ".join)
def test_a_file_is_never_half_written(
    task: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    if task == ("--update",):
        write(DRIFTED)
    before = [path.name for path in folder.iterdir()]

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:3])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(Path, "write_bytes", full)
        result = call("check", "--no-run", *task)
    assert (result.code, result.out) == (2, "")
    assert "No space left on device" in result.err
    assert [path.name for path in folder.iterdir()] == before
    assert not before or Path("rnnshape.toml").read_text() == DRIFTED


UNITS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
UNITS_OF_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "KiB": 2**10, "MiB": 2**20, "TiB": 2**40}


@st.composite
def written_shapes(draw: st.DrawFn) -> tuple[str, int | tuple[int, ...]]:
    """A shape as someone may write it, and its sizes."""
    sizes = draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
    written = draw(st.sampled_from([",", ", ", "x", " x ", "X"])).join(map(str, sizes))
    first, last = draw(st.sampled_from([("", ""), ("(", ")"), ("[", "]")]))
    comma = "," if (len(sizes) == 1 and not first) or draw(st.booleans()) else ""
    return f"{first}{written}{comma}{last}", tuple(sizes)


@st.composite
def written_numbers(draw: st.DrawFn, units: Mapping[str, int]) -> tuple[str, int | tuple[int, ...]]:
    """A whole number as someone may write it, and its value."""
    whole = draw(st.integers(0, 10**9))
    unit = draw(st.sampled_from(list(units)))
    half = draw(st.booleans()) and units[unit] > 1
    written = f"{whole:_}" if draw(st.booleans()) else str(whole)
    value = (2 * whole + half) * units[unit] // 2
    return f"{written}{'.5' if half else ''}{unit}", value


NAMED_VALUES = st.one_of(
    st.tuples(st.sampled_from(["output", "h_n", "bias_hh_l0", "weight_hh_l1"]), written_shapes()),
    st.tuples(
        st.sampled_from(["params", "Parameters", "macs", "FLOPs", "next_linear"]),
        written_numbers(UNITS),
    ),
    st.tuples(st.just("parameter_bytes"), written_numbers(UNITS | UNITS_OF_BYTES)),
)


@examples(200)
@given(NAMED_VALUES, st.sampled_from(["=", "==", " = ", "  ==\t", "\n="]))
def test_a_restated_expectation_holds_and_is_written_alike(
    named: tuple[str, tuple[str, int | tuple[int, ...]]], sign: str
) -> None:
    report = predicted_report(Subject(config=RNNConfig(kind=Kind.GRU, num_layers=2)))
    name, (written, value) = named
    text = f"{name}{sign}{written}"
    assert _plain(text) == value
    predicted = judge(text, [report]).predicted
    actual = predicted.plain
    new = restated(text, predicted)
    assert _plain(new) == actual
    assert judge(new, [report]).holds
    assert new.startswith(f"{name}{sign}")
    if isinstance(actual, int):
        assert ("_" in new.partition("=")[2]) is ("_" in written and actual >= 1000)
    elif isinstance(value, tuple) and len(value) == len(actual):
        assert re.sub("[0-9]+", "N", new) == re.sub("[0-9]+", "N", text)
    assert _plain(f"{name} = {predicted.typed}") == actual


# -f json


@pytest.mark.parametrize("words", [(), ("--no-run",), ("--only", "decoder")], ids=" ".join)
@pytest.mark.parametrize(
    "text",
    [
        DRIFTED,
        module("decoder", "gru"),
        module("decoder", "rnn --cell --no-bias", "h_1 = 5,40", matches='"nn.RNNCell(20, 40)"'),
        module("decoder", "lstm --proj 9", "params < 1G", lengths="[3, 2]", dtype='"float64"'),
        module("decoder", "lstm --bidir", "c_n = 1,2", unbatched="true", matches='"gru"'),
        module("decoder", "nn.RNN(1, 2, nonlinearity='relu')", "flops >= 1", batch="0"),
    ],
    ids=["drifted", "nothing expected", "cell", "packed", "unbatched", "batch of 0"],
)
def test_the_document_is_as_the_schema_says(text: str, words: tuple[str, ...]) -> None:
    write(text)
    result = call("check", *words, "-f", "json")
    assert (result.code in (0, 1), result.err) == (True, "")
    assert problems(json.loads(result.out), "check") == []


@pytest.mark.usefixtures("disagreement")
def test_the_document_of_a_disagreement_is_as_the_schema_says() -> None:
    write(DRIFTED)
    whole = json.loads(call("check", "-f", "json").out)
    assert problems(whole, "check") == []
    assert [each["verification"]["agrees"] for each in whole["modules"]] == [False, False]


def test_the_document_counts_what_pytorch_counts() -> None:
    write(DRIFTED)
    whole = json.loads(call("check", "-f", "json").out)
    encoder, decoder = whole["modules"]
    layer = nn.LSTM(20, 48, num_layers=4, bidirectional=True)
    assert encoder["totals"]["parameters"] == sum(p.numel() for p in layer.parameters())
    shape = list(layer(torch.zeros(10, 5, 20))[0].shape)
    assert [(each["line"], each["actual"]) for each in encoder["expectations"]][:1] == [(6, shape)]
    assert encoder["expectations"][0]["expected"] == [10, 5, 80]
    assert (whole["file"], whole["expected"], whole["held"]) == ("rnnshape.toml", 7, 3)
    assert (encoder["matches"], decoder["matches"]["holds"]) == (None, True)


# --init


TARGETS = [
    *("lstm", "gru", "rnn", "lstm --cell", "gru --cell", "rnn --cell --nonlinearity relu"),
    *("lstm --proj 10 --layers 3 --bidir", "gru --bidir --batch-first", "rnn --no-bias"),
    *("lstm --input 3 --hidden 7 --dropout 0.1", "nn.GRUCell(3, 4)"),
    *("nn.LSTMCell(2, 3, bias=False)", "LSTM --hidden '4'"),
    *("nn.LSTM(20, 40, 4, True, True, 0.2, True, 3)", "torch.nn.GRU(input_size=3, hidden_size=4)"),
    *("nn.RNN(3, 4, nonlinearity='relu')", 'nn.RNN(3, 4, nonlinearity="tanh")'),
    *('lstm --hidden "4"', "nn.LSTM(\n  20,\n\t40)", "nn.GRU(2, 3, dtype=torch.float64)"),
]  # fmt: skip


def test_the_first_manifest_holds_for_every_kind_of_target() -> None:
    result = call("check", "--init", *TARGETS)
    assert (result.code, result.err) == (0, "")
    text = Path("rnnshape.toml").read_text()
    assert result.out == f"{text}\nwrote rnnshape.toml; rnnshape check judges each module by it\n"
    checked = call("check", "-f", "json")
    whole = json.loads(checked.out)
    assert checked.code == 0
    constructors = [each["constructor"] for each in whole["modules"]]
    assert constructors == [read_target(text).config.constructor for text in TARGETS]
    assert len({each["name"] for each in whole["modules"]}) == len(TARGETS)
    assert whole["held"] == whole["expected"] >= 3 * len(TARGETS)


def test_a_first_manifest_has_no_use_for_a_run(folder: Path) -> None:
    result = call("check", "--init", "lstm", "--no-run", "--dtype", "float16")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "error: --dtype cannot be combined with --init\nhint: leave --dtype out\n"
    )
    assert list(folder.iterdir()) == []
    assert call("check", "--init", "lstm", "--no-run").code == 0


def test_the_first_manifest_expects_what_pytorch_gives() -> None:
    call("check", "--init", "nn.LSTM(3, 7, 2, bidirectional=True)", "nn.GRUCell(3, 4)")
    layer, cell = nn.LSTM(3, 7, 2, bidirectional=True), nn.GRUCell(3, 4)
    result, (h_n, _) = layer(torch.zeros(10, 5, 3))
    text = Path("rnnshape.toml").read_text()
    assert f'"output = {",".join(map(str, result.shape))}"' in text
    assert f'"h_n = {",".join(map(str, h_n.shape))}"' in text
    assert f'"h_1 = {",".join(map(str, cell(torch.zeros(5, 3)).shape))}"' in text
    for each in (layer, cell):
        assert f'"parameters = {sum(p.numel() for p in each.parameters())}"' in text


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_manifest_that_is_there_is_not_replaced(kind: str, folder: Path) -> None:
    path = Path("rnnshape.toml")
    if kind == "file":
        write(DRIFTED)
    else:
        path.mkdir()
    result = call("check", "--init", "lstm")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: rnnshape.toml already exists\nhint: ")
    assert kind != "file" or path.read_text() == DRIFTED
    assert [each.name for each in folder.iterdir()] == ["rnnshape.toml"]


def test_a_first_manifest_of_bad_targets_tells_all_of_them(folder: Path) -> None:
    result = call("check", "--init", "lstm", "foo", "gru --hidden x")
    assert (result.code, result.out, list(folder.iterdir())) == (2, "", [])
    assert result.err.count("error: ") == 2
    result = call("check", "--init")
    assert result.err == (
        "error: --init needs a TARGET\n"
        'hint: name one after it: lstm, "gru --hidden 40", "nn.RNN(20, 40)"\n'
    )


# What CI services get


@pytest.fixture
def actions(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """A job of GitHub Actions, whose repository is the folder; the file of its summary."""
    summary = folder / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("CI", "true")
    return summary


def test_a_job_gets_annotations_and_the_same_stdout(
    actions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(DRIFTED)
    result = call("check", "--no-run")
    assert result.code == 1
    lines = result.err.splitlines()
    assert [line.partition("::o")[0] for line in lines[:1]] == [
        "::error file=rnnshape.toml,line=6,title=encoder"
    ]
    assert [re.search(r"line=(\d+)", line)[1] for line in lines] == ["6", "7", "8", "8"]  # type: ignore[index]
    assert lines[0].endswith(
        "::output = 10,5,80: it is 10,5,96%0A(L, N, D*H_out) with H_out=48 hidden, D=2"
    )
    assert actions.read_text().startswith("before\n### rnnshape check\n")
    monkeypatch.delenv("GITHUB_ACTIONS")
    outside = call("check", "--no-run")
    assert (outside.out, outside.err) == (result.out, "")
    assert actions.read_text().count("### rnnshape check") == 1


@pytest.mark.parametrize("words", [(), ("-f", "github")], ids=["table", "github"])
def test_an_annotation_names_the_file_from_the_root_of_the_repository(
    words: tuple[str, ...], actions: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "models/a, b").mkdir(parents=True)
    write(module("a", "gru", "params = 1"), "models/rnnshape.toml")
    monkeypatch.chdir("models/a, b")
    write(module("b", "gru", "params = 1"), "own.toml")
    elsewhere = folder.parent / "elsewhere.toml"
    elsewhere.write_text(module("c", "gru", "params = 1"))
    for file, named in (
        (None, "models/rnnshape.toml"),
        ("own.toml", "models/a%2C b/own.toml"),
        (str(folder / "models/rnnshape.toml"), "models/rnnshape.toml"),
        (str(elsewhere), str(elsewhere)),
    ):
        result = call("check", "--no-run", *filter(None, [file]), *words)
        written = result.out if words else result.err
        assert written.startswith(f"::error file={named},line=3,title=")
        assert (result.err == "") is bool(words)
    assert actions.read_text().count("### rnnshape check") == 4


def test_a_job_gets_a_summary_when_all_holds(actions: Path) -> None:
    write(module("a", "gru", "params > 1"))
    result = call("check", "--no-run")
    assert (result.code, result.err) == (0, "")
    text = actions.read_text()
    assert text.startswith("before\n### rnnshape check\n\n")
    assert "| `a` | 1/1 | ok | `nn.GRU(20, 40)` |" in re.sub(" +", " ", text)
    call("check", "--no-run")
    assert actions.read_text() == text + text.removeprefix("before\n")


def test_a_summary_that_cannot_be_written_is_no_failure(
    actions: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    write(module("a", "gru", "params > 1"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder))
    result = call("check", "--no-run")
    assert result.code == 0
    assert result.err == f"note: no summary in {folder}: Is a directory\n"
    assert "the expectation of 1 module holds" in result.out


def test_a_manifest_that_is_wrong_is_annotated_at_its_lines(actions: Path) -> None:
    write(module("a", "gruu") + module('"b,c"', "gru", "output"))
    result = call("check")
    assert (result.code, result.out) == (2, "")
    errors, annotations = result.err.splitlines()[:4], result.err.splitlines()[4:]
    assert [line.partition(": ")[0] for line in errors] == ["error", "hint"] * 2
    for place, error, hint, line in zip(
        ("line=2,title=a", "line=7,title=b%2Cc"),
        errors[::2], errors[1::2], annotations, strict=True,
    ):  # fmt: skip
        problem, advice = error.split(": ", 3)[3], hint.removeprefix("hint: ")
        assert line == f"::error file=rnnshape.toml,{place}::{problem}%0A{advice}"
        assert f"**ERROR**: {problem}; {advice}" in actions.read_text().replace("\\", "").replace(
            "`", ""
        )
    assert actions.read_text().startswith("before\n### rnnshape check\n")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"[modules.a]\ntarget = gru\n", "line=2"),
        (b"[modules.a]\n# \xff\n", "line=2"),
        (b"\na" + b".a" * 200 + b" = 1\n", "line=2"),
    ],
    ids=["syntax", "UTF-8", "a key of many parts"],
)
def test_a_manifest_that_cannot_be_read_is_annotated_at_its_line(
    text: bytes, place: str, actions: Path
) -> None:
    Path("rnnshape.toml").write_bytes(text)
    result = call("check")
    assert (result.code, result.out) == (2, "")
    _, _, annotation = result.err.splitlines()
    assert annotation.startswith(f"::error file=rnnshape.toml,{place},title=rnnshape.toml::")
    assert f"`rnnshape.toml:{place.removeprefix('line=')}`" in actions.read_text()


def test_a_request_that_is_refused_is_annotated(actions: Path) -> None:
    result = call("check", "missing.toml", "-f", "github")
    assert (result.code, result.out) == (2, "")
    _, _, annotation = result.err.splitlines()
    assert annotation == (
        "::error title=rnnshape::there is no file missing.toml"
        "%0Arnnshape check --help shows how to begin one"
    )
    assert "**ERROR**: there is no file missing.toml" in actions.read_text()


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_an_annotation_that_cannot_be_written_costs_nothing(stderr: str, actions: Path) -> None:
    write(module("a", "gru", "params = 1"))
    changes = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "/nowhere/summary"}
    result = shell(f"rnnshape check --no-run {stderr}", changes=changes)
    assert (result.code, result.err) == (1, "")
    assert result.out.startswith("rnnshape.toml:3: a: FAILED: params = 1: it is 7,440\n")
    assert actions.read_text() == "before\n"


def test_a_root_of_the_repository_that_is_a_loop_costs_nothing(
    actions: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "loop").symlink_to("loop")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder / "loop"))
    write(module("a", "gru", "params = 1"))
    result = call("check", "--no-run")
    assert result.code == 1
    assert result.err.startswith("::error file=rnnshape.toml,line=3,title=a::")


@pytest.mark.parametrize(
    "name", ["::error ::x", " \t::stop-commands::x", "##[add-mask]x", "a ##[x"]
)
def test_no_name_is_a_command_for_the_runner(name: str, actions: Path) -> None:
    write(module(basic_string(name), "gru", "params = 1") + module("b", "gruu"))
    told = call("check", "--no-run")
    assert told.code == 2
    write(module(basic_string(name), "gru", "params = 1"))
    failed = call("check", "--no-run")
    assert failed.code == 1
    for line in (told.err + failed.out).splitlines():
        annotation = line.startswith("::error file=rnnshape.toml,line=")
        assert annotation or not line.lstrip().startswith("::")
        assert "##[" not in line
    assert actions.read_text().startswith("before\n")


@pytest.mark.parametrize(
    ("name", "quoted"), [("-m.toml", "./-m.toml"), ("n\nl.toml", r"$'n\u000al.toml'")]
)
def test_the_command_that_updates_can_be_pasted_whatever_the_file_is_called(
    name: str, quoted: str
) -> None:
    write(module("a", "gru", "params = 1"), name)
    failed = " ".join(call("check", f"./{name}", "--no-run").out.split())
    update = f"rnnshape check {quoted} --update --no-run"
    assert f"If the new values are right, {update} writes them." in failed
    assert shell(update).code == 0


_MARKED_UP: Mapping[str, Callable[[str], list[str]]] = {
    "json": lambda text: [module["name"] for module in json.loads(text)["modules"]],
    "junit": lambda text: [suite.attrib["name"] for suite in junit(text)],
    "html": lambda text: re.findall('<th scope="row"><code>(.*?)</code>', html.unescape(text)),
    "svg": lambda text: re.findall("> *(##.*?)</text>", html.unescape(text)),
}


@pytest.mark.parametrize("format_", [each.value for each in Format])
def test_no_name_is_a_command_for_the_runner_in_any_format(format_: str) -> None:
    """Where a format can write the name so that whoever reads it gets the same, it does."""
    write(module(basic_string("##[error]x"), "gru", "params = 1"))
    out = call("check", "--no-run", "-f", format_).out
    assert "error]x" in out
    assert "##[" not in out
    if format_ in _MARKED_UP:
        assert _MARKED_UP[format_](out)[:1] == ["##[error]x"]


def test_junit_has_a_suite_a_module_and_a_case_an_expectation() -> None:
    write(DRIFTED)
    root = junit(call("check", "-f", "junit").out)
    assert (root.attrib["tests"], root.attrib["failures"]) == ("9", "4")
    suites = {suite.attrib["name"]: suite for suite in root}
    assert [case.attrib["name"] for case in suites["decoder"]] == [
        "output = (10, 5, 128)",
        "next_linear = 128",
        "matches gru --input 80 --hidden 128",
        "verification",
    ]
    texts = [failure.text or "" for failure in suites["encoder"].iter("failure")]
    places = [text.partition(": ")[0] for text in texts]
    assert places == [f"rnnshape.toml:{line}" for line in (6, 7, 8, 8)]
    assert call("check", "-f", "junit", "--no-run").code == 1


def test_what_was_not_run_is_skipped_not_passed() -> None:
    write(module("a", "gru", "params > 1"))
    root = junit(call("check", "-f", "junit", "--no-run").out)
    assert (root[0].attrib["failures"], root[0].attrib["skipped"]) == ("0", "1")


REFUSED = {
    "a target": (module("a", "gruu"), "a", "rnnshape.toml:2: gruu is not a layer"),
    "a key": (module("a", "gru", expct="[]"), "a", "rnnshape.toml:4: unknown key expct"),
    "a syntax": ("[modules.a", "rnnshape.toml", "rnnshape.toml:1: "),
    "a run": (module("a", "gru", device='"cuda:99"'), "a", "rnnshape.toml:4: device cuda:99"),
    "no file": (None, "rnnshape", "there is no rnnshape.toml"),
}


@pytest.mark.parametrize(("text", "suite", "said"), REFUSED.values(), ids=REFUSED)
def test_junit_has_an_error_for_what_is_refused(
    text: str | None, suite: str, said: str, folder: Path
) -> None:
    if text is not None:
        write(text)
    result = call("check", "-o", "a.xml", "-o", "a.md")
    assert (result.code, result.out) == (2, "")
    assert sorted(each.name for each in folder.glob("a.*")) == ["a.xml"]
    root = junit(Path("a.xml").read_text())
    assert (root.attrib["errors"], root.attrib["failures"]) == ("1", "0")
    assert root[0].attrib["name"] == suite
    (error,) = root.iter("error")
    assert (error.text or "").startswith(said)
    assert result.err.count("error: ") == 1
    printed = call("check", "-f", "junit")
    assert (printed.code, printed.out, printed.err) == (2, Path("a.xml").read_text(), result.err)


# -q and --exit-zero


def test_quiet_prints_failures_alone() -> None:
    write(DRIFTED)
    result = call("check", "--no-run", "-q")
    assert (result.code, result.err) == (1, "")
    assert result.out == call("check", "--no-run").out.partition("\n\ncheck  ")[0] + "\n"
    assert call("check", "--only", "decoder", "--quiet") == Result(code=0, out="", err="")
    assert shown("check", "--only", "decoder", "-q").text == ""
    assert shown("check", "-q", changes=PLAIN).text == result.out


@pytest.mark.usefixtures("disagreement")
def test_quiet_prints_what_pytorch_disagrees_on() -> None:
    write(module("a", "gru", "params > 1") + module("b", "nn.GRU(2, 3)"))
    result = call("check", "-q")
    assert result.code == 3
    assert result.out.startswith("MISMATCH: PyTorch ")
    assert result.out.endswith("please report it.\n")


def test_files_are_complete_however_quiet_stdout_is() -> None:
    write(DRIFTED)
    call("check", "--no-run", "-o", "all.txt")
    call("check", "--no-run", "-q", "-o", "quiet.txt")
    assert Path("quiet.txt").read_text() == Path("all.txt").read_text()


@pytest.mark.parametrize("words", [("-f", "json"), ("--update",), ("--init", "lstm")], ids=" ".join)
def test_quiet_is_for_the_text_of_a_check(words: tuple[str, ...]) -> None:
    write(DRIFTED)
    result = call("check", "-q", *words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: --quiet ")


def test_exit_zero_reports_all_and_fails_nothing() -> None:
    write(DRIFTED)
    failing = call("check", "--no-run")
    assert call("check", "--no-run", "--exit-zero") == Result(code=0, out=failing.out, err="")
    write(module("a", "gruu"))
    assert call("check", "--exit-zero").code == 2


@pytest.mark.usefixtures("disagreement")
def test_exit_zero_is_for_a_disagreement_too() -> None:
    write(module("a", "gru"))
    result = call("check", "--exit-zero")
    assert (result.code, "MISMATCH: " in result.out) == (0, True)


def test_the_verdict_is_the_last_line_and_red() -> None:
    write(DRIFTED)
    *_, last = call("check", "--no-run", "--color", "always").out.splitlines()
    assert last == "\x1b[31mFAILED: \x1b[0m4 of 7 expectations, in 1 of 2 modules"
    row = call("check", "--no-run", "--color", "always").out
    assert "  0/4  \x1b[31mFAILED\x1b[0m  nn.LSTM" in row
    assert "  3/3  \x1b[32mok\x1b[0m      nn.GRU" in row
