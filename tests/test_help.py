"""What is found without a manual: help, its examples, and what a shell completes."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
import torch
from torch import nn

from rnnshape.cli.commands import Commands
from rnnshape.document.sections import SECTIONS
from rnnshape.render import Format
from tests.program import SCRIPT, call, environment, spawn

COMMANDS: Final = ("", *Commands().list_commands(None))
MANIFEST: Final = '[modules.encoder]\ntarget = "lstm"\n[modules.decoder]\ntarget = "gru"\n'
FIRST_SCREEN: Final = 24


def _help(command: str) -> list[str]:
    return call(*filter(None, [command]), "--help").out.splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_two_examples_that_work(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if command == "inspect":
        layers = nn.ModuleDict({"encoder": nn.ModuleDict({"lstm": nn.LSTM(20, 40)})})
        torch.save(layers.state_dict(), "weights.pt")
    if command == "explain":
        Path("train.log").write_text("RuntimeError: Expected hidden size (1, 2, 4), got [1, 9, 4]")
    *_, heading, first, second = _help(command)
    assert heading == "Examples:"
    for line in (first, second):
        name, *words = shlex.split(line)
        assert name == "rnnshape"
        assert command in ("", words[0])
        result = call(*words)
        assert (result.code, result.err) == (0, ""), line


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_plain_and_fits_80_columns(command: str) -> None:
    for line in _help(command):
        assert len(line) <= 80
        assert line.isascii()


@pytest.mark.parametrize("command", ["lstm", "gru", "rnn", "inspect"])
def test_the_help_of_show_names_the_sections(command: str) -> None:
    text = " ".join(" ".join(_help(command)).split())
    assert f"default, all, or some of {', '.join(SECTIONS)}." in text


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("check", "-o junit.xml also writes a JUnit file"),
        ("lstm", "draws a picture of the network"),
    ],
)
def test_the_first_screen_of_help_answers_what_is_asked_first(command: str, answer: str) -> None:
    assert answer in " ".join(" ".join(_help(command)[:FIRST_SCREEN]).split())


# What is typed, and what a shell then has on the line.
COMPLETED: Final = {
    "rnnshape lstm --show ga": "rnnshape lstm --show gates",
    "rnnshape lstm --show default,di": "rnnshape lstm --show default,diagram",
    "rnnshape gru --dtype bf": "rnnshape gru --dtype bfloat16",
    "rnnshape gru --device me": "rnnshape gru --device meta",
    "rnnshape gru -f la": "rnnshape gru -f latex",
    "rnnshape compare gru --sort pa": "rnnshape compare gru --sort parameters",
    "rnnshape compare lstm g": "rnnshape compare lstm gru",
    "rnnshape budget l": "rnnshape budget lstm",
    "rnnshape check --only en": "rnnshape check --only encoder",
}


@pytest.mark.parametrize("typed", COMPLETED)
def test_the_program_offers_values(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _offered(typed, tmp_path) == [COMPLETED[typed].rpartition(" ")[2]]


def test_every_value_is_offered(tmp_path: Path) -> None:
    assert _offered("rnnshape lstm --show ", tmp_path) == ["default", "all", *SECTIONS]
    assert _offered("rnnshape lstm -f ", tmp_path) == [each.value for each in Format]
    assert _offered("rnnshape check --only ", tmp_path) == ["encoder", "decoder"]
    assert _offered("rnnshape check other.toml --only ", tmp_path) == []  # there is no such file
    assert _offered("rnnshape nothing ", tmp_path) == list(Commands().list_commands(None))


def test_bash_may_divide_an_option_at_its_sign(tmp_path: Path) -> None:
    """It hands `--show=gri` over as three words."""
    assert _offered("rnnshape lstm --show = gri", tmp_path) == ["grid"]
    assert _offered("rnnshape lstm --color =", tmp_path) == ["auto", "always", "never"]


def _offered(typed: str, folder: Path) -> list[str]:
    (folder / "rnnshape.toml").write_text(MANIFEST)
    words = typed.split(" ")
    asked = environment(
        _RNNSHAPE_COMPLETE="complete_bash",
        COMP_WORDS="\n".join(words),
        COMP_CWORD=str(len(words) - 1),
    )
    result = spawn(program=SCRIPT, env=asked, cwd=folder)
    assert (result.code, result.err) == (0, "")
    return result.out.split()


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_a_shell_completes_what_is_typed(name: str, tmp_path: Path) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"there is no {name}")
    home = environment(HOME=str(tmp_path), ZDOTDIR=str(tmp_path), TERM="dumb")
    install = "rnnshape --install-completion; exit $?"
    assert spawn("-c", install, program=(name,), env=home).code == 0
    (tmp_path / "rnnshape.toml").write_text(MANIFEST)
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        [name, "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=home,
        cwd=tmp_path,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        _read_until(ours, "READY", typed="echo REA''DY\n")
        if name == "zsh":  # its first completion only loads the function that completes
            os.write(ours, b"rnnshape \t")
            while select.select([ours], [], [], 2)[0]:  # until it falls silent
                os.read(ours, 65_536)
            os.write(ours, b"\x15")
        for typed in ("rnnshape lstm --show default,di", "rnnshape check --only en"):
            _read_until(ours, COMPLETED[typed], typed=f"{typed}\t", again="\t")
            os.write(ours, b"\x15")  # empties the line
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


def _read_until(
    descriptor: int, text: str, *, typed: str, again: str = "", seconds: float = 30
) -> None:
    """Type something, and read what the shell shows until `text` is in it.

    Where the shell falls silent, as one that was not ready for what was typed, type `again`.
    """
    os.write(descriptor, typed.encode())
    shown, end = "", time.monotonic() + seconds
    while text not in shown and time.monotonic() < end:
        if not select.select([descriptor], [], [], 2)[0]:
            os.write(descriptor, again.encode())
        else:
            with suppress(OSError):
                shown += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", os.read(descriptor, 65_536).decode())
    assert text in shown
