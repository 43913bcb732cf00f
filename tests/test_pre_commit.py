"""The hook of pre-commit, run by pre-commit in a repository of its own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clone import clone, git
from tests.program import PYTHON, Result, environment, needs_torch, spawn
from tests.transcripts import ROOT, files

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="pre-commit needs git")

MANIFEST = """
[modules.encoder]
target = "nn.LSTM(20, 40)"
expect = ["output = 10,5,40"]
"""


CONFIGURATION = ".pre-commit-config.yaml"
SHOWN = files((ROOT / "examples/ci.md").read_text())[CONFIGURATION]


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clone of rnnshape, and a place for what pre-commit fetches from it."""
    folder = tmp_path_factory.mktemp("beside")
    clone(folder / "rnnshape")
    return folder


@pytest.fixture
def project(beside: Path, request: pytest.FixtureRequest) -> Path:
    """A repository of someone who uses rnnshape, configured as examples/ci.md shows."""
    folder = beside / str(request.node.name)
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / CONFIGURATION).write_text(SHOWN)
    git(folder, "add", CONFIGURATION)
    return folder


def test_a_manifest_that_holds_may_be_committed(project: Path) -> None:
    result = commit(project, {"rnnshape.toml": MANIFEST})
    assert result.code == 0, result
    assert "Passed" in result.out


def test_an_expectation_that_fails_may_not_be_committed(project: Path) -> None:
    result = commit(project, {"rnnshape.toml": MANIFEST.replace("5,40", "5,80")})
    assert result.code == 1
    assert "- exit code: 1" in result.out
    assert "rnnshape.toml:4: encoder: FAILED: output = 10,5,80: it is 10,5,40" in result.out


def test_a_manifest_that_cannot_be_read_may_not_be_committed(project: Path) -> None:
    result = commit(project, {"rnnshape.toml": MANIFEST.replace("expect", "except")})
    assert result.code == 1
    assert "- exit code: 2" in result.out
    assert "unknown key except" in result.out


def test_the_manifest_may_be_in_pyproject_toml(project: Path) -> None:
    text = MANIFEST.replace("[modules", "[tool.rnnshape.modules").replace("5,40", "5,80")
    result = commit(project, {"pyproject.toml": text})
    assert "pyproject.toml:4: encoder: FAILED: output = 10,5,80: it is" in result.out


def test_the_hook_checks_once_however_many_files_changed(project: Path) -> None:
    bad = MANIFEST.replace("5,40", "5,80")
    files = dict.fromkeys(("rnnshape.toml", "pyproject.toml"), bad)
    assert commit(project, files).out.count(": FAILED: ") == 1


def test_the_hook_rests_where_nothing_that_it_reads_changed(project: Path) -> None:
    names = (
        "rnnshape.toml.md",
        "my-rnnshape.toml",
        "setup.py",
        "sub/rnnshape.toml",
        "a/pyproject.toml",
    )
    result = commit(project, dict.fromkeys(names, "x\n"))
    assert result.code == 0
    assert "(no files to check)Skipped" in result.out


def test_the_hook_needs_no_torch(project: Path) -> None:
    (project / "torch.py").write_text("raise RuntimeError('imported')\n")
    result = commit(project, {"rnnshape.toml": MANIFEST}, PYTHONPATH=str(project))
    assert result.code == 0, result


@pytest.mark.parametrize("run", [False, pytest.param(True, marks=needs_torch)])
def test_the_hook_runs_and_checks_another_manifest_as_the_example_says(
    project: Path, run: bool
) -> None:
    text = " ".join((ROOT / "examples/ci.md").read_text().split())
    layers, other, files_ = re.findall(r"`((?:args|files): \S+?)`", text.partition("## pre-")[2])
    values = [layers, files_.replace("sub/", "")] if run else [other, files_]
    more = "".join(f"\n        {value}" for value in values)
    configured = SHOWN.replace(
        "id: rnnshape-check", f"id: rnnshape-check{more}\n        verbose: true"
    )
    name = "rnnshape.toml" if run else "sub/rnnshape.toml"
    bad = MANIFEST.replace("5,40", "5,80")
    result = commit(project, {CONFIGURATION: configured, name: bad})
    assert f"{name}:4: encoder: FAILED: output = 10,5,80: it is" in result.out
    assert ("ok: torch" in result.out) is run


def test_the_newest_commit_of_the_clone_can_be_pinned(project: Path) -> None:
    result = pre_commit(project, "autoupdate")
    assert result.code == 0, result
    pinned = (project / CONFIGURATION).read_text()
    assert re.sub("rev: [0-9a-f]{40}\n", "rev: HEAD\n", pinned) == SHOWN != pinned
    assert commit(project, {CONFIGURATION: pinned, "rnnshape.toml": MANIFEST}).code == 0


def commit(project: Path, files: dict[str, str], **changes: str) -> Result:
    """Stage files and run the hook on them, as `git commit` would."""
    for name, text in files.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    git(project, "add", *files)
    return pre_commit(project, "run", "--files", *files, **changes)


def pre_commit(project: Path, *words: str, **changes: str) -> Result:
    return spawn(
        *words,
        program=(*PYTHON, "-m", "pre_commit"),
        cwd=project,
        env=environment(PRE_COMMIT_HOME=str(project.parent / "cache"), **changes),
    )
