"""What sections advise beside numbers, done with real layers."""

from __future__ import annotations

import re
from math import sqrt
from typing import Any

import pytest
import torch
from hypothesis import given
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnshape import InputSpec, Kind, Report, RequestError, RNNConfig, inspect
from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Paragraph, Picture, plain
from rnnshape.document.report import report_document
from tests.strategies import cells, configs, examples

# PyTorch's own, about dropout of one layer and projections.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

each_kind = pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)


def blocks(report: Report, section: str) -> tuple[Any, ...]:
    document = report_document(Inspection(report=report), show=[section], detailed=[section])
    (shown,) = document.sections
    return shown.blocks


def prose(report: Report, section: str) -> str:
    return "\n".join(
        plain(block.text) for block in blocks(report, section) if isinstance(block, Paragraph)
    )


def initialised(config: RNNConfig) -> nn.Module:
    """The layer, after the program of the section `gates` has run on it."""
    layer: nn.Module = eval(config.constructor, {"nn": nn})  # noqa: S307 - a constructor
    (picture,) = (b for b in blocks(inspect(config, run=False), "gates") if isinstance(b, Picture))
    program = "\n".join(picture.lines)
    assert max(map(len, picture.lines)) <= 80
    exec(program, {"torch": torch, "nn": nn, "layer": layer, "cell": layer})  # noqa: S102
    return layer


@examples(60)
@given(configs(largest=9) | cells())
def test_the_initialisation_sets_each_gate(config: RNNConfig) -> None:
    size = config.hidden_size
    for name, value in initialised(config).named_parameters():
        gates: Any = torch.split(value.detach(), size)
        if name.startswith("weight_hh") and not config.proj_size:
            for gate in gates:
                torch.testing.assert_close(gate @ gate.T, torch.eye(size))
        if name.startswith("weight_ih"):
            for gate in gates:
                assert gate.abs().max() <= sqrt(6 / sum(gate.shape))
        if name.startswith("bias"):
            expected = torch.zeros(len(gates), size)
            if config.kind is Kind.LSTM and name.startswith("bias_ih"):
                expected[1] = 1
            assert torch.equal(torch.stack(gates), expected)


def test_the_forget_gates_biases_sum_to_one_over_all_layers_and_directions() -> None:
    config = RNNConfig(kind=Kind.LSTM, num_layers=3, bidirectional=True)
    layer = initialised(config)
    text = prose(inspect(config, run=False), "gates")
    (pattern,) = re.findall(r"(bias_ih\S+) \+ bias_hh", text)
    assert pattern == "bias_ih_l{0..2}[_reverse][40:80]"
    for n in range(3):
        for way in ("", "_reverse"):
            both = (getattr(layer, f"bias_{side}_l{n}{way}") for side in ("ih", "hh"))
            assert torch.equal(sum(both)[40:80], torch.ones(40))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({}, "bias_ih_l0[40:80]"),
        ({"num_layers": 2}, "bias_ih_l{0..1}[40:80]"),
        ({"bidirectional": True}, "bias_ih_l0[_reverse][40:80]"),
        ({"cell": True}, "bias_ih[40:80]"),
    ],
    ids=["one layer", "two layers", "two directions", "cell"],
)
def test_the_forget_gates_biases_have_their_real_names(changes: Any, place: str) -> None:
    assert place in prose(inspect(RNNConfig(kind=Kind.LSTM, **changes), run=False), "gates")


@each_kind
def test_a_new_layer_is_uniform_within_the_bound_that_is_shown(kind: Kind) -> None:
    report = inspect(RNNConfig(kind=kind, hidden_size=64, num_layers=2), run=False)
    (hidden,) = re.findall(r"uniformly from -k to k, k = 1/sqrt\((\d+)\)", prose(report, "gates"))
    bound = 1 / sqrt(int(hidden))
    for value in getattr(nn, kind.value)(20, 64, 2).parameters():
        assert value.abs().max() <= bound
        assert value.abs().max() > 0.9 * bound
        assert abs(value.std() - bound / sqrt(3)) < 0.15 * bound


@examples(60)
@given(configs(largest=4))
def test_the_flat_weights_have_the_order_of_the_state_dict(config: RNNConfig) -> None:
    report = inspect(config, run=False)
    layer: Any = eval(config.constructor, {"nn": nn})  # noqa: S307 - a constructor
    names = [name for name, _ in layer.named_parameters()]
    assert [*layer.state_dict()] == layer._flat_weights_names == names
    assert [weight.name for weight in report.weights] == names
    assert len({value.data_ptr() for value in layer._flat_weights}) == len(names)
    assert "state_dict and _flat_weights" in prose(report, "weights")


def test_transposing_changes_the_layout_and_a_view_mixes_sequences() -> None:
    report = inspect(RNNConfig(kind=Kind.GRU), InputSpec(seq_len=3, batch_size=4), run=False)
    text = prose(report, "layouts")
    assert "input.transpose(0, 1)" in text
    assert "view or reshape to that shape would mix sequences and steps" in text
    given_input = torch.randn(3, 4, 20)
    layer, batch_first = nn.GRU(20, 40), nn.GRU(20, 40, batch_first=True)
    batch_first.load_state_dict(layer.state_dict())
    output, h_n = layer(given_input)
    transposed, same = batch_first(given_input.transpose(0, 1))
    torch.testing.assert_close(transposed.transpose(0, 1), output)
    torch.testing.assert_close(same, h_n)
    assert same.shape == (1, 4, 40)  # the batch of h_n is not the first axis
    mixed, _ = batch_first(given_input.view(4, 3, 20))
    assert not torch.allclose(mixed.transpose(0, 1), output)


def test_unsorted_lengths_keep_their_order() -> None:
    spec = InputSpec(seq_len=7, batch_size=3, lengths=(3, 7, 2))
    text = prose(inspect(RNNConfig(kind=Kind.LSTM), spec, run=False), "states")
    assert "enforce_sorted=False); output and h_n are in your order, not sorted" in text
    for lengths in ((7, 3, 2), (4, 4)):
        sorted_spec = InputSpec(seq_len=7, batch_size=len(lengths), lengths=lengths)
        assert "enforce_sorted" not in prose(
            inspect(RNNConfig(kind=Kind.LSTM), sorted_spec, run=False), "states"
        )
    layer, given_input = nn.LSTM(20, 40), torch.randn(7, 3, 20)
    packed = pack_padded_sequence(given_input, torch.tensor([3, 7, 2]), enforce_sorted=False)
    _, (h_n, _) = layer(packed)
    for row, length in enumerate((3, 7, 2)):
        _, (alone, _) = layer(given_input[:length, row : row + 1])
        torch.testing.assert_close(h_n[:, row : row + 1], alone)
    with pytest.raises(RuntimeError, match="sorted in decreasing order"):
        pack_padded_sequence(given_input, torch.tensor([3, 7, 2]))


def test_rows_without_steps_are_left_out_by_a_mask() -> None:
    with pytest.raises(RequestError, match="a length is 0"):
        InputSpec(batch_size=3, seq_len=7, lengths=(3, 0, 2))
    layer, given_input, lengths = nn.LSTM(20, 40), torch.randn(3, 3, 20), torch.tensor([3, 0, 2])
    with pytest.raises(RuntimeError, match="greater than 0"):
        pack_padded_sequence(given_input, lengths, enforce_sorted=False)
    mask = lengths > 0
    packed = pack_padded_sequence(given_input[:, mask], lengths[mask], enforce_sorted=False)
    output, (h_n, _) = layer(packed)
    assert pad_packed_sequence(output)[0].shape == (3, 2, 40)
    for place, row in enumerate(mask.nonzero().flatten().tolist()):
        _, (alone, _) = layer(given_input[: lengths[row], row : row + 1])
        torch.testing.assert_close(h_n[:, place : place + 1], alone)


def test_a_layer_reads_h_of_the_layer_below() -> None:
    stacked = inspect(RNNConfig(kind=Kind.LSTM, num_layers=2), run=False)
    assert "a layer reads h of the layer below at each step, never its c" in prose(
        stacked, "diagram"
    )
    for config in (RNNConfig(kind=Kind.LSTM), RNNConfig(kind=Kind.GRU, num_layers=2)):
        assert "never its c" not in prose(inspect(config, run=False), "diagram")
    stack = nn.LSTM(20, 40, 2)
    lower, upper = nn.LSTM(20, 40), nn.LSTM(40, 40)
    own = stack.state_dict()
    lower.load_state_dict({name: own[name] for name in lower.state_dict()})
    upper.load_state_dict({name: own[name.replace("_l0", "_l1")] for name in upper.state_dict()})
    given_input = torch.randn(5, 3, 20)
    torch.testing.assert_close(upper(lower(given_input)[0])[0], stack(given_input)[0])
