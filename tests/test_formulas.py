"""Closed formulas over sizes: weights, parameters and MACs, exact at any size."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import prod

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnshape import InputSpec, Kind, RequestError, RNNConfig
from rnnshape.dims import Dim, formula, shape_formula
from rnnshape.layer.facts import Weight
from rnnshape.layer.formulas import (
    batch_sizes,
    gate_rows,
    layout,
    macs,
    named_sizes,
    plain_sizes,
    stateless_results,
    weights,
)
from rnnshape.layer.prediction import predict
from rnnshape.layer.weights import MOST_WEIGHTS, Weights, folded
from tests import reference
from tests.strategies import configs, examples, inputs, packed_inputs
from tests.subjects import subject

_SYMBOLS = ("L", "N", "H_in", "H_cell", "H_out", "D", "num_layers", "steps", "longest")


def _stacked(kind: Kind, *, proj_size: int = 0) -> RNNConfig:
    return RNNConfig(
        kind=kind,
        input_size=20,
        hidden_size=40,
        num_layers=4,
        bidirectional=True,
        proj_size=proj_size,
    )


def _weights(config: RNNConfig) -> Weights:
    return weights(plain_sizes(config, InputSpec()))


def _named_weights(config: RNNConfig) -> Weights:
    return weights(named_sizes(plain_sizes(config, InputSpec())))


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        pytest.param(_stacked(Kind.LSTM), 136_960, id="LSTM"),
        pytest.param(_stacked(Kind.GRU), 102_720, id="GRU"),
        pytest.param(_stacked(Kind.RNN), 34_240, id="RNN"),
        pytest.param(_stacked(Kind.LSTM, proj_size=10), 44_160, id="LSTM, proj 10"),
    ],
)
def test_the_reference_layers_have_the_parameters_that_pytorch_counts(
    config: RNNConfig, parameters: int
) -> None:
    own = sum(weight.numel() for weight in reference.built(config).parameters())
    assert _weights(config).parameters == own == parameters


def test_the_reference_lstm_takes_6_720_000_macs() -> None:
    config = _stacked(Kind.LSTM)
    sizes = plain_sizes(config, InputSpec(seq_len=10, batch_size=5))
    # 10 steps of 5 sequences in 2 directions: one layer reads 20 features, three read 2 * 40.
    by_hand = 10 * 5 * 2 * (4 * 40 * (20 + 40) + 3 * 4 * 40 * (80 + 40))
    assert macs(weights(sizes), sizes) == by_hand == 6_720_000


@examples(300)
@given(configs(largest=10**9, layers=10**6), inputs(longest=10**6, batches=10**6))
def test_totals_are_the_closed_formulas(config: RNNConfig, input_spec: InputSpec) -> None:
    sizes = plain_sizes(config, input_spec)
    found = weights(sizes)
    assert found.parameters == reference.parameters(config)
    few = replace(config, num_layers=min(config.num_layers, 50))
    few_sizes = plain_sizes(few, input_spec)
    assert macs(weights(few_sizes), few_sizes) == reference.macs(few, input_spec)


@examples(100)
@given(configs(), inputs() | packed_inputs())
def test_plain_and_named_sizes_give_equal_numbers(config: RNNConfig, input_spec: InputSpec) -> None:
    plain = plain_sizes(config, input_spec)
    names = named_sizes(plain)
    assert plain == names
    assert layout(plain) == layout(names)
    assert list(weights(plain)) == list(weights(names))
    for symbol in _SYMBOLS:
        assert type(getattr(plain, symbol)) is int


@examples(100)
@given(configs(), inputs() | packed_inputs())
def test_every_size_of_a_prediction_has_a_formula(config: RNNConfig, input_spec: InputSpec) -> None:
    predicted = predict(subject(config, input_spec))
    sizes = named_sizes(plain_sizes(config, input_spec))
    shapes = [tensor.shape for tensor in predicted.tensors.values()]
    shapes += [weight.shape for weight in predicted.weights]
    numbers = [predicted.counts["parameters"], macs(weights(sizes), sizes)]
    numbers += [size for shape in shapes for size in shape]
    numbers += [folded_weight.parameters for folded_weight in folded(weights(sizes))]
    values = {symbol: int(getattr(sizes, symbol)) for symbol in _SYMBOLS}
    lengths = {"lengths": input_spec.lengths}
    for number in numbers:
        assert isinstance(number, Dim)
        assert eval(formula(number), {**values, **lengths}) == number  # noqa: S307


@pytest.mark.parametrize(
    ("config", "input_spec", "formulas"),
    [
        pytest.param(
            RNNConfig(kind=Kind.LSTM, bidirectional=True, num_layers=4),
            InputSpec(),
            {
                "input": "(L, N, H_in)",
                "h_0": "(D*num_layers, N, H_out)",
                "c_0": "(D*num_layers, N, H_cell)",
                "output": "(L, N, D*H_out)",
                "h_n": "(D*num_layers, N, H_out)",
                "c_n": "(D*num_layers, N, H_cell)",
            },
            id="LSTM",
        ),
        pytest.param(
            RNNConfig(kind=Kind.GRU, batch_first=True),
            InputSpec(),
            {
                "input": "(N, L, H_in)",
                "h_0": "(D*num_layers, N, H_out)",
                "output": "(N, L, D*H_out)",
                "h_n": "(D*num_layers, N, H_out)",
            },
            id="batch-first GRU",
        ),
        pytest.param(
            RNNConfig(kind=Kind.RNN, batch_first=True),
            InputSpec(batched=False),
            {
                "input": "(L, H_in)",
                "h_0": "(D*num_layers, H_out)",
                "output": "(L, D*H_out)",
                "h_n": "(D*num_layers, H_out)",
            },
            id="RNN without a batch axis, where batch_first is ignored",
        ),
    ],
)
def test_tensors_have_the_formulas_of_pytorchs_documentation(
    config: RNNConfig, input_spec: InputSpec, formulas: dict[str, str]
) -> None:
    tensors = predict(subject(config, input_spec)).tensors
    assert {name: shape_formula(tensor.shape) for name, tensor in tensors.items()} == formulas
    for tensor in tensors.values():
        assert len(tensor.axes) == len(tensor.shape)


def test_axes_are_named_in_the_order_of_the_shape() -> None:
    config = RNNConfig(kind=Kind.LSTM, batch_first=True)
    tensors = layout(plain_sizes(config, InputSpec()))
    assert tensors["output"].axes == ("batch", "seq", "feature")
    assert tensors["h_n"].axes == ("layer*dir", "batch", "feature")


@examples(100)
@given(configs(layers=4))
def test_unfolding_names_every_weight_in_the_order_of_state_dict(config: RNNConfig) -> None:
    state = reference.built(config).state_dict()
    own = [Weight(name=name, shape=tuple(value.shape)) for name, value in state.items()]
    found = _weights(config)
    assert list(found) == found.listed() == own
    assert len(found) == found.count == len(own)
    assert own[-1] in found
    assert Weight(name=own[-1].name, shape=(7, 7, 7)) not in found


@examples(100)
@given(configs(layers=4))
def test_folded_rows_are_the_weights_of_one_formula(config: RNNConfig) -> None:
    found = _named_weights(config)
    rows = folded(found)
    assert sum(row.count for row in rows) == found.count
    assert sum(row.parameters for row in rows) == found.parameters
    alike = Counter(
        (weight.name.partition("_l")[0], shape_formula(weight.shape)) for weight in found
    )
    assert {
        (row.name.partition("_l")[0], shape_formula(row.shape)): row.count for row in rows
    } == alike
    for row in rows:
        assert row.parameters == row.count * prod(row.shape)


@pytest.mark.parametrize(
    ("config", "names"),
    [
        pytest.param(
            RNNConfig(kind=Kind.LSTM),
            ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"],
            id="one layer",
        ),
        pytest.param(
            RNNConfig(kind=Kind.GRU, num_layers=2, bias=False, bidirectional=True),
            ["weight_ih_l0", "weight_ih_l1", "weight_hh_l0..l1"],
            id="two layers, no bias",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, num_layers=4, proj_size=10),
            [
                "weight_ih_l0",
                "weight_ih_l1..l3",
                "weight_hh_l0..l3",
                "bias_ih_l0..l3",
                "bias_hh_l0..l3",
                "weight_hr_l0..l3",
            ],
            id="four layers, projection",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, input_size=40, num_layers=2, bias=False),
            ["weight_ih_l0", "weight_ih_l1", "weight_hh_l0..l1"],
            id="equal numbers with different formulas stay apart",
        ),
    ],
)
def test_folded_names_tell_the_layers(config: RNNConfig, names: list[str]) -> None:
    assert [row.name for row in folded(_named_weights(config))] == names


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_totals_are_exact_at_sizes_that_no_tensor_has(kind: Kind) -> None:
    config = RNNConfig(
        kind=kind, input_size=7, hidden_size=10**20, num_layers=10**6, bidirectional=True
    )
    input_spec = InputSpec(seq_len=10**9, batch_size=10**9)
    sizes = named_sizes(plain_sizes(config, input_spec))
    found = weights(sizes)
    assert found.parameters == reference.parameters(config)
    assert found.count == 2 * 4 * 10**6
    rows = reference.GATES[kind] * 10**20
    lower, upper = rows * (7 + 10**20), rows * (2 * 10**20 + 10**20)
    assert macs(found, sizes) == 10**18 * 2 * (lower + (10**6 - 1) * upper)
    assert sum(row.parameters for row in folded(found)) == found.parameters


def test_the_most_weights_are_listed() -> None:
    most = _weights(RNNConfig(kind=Kind.RNN, hidden_size=1, num_layers=MOST_WEIGHTS // 4))
    assert len(most.listed()) == MOST_WEIGHTS == 100_000


def test_more_weights_than_the_most_are_not_listed() -> None:
    many = _weights(RNNConfig(kind=Kind.RNN, num_layers=10**30))
    with pytest.raises(RequestError) as refusal:
        many.listed()
    assert refusal.value.problem == (
        f"the layer has {4 * 10**30:,} weights; the most listed is 100,000"
    )
    assert refusal.value.hint == (
        "tables of text and Markdown fold them into a few rows unless full is given"
    )


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        # The order in which PyTorch's documentation stacks them: (W_ii|W_if|W_ig|W_io).
        (Kind.LSTM, {"i": (0, 4), "f": (4, 8), "g": (8, 12), "o": (12, 16)}),
        (Kind.GRU, {"r": (0, 4), "z": (4, 8), "n": (8, 12)}),
    ],
)
def test_each_gate_has_as_many_rows_as_the_state_has_features(
    kind: Kind, rows: dict[str, tuple[int, int]]
) -> None:
    found = gate_rows(RNNConfig(kind=kind, hidden_size=4, num_layers=2))
    assert {gate: (each.start, each.stop) for gate, each in found.items()} == rows


@examples(60)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_batch_sizes_are_those_of_a_packed_sequence(lengths: list[int]) -> None:
    sequences = [torch.zeros(length, 1) for length in lengths]
    packed = torch.nn.utils.rnn.pack_sequence(sequences, enforce_sorted=False)
    assert list(batch_sizes(tuple(lengths))) == packed.batch_sizes.tolist()


@pytest.mark.parametrize(
    ("config", "packed", "found"),
    [
        (
            RNNConfig(kind=Kind.LSTM),
            False,
            {
                "output": "layer(input)[0]",
                "h_n": "layer(input)[1][0]",
                "c_n": "layer(input)[1][1]",
            },
        ),
        (
            RNNConfig(kind=Kind.LSTM),
            True,
            {"h_n": "layer(packed)[1][0]", "c_n": "layer(packed)[1][1]"},
        ),
        (
            RNNConfig(kind=Kind.GRU),
            False,
            {"output": "layer(input)[0]", "h_n": "layer(input)[1]"},
        ),
        (
            RNNConfig(kind=Kind.LSTM, cell=True),
            False,
            {"h_1": "cell(input)[0]", "c_1": "cell(input)[1]"},
        ),
        (RNNConfig(kind=Kind.RNN, cell=True), False, {"h_1": "cell(input)"}),
    ],
)
def test_the_results_of_a_call_are_where_pytorch_documents_them(
    config: RNNConfig, packed: bool, found: dict[str, str]
) -> None:
    assert stateless_results(config, packed=packed) == found


def test_a_cell_has_no_packed_input() -> None:
    cell = RNNConfig(kind=Kind.GRU, cell=True)
    spec = InputSpec(lengths=(3, 2), batch_size=2, seq_len=3)
    assert set(layout(plain_sizes(cell, spec))) == {"input", "h_0", "h_1"}


@pytest.mark.parametrize(
    ("config", "spec", "formulas"),
    [
        (RNNConfig(kind=Kind.LSTM), InputSpec(), {"H_cell": "H_cell", "N": "N", "steps": "L*N"}),
        (RNNConfig(kind=Kind.GRU), InputSpec(), {"H_cell": "H_out", "L": "L", "D": "D"}),
        (RNNConfig(kind=Kind.RNN), InputSpec(batched=False), {"N": "1", "steps": "L"}),
        (
            RNNConfig(kind=Kind.GRU, cell=True),
            InputSpec(),
            {"L": "1", "D": "1", "num_layers": "1", "steps": "N"},
        ),
        (
            RNNConfig(kind=Kind.GRU),
            InputSpec(lengths=(3, 2), batch_size=2, seq_len=3),
            {"steps": "sum(lengths)", "longest": "max(lengths)"},
        ),
    ],
)
def test_sizes_have_the_names_that_pytorch_documents(
    config: RNNConfig, spec: InputSpec, formulas: dict[str, str]
) -> None:
    sizes = named_sizes(plain_sizes(config, spec))
    assert {name: formula(getattr(sizes, name)) for name in formulas} == formulas
