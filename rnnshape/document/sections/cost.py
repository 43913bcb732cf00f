"""What a layer costs: multiply-adds of the forward pass, and memory."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.cost import cost as cost_of
from rnnshape.analysis.inspection import Inspection
from rnnshape.dims import formula
from rnnshape.document.legend import MACS
from rnnshape.document.model import Block, Bytes, Cell, Column, Paragraph, Table
from rnnshape.layer.report import LayerReport


def cost(inspection: Inspection) -> Iterator[Block]:
    """MACs and FLOPs, then the memory that a formula gives, with its sum."""
    report = inspection.report
    yield Table(
        columns=(
            Column(key="cost", title="cost", headed=False),
            Column(key="amount", title="amount", numeric=True),
            Column(key="how", title="how", headed=False, rank=1),
        ),
        rows=tuple(_compute(report)),
    )
    yield Table(
        columns=(
            Column(key="memory", title="memory"),
            Column(key="bytes", title="bytes", numeric=True),
            Column(key="unit", title="in units", numeric=True, headed=False, rank=2),
            Column(key="how", title="how", headed=False, rank=1),
        ),
        rows=tuple(_memory(report)),
        total=True,
    )
    yield Paragraph((f"{MACS} in one forward pass.",))
    yield Paragraph(("Training needs more than the total: autograd keeps values for backward.",))


def _compute(report: LayerReport) -> Iterator[tuple[Cell, ...]]:
    known = cost_of(report.subject)
    yield "MACs", known.macs, f"{formula(report.sizes.steps)} x elements of all matrices"
    yield "MACs per step", known.macs_per_step, "one step of one sequence"
    yield "FLOPs", known.flops, "2 x MACs"


def _memory(report: LayerReport) -> Iterator[tuple[Cell, ...]]:
    subject = report.subject
    known, itemsize = cost_of(subject), subject.settings.dtype.itemsize
    alike = known.parameters == itemsize * report.parameters  # a module may hold several dtypes
    rows = {
        "parameters": (known.parameters, f"{itemsize} x {report.parameters:,}" if alike else ""),
        "gradients": (known.gradients, "one for each parameter"),
        "Adam": (known.adam, "two moments: 2 x the parameters"),
        "input": (known.input, ""),
        "output": (known.output, "of the last layer"),
        "states": (known.states, "the final states"),
    }
    for name, (count, how) in rows.items():
        if count or name != "output":
            yield name, count, Bytes(count), how or None
    total = sum(count for count, _ in rows.values())
    yield "total", total, Bytes(total), None
