"""The shapes with batch_first on and off, side by side."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Axes, Block, Code, Column, Paragraph, Shape, Table
from rnnshape.document.sections.shapes import named_together
from rnnshape.layer.formulas import final_state_names


def layouts(inspection: Inspection) -> Iterator[Block]:
    """The shape of each tensor in both layouts; a cell has no layouts."""
    subject = inspection.subject
    if subject.config.cell:
        return
    seq_first, batch_first = (subject.changed(batch_first=on).tensors for on in (False, True))
    this = subject.config.batch_first
    titles = [f"batch_first={on}" + " (this)" * (on is this) for on in (False, True)]
    yield Table(
        columns=(
            Column(key="tensor", title="tensor", headed=False),
            Column(key="seq_first", title=titles[0], numeric=True),
            Column(key="batch_first", title=titles[1], numeric=True),
        ),
        rows=tuple(
            (Code(names), Shape.of(tensor), Shape.of(batch_first[tensor.name]))
            for names, tensor in named_together(seq_first)
        ),
    )
    if not subject.input_spec.batched:
        yield Paragraph(("without a batch axis batch_first is ignored",))
        return
    state = Axes(seq_first[final_state_names(subject.config)[0]].axes)
    yield Paragraph(
        ("batch_first moves input and output, never h and c, not even initial ones: (", state, ")")
    )
    yield Paragraph(
        (
            "from one layout to the other: ",
            Code("input.transpose(0, 1)"),
            "; view or reshape to that shape would mix sequences and steps",
        )
    )
