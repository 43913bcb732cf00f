"""Start-up time is a feature: what costs it is imported only when it is needed."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.program import PYTHON, Result, environment, spawn
from tests.transcripts import ROOT

# Reports, once the program has ended, which of the modules were imported; a module counts as
# soon as it is looked for, also if its import fails.
_WATCHING = """
import sys
watched = {watched!r}
looked_for = set()

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in watched:
            looked_for.add(name)
        return None

sys.meta_path.insert(0, Watch())
from rnnshape.cli.main import main
code = main(sys.argv[1:])
print("imported:", *sorted(looked_for | (watched & sys.modules.keys())), file=sys.stderr)
sys.exit(code)
"""

HEAVY = frozenset(
    {
        *("torch", "numpy", "pydantic", "pydantic_core", "jsonschema", "asyncio", "matplotlib"),
        *("rich.markdown", "rich.traceback", "pygments", "markdown_it", "typer.rich_utils"),
    }
)
RENDERERS = frozenset(
    {"rich.table", "rnnshape.render.terminal", "rnnshape.render.markdown", "rnnshape.render.json"}
)

MANIFEST = ROOT / "examples/rnnshape.toml"
WITHOUT_TORCH = {
    "--help": 0,
    "--version": 0,
    "lstm --help": 0,
    "lstm --no-run": 0,
    "lstm --no-run --show all --full --color always": 0,
    "gru --no-run -f json": 0,
    "rnn --no-run -f markdown": 0,
    "lstm --input 65536 --hidden 65536 --layers 8 --bidir --no-run": 0,
    "gru --no-run --expect params=7440": 0,
    "gru --no-run --expect params=1": 1,
    "inspect 'nn.LSTM(20, 40, 4, True)' 'gru --hidden 3' --no-run": 0,
    "compare lstm gru": 0,
    "budget lstm --params 1M --no-run": 0,
    f"check '{MANIFEST}' --no-run": 0,
    "lstm --hidden 0": 2,
    "lstm --proj 40": 2,
    "lstm --dtype int64": 2,
    "lstm --device tpu": 2,
    "lstm --input-shape 1,2,3,4": 2,
    "lstm --layers 100001": 2,
    "lstm --hidden 2147483648": 2,
    "lstm --input 65536 --hidden 65536 --layers 8 --bidir": 2,
    "lstm -o missing/a.md": 2,
    "lstm --bogus": 2,
    "nothing": 2,
}


def watched_run(words: str, watched: frozenset[str]) -> tuple[Result, set[str]]:
    """How the program ended, and which of the watched modules it imported."""
    script = _WATCHING.format(watched=set(watched))
    result = spawn("-c", script, *shlex.split(words), program=PYTHON)
    *_, last = result.err.splitlines()
    assert last.startswith("imported:")
    return result, set(last.split()[1:])


@pytest.mark.parametrize(("words", "code"), WITHOUT_TORCH.items(), ids=WITHOUT_TORCH)
def test_what_needs_no_run_imports_nothing_heavy(words: str, code: int) -> None:
    result, imported = watched_run(words, HEAVY)
    assert result.code == code
    assert imported == set()


@pytest.mark.parametrize(
    "words",
    [
        "gru",
        "inspect gru",
        "compare lstm --run",
        "budget lstm --params 1M",
        f"check '{MANIFEST}'",
    ],
    ids=lambda words: words.split()[0],
)
def test_a_run_imports_torch_so_that_the_test_above_can_fail(words: str) -> None:
    result, imported = watched_run(words, HEAVY)
    assert result.code == 0
    assert "torch" in imported


def test_what_torch_alone_knows_of_a_device_is_asked_of_torch() -> None:
    """Whether there is such a device, and what memory it has; the CPU's is known without."""
    result, imported = watched_run(
        "lstm --input 65536 --hidden 65536 --layers 8 --bidir --device cuda", frozenset({"torch"})
    )
    assert result.code == 2
    assert imported == {"torch"}


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("gru --no-run", {"rich.table", "rnnshape.render.terminal"}),
        ("gru --no-run -f json", {"rnnshape.render.json"}),
        ("gru --no-run -f markdown", {"rnnshape.render.markdown"}),
        ("--version", set()),
        ("gru --hidden 0", set()),
    ],
    ids=["table", "json", "markdown", "version", "refused"],
)
def test_a_renderer_is_imported_when_its_format_is_asked_for(words: str, needed: set[str]) -> None:
    _, imported = watched_run(words, RENDERERS)
    assert imported == needed


OF_SOME = frozenset(
    {
        *("secrets", "statistics", "rnnshape.render.chart", "rnnshape.document.data"),
        *("rnnshape.analysis.amounts", "rnnshape.analysis.frameworks", "rnnshape.layer.timing"),
    }
)


_DATA = {"rnnshape.document.data", "rnnshape.analysis.frameworks"}


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("lstm --no-run", set()),
        ("gru --no-run -o {folder}/gru.txt", set()),
        ("lstm --no-run --show frameworks", {"rnnshape.analysis.frameworks"}),
        ("rnn --no-run -f json", _DATA),
        ("gru --no-run --expect params<=10k", {"rnnshape.analysis.amounts"}),
        ("compare lstm gru --plot {folder}/a.bmp", {"rnnshape.render.chart", *_DATA}),
    ],
    ids=["table", "file", "frameworks", "json", "expectation", "plot"],
)
def test_what_some_requests_need_others_do_not_import(
    words: str, needed: set[str], tmp_path: Path
) -> None:
    _, imported = watched_run(words.format(folder=tmp_path), OF_SOME)
    assert imported == needed


def test_until_an_interruption_is_caught_next_to_nothing_is_imported() -> None:
    """Python itself has imported os when it begins."""
    script = (
        "import os, sys; had = {*sys.modules}; import rnnshape.__main__;"
        "print(*sorted({*sys.modules} - had))"
    )
    result = spawn("-S", "-c", script, program=PYTHON, env=environment(PYTHONPATH=str(ROOT)))
    assert result == Result(code=0, out="rnnshape rnnshape.__main__\n", err="")


def test_importing_the_package_imports_none_of_its_modules() -> None:
    script = "import rnnshape, sys; print(*[n for n in sys.modules if n.startswith('rnnshape.')])"
    result = spawn("-c", script, program=PYTHON)
    assert result == Result(code=0, out="\n", err="")
