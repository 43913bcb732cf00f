"""Write to stdout and stderr, without text that a CI service would take for a command."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from typing import Final

_COMMAND: Final = re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def write_stdout(text: str) -> None:
    """Write to stdout and flush it; characters that it cannot encode are escaped."""
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError as error:  # nothing is written yet
        sys.stdout.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
    sys.stdout.flush()


def write_stderr(text: str) -> None:
    """Write to stderr if possible; a failure changes neither the report nor the exit code."""
    if text:
        with suppress(Exception):
            sys.stderr.write(text)
            sys.stderr.flush()


def disarmed(text: str) -> str:
    """The text made safe for GitHub's runner: names from a file may look like commands to it.

    A command is a line that begins with two colons, with or without blanks before them, or that has
    two number signs and a bracket anywhere.
    """
    return _COMMAND.sub(r"\1: ", text).replace("##[", "# #[")
