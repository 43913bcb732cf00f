"""The CI jobs that README.md and examples/ci.md show, run from a clone of this project."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml

from tests.clone import OFFLINE, clone, environment_without_rnnshape
from tests.program import needs_pinned_torch, shell
from tests.test_action import ACTION, UNMET, act
from tests.transcripts import ROOT, files, run

README: Final = (ROOT / "README.md").read_text()
TEXT: Final = (ROOT / "examples/ci.md").read_text()
FILES: Final = files(TEXT)
HOOKS: Final = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
MANIFEST: Final = '[modules.encoder]\ntarget = "nn.LSTM(20, 40)"\nexpect = ["params = 9920"]\n'


class Machine(NamedTuple):
    """Where a job runs: a project that has its copy of rnnshape, and the variables of a runner."""

    project: Path
    variables: dict[str, str]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    pytest.importorskip("pip")
    if shutil.which("git") is None:
        pytest.skip("a clone needs git")
    folder = tmp_path_factory.mktemp("machine")
    clone(folder / "rnnshape")
    project = folder / "project"
    project.mkdir()
    (copy,) = re.findall(r"<!-- copy -->\n<!-- not run -->\n```console\n\$ (.*)\n```", TEXT)
    assert shell(copy, cwd=project).code == 0
    scripts = environment_without_rnnshape(folder / "environment")
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    return Machine(project, {"PATH": path, **OFFLINE})


def shown(name: str) -> Any:
    return yaml.safe_load(FILES[name])


@needs_pinned_torch
def test_the_workflow_uses_the_action_of_the_copy(machine: Machine) -> None:
    *_, step = shown(".github/workflows/shapes.yml")["jobs"]["check"]["steps"]
    assert step["uses"].startswith("./")
    action = machine.project / step["uses"]
    assert (action / "action.yml").read_bytes() == (ROOT / "action.yml").read_bytes()
    (machine.project / "rnnshape.toml").write_text(UNMET)
    result = act(machine.project, step["with"], action=action, **machine.variables)
    assert result.code == 1, result.err
    assert "::error file=rnnshape.toml,line=4,title=encoder::" in result.err


@needs_pinned_torch
def test_the_job_of_the_readme_fails_at_the_line_that_no_longer_holds(machine: Machine) -> None:
    commands = re.findall(r"- run: (.*)$", README, re.MULTILINE)
    manifest = machine.project / "rnnshape.toml"
    manifest.write_text(files(README)["rnnshape.toml"])
    assert run(commands[-1], machine.project)[0] == 0
    manifest.write_text(manifest.read_text().replace("(20, 40,", "(20, 41,"))
    result = shell("\n".join(("set -e", *commands)), cwd=machine.project, changes=machine.variables)
    assert result.code == 1, result
    assert "rnnshape.toml:3: encoder: FAILED: output = 10,5,80: it is 10,5,82\n" in result.out


@needs_pinned_torch
def test_the_job_of_gitlab_leaves_its_report(machine: Machine) -> None:
    job = shown(".gitlab-ci.yml")["shapes"]
    assert job["artifacts"]["when"] == "always", "the default is on success alone"
    report = machine.project / job["artifacts"]["reports"]["junit"]
    (machine.project / "rnnshape.toml").write_text(MANIFEST)
    assert run(job["script"][-1], machine.project)[0] == 0
    assert '<testsuites name="rnnshape" tests="2" failures="0"' in report.read_text()
    (machine.project / "rnnshape.toml").write_text(MANIFEST.replace("9920", "9921"))
    script = "\n".join(("set -e", *job["script"]))
    result = shell(script, cwd=machine.project, changes=machine.variables)
    assert result.code == 1, result
    assert '<testsuites name="rnnshape" tests="2" failures="1"' in report.read_text()


def test_the_inputs_of_the_workflow_are_inputs_of_the_action() -> None:
    *_, step = shown(".github/workflows/shapes.yml")["jobs"]["check"]["steps"]
    assert step["with"].keys() <= ACTION["inputs"].keys()


def test_the_inputs_of_the_action_are_listed_with_their_defaults() -> None:
    section = TEXT.partition("## GitHub Actions")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([\w-]+)` \| (?:`(\S+)`)?", section, re.MULTILINE)
    defaults = {name: each["default"] for name, each in ACTION["inputs"].items()}
    assert dict(listed) == {**defaults, "file": "rnnshape.toml"}


def test_no_document_names_a_site_that_nobody_owns() -> None:
    texts = [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob("*.yml"), *ROOT.glob(".*.yaml")]
    texts += [path for folder in ("examples", "rnnshape") for path in (ROOT / folder).rglob("*.*")]
    read = [
        path for path in texts if path.suffix in (".md", ".toml", ".yml", ".yaml", ".py", ".json")
    ]
    assert len(read) > 50
    address = re.compile(r"(https?://|git\+|@)\S*rnnshape|rnnshape/rnnshape")
    named = {path.name: match[0] for path in read if (match := address.search(path.read_text()))}
    assert named == {}
