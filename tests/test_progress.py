"""Long runs: what stderr shows while they last, and what Ctrl-C leaves known."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Semaphore

import pytest

from rnnshape.cli.progress import Progress
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.report import LayerReport, predicted_report
from rnnshape.layer.subject import Subject
from tests.program import MODULE, environment, needs_torch, shell
from tests.terminal import Terminal, wiped

# The program, in which each run takes a while, one after another, and importing torch too.
_SLOW = """
import sys, time
from rnnshape.cli.main import entry
from rnnshape.pytorch import run, threads

def slow(report, probes=(), *, real=run.with_run):
    time.sleep({seconds})
    return real(report, probes)

run.with_run = slow
threads._cores = lambda: {cores}
entry()
"""


def slow(*, seconds: float = 0.3, cores: int = 1) -> tuple[str, str, str]:
    return (MODULE[0], "-c", _SLOW.format(seconds=seconds, cores=cores))


PROGRAM = slow()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tables = (f'[modules.m{n}]\ntarget = "gru"\nexpect = ["params > 1"]\n' for n in range(9))
    (tmp_path / "rnnshape.toml").write_text("\n".join(tables))
    return tmp_path


@needs_torch
def test_a_terminal_shows_what_runs_until_it_is_over() -> None:
    terminal = Terminal("check", program=PROGRAM, env=environment(NO_COLOR="1"))
    screen = terminal.finish()
    seen = [int(n) for n in re.findall(r"running (\d) of 9: m\d", screen.text)]
    assert seen == sorted(seen)
    assert len(set(seen)) > 2
    assert all(f"running {n} of 9: m{n - 1}" in screen.text for n in seen)
    assert screen.code == 0
    assert "\x1b[?25l" not in screen.text  # the cursor stays, also if the process is killed
    left = wiped(screen.text)
    assert "running" not in left
    head, first = left.splitlines()[:2]
    assert head.split() == ["check", "held", "h_n"]
    assert first == "m0      1/1  ok  nn.GRU(20, 40)  (1, 5, 40)"
    assert left.endswith("ok: all 9 expectations of 9 modules hold\n")


@needs_torch
def test_where_several_run_at_once_it_counts_those_that_are_over() -> None:
    program = slow(seconds=1, cores=3)
    screen = Terminal("check", program=program, env=environment(NO_COLOR="1")).finish()
    seen = [int(n) for n in re.findall(r"running (\d) of 9: m\d", screen.text)]
    assert seen == sorted(seen)
    assert {1, 4, 7} <= {*seen}
    assert screen.code == 0


def test_what_is_over_soon_shows_nothing() -> None:
    screen = Terminal("check", "--no-run").finish()
    assert "\r" not in screen.text


@needs_torch
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("gru",), "running nn.GRU(20, 40)"),
        (("compare", "lstm", "gru", "rnn", "--run"), "running 2 of 3: nn.GRU(20, 40)"),
        (("inspect", "lstm", "gru", "rnn"), "running 2 of 3: nn.GRU(20, 40)"),
        (("budget", "gru", "--params", "1k"), "running nn.GRU(20, 10)"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_every_command_that_runs_shows_it(words: tuple[str, ...], line: str) -> None:
    terminal = Terminal(*words, program=slow(seconds=0.8), env=environment(TERM="vt100"))
    assert line in terminal.finish().text


@needs_torch
@pytest.mark.parametrize("words", [("check",), ("check", "-q")], ids=" ".join)
def test_a_pipe_gets_no_progress(words: tuple[str, ...]) -> None:
    result = subprocess.run(
        [*PROGRAM, *words], env=environment(), capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "running" not in result.stdout


@needs_torch
def test_quiet_hides_the_progress() -> None:
    screen = Terminal("check", "-q", program=PROGRAM).finish()
    assert (screen.code, screen.text) == (0, "")


@needs_torch
def test_a_pipe_on_stdout_leaves_the_progress_on_the_terminal(folder: Path) -> None:
    out = folder / "out"
    script = f"{shlex.join(PROGRAM)} check > {out}"
    screen = Terminal("-c", script, program=("bash",), env=environment()).finish()
    assert "running 5 of 9: m4" in screen.text
    assert wiped(screen.text) == ""
    assert out.read_text() == shell("rnnshape check").out


# Ctrl-C


def interrupted(delay: float, *words: str, after: str = "") -> tuple[int, str, str, float]:
    """The exit code, stdout, stderr and the seconds from Ctrl-C to the end."""
    env = environment(PYTHONUNBUFFERED="1", AFTER=after)
    process = subprocess.Popen(
        [*PROGRAM, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(delay)
    start = time.perf_counter()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err, time.perf_counter() - start


@needs_torch
@pytest.mark.parametrize("delay", [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5])
def test_an_interruption_ends_it_whenever_it_comes(delay: float) -> None:
    code, out, err, _ = interrupted(delay, "check")
    if code == 0:
        pytest.skip("it was over already")
    assert (code, out) == (130, "")
    assert re.fullmatch(
        r"(interrupted: (0 of 9 run|1 of 9 run, as predicted|\d of 9 run, all as predicted)\n)?",
        err,
    )


@needs_torch
def test_an_interruption_says_what_is_known_and_wipes_the_line() -> None:
    table = '\n[modules.last]\ntarget = "gru"\nexpect = ["params = 1"]\n'
    with Path("rnnshape.toml").open("a") as file:
        file.write(table)
    terminal = Terminal("check", program=PROGRAM, env=environment(NO_COLOR="1"))
    terminal.read_until("running 3 of 10: m2")
    start = time.perf_counter()
    terminal.process.send_signal(signal.SIGINT)
    screen = terminal.finish()
    assert time.perf_counter() - start < 2  # 0.2 s on an idle machine
    assert screen.code == 130
    assert wiped(screen.text).endswith(
        "\ninterrupted: 2 of 10 run, all as predicted; FAILED: 1 of 10 expectations, in 1 of 10"
        " modules\n"
    )


@needs_torch
def test_a_process_that_ignores_interruptions_goes_on(folder: Path) -> None:
    """As `nohup` starts one, or a shell in the background."""
    command = f"trap '' INT; {shlex.join(PROGRAM)} check & sleep 2; kill -INT $!; wait $!"
    result = shell(command)
    assert (result.code, result.err) == (0, "")


def test_an_interruption_in_import_torch_is_not_lost(folder: Path) -> None:
    """A module may catch whatever an import of its own raises, and go on."""
    (folder / "torch.py").write_text(
        "import os, signal\n"
        "try: os.kill(os.getpid(), signal.SIGINT); [None for _ in range(10**6)]\n"
        "except BaseException: pass\n"
    )
    process = subprocess.run(
        [*MODULE, "check"],
        env=environment(PYTHONPATH=f"{Path.cwd()}{os.pathsep}{os.pathsep.join(sys.path)}"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (process.returncode, process.stdout) == (130, "")
    assert process.stderr == "interrupted: 0 of 9 run\n"


# What is counted


def _report(name: str) -> LayerReport:
    return predicted_report(Subject(config=RNNConfig(kind=Kind.GRU), name=name))


def test_the_line_names_what_runs_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("rnnshape.cli.progress.time.monotonic", lambda: now[0])
    runs, lines = Progress(1_200), []

    def with_run(report: LayerReport, _probes: object) -> LayerReport:
        lines.append(runs.line)
        now[0] += 1.5
        return report

    monkeypatch.setattr("rnnshape.pytorch.run.with_run", with_run)
    assert runs.line == "starting PyTorch"
    for name in ("encoder", "de\x1bcoder", "third"):
        runs.run(_report(name))
    assert lines == [
        "running 1 of 1,200: encoder",
        r"running 2 of 1,200: de\x1bcoder",
        "running 3 of 1,200: third, about 30 min left",
    ]
    assert runs.summary == "3 of 1,200 run, all as predicted"


def test_of_several_runs_the_line_names_the_one_that_began_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = Progress(3)
    go_on = {name: Event() for name in "abc"}

    def with_run(report: LayerReport, _probes: object) -> LayerReport:
        begun.release()
        assert go_on[report.subject.name].wait(5)
        return report

    monkeypatch.setattr("rnnshape.pytorch.run.with_run", with_run)
    begun, lines = Semaphore(0), []
    with ThreadPoolExecutor(3) as threads:
        running = {}
        for name in "abc":
            running[name] = threads.submit(runs.run, _report(name))
            assert begun.acquire(timeout=5)
        for name in "bac":
            lines.append(runs.line)
            go_on[name].set()
            running[name].result()
    assert lines == ["running 1 of 3: a", "running 2 of 3: a", "running 3 of 3: c"]


@pytest.mark.usefixtures("disagreement")
def test_the_summary_counts_what_is_not_as_predicted() -> None:
    runs = Progress(3)
    runs.run(_report("a"))
    with pytest.raises(ValueError, match="cuda:99"):
        runs.run(predicted_report(_on("cuda:99")))
    assert runs.summary == "1 of 3 run, 1 not as predicted, 1 could not be run"


def _on(device: str) -> Subject:
    from rnnshape.layer.settings import Settings

    return Subject(config=RNNConfig(kind=Kind.GRU), settings=Settings(device=device))
