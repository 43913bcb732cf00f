"""The layer as what flows through it: from the input, up the stack, to output and final states."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.dims import ints
from rnnshape.document.model import Code, Diagram, Node, Shape, Slot
from rnnshape.layer.facts import Part
from rnnshape.layer.formulas import state_names
from rnnshape.layer.report import Report

# Beyond so many layers those in the middle are one node: they are alike.
_MOST_LAYERS = 4


def diagram(report: Report) -> Diagram:
    """Every layer and direction with the shape it hands on and the indices of h_n it fills."""
    return Diagram(tuple(_stages(report)))


def _stages(report: Report) -> Iterator[tuple[Node, ...]]:
    tensors, config = report.predicted.tensors, report.config
    for name in ("input", "data"):
        if name in tensors:
            yield (Node(name=name, shape=Shape(ints(tensors[name].shape))),)
    if config.cell:
        yield (Node(name=config.class_name, operation=True, slots=_final_states(report, "1")),)
        return
    for layers in _ranges(config.num_layers):
        if len(layers) > 1:
            yield (_folded(report, layers),)
            continue
        yield tuple(_directions(report, layers[0]))
        if config.bidirectional and layers[0] < config.num_layers - 1:
            yield (Node(name="[fwd | rev]", shape=_handed_on(report, config.directions)),)
    yield (Node(name="output", shape=Shape(ints(tensors["output"].shape))),)


def _ranges(num_layers: int) -> list[range]:
    """Each layer alone; of many the first two, the last, and those between as one."""
    if num_layers <= _MOST_LAYERS:
        return [range(layer, layer + 1) for layer in range(num_layers)]
    last = num_layers - 1
    return [range(1), range(1, 2), range(2, last), range(last, num_layers)]


def _directions(report: Report, layer: int) -> Iterator[Node]:
    directions = report.config.directions
    for number, direction in enumerate((" fwd", " rev") if directions == 2 else ("",)):
        yield Node(
            name=f"layer {layer}{direction}",
            shape=_handed_on(report, 1),
            operation=True,
            slots=_final_states(report, "n", layer * directions + number),
        )


def _folded(report: Report, layers: range) -> Node:
    directions = report.config.directions
    return Node(
        name=f"layers {layers[0]}..{layers[-1]}",
        shape=_handed_on(report, directions),
        operation=True,
        slots=_final_states(
            report, "n", slice(layers.start * directions, layers.stop * directions)
        ),
    )


def _handed_on(report: Report, directions: int) -> Shape:
    """What one or both directions of a layer give the next; packed, it has no padding."""
    tensors = report.predicted.tensors
    steps = tensors.get("data", tensors["output"]).shape[:-1]
    return Shape((*ints(steps), directions * report.config.output_size))


def _final_states(report: Report, time: str, index: int | slice | None = None) -> tuple[Slot, ...]:
    """The states at `index`, those of one shape in one slot."""
    names: dict[Shape, list[str]] = {}
    for name in state_names(report.config, time):
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
