"""A diagram drawn as elements of SVG: boxes from top to bottom, final states beside their nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from rnnshape.document.model import Diagram, Node
from rnnshape.errors import printable
from rnnshape.render.cells import cell_text

# In units of the picture. Letters are at most so wide in a font of 13 units.
_LETTER: Final = 8.0
_LINE: Final = 17
_PADDING: Final = 10
_GAP: Final = 28  # between boxes side by side
_DROP: Final = 26  # from one stage to the next, room for an arrow
_HEAD: Final = 5


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Elements of SVG from the origin to `width` and `height`."""

    width: float
    height: float
    elements: str


@dataclass(frozen=True, kw_only=True)
class _Box:
    """Lines of text in a box; its shape says what it is: an operation, a tensor or states."""

    lines: tuple[str, ...]
    corner: float
    dashed: bool = False

    @property
    def width(self) -> float:
        return max(map(len, self.lines)) * _LETTER + 2 * _PADDING

    @property
    def height(self) -> float:
        return len(self.lines) * _LINE + _PADDING


def drawing(diagram: Diagram) -> Drawing:
    """The nodes of a stage side by side, all of one height, and their final states beside them.

    Of two nodes the first has its states on the left, any other on the right.
    """
    stages = [[(_box(node), _states(node)) for node in stage] for stage in diagram.stages]
    middle = max(map(_reach, stages))
    elements: list[str] = []
    above: list[float] = []
    top = 0.0
    for stage in stages:
        height = max(box.height for pair in stage for box in pair if box is not None)
        places = _places([box for box, _ in stage], middle)
        for number, ((box, states), x) in enumerate(zip(stage, places, strict=True)):
            elements += (_arrow(start, top - _DROP, x, top) for start in above)
            elements += _drawn(box, x, top, height)
            if states is not None:
                side = -1 if number < len(stage) - 1 else 1
                edge, y = x + side * box.width / 2, top + height / 2
                elements.append(_line(edge, y, edge + side * _GAP, y, dashed=True))
                outer = edge + side * (_GAP + states.width / 2)
                elements += _drawn(states, outer, y - states.height / 2, states.height)
        above, top = places, top + height + _DROP
    return Drawing(width=2 * middle, height=top - _DROP + 1, elements="\n".join(elements))


def _box(node: Node) -> _Box:
    shape = [] if node.shape is None else [cell_text(node.shape)]
    lines = (printable(node.name), *shape)
    return _Box(lines=lines, corner=3 if node.operation else 14)


def _states(node: Node) -> _Box | None:
    if not node.slots:
        return None
    lines = [text for slot in node.slots for text in (cell_text(slot.name), cell_text(slot.shape))]
    return _Box(lines=tuple(lines), corner=14, dashed=True)


def _reach(stage: Sequence[tuple[_Box, _Box | None]]) -> float:
    """How far a stage reaches from the middle, to the side where it reaches farther."""
    states = max((_GAP + each.width for _, each in stage if each is not None), default=0)
    return _width([box for box, _ in stage]) / 2 + states + 1  # and the line around it


def _width(boxes: Sequence[_Box]) -> float:
    return sum(box.width for box in boxes) + _GAP * (len(boxes) - 1)


def _places(boxes: Sequence[_Box], middle: float) -> list[float]:
    """The middle of each box of a stage."""
    left = middle - _width(boxes) / 2
    places = []
    for box in boxes:
        places.append(left + box.width / 2)
        left += box.width + _GAP
    return places


def _drawn(box: _Box, x: float, top: float, height: float) -> Iterator[str]:
    """A box of this height, and its lines in the middle of it."""
    dashes = ' stroke-dasharray="4 3"' if box.dashed else ""
    yield (
        f'<rect x="{x - box.width / 2:g}" y="{top:g}" width="{box.width:g}"'
        f' height="{height:g}" rx="{box.corner:g}" fill="none" stroke="currentColor"{dashes}/>'
    )
    for number, line in enumerate(box.lines):
        y = top + (height - box.height + _PADDING) / 2 + number * _LINE + 13
        yield f'<text x="{x:g}" y="{y:g}" text-anchor="middle">{escape(line)}</text>'


def _arrow(x: float, y: float, to_x: float, to_y: float) -> str:
    left, right, back = to_x - _HEAD, to_x + _HEAD, to_y - 2 * _HEAD
    head = f"{left:g},{back:g} {to_x:g},{to_y:g} {right:g},{back:g}"
    return f'{_line(x, y, to_x, back)}\n<polygon points="{head}" fill="currentColor"/>'


def _line(x: float, y: float, to_x: float, to_y: float, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}" fill="none" stroke="currentColor"{dashes}/>'
