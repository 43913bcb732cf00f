"""The documentation does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.transcripts import ROOT, Step, matches, steps

DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "examples").glob("*.md")),
    *sorted((ROOT / "tests/goldens").glob("*.md")),
]
STEPS = [(path, step) for path in DOCUMENTS for step in steps(path.read_text())]


@pytest.mark.parametrize(
    ("path", "step"), STEPS, ids=[f"{path.name}: {step.command}" for path, step in STEPS]
)
def test_a_console_block_prints_what_it_shows(path: Path, step: Step, tmp_path: Path) -> None:
    code, printed = step.run(tmp_path)
    assert matches(step.expected, printed), f"{path.name} shows something else:\n{printed}"
    assert code == step.exit_code
