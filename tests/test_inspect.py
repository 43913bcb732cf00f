"""`rnnshape inspect`: the report of a layer that is written down, and what its text shows."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
import torch
from torch import nn

from rnnshape.cli import exits
from rnnshape.cli.main import main
from rnnshape.document.sections import MEASURED, SECTIONS
from tests.program import Result, call, spawn

MEANT = "nn.LSTM(20, 40, num_layers=4, bidirectional=True)"
UNCHECKED = "PyTorch builds the layer without a check"
# Sections with nothing in them to type: those differ, and say it as each target does.
_ADVISING = {"calls", "compare", "cost", *MEASURED, "expectations", "verification"}
WITHOUT_ADVICE = ",".join(
    name
    for name, entry in SECTIONS.items()
    if name not in (*_ADVISING, "matches") and not (entry.of_layers or entry.found)
)
NEITHER = "not a layer, an existing file or the path of a model"
FORMS = (
    '"lstm --hidden 40 --bidir", "nn.LSTM(20, 40, bidirectional=True)", weights.pt or net.py:Tagger'
)
RAISES = "its forward raises TypeError"


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == exits.SUCCESS
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(words) == exits.REFUSED
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def modules(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    found = json.loads(shown(capsys, "inspect", "--no-run", "-f", "json", *words))["modules"]
    assert isinstance(found, list)
    return found


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Any:
    def piped(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return piped


@pytest.mark.parametrize("format_", ["table", "markdown", "json"])
@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("nn.LSTM(20, 41, bidirectional=True)", "lstm --input 20 --hidden 41 --bidir"),
        ("nn.GRU(7, 8, 2, bias=False)", "gru --input 7 --hidden 8 --layers 2 --no-bias"),
        ("nn.RNNCell(20, 40)", "rnn --cell --input 20 --hidden 40"),
        ("lstm --proj 5 --input 3 --hidden 7", "lstm --proj 5 --input 3 --hidden 7"),
    ],
)
def test_it_says_what_the_layer_command_says(
    capsys: pytest.CaptureFixture[str], target: str, command: str, format_: str
) -> None:
    options = ["--batch", "2", "--show", WITHOUT_ADVICE, "-f", format_]
    assert shown(capsys, "inspect", target, *options) == shown(capsys, *command.split(), *options)


def test_numbers_are_those_of_the_module_that_the_text_builds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    [module] = modules(capsys, "nn.LSTM(20, 40, 4, True)", "--input-shape", "10,5,20")
    lstm = nn.LSTM(20, 40, 4, True)
    output, (h_n, c_n) = lstm(torch.zeros(10, 5, 20))
    tensors = module["tensors"]
    assert tensors["output"]["shape"] == list(output.shape)
    assert tensors["h_n"]["shape"] == list(h_n.shape)
    assert tensors["c_n"]["shape"] == list(c_n.shape)
    assert module["totals"]["parameters"] == sum(p.numel() for p in lstm.parameters())


@pytest.mark.parametrize(
    ("target", "code", "message"),
    [
        (
            "nn.LSTM(20, 40, 4, True)",
            "bias-not-bidirectional",
            f"True is bias, the fourth argument; {MEANT} is bidirectional",
        ),
        (
            "nn.RNN(20, 40, 4, 'tanh', False)",
            "bias-not-bidirectional",
            "False is bias, the fifth argument; nn.RNN(20, 40, num_layers=4) keeps the biases",
        ),
        (
            "nn.GRU(20, True)",
            "size-not-int",
            f"hidden_size=True is taken as hidden_size=1: {UNCHECKED}",
        ),
        (
            "nn.LSTM(20, 40, bidirectional=1)",
            "flag-not-bool",
            f"bidirectional=1 is taken as bidirectional=True: {UNCHECKED}, and {RAISES}",
        ),
    ],
)
def test_a_trap_is_a_finding(
    capsys: pytest.CaptureFixture[str], target: str, code: str, message: str
) -> None:
    [module] = modules(capsys, target)
    assert {"code": code, "message": message} in module["findings"]
    note = shown(capsys, "inspect", target, "--no-run", "--show", "findings")
    assert " ".join(note.split()).startswith(f"note: {message}")


def test_traps_come_before_what_else_there_is_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    [module] = modules(capsys, "nn.LSTM(20, 20, 1, True, dropout=0.5)")
    codes = [finding["code"] for finding in module["findings"]]
    assert codes == ["bias-not-bidirectional", "equal-sizes", "dropout-one-layer"]


def test_what_the_call_does_not_tell_is_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    told, flags = modules(capsys, "nn.LSTM(20, 40, 1)", "lstm --layers 1", "--seq", "10")
    assert not {"input_size", "hidden_size", "num_layers", "seq_len"} & set(told["assumed"])
    assert {"bias", "batch_size"} <= set(told["assumed"])
    assert {"input_size", "hidden_size"} <= set(flags["assumed"])


def test_several_targets_are_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    targets = ["nn.LSTM(20, 40)", "gru --hidden 3", "nn.RNNCell(2, 3)"]
    constructors = ["nn.LSTM(20, 40)", "nn.GRU(20, 3)", "nn.RNNCell(2, 3)"]
    assert [m["constructor"] for m in modules(capsys, *targets)] == constructors
    each = [shown(capsys, "inspect", target) for target in targets]
    assert shown(capsys, "inspect", *targets) == "\n".join(each)


@pytest.mark.parametrize("words", [(), ("-",)])
def test_stdin_has_a_target_a_line(
    capsys: pytest.CaptureFixture[str], stdin: Any, words: tuple[str, ...]
) -> None:
    stdin("\n# encoder\n  self.rnn = nn.LSTM(20, 40)  # first\n\n   # more\ngru --hidden 3\r\n")
    found = [module["constructor"] for module in modules(capsys, *words)]
    assert found == ["nn.LSTM(20, 40)", "nn.GRU(20, 3)"]


def test_stdin_stands_where_its_dash_stands(capsys: pytest.CaptureFixture[str], stdin: Any) -> None:
    stdin("nn.GRU(1, 2)\nnn.GRU(3, 4)")
    found = [m["constructor"] for m in modules(capsys, "nn.RNN(1, 1)", "-", "nn.RNN(2, 2)")]
    assert found == ["nn.RNN(1, 1)", "nn.GRU(1, 2)", "nn.GRU(3, 4)", "nn.RNN(2, 2)"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "gru\n\nfoo\ngru\nnn.LSTM(20)\nlstm --hidden x\n",
            [
                f"error: line 3: foo is {NEITHER}",
                f"hint: a target is {FORMS}",
                "error: line 5: nn.LSTM needs hidden_size; PyTorch raises TypeError",
                "hint: nn.LSTM(input_size=20, hidden_size=40)",
                "error: line 6: --hidden must be a whole number of 1 or more, not x",
                "hint: in the target: --hidden 40",
            ],
        ),
        (
            "nn.LSTM(30, 40)\n",
            [
                "error: line 1: --input-shape has input_size 20, but the target has 30",
                "hint: --input-shape 10,5,30",
            ],
        ),
        (
            "# nothing\n",
            [
                "error: stdin has no target",
                'hint: rnnshape inspect "nn.LSTM(20, 40, num_layers=4)"',
            ],
        ),
    ],
    ids=["bad lines", "bad size", "empty"],
)
def test_a_bad_stdin_writes_nothing_but_what_is_wrong(
    capsys: pytest.CaptureFixture[str], stdin: Any, text: str, lines: list[str]
) -> None:
    stdin(text)
    assert refused(capsys, "inspect", "--no-run", "--input-shape", "10,5,20") == lines


def test_stdin_that_is_no_text_or_not_there_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))
    assert refused(capsys, "inspect")[0] == "error: stdin is not UTF-8 text"
    monkeypatch.setattr(sys, "stdin", None)
    assert refused(capsys, "inspect")[0] == "error: stdin is closed"


def test_a_terminal_is_not_waited_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO("nn.LSTM(20, 40)")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert refused(capsys, "inspect")[0] == "error: no TARGET is given, and stdin is a terminal"
    assert len(modules(capsys, "-")) == 1


def test_an_option_outranks_what_the_call_says_of_its_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = "nn.LSTM(20, 40, device='meta', dtype=torch.float64)"
    for words, device, dtype in (
        ([], "meta", "float64"),
        (["--device", "cpu", "--dtype", "complex64"], "cpu", "complex64"),
    ):
        [module] = json.loads(shown(capsys, "inspect", target, "-f", "json", *words))["modules"]
        verification, totals = module["verification"], module["totals"]
        assert (verification["device"], verification["dtype"]) == (device, dtype)
        assert totals["parameter_bytes"] == 8 * totals["parameters"]


def test_batch_first_of_the_call_orders_the_input_shape(
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = "nn.LSTM(20, 40, batch_first=True)"
    [module] = modules(capsys, target, "--input-shape", "7,3,20")
    assert module["tensors"]["h_n"]["shape"] == [1, 7, 40]


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            ["lstm", "--hidden_size", "40"],
            [
                "error: rnnshape inspect has no option --hidden",
                'hint: rnnshape inspect "lstm --hidden 40"',
            ],
        ),
        (
            ["nn.LSTM(20, 40)", "--lengths", "4,2,3", "--input-shape", "3,5,20"],
            [
                "error: --input-shape has batch_size 5, but there are 3 lengths",
                "hint: batch_first=True makes 3 the batch, or --input-shape 4,3,20",
            ],
        ),
        (
            ["nn.LSTMCell(20, 40)", "--seq", "3"],
            [
                "error: a cell takes one step, but --seq 3 is given",
                "hint: leave --seq out, or ask for the layer instead of its cell",
            ],
        ),
    ],
)
def test_a_bad_request_is_two_lines(
    capsys: pytest.CaptureFixture[str], words: list[str], lines: list[str]
) -> None:
    assert refused(capsys, "inspect", *words) == lines


def test_the_command_reads_a_pipe_and_runs_what_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("nn.LSTM(20, 40)\ngru\n"))
    result = call("inspect", "--show", "header,verification")
    assert (result.code, result.err) == (0, "")
    assert result.out.count("ok: torch") == 2


def test_the_command_refuses_code() -> None:
    assert spawn("inspect", "nn.LSTM(__import__('os').system('echo ran'), 3)") == Result(
        code=2,
        out="",
        err="error: input_size must be a whole number of 1 or more, not"
        " __import__('os').system('echo ran')\n"
        "hint: the text is read, never run: write values, as in nn.LSTM(20, 3)\n",
    )


def test_more_lines_than_one_report_can_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnshape.cli.inspect._MOST_LINES", 3)
    for count, code in ((3, 0), (4, 2)):
        monkeypatch.setattr("sys.stdin", io.StringIO("gru\n" * count))
        result = call("inspect", "-", "--no-run")
        assert result.code == code
    assert result.err == (
        "error: stdin has 4 targets; the most is 3\n"
        "hint: split -l 3 divides a file into such parts\n"
    )
