"""What a layer was given and returned when its model ran once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Cell, Column, Paragraph, Shape, Table, Times
from rnnshape.layer.subject import Subject

if TYPE_CHECKING:
    from rnnshape.layer.calls import Call


def calls(inspection: Inspection) -> Iterator[Block]:
    """A row for each call, then their sum if there are several; nothing if no model ran."""
    subject = inspection.subject
    made = subject.calls or ()
    if not made:
        return
    from rnnshape.layer.verification import called  # few layers have calls

    several = len(made) > 1
    rows = [_row(call, called(subject, call)) for call in made]
    macs = sum(call.count * called(subject, call).macs for call in made)
    total: tuple[Cell, ...] = ("total", None, None, None, None, macs)
    yield Table(
        columns=(
            Column(key="reads", title="reads", headed=False),
            Column(key="input", title="input", numeric=True),
            Column(key="output", title="output", numeric=True),
            Column(key="states", title="states", rank=1),
            Column(key="count", title="calls", numeric=True, headed=False),
            Column(key="macs", title="MACs", numeric=True),
        ),
        rows=(*rows, *([total] if several else [])),
        total=several,
    )
    yield Paragraph((_measured(made, agrees=not inspection.report.disagrees),))


def _row(call: Call, subject: Subject) -> tuple[Cell, ...]:
    axes = {name: each.axes for name, each in subject.tensors.items()}
    names = ("data", "output") if call.packed else ("input", _returned(call))
    shapes = [
        Shape(call.tensors[n], axes["data" if call.packed else n]) if n in call.tensors else None
        for n in names
    ]
    reads = "packed" if call.packed else "batch" if call.input_spec.batched else "unbatched"
    states = "given" if call.input_spec.with_state else "zeros"
    times = Times(call.count) if call.count > 1 else None
    return reads, *shapes, states, times, call.count * subject.macs


def _returned(call: Call) -> str:
    return "output" if "output" in call.tensors else "h_1"


def _measured(made: tuple[Call, ...], *, agrees: bool) -> str:
    if any(call.own_forward for call in made):
        return "measured in one forward pass of the model; a forward of its own may do otherwise"
    as_predicted = ": every shape as predicted" if agrees else ""
    return f"measured in one forward pass of the model{as_predicted}"
