"""Words of the command line as values, with errors in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Collection

from rnnshape.errors import RequestError, nearest, quoted
from rnnshape.layer.config import MAX_SIZE


def size(text: str, option: str, symbol: str, *, least: int = 1) -> int:
    """One whole number of `least` or more."""
    word = text.strip()
    if re.fullmatch(r"[+-]?[0-9]+", word):
        if len(word) > len(str(MAX_SIZE)):
            raise RequestError(
                f"{option} has {len(word)} digits; the most is 500", hint="give a smaller number"
            )
        number = int(word)
        if number >= least:
            return number
    elif len(_numbers(word)) > 1:
        raise RequestError(
            f"{option} is one number, {symbol}; {quoted(text)} is a shape",
            hint=f"--input-shape {','.join(_numbers(word))}",
        )
    raise RequestError(
        f"{option} must be a whole number of {least} or more, not {quoted(text)}",
        hint=f"{option} {_nearest_size(word, least)}",
    )


def shape(text: str, option: str) -> tuple[int, ...]:
    """Sizes with commas or x between: `5,10,20`, `5x10x20`, `(5, 10, 20)`."""
    words = _numbers(text)
    if not words:
        raise RequestError(
            f"{option} is sizes with commas between, not {quoted(text)}",
            hint=f"{option} 10,5,20",
        )
    return tuple(size(word, option, "a size", least=0) for word in words)


def lengths(text: str, option: str) -> tuple[int, ...]:
    """The steps of each row: `7,3,2`."""
    return tuple(size(word, option, "a length") for word in text.split(","))


def probability(text: str, option: str) -> float:
    """A number from 0 to 1."""
    if re.fullmatch(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE]-?[0-9]{1,3})?", text.strip()):
        value = float(text)
        if value <= 1:
            return value
    raise RequestError(
        f"{option} must be a probability from 0 to 1, not {quoted(text)}", hint=f"{option} 0.2"
    )


def one_of(text: str, option: str, choices: Collection[str]) -> str:
    """One of a few words; the error names them all, and the one that may be meant."""
    if text in choices:
        return text
    raise RequestError(
        f"{option} {quoted(text)} is unknown; it is one of {', '.join(choices)}",
        hint=f"{option} {nearest(text, choices)}",
    )


def _numbers(text: str) -> list[str]:
    """The words of a shape, or nothing where `text` is no shape."""
    inside = text.strip().removeprefix("(").removesuffix(")").rstrip(", ")
    if not re.fullmatch(r"[0-9]+(\s*[,xX]\s*[0-9]+)*", inside):
        return []
    return re.split(r"\s*[,xX]\s*", inside)


def _nearest_size(word: str, least: int) -> str:
    """A number that would do: the whole part of what was given, where that is large enough."""
    whole = re.match(r"[0-9][0-9_]{0,18}", word)
    return str(max(least, int(whole[0].rstrip("_").replace("__", "_")))) if whole else "40"
