"""A line on a terminal that keeps saying how far something is, and is wiped in the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text


class _Terminal(Console):
    """A terminal whose cursor stays visible: a process that is stopped or killed restores none."""

    def show_cursor(self, show: bool = True) -> bool:
        """Leave the cursor as it is."""
        return False


def live_line(text: Callable[[], str], file: TextIO) -> Live:
    """The line, which calls `text` ten times a second from `start()` to `stop()`."""
    return Live(
        get_renderable=lambda: Text(text(), no_wrap=True, overflow="ellipsis"),
        console=_Terminal(file=file, force_terminal=True, color_system=None),
        refresh_per_second=10,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
