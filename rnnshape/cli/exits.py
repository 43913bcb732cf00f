"""The exit codes, as the README lists them."""

from __future__ import annotations

from typing import Final

SUCCESS: Final = 0
UNMET: Final = 1  # an expectation failed
REFUSED: Final = 2  # the request or its input was wrong
DISAGREEMENT: Final = 3  # prediction and measurement differ
BUG: Final = 70
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
