"""The hook of pre-commit, run by pre-commit in a repository of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.program import PYTHON, Result, environment, spawn
from tests.transcripts import ROOT

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="pre-commit needs git")

MANIFEST = """
[modules.encoder]
target = "nn.LSTM(20, 40)"
expect = ["output = 10,5,40"]
"""


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that has the hook as it is here, committed or not."""
    folder = tmp_path_factory.mktemp("hooks")
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", folder)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "The hook")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository of someone who uses rnnshape."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    return folder


def test_a_manifest_that_holds_may_be_committed(hooks: Path, project: Path) -> None:
    result = commit(hooks, project, {"rnnshape.toml": MANIFEST})
    assert result.code == 0, result
    assert "Passed" in result.out


def test_an_expectation_that_fails_may_not_be_committed(hooks: Path, project: Path) -> None:
    result = commit(hooks, project, {"rnnshape.toml": MANIFEST.replace("5,40", "5,80")})
    assert result.code == 1
    assert "- exit code: 1" in result.out
    assert "rnnshape.toml:4: encoder: output = 10,5,80 failed: it is 10,5,40" in result.out


def test_a_manifest_that_cannot_be_read_may_not_be_committed(hooks: Path, project: Path) -> None:
    result = commit(hooks, project, {"rnnshape.toml": MANIFEST.replace("expect", "except")})
    assert result.code == 1
    assert "- exit code: 2" in result.out
    assert "unknown key except" in result.out


def test_the_manifest_may_be_in_pyproject_toml(hooks: Path, project: Path) -> None:
    text = MANIFEST.replace("[modules", "[tool.rnnshape.modules").replace("5,40", "5,80")
    result = commit(hooks, project, {"pyproject.toml": text})
    assert "pyproject.toml:4: encoder: output = 10,5,80 failed" in result.out


def test_the_hook_checks_once_however_many_files_changed(hooks: Path, project: Path) -> None:
    bad = MANIFEST.replace("5,40", "5,80")
    files = dict.fromkeys(("rnnshape.toml", "pyproject.toml"), bad)
    assert commit(hooks, project, files).out.count("failed: it is") == 1


def test_the_hook_rests_where_nothing_that_it_reads_changed(hooks: Path, project: Path) -> None:
    names = (
        "rnnshape.toml.md",
        "my-rnnshape.toml",
        "setup.py",
        "sub/rnnshape.toml",
        "a/pyproject.toml",
    )
    result = commit(hooks, project, dict.fromkeys(names, "x\n"))
    assert result.code == 0
    assert "(no files to check)Skipped" in result.out


def test_the_hook_needs_no_torch(hooks: Path, project: Path) -> None:
    (project / "torch.py").write_text("raise RuntimeError('imported')\n")
    result = commit(hooks, project, {"rnnshape.toml": MANIFEST}, PYTHONPATH=str(project))
    assert result.code == 0, result


def commit(hooks: Path, project: Path, files: dict[str, str], **changes: str) -> Result:
    """Stage files and run the hook on them, as `git commit` would."""
    for name, text in files.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    git(project, "add", *files)
    return spawn(
        *("try-repo", str(hooks), "rnnshape-check", "--files", *files),
        program=(*PYTHON, "-m", "pre_commit"),
        cwd=project,
        env=environment(PRE_COMMIT_HOME=str(project.parent / "cache"), **changes),
    )


def git(folder: Path, *words: str) -> None:
    env = environment(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    result = spawn(*identity, *words, program=("git",), cwd=folder, env=env)
    assert result.code == 0, result.err
