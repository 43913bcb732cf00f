"""What a layer costs, against PyTorch's own bytes and counters."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from rnnshape.analysis.cost import cost
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.input import InputSpec
from rnnshape.layer.report import predicted_report
from rnnshape.layer.run import Mismatch
from rnnshape.layer.settings import DType
from rnnshape.pytorch.probes.flops import flops
from rnnshape.pytorch.run import with_run
from tests import reference
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


def test_activations_are_the_input_and_the_output_of_every_layer() -> None:
    config = RNNConfig(kind=Kind.LSTM, hidden_size=40, num_layers=4, bidirectional=True)
    known = cost(subject(config))
    assert known.activations == 4 * (10 * 5 * 20 + 4 * (10 * 5 * 80))


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
