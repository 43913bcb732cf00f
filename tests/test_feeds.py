"""States that one layer hands to the next: whether they fit, and the program that makes them."""

from __future__ import annotations

import ast
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import rnnshape
from rnnshape.analysis.comparison import Comparison, group
from rnnshape.analysis.feeding import fed, feeding
from rnnshape.analysis.summands import alone
from rnnshape.document.compare import compare_document
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import final_state_names
from rnnshape.layer.input import InputSpec
from rnnshape.layer.subject import Subject
from tests.program import Result, call
from tests.schemas import problems
from tests.strategies import examples, layers

# PyTorch's, of dropout in one layer and of projections without oneDNN.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

MISREAD = "equal shapes, but rows of other layers or directions: "
RUNS = InputSpec(batch_size=3, seq_len=2)


def _asked(giver: Subject, taker: Subject) -> dict[str, Any]:
    groups = (group([alone(giver), alone(taker)]),)
    comparison = Comparison(groups=groups, request="", feeds=True)
    data = json.loads(json.dumps(compare_document(comparison, limit=None).data()))
    assert problems(data, "compare") == []
    (found,) = data["groups"][0]["feeds"]
    return found  # type: ignore[no-any-return]


@examples(150)
@given(layers(), layers(), st.booleans())
def test_the_program_runs_for_any_two_layers(
    one: RNNConfig, other: RNNConfig, batched: bool
) -> None:
    spec = replace(RUNS, batched=batched) if batched else InputSpec(seq_len=2, batched=False)
    giver, taker = (Subject(config=config, input_spec=spec) for config in (one, other))
    found = _asked(giver, taker)
    if found["program"] is None:
        assert found["fits"]
        return
    names: dict[str, Any] = {}
    exec(found["program"], names)  # noqa: S102
    final = final_state_names(taker.config)
    for name in final:  # what the decoder returns
        assert tuple(names[name].shape) == tuple(taker.tensors[name].shape)
    for each in found["states"]:  # and what it was given
        used = names.get(each["name"])
        if used is not None:
            assert list(used.shape) == each["shape"]
            assert used.is_contiguous()  # cuDNN refuses another


@examples(150)
@given(layers(), layers())
def test_states_fit_where_pytorch_takes_them_unchanged(one: RNNConfig, other: RNNConfig) -> None:
    giver, taker = (Subject(config=config, input_spec=RUNS) for config in (one, other))
    takes = False
    with suppress(Exception):  # PyTorch raises whatever comes first
        states = _built(giver)(_input(giver))
        _built(taker)(_input(taker), states if giver.config.cell else states[1])
        takes = True
    found = feeding(giver, taker)
    assert found.fits <= takes
    if takes and not found.fits:  # the shapes are equal, their rows are not alike
        assert all(each.fits or each.misread for each in found.feeds)


def _built(subject: Subject) -> Any:
    return eval(subject.constructor, {"nn": nn})  # noqa: S307 - what the program made itself


def _input(subject: Subject) -> torch.Tensor:
    return torch.zeros(*map(int, subject.tensors["input"].shape))


def test_directions_are_joined_row_by_row() -> None:
    encoder = Subject(config=RNNConfig(kind=Kind.GRU, num_layers=2, bidirectional=True))
    for hidden, joined in ((80, "side by side"), (40, "the sum")):
        config = RNNConfig(kind=Kind.GRU, num_layers=2, hidden_size=hidden)
        program = _asked(encoder, Subject(config=config))["program"]
        assert joined in program
        names: dict[str, Any] = {}
        exec(program, names)  # noqa: S102
        both = names["encoder"](torch.ones(10, 5, 20))[1].view(2, 2, 5, 40)
        names["h_n"] = both.reshape(4, 5, 40)
        line = next(line for line in program.splitlines() if line.startswith("h_0 = "))
        exec(line, names)  # noqa: S102
        expected = torch.cat([both[:, 0], both[:, 1]], -1) if hidden == 80 else both.sum(1)
        assert torch.equal(names["h_0"], expected)


@pytest.mark.parametrize(
    ("one", "other", "by", "linear"),
    [
        ("gru --layers 4", "gru --layers 2", "the last 2 of 4 layers", None),
        ("gru", "gru --layers 3", "the layer, for each of 3", None),
        ("gru --layers 2", "gru --layers 3", "the last of 2 layers, for each of 3", None),
        ("gru --hidden 32", "gru --hidden 64", "nn.Linear(32, 64)", [32, 64]),
        ("gru --bidir --hidden 32", "gru --hidden 64", "both directions side by side", None),
        ("gru --bidir", "gru", "the sum of both directions", None),
        ("gru", "gru --bidir", "for each direction", None),
        ("gru --cell", "gru", "with an axis of layers", None),
        ("gru", "gru --cell", "without the axis of layers", None),
        (
            *("gru --layers 2 --bidir", "gru --layers 4"),
            f"{MISREAD}the last of 2 layers, for each of 4, the sum of both directions",
            None,
        ),
        ("lstm --proj 20", "lstm --proj 20", "fits", None),
    ],
)
def test_what_makes_a_state_fit_is_said(
    one: str, other: str, by: str, linear: list[int] | None
) -> None:
    result = call("compare", one, other, "--feeds", "-f", "json")
    assert (result.code, result.err) == (0, "")
    (found,) = json.loads(result.out)["groups"][0]["feeds"]
    assert found["states"][0]["by"] == by
    assert found["states"][0]["linear"] == linear


def test_a_pair_of_states_is_made_of_one_and_one_of_a_pair() -> None:
    lstm, gru = (Subject(config=RNNConfig(kind=kind)) for kind in (Kind.LSTM, Kind.GRU))
    assert "decoder(torch.randn(10, 5, 20), (h_n, c_0))" in _asked(gru, lstm)["program"]
    found = _asked(lstm, gru)
    assert "decoder(torch.randn(10, 5, 20), h_n)" in found["program"]
    assert found["unread"] == "c_n"


def test_sums_hand_on_the_states_of_their_last_and_first_layers() -> None:
    words = ("gru + lstm --hidden 8", "nn.Embedding(9, 20) + lstm --hidden 8", "--feeds")
    data = json.loads(call("compare", *words, "-f", "json").out)
    (found,) = data["groups"][0]["feeds"]
    assert (found["from"], found["to"], found["fits"]) == (*["nn.LSTM(20, 8)"] * 2, True)


# In a manifest

PAIR = """\
[modules.decoder]
target = "lstm --hidden 64"
expect = ["h_0 = encoder/h_n", "params < encoder/params"]

[modules.encoder]
target = "lstm --layers 2 --bidir"
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _checked(text: str, *words: str) -> Result:
    Path("rnnshape.toml").write_text(text)
    return call("check", "--no-run", *words)


def test_a_state_that_does_not_fit_that_of_another_module_fails() -> None:
    for words in ((), ("--only", "decoder")):
        result = _checked(PAIR, *words)
        assert (result.code, result.err) == (1, "")
        assert result.out.startswith(
            "rnnshape.toml:3: decoder: FAILED: h_0 = encoder/h_n: it is 1,5,64, not 4,5,40\n"
            "  fits after: the last of 2 layers, both directions side by side,\n"
            "  nn.Linear(80, 64)\n"
        )
    fits = _checked(PAIR.replace("--layers 2 --bidir", "--hidden 64 --layers 1"))
    assert "params < encoder/params: it is 21,760, not less than 21,760" not in fits.out
    assert fits.out.count("FAILED: h_0") == 0


def test_a_reference_is_not_brought_up_to_date() -> None:
    result = _checked(PAIR, "--update")
    assert "h_0 = encoder/h_n ->" not in result.out
    assert Path("rnnshape.toml").read_text() == PAIR


@pytest.mark.parametrize(
    ("wrong", "error", "hint"),
    [
        ("h_0 = encodr/h_n", "refers to encodr, which is not here", '"h_0 = encoder/h_n"'),
        ("h_0 = encoder/h_m", "has no h_m", '"h_0 = encoder/h_n"; it has '),
        ("h_0 = encoder/params", "h_0 is a shape, and 58880 is a number", '"h_0 = 1,5,64"'),
        ("h_0 <= encoder/h_n", "shapes are compared with = only", '"h_0 = 1,5,64"'),
    ],
)
def test_a_wrong_reference_is_refused_at_its_line(wrong: str, error: str, hint: str) -> None:
    result = _checked(PAIR.replace("h_0 = encoder/h_n", wrong))
    assert result.code == 2
    said, mended = result.err.splitlines()
    assert said.startswith("error: rnnshape.toml:3: decoder: ")
    assert error in said
    assert mended.startswith(f"hint: {hint}")


def test_a_module_that_is_wrong_is_told_once_though_another_refers_to_it() -> None:
    result = _checked(PAIR.replace("--layers 2", "--layers 0"))
    assert result.code == 2
    assert result.err.count("error: ") == 1


def test_references_are_judged_in_python_too() -> None:
    model = nn.Sequential(nn.GRU(3, 4), nn.GRU(4, 5))
    reports = rnnshape.inspect_model(model, run=False)
    reports.expect("1/input = 10,5,4", "1/parameters > 0/parameters")
    with pytest.raises(AssertionError, match=r"fits after: nn\.Linear\(4, 5\)"):
        reports.expect("1/h_0 = 0/h_n")


def test_states_of_different_batches_do_not_fit() -> None:
    one = Subject(config=RNNConfig(kind=Kind.GRU), input_spec=InputSpec(batch_size=2))
    other = Subject(config=RNNConfig(kind=Kind.GRU))
    found = fed(one, one.tensors["h_n"], other, other.tensors["h_0"])
    assert (found.fits, found.clash) == (False, "the batch is 2 there and 5 here")


def test_every_program_is_python() -> None:
    words = ("compare", "lstm --layers 3 --bidir", "gru", "rnn --cell", "lstm", "--feeds")
    data = json.loads(call(*words, "-f", "json").out)
    for each in data["groups"][0]["feeds"]:
        ast.parse(each["program"])
        assert max(map(len, each["program"].splitlines())) <= 80
