"""What is made of an amount that is not written as one: the whole number that is meant."""

from __future__ import annotations

import pytest

from rnnshape.errors import RequestError
from rnnshape.sources.amounts import meant_number, parsed_amount, read_amount

LONGEST = "9" * 4000


def refusal(text: str, *, in_bytes: bool = False) -> tuple[str, str]:
    with pytest.raises(RequestError) as refused:
        read_amount(text, in_bytes=in_bytes)
    return refused.value.problem, refused.value.hint


def test_an_amount_of_4000_digits_is_read_and_one_of_more_is_not() -> None:
    assert read_amount(LONGEST) == 10**4000 - 1
    problem, hint = refusal(f"{LONGEST}9")
    assert problem.endswith("has 4,001 characters; the most is 4,000")
    assert hint == "1.5M"
    assert parsed_amount(f"{LONGEST}9") is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("<= 5 m", "5M"),
        ("=150K", "150K"),
        ("~ 2 mib", "2MiB"),
        ("136,960", "136960"),
        ("1,136,960", "1136960"),
        ("1e6", "1000000"),
        ("2.5E3", "2500"),
        ("1.e2", "100"),
        ("15e-1", "1"),
        ("1,00", "as in 1.5M"),
        ("5 apples", "as in 1.5M"),
        ("-5", "1.5M"),
        ("many", "1.5M"),
    ],
)
def test_what_is_no_number_gets_the_one_that_is_meant(text: str, hint: str) -> None:
    problem, found = refusal(text)
    assert problem.endswith(" is not a number")
    assert found == hint
    if not hint.endswith("1.5M"):
        assert read_amount(hint, in_bytes=True) > 0


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("999B", "is an amount of bytes; a billion is 1000M", "999000000000"),
        ("1000B", "is an amount of bytes", "1000"),
        ("2MiB", "is an amount of bytes", "2097152"),
    ],
)
def test_fewer_than_1000_bytes_are_billions(text: str, problem: str, hint: str) -> None:
    assert refusal(text) == (f"{text} {problem}", hint)


def test_an_amount_of_bytes_has_bytes_for_an_example() -> None:
    assert refusal("many", in_bytes=True)[1] == "4MiB"
    assert refusal("5 apples", in_bytes=True)[1] == "as in 4MiB"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("136,960", 136_960),
        (" 1,000 ", 1000),
        ("1e3", 1000),
        ("15e-1", 1),
        ("1.5k", 1500),
        ("1.9", 1),
        ("2KiB", 2048),
        ("about 40 or so", 40),
        ("0x", 0),
        ("from 3 to 4", None),
        ("many", None),
    ],
)
def test_the_number_that_is_meant_is_the_only_one_there_is(text: str, number: int | None) -> None:
    assert meant_number(text) == number
