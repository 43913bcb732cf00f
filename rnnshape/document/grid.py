"""The unrolled layer as a picture: which step of which layer is output, which is h_n."""

from __future__ import annotations

from rnnshape.document.model import Picture
from rnnshape.layer.config import RNNConfig

# Beyond so many the middle is left out: it looks like its neighbours.
_MOST_LAYERS = 4
_MOST_STEPS = 4

_KEY = "o is in output, H in h_n, * in both"


def grid(config: RNNConfig, steps: int) -> Picture:
    """Layers from the top down, steps from left to right, an arrow for each state handed on.

    Every layer and direction ends in one index of h_n; only the top layer's states are output.
    """
    times = _folded(steps, _MOST_STEPS)
    heads = ["..." if time is None else f"t={time}" for time in times]
    width = max(map(len, heads))
    margin = len(_label(config, config.num_layers - 1, reverse=config.bidirectional))
    lines = [" " * margin + "  " + "    ".join(head.center(width) for head in heads).rstrip()]
    for layer in reversed(_folded(config.num_layers, _MOST_LAYERS)):
        if layer is None:
            lines.append("...")
            continue
        for reverse in (True, False) if config.bidirectional else (False,):
            label = _label(config, layer, reverse=reverse).ljust(margin)
            marks = _marks(config, layer, times, steps, reverse=reverse)
            arrow = " <- " if reverse else " -> "
            row = arrow.join(mark.center(width) for mark in marks)
            index = layer * config.directions + reverse
            lines.append(f"{label}  {row}    h_n[{index}]")
    halves = "; output[t] = [fwd | rev]" if config.bidirectional else ""
    return Picture((*lines, f"{_KEY}{halves}"))


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
