"""The threads that layers are run in: none of the caller's, and how many torch computes with.

Importing this module does not import torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from threading import Lock, Thread, local
from typing import TYPE_CHECKING, Final, TypeVar

from rnnshape.layer.machine import available_memory

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

# More would wait for Python, which lets one thread at a time work on all but the forward passes.
_MOST_THREADS: Final = 4
# A thread reserves 72 MiB of address space, which may be limited, and a small run takes up to 16.
_ROOM: Final = 128 * 2**20


class _Series(local):
    """Of each thread: the block that it is in, if any, and the thread that the block has made.

    In a thread that `side_by_side` has made, `turn` is the lock of its large runs.
    """

    block: ExitStack | None = None
    thread: Executor | None = None
    turn: Lock | None = None


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


@contextmanager
def side_by_side(
    function: Callable[[_Given], _Made], given: Iterable[_Given]
) -> Iterator[list[Future[_Made]]]:
    """What the function will have returned for each, computed by as many threads as are useful.

    Where the block is left early, what has not begun is dropped.
    """
    from concurrent.futures import ThreadPoolExecutor

    available = available_memory()
    room = _MOST_THREADS if available is None else max(1, available // _ROOM)
    count = min(_cores(), _MOST_THREADS, room)
    with ThreadPoolExecutor(count, initializer=_take_turns, initargs=(Lock(),)) as threads:
        try:
            yield [threads.submit(function, each) for each in given]
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def _take_turns(turn: Lock) -> None:
    _SERIES.turn = turn


def _cores() -> int:
    """The processor cores that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(usable(0)) if usable else os.cpu_count() or 1


def in_turn() -> AbstractContextManager[object]:
    """A block that one at a time of the threads of `side_by_side` enters."""
    return _SERIES.turn or nullcontext()


def in_own_thread(function: Callable[[], _Made]) -> _Made:
    """What the function returns in a new thread, which has none of the caller's modes."""
    with _new_thread() as thread:
        return thread.submit(function).result()


def in_shared_thread(function: Callable[[], _Made]) -> _Made:
    """The same in the thread of the series, if this is called in one, else in a new thread.

    A thread that `side_by_side` has made is one of our own.
    """
    if _SERIES.turn is not None:
        return function()
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
