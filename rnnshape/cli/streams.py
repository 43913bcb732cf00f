"""stdout and stderr: what arrives there, and what no CI service may take for a command."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from typing import Final

_COMMAND: Final = re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def write_stdout(text: str) -> None:
    """Write to stdout and make sure that it arrived; what it cannot encode is escaped."""
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError as error:  # nothing is written yet
        sys.stdout.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
    sys.stdout.flush()


def write_stderr(text: str) -> None:
    """Write to stderr if it takes it; one that does not costs no report and no exit code."""
    if text:
        with suppress(Exception):
            sys.stderr.write(text)
            sys.stderr.flush()


def disarmed(text: str) -> str:
    """Text for people without what GitHub's runner obeys, which names from a file may hold.

    It takes a line that begins with two colons for a command, blanks before them or not, and two
    number signs and a bracket anywhere in a line.
    """
    return _COMMAND.sub(r"\1: ", text).replace("##[", "# #[")
