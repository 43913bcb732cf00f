"""examples/ci.md: the jobs that it shows are jobs of this project, and do what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

import rnnshape
from rnnshape.sources.toml import TOMLText
from tests.transcripts import ROOT, files, run

TEXT: Final = (ROOT / "examples/ci.md").read_text()
FILES: Final = files(TEXT)
ACTION: Final = yaml.safe_load((ROOT / "action.yml").read_text())
HOOKS: Final = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
PROJECT: Final = TOMLText.of((ROOT / "pyproject.toml").read_text(), "").values["project"]
HOMEPAGE: Final = PROJECT["urls"]["Homepage"]
TAG: Final = f"v{rnnshape.__version__}"
MANIFEST: Final = '[modules.encoder]\ntarget = "nn.LSTM(20, 40)"\nexpect = ["params = 9920"]\n'


def shown(name: str) -> Any:
    return yaml.safe_load(FILES[name])


def test_the_workflow_uses_this_action_as_it_is() -> None:
    *_, step = shown(".github/workflows/shapes.yml")["jobs"]["check"]["steps"]
    assert f"https://github.com/{step['uses']}" == f"{HOMEPAGE}@{TAG}"
    assert step["with"].keys() <= ACTION["inputs"].keys()


def test_the_inputs_of_the_action_are_listed_with_their_defaults() -> None:
    section = TEXT.partition("## GitHub Actions")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([\w-]+)` \| (?:`(\S+)`)?", section, re.MULTILINE)
    defaults = {name: each["default"] for name, each in ACTION["inputs"].items()}
    assert dict(listed) == {**defaults, "file": "rnnshape.toml"}


def test_the_configuration_of_pre_commit_names_the_hook() -> None:
    (repository,) = shown(".pre-commit-config.yaml")["repos"]
    assert (repository["repo"], repository["rev"]) == (HOMEPAGE, TAG)
    assert [hook["id"] for hook in repository["hooks"]] == [hook["id"] for hook in HOOKS]


@pytest.mark.parametrize(("wrong", "code"), [("9920", 0), ("9921", 1)], ids=["holds", "fails"])
def test_the_job_of_gitlab_leaves_its_report(wrong: str, code: int, tmp_path: Path) -> None:
    job = shown(".gitlab-ci.yml")["shapes"]
    install, check = job["script"][:-1], job["script"][-1]
    assert all(command.startswith("pip install ") for command in install)
    assert f"git+{HOMEPAGE}@{TAG}" in install[-1]
    (tmp_path / "rnnshape.toml").write_text(MANIFEST.replace("9920", wrong))
    assert run(check, tmp_path)[0] == code
    assert job["artifacts"]["when"] == "always", "the default is on success alone"
    report = (tmp_path / job["artifacts"]["reports"]["junit"]).read_text()
    assert f'<testsuites name="rnnshape" tests="2" failures="{code}"' in report
