"""How far the runs of a command are: shown while they last, and told when they are interrupted."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

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

    def run(self, report: LayerReport, probes: Collection[str] = ()) -> LayerReport:
        """The report with a run: what `with_run` returns, or raises."""
        from rnnshape.pytorch.run import with_run  # a command may have nothing to run

        self._start = self._start or time.monotonic()
        self._name = report.subject.name or report.subject.config.constructor
        try:
            ran = with_run(report, probes)
        except RequestError:
            self._refused += 1
            raise
        self._done += 1
        self._disputed += ran.disagrees
        return ran

    @property
    def line(self) -> str:
        """What runs now: `running 214 of 500: decoder`."""
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
def progress(total: int, *, known: str = "", hidden: bool = False) -> Iterator[Progress]:
    """The progress of `total` runs, which stderr shows if it is a terminal, unless `hidden`.

    An interruption says how many have been run, and `known`, what else is known by then.
    """
    runs = Progress(total)
    try:
        with _shown(runs) if is_terminal(sys.stderr) and not hidden else nullcontext():
            yield runs
    except KeyboardInterrupt:
        write_stderr(f"interrupted: {'; '.join(filter(None, [runs.summary, known]))}\n")
        raise


@contextmanager
def _shown(runs: Progress) -> Iterator[None]:
    """Show the line after a while, from a thread of its own: a run keeps this one busy."""
    from threading import Timer

    shown: list[Live] = []

    def show() -> None:
        from rnnshape.render.progress import live_line

        live = live_line(lambda: runs.line, sys.stderr)
        live.start()
        shown.append(live)

    timer = Timer(_DELAY, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for live in shown:
            live.stop()


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE else f"{seconds / _MINUTE:.0f} min"
