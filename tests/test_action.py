"""action.yml: its steps, run as a runner of GitHub runs those of a composite action."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from rnnshape.sources.toml import TOMLText
from tests.program import Result, environment, needs_torch, spawn
from tests.transcripts import ROOT

ACTION: Final = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: Final = ACTION["runs"]["steps"]
DEFAULTS: Final = {name: each["default"] for name, each in ACTION["inputs"].items()}
INSTALLED: Final = {"install": "false"}
BY_FORMULA: Final = {**INSTALLED, "args": "--no-run"}  # without the second that torch takes
# https://docs.github.com/actions/reference/workflow-syntax-for-github-actions, `shell: bash`
BASH: Final = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
INPUT: Final = re.compile(r"\$\{\{ inputs\.([\w-]+) \}\}")

MANIFEST: Final = """
[modules.encoder]
target = "nn.LSTM(20, 40)"
expect = ["output = 10,5,40", "params <= 9_920"]

[modules.decoder]
target = "nn.GRU(40, 40)"
expect = ["h_n = 1,5,40"]
"""
UNMET: Final = MANIFEST.replace("10,5,40", "10,5,80")


def test_the_action_is_made_of_steps_for_bash() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert [step["shell"] for step in STEPS] == ["bash", "bash"]


def test_an_input_reaches_a_script_by_the_environment_alone() -> None:
    assert not any("${{" in step["run"] for step in STEPS)
    conditions = "".join(step.get("if", "") for step in STEPS)
    values = [value for step in STEPS for value in step["env"].values()]
    assert all(INPUT.fullmatch(value) for value in values)
    used = [INPUT.fullmatch(value)[1] for value in values]  # type: ignore[index]
    assert sorted([*used, *re.findall(r"inputs\.(\w+)", conditions)]) == sorted(DEFAULTS)


def test_the_torch_that_is_installed_is_what_rnnshape_needs() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    needed = TOMLText.of(text, "pyproject.toml").values["project"]["dependencies"]
    assert DEFAULTS["torch"] in needed


@needs_torch
def test_a_job_passes_while_its_expectations_hold(tmp_path: Path) -> None:
    (tmp_path / "rnnshape.toml").write_text(MANIFEST)
    result = act(tmp_path, INSTALLED)
    assert (result.code, result.err) == (0, "")
    assert "all 3 expectations of 2 modules hold" in result.out
    assert "all 3 expectations of 2 modules hold" in summary(tmp_path)


def test_a_job_fails_at_the_line_of_what_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / "rnnshape.toml").write_text(UNMET)
    result = act(tmp_path, BY_FORMULA)
    assert result.code == 1
    (annotation,) = result.err.splitlines()
    assert annotation.startswith(
        "::error file=rnnshape.toml,line=4,title=encoder::output = 10,5,80"
    )
    assert "it is `10,5,40`" in summary(tmp_path)


def test_a_job_that_cannot_check_ends_with_2_and_says_why(tmp_path: Path) -> None:
    result = act(tmp_path, INSTALLED)
    assert result.code == 2
    assert result.err.startswith("error: there is no rnnshape.toml")


def test_the_manifest_may_have_any_name_and_folder(tmp_path: Path) -> None:
    file = tmp_path / "models/of today/-shapes.toml"
    file.parent.mkdir(parents=True)
    file.write_text(UNMET)
    result = act(tmp_path, {**BY_FORMULA, "file": "models/of today/-shapes.toml"})
    assert result.code == 1
    assert "::error file=models/of today/-shapes.toml,line=4," in result.err
    file.rename(tmp_path / "-shapes.toml")
    assert act(tmp_path, {**BY_FORMULA, "file": "-shapes.toml"}).code == 1


def test_options_may_stand_on_several_lines(tmp_path: Path) -> None:
    (tmp_path / "rnnshape.toml").write_text(UNMET)
    result = act(tmp_path, {**INSTALLED, "args": "--only decoder  --no-run\n-o rnnshape.xml\n"})
    assert result.code == 0
    suites = re.findall('<testsuite name="(.*?)"', (tmp_path / "rnnshape.xml").read_text())
    assert suites == ["decoder"]


@pytest.mark.parametrize("name", ["file", "args"])
@pytest.mark.parametrize(
    "text",
    ["$(touch\tran)", "`touch\tran`", '";touch\tran;"', "';touch\tran;'", "x\ntouch\tran", "*"],
    ids=["substitution", "backquotes", "double quotes", "single quotes", "line", "pattern"],
)
def test_an_input_is_words_and_never_a_command(tmp_path: Path, name: str, text: str) -> None:
    """A file is one word, whatever is in it, and options are split at blanks and nowhere else."""
    (tmp_path / "rnnshape.toml").write_text(MANIFEST)
    path = recorder(tmp_path, "rnnshape")
    assert act(tmp_path, {**INSTALLED, name: text}, PATH=path) == Result(code=0, out="", err="")
    words = {"file": ["--", text], "args": text.split()}[name]
    assert calls(tmp_path) == [["check", *words]]
    assert not (tmp_path / "ran").exists()


def test_torch_and_then_rnnshape_are_installed_unless_they_are_there(tmp_path: Path) -> None:
    (tmp_path / "rnnshape.toml").write_text(MANIFEST)
    path = recorder(tmp_path, "python")
    assert act(tmp_path, BY_FORMULA, PATH=path).code == 0
    assert not (tmp_path / "calls").exists()

    inputs = {"torch": "torch == 2.13.0; touch ran", "torch-index": "https://example.org/$(id)"}
    assert act(tmp_path, {"args": "--no-run", **inputs}, PATH=path).code == 0
    pip = ["-m", "pip", "install", "--quiet"]
    assert calls(tmp_path) == [
        [*pip, "--index-url", inputs["torch-index"], "--", inputs["torch"]],
        [*pip, "--", str(ROOT)],
    ]


def test_a_job_does_not_check_with_what_could_not_be_installed(tmp_path: Path) -> None:
    (tmp_path / "rnnshape.toml").write_text(MANIFEST)
    result = act(tmp_path, {}, PATH=recorder(tmp_path, "python", exit_code=7))
    assert (result.code, result.out) == (7, "")
    assert len(calls(tmp_path)) == 1


def act(
    workspace: Path, inputs: Mapping[str, str], *, action: Path = ROOT, **changes: str
) -> Result:
    """Run the steps until one fails; what they wrote together, and how the last one ended.

    `action` is the folder that the job uses.
    """
    values = {**DEFAULTS, **inputs}
    assert values.keys() == DEFAULTS.keys()
    script = workspace.parent / f"{workspace.name}.sh"
    code, out, err = 0, "", ""
    for step in STEPS:
        if code or not applies(step.get("if"), values):
            continue
        script.write_text(step["run"])
        result = spawn(
            str(script),
            program=BASH,
            cwd=workspace,
            env=environment(**{**runner(workspace, action), **changes, **given(step, values)}),
        )
        code, out, err = result.code, out + result.out, err + result.err
    return Result(code=code, out=out, err=err)


def runner(workspace: Path, action: Path = ROOT) -> dict[str, str]:
    """What the runner sets."""
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(action),
        "GITHUB_STEP_SUMMARY": str(workspace.parent / f"{workspace.name}-summary.md"),
        "GITHUB_WORKSPACE": str(workspace),
    }


def summary(workspace: Path) -> str:
    return Path(runner(workspace)["GITHUB_STEP_SUMMARY"]).read_text()


def given(step: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """The variables of a step, where nothing but inputs is replaced."""
    return {
        name: INPUT.sub(lambda match: values[match[1]], text) for name, text in step["env"].items()
    }


def applies(condition: str | None, values: Mapping[str, str]) -> bool:
    """Whether a step is run; GitHub compares strings without their case."""
    if condition is None:
        return True
    match = re.fullmatch(r"inputs\.(\w+) != '(\w+)'", condition)
    assert match
    return values[match[1]].lower() != match[2].lower()


def recorder(folder: Path, name: str, *, exit_code: int = 0) -> str:
    """A PATH on which the program `name` writes down its words, and does nothing."""
    scripts = folder.parent / f"{folder.name}-recorder"
    scripts.mkdir()
    program = scripts / name
    program.write_text(
        f"#!/bin/sh\nprintf '%s\\000' \"$@\" >> calls\nprintf '\\036' >> calls\nexit {exit_code}\n"
    )
    program.chmod(0o755)
    return f"{scripts}{os.pathsep}{environment()['PATH']}"


def calls(folder: Path) -> list[list[str]]:
    """The words of each call."""
    *each, _ = (folder / "calls").read_text().split("\036")
    return [words.split("\0")[:-1] for words in each]
