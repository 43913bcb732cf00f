"""What flows through the layer: from the input, up the stack, to output and final states."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.dims import ints
from rnnshape.document.model import Block, Code, Diagram, Node, Paragraph, Shape, Slot
from rnnshape.layer.config import Kind
from rnnshape.layer.facts import Index, Part
from rnnshape.layer.formulas import state_names
from rnnshape.layer.report import LayerReport

# In a deeper stack the middle is drawn as one node: its layers are alike.
_MOST_LAYERS = 4


def diagram(inspection: Inspection) -> Iterator[Block]:
    """Every layer and direction with the shape that it passes on and its indices of h_n."""
    yield Diagram(tuple(_stages(inspection.report)))
    config = inspection.subject.config
    if config.kind is Kind.LSTM and config.num_layers > 1:
        yield Paragraph(("a layer reads h of the layer below at each step, never its c",))


def _stages(report: LayerReport) -> Iterator[tuple[Node, ...]]:
    tensors, config = report.tensors, report.subject.config
    for name in ("input", "data"):
        if name in tensors:
            yield (Node(name=name, shape=Shape(ints(tensors[name].shape))),)
    if config.cell:
        yield (Node(name=config.class_name, operation=True, slots=_final_states(report, "1")),)
        return
    for first, last in _ranges(config.num_layers):
        if first < last:
            rows = slice(first * config.directions, (last + 1) * config.directions)
            yield (_layers(report, f"layers {first}..{last}", rows, config.directions),)
            continue
        yield tuple(_directions(report, first))
        if config.bidirectional and last < config.num_layers - 1:
            yield (Node(name="[fwd | rev]", shape=_handed_on(report, config.directions)),)
    yield (Node(name="output", shape=Shape(ints(tensors["output"].shape))),)


def _ranges(num_layers: int) -> list[tuple[int, int]]:
    """The first and the last layer of each stage."""
    if num_layers <= _MOST_LAYERS:
        return [(layer, layer) for layer in range(num_layers)]
    return [(0, 0), (1, 1), (2, num_layers - 2), (num_layers - 1, num_layers - 1)]


def _directions(report: LayerReport, layer: int) -> Iterator[Node]:
    directions = report.subject.config.directions
    for number, side in enumerate((" fwd", " rev") if directions == 2 else ("",)):
        yield _layers(report, f"layer {layer}{side}", layer * directions + number, 1)


def _layers(report: LayerReport, name: str, rows: Index, directions: int) -> Node:
    """One direction of a layer, or several whole layers; `rows` of h_n are theirs."""
    shape, slots = _handed_on(report, directions), _final_states(report, "n", rows)
    return Node(name=name, shape=shape, operation=True, slots=slots)


def _handed_on(report: LayerReport, directions: int) -> Shape:
    """The shape that one or both directions hand to the next layer, packed if the data is."""
    tensors = report.tensors
    steps = tensors.get("data", tensors["output"]).shape[:-1]
    return Shape((*ints(steps), directions * report.subject.config.output_size))


def _final_states(report: LayerReport, time: str, rows: Index | None = None) -> tuple[Slot, ...]:
    """The final states, or these rows of them; states of one shape share a slot."""
    names: dict[Shape, list[str]] = {}
    for name in state_names(report.subject.config, time):
        shape = ints(report.tensors[name].shape)
        if isinstance(rows, slice):
            shape = (rows.stop - rows.start, *shape[1:])
        elif rows is not None:
            shape = shape[1:]
        part = Part(tensor=name, index=() if rows is None else (rows,))
        names.setdefault(Shape(shape), []).append(str(part))
    return tuple(Slot(name=Code(", ".join(parts)), shape=shape) for shape, parts in names.items())
