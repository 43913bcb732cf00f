"""What the benchmarks compare with, and how they read their figures."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.growth import exponent
from benchmarks.one_peer import CASES, Case, Model, true_counts
from benchmarks.peers import shows


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_true_macs_are_what_torch_counts_of_its_own_kernels(case: Case) -> None:
    """In float64, which no other library takes over, so that every product is counted."""
    with FlopCounterMode(display=False) as counter:
        Model(case).double()(torch.randn(case.shape, dtype=torch.float64))
    _, macs = true_counts(case)
    assert 2 * macs == counter.get_total_flops()


@pytest.mark.parametrize("power", [0.5, 1, 2])
def test_the_exponent_is_the_power_of_the_time_beyond_the_start_up(power: float) -> None:
    sizes = (1, 100, 200, 400)
    times = [0.5, *(0.5 + size**power / 10 for size in sizes[1:])]
    assert exponent(sizes, times) == pytest.approx(power)


@pytest.mark.parametrize("times", [[0.5, 0.5, 0.51, 0.52], [0.5, 0.49, 0.6, 0.9]])
def test_times_that_noise_decides_have_no_exponent(times: list[float]) -> None:
    assert exponent((1, 100, 200, 400), times) == 0


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("h_n, h_0   (8, 5, 40)  (D*num_layers, N, H_out)", "named"),
        ("LSTM: 1-1  [8, 5, 40]", "unnamed"),
        ("h_n        (18, 5, 40)", "no"),
    ],
)
def test_a_shape_is_named_where_its_line_has_the_name(line: str, found: str) -> None:
    assert shows(f"output (10, 5, 80)\n{line}\n", "h_n", (8, 5, 40)) == found
