"""Counts and bytes as people write them: `150k`, `1.5M`, `136_960`, `2MiB`, `1GB`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from rnnshape.errors import RequestError, quoted

_AMOUNT: Final = re.compile(
    r"(?P<number>[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?)"
    r"(?:(?P<prefix>[kKMGT])?(?P<bytes>B)?|(?P<binary>[KMGT])iB)"
)
_SCIENTIFIC: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]{1,3}")
_GROUPED: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3})+")
# A number below this with a B means billions of parameters; an amount of bytes is larger.
_MOST_BILLIONS: Final = 1000
# Python refuses to write an integer of over 4,300 digits.
_LONGEST: Final = 4_000
_POWERS: Final = {"k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


@dataclass(frozen=True, kw_only=True)
class Amount:
    """An exact number; `in_bytes` where its unit says so."""

    value: int | Fraction
    in_bytes: bool


def parsed_amount(text: str) -> Amount | None:
    """The amount that `text` is, or None. `k M G T` are powers of 1000, `Ki Mi Gi Ti` of 1024."""
    match = _AMOUNT.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if match is None:
        return None
    binary = match["binary"]
    base = 1024 if binary else 1000
    power = _POWERS.get(binary or match["prefix"] or "", 0)
    number = match["number"].replace("_", "")
    return Amount(
        value=(Fraction(number) if "." in number else int(number)) * base**power,
        in_bytes=bool(binary or match["bytes"]),
    )


def read_amount(text: str, *, in_bytes: bool = False) -> int:
    """The whole number that `text` is. Raises RequestError, whose hint is an amount instead.

    A unit of bytes is accepted only where bytes are counted.
    """
    if len(text) <= _LONGEST and text.isascii() and text.isdecimal():
        return int(text)  # as most are; a pattern takes nine times as long
    example = "4MiB" if in_bytes else "1.5M"
    if len(text) > _LONGEST:
        problem = f"has {len(text):,} characters; the most is {_LONGEST:,}"
        raise RequestError(f"{quoted(text)} {problem}", hint=example)
    amount = parsed_amount(text)
    if amount is None:
        unclear = "as in " * bool(re.match("[^-]*[0-9]", text))
        hint = _amount_meant(text) or f"{unclear}{example}"
        raise RequestError(f"{quoted(text)} is not a number", hint=hint)
    if amount.in_bytes and not in_bytes:
        billions = amount.value < _MOST_BILLIONS  # 7B is how people write a number of billions
        raise RequestError(
            f"{quoted(text)} is an amount of bytes{'; a billion is 1000M' * billions}",
            hint=str(int(amount.value * 10**9 if billions else amount.value)),
        )
    if amount.value.denominator != 1:
        raise RequestError(f"{quoted(text)} is not whole", hint=str(int(amount.value)))
    return int(amount.value)


def _amount_meant(text: str) -> str | None:
    """The amount without signs and blanks, in capitals: `5M` for `<= 5 m`; None if unclear."""
    whole = "".join(text.split()).lstrip("<=~").upper().replace("IB", "iB")
    if parsed_amount(whole) is not None:
        return whole
    plain = _GROUPED.fullmatch(whole) or _SCIENTIFIC.fullmatch(whole)
    return str(meant_number(whole)) if plain else None


def meant_number(text: str) -> int | None:
    """The whole part of a number in another form, `136,960` or `1e6`, or the only one there is."""
    word = text.strip()
    if _GROUPED.fullmatch(word):
        return int(word.replace(",", ""))
    if _SCIENTIFIC.fullmatch(word):
        return int(Fraction(word))
    amount = parsed_amount(word)
    if amount is not None:
        return int(amount.value)
    numbers = re.findall("[0-9]{1,200}", word)
    return int(numbers[0]) if len(numbers) == 1 else None
