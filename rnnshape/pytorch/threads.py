"""The threads that layers are run in: none of the caller's, and how many torch computes with.

Importing this module does not import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread, local
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor

_Made = TypeVar("_Made")


class _Series(local):
    """Of each thread: the block that it is in, if any, and the thread that the block has made."""

    block: ExitStack | None = None
    thread: Executor | None = None


_SERIES = _Series()


@contextmanager
def series() -> Iterator[None]:
    """A block in which `in_shared_thread` uses one thread; a new one costs milliseconds each time.

    They go into memory that every thread allocates for itself.
    """
    before = _SERIES.block, _SERIES.thread
    with ExitStack() as block:
        _SERIES.block, _SERIES.thread = block, None
        try:
            yield
        finally:
            _SERIES.block, _SERIES.thread = before


def in_own_thread(function: Callable[[], _Made]) -> _Made:
    """What the function returns in a new thread, which has none of the caller's modes."""
    with _new_thread() as thread:
        return thread.submit(function).result()


def in_shared_thread(function: Callable[[], _Made]) -> _Made:
    """The same in the thread of the series, if this is called in one, else in a new thread."""
    if _SERIES.block is None:
        return in_own_thread(function)
    if _SERIES.thread is None:
        _SERIES.thread = _SERIES.block.enter_context(_new_thread())
    return _SERIES.thread.submit(function).result()


def use_one_thread() -> None:
    """Let torch compute in this thread alone, which is one of our own, from now on.

    torch.set_num_threads sets both the number of this thread and that of threads to come, so
    another thread sets the latter back at once.
    """
    import torch

    before = torch.get_num_threads()  # in a new thread: that of threads to come
    if before != 1:
        torch.set_num_threads(1)
        thread = Thread(target=torch.set_num_threads, args=(before,))
        thread.start()
        thread.join()


def _new_thread() -> Executor:
    from concurrent.futures import ThreadPoolExecutor  # torch has it by then

    return ThreadPoolExecutor(1)
