"""Try random requests: `python -m tests.fuzz --count 500000 --seed 1 --record fuzz.json`.

Whatever is asked, a promise of the README holds; a request for which one does not is printed.
`--first N --count 1` tries one request again. With `--record` the shards that are done are kept in
a file, so that the command may be stopped and started again; it ends with a summary of all of them.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import warnings
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import repeat
from pathlib import Path
from time import perf_counter, process_time
from types import FrameType
from typing import Any, Final

from rnnshape.cli import exits
from tests import random_requests
from tests.advice import parts
from tests.program import MODULE, Result, call, environment, surroundings
from tests.random_requests import Request
from tests.schemas import DOCUMENTS, problems

_SECONDS: Final = 5  # of this process's time, for one request
_PATIENCE: Final = 120  # seconds by the clock, however busy the machine is
_SHARD: Final = 5000
_ENDINGS: Final = (exits.SUCCESS, exits.FAILED, exits.REFUSED, exits.DISAGREEMENT)
# In other processes the same requests give the same bytes; every so many of them are tried there.
_ELSEWHERE: Final = 50
SURROUNDINGS: Final = (
    {"PYTHONHASHSEED": "1", "LC_ALL": "C", "COLUMNS": "40", "TERM": "dumb"},
    {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "COLUMNS": "300", "LINES": "5"},
)
# Of Python and of libraries.
_CACHES: Final = ("__pycache__", "matplotlib", "fc-list", ".config", ".cache", "torchinductor")
_LINE: Final = re.compile(r"rnnshape ((?:lstm|gru|rnn|inspect|compare|budget|check|explain) .*)")


class _TooLongError(BaseException):
    """A request takes too long. No `except Exception` of the program stops it."""


@dataclass
class Findings:
    """What was tried, and what was found."""

    tried: int = 0
    seconds: float = 0.0
    codes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    slowest_number: int = -1
    found: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Count the other's as well."""
        self.tried += other.tried
        self.seconds += other.seconds
        self.codes += other.codes
        self.found += other.found
        if other.slowest > self.slowest:
            self.slowest, self.slowest_number = other.slowest, other.slowest_number


def fuzz(seed: int, numbers: Sequence[int], *, until: float | None = None) -> Findings:
    """Try these requests of a seed, until a point in time of perf_counter if there is one."""
    findings, began = Findings(), perf_counter()
    with folder() as home:
        for number in numbers:
            if until is not None and perf_counter() > until:
                break
            asked = random_requests.request(seed, number)
            start = process_time()
            outcome, broken = home.tried(asked, thoroughly=number % 4 == 0)
            taken = process_time() - start
            findings.tried += 1
            findings.codes[str(outcome.code)] += 1
            if taken > findings.slowest:
                findings.slowest, findings.slowest_number = taken, number
            findings.found += [_described(seed, number, asked, each) for each in broken]
    findings.seconds = perf_counter() - began
    return findings


def _described(seed: int, number: int, asked: Request, what: str) -> str:
    files = "".join(f"\n  {name}: {data[:300]!r}" for name, data in asked.files.items())
    stdin = f"\n  stdin: {asked.stdin[:300]!r}" if asked.stdin else ""
    words = ascii([word if len(word) < 200 else f"{word[:200]}..." for word in asked.words])
    return f"--seed {seed} --first {number} --count 1: {what}\n  {words}{stdin}{files}"


@contextmanager
def folder() -> Iterator[_Folder]:
    """A folder in which requests are tried, and outside of which none may write."""
    with tempfile.TemporaryDirectory() as made:
        inside = Path(made).resolve() / "here"
        inside.mkdir()
        home = {"HOME": made, "TMPDIR": made}
        late = {each: signal.signal(each, _late) for each in (signal.SIGPROF, signal.SIGALRM)}
        with surroundings(environment(**home), cwd=inside) as patch, warnings.catch_warnings():
            within = _Folder(inside, partial(patch.setattr, sys, "stdin"))
            _watching(within.watch)
            try:
                yield within
            finally:
                _WATCHES.clear()
                for each, handler in late.items():
                    signal.signal(each, handler)


class _Folder:
    """Tries requests one by one."""

    def __init__(self, inside: Path, set_stdin: Callable[[object], None]) -> None:
        self._inside = inside
        self._set_stdin = set_stdin
        self._whole = random_requests.stored()
        self._outside: list[str] = []
        self._kept: dict[str, bytes] = {}
        self._stamps: dict[str, tuple[int, int]] = {}
        self._restore({})

    def tried(self, asked: Request, *, thoroughly: bool) -> tuple[Result, list[str]]:
        """How a request ends, and which promises it breaks."""
        broken: list[str] = []
        result = self.answer(asked)
        if result is None:
            return Result(code=-1, out="", err=""), [f"takes more than {_SECONDS} seconds"]
        written = self._written()
        broken += _ending(result) + [f"writes {path}" for path in self._outside]
        if result.code == exits.REFUSED:
            broken += _refusal(asked, result, written)
            broken += self._hints(asked, result)
        else:
            broken += _answer(asked, result, written, thoroughly=thoroughly)
        if thoroughly and self.answer(asked) != result:
            broken.append("another answer the second time")
        return result, broken

    def answer(self, asked: Request) -> Result | None:
        """The answer; None if it takes too long."""
        self._restore(asked.files)
        self._set_stdin(io.TextIOWrapper(io.BytesIO(asked.stdin), "utf-8"))
        self._outside.clear()
        for timer, seconds in ((signal.ITIMER_PROF, _SECONDS), (signal.ITIMER_REAL, _PATIENCE)):
            signal.setitimer(timer, seconds)
        try:
            return call(*asked.words)
        except _TooLongError:
            return None
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _answer_like(self, asked: Request, words: tuple[str, ...]) -> Result | None:
        return self.answer(replace(asked, words=words))

    def _restore(self, files: Mapping[str, bytes]) -> None:
        """Leave exactly these files in the folder, beside those that are always there."""
        wanted = {**self._whole, **files}
        present = {each.name: each for each in os.scandir(self._inside)}
        changed = self._changed()
        for name in present.keys() - wanted.keys():
            if present[name].is_file(follow_symlinks=False):
                (self._inside / name).unlink()
        for name, data in wanted.items():
            if self._kept.get(name) != data or name not in present or name in changed:
                (self._inside / name).write_bytes(data)
        self._kept = wanted
        self._stamps = self._stamped()

    def _stamped(self) -> dict[str, tuple[int, int]]:
        stamps = {each.name: each.stat() for each in os.scandir(self._inside)}
        return {name: (stat.st_mtime_ns, stat.st_ino) for name, stat in stamps.items()}

    def _changed(self) -> set[str]:
        now, before = self._stamped(), self._stamps
        return {name for name in now.keys() | before.keys() if now.get(name) != before.get(name)}

    def _written(self) -> set[str]:
        return self._changed() - {"__pycache__"}

    def watch(self, path: object) -> None:
        text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        if text and text != os.devnull and not any(each in text for each in _CACHES):
            place = Path(os.path.realpath(text))
            if place.parent != self._inside:
                self._outside.append(str(place))

    def _hints(self, asked: Request, result: Result) -> list[str]:
        """Of a line that is wrong in one place, a hint that is a whole line is accepted."""
        if not asked.before or len(result.err.splitlines()) != 2:
            return []
        hint = result.err.splitlines()[1].removeprefix("hint: ")
        lines = (found[1] for part in parts(hint) if (found := _LINE.match(part)))
        broken = []
        for line in lines:
            if "$'" in line or ", where " in line:
                continue  # what only bash reads, and what a person fills in
            try:
                words = shlex.split(line)
            except ValueError as error:
                return [f"the hint is no line for a shell ({error}): {hint}"]
            options = ["--no-run"] * (words[0] not in ("explain", "compare"))
            followed = self._answer_like(asked, (words[0], *options, *words[1:]))
            if followed is None or followed.code == exits.REFUSED:
                whole = self._answer_like(asked, asked.before)
                if whole is not None and whole.code != exits.REFUSED:
                    why = followed.err.splitlines()[0] if followed else "it takes too long"
                    broken.append(f"a hint is refused\n  {result.err[:600]}  {why[:300]}")
        return broken


_WATCHES: Final[list[Callable[[object], None]]] = []


def _watching(watch: Callable[[object], None]) -> None:
    _hooked()
    _WATCHES.append(watch)


@cache
def _hooked() -> None:
    sys.addaudithook(_audit)  # it stays: Python has no way to remove it


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Tell the folder in use what is written, moved, removed or made."""
    if not _WATCHES:
        return
    if event == "open":
        path, mode, flags = arguments
        writes = any(letter in (mode or "") for letter in "wax+")
        if writes or (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            _WATCHES[-1](path)
    elif event in ("os.rename", "os.remove", "os.mkdir", "os.link", "os.symlink", "os.truncate"):
        _WATCHES[-1](arguments[0])
    elif event in ("subprocess.Popen", "os.system", "os.exec", "socket.connect"):
        _WATCHES[-1](f"/{event} {arguments}")


def _late(_signal: int, _frame: FrameType | None) -> None:
    raise _TooLongError


def _ending(result: Result) -> list[str]:
    broken = []
    if result.code not in _ENDINGS:
        broken.append(f"ends with {result.code}: {result.err.strip()!r}")
    for name, text in (("stdout", result.out), ("stderr", result.err)):
        if text and not text.endswith("\n"):
            broken.append(f"{name} has no newline at its end")
        if "\0" in text:
            broken.append(f"{name} has a NUL")
    return broken


def _refusal(asked: Request, result: Result, written: set[str]) -> list[str]:
    broken = []
    lines = result.err.split("\n")[:-1]
    starts = [
        line.replace("\x1b[31m", "").replace("\x1b[36m", "").replace("\x1b[0m", "")
        for line in lines
    ]
    pairs = list(zip(starts[::2], starts[1::2], strict=False))
    right = all(one.startswith("error: ") and two.startswith("hint: ") for one, two in pairs)
    if not lines or len(lines) % 2 or not right:
        broken.append(f"stderr is not two lines for each error: {result.err!r}")
    if not all(line.isprintable() for line in starts):
        broken.append(f"stderr has control characters: {result.err!r}")
    if any(len(line) > 1000 for line in starts[::2]):
        broken.append(f"an error of more than 1000 letters: {starts[0][:300]}...")
    if result.out and not result.out.startswith("<?xml"):
        broken.append(f"refused with {len(result.out)} letters on stdout: {result.out[:80]!r}")
    if left := {name for name in written if not name.endswith(".xml")}:
        broken.append(f"refused, but writes {left}")
    return broken


def _answer(asked: Request, result: Result, written: set[str], *, thoroughly: bool) -> list[str]:
    broken = []
    if result.err:
        broken.append(f"accepted with words on stderr: {result.err[:200]!r}")
    plain = re.sub("\x1b\\[[0-9;]*m", "", result.out)
    if strange := sorted({c for c in plain if not c.isprintable() and c != "\n"}):
        broken.append(f"stdout has control characters: {strange!r}")
    try:
        if result.out.startswith("{"):
            broken += _in_json(asked, json.loads(result.out), thoroughly=thoroughly)
        elif result.out.startswith("<?xml"):
            ET.fromstring(result.out)  # noqa: S314 - what this program wrote
        for name in written if thoroughly else ():
            _read(Path(name))
    except (ValueError, ET.ParseError) as error:
        broken.append(f"what is written cannot be read: {error}")
    helps = {"-h", "--help"} & {*asked.words}
    missing = [] if helps else [f for f in _files_asked(asked.words) if f not in written]
    return broken + [f"does not write {file}" for file in missing]


def _read(file: Path) -> None:
    if file.suffix == ".json":
        json.loads(file.read_bytes())
    elif file.suffix in (".xml", ".svg"):
        ET.fromstring(file.read_bytes())  # noqa: S314 - what this program wrote


def _files_asked(words: Sequence[str]) -> Iterator[str]:
    """The files of `-o FILE`, where no other option takes `-o` for its value."""
    for word, after, before in zip(words[1:], words[2:], words, strict=False):
        if word == "-o" and not before.startswith("-"):
            yield after


def _in_json(asked: Request, data: dict[str, Any], *, thoroughly: bool) -> list[str]:
    """What the schema or the request says otherwise than the JSON."""
    command = asked.words[0].lower()
    name = command if command in DOCUMENTS else "report"
    broken = problems(data, name)[:1] if thoroughly else []
    shown = _layers(data)
    return broken + [
        f"{row} is given as {value}, which the JSON does not show"
        for row, value in asked.given
        if not any(_shows(layer, row, value) for layer in shown)
    ]


def _layers(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of each layer of a document."""
    rows = data.get("modules") or [data]
    return [{**row.get("config", {}), **row.get("input", {})} for row in rows]


def _shows(layer: Mapping[str, Any], name: str, value: str) -> bool:
    if name == "unbatched":
        return layer["batched"] is False
    shown = layer[name]
    if isinstance(shown, list):
        return ",".join(map(str, shown)) == value
    if isinstance(shown, float):
        return shown == float(value)
    return str(shown).lower() == value


def digests(seed: int, numbers: Sequence[int]) -> list[list[str]]:
    """Digests of each request and of its answer, for a comparison with those of another process."""
    requests = [random_requests.request(seed, number) for number in numbers]
    with folder() as home:
        return [[_digest(each), _digest(home.answer(each))] for each in requests]


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


def elsewhere(
    seed: int,
    numbers: Sequence[int],
    variables: Sequence[Mapping[str, str]] = SURROUNDINGS,
) -> list[str]:
    """Which requests are answered otherwise by processes with other surroundings."""
    own, found = digests(seed, numbers), []
    listed = ",".join(map(str, numbers))
    for env in variables:
        command = [sys.executable, "-m", "tests.fuzz", "--seed", str(seed), "--digests", listed]
        paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            command, env=environment(**env, **paths), capture_output=True, text=True, check=True
        )
        for number, one, two in zip(numbers, own, json.loads(done.stdout), strict=True):
            # Of some damaged files, for torch.save writes a name once where Python shares it, and
            # that differs from process to process.
            same_request = one[0] == two[0]
            if same_request and one != two:
                asked = random_requests.request(seed, number)
                found.append(_described(seed, number, asked, f"another answer with {env}"))
    return found


def spawned(seed: int, number: int) -> list[str]:
    """Whether a process of its own gives the answer that a call gives."""
    asked = random_requests.request(seed, number)
    if any("\0" in word or not _encodes(word) for word in asked.words):
        return []  # no process can be given such a word
    with folder() as home:
        called = home.answer(asked)
        home._restore(asked.files)
        done = subprocess.run(
            [*MODULE, *asked.words],
            env=environment(PYTHONPATH=os.pathsep.join(sys.path), PYTHONIOENCODING="utf-8"),
            input=asked.stdin,
            capture_output=True,
            check=False,
        )
    ran = Result(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
    return [] if ran == called else [_described(seed, number, asked, "a process differs")]


def _encodes(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shard(seed: int, numbers: Sequence[int]) -> Findings:
    findings = fuzz(seed, numbers)
    findings.found += elsewhere(seed, numbers[::_ELSEWHERE])
    findings.found += spawned(seed, numbers[0])
    return findings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, help="begin no shard after so many")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--record", type=Path, help="a file that keeps the shards that are done")
    parser.add_argument("--digests", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.digests is not None:
        numbers = [int(number) for number in options.digests.split(",")]
        _say(json.dumps(digests(options.seed, numbers)))
        return
    shards = _shards(options.seed, options.first, options.first + options.count)
    record: Path | None = options.record
    done = json.loads(record.read_text()) if record and record.exists() else {}
    until = None if options.seconds is None else perf_counter() + options.seconds
    waiting = [name for name in shards if name not in done]
    with ProcessPoolExecutor(options.jobs) as pool:
        while waiting and (until is None or perf_counter() < until):
            now, waiting = waiting[: options.jobs], waiting[options.jobs :]
            found = pool.map(_shard, repeat(options.seed), [shards[name] for name in now])
            for name, findings in zip(now, found, strict=True):
                done[name] = vars(findings)
                _say("".join(f"{each}\n" for each in findings.found), end="")
            if record:
                record.write_text(json.dumps(done, indent=1))
    total = Findings()
    for name in shards.keys() & done.keys():
        total.add(Findings(**{**done[name], "codes": Counter(done[name]["codes"])}))
    _say(_summary(options.seed, total))
    sys.exit(bool(total.found))


def _shards(seed: int, first: int, end: int) -> dict[str, range]:
    starts = range(first, end, _SHARD)
    ranges = [range(start, min(start + _SHARD, end)) for start in starts]
    return {f"seed {seed}, {each.start} to {each.stop - 1}": each for each in ranges}


def _summary(seed: int, total: Findings) -> str:
    rate = total.tried / (total.seconds or 1)
    codes = ", ".join(f"{code}: {count:,}" for code, count in sorted(total.codes.items()))
    return (
        f"{total.tried:,} requests of seed {seed}, {rate:.0f} a second in each process;"
        f" exit codes {codes}; the slowest took {total.slowest:.2f} s"
        f" (--first {total.slowest_number} --count 1); {len(total.found)} findings"
    )


def _say(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
