"""An environment that is broken: refused in two lines, or without effect."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import shellingham

from tests.program import PYTHON, Result, call, environment, needs_torch, shell, spawn

_NOT_SET = "is not one that a shell sets to complete a line"
_REFUSED = {
    "another word for completion": (
        {"_RNNSHAPE_COMPLETE": "bogus"},
        f"_RNNSHAPE_COMPLETE=bogus with COMP_CWORD=0 {_NOT_SET}",
        "unset _RNNSHAPE_COMPLETE",
    ),
    "another place in the line": (
        {"_RNNSHAPE_COMPLETE": "complete_bash", "COMP_WORDS": "rnnshape", "COMP_CWORD": "x"},
        f"_RNNSHAPE_COMPLETE=complete_bash with COMP_CWORD=x {_NOT_SET}",
        "unset _RNNSHAPE_COMPLETE",
    ),
}


@pytest.mark.parametrize(("changes", "problem", "hint"), _REFUSED.values(), ids=_REFUSED)
def test_a_variable_that_cannot_be_followed_is_refused(
    changes: dict[str, str], problem: str, hint: str
) -> None:
    result = spawn("lstm", env=environment(**changes))
    assert result == Result(code=2, out="", err=f"error: {problem}\nhint: {hint}\n")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_completion_is_not_installed_where_home_cannot_be_written() -> None:
    result = shell("rnnshape --install-completion; exit $?", changes={"HOME": "/proc/nowhere"})
    problem = "cannot write /proc/nowhere: No such file or directory"
    hint = "rnnshape --show-completion prints the script, for a file that your shell reads"
    assert result == Result(code=2, out="", err=f"error: {problem}\nhint: {hint}\n")


@pytest.mark.parametrize("option", ["--install-completion", "--show-completion"])
def test_completion_needs_a_shell(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(pid: object = None, max_depth: int = 10) -> None:
        raise shellingham.ShellDetectionFailure

    monkeypatch.setattr(shellingham, "detect_shell", nobody)
    result = call(option)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {option} was not run from a shell\nhint: ")


def test_an_empty_variable_of_completion_is_as_none() -> None:
    changed = spawn("lstm", "--no-run", env=environment(_RNNSHAPE_COMPLETE=""))
    assert changed == call("lstm", "--no-run")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_working_directory_that_is_gone_is_refused_before_a_run(tmp_path: Path) -> None:
    """MKL would end the process. The formulas need none."""
    gone = f"mkdir {tmp_path}/gone; cd {tmp_path}/gone; rmdir {tmp_path}/gone; rnnshape lstm"
    result = shell(gone)
    assert (result.code, result.out) == (2, "")
    assert result.err.endswith(
        "error: the working directory is gone\n"
        "hint: cd to one that exists, or --no-run for the formulas alone\n"
    )
    assert shell(f"{gone} --no-run").code == 0


@needs_torch
def test_libraries_of_torch_do_not_write_into_the_report() -> None:
    words = ("lstm", "--input", "100", "--hidden", "100", "-f", "json")
    changes = {"MKL_VERBOSE": "1", "ONEDNN_VERBOSE": "1", "DNNL_VERBOSE": "1"}
    assert json.loads(spawn(*words, env=environment(**changes)).out)["modules"]


def test_a_backend_that_matplotlib_refuses_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    words = ("compare", "lstm", "gru", "--hidden", "8,16", "--no-run", "--plot")
    result = spawn(*words, str(tmp_path / "a.svg"), env=environment(MPLBACKEND="bogus"))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(
        "error: matplotlib cannot be imported: Key backend: 'bogus' is not"
    )
    assert result.err.endswith("\nhint: correct that, or leave --plot out\n")


def test_matplotlib_says_nothing_of_its_folders_on_stderr(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    words = ("compare", "lstm", "gru", "--hidden", "8,16", "--no-run", "--plot")
    env = environment(MPLCONFIGDIR="/proc/nowhere", HOME="/proc/nowhere")
    result = spawn(*words, str(tmp_path / "a.svg"), env=env)
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize("module", ["rnnshape.cli.main", "typer", "torch"])
def test_an_interruption_that_an_import_would_swallow_ends_the_process(module: str) -> None:
    """Before Python 3.12 one in `__set_name__` becomes a RuntimeError; a finalizer drops it."""
    code = (
        "import os, signal, sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            try: os.kill(os.getpid(), signal.SIGINT); [None for _ in range(10**6)]\n"
        "            except KeyboardInterrupt: pass\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "sys.argv = ['rnnshape', 'lstm']\n"
        "from rnnshape.__main__ import entry\n"
        "entry()"
    )
    result = spawn(program=(*PYTHON, "-c", code))
    assert (result.code, result.out) == (130, "")
    assert "Traceback" not in result.err
