"""Every weight by name and shape, folded over layers and directions that are alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rnnshape.analysis.inspection import Inspection
from rnnshape.dims import ints, shape_formula
from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Column,
    Formula,
    Paragraph,
    Shape,
    Table,
    Times,
)
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.report import LayerReport
from rnnshape.layer.weights import elements, folded

_WEIGHT: Final = Column(key="weight", title="weight", headed=False)
_SHAPE: Final = Column(key="shape", title="shape", numeric=True, headed=False)
_COUNT: Final = Column(key="count", title="count", numeric=True, rank=1)
_PARAMETERS: Final = Column(key="parameters", title="parameters", numeric=True)
_FORMULA: Final = Column(key="formula", title="formula", headed=False, rank=2)


def weights(inspection: Inspection) -> Iterator[Block]:
    """A row for the weights that share a name and a formula."""
    report = inspection.report
    rows: list[tuple[Cell, ...]] = [
        (
            Code(weight.name),
            Shape(ints(weight.shape)),
            Times(int(weight.count)),
            int(weight.parameters),
            Formula(shape_formula(weight.shape)),
        )
        for weight in folded(report.weights)
    ]
    rows.append(("total", None, int(report.weights.count), int(report.predicted.parameters), None))
    columns = (_WEIGHT, _SHAPE, _COUNT, _PARAMETERS, _FORMULA)
    yield Table(columns=columns, rows=tuple(rows), total=True)
    yield from _weight_notes(report, _copies(report.subject.config))


def weights_by_name(inspection: Inspection) -> Iterator[Block]:
    """A row for each weight."""
    report = inspection.report
    rows: list[tuple[Cell, ...]] = [
        (
            Code(weight.name),
            Shape(ints(weight.shape)),
            int(elements(weight.shape)),
            Formula(shape_formula(weight.shape)),
        )
        for weight in report.weights.listed()
    ]
    rows.append(("total", None, int(report.predicted.parameters), None))
    columns = (_WEIGHT, _SHAPE, _PARAMETERS, _FORMULA)
    yield Table(columns=columns, rows=tuple(rows), total=True)
    yield from _weight_notes(report, "")


def _weight_notes(report: LayerReport, copies: str) -> Iterator[Block]:
    config = report.subject.config
    hidden, proj = config.hidden_size, config.proj_size
    notes = (
        copies,
        _stacked_gates(config.kind),
        f"weight_hr projects h from {hidden} to {proj}, c stays {hidden}" if proj else "",
    )
    text = "; ".join(note for note in notes if note)
    if text:
        yield Paragraph((text,))


def _copies(config: RNNConfig) -> str:
    if config.bidirectional:
        return "count = layers x directions (also NAME_reverse)"
    return "count = layers" if config.num_layers > 1 else ""


def _stacked_gates(kind: Kind) -> str:
    return "" if kind is Kind.RNN else f"{kind.gates} = gates {' '.join(kind.gate_names)}, stacked"
