"""The layers that are built for a run: their weights, and where these lie in memory."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import pytest
import torch
from hypothesis import given

from rnnshape import DType, InputSpec, Kind, RNNConfig, Settings, inspect
from rnnshape.pytorch.building import called, named_results, prepared
from tests import reference
from tests.strategies import configs, examples, inputs
from tests.subjects import subject

_LSTM = RNNConfig(kind=Kind.LSTM, hidden_size=300, num_layers=3, bidirectional=True)


def _bytes_held(module: torch.nn.Module) -> int:
    storages = [weight.untyped_storage() for weight in module.parameters()]
    return sum({each.data_ptr(): each.nbytes() for each in storages}.values())


@examples(50)
@given(configs(), inputs())
def test_weights_that_overlap_give_what_weights_of_their_own_give(
    config: RNNConfig, input_spec: InputSpec
) -> None:
    layer = prepared(subject(config, input_spec), shared=True)
    own = reference.built(config)
    own.load_state_dict({name: w.clone() for name, w in layer.module.named_parameters()})
    assert _bytes_held(own) == 4 * reference.parameters(config)
    with torch.inference_mode():
        results = [
            named_results(config, called(module, layer.read)) for module in (layer.module, own)
        ]
    for name, result in results[1].items():  # kernels may add in another order elsewhere in memory
        torch.testing.assert_close(results[0][name], result)


@pytest.mark.parametrize(("size", "num_layers"), [(256, 3), (300, 3), (20, 30)])
@pytest.mark.parametrize("shared", [True, False])
def test_no_two_weights_are_equal_and_no_two_rows_of_one(
    shared: bool, size: int, num_layers: int
) -> None:
    layer = subject(replace(_LSTM, input_size=size, hidden_size=size, num_layers=num_layers))
    weights = list(prepared(layer, shared=shared).module.parameters())
    for one, other in combinations(weights, 2):
        assert one.shape != other.shape or not torch.equal(one, other)
    for matrix in (weight for weight in weights if weight.dim() == 2):
        assert len(torch.unique(matrix, dim=0)) == len(matrix)


def test_a_run_holds_one_block_and_a_layer_that_is_trained_all_of_its_weights() -> None:
    rows, numbers = 4 * 300, 4
    one_of_each_scale = numbers * rows * (20 + 600 + 300)
    assert _bytes_held(prepared(subject(_LSTM), shared=True).module) < 2 * one_of_each_scale
    assert _bytes_held(prepared(subject(_LSTM)).module) == 4 * reference.parameters(_LSTM)


def test_weights_are_the_same_whatever_was_built_before() -> None:
    small = subject(RNNConfig(kind=Kind.LSTM, hidden_size=300))
    before = prepared(small, shared=True).module.state_dict()
    prepared(subject(RNNConfig(kind=Kind.LSTM, hidden_size=310)), shared=True)
    after = prepared(small, shared=True).module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("config", "input_spec", "dtype"),
    [
        (RNNConfig(kind=Kind.LSTM, input_size=1024, num_layers=4), InputSpec(), DType.FLOAT16),
        (
            RNNConfig(kind=Kind.RNN, input_size=500, hidden_size=1, num_layers=60),
            InputSpec(batch_size=2, seq_len=1),
            DType.FLOAT32,
        ),
        (
            RNNConfig(kind=Kind.LSTM, input_size=300_000, hidden_size=3, proj_size=1, num_layers=2),
            InputSpec(batch_size=1, lengths=(40,), seq_len=50),
            DType.FLOAT16,
        ),
    ],
    ids=["wide input", "many layers", "very wide input"],
)
def test_states_do_not_vanish_where_the_layer_below_is_wide(
    config: RNNConfig, input_spec: InputSpec, dtype: DType
) -> None:
    narrow = replace(config, bidirectional=config.kind is Kind.RNN, bias=False)
    run = inspect(narrow, input_spec, Settings(dtype=dtype)).run
    assert run is not None
    assert all(claim.holds for claim in run.claims)


def test_most_of_the_smallest_relu_layers_prove_something() -> None:
    sizes = list(product((1, 2, 3), repeat=3))
    decided = 0
    for input_size, hidden_size, num_layers in sizes:
        config = RNNConfig(
            kind=Kind.RNN,
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            nonlinearity="relu",
        )
        run = inspect(config, InputSpec(batch_size=1, seq_len=3)).run
        decided += run is not None and all(claim.holds for claim in run.claims)
    assert decided > 0.7 * len(sizes)
