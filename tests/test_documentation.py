"""The documentation does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.program import HAS_TORCH, PINNED_TORCH, TORCH, WITHOUT_TORCH
from tests.transcripts import ROOT, Step, arguments, matches, run, run_in_bash, steps

DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "examples").glob("*.md")),
    *sorted((ROOT / "tests/goldens").glob("*.md")),
]
STEPS = [(path, step) for path in DOCUMENTS for step in steps(path.read_text())]
BY_COMMAND = {step.command: step for _, step in STEPS}
# Something of each command, with each exit code, with files and without.
ALSO_IN_BASH = (
    "rnnshape lstm --hidden ''  # exit 2",
    'rnnshape gru --no-run --show header --expect "params <= 7k"  # exit 1',
    "rnnshape compare lstm gru rnn --hidden 32,64",
    "rnnshape budget lstm --params 50  # exit 2",
    'rnnshape inspect "nn.LSTM(20, n_hidden)" # exit 2',
    "rnnshape check --no-run -f github  # exit 1",
    "rnnshape check wrong.toml  # exit 2",
    "python -W ignore examples/padding.py",
)


@pytest.mark.parametrize(
    ("path", "step"), STEPS, ids=[f"{path.name}: {step.command}" for path, step in STEPS]
)
def test_a_console_block_prints_what_it_shows(path: Path, step: Step, tmp_path: Path) -> None:
    if HAS_TORCH and TORCH != PINNED_TORCH and f"torch {PINNED_TORCH}" in step.expected:
        pytest.skip(f"shows what torch {PINNED_TORCH} does")
    code, printed = step.run(tmp_path)
    if not HAS_TORCH and "torch cannot be imported" in printed:
        pytest.skip(WITHOUT_TORCH)
    assert matches(step.expected, printed), f"{path.name} shows something else:\n{printed}"
    assert code == step.exit_code


@pytest.mark.parametrize("command", ALSO_IN_BASH)
def test_a_command_gives_in_this_process_what_it_gives_in_bash(
    command: str, tmp_path: Path
) -> None:
    folders = [tmp_path / "called", tmp_path / "bash"]
    for folder in folders:
        folder.mkdir()
    called, spawned = (
        BY_COMMAND[command].run(folder, runner)
        for folder, runner in zip(folders, (run, run_in_bash), strict=True)
    )
    assert called == spawned


def test_the_words_of_a_command_that_is_called_are_those_that_bash_would_pass() -> None:
    called = {command: arguments(command) for command in BY_COMMAND}
    words = {command: ("rnnshape", *found) for command, found in called.items() if found}
    assert len(words) > 100
    script = "\n".join(f"printf '<%s>' {command}\necho" for command in words)
    code, printed = run_in_bash(script, ROOT)
    assert code == 0
    assert printed.splitlines() == ["".join(f"<{word}>" for word in own) for own in words.values()]


@pytest.mark.parametrize(
    "command",
    [
        "rnnshape gru | head",
        "rnnshape gru > file",
        "rnnshape gru 2>&-",
        "rnnshape gru && ls",
        "rnnshape gru; ls",
        "rnnshape gru $HOME",
        'rnnshape gru "$(ls)"',
        "rnnshape gru `ls`",
        "rnnshape gru *.toml",
        "rnnshape gru ~",
        "rnnshape gru {1,2}",
        r"rnnshape gru a\ b",
        r'rnnshape gru "a\"b"',
        "X=1 rnnshape gru",
        "cat rnnshape",
    ],
)
def test_a_command_that_needs_a_shell_gets_one(command: str) -> None:
    assert arguments(command) is None
