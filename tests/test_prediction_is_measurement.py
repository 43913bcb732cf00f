"""What the formulas predict is what PyTorch does, for every option."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import Phase, assume, find, given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from rnnshape import DType, InputSpec, Kind, Report, RNNConfig, Settings, inspect
from rnnshape.layer.prediction import predict
from tests import reference
from tests.strategies import cells, configs, examples, inputs, packed_inputs
from tests.subjects import subject

_RUNNABLE = (
    DType.FLOAT16,
    DType.BFLOAT16,
    DType.FLOAT32,
    DType.FLOAT64,
    DType.COMPLEX64,
    DType.COMPLEX128,
)


_DEEP = 25


def _runs(config: RNNConfig, dtype: DType) -> bool:
    """PyTorch has no relu of complex numbers, and old versions do not have every dtype."""
    return hasattr(torch, dtype.value) and not (
        dtype.value.startswith("complex") and config.nonlinearity == "relu"
    )


def test_random_layers_are_deep_too_in_16_bits_with_relu_and_without_biases() -> None:
    def is_such(example: tuple[RNNConfig, DType]) -> bool:
        config, dtype = example
        own = (config.num_layers, config.nonlinearity, config.bias, dtype.itemsize)
        return own == (_DEEP, "relu", False, 2)

    random = st.tuples(configs(deep=_DEEP), st.sampled_from(_RUNNABLE))
    generated = settings(max_examples=20_000, database=None, phases=[Phase.generate])
    find(random, is_such, settings=generated)


@examples(500)
@given(configs(deep=_DEEP), inputs(), st.sampled_from(_RUNNABLE))
def test_a_run_agrees_with_the_prediction_and_proves_its_equalities(
    config: RNNConfig, input_spec: InputSpec, dtype: DType
) -> None:
    assume(_runs(config, dtype))
    report = inspect(config, input_spec, Settings(dtype=dtype))
    assert report.run is not None
    assert report.run.mismatches == ()
    assert report.run.agrees
    _require_judged(report, has_values=input_spec.steps > 0)
    states = len(("output", "h_n", "c_n")) - (config.kind is not Kind.LSTM)
    relations = 1
    if config.bidirectional:
        relations = 5 + (input_spec.seq_len > 1) + (config.num_layers > 1)
    if config.num_layers * config.directions > 1 and input_spec.batch_size > 1:
        relations += 2
    assert len(report.claims) == relations + states * input_spec.with_state


def _require_judged(report: Report, *, has_values: bool) -> None:
    """What is claimed holds, unless there are too few numbers to tell.

    Zeros tell no equality. relu gives them, and without biases a stack may: from layer to layer
    numbers become smaller, until they are none. In 16 bits a sum may cancel, and a single number
    be zero by chance.
    """
    vanishing = (
        report.config.nonlinearity == "relu"
        or not report.config.bias
        or report.settings.dtype.itemsize == 2
    )
    for claim in report.claims:
        if isinstance(claim.right, tuple):
            assert claim.holds is True  # a shape is known without values
        elif claim.relation == "==" and not vanishing:
            assert claim.holds is (True if has_values else None)
        else:
            assert claim.holds in ((True, None) if has_values else (None,))


@examples(150)
@given(configs(), packed_inputs())
def test_a_packed_run_agrees_with_the_prediction(config: RNNConfig, input_spec: InputSpec) -> None:
    report = inspect(config, input_spec)
    assert report.run is not None
    assert report.run.mismatches == ()
    _require_judged(report, has_values=True)
    lengths = input_spec.lengths
    assert lengths is not None
    sizes = tuple(sum(length > time for length in lengths) for time in range(max(lengths)))
    assert report.predicted.batch_sizes == sizes


@examples(150)
@given(cells(), inputs(), st.sampled_from((DType.FLOAT32, DType.FLOAT64)))
def test_a_cell_agrees_with_the_prediction(
    config: RNNConfig, input_spec: InputSpec, dtype: DType
) -> None:
    report = inspect(config, input_spec, Settings(dtype=dtype))
    assert report.run is not None
    assert report.run.mismatches == ()
    _require_judged(report, has_values=input_spec.batch_size > 0)


def test_the_false_friends_of_an_ordinary_layer_are_told_apart() -> None:
    config = RNNConfig(kind=Kind.LSTM, num_layers=2, bidirectional=True)
    held = {claim.code: claim.holds for claim in inspect(config).claims if claim.relation == "!="}
    assert held == {"not-the-last-step": True, "not-the-forwards": True, "mixed-row": True}
    packed = InputSpec(batch_size=3, seq_len=7, lengths=(7, 3, 2))
    rows = [claim for claim in inspect(config, packed).claims if claim.code == "row-padding"]
    assert [(claim.row, claim.holds) for claim in rows] == [(1, True), (2, True)]


@examples(300)
@given(configs(), inputs())
def test_a_prediction_has_the_shapes_that_a_layer_built_by_hand_gives(
    config: RNNConfig, input_spec: InputSpec
) -> None:
    predicted = predict(subject(config, input_spec))
    layer = reference.built(config)
    for name, tensor in reference.called(layer, config, input_spec).items():
        assert predicted.tensors[name].shape == tuple(tensor.shape)
    named = {name: tuple(weight.shape) for name, weight in layer.named_parameters()}
    assert {weight.name: weight.shape for weight in predicted.weights} == named
    assert predicted.counts["parameters"] == sum(weight.numel() for weight in layer.parameters())
    has_c = config.kind is Kind.LSTM
    assert ("c_n" in predicted.tensors) is ("c_0" in predicted.tensors) is has_c
    for final, initial in (("h_n", "h_0"), *((("c_n", "c_0"),) if has_c else ())):
        assert predicted.tensors[final].shape == predicted.tensors[initial].shape


@examples(30)
@given(configs(layers=2), inputs(), st.sampled_from(DType))
def test_a_run_without_values_agrees_with_the_prediction(
    config: RNNConfig, input_spec: InputSpec, dtype: DType
) -> None:
    assume(_runs(config, dtype))
    report = inspect(config, input_spec, Settings(device="meta", dtype=dtype))
    assert report.run is not None
    assert report.run.mismatches == ()
    _require_judged(report, has_values=False)
    # A step costs milliseconds without values: two stand for all.
    assert report.run.input_spec == replace(input_spec, seq_len=min(input_spec.seq_len, 2))
    assert report.input_spec == input_spec


@pytest.mark.parametrize(
    ("config", "input_spec"),
    [
        pytest.param(
            RNNConfig(kind=Kind.LSTM, num_layers=4, bidirectional=True), InputSpec(), id="LSTM"
        ),
        pytest.param(
            RNNConfig(kind=Kind.LSTM, proj_size=10, num_layers=2, bidirectional=True),
            InputSpec(seq_len=3),
            id="LSTM with a projection",
        ),
        pytest.param(
            RNNConfig(kind=Kind.GRU, num_layers=2, batch_first=True, bias=False),
            InputSpec(batch_size=2),
            id="batch-first GRU without biases",
        ),
        pytest.param(
            RNNConfig(kind=Kind.RNN, bidirectional=True),
            InputSpec(batched=False),
            id="RNN without a batch axis",
        ),
        pytest.param(RNNConfig(kind=Kind.GRU), InputSpec(batch_size=0), id="empty batch"),
    ],
)
def test_macs_are_half_of_the_flops_that_pytorch_counts(
    config: RNNConfig, input_spec: InputSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    # oneDNN's LSTM is one operation, whose products the counter does not see.
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    layer = reference.built(config)
    with FlopCounterMode(display=False) as counter:
        reference.called(layer, config, input_spec)
    report = inspect(config, input_spec, run=False)
    assert report.macs * 2 == counter.get_total_flops()
    assert report.macs == reference.macs(config, input_spec)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@examples(100)
@given(configs(), inputs(), st.sampled_from(_RUNNABLE[:4]))
def test_a_run_on_a_gpu_agrees_with_the_prediction(
    config: RNNConfig, input_spec: InputSpec, dtype: DType
) -> None:
    report = inspect(config, input_spec, Settings(device="cuda", dtype=dtype))
    assert report.run is not None
    assert report.run.mismatches == ()
    _require_judged(report, has_values=input_spec.steps > 0)


@pytest.mark.parametrize("kind", [Kind.LSTM, Kind.GRU], ids=lambda kind: kind.value)
def test_a_wide_input_to_a_narrow_layer_stays_finite_in_complex_numbers(kind: Kind) -> None:
    config = RNNConfig(kind=kind, input_size=10_000, hidden_size=1)
    report = inspect(config, InputSpec(batch_size=50), Settings(dtype=DType.COMPLEX64))
    assert [claim.holds for claim in report.claims] == [True]


def test_without_a_run_nothing_is_judged() -> None:
    report = inspect(RNNConfig(kind=Kind.LSTM, bidirectional=True), run=False)
    assert report.run is None
    assert {claim.holds for claim in report.claims} == {None}


def test_a_report_tells_the_version_without_the_build_and_what_was_fed() -> None:
    input_spec = InputSpec(seq_len=4)
    run: Any = inspect(RNNConfig(kind=Kind.RNN), input_spec).run
    assert torch.__version__.startswith(run.torch_version)
    assert "+" not in run.torch_version
    assert run.input_spec == input_spec
