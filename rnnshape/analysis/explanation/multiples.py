"""Two sizes of which one is often a multiple of the other: directions, gates, layers, steps."""

from __future__ import annotations


def multiple(a: int, b: int) -> dict[str, int]:
    """The `small` and the `large` one of two sizes, and how many `times` the small one this is.

    `times` is 0 where the large one is no multiple.
    """
    small, large = sorted((a, b))
    times = large // small if small > 0 and large % small == 0 else 0
    return {"small": small, "large": large, "times": times}
