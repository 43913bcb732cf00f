"""How far the runs of a command are: shown while they last, and reported if interrupted."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final, NoReturn

from rnnshape.cli import exits
from rnnshape.cli.streams import is_terminal, write_stderr
from rnnshape.errors import RequestError, printable
from rnnshape.layer.report import LayerReport

if TYPE_CHECKING:
    from rich.live import Live

_DELAY: Final = 0.5  # seconds; whatever is over sooner shows nothing
_UNSURE: Final = 2.0  # seconds before there is a word on how long it takes
_MINUTE: Final = 60


class Progress:
    """Runs the layers of a command, and knows how many have been run."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = self._disputed = self._refused = 0
        self._name, self._start = "", 0.0
        self._names: dict[int, str] = {}  # of what runs or waits for its turn, the oldest first
        self._counting = Lock()  # several threads may run layers

    def run(self, report: LayerReport, probes: Collection[str] = ()) -> LayerReport:
        """The report with a run: what `with_run` returns, or raises."""
        from rnnshape.pytorch.run import with_run  # a command may have nothing to run

        with self._counting:
            self._start = self._start or time.monotonic()
            self._names[id(report)] = report.subject.name or report.subject.config.constructor
            self._name = next(iter(self._names.values()))
        try:
            ran = with_run(report, probes)
        except RequestError:
            self._count(report, refused=1)
            raise
        self._count(report, done=1, disputed=ran.disagrees)
        return ran

    def _count(
        self, report: LayerReport, *, done: int = 0, disputed: int = 0, refused: int = 0
    ) -> None:
        """Count a run that is over."""
        with self._counting:
            self._done += done
            self._disputed += disputed
            self._refused += refused
            del self._names[id(report)]
            self._name = next(iter(self._names.values()), self._name)

    @property
    def line(self) -> str:
        """What runs; of several, the one that began first: `running 214 of 500: decoder`."""
        if not self._name:
            return "starting PyTorch"
        tried = self._done + self._refused
        place = f" {min(tried + 1, self._total):,} of {self._total:,}:" if self._total > 1 else ""
        return f"running{place} {printable(self._name)}{self._times(tried)}"

    def _times(self, tried: int) -> str:
        elapsed = time.monotonic() - self._start
        if elapsed < _UNSURE:
            return ""
        if self._total == 1:
            return f", for {_duration(elapsed)} now"
        if not tried:
            return ""
        return f", about {_duration(elapsed / tried * (self._total - tried))} left"

    @property
    def summary(self) -> str:
        """What is known by now: `214 of 500 run, all as predicted`."""
        parts = [f"{self._done:,} of {self._total:,} run"]
        if self._disputed:
            parts.append(f"{self._disputed:,} not as predicted")
        elif self._done:
            parts.append("all as predicted" if self._done > 1 else "as predicted")
        if self._refused:
            parts.append(f"{self._refused:,} could not be run")
        return ", ".join(parts)


@contextmanager
def progress(
    total: int, *, known: str = "", hidden: bool = False, timed: bool = False
) -> Iterator[Progress]:
    """The progress of `total` runs, which stderr shows if it is a terminal, unless `hidden`.

    Ctrl-C ends the process, and says how many were run and `known`, what else is known by then.
    Unless the runs are `timed`, torch, if it is not imported yet, waits without keeping a core
    busy, which on a busy machine takes a fraction of the time.
    """
    if not timed:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    runs = Progress(total)
    display = _Display(runs) if is_terminal(sys.stderr) and not hidden else None

    def interrupted(*_: object) -> NoReturn:
        if display:
            display.stop()
        write_stderr(f"interrupted: {'; '.join(filter(None, [runs.summary, known]))}\n")
        os._exit(exits.INTERRUPTED)

    with _on_interruption(interrupted):
        try:
            yield runs
        finally:
            if display:
                display.stop()


@contextmanager
def _on_interruption(function: Callable[..., NoReturn]) -> Iterator[None]:
    """Call the function in place of raising KeyboardInterrupt, unless Ctrl-C is ignored here.

    An exception does not always get through `import torch`: what it comes from may catch it, or
    leave a module half imported.
    """
    import signal  # only runs need it

    before = signal.getsignal(signal.SIGINT)
    if not callable(before):
        yield
        return
    signal.signal(signal.SIGINT, function)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Display:
    """The line on stderr, drawn after a while by another thread: a run keeps this one busy."""

    def __init__(self, runs: Progress) -> None:
        from threading import RLock, Timer

        self._runs = runs
        self._live: Live | None = None
        self._ended = False
        self._lock = RLock()  # an interruption may end what is ending already
        timer = Timer(_DELAY, self._start)
        timer.daemon = True
        timer.start()

    def _start(self) -> None:
        from rnnshape.render.progress import live_line

        with self._lock:
            if not self._ended:
                self._live = live_line(lambda: self._runs.line, sys.stderr)
                self._live.start()

    def stop(self) -> None:
        """Wipe the line, if it is there, and draw none from now on."""
        with self._lock:
            self._ended = True
            if self._live is not None:
                self._live.stop()


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE else f"{seconds / _MINUTE:.0f} min"
