"""The probes: what a run can find out besides the forward pass, one function in a file for each.

A probe takes a Subject and returns an Outcome, or None where it does not apply. It runs where a
section or an option asks for it by name; those in `ALWAYS` run every time.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from math import floor, log10
from typing import Final, TypeAlias

from rnnshape.layer.run import Mismatch, Outcome
from rnnshape.layer.subject import Subject

Probe: TypeAlias = Callable[[Subject], Outcome | None]

# In the order in which the verdict mentions them: the name of a module and of the function in it,
# and the key of its value in the JSON of a verification, if it has one there.
PROBES: Final = {
    "flops": "counted_flops",
    "equations": "equations_difference",
    "cpu_values": "device_difference",
    "siblings": "",
    "timing": "",
    "training": "",
}
ALWAYS: Final = ("cpu_values",)


def probe(name: str) -> Probe:
    """The probe of this name, whose module is imported now."""
    found: Probe = getattr(import_module(f"{__name__}.{name}"), name)
    return found


def within(what: str, difference: float, tolerance: float) -> tuple[Mismatch, ...]:
    """A mismatch unless a difference is within its tolerance, which NaN never is."""
    wrong = Mismatch(what=what, predicted=True, measured=False)
    return () if difference <= tolerance else (wrong,)


def power_above(difference: float) -> str:
    """The power of ten above a difference, whose digits are noise: `1e-15`."""
    if not 0 < difference < float("inf"):
        return f"{difference:g}"
    return f"1e{floor(log10(difference)) + 1}"
