"""The probes: what a run can find out beside the forward pass. One file each, one function each.

A probe takes a Subject and returns an Outcome, or None where it does not apply. It is run where a
section or an option asks for it by name; those in `ALWAYS` are run every time.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from math import floor, log10
from typing import Final, TypeAlias

from rnnshape.layer.run import Mismatch, Outcome
from rnnshape.layer.subject import Subject

Probe: TypeAlias = Callable[[Subject], Outcome | None]

# In the order in which the verdict mentions them.
PROBES: Final = {
    "flops": "rnnshape.pytorch.probes.flops:flops",
    "equations": "rnnshape.pytorch.probes.equations:equations",
    "cpu_values": "rnnshape.pytorch.probes.cpu_values:cpu_values",
    "timing": "rnnshape.pytorch.probes.timing:timing",
}
ALWAYS: Final = ("cpu_values",)


def probe(name: str) -> Probe:
    """The probe of this name; its module is imported when it is needed."""
    module, function = PROBES[name].split(":")
    found: Probe = getattr(import_module(module), function)
    return found


def within(what: str, difference: float, tolerance: float) -> tuple[Mismatch, ...]:
    """A mismatch where a difference exceeds its tolerance, as NaN does."""
    if difference <= tolerance:
        return ()
    return (Mismatch(what=what, predicted=True, measured=False),)


def bound(difference: float) -> str:
    """The power of ten above a difference: its digits are noise."""
    if not 0 < difference < float("inf"):
        return str(difference) if difference else "0"
    return f"1e{floor(log10(difference)) + 1}"
