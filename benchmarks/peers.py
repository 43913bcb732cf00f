"""What other programs that describe layers take and say, beside rnnshape, for the same layers.

`python -m benchmarks.peers` prints a Markdown table for the peers that are installed;
`pip install -e '.[peers]'` installs them.

- time: the median wall time of whole processes for the first case, divided by that of the script
  by hand; all take turns.
- h_n: whether what is printed has the shape of the final state on a line that also names it.
- parameters: what is counted, as a multiple of the truth.
- MACs of each case: likewise. The truth is the matrix products alone, so a count that includes
  biases or gates is a few per cent higher.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from statistics import median
from typing import Any, Final

import torch

from benchmarks.one_peer import CASES, HIDDEN_SIZE, NUM_LAYERS, PEERS, Case, Model, true_counts
from benchmarks.startup import BY_HAND, FOLDER, RNNSHAPE, asked_runs, measured

_OURS: Final = "rnnshape"
_TITLES: Final = ("program", "time / script", "h_n", "parameters", *(f"MACs, {c}" for c in CASES))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a program said of a case."""

    h_n: str
    parameters: str
    macs: str
    error: str = ""  # the last line of it


def command(program: str, case: str) -> tuple[str, ...]:
    """What gives the case to the program."""
    if program != _OURS:
        return (sys.executable, str(FOLDER / "one_peer.py"), program, case)
    return (RNNSHAPE, *_options(CASES[case]))


def _options(case: Case) -> list[str]:
    words = [case.kind.lower(), "--input-shape", ",".join(map(str, case.shape)), "--bidir"]
    words += ["--hidden", str(HIDDEN_SIZE), "--layers", str(NUM_LAYERS)]
    words += ["--proj", str(case.proj_size)] if case.proj_size else []
    words += ["--lengths", ",".join(map(str, case.lengths))] if case.lengths else []
    return words


def answer(program: str, case: str) -> Answer:
    """Ask the program, and compare what it says with the truth."""
    process = subprocess.run(command(program, case), capture_output=True, check=False, text=True)
    if process.returncode:
        error = process.stderr.strip().splitlines()[-1]
        return Answer(h_n="", parameters="", macs="error", error=error)
    said = _counts(program, case, process.stdout)
    parameters, macs = true_counts(CASES[case])
    return Answer(
        h_n=shows(process.stdout, "h_n", final_state(CASES[case])),
        parameters=_multiple(said["parameters"], parameters),
        macs=_multiple(said["macs"], macs),
    )


def _counts(program: str, case: str, printed: str) -> Mapping[str, Any]:
    if program != _OURS:
        counts: Mapping[str, Any] = json.loads(printed.splitlines()[-1])
        return counts
    words = (*command(program, case), "--format", "json")
    document = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    totals: Mapping[str, Any] = json.loads(document)["modules"][0]["totals"]
    return totals


def _multiple(said: int | None, true: int) -> str:
    return "none" if said is None else f"{said / true:.3g}"


@cache
def final_state(case: Case) -> tuple[int, ...]:
    """The shape of h_n, as PyTorch returns it."""
    # In float64, for which torch has no other kernel that it would warn about.
    _, state = Model(case).double()(torch.randn(case.shape, dtype=torch.float64))
    return tuple((state[0] if isinstance(state, tuple) else state).shape)


def shows(printed: str, name: str, shape: tuple[int, ...]) -> str:
    """Whether a shape is printed, and on a line with its name: "named", "unnamed" or "no"."""
    written = re.compile(rf"[(\[]{', ?'.join(map(str, shape))}[)\]]")
    lines = [line for line in printed.splitlines() if written.search(line)]
    if any(name in line for line in lines):
        return "named"
    return "unnamed" if lines else "no"


def ratios(programs: list[str], runs: int) -> dict[str, float]:
    """The time of each program for the first case, divided by that of the script by hand."""
    case = next(iter(CASES))
    by_hand = (*BY_HAND, str(CASES[case].shape[-1]), str(HIDDEN_SIZE), str(NUM_LAYERS))
    commands = {"": by_hand} | {program: command(program, case) for program in programs}
    seconds: dict[str, list[float]] = {program: [] for program in commands}
    for _ in range(runs):
        for program, words in commands.items():
            seconds[program].append(measured(words).seconds)
    return {program: median(seconds[program]) / median(seconds[""]) for program in programs}


def label(program: str) -> str:
    """The program, and the version that is installed."""
    module = _OURS if program == _OURS else PEERS[program].module
    distribution = packages_distributions().get(module, [module])[0]
    installed = f"{distribution} {version(distribution)}"
    return installed if program == distribution else f"{program} ({installed})"


def main() -> int:
    """Print the table, then the errors, then the peers that are not installed."""
    runs = asked_runs()
    missing = [name for name, peer in PEERS.items() if find_spec(peer.module) is None]
    programs = [_OURS, *(name for name in PEERS if name not in missing)]
    answers = {name: {case: answer(name, case) for case in CASES} for name in programs}
    times = ratios(programs, runs)
    print(f"| {' | '.join(_TITLES)} |\n|---|--:|---|--:|{'--:|' * len(CASES)}")
    for name, of_case in answers.items():
        cells = [label(name), f"{times[name]:.2f}"]
        cells += [_all_of(said.h_n for said in of_case.values())]
        cells += [_all_of(said.parameters for said in of_case.values())]
        cells += [said.macs for said in of_case.values()]
        print(f"| {' | '.join(cells)} |")
    for name, of_case in answers.items():
        for case, said in of_case.items():
            if said.error:
                print(f"\n{name}, {case}: `{said.error}`")
    if missing:
        print(f"\nnot installed: {', '.join(missing)}")
    return 0


def _all_of(words: Iterable[str]) -> str:
    """Each word once, without those of cases that ended in an error."""
    return ", ".join(dict.fromkeys(word for word in words if word))


if __name__ == "__main__":
    sys.exit(main())
