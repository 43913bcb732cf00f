"""What `rnnshape check` takes for a large manifest.

`python -m benchmarks.check` prints a line for 10,000 modules by formula alone, and one for 1,000
modules that are run, in comparison with `benchmarks/loop.py`, a plain loop that builds the same
layers and runs them. With `--busy`, a process for each core computes meanwhile. The exit code is 1
if a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.loop import layers
from benchmarks.startup import FOLDER, RNNSHAPE, measured

_LOOP: Final = (sys.executable, str(FOLDER / "loop.py"))
_MANY: Final = 10_000
_RUN: Final = 1_000
_MOST_SECONDS: Final = 2.0
_MOST_RATIO: Final = 0.6


def main() -> int:
    """Print what was measured; 0 when every bar is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--busy", action="store_true", help="while every core computes")
    options = parser.parse_args()
    with TemporaryDirectory() as folder, _load(os.cpu_count() or 1 if options.busy else 0):
        many, run = Path(folder, "many.toml"), Path(folder, "run.toml")
        many.write_text(_manifest(_MANY))
        run.write_text(_manifest(_RUN))
        formulas, runs, loops = [], [], []
        for _ in range(options.rounds):
            formulas.append(_seconds(RNNSHAPE, "check", "--no-run", str(many)))
            runs.append(_seconds(RNNSHAPE, "check", str(run)))
            loops.append(_seconds(*_LOOP, str(_RUN)))
    alone, ratio = median(formulas), median(runs) / median(loops)
    print(f"{_MANY:,} modules by formula: {alone:.2f} s, bar {_MOST_SECONDS:.0f} s")
    print(
        f"{_RUN:,} modules that are run: {median(runs):.2f} s, the loop {median(loops):.2f} s:"
        f" {ratio:.2f}, bar {_MOST_RATIO}"
    )
    return 0 if alone <= _MOST_SECONDS and ratio <= _MOST_RATIO else 1


def _manifest(count: int) -> str:
    return "".join(
        f"[modules.m{number}]\n"
        f'target = "nn.LSTM({input_size}, {hidden_size}, num_layers={num_layers})"\n'
        f'expect = ["h_n = {num_layers},5,{hidden_size}"]\n'
        for number, (input_size, hidden_size, num_layers) in enumerate(layers(count))
    )


def _seconds(*command: str) -> float:
    process = measured(command)
    if process.exit_code:
        raise SystemExit(f"{command} ended with {process.exit_code}")
    return process.seconds


@contextmanager
def _load(count: int) -> Iterator[None]:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
