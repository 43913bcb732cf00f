"""What `rnnshape explain` takes for a traceback of 50 lines, and for a log of 16 MB.

`python -m benchmarks.explain` prints the same table as `benchmarks.startup`, with a row for the
log, which may take a second more. The exit code is 1 if a bar is missed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.startup import HELLO, RNNSHAPE, Case, asked_runs, measured, reported

_MESSAGE: Final = "RuntimeError: Expected hidden[0] size (8, 10, 40), got [8, 5, 40]"
_FRAME: Final = '  File "train.py", line {number}, in step\n    out, state = self.lstm(x, state)\n'
_LINE: Final = "2026-01-02 10:00:00,123 INFO train: epoch 12, batch 4512, loss 0.12345\n"
_LOG_BYTES: Final = 16_000_000
_MOST_SECONDS_MORE: Final = 1.0


def traceback() -> str:
    """A traceback of 50 lines."""
    frames = "".join(_FRAME.format(number=number) for number in range(24))
    return f"Traceback (most recent call last):\n{frames}{_MESSAGE}\n"


def log(size: int) -> str:
    """A log of `size` bytes, rounded down to lines, that ends in the traceback."""
    return _LINE * (size // len(_LINE)) + traceback()


def main() -> int:
    """Print what was measured; 0 when every bar is met."""
    runs = asked_runs()
    with TemporaryDirectory() as folder:
        short, long = Path(folder, "traceback.txt"), Path(folder, "train.log")
        short.write_text(traceback())
        long.write_text(log(_LOG_BYTES))
        met = reported(
            [Case(arguments=("explain", str(short)), reference=HELLO, most_ratio=1.1)], runs
        )
        pairs = [
            [measured((RNNSHAPE, "explain", str(path))).seconds for path in (long, short)]
            for _ in range(runs)
        ]
    more = median(of_long - of_short for of_long, of_short in pairs)
    print(f"\nA log of {_LOG_BYTES / 1e6:.0f} MB takes {more:.2f} s more, bar 1 s.")
    return 0 if met and more <= _MOST_SECONDS_MORE else 1


if __name__ == "__main__":
    sys.exit(main())
