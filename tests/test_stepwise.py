"""The cell's equations, step by step, are what PyTorch runs; a wrong one is caught."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnshape.document.layer import layer_document
from rnnshape.layer import stepwise
from rnnshape.layer.config import DType, InputSpec, Kind, RNNConfig, Settings
from rnnshape.layer.formulas import gate_rows
from rnnshape.layer.report import predicted_report
from rnnshape.layer.run import with_run
from rnnshape.layer.verification import EQUATION_TOLERANCE, verify_differences
from rnnshape.render import Format, render
from tests.strategies import cells, configs, examples


@examples(60)
@given(st.one_of(configs(), cells()))
def test_the_equations_give_what_pytorch_computes(config: RNNConfig) -> None:
    difference = stepwise.largest_difference(config)
    assert difference is not None
    assert difference <= 3e-15  # float64's errors over three steps


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_gates_in_another_order_are_caught(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    def turned(config: RNNConfig) -> dict[str, slice]:
        rows = gate_rows(config)
        return dict(zip(rows, [*list(rows.values())[1:], next(iter(rows.values()))], strict=True))

    config = RNNConfig(kind=kind, hidden_size=5)
    monkeypatch.setattr(stepwise, "gate_rows", turned)
    difference = stepwise.largest_difference(config)
    assert difference is not None
    # One gate cannot stand in another order.
    assert (difference > EQUATION_TOLERANCE) is (kind.gates > 1)


def test_the_candidate_of_the_paper_is_not_pytorchs(monkeypatch: pytest.MonkeyPatch) -> None:
    def paper(
        config: RNNConfig, own: dict[str, torch.Tensor], x: torch.Tensor, state: tuple[torch.Tensor]
    ) -> tuple[torch.Tensor]:
        (h,) = state
        w_i, w_h = own["weight_ih"].chunk(3), own["weight_hh"].chunk(3)
        b_i, b_h = own["bias_ih"].chunk(3), own["bias_hh"].chunk(3)
        r, z = (torch.sigmoid(x @ w_i[k].T + b_i[k] + h @ w_h[k].T + b_h[k]) for k in (0, 1))
        n = torch.tanh(x @ w_i[2].T + b_i[2] + (r * h) @ w_h[2].T + b_h[2])
        return ((1 - z) * n + z * h,)

    monkeypatch.setattr(stepwise, "_step", paper)
    difference = stepwise.largest_difference(RNNConfig(kind=Kind.GRU))
    assert difference is not None
    assert difference > 1e-3


def test_a_layer_too_large_to_step_through_is_not_checked() -> None:
    assert stepwise.largest_difference(RNNConfig(kind=Kind.LSTM, hidden_size=2000)) is None


@pytest.mark.parametrize(
    ("equations", "device", "dtype", "caught"),
    [
        pytest.param(None, None, DType.FLOAT32, [], id="nothing looked for"),
        pytest.param(1e-15, 1e-4, DType.FLOAT32, [], id="within the tolerances"),
        pytest.param(1e-6, None, DType.FLOAT32, ["the cell's equations"], id="equations"),
        pytest.param(None, 0.5, DType.FLOAT32, ["the CPU's values"], id="device"),
        pytest.param(None, 1e-4, DType.FLOAT64, ["the CPU's values"], id="device in float64"),
        pytest.param(None, float("nan"), DType.FLOAT32, ["the CPU's values"], id="NaN"),
    ],
)
def test_a_difference_beyond_its_tolerance_is_a_mismatch(
    equations: float | None, device: float | None, dtype: DType, caught: list[str]
) -> None:
    mismatches = verify_differences(equations=equations, device=device, dtype=dtype)
    assert [mismatch.what for mismatch in mismatches] == caught


def test_the_report_says_within_which_bound_the_equations_hold() -> None:
    report = with_run(
        predicted_report(RNNConfig(kind=Kind.GRU), InputSpec(), Settings()), equations=True
    )
    assert report.run is not None
    assert report.run.agrees
    text = render(layer_document(report, show=["verification"], full=False), Format.TABLE)
    assert "the equations hold within 1e-1" in text
