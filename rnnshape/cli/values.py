"""Words of the command line as values, with errors in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from rnnshape.errors import RequestError, nearest, quoted
from rnnshape.layer.config import MAX_SIZE

# A grid is held in memory and written whole.
MOST_LISTED = 100_000
MOST_DIGITS = 400


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


def several(text: str, option: str) -> tuple[str, ...]:
    """The numbers of a list, still as words: `32,64`, `16..64..16`, `1,2,8..10`."""
    return tuple(each for word in text.split(",") for each in _range(word.strip(), option))


def _range(word: str, option: str) -> Iterable[str]:
    match = re.fullmatch(r"([0-9]{1,18})\.\.([0-9]{1,18})(?:\.\.([0-9]{1,18}))?", word)
    if match is None:
        return (word,)
    first, last, step = int(match[1]), int(match[2]), int(match[3] or 1)
    if not step or first > last:
        raise RequestError(
            f"{option} {word} has no numbers: a range is FIRST..LAST or FIRST..LAST..STEP",
            hint=f"{option} {min(first, last)}..{max(first, last)}",
        )
    numbers = range(first, last + 1, step)
    if len(numbers) > MOST_LISTED:
        raise RequestError(
            f"{option} {word} has {len(numbers):,} numbers; the most is {MOST_LISTED:,}",
            hint=f"{option} {first}..{last}..{-(-(last - first) // (MOST_LISTED - 1))}",
        )
    return map(str, numbers)


def amount(text: str, option: str, *, bytes_: bool = False) -> int:
    """A count as people write it: `150k`, `1.5M`, `136_960`; of bytes also `2MiB`, `1GB`."""
    from rnnshape.analysis.amounts import parsed_amount  # a layer's own command has no amounts

    example = f"{option} {'4MiB' if bytes_ else '1.5M'}"
    if len(text) > MOST_DIGITS:
        raise RequestError(
            f"{option} has {len(text)} digits; the most is {MOST_DIGITS}",
            hint="give a smaller number",
        )
    parsed = parsed_amount(text)
    if parsed is None:
        without_commas = text.replace(",", "")
        grouped = re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", text)
        raise RequestError(
            f"{option} is a number such as 136960, 150k or 1.5M, not {quoted(text)}",
            hint=f"{option} {without_commas}" if grouped else example,
        )
    if parsed.in_bytes and not bytes_:
        raise RequestError(f"{option} is a count, and {text} are bytes", hint=f"--bytes {text}")
    if parsed.value.denominator > 1:
        raise RequestError(
            f"{option} {text} is {float(parsed.value):.15g}, not a whole number",
            hint=f"{option} {int(parsed.value)}",
        )
    return parsed.value.numerator


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
    return str(max(least, int(whole[0].replace("_", "")))) if whole else "40"
