"""The layer as what flows through it: from the input, up the stack, to output and final states."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.dims import ints
from rnnshape.document.model import Block, Code, Diagram, Node, Shape, Slot
from rnnshape.layer.facts import Part
from rnnshape.layer.formulas import state_names
from rnnshape.layer.report import LayerReport

# Beyond so many layers those in the middle are one node: they are alike.
_MOST_LAYERS = 4


def diagram(inspection: Inspection) -> Iterator[Block]:
    """Every layer and direction with the shape that it passes on and its indices of h_n."""
    yield Diagram(tuple(_stages(inspection.report)))


def _stages(report: LayerReport) -> Iterator[tuple[Node, ...]]:
    tensors, config = report.predicted.tensors, report.subject.config
    for name in ("input", "data"):
        if name in tensors:
            yield (Node(name=name, shape=Shape(ints(tensors[name].shape))),)
    if config.cell:
        yield (Node(name=config.class_name, operation=True, slots=_final_states(report, "1")),)
        return
    for first, last in _ranges(config.num_layers):
        if first < last:
            yield (_folded(report, first, last),)
            continue
        yield tuple(_directions(report, first))
        if config.bidirectional and last < config.num_layers - 1:
            yield (Node(name="[fwd | rev]", shape=_handed_on(report, config.directions)),)
    yield (Node(name="output", shape=Shape(ints(tensors["output"].shape))),)


def _ranges(num_layers: int) -> list[tuple[int, int]]:
    """The first and the last of the layers that are drawn as one: of many, those in the middle."""
    if num_layers <= _MOST_LAYERS:
        return [(layer, layer) for layer in range(num_layers)]
    return [(0, 0), (1, 1), (2, num_layers - 2), (num_layers - 1, num_layers - 1)]


def _directions(report: LayerReport, layer: int) -> Iterator[Node]:
    directions = report.subject.config.directions
    for number, direction in enumerate((" fwd", " rev") if directions == 2 else ("",)):
        yield Node(
            name=f"layer {layer}{direction}",
            shape=_handed_on(report, 1),
            operation=True,
            slots=_final_states(report, "n", layer * directions + number),
        )


def _folded(report: LayerReport, first: int, last: int) -> Node:
    directions = report.subject.config.directions
    return Node(
        name=f"layers {first}..{last}",
        shape=_handed_on(report, directions),
        operation=True,
        slots=_final_states(report, "n", slice(first * directions, (last + 1) * directions)),
    )


def _handed_on(report: LayerReport, directions: int) -> Shape:
    """What one or both directions of a layer give the next; packed, it has no padding."""
    tensors = report.predicted.tensors
    steps = tensors.get("data", tensors["output"]).shape[:-1]
    return Shape((*ints(steps), directions * report.subject.config.output_size))


def _final_states(
    report: LayerReport, time: str, index: int | slice | None = None
) -> tuple[Slot, ...]:
    """The states at `index`, those of one shape in one slot."""
    names: dict[Shape, list[str]] = {}
    for name in state_names(report.subject.config, time):
        part = Part(tensor=name, index=() if index is None else (index,))
        shape = ints(report.predicted.tensors[name].shape)
        names.setdefault(Shape(_indexed(shape, index)), []).append(str(part))
    return tuple(Slot(name=Code(", ".join(parts)), shape=shape) for shape, parts in names.items())


def _indexed(shape: tuple[int, ...], index: int | slice | None) -> tuple[int, ...]:
    match index:
        case None:
            return shape
        case int():
            return shape[1:]
        case slice():
            return (index.stop - index.start, *shape[1:])
