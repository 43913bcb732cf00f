"""The unrolled layer as a picture: which step of which layer is output, which is h_n."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Picture
from rnnshape.layer.config import RNNConfig

# Beyond so many the middle is left out: it looks like its neighbours.
_MOST_LAYERS = 4
_MOST_STEPS = 4
_FEWEST_STEPS = 2

_KEY = "o is in output, H in h_n, * in both"
_HALVES = "output[t] = [fwd | rev]"
_LONGEST_ROW = "the steps are the longest row's"


def grid(inspection: Inspection) -> Iterator[Block]:
    """Layers from the top down, steps from left to right, an arrow for each state passed on.

    Every layer and direction ends in one index of h_n; only the top layer's states are output. In
    a packed batch the steps are those of the longest row. A cell has no grid.
    """
    subject = inspection.subject
    if not subject.config.cell:
        packed = subject.input_spec.lengths is not None
        yield picture(subject.config, subject.sizes.longest, packed=packed)


def picture(config: RNNConfig, steps: int, *, packed: bool = False) -> Picture:
    """The grid of a layer that reads so many steps, wide and narrow."""
    key = (_KEY, _HALVES) if config.bidirectional else (_KEY,)
    remarks = (_LONGEST_ROW,) if packed else ()
    return Picture(
        lines=(*_drawn(config, steps, _MOST_STEPS), "; ".join(key), *remarks),
        narrow=(*_drawn(config, steps, _FEWEST_STEPS), *key, *remarks),
    )


def _drawn(config: RNNConfig, steps: int, most_steps: int) -> Iterator[str]:
    times = _folded(steps, most_steps)
    heads = ["..." if time is None else f"t={time}" for time in times]
    margin = len(_label(config, config.num_layers - 1, reverse=config.bidirectional))
    yield " " * margin + "  " + "    ".join(heads)
    for layer in reversed(_folded(config.num_layers, _MOST_LAYERS)):
        if layer is None:
            yield "..."
            continue
        for reverse in (True, False) if config.bidirectional else (False,):
            label = _label(config, layer, reverse=reverse).ljust(margin)
            marks = _marks(config, layer, times, steps, reverse=reverse)
            arrow = " <- " if reverse else " -> "
            row = arrow.join(
                mark.center(len(head)) for mark, head in zip(marks, heads, strict=True)
            )
            yield f"{label}  {row}    h_n[{layer * config.directions + reverse}]"


def _folded(count: int, most: int) -> list[int | None]:
    if count <= most:
        return list(range(count))
    return [*range(most // 2), None, *range(count - most // 2, count)]


def _label(config: RNNConfig, layer: int, *, reverse: bool) -> str:
    direction = ("rev" if reverse else "fwd") if config.bidirectional else ""
    return f"layer {layer} {direction}".rstrip()


def _marks(
    config: RNNConfig, layer: int, times: list[int | None], steps: int, *, reverse: bool
) -> list[str]:
    last = 0 if reverse else steps - 1
    top = layer == config.num_layers - 1
    final, other = ("*", "o") if top else ("H", ".")
    return ["..." if time is None else final if time == last else other for time in times]
