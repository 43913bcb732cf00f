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
    Inline,
    Paragraph,
    Shape,
    Table,
    Times,
)
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.facts import Weight
from rnnshape.layer.report import LayerReport
from rnnshape.layer.weights import FoldedWeight, elements, folded

_WEIGHT: Final = Column(key="weight", title="weight", headed=False)
_SHAPE: Final = Column(key="shape", title="shape", numeric=True, headed=False)
_COUNT: Final = Column(key="count", title="count", numeric=True, rank=1)
_PARAMETERS: Final = Column(key="parameters", title="parameters", numeric=True)
_FORMULA: Final = Column(key="formula", title="formula", headed=False, rank=2)


def weights(inspection: Inspection) -> Iterator[Block]:
    """A row for the weights that share a name and a formula."""
    report = inspection.report
    rows: list[tuple[Cell, ...]] = [
        (*_named(each), Times(int(each.count)), int(each.parameters), _formula(each))
        for each in folded(report.weights)
    ]
    total = int(report.weights.count), _total(report), _gates(report.subject.config)
    rows.append(("total", None, *total))
    columns = (_WEIGHT, _SHAPE, _COUNT, _PARAMETERS, _FORMULA)
    yield Table(columns=columns, rows=tuple(rows), total=True)


def weights_in_detail(inspection: Inspection) -> Iterator[Block]:
    """The same, and where the counts come from."""
    config = inspection.subject.config
    yield from weights(inspection)
    yield from _notes(config)
    if not config.cell:
        yield Paragraph(_order(config))


def weights_by_name(inspection: Inspection) -> Iterator[Block]:
    """A row for each weight."""
    report = inspection.report
    rows: list[tuple[Cell, ...]] = [
        (*_named(each), int(elements(each.shape)), _formula(each))
        for each in report.weights.listed()
    ]
    rows.append(("total", None, _total(report), _gates(report.subject.config)))
    columns = (_WEIGHT, _SHAPE, _PARAMETERS, _FORMULA)
    yield Table(columns=columns, rows=tuple(rows), total=True)


def _total(report: LayerReport) -> int:
    return int(report.predicted.counts["parameters"])


def _named(weight: Weight | FoldedWeight) -> tuple[Code, Shape]:
    return Code(weight.name), Shape(ints(weight.shape))


def _formula(weight: Weight | FoldedWeight) -> Formula:
    return Formula(shape_formula(weight.shape))


def _gates(config: RNNConfig) -> Formula | None:
    """What the factor in the formulas counts: `4 = gates i f g o`."""
    if config.kind is Kind.RNN:
        return None
    return Formula(f"{config.kind.gates} = gates {' '.join(config.kind.gate_names)}")


def _order(config: RNNConfig) -> Inline:
    """Which weight comes next in a state dict."""
    both: Inline = (Code("state_dict"), " and ", Code("_flat_weights"))
    if config.num_layers == 1 and not config.bidirectional:
        return ("this is the order of ", *both)
    order = ["all of layer 0 first"] * (config.num_layers > 1)
    if config.bidirectional:
        order.append("forward before reverse; the directions share no weight")
    return (*both, f" have {', '.join(order)}")


def _notes(config: RNNConfig) -> Iterator[Block]:
    """How a name stands for several weights, and how their rows are ordered."""
    counted = []
    if config.bidirectional:
        counted.append("count = layers x directions (also NAME_reverse)")
    elif config.num_layers > 1:
        counted.append("count = layers")
    notes = []
    if config.kind is not Kind.RNN:
        notes.append(f"the rows of the gates {' '.join(config.kind.gate_names)} are stacked")
    if config.proj_size:
        hidden = config.hidden_size
        notes.append(f"weight_hr projects h from {hidden} to {config.proj_size}, c stays {hidden}")
    if counted or notes:
        text, short = ("; ".join(counted + notes),), ("; ".join(notes),)
        yield Paragraph(text, column="count", short=short)
