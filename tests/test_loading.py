"""What an error of load_state_dict says: the names and the shapes that both sides have or lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import nn

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.loading import (
    Loading,
    Rename,
    loading,
    renamed,
    renames,
)
from rnnshape.analysis.explanation.records import Known
from rnnshape.analysis.explanation.statements import Text
from rnnshape.layer.facts import Dims


def said(
    missing: Sequence[str] = (),
    unexpected: Sequence[str] = (),
    sizes: Mapping[str, tuple[Dims, Dims]] | None = None,
    *,
    into: str = "",
) -> Loading:
    return Loading(
        into=into, missing=tuple(missing), unexpected=tuple(unexpected), sizes=sizes or {}
    )


def read(text: str) -> Loading:
    lines = Text(text)
    statement = next(iter(lines.raised() or lines.bare()))
    return loading(Clues(statement, lines, Known()))


def test_what_load_state_dict_says_is_read() -> None:
    model = nn.Sequential(nn.LSTM(3, 4), nn.Linear(4, 2))
    state = {
        "0.weight_ih_l0": torch.zeros(20, 3),
        "0.weight_hh_l0": torch.zeros(16, 4),
        "lstm.weight": torch.zeros(1),
        "more": torch.zeros(2),
    }
    with pytest.raises(RuntimeError) as caught:
        model.load_state_dict(state)
    assert read(f"RuntimeError: {caught.value}") == said(
        ["0.bias_ih_l0", "0.bias_hh_l0", "1.weight", "1.bias"],
        ["lstm.weight", "more"],
        {"0.weight_ih_l0": ((20, 3), (16, 3))},
        into="Sequential",
    )


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'unexpected key \"a.b\" in state_dict'",
        "KeyError: 'unexpected key \\'a.b\\' in state_dict'",
        'RuntimeError: Unexpected key(s) in source state_dict: "a.b".',
        "unexpected_keys=['a.b']",
        'Unexpected keys in state_dict: {"a.b", "a.b"}',
    ],
)
def test_a_key_is_read_however_it_is_written(text: str) -> None:
    assert read(text) == said(unexpected=["a.b"])


def test_lines_without_an_exception_are_read_together() -> None:
    size = (
        "size mismatch for {}: copying a param with shape torch.Size([5]) from checkpoint, the"
        " shape in current model is torch.Size([{}])."
    )
    found = read(f"{size.format('a', 6)}\n{size.format('b', 7)}\n{size.format('c', 5)}")
    assert found == said(sizes={"a": ((5,), (6,)), "b": ((5,), (7,))})  # c is the same in both


def test_an_exception_that_names_no_key_is_read_with_its_lines() -> None:
    text = "missing keys: ['a.b']\nRuntimeError: loading failed"
    assert read(text) == said(["a.b"])


def test_an_exception_that_names_keys_is_read_alone() -> None:
    text = "missing keys: ['x.y']\nRuntimeError: missing keys: ['a.b']"
    assert read(text) == said(["a.b"])


def test_names_in_another_message_about_a_model_are_not_sorted() -> None:
    found = read("RuntimeError: Error(s) in loading state_dict for my.Net: it lacks 'a.b', 'c'")
    assert found == Loading(into="my.Net", missing=(), unexpected=(), sizes={}, unsorted=("a.b",))
    assert read("RuntimeError: it lacks 'a.b'") == said()


@pytest.mark.parametrize(
    ("into", "wrapped"),
    [("DataParallel", True), ("DistributedDataParallel", True), ("Net", False), ("", False)],
)
def test_the_wrappers_of_parallel_training_are_known(into: str, wrapped: bool) -> None:
    assert said(into=into).wrapped is wrapped


_ENDS = ("a.b", "c.d")
_X = [f"x.{end}" for end in _ENDS]


@pytest.mark.parametrize(
    ("missing", "unexpected", "found"),
    [
        (["a.b", "c.d"], ["module.a.b", "module.c.d"], [("module.", "")]),
        (["module.a.b", "module.c.d"], ["a.b", "c.d"], [("", "module.")]),
        (["rnn.weight_ih_l0"], ["lstm.weight_ih_l0"], [("lstm.", "rnn.")]),
        (["weight_ih_l0"], ["rnn.weight_ih_l0"], [("rnn.", "")]),
        (["x.fc.weight"], ["y.fc.weight"], [("y.", "x.")]),
        # The last part alone says too little, unless it is the name of a recurrent weight.
        (["fc.weight"], ["out.weight"], []),
        (["bias"], ["out.bias"], []),
        # One name among several may agree by chance, but not the only one of a side.
        (["a.b", "c.d"], ["x.a.b", "y.z"], []),
        (["a.b"], ["x.a.b", "y.z"], [("x.", "")]),
        (["a.b", "c.d"], ["x.a.b"], [("x.", "")]),
        # Eight layers may be meant, but not nine.
        ([f"m{n}.{end}" for n in range(8) for end in _ENDS], _X, [("x.", "m0.")]),
        ([f"m{n}.{end}" for n in range(9) for end in _ENDS], _X, []),
        (["a.b", "c.d"], ["x.a.b", "x.c.d", "y.a.b", "y.c.d"], [("x.", "")]),
        (
            ["encoder.a.b", "encoder.c.d", "decoder.a.b", "decoder.c.d"],
            ["dec.a.b", "dec.c.d", "enc.a.b", "enc.c.d"],
            [("dec.", "decoder."), ("enc.", "encoder.")],
        ),
        (
            ["a.b", "c.d", "e.f", "g.h", "i.j"],
            ["x.a.b", "x.c.d", "y.e.f", "y.g.h", "y.i.j"],
            [("y.", ""), ("x.", "")],
        ),
    ],
)
def test_what_stands_before_the_names_is_found(
    missing: Sequence[str], unexpected: Sequence[str], found: Sequence[tuple[str, str]]
) -> None:
    assert renames(said(missing, unexpected)) == [Rename(*each) for each in found]


def test_what_differs_apart_from_the_names_is_left() -> None:
    sizes = {"k": ((1,), (2,))}
    before = said(["a.b", "c.d", "e"], ["m.a.b", "m.x", "y"], sizes, into="Net")
    after = renamed(before, [Rename("m.", "")])
    assert after == said(["c.d", "e"], ["x", "y"], sizes, into="Net")
    assert renamed(before, []) == before
