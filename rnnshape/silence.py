"""Silencing Python's warnings, whose filters the whole process shares."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Final

_TURN: Final = RLock()
os.register_at_fork(
    before=_TURN.acquire, after_in_parent=_TURN.release, after_in_child=_TURN.release
)


@contextmanager
def silenced() -> Iterator[None]:
    """Ignore warnings, in one thread at a time, so that each leaves the filters as they were."""
    with _TURN, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
