"""What the Markdown files say besides their console blocks: links, paths, codes, code."""

from __future__ import annotations

import csv
import re
import shlex
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from benchmarks.startup import HUGE, LARGE, LARGE_PARAMETER_MB
from rnnshape.cli import exits
from rnnshape.cli.commands import Commands
from rnnshape.render import Format
from rnnshape.sources.registry import read_target
from tests import reference
from tests.program import call
from tests.transcripts import ROOT, run

README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
QUESTIONS = (ROOT / "examples/questions.md").read_text()
INDEX = (ROOT / "examples/README.md").read_text()
MARKDOWN = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "examples").glob("*.md"))]
TUTORIAL_CLAIMS = 15


def test_the_readme_is_under_150_lines() -> None:
    assert len(README.splitlines()) < 150


def test_the_gate_finds_the_readmes_second_command() -> None:
    gate = (ROOT / ".ci/run").read_text()
    pipeline = re.search(r"^command=\$\((.*)\)$", gate, re.MULTILINE)
    assert pipeline
    code, printed = run(pipeline[1], ROOT)
    commands = re.findall(r"^\$ (python3 -m venv .*)$", README, re.MULTILINE)
    assert code == 0
    assert len(commands) == 2
    assert printed == f"{commands[1]}\n"


@pytest.mark.parametrize("number", [0, 1])
def test_a_command_of_the_readme_leaves_its_environment_active(number: int) -> None:
    """So that the next command, `rnnshape`, is found."""
    command = re.findall(r"^\$ (python3 -m venv .*)$", README, re.MULTILINE)[number]
    steps = command.split(" && ")
    assert steps[:2] == ["python3 -m venv .venv", ". .venv/bin/activate"]
    assert not any(".venv" in step for step in steps[2:])


def test_the_picture_of_the_questions_is_what_its_command_prints() -> None:
    (command, picture) = re.findall(
        r"picture of `(rnnshape .*?)`:\n\n(```mermaid\n.*?```\n)", QUESTIONS, re.DOTALL
    )[0]
    assert call(*shlex.split(command)[1:], "--no-run").out == picture


def test_the_python_of_the_readme_gives_what_it_shows() -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block
    shown = re.findall(r"^(report\.\S+) +# ([(0-9].*)$", block[1], re.MULTILINE)
    assert len(shown) == 3
    names: dict[str, Any] = {}
    exec(block[1], names)  # noqa: S102 - our own text
    assert {code: repr(eval(code, names)) for code, _ in shown} == dict(shown)  # noqa: S307
    assert names["report"]._repr_html_()


def test_the_readme_lists_every_exit_code() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert listed == {value for value in vars(exits).values() if isinstance(value, int)}


def test_the_readme_lists_every_command() -> None:
    rows = re.findall(r"^\| (`rnnshape .*?) \| ", README, re.MULTILINE)
    listed = {word for row in rows for word in re.findall(r"`(?:rnnshape )?(\w+)", row)}
    assert listed == {*Commands().list_commands(None)}


def test_the_readme_lists_every_format_and_suffix() -> None:
    (line,) = re.findall(r"^- \*\*Formats\*\*: (.*?)\n-", README, re.MULTILINE | re.DOTALL)
    listed = {word for words in re.findall("`(.*?)`", line) for word in words.split()}
    known = {word for each in Format for word in (each.value, *each.suffixes[:1])}
    assert listed == {"-f", "-o", "FILE", *known}


def test_show_does_what_the_readme_says() -> None:
    (line,) = re.findall(r"^- \*\*Sections\*\*: (.*?)\n-", README, re.MULTILINE | re.DOTALL)
    more, *each_alone = (shown.split(",") for shown in re.findall(r"--show ([\w,]+)", line))
    assert more[0] == "default"
    assert _sections(more) - _sections(["default"]) == set(more[1:])
    assert _sections(["default"]) < _sections(more)
    assert len(each_alone) == 3
    for alone in each_alone:
        assert _sections(alone) == set(alone)
    default, detailed = (
        call("lstm", "--bidir", "--no-run", "--show", show).out for show in ("default", "states")
    )
    assert {*detailed.splitlines()} - {*default.splitlines()}


def _sections(show: list[str]) -> set[str]:
    out = call("lstm", "--no-run", "--show", ",".join(show), "-f", "csv").out
    return {row["section"] for row in csv.DictReader(StringIO(out))}


@pytest.mark.parametrize(
    ("command", "parameters"),
    [(LARGE, 352_452_608), (HUGE, 790_282_371_072)],
    ids=["352 million", "790 billion"],
)
def test_the_readme_counts_the_large_layers_right(
    command: tuple[str, ...], parameters: int
) -> None:
    config = read_target(shlex.join(command)).config
    assert reference.parameters(config) == parameters
    assert f"{parameters:,} parameters" in README
    assert " ".join(command[1:5]) in README  # its input and hidden size


def test_the_readme_gives_the_bytes_of_the_352_million_parameters() -> None:
    config = read_target(shlex.join(LARGE)).config
    assert 4 * reference.parameters(config) / 1e6 == LARGE_PARAMETER_MB
    assert f"{LARGE_PARAMETER_MB:,.0f} MB" in README


@pytest.mark.parametrize("path", MARKDOWN, ids=[str(path.relative_to(ROOT)) for path in MARKDOWN])
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    for link in _links(path.read_text()):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = path.parent / parts.path if parts.path else path
        assert target.exists(), link
        if parts.fragment:
            assert parts.fragment in _anchors(target.read_text()), link


def test_every_claim_of_the_index_has_a_section_of_its_own() -> None:
    rows = [line for line in INDEX.splitlines() if line.startswith("| ")][1:]
    links = [_links(row) for row in rows]
    assert len(rows) == TUTORIAL_CLAIMS
    assert all(len(found) == 1 for found in links)
    assert Counter(link for found in links for link in found).most_common(1)[0][1] == 1


def test_every_example_is_shown() -> None:
    text = "".join(path.read_text() for path in (ROOT / "examples").glob("*.md"))
    for script in (ROOT / "examples").glob("*.py"):
        assert f"$ python -W ignore examples/{script.name}\n" in text
    for document in (ROOT / "examples").glob("*.md"):
        assert document.name == "README.md" or f"({document.name}" in INDEX


def test_every_path_that_contributing_names_exists() -> None:
    named = re.findall(r"`([\w.]+(?:/[\w.]+)*/?)`", CONTRIBUTING)
    paths = [name for name in named if "/" in name or name.endswith((".py", ".md"))]
    assert len(paths) > 20
    for path in paths:
        if not path.endswith("NAME.py"):
            assert (ROOT / path).exists() or any((ROOT / "rnnshape").glob(f"**/{path}")), path


@pytest.mark.parametrize("name", ["Document", "Format", "SECTIONS", "READERS", "Target", "Sizes"])
def test_the_names_that_contributing_mentions_exist(name: str) -> None:
    assert f"`{name}`" in CONTRIBUTING
    sources = "".join(path.read_text() for path in (ROOT / "rnnshape").rglob("*.py"))
    assert re.search(rf"^(?:class |def )?{name}\b[(:]", sources, re.MULTILINE)


def _links(text: str) -> list[str]:
    without_code = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", without_code)


def _anchors(text: str) -> set[str]:
    """What GitHub calls the headings: lower case, without punctuation, dashes for spaces."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}
