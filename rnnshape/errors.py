"""Errors that say what was given, what was expected and what to do; and how to quote and count."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import PurePath
from typing import Any, Final, NamedTuple, TypeVar

from rnnshape.words import PYTHON, Words

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

_LONGEST_ECHO: Final = 60
# Of difflib's ratio: below it are pairs such as `seed` and `seq`, `depth` and `dtype`.
_ALIKE: Final = 0.8
_SHORTEST: Final = 3  # of the beginning of a word


class Message(NamedTuple):
    """A problem and what to do about it, one line each, in the words of one front end."""

    problem: str
    hint: str


class RequestError(ValueError):
    """A request that cannot be met.

    `problem` says what was given and what was expected, `hint` what to do about it; each is one
    line without a final full stop. `fields` are values by the names of `rnnshape.fields`. Both
    texts may refer to them, since each front end writes a field in its own way: `{proj_size}` is
    the field with its value (`--proj 31`, `proj_size=31`), `{proj_size:name}` its name alone.
    Each `{}` stands for the next of `quotes`, texts in which braces are just braces, as in whatever
    the user gave. Without a hint the fields are the hint.
    """

    _errors: tuple[RequestError, ...] = ()

    def __init__(
        self, problem: str, *quotes: str, hint: str | None = None, **fields: object
    ) -> None:
        self._problem = problem
        self._quotes = quotes
        self._hint = hint
        self.fields: Mapping[str, Any] = fields
        super().__init__(f"{self.problem} ({self.hint})")

    @property
    def problem(self) -> str:
        """What is wrong, in Python's words."""
        return self.message(PYTHON).problem

    @property
    def hint(self) -> str:
        """What to do about it, in Python's words."""
        return self.message(PYTHON).hint

    def message(self, words: Words) -> Message:
        """The problem and the hint in the words of a front end."""
        quotes = iter(self._quotes)

        def replaced(reference: re.Match[str]) -> str:
            name, name_alone = reference.groups()
            if name is None:
                return next(quotes, reference[0])
            if name not in self.fields:
                return reference[0]
            return words.name(name) if name_alone else words.field(name, self.fields[name])

        problem = _REFERENCE.sub(replaced, self._problem)
        if self._hint is None:
            return Message(problem, words.fields(self.fields))
        return Message(problem, _REFERENCE.sub(replaced, self._hint))

    def written_in(self, words: Words) -> RequestError:
        """The same error in these words, whichever front end shows it."""
        return RequestError("{}", *self.message(words), hint="{}", **self.fields)

    def behind(self, place: str) -> RequestError:
        """The same error, its problem preceded by `place`, the name of what it is about, if any."""
        if not place:
            return self
        problem = f"{{}}: {self._problem}"
        return RequestError(problem, place, *self._quotes, hint=self._hint, **self.fields)

    @property
    def errors(self) -> tuple[RequestError, ...]:
        """The error itself, or each of those that are reported together."""
        return self._errors or (self,)

    def __reduce__(self) -> tuple[Callable[..., RequestError], tuple[Any, ...]]:
        """How `pickle` rebuilds the error, for example to hand it to another process."""
        rebuilt = partial(
            RequestError, self._problem, *self._quotes, hint=self._hint, **self.fields
        )
        return rebuilt, ()


_REFERENCE: Final = re.compile(r"\{\}|\{([a-z_]+)(:name)?\}")


class PlacedError(RequestError):
    """An error at a line of a file; `name` is what the line is about.

    `unplaced` is the message without the line.
    """

    def __init__(  # noqa: PLR0913 - the parts of a place
        self,
        error: RequestError,
        *,
        file: str,
        line: int,
        column: int | None = None,
        name: str | None = None,
        words: Words = PYTHON,
    ) -> None:
        self.file, self.line, self.name = file, line, name
        place = f"{file}:{line}" if column is None else f"{file}:{line}:{column}"
        about = "" if name is None else f"{quoted(name)}: "
        self.unplaced = error.message(words)
        super().__init__(f"{place}: {about}{self.unplaced.problem}", hint=self.unplaced.hint)


class RequestErrors(RequestError):  # noqa: N818 - there are several
    """Several errors, reported together; `problem` and `hint` are those of the first."""

    def __init__(self, errors: Iterable[RequestError]) -> None:
        each = [single for error in errors for single in error.errors]
        super().__init__(each[0].problem, hint=each[0].hint)
        self._errors = tuple(each)

    def __str__(self) -> str:
        return "\n".join(map(str, self._errors))

    def __reduce__(self) -> tuple[Callable[..., RequestError], tuple[Any, ...]]:
        """How `pickle` rebuilds the error."""
        return RequestErrors, (self._errors,)


def gathered(function: Callable[[_Given], _Made], given: Iterable[_Given]) -> list[_Made]:
    """The function's results. All items are tried before RequestErrors reports what went wrong."""
    made: list[_Made] = []
    problems: list[RequestError] = []
    for each in given:
        try:
            made.append(function(each))
        except RequestError as error:  # noqa: PERF203 - each of them may be wrong
            problems.append(error)
    if problems:
        raise RequestErrors(problems)
    return made


def near(text: str, choices: Iterable[str], *, alike: float = _ALIKE) -> str | None:
    """The choice that `text` is a misspelling or the beginning of, or None: a guess misleads."""
    from difflib import get_close_matches  # only errors need it

    known = list(choices)
    if found := get_close_matches(text, known, n=1, cutoff=alike):
        return found[0]
    begun = [choice for choice in known if len(text) >= _SHORTEST and choice.startswith(text)]
    swapped = [choice for choice in known if sorted(choice) == sorted(text)]
    return next(iter(swapped + begun * (len(begun) == 1)), None)


def quoted(text: str) -> str:
    """The user's text on one line, cut short where it is long, control characters escaped."""
    shown = text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}..."
    plain = shown.isprintable() and shown.strip() == shown and shown != ""
    return shown if plain else ascii(shown)


def printable(text: str) -> str:
    r"""The text on one line, control characters escaped as in Python: `\x1b`, `\n`.

    Names from a file may contain anything, even lone surrogates, which cannot be encoded.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def written(value: object) -> str:
    """The value's `repr`, cut short like `quoted`."""
    try:
        return quoted(repr(value))
    except Exception:  # noqa: BLE001 - an int may have too many digits; any __repr__ may fail
        return f"a value of type {type(value).__name__} that cannot be printed"


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its type where it has none."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def counted(count: int, what: str) -> str:
    """`1,024 tensors`, `1 tensor`."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def word(given: str | PurePath) -> str:
    """The text quoted as one word for a shell, on one line.

    A path that begins with a dash gets `./` before it, or it would be read as an option.
    """
    import shlex  # only some requests quote a word

    text = str(given)
    if isinstance(given, PurePath) and text.startswith("-"):
        text = f"./{text}"
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_in_bash, text))}'"


def _in_bash(letter: str) -> str:
    """A letter between `$'` and `'`; a lone surrogate stands for a byte that is not UTF-8."""
    code = ord(letter)
    if letter in "\\'":
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
