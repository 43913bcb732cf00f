"""A TARGET is options in one word or a constructor call; anything else is told what it is like."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.settings import DType
from rnnshape.layer.traps import PositionalBias
from rnnshape.sources.registry import read_target

FORMS = (
    '"lstm --hidden 40 --bidir", "nn.LSTM(20, 40, bidirectional=True)", weights.pt or net.py:Tagger'
)
NEITHER = "is not a layer, an existing file or the path of a model"


def refused(text: str) -> tuple[str, str]:
    with pytest.raises(RequestError) as caught:
        read_target(text)
    return caught.value.problem, caught.value.hint


BLANKS = [letter for letter in map(chr, range(sys.maxunicode + 1)) if letter.isspace()]


@pytest.mark.parametrize(
    ("text", "config", "given"),
    [
        ("gru", RNNConfig(kind=Kind.GRU), set()),
        ("  LSTM  ", RNNConfig(kind=Kind.LSTM), set()),
        (
            "lstm --hidden 41 --bidir",
            RNNConfig(kind=Kind.LSTM, hidden_size=41, bidirectional=True),
            {"hidden_size", "bidirectional"},
        ),
        (
            "rnn --hidden_size=40 --num-layers 2 --nonlinearity 'relu' --no-bias",
            RNNConfig(kind=Kind.RNN, num_layers=2, nonlinearity="relu", bias=False),
            {"hidden_size", "num_layers", "nonlinearity", "bias"},
        ),
        ("lstm --cell", RNNConfig(kind=Kind.LSTM, cell=True), {"cell"}),
        (
            "nn.GRUCell(3, 4)",
            RNNConfig(kind=Kind.GRU, cell=True, input_size=3, hidden_size=4),
            {"cell", "input_size", "hidden_size"},
        ),
        (
            "self.rnn = LSTM(3, 4)",
            RNNConfig(kind=Kind.LSTM, input_size=3, hidden_size=4),
            {"input_size", "hidden_size"},
        ),
    ],
)
def test_a_target_is_a_layer_and_what_is_given_of_it(
    text: str, config: RNNConfig, given: set[str]
) -> None:
    target = read_target(text)
    assert (target.config, set(target.fields)) == (config, given)
    assert target.fields == {name: getattr(config, name) for name in given}
    assert read_target(target.origin.target or "") == target


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("  LSTM  ", "lstm"),
        ("rnn --hidden_size=40 --no-bias", "rnn --hidden 40 --no-bias"),
        ("self.rnn = LSTM(3,4)", "LSTM(3, 4)"),
    ],
)
def test_the_text_of_a_target_is_as_it_would_be_typed(text: str, typed: str) -> None:
    assert read_target(text).origin.target == typed


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_every_blank_is_one(blank: str) -> None:
    text = f"{blank}lstm{blank}--bidir{blank}{blank}--hidden{blank}7"
    assert read_target(text) == read_target("lstm --bidir --hidden 7")


def test_a_call_brings_its_traps_and_where_it_runs() -> None:
    target = read_target("nn.LSTM(3, 4, 2, True, device='meta', dtype=torch.half)")
    meant = "nn.LSTM(3, 4, num_layers=2, bidirectional=True)"
    assert target.origin.traps == (PositionalBias(bias=True, place=4, meant=meant),)
    assert (target.device, target.dtype) == ("meta", DType.FLOAT16)


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        (
            "lstm --batch 3",
            "--batch is not an option of a target, which describes only a layer",
            "leave --batch out of the target",
        ),
        (
            "lstm --no-run",
            "--no-run is not an option of a target, which describes only a layer",
            "leave --no-run out of the target",
        ),
        (
            "lstm -o a.md",
            "-o is not an option of a target, which describes only a layer",
            "leave -o out of the target",
        ),
        (
            "lstm --hiden 3",
            "--hiden is not an option of a target",
            "in the target: lstm --hidden 3",
        ),
        (
            "lstm --hidden 4.5",
            "--hidden must be a whole number of 1 or more, not 4.5",
            "in the target: --hidden 4",
        ),
        (
            "lstm 40",
            "unexpected 40 in the target: sizes are given by name",
            "in the target: lstm --hidden 40",
        ),
        (
            "lstm --hidden '40",
            "target lstm --hidden '40: no closing quotation",
            'as in "lstm --hidden 40 --bidir"',
        ),
        (
            "weights.pt",
            "there is no file weights.pt",
            "its path is relative to this folder",
        ),
        (
            "weights.safetensors:encoder.lstm",
            "there is no file weights.safetensors",
            "its path is relative to this folder",
        ),
        (
            "package.module:attribute",
            "there is no module package in this folder",
            None,
        ),
        (
            "package.Model",
            f"package.Model {NEITHER}",
            f"a target is {FORMS}",
        ),
        (
            "nn.LSTM",
            f"nn.LSTM {NEITHER}",
            "in the target: lstm",
        ),
        ("nothing.xyz", f"nothing.xyz {NEITHER}", f"a target is {FORMS}"),
        ("", f"'' {NEITHER}", None),
        ("-", f"- {NEITHER}", None),
        ("\x1b[31m", rf"'\x1b[31m' {NEITHER}", None),
        ("nn.LSTM(20)", "nn.LSTM needs hidden_size; PyTorch raises TypeError", None),
        ("\0(", f"'\\x00(' {NEITHER}", None),
        ("x" * 5000, f"{'x' * 60}... {NEITHER}", None),
        ("x/" * 5000, f"{'x/' * 30}... {NEITHER}", None),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_anything_else_is_told_what_it_looks_like(
    text: str, problem: str, hint: str | None
) -> None:
    said = refused(text)
    assert said[0].startswith(problem)
    assert said[1] == (hint or said[1])


def test_a_file_that_exists_is_known_by_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("weights", "weights (1)"):
        assert NEITHER in refused(name)[0]
        Path(name).touch()
        assert refused(name)[0].endswith(f"{name}: it is empty")


def test_options_and_calls_come_before_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("gru", "nn.GRU(20, 40)"):
        Path(text).touch()
        assert read_target(text).config.kind is Kind.GRU


def test_help_is_not_an_option_of_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused("lstm --help")[0].startswith("--help is not an option of a target")
    assert capsys.readouterr() == ("", "")
