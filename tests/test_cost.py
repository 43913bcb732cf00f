"""What a layer costs, against PyTorch's own bytes and counters."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from rnnshape.analysis.cost import cost
from rnnshape.document.model import Bytes
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.input import InputSpec
from rnnshape.layer.report import predicted_report
from rnnshape.layer.run import Mismatch
from rnnshape.layer.settings import DType
from rnnshape.pytorch.probes.flops import flops
from rnnshape.pytorch.run import with_run
from tests import reference
from tests.program import call
from tests.strategies import configs, examples, inputs, packed_inputs
from tests.subjects import subject

# PyTorch says so once a process, of whichever projection it meets first.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not:UserWarning")

_STEP = InputSpec(batch_size=1, seq_len=1)


@given(configs(), st.integers(1, 3), st.integers(1, 4))
@examples(40)
def test_flops_are_what_pytorchs_counter_counts(config: RNNConfig, batch: int, seq: int) -> None:
    spec = InputSpec(batch_size=batch, seq_len=seq)
    module = reference.built(config)
    given_input = torch.randn(
        (batch, seq, config.input_size) if config.batch_first else (seq, batch, config.input_size)
    )
    onednn = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment]
    try:
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            module(given_input)
    finally:
        torch.backends.mkldnn.enabled = onednn
    assert cost(subject(config, spec)).flops == counter.get_total_flops()


@given(configs(), st.sampled_from([DType.FLOAT32, DType.FLOAT64, DType.BFLOAT16]))
@examples(30)
def test_bytes_are_those_of_pytorchs_tensors(config: RNNConfig, dtype: DType) -> None:
    module = reference.built(config, dtype=getattr(torch, dtype.value))
    given_input = torch.zeros(3, 2, config.input_size, dtype=getattr(torch, dtype.value))
    _, states = module(given_input)
    finals = states if isinstance(states, tuple) else (states,)
    spec = (
        InputSpec(batch_size=3, seq_len=2)
        if config.batch_first
        else InputSpec(batch_size=2, seq_len=3)
    )
    known = cost(subject(config, spec, dtype=dtype))
    assert known.parameters == sum(p.nbytes for p in module.parameters())
    assert known.states == sum(state.nbytes for state in finals)
    assert known.gradients == known.parameters
    optimizer = torch.optim.Adam(module.parameters())
    module(given_input)[0].sum().backward()
    optimizer.step()
    moments = [
        value.nbytes
        for state in optimizer.state.values()
        for name, value in state.items()
        if name.startswith("exp_avg")
    ]
    assert known.adam == sum(moments)


def test_a_packed_input_costs_its_valid_steps_alone() -> None:
    config = RNNConfig(kind=Kind.LSTM)
    padded = cost(subject(config, InputSpec(batch_size=3, seq_len=7)))
    packed = cost(subject(config, InputSpec(batch_size=3, seq_len=7, lengths=(7, 3, 2))))
    assert packed.macs * 21 == padded.macs * 12


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_a_cell_costs_one_step_of_the_layer(kind: Kind) -> None:
    spec = InputSpec(batch_size=4, seq_len=1)
    cell = cost(subject(RNNConfig(kind=kind, cell=True), spec))
    layer = cost(subject(RNNConfig(kind=kind), spec))
    assert (cell.macs, cell.parameters, cell.states) == (layer.macs, layer.parameters, layer.states)


def test_a_step_costs_the_macs_of_a_layer_that_reads_one_step_of_one_sequence() -> None:
    config = RNNConfig(kind=Kind.LSTM, num_layers=4, bidirectional=True, proj_size=7)
    known = cost(subject(config, InputSpec(batch_size=5, seq_len=10)))
    assert known.macs_per_step == cost(subject(config, _STEP)).macs == known.macs // 50


def test_the_totals_are_sums_of_what_is_above_them() -> None:
    out = call("gru", "--layers", "2", "--no-run", "--show", "cost").out
    rows = re.findall(r"^([\w-]+) +([\d,]+) +[\d.]+ (?:kB|MB|bytes)", out, re.MULTILINE)
    known = {name: int(count.replace(",", "")) for name, count in rows}
    # 4 bytes for each parameter and gradient, 8 for Adam; 10 steps of 5 rows go in and come out.
    layer = torch.nn.GRU(20, 40, num_layers=2)
    own = sum(value.numel() for value in layer.parameters())
    assert known["inference"] == 4 * (own + 10 * 5 * 20 + 10 * 5 * 40 + 2 * 5 * 40)
    kept = 4 * (2 * 7 + 1) * 10 * 5 * 40  # 7 numbers in each layer, and what the second one reads
    assert known["kept"] == kept
    assert known["training"] == 16 * own + 4 * 10 * 5 * 20 + kept


def test_a_layer_without_a_formula_for_what_is_kept_has_no_total_of_training() -> None:
    out = call("lstm", "--no-run", "--show", "cost", "--device", "cuda").out
    assert not re.search(r"^(kept|training) ", out, re.MULTILINE)
    assert "rnnshape lstm --device cuda --train measures them" in " ".join(out.split())


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:torch.quantize_per:UserWarning")
def test_int8_weights_take_what_dynamic_quantization_leaves(kind: str) -> None:
    from torch.ao.quantization import quantize_dynamic

    float_layer = getattr(torch.nn, kind)(20, 40, num_layers=2, bidirectional=True)
    layer = cast("Any", quantize_dynamic)(torch.nn.Sequential(float_layer), {type(float_layer)})[0]
    tensors = [*layer.get_weight().values(), *layer.get_bias().values()]
    config = RNNConfig(kind=Kind(kind), num_layers=2, bidirectional=True)
    known = cost(subject(config))
    assert known.int8 == sum(value.numel() * value.element_size() for value in tensors)
    matrices = sum(value.numel() for value in layer.get_weight().values())
    assert known.int8 - known.int4 == matrices // 2


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (RNNConfig(kind=Kind.LSTM), {"sigmoids": 3, "tanhs": 2, "products": 3}),
        (RNNConfig(kind=Kind.GRU), {"sigmoids": 2, "tanhs": 1, "products": 3}),
        (RNNConfig(kind=Kind.RNN), {"tanhs": 1}),
        (RNNConfig(kind=Kind.RNN, nonlinearity="relu"), {"relus": 1}),
    ],
    ids=["LSTM", "GRU", "tanh", "relu"],
)
def test_pointwise_work_is_counted_beside_macs(config: RNNConfig, expected: dict[str, int]) -> None:
    deep = replace(config, num_layers=3, bidirectional=True)
    known = cost(subject(deep, InputSpec(batch_size=2, seq_len=5)))
    assert known.pointwise == {name: 2 * 5 * 3 * 2 * 40 * each for name, each in expected.items()}
    plain = cost(subject(config, _STEP))
    assert plain.macs == plain.macs_per_step  # which no pointwise work changes


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.00 kB"),
        (39_680, "39.7 kB"),
        (547_840, "548 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),  # a number that is rounded up to 1000 has the next unit
        (1_409_810_432, "1.41 GB"),
        (3 * 10**20, "300 EB"),
        (1_234 * 10**18, "1,230 EB"),
    ],
)
def test_bytes_are_written_with_three_digits_in_units_of_1000(count: int, text: str) -> None:
    assert str(Bytes(count)) == text


def test_half_precision_is_half_the_memory() -> None:
    first = call("lstm", "--hidden", "512", "--dtype", "half", "--no-run").out.splitlines()[0]
    parameters = sum(value.numel() for value in torch.nn.LSTM(20, 512).parameters())
    assert first == f"nn.LSTM(20, 512)   {parameters:,} parameters, {2 * parameters / 1e6:.3} MB"


@examples(25)
@given(configs(), st.one_of(inputs(), packed_inputs()))
def test_a_run_that_shows_cost_counts_the_flops_too(
    config: RNNConfig, input_spec: InputSpec
) -> None:
    report = with_run(predicted_report(subject(config, input_spec)), probes=("flops",))
    assert report.run is not None
    assert report.run.mismatches == ()
    assert report.run.value("flops") == 2 * report.macs


def test_other_flops_than_predicted_are_a_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnshape.layer.subject.macs", lambda *_: 4)
    found = flops(subject(RNNConfig(kind=Kind.RNN, input_size=1, hidden_size=1, bias=False), _STEP))
    assert found is not None
    # One multiply-add with the input and one with the state.
    assert found.mismatches == (Mismatch(what="flops", predicted=8, measured=4),)


def test_flops_are_counted_on_the_cpu_alone() -> None:
    assert flops(subject(RNNConfig(kind=Kind.GRU), device="meta")) is None
