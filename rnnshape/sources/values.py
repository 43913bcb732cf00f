"""The values of options, read from text; errors name the option."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from rnnshape.errors import RequestError, near, quoted
from rnnshape.fields import FIELDS, Takes
from rnnshape.layer.config import MAX_SIZE

# A grid is held in memory and written whole.
MOST_LISTED = 100_000
_MOST_DIGITS = len(str(MAX_SIZE))

# Longer texts are not examined for what they may mean. Patterns that only this needs are texts,
# so that they are not compiled at start-up.
_LONGEST_LIST = 200
_WHOLE = re.compile(r"[+-]?[0-9]+")
_LENGTH = re.compile(r"[+]?[0-9]+")
# 1,000 or 1,024, but not 128,256: a number in a list does not begin with 0.
_THOUSANDS = r"[1-9][0-9]{0,2}(,[0-9]{3})*,0[0-9]{2}(,[0-9]{3})*"
# In brackets, or with other signs between: `[32, 64]`, `32;64`, `32 64`.
_LISTED = r"(?=.*(?:[^0-9,]|,$))[\[({]?\s*[0-9]+(\s*[,;/|\s]\s*[0-9]+)+,?\s*[\])}]?"
# `32-64`, `32:64:8`, `32...64`, `range(32, 64, 8)`.
_RANGE = (
    r"(?:range\()?([0-9]+)\s*(?:-|:|\.\.\.?|to|,(?=.*\)))\s*([0-9]+)"
    r"(?:\s*(?:[-:,]|\.\.\.?)\s*([0-9]+))?\)?"
)
_LIST = r"[0-9]+(\s*,\s*[0-9]+)*,?"


class ListGivenError(RequestError):
    """The error for a list of sizes where one is wanted; `listed` is how `compare` takes it."""

    def __init__(self, option: str, text: str, listed: str) -> None:
        self.option, self.listed = option, listed
        hint = f"rnnshape compare takes such sizes, outside its targets: {option} {listed}"
        what = "a range" if ".." in listed else "a list"
        symbol = _SYMBOLS.get(option, "")
        super().__init__(f"{option} is one number{symbol}; {quoted(text)} is {what}", hint=hint)


def value(field: str, text: str) -> Any:
    """The value of the field whose option is given `text`. Raises RequestError."""
    known = FIELDS[field]
    if known.default == 0 and known.takes == "size" and text.strip() == "0":
        raise RequestError(f"{known.option} 0 means none", hint=f"leave {known.option} out")
    return _READERS[known.takes](text, known.option)


def size(text: str, option: str, *, least: int = 1) -> int:
    """One whole number of `least` or more."""
    word = text.strip()
    if _WHOLE.fullmatch(word):
        if len(word) > _MOST_DIGITS:
            raise RequestError(
                f"{option} has {len(word)} digits; the most is 500", hint="give a smaller number"
            )
        number = int(word)
        if number >= least:
            return number
    if _is_grouped(word):
        raise _with_commas(text, option)
    ranged = _list_meant(word)
    if ranged is not None and ".." in ranged and option in _SYMBOLS:
        raise ListGivenError(option, text, _rising(ranged, least))
    if len(word) <= _LONGEST_LIST and len(numbers := _numbers(word)) > 1:
        raise _one_number(text, option, [max(least, int(number)) for number in numbers])
    meant, example = _meant(word), max(least, _EXAMPLES.get(option, least))
    unclear = meant is None and word.isprintable() and re.match(r"[^-]*[0-9]", word, re.ASCII)
    number = example if meant is None else max(least, meant)
    hint = f"{'as in ' if unclear else ''}{option} {number}"
    raise RequestError(
        f"{option} must be a whole number of {least} or more, not {quoted(text)}", hint=hint
    )


def _is_grouped(word: str) -> bool:
    """Whether commas divide the thousands of one number."""
    return len(word) <= _LONGEST_LIST and re.fullmatch(_THOUSANDS, word) is not None


def _with_commas(text: str, option: str) -> RequestError:
    return RequestError(
        f"{option} must be a number without commas, not {quoted(text)}",
        hint=f"{option} {text.strip().replace(',', '')}",
    )


def _list_meant(text: str) -> str | None:
    """The list or range that `text` is in other signs: `32..64` for `32-64` or `range(32, 64)`."""
    word = text.strip()
    if len(word) > _LONGEST_LIST:
        return None
    if re.fullmatch(_LISTED, word):
        return ",".join(re.findall("[0-9]+", word))
    if match := re.fullmatch(_RANGE, word):
        return "..".join(filter(None, match.groups()))
    return None


def _rising(listed: str, least: int = 0) -> str:
    """A range from its smaller end, which is `least` or more, to its larger; or the list as is."""
    if ".." not in listed:
        return listed
    first, last, *step = map(int, listed.split(".."))
    ends = sorted(max(least, end) for end in (first, last))
    return "..".join(map(str, [*ends, *filter(None, step)]))


def _one_number(text: str, option: str, numbers: list[int]) -> RequestError:
    """The error for several numbers where one is wanted: they may be a shape, or a list."""
    comma_list = re.fullmatch(_LIST, text.strip()) is not None
    what, hint = "shape", f"{option} {numbers[-1]}"
    if option == "--input" and (len(numbers) == 3 or not comma_list):
        hint = f"--input-shape {','.join(map(str, numbers))}"
    elif comma_list:
        what = "list"
        if option in _SYMBOLS:
            listed = ",".join(map(str, numbers))
            return ListGivenError(option, text, listed)
    return RequestError(
        f"{option} is one number{_SYMBOLS.get(option, '')}; {quoted(text)} is a {what}",
        hint=hint,
    )


def several(text: str, option: str) -> tuple[str, ...]:
    """The numbers of a list, as texts: `32,64`, `16..64..16`, `1,2,8..10`."""
    if _is_grouped(text.strip()):
        raise _with_commas(text, option)
    meant = _list_meant(text)
    if meant not in (None, text.strip()):
        raise RequestError(
            f"{option} must be a number, a list or a range, not {quoted(text)}",
            hint=f"{option} {_rising(meant)}",
        )
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
    from rnnshape.sources.amounts import read_amount  # only a budget needs it

    try:
        return read_amount(text, in_bytes=in_bytes)
    except RequestError as error:
        of_bytes = error.problem.endswith(" is an amount of bytes")
        example = error.hint.removeprefix("as in ")
        hint = f"{'as in ' * (example != error.hint)}{option} {example}"
        hint = f"--bytes {text.strip()}" if of_bytes else hint
        raise RequestError(f"{option} {error.problem}", hint=hint) from error


def shape(text: str, option: str) -> tuple[int, ...]:
    """Sizes separated by commas or x: `5,10,20`, `5x10x20`, `(5, 10, 20)`."""
    words = _numbers(text)
    if not words:
        raise RequestError(
            f"{option} must be sizes separated by commas, not {quoted(text)}",
            hint=f"write the numbers out, as in {option} 10,5,20",
        )
    return tuple(size(word, option, least=0) for word in words)


def lengths(text: str, option: str) -> tuple[int, ...]:
    """The steps of each row: `7,3,2`."""
    words = [word.strip() for word in text.split(",")]
    if not all(_LENGTH.fullmatch(word) for word in words):
        near = ",".join(str(max(1, int(number))) for number in re.findall("[0-9]{1,6}", text))
        raise RequestError(
            f"{option} must be whole numbers of 1 or more, separated by commas, not {quoted(text)}",
            hint=f"{option} {near or '7,3,2'}",
        )
    return tuple(size(word, option, least=0) for word in words)


def probability(text: str, option: str) -> float:
    """A number from 0 to 1."""
    if re.fullmatch(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE]-?[0-9]{1,3})?", text.strip()):
        value = float(text)
        if value <= 1:
            return value
    percent = re.fullmatch(r"([0-9]{1,2}|100)\s*%?", text.strip())
    decimal = re.fullmatch(r"0,([0-9]{1,9})", text.strip())
    hint = f"{option} 0.2"
    if percent:
        hint = f"{option} {int(percent[1]) / 100}"
    elif decimal:
        hint = f"{option} 0.{decimal[1]}"
    raise RequestError(f"{option} must be a probability from 0 to 1, not {quoted(text)}", hint=hint)


def one_of(text: str, option: str, choices: Collection[str]) -> str:
    """One of a few words, or what else people call it, in any case; the error lists them."""
    if text in choices:
        return text
    from rnnshape import synonyms  # only another word needs it

    words = synonyms.OF_VALUES.get(option, {})
    meant = None if text.startswith("-") else synonyms.one_of(text, choices, words)
    if meant is not None:
        return meant
    alike = near(text.lower(), choices)
    raise RequestError(
        f"{option} {quoted(text)} is unknown; it is one of {', '.join(choices)}",
        hint=f"{option} {alike}" if alike else "give one of those words",
    )


def _count(text: str, option: str) -> int:
    return size(text, option, least=0)


def _as_it_is(text: str, _: str) -> str:
    return text


def _numbers(text: str) -> list[str]:
    """The sizes of a shape, as texts; none where `text` is not a shape."""
    inside = text.strip().removeprefix("(").removesuffix(")").rstrip(", ")
    if not re.fullmatch(r"[0-9]+(\s*[,xX]\s*[0-9]+)*", inside):
        return []
    return re.split(r"\s*[,xX]\s*", inside)


def _meant(word: str) -> int | None:
    """The number that was meant, or None where that is unclear."""
    from rnnshape.sources.amounts import meant_number  # only mistakes need it

    unclear = len(word) > _LONGEST_LIST or word.startswith("-") or not word.isprintable()
    return None if unclear else meant_number(word)


_READERS: Final[Mapping[Takes, Callable[[str, str], Any]]] = {
    "size": size,
    "count": _count,
    "shape": shape,
    "lengths": lengths,
    "probability": probability,
    "choice": _as_it_is,
    "name": _as_it_is,
}
_SIZES: Final = [field for field in FIELDS.values() if field.takes in ("size", "count")]
# The options that may be lists in `compare`, with the symbols of their fields.
_SYMBOLS: Final = {field.option: f", {field.symbol}" for field in _SIZES}
# The value that a hint gives where the text has no number.
_EXAMPLES: Final = {field.option: field.default for field in _SIZES} | {"--limit": 10}
