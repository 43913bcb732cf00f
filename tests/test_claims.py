"""What tutorials say of recurrent layers: where they are right, and what is true where not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from rnnshape import InputSpec, Kind, Report, RNNConfig, inspect
from rnnshape.analysis.comparison import against_siblings
from rnnshape.layer.facts import Claim, Dims, Part
from rnnshape.layer.findings import (
    CostlyProjection,
    DropoutWithoutEffect,
    EqualSizes,
    UnconfirmedBatchAxis,
    find,
)
from rnnshape.pytorch.forward import measure
from tests import reference
from tests.program import call
from tests.subjects import subject

_NOTE = InputSpec(seq_len=5, batch_size=10)  # torch.randn(5, 10, 20) and batch_first=False


def _proven(config: RNNConfig, input_spec: InputSpec | None = None) -> Report:
    """The report of a layer that was run, agrees, and whose equalities all hold."""
    report = inspect(config, input_spec)
    assert report.run is not None
    assert report.run.agrees
    assert all(claim.holds for claim in report.claims)
    return report


def _shapes(report: Report) -> dict[str, Dims]:
    return {name: tensor.shape for name, tensor in report.tensors.items()}


def _judged(config: RNNConfig, input_spec: InputSpec, left: Part, right: Part) -> bool | None:
    claim = Claim(code="last-layer", left=left, right=right)
    return measure(subject(config, input_spec), [claim]).claims[0].holds


@pytest.mark.parametrize(
    ("config", "output", "h_n", "parameters"),
    [
        pytest.param(
            RNNConfig(kind=Kind.LSTM, num_layers=4, bidirectional=True),
            (5, 10, 80),
            (8, 10, 40),
            136_960,
            id="bidirectional LSTM",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, num_layers=4), (5, 10, 40), (4, 10, 40), 49_280, id="LSTM"
        ),
        pytest.param(
            RNNConfig(kind=Kind.GRU, hidden_size=25, num_layers=4, bidirectional=True),
            (5, 10, 50),
            (8, 10, 25),
            41_700,
            id="bidirectional GRU",
        ),
        pytest.param(
            RNNConfig(kind=Kind.GRU, hidden_size=25, num_layers=4),
            (5, 10, 25),
            (4, 10, 25),
            15_225,
            id="GRU",
        ),
    ],
)
def test_the_four_layers_of_the_note_have_its_shapes(
    config: RNNConfig, output: Dims, h_n: Dims, parameters: int
) -> None:
    report = _proven(config, _NOTE)
    shapes = _shapes(report)
    assert (shapes["input"], shapes["output"], shapes["h_n"]) == ((5, 10, 20), output, h_n)
    assert report.parameters == parameters
    layer = reference.built(config)
    tensors = reference.called(layer, config, _NOTE)
    assert (tensors["output"].shape, tensors["h_n"].shape) == (output, h_n)
    assert sum(weight.numel() for weight in layer.parameters()) == parameters


def test_the_first_axis_is_the_batch_with_batch_first_alone_and_only_h_n_tells() -> None:
    config = RNNConfig(kind=Kind.LSTM, num_layers=4, bidirectional=True)
    as_written = _proven(config, _NOTE)
    meant = _proven(replace(config, batch_first=True), InputSpec(batch_size=5, seq_len=10))
    assert as_written.predicted.tensors["output"].axes == ("seq", "batch", "feature")
    assert meant.predicted.tensors["output"].axes == ("batch", "seq", "feature")
    differing = {
        name for name, shape in _shapes(as_written).items() if _shapes(meant)[name] != shape
    }
    assert differing == {"h_0", "c_0", "h_n", "c_n"}
    assert (_shapes(as_written)["h_n"], _shapes(meant)["h_n"]) == ((8, 10, 40), (8, 5, 40))
    [finding] = find(replace(subject(config, _NOTE), axes_by_place=True))
    assert isinstance(finding, UnconfirmedBatchAxis)
    assert (finding.output, finding.h_n) == ((5, 10, 80), (8, 5, 40))


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one direction", "two"])
def test_the_width_of_output_is_hidden_size_times_1_or_2(bidirectional: bool) -> None:
    report = _proven(RNNConfig(kind=Kind.GRU, hidden_size=25, bidirectional=bidirectional))
    assert _shapes(report)["output"][-1] == 25 * (2 if bidirectional else 1)


def test_lstm_3_3_has_96_parameters_and_sizes_that_hide_its_axes() -> None:
    config = RNNConfig(kind=Kind.LSTM, input_size=3, hidden_size=3)
    report = _proven(config)
    assert report.parameters == 12 * 3 + 12 * 3 + 12 + 12 == 96
    assert next(iter(report.weights)).shape == (12, 3) == torch.nn.LSTM(3, 3).weight_ih_l0.shape
    assert report.findings == (EqualSizes(axes=("input_size", "hidden_size"), size=3),)
    assert _shapes(report)["output"] == (10, 5, 3)
    assert _shapes(_proven(replace(config, batch_first=True)))["output"] == (5, 10, 3)


def test_h_n_of_the_reverse_direction_is_the_state_at_the_first_step() -> None:
    config = RNNConfig(kind=Kind.LSTM, bidirectional=True)
    each, reverse = slice(None), slice(40, None)
    h_n = Part(tensor="h_n", index=(-1,))
    first = Part(tensor="output", index=(0, each, reverse))
    last = Part(tensor="output", index=(-1, each, reverse))
    assert (str(first), str(last)) == ("output[0, :, 40:]", "output[-1, :, 40:]")
    assert _judged(config, InputSpec(), first, h_n) is True
    assert _judged(config, InputSpec(), last, h_n) is False


@torch.no_grad()
def test_h_n_of_a_padded_row_is_the_state_at_its_own_last_step() -> None:
    packed = InputSpec(batch_size=3, seq_len=7, lengths=(7, 3, 2))
    report = _proven(RNNConfig(kind=Kind.LSTM), packed)
    assert [str(claim) for claim in report.claims] == [
        "output[6, 0] == h_n[-1, 0]",
        "output[2, 1] == h_n[-1, 1]",
        "output[-1, 1] != h_n[-1, 1]",
        "output[1, 2] == h_n[-1, 2]",
        "output[-1, 2] != h_n[-1, 2]",
    ]


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_initial_states_that_are_left_out_are_zeros(kind: Kind) -> None:
    report = _proven(RNNConfig(kind=kind, num_layers=2), InputSpec(with_state=True))
    told = [str(claim) for claim in report.claims if claim.code == "zero-state"]
    c_n = ["c_n == layer(input)[1][1]"] if kind is Kind.LSTM else []
    h_n = "h_n == layer(input)[1][0]" if kind is Kind.LSTM else "h_n == layer(input)[1]"
    assert told == ["output == layer(input)[0]", h_n, *c_n]
    for claim in report.claims:
        assert claim.holds is True


@pytest.mark.parametrize(
    ("config", "claims"),
    [
        pytest.param(RNNConfig(kind=Kind.GRU), ["output[-1] == h_n[0]"], id="one layer"),
        pytest.param(
            RNNConfig(kind=Kind.GRU, num_layers=3),
            [
                "output[-1] == h_n[-1]",
                "h_n.transpose(0, 1).reshape(5, -1)[0] == h_n[:, 0].flatten()",
                "h_n.view(5, -1)[0] != h_n[:, 0].flatten()",
            ],
            id="three layers",
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, num_layers=4, bidirectional=True),
            [
                "output[-1, :, :40] == h_n[-2]",
                "output[0, :, 40:] == h_n[-1]",
                "output[-1] != torch.cat([h_n[-2], h_n[-1]], -1)",
                "h_n.view(4, 2, 5, 40)[-1, 0] == h_n[-2]",
                "h_n[:4] != h_n[0::2]",
                "h_n.view(4, 2, 5, 40).sum(1).shape == (4, 5, 40)",
                "torch.cat([h_n[0::2], h_n[1::2]], -1).shape == (4, 5, 80)",
                "h_n.transpose(0, 1).reshape(5, -1)[0] == h_n[:, 0].flatten()",
                "h_n.view(5, -1)[0] != h_n[:, 0].flatten()",
            ],
            id="four layers in two directions",
        ),
        pytest.param(
            RNNConfig(kind=Kind.GRU, batch_first=True),
            ["output[:, -1] == h_n[0]"],
            id="batch-first",
        ),
    ],
)
def test_the_last_of_output_is_h_n_of_the_last_layer(config: RNNConfig, claims: list[str]) -> None:
    assert [str(claim) for claim in _proven(config).claims] == claims


def test_the_layers_below_the_last_are_in_h_n_alone() -> None:
    config = RNNConfig(kind=Kind.GRU, num_layers=3)
    last = Part(tensor="output", index=(-1,))
    judged = [
        _judged(config, InputSpec(), last, Part(tensor="h_n", index=(layer,))) for layer in range(3)
    ]
    assert judged == [False, False, True]


@pytest.mark.parametrize(
    ("proj_size", "parameters", "costly"),
    [
        pytest.param(10, 5_520, [], id="10 saves"),
        pytest.param(32, 9_920, [0], id="32 breaks even"),
        pytest.param(39, 11_320, [1_400], id="39 adds"),
    ],
)
def test_a_projection_saves_parameters_below_break_even_alone(
    proj_size: int, parameters: int, costly: list[int]
) -> None:
    report = _proven(RNNConfig(kind=Kind.LSTM, proj_size=proj_size))
    assert report.parameters == parameters
    assert [
        finding.extra_parameters
        for finding in report.findings
        if isinstance(finding, CostlyProjection)
    ] == costly
    assert (_shapes(report)["h_n"], _shapes(report)["c_n"]) == ((1, 5, proj_size), (1, 5, 40))


def test_a_gru_has_exactly_three_quarters_of_an_lstm() -> None:
    rows = {
        row.subject.config.kind: row for row in against_siblings(subject(RNNConfig(kind=Kind.GRU)))
    }
    for kind in (Kind.LSTM, Kind.GRU):
        layer = reference.built(RNNConfig(kind=kind))
        assert rows[kind].parameters == sum(weight.numel() for weight in layer.parameters())
    assert rows[Kind.GRU].parameters * 4 == rows[Kind.LSTM].parameters * 3
    assert rows[Kind.GRU].macs * 4 == rows[Kind.LSTM].macs * 3


def _by_gate(layer: Any, kind: Kind) -> dict[str, tuple[torch.Tensor, ...]]:
    """The rows of each gate, in the order that is told, of all four weights."""
    stacked = [layer.weight_ih_l0, layer.bias_ih_l0, layer.weight_hh_l0, layer.bias_hh_l0]
    rows = zip(*(weight.chunk(kind.gates) for weight in stacked), strict=True)
    return dict(zip(kind.gate_names, rows, strict=True))


def _step(kind: Kind) -> tuple[Any, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """A layer, one step of input, its states, and what PyTorch makes of them."""
    layer = getattr(torch.nn, kind.value)(3, 4, dtype=torch.float64)
    x, h, c = (torch.randn(1, 5, size, dtype=torch.float64) for size in (3, 4, 4))
    with torch.no_grad():
        result = layer(x, (h, c) if kind is Kind.LSTM else h)[0]
    return layer, x, h, c, result


@torch.no_grad()
def test_the_gates_of_an_lstm_are_stacked_as_i_f_g_o() -> None:
    layer, x, h, c, result = _step(Kind.LSTM)
    gate = {
        name: x @ w_ih.T + b_ih + h @ w_hh.T + b_hh
        for name, (w_ih, b_ih, w_hh, b_hh) in _by_gate(layer, Kind.LSTM).items()
    }
    c_next = gate["f"].sigmoid() * c + gate["i"].sigmoid() * gate["g"].tanh()
    assert torch.allclose(gate["o"].sigmoid() * c_next.tanh(), result, rtol=0, atol=1e-14)
    assert _proven(RNNConfig(kind=Kind.LSTM)).weights.blocks[0].shapes["weight_ih"] == (160, 20)


@torch.no_grad()
def test_the_reset_gate_of_a_gru_multiplies_after_the_product_with_h() -> None:
    layer, x, h, _, result = _step(Kind.GRU)
    gates = _by_gate(layer, Kind.GRU)

    def from_input(name: str) -> torch.Tensor:
        weight, bias, _, _ = gates[name]
        return x @ weight.T + bias

    def from_state(name: str, state: torch.Tensor) -> torch.Tensor:
        _, _, weight, bias = gates[name]
        return state @ weight.T + bias

    r = (from_input("r") + from_state("r", h)).sigmoid()
    z = (from_input("z") + from_state("z", h)).sigmoid()
    pytorch = (from_input("n") + r * from_state("n", h)).tanh()
    paper = (from_input("n") + from_state("n", r * h)).tanh()
    assert torch.allclose((1 - z) * pytorch + z * h, result, rtol=0, atol=1e-14)
    assert not torch.allclose((1 - z) * paper + z * h, result, rtol=0, atol=1e-6)
    shown = call("gru", "--no-run", "--show", "gates").out
    assert "\nn = tanh(W_in x + b_in + r * (W_hn h + b_hn))\n" in shown


def test_rnn_2_3_has_the_shapes_of_the_note_for_three_steps_and_for_one() -> None:
    config = RNNConfig(kind=Kind.RNN, input_size=2, hidden_size=3)
    whole = _proven(config, InputSpec(seq_len=3, batch_size=1))
    one = _proven(config, InputSpec(seq_len=1, batch_size=1))
    for report, steps in ((whole, 3), (one, 1)):
        shapes = _shapes(report)
        assert shapes["input"] == (steps, 1, 2)
        assert shapes["output"] == (steps, 1, 3)
        assert shapes["h_n"] == (1, 1, 3)
    assert whole.parameters == 3 * 2 + 3 * 3 + 3 + 3 == 21


def test_weight_ih_is_stored_as_hidden_by_input() -> None:
    report = _proven(RNNConfig(kind=Kind.RNN, input_size=2, hidden_size=3))
    assert {weight.name: weight.shape for weight in report.weights} == {
        "weight_ih_l0": (3, 2),
        "weight_hh_l0": (3, 3),
        "bias_ih_l0": (3,),
        "bias_hh_l0": (3,),
    }


def test_hidden_size_is_not_the_sequence_length() -> None:
    config = RNNConfig(kind=Kind.RNN, input_size=2, hidden_size=3)
    equal = _proven(config, InputSpec(seq_len=3, batch_size=1))
    longer = _proven(config, InputSpec(seq_len=4, batch_size=1))
    assert equal.findings == (EqualSizes(axes=("seq_len", "hidden_size"), size=3),)
    assert longer.findings == ()
    assert (_shapes(longer)["output"], longer.parameters) == ((4, 1, 3), equal.parameters)


@pytest.mark.parametrize(
    ("proj_size", "h_n"),
    [
        pytest.param(0, (4, 3, 20), id="as h_n without a projection"),
        pytest.param(7, (4, 3, 7), id="wider than h_n with one"),
    ],
)
def test_c_n_is_hidden_size_wide(proj_size: int, h_n: Dims) -> None:
    config = RNNConfig(
        kind=Kind.LSTM,
        input_size=10,
        hidden_size=20,
        num_layers=2,
        bidirectional=True,
        proj_size=proj_size,
    )
    input_spec = InputSpec(seq_len=5, batch_size=3)
    shapes = _shapes(_proven(config, input_spec))
    tensors = reference.called(reference.built(config), config, input_spec)
    assert shapes["h_n"] == shapes["h_0"] == tensors["h_n"].shape == h_n
    assert shapes["c_n"] == shapes["c_0"] == tensors["c_n"].shape == (4, 3, 20)
    assert shapes["output"] == tensors["output"].shape == (5, 3, 2 * h_n[-1])


@torch.no_grad()
def test_dropout_acts_after_every_layer_but_the_last() -> None:
    """With dropout 1 the second layer reads zeros, and what it gives is not dropped."""
    layer = torch.nn.GRU(20, 40, num_layers=2, dropout=1.0).train()
    one, other = (layer(torch.randn(10, 5, 20))[0] for _ in range(2))
    assert torch.equal(one, other)
    assert one.abs().min() > 0
    assert _proven(RNNConfig(kind=Kind.GRU, num_layers=2, dropout=1.0)).findings == ()


@torch.no_grad()
def test_dropout_does_nothing_with_one_layer_but_warn() -> None:
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        layer = torch.nn.GRU(20, 40, dropout=1.0)
    given = torch.randn(10, 5, 20)
    assert torch.equal(layer.train()(given)[0], layer.eval()(given)[0])
    report = _proven(RNNConfig(kind=Kind.GRU, dropout=1.0))
    assert report.findings == (DropoutWithoutEffect(dropout=1.0),)
