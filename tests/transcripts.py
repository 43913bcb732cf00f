"""Console blocks of Markdown files: what the documentation says happens, run and compared.

A block fenced as ```console, with more backticks where an output has a fence of its own, holds
commands, each a line that starts with "$ ", and below each what it prints, stdout and stderr
together. A command that ends in "# exit 2" must end with that code, any other with 0. A line
"..." stands for any number of lines. A block whose opening fence is preceded by a line
"<!-- not run -->" is left alone.

`python -m tests.transcripts FILE...` rewrites the outputs of blocks without "..." to what the
commands print now; read the difference before committing it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.program import environment

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(
    r"(?<!<!-- not run -->\n)^(?P<fence>`{3,})console\n(?P<inside>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_EXIT = re.compile(r"#\s*exit (\d+)$")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of a block."""

    command: str
    expected: str

    @property
    def exit_code(self) -> int:
        """The code that the command must end with."""
        match = _EXIT.search(self.command)
        return int(match[1]) if match else 0


def steps(text: str) -> Iterator[Step]:
    """The commands of a Markdown text, in order."""
    for block in _BLOCK.finditer(text):
        for part in re.split(r"^\$ ", block["inside"], flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            yield Step(command=command, expected=expected)


def run(command: str, folder: Path) -> tuple[int, str]:
    """The exit code and the output of a command in `folder`, with this Python's scripts first."""
    scripts = Path(sys.executable).parent
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(PATH=path, COLUMNS="80"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def matches(expected: str, printed: str) -> bool:
    """Whether the output is as written, where a line "..." matches any lines."""
    pieces = re.split(r"^\.\.\.\n", expected, flags=re.MULTILINE)
    pattern = r"(?:.*\n)*?".join(map(re.escape, pieces))
    return re.fullmatch(pattern, printed) is not None


def _rewritten(text: str, folder: Path) -> str:
    def rewritten(block: re.Match[str]) -> str:
        whole = f"{block['fence']}console\n"
        for step in steps(block[0]):
            with TemporaryDirectory() as elsewhere:  # for what a command writes
                printed = run(step.command, Path(elsewhere) if "-o " in step.command else folder)[1]
            kept = step.expected if matches(step.expected, printed) else printed
            whole += f"$ {step.command}\n{kept}"
        return whole + block["fence"]

    return _BLOCK.sub(rewritten, text)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(_rewritten(path.read_text(), ROOT))
