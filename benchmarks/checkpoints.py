"""What `rnnshape inspect` takes for a file of 1.4 GB, whose data it leaves unread.

`python -m benchmarks.checkpoints` prints the same table as `benchmarks.startup`, then the bytes
read. The exit code is 1 if a bar is missed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.startup import FOLDER, HELLO, Case, asked_runs, reported

_MOST_READ: Final = 2**20  # bytes
# Reads a small file first, so that every module is imported, and then counts.
_COUNTING: Final = """
import sys
from pathlib import Path
from rnnshape.cli.main import main

def read():
    return int(Path("/proc/self/io").read_text().split()[1])

small, large = sys.argv[1:]
main(["inspect", small])
before = read()
main(["inspect", large])
print(read() - before, file=sys.stderr)
"""


def bytes_read(small: Path, large: Path) -> int:
    """How many bytes it takes to inspect the large file; Linux counts them."""
    command = [sys.executable, "-c", _COUNTING, str(small), str(large)]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stderr)


def main() -> int:
    """Print what was measured; 0 when every bar is met."""
    runs = asked_runs()
    with TemporaryDirectory() as folder:
        # In a process of its own: on Linux the peak of a process begins with that of its parent.
        subprocess.run([sys.executable, str(FOLDER / "sparse.py"), folder], check=True)
        files = [
            (Path(folder, f"small.{suffix}"), Path(folder, f"large.{suffix}"))
            for suffix in ("pt", "safetensors")
        ]
        met = reported(
            [
                Case(
                    arguments=("inspect", str(large)),
                    reference=HELLO,
                    most_ratio=1.25,
                    most_peak=60,
                )
                for _, large in files
            ],
            runs,
        )
        for small, large in files if sys.platform == "linux" else ():
            read = bytes_read(small, large)
            met &= read < _MOST_READ
            size = large.stat().st_size
            print(f"{large.name}: {read:,} of {size:,} bytes read, of {_MOST_READ:,} allowed")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
