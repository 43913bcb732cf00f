"""A diagram as lines: for people in ASCII, and as a mermaid flowchart, which GitHub draws."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rnnshape.document.model import Diagram, Node
from rnnshape.errors import printable
from rnnshape.render.cells import cell_text

_BRANCH = "  +-> "
_ARROW = "-> "


def diagram_lines(diagram: Diagram, width: int = 80) -> Iterator[str]:
    """From the top down, a node a line; those that work side by side hang from one bar.

    Where a line would be wider than `width` each state of a node has a line of its own.
    """
    rows = [_cells(node, branch=len(stage) > 1) for stage in diagram.stages for node in stage]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    slots = [_slots(node) for stage in diagram.stages for node in stage]
    room = width - sum(widths) - len("  " * 2) - len(_ARROW)
    lines = iter(
        [
            [*_with_slots(row, widths, each if len(", ".join(each)) > room else [", ".join(each)])]
            for row, each in zip(rows, slots, strict=True)
        ]
    )
    for number, stage in enumerate(diagram.stages):
        if number:
            yield "  |" if len(stage) > 1 else "  v"
        for _ in stage:
            yield from next(lines)


def _cells(node: Node, *, branch: bool) -> tuple[str, str]:
    return f"{_BRANCH if branch else ''}{printable(node.name)}", cell_text(node.shape)


def _with_slots(cells: Sequence[str], widths: Sequence[int], slots: Sequence[str]) -> Iterator[str]:
    """A node with the first of its states, and the others below that."""
    before = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    for number, slot in enumerate(slots):
        comma = "," if number < len(slots) - 1 else ""
        arrow = _ARROW if slot and not number else " " * len(_ARROW)
        yield f"{before}  {arrow}{slot}{comma}".rstrip()
        before = " " * len(before)


def _slots(node: Node) -> list[str]:
    return [f"{cell_text(slot.name)} {cell_text(slot.shape)}" for slot in node.slots]


def mermaid_lines(diagram: Diagram) -> Iterator[str]:
    """The source of a flowchart: operations are boxes, tensors are rounded, states hang by dots."""
    yield "flowchart TB"
    before: list[str] = []
    for number, stage in enumerate(diagram.stages):
        names = [f"n{number}_{place}" for place in range(len(stage))]
        for name, node in zip(names, stage, strict=True):
            shape = [] if node.shape is None else [cell_text(node.shape)]
            label = _label([printable(node.name), *shape])
            yield f"  {name}[{label}]" if node.operation else f"  {name}([{label}])"
        for name in names:
            yield from (f"  {earlier} --> {name}" for earlier in before)
        for name, node in zip(names, stage, strict=True):
            if node.slots:
                yield f"  {name} -.-> {name}s([{_label(_slots(node))}])"
        before = names


def _label(lines: Iterable[str]) -> str:
    """What stands in a node; Mermaid takes no empty one."""
    return f'"{"<br>".join(map(_entities, lines)) or " "}"'


def _entities(text: str) -> str:
    """Mermaid reads Markdown and HTML in a label; its entities are plain letters."""
    return re.sub(r"[^\w ()\[\],.:|-]", lambda mark: f"#{ord(mark[0])};", text)
