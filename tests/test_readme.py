"""What the Markdown files say beside their console blocks: links, paths, codes, code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.startup import LARGE_PARAMETER_MB
from rnnshape import Kind, RNNConfig, inspect
from rnnshape.cli import exits
from tests.transcripts import ROOT, run

README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
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


def test_the_python_of_the_readme_prints_what_it_shows() -> None:
    block = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)
    assert block
    done = subprocess.run(
        [sys.executable, "-c", block[1]], capture_output=True, text=True, check=True
    )
    assert done.stdout == block[2]
    assert done.stderr == ""


def test_the_readme_lists_every_exit_code() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert listed == {value for value in vars(exits).values() if isinstance(value, int)}


@pytest.mark.skipif(shutil.which("git") is None, reason="the job compares with git")
def test_the_ci_job_passes_until_the_report_drifts(tmp_path: Path) -> None:
    report, compare = re.findall(r"- run: ((?:rnnshape|git) .*)$", README, re.MULTILINE)
    first = f"git init -q . && {report} && git add . && {report} && {compare}"
    code, printed = run(first, tmp_path)
    assert code == 0, printed
    drifted = report.replace("--hidden 40", "--hidden 41")
    assert drifted != report
    assert run(f"{drifted} && {compare}", tmp_path)[0] == 1


@pytest.mark.parametrize(
    ("parameters", "sizes"),
    [(352_452_608, (1024, 2048, 4)), (790_282_371_072, (65536, 65536, 8))],
    ids=["352 million", "790 billion"],
)
def test_the_readme_counts_the_large_layers_right(
    parameters: int, sizes: tuple[int, int, int]
) -> None:
    input_size, hidden_size, num_layers = sizes
    layer = RNNConfig(
        kind=Kind.LSTM,
        input_size=input_size,
        hidden_size=hidden_size,
        num_layers=num_layers,
        bidirectional=True,
    )
    assert inspect(layer, run=False).parameters == parameters
    assert f"{parameters:,} parameters" in README


def test_the_readme_gives_the_bytes_of_the_352_million_parameters() -> None:
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
        assert document.name in ("README.md", "questions.md") or f"({document.name}#" in INDEX


def test_every_path_that_contributing_names_exists() -> None:
    named = re.findall(r"`([\w.]+(?:/[\w.]+)*/?)`", CONTRIBUTING)
    paths = [name for name in named if "/" in name or name.endswith((".py", ".md"))]
    assert len(paths) > 20
    for path in paths:
        if path != "rnnshape/render/NAME.py":
            assert any((folder / path).exists() for folder in (ROOT, ROOT / "rnnshape/layer")), path


@pytest.mark.parametrize("name", ["Document", "Format", "SECTIONS", "Finding", "Sizes", "find"])
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
