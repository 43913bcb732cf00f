"""Settings of the whole process that are changed while one of its threads needs it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock


class Switch:
    """A change of a setting: the first thread that needs it makes it, the last one takes it back.

    `with switch:` may stand in several threads at once, and within itself. A child that is forked
    meanwhile has none of these threads, so it has the setting as it was.
    """

    def __init__(self, change: Callable[[], AbstractContextManager[None]]) -> None:
        """`change` makes a context with the setting changed."""
        self._change = change
        self._changed: AbstractContextManager[None] | None = None
        self._users = 0
        self._lock = Lock()
        os.register_at_fork(
            before=self._lock.acquire,
            after_in_parent=self._lock.release,
            after_in_child=self._in_child,
        )

    def __enter__(self) -> None:
        with self._lock:
            if self._changed is None:
                changed = self._change()
                changed.__enter__()
                self._changed = changed
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._take_back()

    def _take_back(self) -> None:
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.__exit__(None, None, None)

    def _in_child(self) -> None:
        self._take_back()
        self._users = 0
        self._lock.release()
