"""The unrolled layer as a picture: which of its states are in output, which in h_n."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Picture
from rnnshape.layer.config import RNNConfig

# Beyond these numbers the middle is left out: it looks like its neighbours. A single step or layer
# never is, since the dots that stand for it take its place.
_MOST_LAYERS = 4
_MOST_STEPS = 4
_FEWEST_STEPS = 2


def grid(inspection: Inspection) -> Iterator[Block]:
    """Layers from the top down, steps from left to right, an arrow for each state passed on.

    The final state of each layer and direction has an index of h_n; only the top layer's states
    are output. In a packed batch the steps are those of the longest row. A cell has no grid.
    """
    subject = inspection.subject
    if not subject.config.cell:
        packed = subject.input_spec.lengths is not None
        yield picture(subject.config, subject.sizes.longest, packed=packed)


def picture(config: RNNConfig, steps: int, *, packed: bool = False) -> Picture:
    """The grid of a layer that reads `steps` steps, wide and narrow."""
    halves = ("output[t] = [fwd | rev]",) if config.bidirectional else ()
    key = ("o is in output, H in h_n, * in both", *halves)
    remarks = ("the steps are the longest row's",) if packed else ()
    return Picture(
        lines=(*_drawn(config, steps, _MOST_STEPS), "; ".join(key), *remarks),
        narrow=(*_drawn(config, steps, _FEWEST_STEPS), *key, *remarks),
    )


def _drawn(config: RNNConfig, steps: int, most_steps: int) -> Iterator[str]:
    times = _folded(steps, most_steps)
    heads = ["..." if time is None else f"t={time}" for time in times]
    sides = ((" rev", True), (" fwd", False)) if config.bidirectional else (("", False),)
    margin = len(f"layer {config.num_layers - 1}{sides[0][0]}")
    yield " " * margin + "  " + "    ".join(heads)
    for layer in reversed(_folded(config.num_layers, _MOST_LAYERS)):
        if layer is None:
            yield "..."
            continue
        for side, reverse in sides:
            label = f"layer {layer}{side}".ljust(margin)
            marks = _marks(config, layer, times, steps, reverse=reverse)
            centred = (mark.center(len(head)) for mark, head in zip(marks, heads, strict=True))
            row = (" <- " if reverse else " -> ").join(centred)
            yield f"{label}  {row}{' ' * most_steps}h_n[{layer * config.directions + reverse}]"


def _folded(count: int, most: int) -> list[int | None]:
    if count <= most + 1:
        return list(range(count))
    return [*range(most // 2), None, *range(count - most // 2, count)]


def _marks(
    config: RNNConfig, layer: int, times: list[int | None], steps: int, *, reverse: bool
) -> list[str]:
    last = 0 if reverse else steps - 1
    top = layer == config.num_layers - 1
    final, other = ("*", "o") if top else ("H", ".")
    return ["..." if time is None else final if time == last else other for time in times]
