"""Every tensor that goes in or comes out: its shape, its formula and its axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rnnshape.analysis.inspection import Inspection
from rnnshape.dims import formula, shape_formula, written_shape
from rnnshape.document.legend import assumed, legend
from rnnshape.document.model import (
    Axes,
    Block,
    Code,
    Column,
    Formula,
    Inline,
    Paragraph,
    Shape,
    Table,
)
from rnnshape.layer.facts import Tensor
from rnnshape.layer.report import LayerReport

# Nobody reads more steps of a packed batch than this; JSON has all of them.
_MOST_STEPS: Final = 12


def shapes(inspection: Inspection) -> Iterator[Block]:
    """The tensors, the legend, what was assumed, and what an nn.Linear after the layer reads."""
    report = inspection.report
    yield Table(
        columns=(
            Column(key="tensor", title="tensor", headed=False),
            Column(key="shape", title="shape", numeric=True, headed=False),
            Column(key="formula", title="formula", headed=False, rank=2),
            Column(key="axes", title="axes", rank=1),
        ),
        rows=tuple(
            (
                Code(names),
                Shape.of(tensor),
                Formula(shape_formula(tensor.shape)),
                Axes(tensor.axes),
            )
            for names, tensor in named_together(report.tensors)
        ),
    )
    yield legend(report.subject)
    defaults = assumed([report.subject])
    between = ("; ",) if defaults else ()
    yield Paragraph((*defaults, *between, *_next_linear(report)))
    if report.predicted.batch_sizes is not None:
        yield Paragraph(_packed(report, report.predicted.batch_sizes))


def _next_linear(report: LayerReport) -> Inline:
    width = report.next_linear
    return ("next ", Code("nn.Linear"), ": ", Formula(formula(width)), " = ", width)


def named_together(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The tensors, each final state in one row with the initial state of the same shape."""
    for names in ("input", "data", "output", "h_n, h_0", "c_n, c_0", "h_1, h_0", "c_1, c_0"):
        first, *others = names.split(", ")
        if first in tensors:
            alike = [name for name in others if tensors[name].shape == tensors[first].shape]
            yield ", ".join([first, *alike]), tensors[first]
            yield from ((name, tensors[name]) for name in others if name not in alike)


def _packed(report: LayerReport, batch_sizes: tuple[int, ...]) -> Inline:
    sizes = report.sizes
    rows = (*batch_sizes[:_MOST_STEPS], "...") if len(batch_sizes) > _MOST_STEPS else batch_sizes
    known = f"sum(lengths)={int(sizes.steps)}, max(lengths)={int(sizes.longest)}"
    return (f"{known}, batch_sizes={written_shape(rows)}",)
