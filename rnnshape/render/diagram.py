"""A diagram as lines: for people in ASCII, and as a mermaid flowchart, which GitHub draws."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rnnshape.document.model import Diagram, Node
from rnnshape.render.cells import cell_text, printable

_BRANCH = "  +-> "


def diagram_lines(diagram: Diagram) -> Iterator[str]:
    """From the top down, a node a line; those that work side by side hang from one bar."""
    rows = [_cells(node, branch=len(stage) > 1) for stage in diagram.stages for node in stage]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    for number, stage in enumerate(diagram.stages):
        if number:
            yield "  |" if len(stage) > 1 else "  v"
        for _ in stage:
            yield next(lines)


def _cells(node: Node, *, branch: bool) -> tuple[str, str, str]:
    name = f"{_BRANCH if branch else ''}{printable(node.name)}"
    slots = f"-> {', '.join(_slots(node))}" if node.slots else ""
    return name, cell_text(node.shape), slots


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
