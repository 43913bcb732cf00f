"""Console blocks of Markdown files: what the documentation says happens, run and compared.

A block fenced as ```console, with more backticks where an output has a fence of its own, holds
commands, each a line that starts with "$ ", and below each what it prints, stdout and stderr
together. A command that ends in "# exit 2" must end with that code, any other with 0. A line
"..." stands for any number of lines. A block whose opening fence is preceded by a line
"<!-- not run -->" is left alone.

A block of another language that is preceded by a line "<!-- file: NAME -->" is that file in the
folder of the commands below it, each of which finds the files as they are shown. The same is true
of the files that an example writes, below a line "<!-- made by: examples/NAME.py -->". A command
runs in a folder of its own where there are such files, or where it writes with -o; else in the
root of the repository. What needs no shell is called in this process, see `run`.

`python -m tests.transcripts FILE...` rewrites the outputs of blocks without "..." to what the
commands print now; read the difference before committing it.
"""

from __future__ import annotations

import re
import runpy
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache, partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pytest

from rnnshape.cli.main import main
from tests.program import environment, shell, surroundings

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(
    r"(?<!<!-- not run -->\n)^(?P<fence>`{3,})console\n(?P<inside>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_FILE = re.compile(
    r"^<!-- file: (?P<name>\S+) -->\n(?P<fence>`{3,})\w+\n(?P<inside>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_MAKER = re.compile(r"^<!-- made by: (\S+) -->$", re.MULTILINE)
_EXIT = re.compile(r"\s*#\s*exit (\d+)$")
# Words in which no character means anything to bash, but for the quotes around them.
_WORDS = re.compile(r"""(?:[\w./:,=+-]|'[^']*'|"[^"$`\\!]*"| )+""")
_EXAMPLE = re.compile(r"python -W ignore (examples/\w+\.py)")
_VARIABLES = {"COLUMNS": "80"}

Runner: TypeAlias = Callable[[str, Path], tuple[int, str]]


def run(command: str, folder: Path) -> tuple[int, str]:
    """The exit code and the output of a command in `folder`, with this Python's scripts first.

    `rnnshape` and its arguments, and an example without any, are run in this process: one of its
    own would spend a second on importing torch. Everything else is left to bash.
    """
    if example := _EXAMPLE.fullmatch(command):
        return _in_process(partial(_run_example, ROOT / example[1]), folder)
    words = arguments(command)
    return (
        run_in_bash(command, folder) if words is None else _in_process(partial(main, words), folder)
    )


def run_in_bash(command: str, folder: Path) -> tuple[int, str]:
    """The same as `run`, with a process for each program."""
    result = shell(f"exec 2>&1; {command}", cwd=folder, changes=_VARIABLES)
    return result.code, result.out


def arguments(command: str) -> list[str] | None:
    """The arguments of `rnnshape`, or None where the command needs a shell or is another."""
    line = _EXIT.sub("", command)
    plain = line.startswith("rnnshape ") and _WORDS.fullmatch(line)
    return shlex.split(line)[1:] if plain else None


def _in_process(program: Callable[[], int], folder: Path) -> tuple[int, str]:
    output = StringIO()
    with (
        surroundings(environment(**_VARIABLES), cwd=folder),
        redirect_stdout(output),
        redirect_stderr(output),
    ):
        code = program()
    return code, output.getvalue()


def _run_example(path: Path) -> int:
    """Run a script that may seed torch and switch oneDNN off, and undo both."""
    from torch.backends import mkldnn
    from torch.random import fork_rng

    with pytest.MonkeyPatch.context() as onednn, fork_rng(), warnings.catch_warnings():
        onednn.setattr(mkldnn, "enabled", mkldnn.enabled)
        warnings.simplefilter("ignore")
        runpy.run_path(str(path), run_name="__main__")
    return 0


@cache
def _made(example: str) -> Mapping[str, bytes]:
    """The files that an example writes, by name."""
    with TemporaryDirectory() as folder:
        _in_process(partial(_run_example, ROOT / example), Path(folder))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of a block, and what is above it: files by name, examples that write files."""

    command: str
    expected: str
    files: Mapping[str, str]
    makers: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """The code that the command must end with."""
        match = _EXIT.search(self.command)
        return int(match[1]) if match else 0

    def run(self, folder: Path, runner: Runner = run) -> tuple[int, str]:
        """The exit code and the output, in `folder`, which is empty, or in the repository.

        `runner` is `run` or `run_in_bash`.
        """
        if not self.files and not self.makers and "-o " not in self.command:
            return runner(self.command, ROOT)
        for maker in self.makers:
            for name, content in _made(maker).items():
                (folder / name).write_bytes(content)
        for name, text in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return runner(self.command, folder)


def steps(text: str) -> Iterator[Step]:
    """The commands of a Markdown text, in order."""
    for block in _BLOCK.finditer(text):
        yield from _steps(block, text)


def files(text: str) -> dict[str, str]:
    """The files that a Markdown text shows, by name; of two of one name, the last."""
    return {file["name"]: file["inside"] for file in _FILE.finditer(text)}


def _steps(block: re.Match[str], text: str) -> Iterator[Step]:
    above = text[: block.start()]
    makers = tuple(_MAKER.findall(above))
    for part in re.split(r"^\$ ", block["inside"], flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        yield Step(command=command, expected=expected, files=files(above), makers=makers)


def matches(expected: str, printed: str) -> bool:
    """Whether the output is as written, where a line "..." matches any lines."""
    pieces = re.split(r"^\.\.\.\n", expected, flags=re.MULTILINE)
    pattern = r"(?:.*\n)*?".join(map(re.escape, pieces))
    return re.fullmatch(pattern, printed) is not None


def _rewritten(text: str) -> str:
    def rewritten(block: re.Match[str]) -> str:
        whole = f"{block['fence']}console\n"
        for step in _steps(block, text):
            with TemporaryDirectory() as folder:
                printed = step.run(Path(folder))[1]
            kept = step.expected if matches(step.expected, printed) else printed
            whole += f"$ {step.command}\n{kept}"
        return whole + block["fence"]

    return _BLOCK.sub(rewritten, text)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(_rewritten(path.read_text()))
