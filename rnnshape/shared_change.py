"""Settings of the whole process, changed while any of its threads needs that."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ContextDecorator
from threading import Condition, local
from typing import Final

# A thread often ends soon after such a block, and MKL holds a lock while it does. How long that
# takes cannot be known; on a busy machine it may be longer.
_SOON: Final = 1.0  # seconds
_ENDING: Final = 0.02


class _OfThread(local):
    """How many blocks of changes each thread is in."""

    blocks: int = 0


class _Blocks:
    """The blocks of changes that all threads are in, whose end a fork waits for.

    A child has only the thread that forks: the blocks of others would never end there, and what
    they compute with would stay locked.
    """

    def __init__(self) -> None:
        self._own = _OfThread()
        self._count = 0
        self._left = -_SOON  # when one ended last
        self._forking = False
        self.condition: Final = Condition()
        os.register_at_fork(
            before=self._wait, after_in_parent=self._go_on, after_in_child=self._go_on
        )

    def enter(self) -> None:
        """Begin one; during a fork, wait, unless the thread is in one. The condition is held."""
        self.condition.wait_for(lambda: self._own.blocks or not self._forking)
        self._count += 1
        self._own.blocks += 1

    def leave(self) -> None:
        """End one. The condition is held."""
        self._count -= 1
        self._own.blocks -= 1
        self._left = time.monotonic()
        self.condition.notify_all()

    def _wait(self) -> None:
        self.condition.acquire()
        self._forking = True
        self.condition.wait_for(lambda: self._count == self._own.blocks)
        if time.monotonic() - self._left < _SOON:
            time.sleep(_ENDING)

    def _go_on(self) -> None:
        self._forking = False
        self.condition.notify_all()
        self.condition.release()


_BLOCKS: Final = _Blocks()


class SharedChange(ContextDecorator):
    """A change of a setting: the first thread that needs it makes it, the last one takes it back.

    `with change:` may stand in several threads at once, and within itself. A fork waits until no
    other thread is in such a block, so a thread in one must not wait for a thread that enters one.
    """

    def __init__(self, change: Callable[[], AbstractContextManager[None]]) -> None:
        """`change` makes a context in which the setting is changed."""
        self._change = change
        self._changed: AbstractContextManager[None] | None = None
        self._users = 0

    def __enter__(self) -> None:
        with _BLOCKS.condition:
            _BLOCKS.enter()
            try:
                if self._changed is None:
                    changed = self._change()
                    changed.__enter__()
                    self._changed = changed
            except BaseException:
                _BLOCKS.leave()
                raise
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with _BLOCKS.condition:
            self._users -= 1
            if self._users == 0 and self._changed is not None:
                changed, self._changed = self._changed, None
                changed.__exit__(None, None, None)
            _BLOCKS.leave()
