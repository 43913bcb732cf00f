"""Write to stdout and stderr: whether in colour, and without commands to a CI service."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from typing import Final, TextIO

_COMMAND: Final = re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def write_stdout(text: str, *, escape: str = "backslashreplace") -> None:
    """Write to stdout and flush it; characters that it cannot encode are escaped in this way."""
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError as error:  # nothing is written yet
        sys.stdout.write(text.encode(error.encoding, escape).decode(error.encoding))
    sys.stdout.flush()


def write_stderr(text: str) -> None:
    """Write to stderr if possible; a failure changes neither the report nor the exit code."""
    if text:
        with suppress(Exception):
            sys.stderr.write(text)
            sys.stderr.flush()


def wants_colour(stream: TextIO | None, chosen: str = "auto") -> bool:
    """Whether text for this stream is coloured, where `chosen` is the value of --color.

    The variables are those of https://no-color.org, which comes first, https://force-color.org and
    https://bixense.com/clicolors.
    """
    if chosen != "auto":
        return chosen == "always"
    variables = os.environ
    if variables.get("NO_COLOR"):
        return False
    if variables.get("FORCE_COLOR") or variables.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    plain = variables.get("TERM") == "dumb" or variables.get("CLICOLOR") == "0"
    return not plain and is_terminal(stream)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads this stream as it is written; a stream that is closed is None."""
    return stream is not None and stream.isatty()


def disarmed(text: str) -> str:
    """The text made safe for GitHub's runner: names from a file may look like commands to it.

    A command is a line that begins with two colons, with or without blanks before them, or that has
    two number signs and a bracket anywhere.
    """
    return _COMMAND.sub(r"\1: ", text).replace("##[", "# #[")
