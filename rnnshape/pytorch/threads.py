"""The threads that layers are run in: none of the caller's, and how many torch computes with.

Importing this module does not import torch.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from threading import Lock, Thread, local
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from rnnshape.layer.machine import available_memory

if TYPE_CHECKING:
    from concurrent.futures import Executor

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

# More would wait for Python, which lets one thread at a time work on all but the forward passes.
_MOST_THREADS: Final = 4
# A thread reserves 72 MiB of address space, which may be limited, and a small run takes up to 16.
_ROOM: Final = 128 * 2**20


class _OfThread(local):
    """What each thread has of its own."""

    block: ExitStack | None = None  # of `series`, if it is in one
    thread: Executor | None = None  # that the block has made
    turn: Lock | None = None  # of `in_turn`, if `side_by_side` has made the thread


_OWN: Final = _OfThread()


@contextmanager
def series() -> Iterator[None]:
    """A block in which `in_shared_thread` uses one thread; a new one costs milliseconds each time.

    They go into memory that every thread allocates for itself.
    """
    before = _OWN.block, _OWN.thread
    with ExitStack() as block:
        _OWN.block, _OWN.thread = block, None
        try:
            yield
        finally:
            _OWN.block, _OWN.thread = before


class Result(Generic[_Made]):
    """What a function returns or raises in another thread."""

    def __init__(self, function: Callable[[], _Made]) -> None:
        self._function = function
        self._made: list[_Made] = []
        # A thread that lacks memory may end without a word.
        self._error: BaseException = MemoryError()

    def compute(self) -> bool:
        """Call the function; whether it returns."""
        try:
            self._made.append(self._function())
        except BaseException as error:  # noqa: BLE001 - whatever it is, `get` raises it
            self._error = error
        return bool(self._made)

    def get(self) -> _Made:
        """What the function returned. Raises what it raised."""
        if self._made:
            return self._made[0]
        raise self._error


def side_by_side(
    function: Callable[[_Given], _Made], given: Iterable[_Given], *, until_error: bool = False
) -> list[Result[_Made]]:
    """The function's results, computed by as many threads as are useful.

    They are begun in the order of what is given; with `until_error`, none once one has failed.
    """
    results = [Result(partial(function, each)) for each in given]
    left, turn = deque(results), Lock()

    def work() -> None:
        _OWN.turn = turn
        with suppress(IndexError):
            while left.popleft().compute() or not until_error:
                pass
            left.clear()

    _joined([Thread(target=work) for _ in range(_useful_threads())], left.clear)
    return results


def _joined(threads: Sequence[Thread], stop: Callable[[], object] = lambda: None) -> None:
    """Start the threads and wait for them; `stop` makes them end soon where that is interrupted."""
    begun: list[Thread] = []
    try:
        for thread in threads:
            thread.start()
            begun.append(thread)
        for thread in begun:
            thread.join()
    finally:
        stop()
        for thread in begun:
            thread.join()


def _useful_threads() -> int:
    available = available_memory()
    room = _MOST_THREADS if available is None else max(1, available // _ROOM)
    return min(_cores(), _MOST_THREADS, room)


def _cores() -> int:
    """The processor cores that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(usable(0)) if usable else os.cpu_count() or 1


def in_turn() -> AbstractContextManager[object]:
    """A block that the threads of `side_by_side` are in one at a time; it stops no other thread."""
    return _OWN.turn or nullcontext()


def in_own_thread(function: Callable[[], _Made]) -> _Made:
    """What the function returns in a new thread, which has none of the caller's modes."""
    result = Result(function)
    _joined([Thread(target=result.compute)])
    return result.get()


def in_shared_thread(function: Callable[[], _Made]) -> _Made:
    """The same in the thread of the series, if this is called in one, else in a new thread.

    A thread that `side_by_side` has made is one of our own.
    """
    if _OWN.turn is not None:
        return function()
    if _OWN.block is None:
        return in_own_thread(function)
    if _OWN.thread is None:
        from concurrent.futures import ThreadPoolExecutor  # torch has it by then

        _OWN.thread = _OWN.block.enter_context(ThreadPoolExecutor(1))
    return _OWN.thread.submit(function).result()


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
