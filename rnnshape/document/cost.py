"""What a layer costs: multiply-adds, bytes, and, measured, time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from rnnshape.analysis.cost import cost as costs
from rnnshape.dims import formula
from rnnshape.document.legend import MACS
from rnnshape.document.model import Block, Cell, Column, Paragraph, Seconds, Table
from rnnshape.layer.report import Report


def cost(report: Report) -> Iterator[Block]:
    """MACs and FLOPs of the forward pass, and bytes of all that training holds."""
    columns = (
        Column(key="cost", title="cost", headed=False),
        Column(key="amount", title="amount", numeric=True, headed=False),
        Column(key="unit", title="unit", headed=False),
        Column(key="how", title="how", headed=False, rank=1),
    )
    yield Table(columns=columns, rows=tuple(_rows(report)))
    yield Paragraph((f"{MACS} over the whole input.",))


def _rows(report: Report) -> Iterator[tuple[Cell, ...]]:
    dtype = report.settings.dtype
    known = costs(report.config, report.input_spec, dtype)
    steps = formula(report.sizes.steps)
    each = f"{dtype.itemsize} x {int(report.parameters):,}"
    yield "MACs", known.macs, None, f"{steps} x elements of all matrices"
    yield "FLOPs", known.flops, None, "2 x MACs"
    yield "parameters", known.parameters, "bytes", each
    yield "gradients", known.gradients, "bytes", "as the parameters"
    yield "Adam", known.adam, "bytes", "two moments: 2 x the parameters"
    yield "states", known.states, "bytes", "the final ones"
    yield "activations", known.activations, "bytes", "input and every layer's output"
    yield "gates", known.gates, "bytes", "of every step, kept for training"


def time(report: Report) -> Iterator[Block]:
    """The measured time of each kind beside its MACs: different things."""
    run = report.run
    if run is None or not run.timings:
        return
    baseline = run.timings[0]
    yield Table(
        columns=(
            Column(key="layer", title="layer", headed=False),
            Column(key="time", title="time", numeric=True),
            Column(key="quartiles", title="middle half", rank=2),
            Column(key="time_ratio", title="of LSTM", numeric=True),
            Column(key="macs_ratio", title="MACs of LSTM", numeric=True, rank=1),
        ),
        rows=tuple(
            (
                timing.config.kind.value + "  (this)" * (timing.config == report.config),
                Seconds(timing.median),
                f"{Seconds(timing.lower)} to {Seconds(timing.upper)}",
                f"{timing.median / baseline.median:.2f}",
                Fraction(timing.macs, baseline.macs) if baseline.macs else None,
            )
            for timing in run.timings
        ),
    )
    runs = baseline.runs
    yield Paragraph((f"median forward pass of {runs}, in inference, PyTorch's own threads",))
