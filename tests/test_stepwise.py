"""The cell's equations, step by step, are what PyTorch runs; a wrong one is caught."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.report import report_document
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import gate_rows
from rnnshape.layer.report import predicted_report
from rnnshape.layer.run import Mismatch
from rnnshape.layer.settings import DType
from rnnshape.pytorch.probes import equations as probe
from rnnshape.pytorch.probes import within
from rnnshape.pytorch.probes.cpu_values import tolerance
from rnnshape.pytorch.run import with_run
from rnnshape.render import Format, render
from tests.strategies import cells, configs, examples
from tests.subjects import subject


@examples(60)
@given(st.one_of(configs(), cells()))
def test_the_equations_give_what_pytorch_computes(config: RNNConfig) -> None:
    found = probe.equations(subject(config))
    assert found is not None
    assert found.mismatches == ()
    assert found.value <= 3e-15  # float64's errors over three steps


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_gates_in_another_order_are_caught(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    def turned(config: RNNConfig) -> dict[str, slice]:
        rows = gate_rows(config)
        return dict(zip(rows, [*list(rows.values())[1:], next(iter(rows.values()))], strict=True))

    config = RNNConfig(kind=kind, hidden_size=5)
    monkeypatch.setattr(probe, "gate_rows", turned)
    found = probe.equations(subject(config))
    assert found is not None
    wrong = Mismatch(what="the cell's equations", predicted=True, measured=False)
    # One gate cannot stand in another order.
    assert found.mismatches == ((wrong,) if kind.gates > 1 else ())


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

    monkeypatch.setattr(probe, "_step", paper)
    assert probe.largest_difference(RNNConfig(kind=Kind.GRU)) > 1e-3


def test_a_layer_too_large_to_step_through_is_not_checked() -> None:
    assert probe.equations(subject(RNNConfig(kind=Kind.LSTM, hidden_size=2000))) is None


@pytest.mark.parametrize(
    ("difference", "tolerated", "caught"),
    [
        pytest.param(1e-15, probe.TOLERANCE, False, id="the error of float64"),
        pytest.param(1e-6, probe.TOLERANCE, True, id="a wrong equation"),
        pytest.param(1e-4, tolerance(DType.FLOAT32), False, id="another order of adding"),
        pytest.param(0.5, tolerance(DType.FLOAT32), True, id="another value"),
        pytest.param(1e-4, tolerance(DType.FLOAT64), True, id="another value in float64"),
        pytest.param(float("nan"), tolerance(DType.FLOAT32), True, id="NaN"),
    ],
)
def test_a_difference_beyond_its_tolerance_is_a_mismatch(
    difference: float, tolerated: float, caught: bool
) -> None:
    wrong = Mismatch(what="values", predicted=True, measured=False)
    assert within("values", difference, tolerated) == ((wrong,) if caught else ())


def test_the_report_says_within_which_bound_the_equations_hold() -> None:
    report = with_run(predicted_report(subject(RNNConfig(kind=Kind.GRU))), probes=["equations"])
    assert report.run is not None
    assert report.run.agrees
    document = report_document(Inspection(report=report), show=["verification"])
    text = render(document, Format.TABLE)
    assert re.search(
        r"; the equations hold within 1e-1[456] in float64 on the CPU$", " ".join(text.split())
    )
