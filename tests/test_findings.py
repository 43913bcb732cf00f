"""What a careful colleague would point out, and what he would leave alone."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given

from rnnshape import InputSpec, Kind, RNNConfig, Settings, inspect
from rnnshape.layer.findings import (
    CostlyProjection,
    DropoutWithoutEffect,
    EqualSizes,
    Finding,
    UnbatchedShape,
    UnconfirmedBatchAxis,
    UnknownField,
    extra_parameters,
    find,
)
from rnnshape.layer.subject import ALL_FIELDS
from rnnshape.sources.registry import read_target
from rnnshape.sources.subjects import subject_of
from tests import reference
from tests.strategies import configs, examples
from tests.subjects import subject

_SPEC = InputSpec()
_LSTM = RNNConfig(kind=Kind.LSTM)
_CELL = RNNConfig(kind=Kind.GRU, cell=True)


def _found(
    config: RNNConfig,
    input_spec: InputSpec = _SPEC,
    *,
    given: AbstractSet[str] = ALL_FIELDS,
    axes_by_place: bool = False,
) -> list[Finding]:
    asked = replace(subject(config, input_spec), given=frozenset(given))
    return list(find(replace(asked, axes_by_place=axes_by_place)))


@pytest.mark.parametrize(
    ("config", "input_spec", "given", "axes_by_place"),
    [
        pytest.param(_LSTM, _SPEC, frozenset(), False, id="nothing given"),
        pytest.param(_LSTM, _SPEC, ALL_FIELDS, False, id="sizes that differ"),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, dropout=0.5, num_layers=2),
            _SPEC,
            ALL_FIELDS,
            False,
            id="dropout between two layers",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, proj_size=31),
            _SPEC,
            ALL_FIELDS,
            False,
            id="the largest projection that saves",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, input_size=40),
            _SPEC,
            frozenset({"input_size"}),
            False,
            id="a given size equal to one that was not given",
        ),
        pytest.param(
            RNNConfig(kind=Kind.RNN, input_size=1, hidden_size=1),
            InputSpec(batch_size=1, seq_len=1),
            ALL_FIELDS,
            False,
            id="sizes of 1",
        ),
        pytest.param(
            RNNConfig(kind=Kind.RNN, input_size=7, num_layers=7, hidden_size=3),
            _SPEC,
            ALL_FIELDS,
            False,
            id="as many layers as features",
        ),
        pytest.param(
            RNNConfig(kind=Kind.RNN, input_size=3, hidden_size=2),
            InputSpec(batch_size=9, seq_len=1, batched=False),
            ALL_FIELDS,
            False,
            id="no batch axis to be equal to",
        ),
        pytest.param(
            _LSTM,
            InputSpec(seq_len=64, batched=False),
            ALL_FIELDS,
            False,
            id="a sequence like a batch, and no batch axis",
        ),
        *(
            pytest.param(
                _LSTM,
                InputSpec(seq_len=seq_len, batch_size=batch_size),
                ALL_FIELDS,
                False,
                id=f"seq_len {seq_len} and batch_size {batch_size}, called by their names",
            )
            for seq_len, batch_size in [(64, 10), (512, 4), (512, 1), (128, 100)]
        ),
        pytest.param(
            _LSTM,
            InputSpec(seq_len=5, batch_size=0),
            ALL_FIELDS,
            True,
            id="an empty batch, which can be read in one way",
        ),
        pytest.param(
            _CELL,
            InputSpec(seq_len=64, batch_size=10),
            ALL_FIELDS,
            False,
            id="a cell, which has no sequence to be swapped",
        ),
        pytest.param(
            _CELL,
            InputSpec(seq_len=5, batch_size=5),
            ALL_FIELDS,
            False,
            id="a cell, which has no sequence to be equal to",
        ),
        pytest.param(
            _CELL,
            InputSpec(seq_len=3, batch_size=2, lengths=(3, 1)),
            ALL_FIELDS,
            False,
            id="a cell, which has no rows that end early",
        ),
    ],
)
def test_there_is_nothing_to_point_out(
    config: RNNConfig, input_spec: InputSpec, given: AbstractSet[str], axes_by_place: bool
) -> None:
    assert _found(config, input_spec, given=given, axes_by_place=axes_by_place) == []


@pytest.mark.parametrize(
    ("config", "input_spec", "findings"),
    [
        pytest.param(
            RNNConfig(kind=Kind.GRU, dropout=0.5),
            _SPEC,
            [DropoutWithoutEffect(dropout=0.5)],
            id="dropout with one layer",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, proj_size=32),
            _SPEC,
            [CostlyProjection(proj_size=32, largest_saving=31, extra_parameters=0)],
            id="a projection at break-even",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, proj_size=39),
            _SPEC,
            [CostlyProjection(proj_size=39, largest_saving=31, extra_parameters=1_400)],
            id="a projection that adds",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, input_size=40),
            _SPEC,
            [EqualSizes(axes=("input_size", "hidden_size"), size=40)],
            id="two equal sizes",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, input_size=3, hidden_size=3),
            InputSpec(batch_size=3, seq_len=3),
            [EqualSizes(axes=("seq_len", "batch_size", "input_size", "hidden_size"), size=3)],
            id="all sizes equal",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, input_size=5, hidden_size=10),
            _SPEC,
            [
                EqualSizes(axes=("seq_len", "hidden_size"), size=10),
                EqualSizes(axes=("batch_size", "input_size"), size=5),
            ],
            id="two pairs of equal sizes",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, proj_size=20),
            _SPEC,
            [EqualSizes(axes=("input_size", "proj_size"), size=20)],
            id="a projection to the size of the input",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, dropout=1.0, proj_size=39, input_size=39),
            _SPEC,
            [
                EqualSizes(axes=("input_size", "proj_size"), size=39),
                DropoutWithoutEffect(dropout=1.0),
                CostlyProjection(proj_size=39, largest_saving=31, extra_parameters=1_400),
            ],
            id="several, the most important first",
        ),
    ],
)
def test_it_is_pointed_out(
    config: RNNConfig, input_spec: InputSpec, findings: list[Finding]
) -> None:
    assert _found(config, input_spec) == findings


def test_a_3_d_input_shape_may_have_the_batch_first() -> None:
    config = RNNConfig(kind=Kind.LSTM, num_layers=4, bidirectional=True)
    read = InputSpec(seq_len=5, batch_size=10)
    [finding] = _found(config, read, axes_by_place=True)
    assert finding == UnconfirmedBatchAxis(
        first=5, output=(5, 10, 80), h_n=(8, 5, 40), h_n_as_read=(8, 10, 40)
    )


def test_a_2_d_input_shape_may_be_a_batch_of_something() -> None:
    found = _found(_LSTM, InputSpec(seq_len=32, batched=False), axes_by_place=True)
    assert found == [UnbatchedShape(steps=32, features=20)]


@pytest.mark.parametrize(
    ("target", "fields", "by_place"),
    [
        pytest.param("nn.LSTM(20, 40)", {}, True, id="nothing"),
        pytest.param("nn.LSTM(20, 40, batch_first=True)", {}, False, id="batch_first"),
        pytest.param("nn.LSTM(20, 40, batch_first=False)", {}, False, id="batch_first=False"),
        pytest.param("lstm --batch-first", {}, False, id="--batch-first"),
        pytest.param("lstm --hidden 40", {"batch_size": 5}, False, id="the batch"),
        pytest.param("lstm", {"seq_len": 10}, False, id="the steps"),
        pytest.param("lstm", {"lengths": (10, 3, 2, 2, 1)}, False, id="the lengths"),
        pytest.param("lstm", {"with_state": True}, True, id="something else"),
    ],
)
def test_what_tells_the_axes_of_an_input_shape_confirms_them(
    target: str, fields: dict[str, Any], by_place: bool
) -> None:
    shape = (5, 10, 20) if target.endswith(("True)", "first")) else (10, 5, 20)
    asked = subject_of(read_target(target), {"input_shape": shape, **fields}, Settings())
    assert asked.axes_by_place is by_place
    assert (UnconfirmedBatchAxis in map(type, find(asked))) is by_place


@pytest.mark.parametrize(
    ("text", "is_unknown"),
    [
        ("RNN(20, 40)", True),
        ("(rnn): RNN(20, 40, num_layers=2)", True),
        ("Net(\n  (rnn): RNN(20, 40, dropout=0.5, bidirectional=True)\n)", True),
        ("  (0-2): 3 x RNN(20, 40),", True),
        ("rnn = RNN(20, 40)", False),
        ("RNN(input_size=20, hidden_size=40)", False),
        ("RNN(20, 40, device='cpu')", False),
        ("nn.RNN(20, 40)", False),
        ("RNN(20, 40, nonlinearity='relu')", False),
        ("RNNCell(20, 40)", False),
        ("(lstm): LSTM(20, 40)", False),
    ],
)
def test_print_does_not_tell_the_nonlinearity_of_an_rnn(text: str, is_unknown: bool) -> None:
    found = find(subject_of(read_target(text), {}, Settings()))
    expected = [UnknownField(name="nonlinearity", assumed="tanh")] if is_unknown else []
    assert [finding for finding in found if isinstance(finding, UnknownField)] == expected


def test_what_print_shows_of_an_rnn_is_the_same_for_both_nonlinearities() -> None:
    tanh, relu = (torch.nn.RNN(20, 40, nonlinearity=name) for name in ("tanh", "relu"))
    assert str(tanh) == str(relu)


def test_the_unconfirmed_batch_axis_is_the_first_finding() -> None:
    found = _found(RNNConfig(kind=Kind.LSTM, input_size=40, dropout=0.5), _SPEC, axes_by_place=True)
    assert [type(finding) for finding in found] == [
        UnconfirmedBatchAxis,
        EqualSizes,
        DropoutWithoutEffect,
    ]


def test_an_equal_batch_and_sequence_cannot_be_told_apart_by_any_question() -> None:
    found = _found(_LSTM, InputSpec(seq_len=6, batch_size=6), axes_by_place=True)
    assert found == [EqualSizes(axes=("seq_len", "batch_size"), size=6)]


@pytest.mark.parametrize("batch_first", [False, True], ids=["as read", "batch first"])
def test_the_shapes_of_an_unconfirmed_batch_axis_are_pytorchs(batch_first: bool) -> None:
    config = RNNConfig(kind=Kind.GRU, num_layers=2)
    [finding] = _found(config, InputSpec(seq_len=5, batch_size=10), axes_by_place=True)
    assert isinstance(finding, UnconfirmedBatchAxis)
    other = RNNConfig(kind=Kind.GRU, num_layers=2, batch_first=batch_first)
    seq_len, batch_size = (10, 5) if batch_first else (5, 10)
    input_spec = InputSpec(seq_len=seq_len, batch_size=batch_size)
    tensors = reference.called(reference.built(other), other, input_spec)
    assert tensors["input"].shape == (5, 10, 20)
    assert tensors["output"].shape == finding.output
    h_n = finding.h_n if batch_first else finding.h_n_as_read
    assert tensors["h_n"].shape == h_n


def test_an_equal_size_that_was_not_given_is_not_counted_among_the_equal_ones() -> None:
    config = RNNConfig(kind=Kind.LSTM, input_size=40)
    found = _found(config, InputSpec(seq_len=40), given=ALL_FIELDS - {"input_size"})
    assert found == [EqualSizes(axes=("seq_len", "hidden_size"), size=40)]


@examples(100)
@given(configs(kinds=[Kind.LSTM], largest=20))
def test_a_projection_is_pointed_out_exactly_when_it_saves_nothing(config: RNNConfig) -> None:
    without = RNNConfig(
        kind=Kind.LSTM,
        input_size=config.input_size,
        hidden_size=config.hidden_size,
        num_layers=config.num_layers,
        bias=config.bias,
        bidirectional=config.bidirectional,
    )
    extra = reference.parameters(config) - reference.parameters(without)
    assert extra_parameters(subject(config)) == extra
    costly = [finding for finding in _found(config) if isinstance(finding, CostlyProjection)]
    expected = bool(config.proj_size) and extra >= 0
    assert [finding.extra_parameters for finding in costly] == ([extra] if expected else [])


def test_a_report_of_a_config_takes_each_of_its_sizes_as_given() -> None:
    report = inspect(RNNConfig(kind=Kind.GRU, input_size=40, dropout=0.5), run=False)
    assert report.findings == (
        EqualSizes(axes=("input_size", "hidden_size"), size=40),
        DropoutWithoutEffect(dropout=0.5),
    )
    assert report.subject.assumed == {"batch_size", "seq_len"}
    assert inspect(report.config, report.input_spec, run=False).subject.assumed == frozenset()
