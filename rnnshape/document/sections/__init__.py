"""The sections of a layer's document, in order: one file each, named as `--show` names it.

A section is a function from an Inspection to blocks; no blocks, and it is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Final, NamedTuple, TypeAlias

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block

Build: TypeAlias = Callable[[Inspection], Iterator[Block]]


class Entry(NamedTuple):
    """What is known of a section before it is built."""

    default: bool = False  # whether it is shown unless others are asked for
    titled: bool = True  # whether a person needs its name to understand it
    after_run: bool = False  # whether only the run makes it known
    of_layers: bool = False  # whether cells have none
    probe: str = ""  # what the run must find out for it


SECTIONS: Final = {
    "header": Entry(default=True, titled=False),
    "shapes": Entry(default=True),
    "states": Entry(default=True),
    "grid": Entry(of_layers=True),
    "diagram": Entry(),
    "weights": Entry(default=True),
    "arithmetic": Entry(),
    "gates": Entry(probe="equations"),
    "layouts": Entry(of_layers=True),
    "compare": Entry(default=True),
    "cost": Entry(probe="flops"),
    "frameworks": Entry(),
    "findings": Entry(default=True, titled=False),
    "expectations": Entry(default=True, titled=False),
    "time": Entry(after_run=True, probe="timing"),
    "verification": Entry(default=True, titled=False, after_run=True),
}
DEFAULT_SECTIONS: Final = frozenset(name for name, entry in SECTIONS.items() if entry.default)


def builder(place: str) -> Build:
    """The function that builds a section, by its name or as `name:function`."""
    name, _, function = place.partition(":")
    found: Build = getattr(import_module(f"{__name__}.{name}"), function or name)
    return found
