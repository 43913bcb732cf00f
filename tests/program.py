"""The program under test: called in this process, or run as one of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from rnnshape.cli.main import main

PYTHON: Final = (sys.executable,)
MODULE: Final = (*PYTHON, "-m", "rnnshape")
SCRIPT: Final = (str(Path(sys.executable).with_name("rnnshape")),)

# Where there is no torch, importing it skips a test, see `conftest.py`; these tests start a process
# that does.
HAS_TORCH: Final = find_spec("torch") is not None
WITHOUT_TORCH: Final = "torch is not installed"
needs_torch: Final = pytest.mark.skipif(not HAS_TORCH, reason=WITHOUT_TORCH)

# Versions of PyTorch differ in messages, allocations and dtypes; these tests know those of one.
PINNED_TORCH: Final = "2.13.0"  # the README's
TORCH: Final = version("torch").partition("+")[0] if HAS_TORCH else ""
needs_pinned_torch: Final = pytest.mark.skipif(
    TORCH != PINNED_TORCH, reason=f"expects what torch {PINNED_TORCH} does"
)

# Variables that change colours, widths, completion, warnings, what is written on a CI service and,
# in a git hook, which repository git takes. A test that needs one of them sets it.
LEFT_OUT: Final = (
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "COMP_CWORD",
    "COMP_WORDS",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_WORKSPACE",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_WORK_TREE",
    "LINES",
    "NO_COLOR",
    "PYTHONIOENCODING",
    "PYTHONUNBUFFERED",
    "PYTHONWARNINGS",
    "RNNSHAPE_TRACEBACK",
    "TERM",
    "_RNNSHAPE_COMPLETE",
)


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a call ended, and what it wrote."""

    code: int
    out: str
    err: str


def call(*arguments: str) -> Result:
    """Call `main` in this process; stdout and stderr look like pipes to it."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = main(arguments)
    return Result(code=code, out=out.getvalue(), err=err.getvalue())


def environment(**changes: str) -> dict[str, str]:
    """The variables of this process but for LEFT_OUT, its scripts on PATH, and `changes`."""
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "TERM": "xterm-256color", **changes}


@contextmanager
def surroundings(
    env: Mapping[str, str], *, cwd: Path | None = None
) -> Iterator[pytest.MonkeyPatch]:
    """Give this process what `spawn` gives to another: variables, a folder and an empty stdin.

    The patch that is yielded, and all that is patched with it, ends with the context.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - env.keys():
            patch.delenv(name)
        for name, value in env.items():
            patch.setenv(name, value)
        if cwd is not None:
            patch.chdir(cwd)
        patch.setattr(sys, "stdin", io.StringIO())
        yield patch


def spawn(
    *arguments: str,
    program: tuple[str, ...] = MODULE,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str = "",
) -> Result:
    """Run the program as a process, between pipes, and wait for its end."""
    done = subprocess.run(
        [*program, *arguments],
        env=environment() if env is None else env,
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Result(code=done.returncode, out=done.stdout, err=done.stderr)


def shell(
    command: str, *, cwd: Path | None = None, changes: Mapping[str, str] | None = None
) -> Result:
    """Run a line of bash in which `rnnshape` is this Python's."""
    return spawn("-c", command, program=("bash",), env=environment(**(changes or {})), cwd=cwd)
