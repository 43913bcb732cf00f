"""A clone of this project beside a project that uses it, and an environment to install it into."""

from __future__ import annotations

import os
import shutil
import sys
import venv
from pathlib import Path
from typing import Final

from tests.program import environment, spawn
from tests.transcripts import ROOT

# What is installed, with what says how, and what other projects use from a clone.
_FILES: Final = ("pyproject.toml", "README.md", "LICENSE", "action.yml", ".pre-commit-hooks.yaml")

# With pip itself, offline: the torch that is there fits, and so does what builds rnnshape.
OFFLINE: Final = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "false",  # as pip reads it: no isolation
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


def clone(folder: Path) -> Path:
    """A repository in `folder` with the project as it is here, committed or not."""
    folder.mkdir()
    for name in _FILES:
        shutil.copy(ROOT / name, folder)
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "rnnshape", folder / "rnnshape", ignore=caches)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "The project")
    return folder


def git(folder: Path, *words: str) -> None:
    """Run git in `folder`, whatever the configuration of this machine."""
    env = environment(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    result = spawn(*identity, *words, program=("git",), cwd=folder, env=env)
    assert result.code == 0, result.err


def environment_without_rnnshape(folder: Path) -> Path:
    """The scripts of an environment that has all that this one has, but for rnnshape."""
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    shared = folder / "shared"
    shared.mkdir()
    (packages / "shared.pth").write_text(str(shared))
    for place in (Path(place) for place in sys.path if place.endswith("site-packages")):
        for installed in place.iterdir():
            link = shared / installed.name
            if "rnnshape" not in installed.name and not link.exists():
                link.symlink_to(installed)
    pip = folder / "bin/pip"  # this environment's, not the next one on PATH
    pip.write_text('#!/bin/sh\nexec python -m pip "$@"\n')
    pip.chmod(0o755)
    return folder / "bin"
