"""The program under test on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from rnnshape.cli.main import main
from tests.program import MODULE, environment, surroundings

ESCAPE: Final = re.compile(r"\x1b\[[0-9;]*m")
PLAIN: Final = {"NO_COLOR": "1"}  # changes that leave colour out


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a terminal was sent, and how the program ended."""

    code: int
    text: str

    @property
    def plain(self) -> str:
        """The text without colours."""
        return ESCAPE.sub("", self.text)

    @property
    def lines(self) -> list[str]:
        """The lines without colours."""
        return self.plain.splitlines()


def without_more(text: str) -> str:
    """What a terminal shows, without the line on what else there is."""
    return re.sub(r"^(\x1b\[2m)?more: --show .*\n", "", text, flags=re.MULTILINE)


def without_rules(text: str) -> str:
    """What is shown in colour, without the rules under the heads of tables."""
    return re.sub(r"^-{10,}\n", "", text, flags=re.MULTILINE)


class Terminal:
    """A pseudo-terminal `columns` wide and `lines` high with a process of the program in it."""

    def __init__(
        self,
        *arguments: str,
        columns: int = 80,
        lines: int = 50,
        program: tuple[str, ...] = MODULE,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._ours, theirs = _pseudo_terminal(columns=columns, lines=lines)
        self.process = subprocess.Popen(
            [*program, *arguments],
            stdin=subprocess.PIPE,
            stdout=theirs,
            stderr=theirs,
            env=environment() if env is None else env,
        )
        os.close(theirs)
        self._read = b""

    def read_until(self, text: str, *, seconds: float = 60) -> str:
        """What was written so far, as soon as `text` is in it."""
        end = time.monotonic() + seconds
        while text.encode() not in self._read and time.monotonic() < end and self._more():
            pass
        return self._read.decode()

    def _more(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], 1)
        if not ready:
            return True
        try:
            piece = os.read(self._ours, 65_536)
        except OSError:  # the other side is closed
            return False
        self._read += piece
        return bool(piece)

    def finish(self) -> Shown:
        """Let the program go on, and wait for its end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        text = self.read_until("\0")
        os.close(self._ours)
        try:
            return Shown(code=self.process.wait(timeout=60), text=text)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def shown(
    *arguments: str,
    columns: int = 80,
    lines: int = 50,
    changes: Mapping[str, str] | None = None,
) -> Shown:
    """What a terminal shows in the end, where `main` is called in this process."""
    ours, theirs = _pseudo_terminal(columns=columns, lines=lines)
    # A terminal holds a few thousand characters until someone reads them.
    with ThreadPoolExecutor(max_workers=1) as reader:
        text = reader.submit(_all_of, ours)
        with (
            os.fdopen(theirs, "w", encoding="utf-8") as stream,
            surroundings(environment(**(changes or {}))) as patch,
        ):
            for name in ("stdout", "stderr", "__stdout__"):
                patch.setattr(sys, name, stream)
            code = main(arguments)
    os.close(ours)
    return Shown(code=code, text=text.result())


def _pseudo_terminal(*, columns: int, lines: int) -> tuple[int, int]:
    """The descriptors of the side that reads and of the side that the program writes to."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    # What is written arrives as it was written: no newline becomes two characters.
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    return ours, theirs


def _all_of(descriptor: int) -> str:
    """What is read until the other side is closed."""
    pieces = []
    with suppress(OSError):
        while piece := os.read(descriptor, 65_536):
            pieces.append(piece)
    return b"".join(pieces).decode()


def wiped(text: str) -> str:
    """What a terminal still shows of a text whose lines of progress are wiped."""
    return re.sub("(\\r\x1b\\[2K|(starting|running)[^\\r\\n]*|\\n\\r\x1b\\[1A\x1b\\[2K)", "", text)
