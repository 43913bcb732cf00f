"""Start-up time is a feature: what costs it is imported only when it is needed."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from tests.program import PYTHON, Result, environment, spawn
from tests.transcripts import ROOT

# Runs each command in a fork of a process that has imported what every command needs, and reports
# which of the watched modules it imported. A module counts as soon as it is looked for; one that is
# stopped cannot be imported.
_WATCHING = """
import json, os, sys
commands, watched, stopped = json.loads(sys.argv[1])
looked_for = set()

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in watched:
            looked_for.add(name)
        if name in stopped:
            raise ImportError(f"{name} is stopped")
        return None

sys.meta_path.insert(0, Watch())
from rnnshape.cli.main import main
main(["lstm", "--help"])
for command in commands:
    if not os.fork():
        code = main(command)
        imported = looked_for | (set(watched) & sys.modules.keys())
        print("imported:", json.dumps([code, sorted(imported)]), file=sys.stderr, flush=True)
        os._exit(0)
    os.wait()
"""

HEAVY = frozenset(
    {
        *("torch", "numpy", "pydantic", "pydantic_core", "jsonschema", "asyncio", "matplotlib"),
        *("rich", "pygments", "markdown_it", "typer.rich_utils"),
    }
)
RENDERERS = frozenset(
    {"rnnshape.render.terminal", "rnnshape.render.markdown", "rnnshape.render.json"}
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


def imported(
    commands: Iterable[str], watched: Iterable[str], *, stopped: Iterable[str] = ()
) -> dict[str, tuple[int, set[str]]]:
    """The exit code of each command, and which of the watched modules it imported."""
    lines = list(commands)
    told = json.dumps([[shlex.split(line) for line in lines], [*watched], [*stopped]])
    result = spawn("-c", _WATCHING, told, program=PYTHON)
    assert result.code == 0, result.err
    reports = re.findall(r"^imported: (.*)$", result.err, re.MULTILINE)
    pairs = map(json.loads, reports)
    return {line: (code, {*names}) for line, (code, names) in zip(lines, pairs, strict=True)}


def test_what_needs_no_run_imports_nothing_heavy() -> None:
    expected: dict[str, tuple[int, set[str]]] = {
        words: (code, set()) for words, code in WITHOUT_TORCH.items()
    }
    assert imported(WITHOUT_TORCH, HEAVY) == expected


def test_a_file_is_read_without_anything_heavy(tmp_path: Path) -> None:
    """Its format, those that it could have, and the commands that take a file of weights."""
    from tests.checkpoints import model_state, saved

    data = saved(model_state())
    (tmp_path / "model.pt").write_bytes(data)
    (tmp_path / "bad.pt").write_bytes(data[:500])
    file, bad = (shlex.quote(str(tmp_path / name)) for name in ("model.pt", "bad.pt"))
    commands = {
        f"inspect {file}": 0,
        f"inspect {file}:encoder --show all": 0,
        f"inspect {file}:encoder --matches 'nn.LSTM(3, 4)' -f json": 1,
        f"inspect {file} --expect 'params > 1' -f markdown": 0,
        f"compare {file}:encoder gru": 0,
        f"inspect {bad}": 2,
        f"inspect {file}:nothing": 2,
    }
    expected: dict[str, tuple[int, set[str]]] = {
        words: (code, set()) for words, code in commands.items()
    }
    assert imported(commands, HEAVY) == expected


def test_a_run_imports_torch_so_that_the_test_above_can_fail() -> None:
    """As does the question whether there is such a device, and what memory it has.

    It is enough that torch is looked for; there it ends, since importing it takes a second.
    """
    commands = (
        *("gru", "inspect gru", "compare lstm --run", "budget lstm --params 1M"),
        f"check '{MANIFEST}'",
        "lstm --input 65536 --hidden 65536 --layers 8 --bidir --device cuda",
    )
    expected = dict.fromkeys(commands, (2, {"torch"}))
    assert imported(commands, HEAVY, stopped=["torch"]) == expected


def test_a_renderer_is_imported_when_its_format_is_asked_for() -> None:
    expected: dict[str, tuple[int, set[str]]] = {
        "gru --no-run": (0, {"rnnshape.render.terminal"}),
        "gru --no-run -f json": (0, {"rnnshape.render.json"}),
        "gru --no-run -f markdown": (0, {"rnnshape.render.markdown"}),
        "--version": (0, set()),
        "gru --hidden 0": (2, set()),
    }
    assert imported(expected, RENDERERS) == expected


def test_what_some_requests_need_others_do_not_import(tmp_path: Path) -> None:
    data = {"rnnshape.document.data", "rnnshape.analysis.frameworks"}
    expected: dict[str, tuple[int, set[str]]] = {
        "lstm --no-run": (0, set()),
        f"gru --no-run -o '{tmp_path}/gru.txt'": (0, set()),
        "lstm --no-run --show frameworks": (0, {"rnnshape.analysis.frameworks"}),
        "rnn --no-run -f json": (0, data),
        "gru --no-run --expect params<=10k": (0, {"rnnshape.sources.amounts"}),
        f"compare lstm gru --plot '{tmp_path}/a.bmp'": (2, {"rnnshape.render.chart", *data}),
    }
    watched = {
        *("secrets", "statistics", "rnnshape.render.chart", "rnnshape.document.data"),
        *(
            "rnnshape.sources.amounts",
            "rnnshape.analysis.frameworks",
            "rnnshape.pytorch.probes.timing",
        ),
    }
    assert imported(expected, watched) == expected


def test_until_an_interruption_is_caught_next_to_nothing_is_imported() -> None:
    """Python itself has imported os when it begins."""
    script = (
        "import os, sys; had = {*sys.modules}; import rnnshape.__main__;"
        "print(*sorted({*sys.modules} - had))"
    )
    result = spawn("-S", "-c", script, program=PYTHON, env=environment(PYTHONPATH=str(ROOT)))
    assert result == Result(code=0, out="rnnshape rnnshape.__main__\n", err="")
