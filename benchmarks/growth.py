"""How the cost of a command grows with its work.

`python -m benchmarks.growth` prints a Markdown table with an exponent for each kind of work: 1 is a
cost in proportion, 2 a quadratic one. It is the slope of a line through the logarithms of the last
three sizes and of their times beyond that of the first size, which is the start-up. Times are
seconds of processors, those of the least disturbed run. The exit code is 1 if an exponent is above
1.2.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import linear_regression
from tempfile import TemporaryDirectory
from typing import Final

from torch import nn

from benchmarks.explain import log
from benchmarks.sparse import FORMATS, write
from benchmarks.startup import RNNSHAPE, asked_runs, measured

_MOST_EXPONENT: Final = 1.2
_LEAST_SHARE: Final = 0.2  # of the start-up; below it, noise decides the slope


@dataclass(frozen=True, kw_only=True)
class Work:
    """A command, for several sizes."""

    name: str
    sizes: tuple[int, ...]  # the first of them costs nothing but the start-up
    words: Callable[
        [int, Path], list[str]
    ]  # of a size; a file that it needs is written to the path


def _manifest(modules: int, path: Path) -> None:
    path.write_text(
        "".join(
            f'[modules.m{number}]\ntarget = "nn.LSTM(20, {32 + number % 64})"\n'
            f'expect = ["params > 0"]\n'
            for number in range(modules)
        )
    )


def _checked(*options: str) -> Callable[[int, Path], list[str]]:
    def words(modules: int, path: Path) -> list[str]:
        _manifest(modules, path)
        return ["check", str(path), *options]

    return words


def _inspected(suffix: str, module: Callable[[int], nn.Module]) -> Callable[[int, Path], list[str]]:
    def words(size: int, path: Path) -> list[str]:
        file = path.with_suffix(f".{suffix}")
        write(module(size), file)
        return ["inspect", str(file)]

    return words


def _explained(size: int, path: Path) -> list[str]:
    path.write_text(log(size))
    return ["explain", str(path)]


def _of_bytes(size: int) -> nn.Module:
    hidden_size = max(1, math.isqrt(size // 32))  # two matrices of 4 x hidden_size rows, float32
    return nn.LSTM(hidden_size, hidden_size, device="meta")


def _of_layers(number: int) -> nn.Module:
    return nn.ModuleList(nn.LSTM(2, 3, device="meta") for _ in range(number))


def works() -> Iterator[Work]:
    """All that is measured."""
    yield Work(
        name="`lstm --layers N --no-run`",
        sizes=(1, 10_000, 100_000, 1_000_000),
        words=lambda size, _: ["lstm", "--layers", str(size), "--no-run"],
    )
    yield Work(
        name="`lstm --layers N --no-run --full`",
        sizes=(1, 5_000, 10_000, 20_000),
        words=lambda size, _: ["lstm", "--layers", str(size), "--no-run", "--full"],
    )
    yield Work(
        name="`lstm --seq N`",
        sizes=(1, 20_000, 40_000, 80_000),
        words=lambda size, _: ["lstm", "--seq", str(size)],
    )
    yield Work(
        name="`check --no-run`, N modules",
        sizes=(1, 2_500, 5_000, 10_000),
        words=_checked("--no-run"),
    )
    yield Work(name="`check`, N modules", sizes=(1, 100, 200, 400), words=_checked())
    for suffix in FORMATS:
        yield Work(
            name=f"`inspect` of N bytes of .{suffix}",
            sizes=(1, 500_000_000, 1_000_000_000, 2_000_000_000),
            words=_inspected(suffix, _of_bytes),
        )
        yield Work(
            name=f"`inspect` of N layers of 4 tensors in .{suffix}",
            sizes=(1, 1_000, 2_000, 4_000),
            words=_inspected(suffix, _of_layers),
        )
    yield Work(
        name="`explain` of N bytes",
        sizes=(1, 4_000_000, 8_000_000, 16_000_000),  # the beginning of a longer text is left out
        words=_explained,
    )
    yield Work(
        name="`compare lstm --hidden 1..N`",
        sizes=(1, 5_000, 10_000, 20_000),
        words=lambda size, _: ["compare", "lstm", "--hidden", f"1..{size}"],
    )


def seconds(work: Work, runs: int, folder: Path) -> list[float]:
    """The time for each size."""
    numbers = count()
    commands = [
        (RNNSHAPE, *work.words(size, folder / f"{next(numbers)}.toml")) for size in work.sizes
    ]
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(runs):
        for taken, command in zip(times, commands, strict=True):
            process = measured(command)
            if process.exit_code:
                raise SystemExit(f"{' '.join(command)} ended with {process.exit_code}")
            taken.append(process.busy)
    return [min(taken) for taken in times]  # the least disturbed


def exponent(sizes: Sequence[int], times: Sequence[float]) -> float:
    """The power of the size that the time beyond the first one grows with; 0 if it hardly grows."""
    start_up = times[0]
    beyond = [time - start_up for time in times[-3:]]
    if min(beyond) <= 0 or max(beyond) < _LEAST_SHARE * start_up:
        return 0
    return linear_regression([*map(math.log, sizes[-3:])], [*map(math.log, beyond)]).slope


def main() -> int:
    """Print the table; 0 when no cost grows much faster than its work."""
    runs = asked_runs(3)
    print("| work | N | seconds | exponent |\n|---|--:|--:|--:|")
    largest = 0.0
    for work in works():
        with TemporaryDirectory() as folder:
            times = seconds(work, runs, Path(folder))
        power = exponent(work.sizes, times)
        largest = max(largest, power)
        cells = (
            work.name,
            ", ".join(f"{size:,}".replace(",", " ") for size in work.sizes),
            ", ".join(f"{time:.2f}" for time in times),
            f"{power:.2f}",
        )
        print(f"| {' | '.join(cells)} |", flush=True)
    return int(largest > _MOST_EXPONENT)


if __name__ == "__main__":
    sys.exit(main())
