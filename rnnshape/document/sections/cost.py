"""What a layer costs: multiply-adds of the forward pass, and bytes."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.cost import cost as cost_of
from rnnshape.analysis.inspection import Inspection
from rnnshape.dims import formula
from rnnshape.document.legend import MACS
from rnnshape.document.model import Block, Cell, Column, Paragraph, Table
from rnnshape.layer.report import LayerReport


def cost(inspection: Inspection) -> Iterator[Block]:
    """MACs and FLOPs, and the bytes that a formula gives."""
    columns = (
        Column(key="cost", title="cost", headed=False),
        Column(key="amount", title="amount", numeric=True, headed=False),
        Column(key="unit", title="unit", headed=False),
        Column(key="how", title="how", headed=False, rank=1),
    )
    yield Table(columns=columns, rows=tuple(_rows(inspection.report)))
    yield Paragraph((f"{MACS} in one forward pass.",))
    yield Paragraph(("Training needs more: this leaves out what autograd keeps for backward.",))


def _rows(report: LayerReport) -> Iterator[tuple[Cell, ...]]:
    subject = report.subject
    known, itemsize = cost_of(subject), subject.settings.dtype.itemsize
    yield "MACs", known.macs, None, f"{formula(report.sizes.steps)} x elements of all matrices"
    yield "FLOPs", known.flops, None, "2 x MACs"
    yield "parameters", known.parameters, "bytes", f"{itemsize} x {subject.parameters:,}"
    yield "gradients", known.gradients, "bytes", "one for each parameter"
    yield "Adam", known.adam, "bytes", "two moments: 2 x the parameters"
    yield "states", known.states, "bytes", "the final states"
    yield "activations", known.activations, "bytes", "input and every layer's output"
