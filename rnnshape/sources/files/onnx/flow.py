"""Where X comes from and where Y goes: stacked layers, and which axis is the batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from rnnshape.sources.files.onnx.folding import Folding, permutation
from rnnshape.sources.files.onnx.model import Node, Scope
from rnnshape.sources.files.onnx.recurrent import Cell

# Steps, directions, sequences and features: L D N H.
Axes: TypeAlias = str

_MOST_STEPS: Final = 12
_THROUGH: Final = frozenset({"Identity", "Cast", "Dropout"})
SWAP: Final = (1, 0, 2)


class End(NamedTuple):
    """A place where Y, with its axes in another order, is read by something else."""

    axes: Axes  # "" where they cannot be followed
    node: Node | None  # what reads it; None: another graph, or a user of the model
    name: str  # of the tensor that it reads
    dropout: float | None  # the ratio of a Dropout on the way


def axes_of_output(cell: Cell) -> Axes:
    """The axes of Y."""
    return "NLDH" if cell.batch_first else "LDNH"


def ends(cell: Cell, folding: Folding) -> list[End]:
    """Everything that reads Y, behind operations that only arrange its axes."""
    name = cell.node.output(0)
    start = End(axes=axes_of_output(cell), node=None, name=name, dropout=None)
    return list(_ends(cell, folding, start, 0))


def _ends(cell: Cell, folding: Folding, at: End, steps: int) -> Iterator[End]:
    scope = cell.scope
    readers = [node for node in scope.readers.get(at.name, []) if node.op != "Shape"]
    if at.name in scope.outputs or at.name in scope.captured:
        yield at
    for node in readers:
        axes = _arranged(cell, folding, node, at) if steps < _MOST_STEPS else None
        if axes is None:
            yield at._replace(node=node)
            continue
        ratio = _ratio(scope, folding, node) if node.op == "Dropout" else at.dropout
        yield from _ends(
            cell, folding, at._replace(axes=axes, name=node.output(0), dropout=ratio), steps + 1
        )


def _arranged(cell: Cell, folding: Folding, node: Node, at: End) -> Axes | None:
    """The axes after an operation that only arranges them, else None."""
    if not node.is_standard or node.input(0) != at.name or not node.output(0):
        return None
    if node.op in _THROUGH:
        return at.axes
    if node.op == "Transpose":
        order = permutation(node, len(at.axes))
        if sorted(order) != list(range(len(at.axes))):
            return None
        return "".join(at.axes[axis] for axis in order)
    attributes = node.attributes()
    if "axes" in attributes:
        wanted: tuple[float, ...] | None = attributes["axes"].integers(8)
    else:
        wanted = folding.value(cell.scope, node.input(1)).numbers
    if node.op == "Squeeze" and wanted is not None:
        removed = {int(axis) % len(at.axes) for axis in wanted}
        is_direction = cell.directions == 1 and removed == {at.axes.find("D")}
        return at.axes.replace("D", "") if is_direction else None
    if node.op == "Reshape" and "D" in at.axes:
        side_by_side = at.axes.endswith("DH") or (cell.directions == 1 and at.axes.endswith("H"))
        fits = wanted is None or (
            len(wanted) == 3 and wanted[-1] in (-1, cell.directions * cell.hidden_size)
        )
        return at.axes.replace("D", "") if side_by_side and fits else None
    return None


def _ratio(scope: Scope, folding: Folding, node: Node) -> float | None:
    """The ratio of a Dropout, where it is known."""
    attributes = node.attributes()
    if "ratio" in attributes:
        numbers: tuple[float, ...] | None = attributes["ratio"].floats(2)
    else:
        numbers = folding.value(scope, node.input(1)).numbers if node.input(1) else (0.5,)
    return numbers[0] if numbers else None


def input_order(cell: Cell) -> tuple[int, ...] | None:
    """How a Transpose before X orders its axes; None where there is none."""
    name, scope = cell.node.input(0), cell.scope
    for _ in range(_MOST_STEPS):
        if name not in scope.producers:
            return None
        node, _place = scope.producers[name]
        if node.op == "Transpose":
            return permutation(node, 3)
        if node.op not in _THROUGH:
            return None
        name = node.input(0)
    return None
