"""When a projection saves parameters, against counting every one of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape import Kind, RNNConfig, inspect
from rnnshape.layer.projection import break_even_projection, largest_saving_projection
from tests import reference
from tests.strategies import examples


@examples(200)
@given(
    st.builds(
        RNNConfig,
        kind=st.just(Kind.LSTM),
        input_size=st.integers(1, 50),
        hidden_size=st.integers(1, 60),
        num_layers=st.integers(1, 12),
        bias=st.booleans(),
        bidirectional=st.booleans(),
    )
)
def test_break_even_is_where_counting_every_projection_finds_it(config: RNNConfig) -> None:
    without = reference.parameters(config)
    difference = {
        proj: reference.parameters(replace(config, proj_size=proj)) - without
        for proj in range(1, config.hidden_size)
    }
    directions = 2 if config.bidirectional else 1
    sizes = (config.hidden_size, config.num_layers, directions)
    assert largest_saving_projection(*sizes) == max(
        (proj for proj, extra in difference.items() if extra < 0), default=0
    )
    even = [proj for proj, extra in difference.items() if extra == 0]
    found = break_even_projection(*sizes)
    assert even == ([] if found is None else [found])


def test_lstm_20_40_breaks_even_at_32() -> None:
    assert break_even_projection(40, 1, 1) == 32
    assert largest_saving_projection(40, 1, 1) == 31


@pytest.mark.parametrize(
    ("proj_size", "parameters"),
    [
        pytest.param(0, 9_920, id="none"),
        pytest.param(10, 5_520, id="10 saves"),
        pytest.param(31, 9_920 - 200, id="31 is the last to save"),
        pytest.param(32, 9_920, id="32 breaks even"),
        pytest.param(39, 9_920 + 1_400, id="39 adds 1,400"),
    ],
)
def test_the_projection_of_lstm_20_40_costs_what_pytorch_counts(
    proj_size: int, parameters: int
) -> None:
    config = RNNConfig(kind=Kind.LSTM, proj_size=proj_size)
    weights = reference.built(config).parameters()
    assert inspect(config, run=False).parameters == parameters
    assert sum(weight.numel() for weight in weights) == parameters


@pytest.mark.parametrize(
    ("hidden_size", "num_layers", "directions"),
    [
        pytest.param(1, 1, 1, id="hidden_size 1 leaves no smaller projection"),
        pytest.param(1, 1000, 2, id="nor do many layers"),
        pytest.param(41, 1, 1, id="break-even at 32.8 is no integer"),
    ],
)
def test_there_need_not_be_a_projection_that_breaks_even(
    hidden_size: int, num_layers: int, directions: int
) -> None:
    assert break_even_projection(hidden_size, num_layers, directions) is None


def test_break_even_is_exact_for_sizes_that_no_float_holds() -> None:
    hidden_size = 5 * (10**30 + 7)
    assert break_even_projection(hidden_size, 1, 1) == 4 * (10**30 + 7)
    assert largest_saving_projection(hidden_size, 1, 1) == 4 * (10**30 + 7) - 1
