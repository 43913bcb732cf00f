"""Bad requests and what they are told: three lines each, the words, the error and the hint."""

from __future__ import annotations

import shlex

import pytest

from rnnshape.cli import exits
from rnnshape.cli.main import main


def refusals(text: str) -> list[list[str]]:
    """The blocks of a text, which blank lines separate."""
    return [block.split("\n") for block in text.strip().split("\n\n")]


def require_refused(
    command: str, words: str, error: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run it: two lines on stderr, nothing on stdout."""
    assert main([command, *shlex.split(words.removeprefix("$"))]) == exits.REFUSED
    written = capsys.readouterr()
    assert written.err == f"{error}\n{hint}\n"
    assert written.out == ""
