"""The words of options as values, with errors in the words of options."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from rnnshape.errors import RequestError, nearest, quoted
from rnnshape.fields import FIELDS, Takes
from rnnshape.layer.config import MAX_SIZE

# A grid is held in memory and written whole.
MOST_LISTED = 100_000

# Longer words are not read for what they may have meant.
_LONGEST_LIST = 200
_SHORT = 6
_WHOLE = re.compile(r"[+-]?[0-9]+")
_LENGTH = re.compile(r"[+]?0*[1-9][0-9]*")
_LIST = re.compile(r"[0-9]+(\s*,\s*[0-9]+)*,?")
_OTHER_BASE = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")


def value(field: str, text: str) -> Any:
    """The value that the option of a field is given. Raises RequestError."""
    known = FIELDS[field]
    return _READERS[known.takes](text, known.option)


def size(
    text: str,
    option: str,
    *,
    least: int = 1,
    most: int = MAX_SIZE,
    example: int | None = None,
) -> int:
    """One whole number of `least` or more.

    The hint alone uses `most`, the largest that is valid, and `example`, a number for where `text`
    has none: by default that of the field.
    """
    word = text.strip()
    if _WHOLE.fullmatch(word):
        if len(word) > len(str(MAX_SIZE)):
            raise RequestError(
                f"{option} has {len(word)} digits; the most is 500", hint="give a smaller number"
            )
        number = int(word)
        if number >= least:
            return number
    numbers = [] if _OTHER_BASE.fullmatch(word) else _numbers(word)
    if len(numbers) > 1 and len(word) <= _LONGEST_LIST:
        near = [_within(int(number), least, most) for number in numbers]
        raise _one_number(text, option, near)
    meant = _whole_part(word, example or _EXAMPLES.get(option, least))
    raise RequestError(
        f"{option} must be a whole number of {least} or more, not {quoted(text)}",
        hint=f"{option} {_within(meant, least, most)}",
    )


def _one_number(text: str, option: str, numbers: list[int]) -> RequestError:
    """What several numbers in place of one may mean: a shape, or a list."""
    comma_list = _LIST.fullmatch(text.strip()) is not None
    what, hint = "shape", f"{option} {numbers[-1]}"
    if option == "--input" and (len(numbers) == 3 or not comma_list):
        hint = f"--input-shape {','.join(map(str, numbers))}"
    elif comma_list:
        what = "list"
        if option in _SYMBOLS:
            hint = f"rnnshape compare lstm gru rnn {option} {','.join(map(str, numbers))}"
    return RequestError(
        f"{option} is one number{_SYMBOLS.get(option, '')}; {quoted(text)} is a {what}",
        hint=hint,
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


def amount(text: str, option: str, *, in_bytes: bool = False) -> int:
    """A count as people write it: `150k`, `1.5M`, `136_960`; bytes also as `2MiB`, `1GB`."""
    from rnnshape.sources import amounts  # the commands of one layer have no amounts

    try:
        return amounts.amount(text, in_bytes=in_bytes)
    except RequestError as error:
        parsed = amounts.parsed_amount(text)
        hint = f"{option} {error.hint}"
        if parsed and parsed.in_bytes and not in_bytes and not parsed.billions:
            whole = parsed.value.denominator == 1
            hint = f"--bytes {text.strip() if whole else error.hint}"
        raise RequestError(f"{option} {error.problem}", hint=hint) from error


def shape(text: str, option: str, *, example: Iterable[int]) -> tuple[int, ...]:
    """Sizes with commas or x between: `5,10,20`, `5x10x20`, `(5, 10, 20)`."""
    words = _numbers(text)
    if not words:
        raise RequestError(
            f"{option} is sizes with commas between, not {quoted(text)}",
            hint=f"{option} {','.join(map(str, example))}",
        )
    return tuple(size(word, option, least=0) for word in words)


def lengths(text: str, option: str) -> tuple[int, ...]:
    """The steps of each row: `7,3,2`."""
    words = [word.strip() for word in text.split(",")]
    if not all(_LENGTH.fullmatch(word) for word in words):
        near = [match[0][:_SHORT] for word in words if (match := re.search("[0-9]+", word))]
        mended = ",".join(str(max(1, int(number))) for number in near)
        raise RequestError(
            f"{option} are whole numbers of 1 or more with commas between, not {quoted(text)}",
            hint=f"{option} {mended or '7,3,2'}",
        )
    return tuple(size(word, option) for word in words)


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
    """One of a few words; the error lists them, and the hint is the most similar."""
    if text in choices:
        return text
    raise RequestError(
        f"{option} {quoted(text)} is unknown; it is one of {', '.join(choices)}",
        hint=f"{option} {nearest(text, choices)}",
    )


def _count(text: str, option: str) -> int:
    return size(text, option, least=0)


def _as_it_is(text: str, _: str) -> str:
    return text


def _numbers(text: str) -> list[str]:
    """The words of a shape, or nothing where `text` is not a shape."""
    inside = text.strip().removeprefix("(").removesuffix(")").rstrip(", ")
    if not re.fullmatch(r"[0-9]+(\s*[,xX]\s*[0-9]+)*", inside):
        return []
    return re.split(r"\s*[,xX]\s*", inside)


def _whole_part(word: str, example: int) -> int:
    """The whole part of what was given, or the example where it begins with no number."""
    if len(word) > _LONGEST_LIST:
        return example
    from rnnshape.sources import amounts  # only mistakes need it

    if _OTHER_BASE.fullmatch(word):
        return int(word, 0)
    parsed = amounts.parsed_amount(word)
    if parsed is not None:
        return int(parsed.value)
    scientific = amounts.scientific(word)
    if scientific is not None:
        return scientific
    whole = re.match(r"[0-9]+", word)
    return int(whole[0]) if whole else example


def _within(number: int, least: int, most: int) -> int:
    return max(least, min(number, most))


_READERS: Final[Mapping[Takes, Callable[[str, str], Any]]] = {
    "size": size,
    "count": _count,
    "lengths": lengths,
    "probability": probability,
    "choice": _as_it_is,
    "name": _as_it_is,
}
_SIZES: Final = [field for field in FIELDS.values() if field.takes in ("size", "count")]
# What `compare` takes lists of, with their symbols.
_SYMBOLS: Final = {field.option: f", {field.symbol}" for field in _SIZES}
# What the hint gives where the text has no number.
_EXAMPLES: Final = {field.option: field.default for field in _SIZES} | {"--limit": 10}
