"""The sections of a layer's document, in order: one file each, named as `--show` names it.

A section is a function from an Inspection to blocks; one that yields none is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Final, NamedTuple, TypeAlias

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Section

_Build: TypeAlias = Callable[[Inspection], Iterator[Block]]


class Traits(NamedTuple):
    """What is known of a section before it is built."""

    default: bool = False  # whether it is shown unless others are asked for
    of_layers: bool = False  # whether it needs a layer, so that a cell has none
    probe: str = ""  # what the run must find out for it
    found: bool = False  # whether it is about a layer that was found in a file or a model
    in_detail: str = ""  # the function that builds it where it is asked for by name


SECTIONS: Final = {
    "header": Traits(default=True),
    "evidence": Traits(found=True),
    "load": Traits(found=True),
    "shapes": Traits(default=True),
    "calls": Traits(default=True, found=True),
    "states": Traits(default=True, in_detail="states_in_detail"),
    "code": Traits(),
    "grid": Traits(of_layers=True),
    "diagram": Traits(),
    "weights": Traits(default=True, in_detail="weights_in_detail"),
    "arithmetic": Traits(),
    "gates": Traits(probe="equations"),
    "layouts": Traits(of_layers=True),
    "compare": Traits(default=True, in_detail="compare_in_detail", probe="siblings"),
    "cost": Traits(probe="flops"),
    "frameworks": Traits(),
    "findings": Traits(default=True),
    "time": Traits(probe="timing"),
    "training": Traits(probe="training"),
    "verification": Traits(default=True),
    "matches": Traits(default=True),
    "expectations": Traits(default=True),  # a failure stands in the last line
}
DEFAULT_SECTIONS: Final = frozenset(name for name, entry in SECTIONS.items() if entry.default)
# Of a layer that was found in a file: which it is, with the evidence.
FOUND_SECTIONS: Final = frozenset(
    name for name, entry in SECTIONS.items() if entry.found
) | DEFAULT_SECTIONS - {"shapes", "states", "weights", "compare"}
# Of a layer of a model: what it is given, beside its header.
MODEL_SECTIONS: Final = DEFAULT_SECTIONS - {"states", "weights", "compare"}
# Those that show what an option measures, and with one of them: what is measured and the answer, on
# one screen.
MEASURED: Final = {"time": "--time", "training": "--train"}
MEASURED_SECTIONS: Final = DEFAULT_SECTIONS - {"states", "weights", "compare"}

# Of all documents: what needs no title to be understood, or would not run with one, and what only a
# run can tell.
_UNTITLED: Final = frozenset(
    (
        *("header", "contents", "code", "load"),
        *("failures", "findings", "expectations", "matches", "verification"),
    )
)
_AFTER_RUN: Final = frozenset({*MEASURED, "verification"})


def probes_of(show: Collection[str]) -> frozenset[str]:
    """What a run must find out for these sections."""
    return frozenset(SECTIONS[name].probe for name in show) - {""}


def builder(place: str) -> _Build:
    """The function that builds a section; `place` is its name, or `name:function`."""
    name, _, function = place.partition(":")
    found: _Build = getattr(import_module(f"{__name__}.{name}"), function or name)
    return found


def assembled(
    blocks_by_name: Mapping[str, Iterable[Block]], *, untitled: bool = False
) -> tuple[Section, ...]:
    """The sections that have blocks, in the order given; `untitled` if none needs a title."""
    sections = (
        Section(
            key=name,
            blocks=tuple(blocks),
            titled=not untitled and name not in _UNTITLED,
            needs_run=name in _AFTER_RUN,
        )
        for name, blocks in blocks_by_name.items()
    )
    return tuple(section for section in sections if section.blocks)
