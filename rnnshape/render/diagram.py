"""A diagram as lines of ASCII, and as the source of a Mermaid flowchart, which GitHub draws."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rnnshape.document.model import Diagram, Node
from rnnshape.errors import printable
from rnnshape.render.cells import cell_text

_BRANCH = "  +-> "
_ARROW = "-> "


def diagram_lines(diagram: Diagram, width: int = 80) -> Iterator[str]:
    """The nodes from top to bottom, one on each line; those of one stage hang from a bar.

    Where a line would be wider than `width`, each final state gets a line of its own, and where
    there is no room for that either, it stands below its node.
    """
    stages = [[_cells(node, branch=len(stage) > 1) for node in stage] for stage in diagram.stages]
    rows = [row for stage in stages for row in stage]
    names, shapes = (max(len(row[column]) for row in rows) for column in (0, 1))
    for number, stage in enumerate(stages):
        if number:
            yield "  |" if len(stage) > 1 else "  v"
        for name, shape, slots in stage:
            start = f"{name:{names}}  {shape:{shapes}}  {_ARROW * bool(slots)}"
            line = start + ", ".join(slots)
            if len(line) > width:
                line = start + f",\n{' ' * len(start)}".join(slots)
            if max(map(len, line.split("\n"))) > width:
                bar = "  |" if name.startswith(_BRANCH) and name != stage[-1][0] else ""
                below = f"{bar:{len(_BRANCH)}}"
                states = (_below(slot, below, width) for slot in slots)
                line = "\n".join([start.removesuffix(_ARROW), *states])
            yield from map(str.rstrip, line.split("\n"))


def _below(slot: str, start: str, width: int) -> str:
    """The states below their node, with their shape on a line of its own where it is too long."""
    line = f"{start}{_ARROW}{slot}"
    if len(line) <= width:
        return line
    return line.replace(" (", f"\n{start}{' ' * len(_ARROW)}(")


def _cells(node: Node, *, branch: bool) -> tuple[str, str, list[str]]:
    return _BRANCH * branch + printable(node.name), cell_text(node.shape), _slots(node)


def _slots(node: Node) -> list[str]:
    return [f"{cell_text(slot.name)} {cell_text(slot.shape)}" for slot in node.slots]


def mermaid_lines(diagram: Diagram) -> Iterator[str]:
    """The source of a flowchart: operations in boxes, tensors rounded, states on dotted lines."""
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
    """The label of a node; Mermaid refuses an empty one."""
    return f'"{"<br>".join(map(_entities, lines)) or " "}"'


def _entities(text: str) -> str:
    """The text of a label, with what Mermaid would read as Markdown or HTML as its entities."""
    return re.sub(r"[^\w ()\[\],.:|-]", lambda mark: f"#{ord(mark[0])};", text)
