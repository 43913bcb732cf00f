"""The installed command in a process of its own, into a pipe or on a terminal."""

from __future__ import annotations

import os
import pty
import struct
import subprocess
import sys
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

RNNSHAPE = str(Path(sys.executable).with_name("rnnshape"))


def piped(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the command does when stdout is a pipe."""
    return subprocess.run(
        [RNNSHAPE, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def on_terminal(*words: str, lines: int, columns: int = 80) -> str:
    """What a terminal of this size shows, without colour."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        [RNNSHAPE, *words],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**environment, "NO_COLOR": "1"},
    ):
        os.close(theirs)
        shown = b""
        while piece := _read(ours):
            shown += piece
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def heavy_imports(*words: str) -> set[str]:
    """Which of the modules that cost start-up time a successful command imports."""
    code = (
        "import sys; from rnnshape.cli.main import main; assert main(sys.argv[1:]) == 0;"
        "print(*{'torch', 'pydantic', 'matplotlib'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], check=True, capture_output=True, text=True
    )
    return set(done.stderr.split())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the other side is closed
        return b""
