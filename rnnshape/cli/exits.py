"""The exit codes, as the README lists them."""

from __future__ import annotations

from typing import Final

SUCCESS: Final = 0
FAILED: Final = 1  # an expectation failed
REFUSED: Final = 2  # the request or its input was wrong
DISAGREEMENT: Final = 3  # prediction and measurement differ
BUG: Final = 70
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141


def verdict(*, agrees: bool, holds: bool = True) -> int:
    """The code of a report; a mismatch outweighs a failed expectation."""
    if not agrees:
        return DISAGREEMENT
    return SUCCESS if holds else FAILED
