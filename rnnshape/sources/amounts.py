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
# More billions than any layer has parameters; a number of bytes is larger.
_MOST_BILLIONS: Final = 1000
_GROUPED: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3})+")
# Python writes no integer of over 4,300 digits.
_LONGEST: Final = 4_000
_POWERS: Final = {"k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


@dataclass(frozen=True, kw_only=True)
class Amount:
    """An exact number; `in_bytes` where its unit says so."""

    value: Fraction
    in_bytes: bool

    @property
    def billions(self) -> str | None:
        """What is meant by 7B where bytes are not: 7000M, since B is how people write a billion."""
        if not self.in_bytes or self.value >= _MOST_BILLIONS:
            return None
        millions = 1000 * self.value
        return f"{millions}M" if millions.denominator == 1 else str(int(10**6 * millions))


def parsed_amount(text: str) -> Amount | None:
    """The amount that `text` is, or None. `k M G T` are powers of 1000, `Ki Mi Gi Ti` of 1024."""
    match = _AMOUNT.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if match is None:
        return None
    binary = match["binary"]
    base = 1024 if binary else 1000
    power = _POWERS.get(binary or match["prefix"] or "", 0)
    return Amount(
        value=Fraction(match["number"].replace("_", "")) * base**power,
        in_bytes=bool(binary or match["bytes"]),
    )


def amount(text: str, *, in_bytes: bool = False) -> int:
    """The whole number that `text` is. Raises RequestError, whose hint is an amount instead.

    A unit of bytes is taken only where the number counts bytes: 7B would be 7 of what else.
    """
    if len(text) > _LONGEST:
        raise RequestError(
            f"{quoted(text)} has {len(text):,} characters; the most is {_LONGEST:,}",
            hint="4MiB" if in_bytes else "1.5M",
        )
    parsed = parsed_amount(text)
    if parsed is None:
        example = "4MiB" if in_bytes else "1.5M"
        raise RequestError(f"{quoted(text)} is no number", hint=_meant(text.strip()) or example)
    if parsed.in_bytes and not in_bytes:
        billion = "; a billion is 1000M" if parsed.billions else ""
        raise RequestError(
            f"{quoted(text)} is an amount of bytes{billion}",
            hint=parsed.billions or str(int(parsed.value)),
        )
    if parsed.value.denominator != 1:
        raise RequestError(f"{quoted(text)} is not whole", hint=str(int(parsed.value)))
    return int(parsed.value)


def scientific(text: str) -> int | None:
    """The whole part of a number like `1e9`, which is none of the forms of an amount."""
    return int(Fraction(text)) if _SCIENTIFIC.fullmatch(text) else None


def _meant(text: str) -> str | None:
    """The amount that is written in a form that is none: `136,960`, `1e6`."""
    if _GROUPED.fullmatch(text):
        return text.replace(",", "")
    number = scientific(text)
    return None if number is None else str(number)
