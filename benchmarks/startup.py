"""The time and the memory that a command takes, compared with what would be run instead of it.

`python -m benchmarks.startup` prints a Markdown table. Each of our commands alternates
with its reference, so that both meet the same disturbances; the figures are medians of the wall
time of whole processes, and the ratio is that of the medians. Peak memory is the largest of ours.
The exit code is 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

FOLDER: Final = Path(__file__).parent
RNNSHAPE: Final = str(Path(sys.executable).with_name("rnnshape"))
HELLO: Final = (sys.executable, str(FOLDER / "hello_rich.py"))
BY_HAND: Final = (sys.executable, str(FOLDER / "by_hand.py"))

SMALL: Final = ("lstm", "--hidden", "40", "--layers", "4", "--bidir")
LARGE: Final = ("lstm", "--input", "1024", "--hidden", "2048", "--layers", "4", "--bidir")
HUGE: Final = ("lstm", "--input", "65536", "--hidden", "65536", "--layers", "8", "--bidir")
LARGE_PARAMETER_MB: Final = 4 * 352_452_608 / 1e6
REFUSED: Final = 2


@dataclass(frozen=True, kw_only=True)
class Case:
    """One of our commands, the reference for it, and the bar that it must meet."""

    arguments: tuple[str, ...]
    reference: tuple[str, ...]
    most_ratio: float | None = None  # of wall times
    most_peak: float | None = None  # in megabytes
    exit_code: int = 0
    few: bool = False  # a third of the runs, since each takes seconds

    @property
    def bar(self) -> str:
        """What must hold, in words."""
        bars = [f"ratio <= {self.most_ratio:.2f}"] if self.most_ratio else []
        bars += [f"peak <= {self.most_peak:,.0f} MB"] if self.most_peak else []
        bars += [f"exit code {self.exit_code}"] if self.exit_code else []
        return ", ".join(bars)


CASES: Final = (
    Case(arguments=(*SMALL, "--no-run"), reference=HELLO, most_ratio=0.75),
    Case(arguments=SMALL, reference=(*BY_HAND, "20", "40", "4"), most_ratio=0.72),
    Case(
        arguments=LARGE,
        reference=(*BY_HAND, "1024", "2048", "4"),
        most_ratio=0.55,
        most_peak=1.2 * LARGE_PARAMETER_MB,
        few=True,
    ),
    Case(arguments=(*HUGE, "--no-run"), reference=HELLO, most_ratio=0.75),
    # This layer cannot be run by hand either, so the reference is one that can.
    Case(arguments=HUGE, reference=(*BY_HAND, "20", "40", "4"), exit_code=REFUSED),
)


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process from start to end."""

    seconds: float
    busy: float  # seconds of processors
    peak: float  # of resident memory, in megabytes
    exit_code: int


def measured(command: Sequence[str]) -> Process:
    """Run `command` without output and wait for it."""
    nowhere = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
    start = perf_counter()
    process = os.posix_spawn(command[0], list(command), os.environ, file_actions=nowhere)
    _, status, usage = os.wait4(process, 0)
    seconds = perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024  # bytes of one ru_maxrss
    return Process(
        seconds=seconds,
        busy=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss * unit / 1e6,
        exit_code=os.waitstatus_to_exitcode(status),
    )


def compared(case: Case, runs: int) -> tuple[list[Process], list[Process]]:
    """`runs` of ours and of the reference, alternating, after one of each to warm the caches."""
    ours, reference = [], []
    for turn in range(runs + 1):
        own = measured((RNNSHAPE, *case.arguments))
        other = measured(case.reference)
        for process, expected in ((own, case.exit_code), (other, 0)):
            if process.exit_code != expected:
                raise SystemExit(f"{case.arguments} ended with {process.exit_code}, not {expected}")
        if turn:
            ours.append(own)
            reference.append(other)
    return ours, reference


def row(case: Case, runs: int) -> tuple[bool, str]:
    """Whether the bar is met, and the line of the table."""
    ours, reference = compared(case, max(1, runs // 3) if case.few else runs)
    own, other = (median(p.seconds for p in processes) for processes in (ours, reference))
    peak = max(process.peak for process in ours)
    ratio = own / other
    met = (not case.most_ratio or ratio <= case.most_ratio) and (
        not case.most_peak or peak <= case.most_peak
    )
    cells = (
        f"`{' '.join(_short(case.arguments))}`",
        f"{own:.3f} s",
        f"`{' '.join(_short(case.reference[1:]))}` {other:.3f} s",
        f"{ratio:.2f}",
        f"{peak:,.0f} MB",
        case.bar,
        "yes" if met else "NO",
    )
    return met, f"| {' | '.join(cells)} |"


def _short(words: Sequence[str]) -> list[str]:
    return [Path(word).name if "/" in word else word for word in words]


def reported(cases: Sequence[Case], runs: int) -> bool:
    """Print the table, each line as soon as it is measured; whether every bar is met."""
    titles = ("rnnshape", "median", "reference, median", "ratio", "peak", "bar", "met")
    print(f"| {' | '.join(titles)} |\n|---|--:|---|--:|--:|---|---|", flush=True)
    all_met = True
    for case in cases:
        met, line = row(case, runs)
        print(line, flush=True)
        all_met &= met
    return all_met


def asked_runs(default: int = 15) -> int:
    """How often each command is to run."""
    parser = argparse.ArgumentParser(description="Time and memory of commands, as ratios.")
    parser.add_argument(
        "--runs",
        type=int,
        default=default,
        help="runs of each command; a third as many of slow ones",
    )
    runs: int = parser.parse_args().runs
    return runs


def main() -> int:
    """Print the table; 0 when every bar is met."""
    return 0 if reported(CASES, asked_runs()) else 1


if __name__ == "__main__":
    sys.exit(main())
