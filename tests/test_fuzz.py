"""Some hundreds of random requests; `python -m tests.fuzz` tries any number of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rnnshape.cli import main as cli
from rnnshape.cli.streams import write_stderr
from tests import fuzz, random_requests
from tests.random_requests import Request

SEED = 12


def test_the_promises_hold_for_random_requests() -> None:
    findings = fuzz.fuzz(SEED, range(250))
    assert "\n".join(findings.found) == ""
    assert {*findings.codes} >= {"0", "1", "2"}  # some end in each way


def test_a_request_follows_from_its_seed_and_number() -> None:
    assert random_requests.request(SEED, 5) == random_requests.request(SEED, 5)
    assert random_requests.request(SEED, 5) != random_requests.request(SEED, 6)
    assert random_requests.request(SEED, 5) != random_requests.request(SEED + 1, 5)


def test_answers_are_the_same_in_other_surroundings() -> None:
    assert fuzz.elsewhere(SEED, range(0, 300, 15), fuzz.SURROUNDINGS[:1]) == []
    assert fuzz.spawned(SEED, 4) == []


def _crash(_arguments: list[str]) -> int:
    raise ZeroDivisionError


def _hang(_arguments: list[str]) -> int:
    while True:
        pass


def _forget_the_hint(_arguments: list[str]) -> int:
    write_stderr("error: this is wrong\n")
    return 2


def _write_outside(_arguments: list[str]) -> int:
    Path("..", "outside.txt").write_text("")
    return 0


def _count_calls(_arguments: list[str]) -> int:
    _COUNTED.append(0)
    print(len(_COUNTED))  # noqa: T201
    return 0


_COUNTED: list[int] = []


@pytest.mark.parametrize(
    ("program", "finding"),
    [
        (_crash, "ends with 70"),
        (_hang, "takes more than 1 seconds"),
        (_forget_the_hint, "stderr is not two lines for each error"),
        (_write_outside, "outside.txt"),
        (_count_calls, "another answer the second time"),
    ],
)
def test_a_broken_promise_is_found(
    program: Callable[[list[str]], int], finding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_dispatch", program)
    monkeypatch.setattr(fuzz, "_SECONDS", 1)
    assert finding in " ".join(broken(Request(words=("lstm",))))


def test_an_option_that_is_dropped_is_found() -> None:
    words = ("lstm", "--no-run", "-f", "json")
    assert broken(Request(words=(*words, "--hidden", "4"), given=(("hidden_size", "4"),))) == []
    (found,) = broken(Request(words=words, given=(("hidden_size", "4"),)))
    assert "hidden_size is given as 4" in found


def test_a_hint_that_is_refused_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def mislead(_arguments: list[str]) -> int:
        if _arguments[0] == "gru":
            return 0
        write_stderr("error: this is wrong\nhint: rnnshape lstm --hidden 0\n")
        return 2

    monkeypatch.setattr(cli, "_dispatch", mislead)
    (found,) = broken(Request(words=("grus",), before=("gru",)))
    assert "a hint is refused" in found


def broken(asked: Request) -> list[str]:
    with fuzz.folder() as home:
        return home.tried(asked, thoroughly=True)[1]
