"""How much longer `rnnshape compare` takes for 10,000 layers than for its start-up: at most 0.7 s.

`python -m benchmarks.compare [ROUNDS]` runs the commands in turn and compares medians. The exit
code is 1 if one of them takes longer.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

_RNNSHAPE: Final = str(Path(sys.executable).with_name("rnnshape"))
_SIZES: Final = ",".join(map(str, range(1, 3335)))
_COMMANDS: Final = {
    "start-up": ["--version"],
    "3 x 3,334": ["compare", "lstm", "gru", "rnn", "--hidden", _SIZES],
    "1 x 10,000": ["compare", "lstm", "--hidden", "1..10000"],
}
_MOST_SECONDS: Final = 0.7


def main(rounds: int) -> int:
    """Measure, print, and return the exit code."""
    seconds: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for _ in range(rounds):
        for name, words in _COMMANDS.items():
            start = perf_counter()
            subprocess.run([_RNNSHAPE, *words], stdout=subprocess.DEVNULL, check=True)
            seconds[name].append(perf_counter() - start)
    start_up = median(seconds["start-up"])
    beyond = {name: median(times) - start_up for name, times in seconds.items()}
    print(f"start-up    {start_up:.2f} s")
    for name in list(_COMMANDS)[1:]:
        print(f"{name:10}  {beyond[name]:.2f} s longer, of {_MOST_SECONDS:.2f} s allowed")
    return int(max(beyond.values()) > _MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
