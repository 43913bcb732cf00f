"""What a text says was raised: the names, the messages and the lines around them."""

from __future__ import annotations

import pytest

from rnnshape.analysis.explanation import statements
from rnnshape.analysis.explanation.statements import Statement, Text

TRACEBACK = """\
Traceback (most recent call last):
  File "train.py", line 9, in <module>
    loss = step(x)
RuntimeError: the first line
and the second
"""


def raised(text: str) -> list[tuple[str, str, int]]:
    return [(each.name, each.message, each.number) for each in Text(text).raised()]


def test_a_message_goes_on_to_the_end_of_the_text() -> None:
    assert raised(TRACEBACK) == [("RuntimeError", "the first line and the second", 3)]


@pytest.mark.parametrize(
    "after",
    [
        "Traceback (most recent call last):",
        "During handling of the above exception, another exception occurred:",
        "The above exception was the direct cause of the following exception:",
        "=====",
        "-----",
        "_____",
        "Original Traceback (most recent call last):",
    ],
)
def test_a_message_ends_where_something_else_begins(after: str) -> None:
    ((_, message, _),) = raised(f"{TRACEBACK}{after}\nmore")
    assert message == "the first line and the second"


def test_the_last_error_comes_first_and_warnings_come_last() -> None:
    text = "UserWarning: w1\nValueError: e1\ntorch.cuda.OutOfMemoryError: e2\nFutureWarning: w2\n"
    assert raised(text) == [
        ("OutOfMemoryError", "e2", 2),
        ("ValueError", "e1", 1),
        ("FutureWarning", "w2", 3),
        ("UserWarning", "w1", 0),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "RuntimeError: a b",
        "E   RuntimeError: a b",
        "[rank0]: RuntimeError: a b",
        "[default3]:RuntimeError: a b",
        "trainer-1  | RuntimeError: a b",
        "> > RuntimeError: a b",
        "2026-11-26 10:00:00 [ERROR] - RuntimeError: a   b",
        "\x1b[1;31mRuntimeError\x1b[0m: a b",
        "RuntimeError: a\0 b",
    ],
)
def test_what_tools_write_around_a_line_does_not_count(line: str) -> None:
    assert raised(line) == [("RuntimeError", "a b", 0)]


@pytest.mark.parametrize(
    "line", ["MyErrors: a", "an Error occurred", "RuntimeError:a", "error: a", "xRuntimeErrorx: a"]
)
def test_other_lines_raise_nothing(line: str) -> None:
    assert raised(line) == []


def test_a_name_without_a_message_is_raised_too() -> None:
    assert raised("KeyboardInterrupt") == [("KeyboardInterrupt", "", 0)]


def test_a_statement_on_one_line_is_no_longer_than_300_letters() -> None:
    def line(name: str, message: str) -> str:
        return Statement(name=name, message=message, number=0).line

    assert line("ValueError", "a b") == "ValueError: a b"
    assert line("ValueError", "") == "ValueError"
    assert line("", "a b") == "a b"
    assert line("", "x" * 300) == "x" * 300
    assert line("", "x" * 301) == f"{'x' * 297}..."


def test_a_line_without_a_name_is_a_bare_statement() -> None:
    assert Statement(name="", message="a", number=0).bare
    assert not Statement(name="ValueError", message="a", number=0).bare


def test_the_last_lines_are_bare_statements_each_with_ten_lines() -> None:
    text = Text("\n".join(["a", " ", *map(str, range(12))]))
    found = [(each.message, each.number) for each in text.bare()]
    assert found[0] == ("11", 13)
    assert found[1] == ("10 11", 12)
    assert found[-2] == ("0 1 2 3 4 5 6 7 8 9", 2)
    assert found[-1] == ("a 0 1 2 3 4 5 6 7", 0)
    assert len(found) == 13  # the blank line is none


def test_only_so_many_lines_are_bare_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "_MOST_BARE", 3)
    text = Text("a\nb\nc\nd")
    assert [each.number for each in text.bare()] == [3, 2, 1]
    assert text.tail == "b c d"


def test_the_lines_around_a_statement_are_those_before_and_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = Text("a\nb\n> c\nValueError: d\ne\nf\ng")
    (found,) = text.raised()
    assert text.around(found) == "a\nb\nc\nValueError: d\ne\nf\ng"
    monkeypatch.setattr(statements, "_MOST_LINES", 2)
    assert text.around(found) == "b\nc\nValueError: d\ne"
    monkeypatch.setattr(statements, "_MOST_LETTERS", 2)
    assert text.around(found) == "\nc\nVa"


def test_what_is_read_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = "ValueError: a\nb\nc\nTypeError: d\nKeyError: e"
    monkeypatch.setattr(statements, "_MOST_STATEMENTS", 2)
    assert raised(errors) == [("KeyError", "e", 4), ("TypeError", "d", 3)]
    monkeypatch.setattr(statements, "_MOST_NAMED", 1)
    assert raised(errors) == [("KeyError", "e", 4)]
    monkeypatch.setattr(statements, "_MOST_LINES", 2)
    assert raised("ValueError: a\nb\nc\nd") == [("ValueError", "a b", 0)]
    monkeypatch.setattr(statements, "_MOST_LETTERS", 4)
    assert raised("ValueError: abcdef") == [("ValueError", "abc", 0)]
    monkeypatch.setattr(statements, "_MOST_TEXT", 5)
    assert Text("ValueError: a\nb").lines == [": a", "b"]


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("\n".join("a" * 10), True),
        ("\n".join("a" * 11), False),
        ("a" * 2000, True),
        ("a" * 2001, False),
        ("a" * 1000 + "\n" + "a" * 1001, False),
    ],
)
def test_a_text_of_ten_lines_and_2000_letters_is_short(text: str, short: bool) -> None:
    assert Text(text).short is short
