"""LSTM, GRU and RNN at the same sizes, with exact ratios."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given

from rnnshape import InputSpec, Kind, RNNConfig
from rnnshape.analysis.comparison import Compared, against_siblings
from tests import reference
from tests.strategies import configs, examples, inputs
from tests.subjects import subject

_SPEC = InputSpec(seq_len=10, batch_size=5)
_RATIOS = {Kind.LSTM: Fraction(1), Kind.GRU: Fraction(3, 4), Kind.RNN: Fraction(1, 4)}


def _rows(config: RNNConfig, input_spec: InputSpec = _SPEC) -> tuple[Compared, ...]:
    return against_siblings(subject(config, input_spec))


@examples(200)
@given(configs(largest=10**6, layers=50, projections=False), inputs())
def test_without_projection_a_gru_has_three_quarters_and_an_rnn_one_quarter(
    config: RNNConfig, input_spec: InputSpec
) -> None:
    rows = [row for row in _rows(config, input_spec) if not row.subject.config.proj_size]
    assert [row.subject.config.kind for row in rows] == [Kind.LSTM, Kind.GRU, Kind.RNN]
    for row in rows:
        ratio = _RATIOS[row.subject.config.kind]
        assert row.parameters_ratio == ratio
        assert row.macs_ratio == (ratio if input_spec.steps else None)
        assert isinstance(row.parameters_ratio, Fraction)


@examples(200)
@given(configs(largest=50, layers=10), inputs())
def test_each_row_counts_its_own_layer_against_the_lstm_without_projection(
    config: RNNConfig, input_spec: InputSpec
) -> None:
    def counts(counted: RNNConfig) -> tuple[int, int]:
        return reference.parameters(counted), reference.macs(counted, input_spec)

    rows = _rows(config, input_spec)
    lstm = replace(config, kind=Kind.LSTM, proj_size=0, nonlinearity=None)
    parameters, macs = counts(lstm)
    for row in rows:
        assert (row.parameters, row.macs) == counts(row.subject.config)
        assert row.parameters_ratio == Fraction(row.parameters, parameters)
        assert row.macs_ratio == (Fraction(row.macs, macs) if macs else None)
    assert [row.subject.config for row in rows].count(config) == 1
    assert lstm in [row.subject.config for row in rows]


def _numbers(row: Compared) -> tuple[str, int, int, Fraction | None, Fraction | None]:
    return (
        row.subject.config.constructor,
        row.parameters,
        row.macs,
        row.parameters_ratio,
        row.macs_ratio,
    )


# Multiply-adds of one step are the weights that are no biases.
_LSTM_ROW = ("nn.LSTM(20, 40)", 9_920, 50 * 9_600, Fraction(1), Fraction(1))
_GRU_ROW = ("nn.GRU(20, 40)", 7_440, 50 * 7_200, Fraction(3, 4), Fraction(3, 4))
_RNN_ROW = ("nn.RNN(20, 40)", 2_480, 50 * 2_400, Fraction(1, 4), Fraction(1, 4))


def test_an_lstm_is_shown_with_half_its_hidden_size_as_projection() -> None:
    parameters = 160 * 20 + 160 * 20 + 320 + 20 * 40
    assert list(map(_numbers, _rows(RNNConfig(kind=Kind.LSTM)))) == [
        _LSTM_ROW,
        _GRU_ROW,
        _RNN_ROW,
        (
            "nn.LSTM(20, 40, proj_size=20)",
            parameters,
            50 * (parameters - 320),
            Fraction(parameters, 9_920),
            Fraction(parameters - 320, 9_600),
        ),
    ]


def test_a_projected_lstm_comes_first_and_without_its_projection_next() -> None:
    rows = _rows(RNNConfig(kind=Kind.LSTM, proj_size=39))
    assert list(map(_numbers, rows)) == [
        (
            "nn.LSTM(20, 40, proj_size=39)",
            11_320,
            50 * 11_000,
            Fraction(11_320, 9_920),
            Fraction(11_000, 9_600),
        ),
        _LSTM_ROW,
        _GRU_ROW,
        _RNN_ROW,
    ]


def test_a_gru_has_no_projection_to_show() -> None:
    rows = _rows(RNNConfig(kind=Kind.GRU))
    assert list(map(_numbers, rows)) == [_LSTM_ROW, _GRU_ROW, _RNN_ROW]


def test_a_hidden_size_of_1_leaves_no_projection_to_show() -> None:
    rows = _rows(RNNConfig(kind=Kind.LSTM, hidden_size=1))
    assert [row.subject.config.proj_size for row in rows] == [0, 0, 0]


def test_an_rnn_keeps_its_nonlinearity_among_its_siblings() -> None:
    config = RNNConfig(kind=Kind.RNN, nonlinearity="relu", dropout=0.5, batch_first=True)
    rows = _rows(config)
    assert [row.subject.config.nonlinearity for row in rows] == [None, None, "relu"]
    assert {(row.subject.config.dropout, row.subject.config.batch_first) for row in rows} == {
        (0.5, True)
    }


@pytest.mark.parametrize("proj_size", [0, 10], ids=["no projection", "projection"])
def test_an_empty_batch_has_no_ratio_of_macs(proj_size: int) -> None:
    config = RNNConfig(kind=Kind.LSTM, proj_size=proj_size)
    for row in _rows(config, replace(_SPEC, batch_size=0)):
        assert (row.macs, row.macs_ratio) == (0, None)
        assert row.parameters_ratio is not None
