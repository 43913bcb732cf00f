"""Refused requests: what was given, what was expected and what to do; and how to quote input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any, Final, NamedTuple, TypeVar

from rnnshape.words import PYTHON, Style, Words

Given = TypeVar("Given")
Made = TypeVar("Made")

_LONGEST_ECHO: Final = 60


class Told(NamedTuple):
    """A problem and what to do about it, in the words of one front end: a line each."""

    problem: str
    hint: str


class RequestError(ValueError):
    """A request that cannot be met: its words, its sizes, or the machine it asks for.

    `problem` says what was given and what was expected, `hint` what to do about it; each is one
    line without a final full stop. `fields` are values by the names of `rnnshape.fields`. Both
    texts may refer to them, since each front end writes a field in its own way: `{proj_size}` is
    the field with its value (`--proj 31`, `proj_size=31`), `{proj_size:name}` its name alone.
    Without a hint the fields are the hint.
    """

    def __init__(self, problem: str, *, hint: str | None = None, **fields: object) -> None:
        self._problem = problem
        self._hint = hint
        self.fields = fields
        self.layer: Style | None = None  # how the layer's own fields are written where it is
        super().__init__(f"{self.problem} ({self.hint})")

    @property
    def problem(self) -> str:
        """What is wrong, in Python's words."""
        return self._written(self._problem, PYTHON)

    @property
    def hint(self) -> str:
        """What to do about it, in Python's words."""
        return self.told(PYTHON).hint

    def told(self, words: Words) -> Told:
        """The problem and the hint in the words of a front end."""
        words = words._replace(layer=self.layer or words.layer)
        hint = self._hint
        if hint is None:
            settings = (words.setting(name, value) for name, value in self.fields.items())
            return Told(self._written(self._problem, words), words.between.join(settings))
        return Told(self._written(self._problem, words), self._written(hint, words))

    def behind(self, place: str) -> RequestError:
        """The same error, its problem behind the name of what it is about."""
        error = RequestError(f"{place}: {self._problem}", hint=self._hint, **self.fields)
        error.layer = self.layer
        return error

    @property
    def errors(self) -> tuple[RequestError, ...]:
        """Each thing that is wrong: this one, or several that are reported together."""
        return (self,)

    def _written(self, text: str, words: Words) -> str:
        def written(match: re.Match[str]) -> str:
            name, name_alone = match.groups()
            if name not in self.fields:  # braces of somebody else's
                return match[0]
            return words.name(name) if name_alone else words.setting(name, self.fields[name])

        return _REFERENCE.sub(written, text) if self.fields else text

    def __reduce__(self) -> tuple[Any, ...]:
        """How `pickle` makes it again: an error crosses a process pool in this way."""
        return _request_error, (self._problem, self._hint, self.fields), {"layer": self.layer}


_REFERENCE: Final = re.compile(r"\{([a-z_]+)(:name)?\}")


class PlacedError(RequestError):
    """Something that is wrong at a line of a file; `name` is what the line is about."""

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
        told = error.told(words)
        super().__init__(f"{place}: {about}{told.problem}", hint=told.hint)


class RequestErrors(RequestError):  # noqa: N818 - there are several
    """Several things that are wrong, reported together; the first one's text stands for all."""

    def __init__(self, errors: Iterable[RequestError]) -> None:
        each = [single for error in errors for single in error.errors]
        super().__init__(each[0].problem, hint=each[0].hint)
        self._errors = tuple(each)

    @property
    def errors(self) -> tuple[RequestError, ...]:
        """Each of them, in order."""
        return self._errors

    def __reduce__(self) -> tuple[Callable[..., RequestError], tuple[Any, ...]]:
        """How `pickle` makes it again."""
        return RequestErrors, (self._errors,)


def gathered(function: Callable[[Given], Made], given: Iterable[Given]) -> list[Made]:
    """The function's results. Every item is tried; raises RequestErrors with all that it raised."""
    made: list[Made] = []
    problems: list[RequestError] = []
    for each in given:
        try:
            made.append(function(each))
        except RequestError as error:  # noqa: PERF203 - each of them may be wrong
            problems.append(error)
    if problems:
        raise RequestErrors(problems)
    return made


def _request_error(problem: str, hint: str | None, fields: dict[str, object]) -> RequestError:
    return RequestError(problem, hint=hint, **fields)


def nearest(text: str, choices: Iterable[str]) -> str:
    """The choice most like `text`, else one that starts with it, else the first."""
    from difflib import get_close_matches  # only errors need it

    known = list(choices)
    begun = [choice for choice in known if text and choice.startswith(text)]
    return next(iter(get_close_matches(text, known, n=1) + begun), known[0])


def quoted(text: str) -> str:
    """The user's text on one line, cut short where it is long, control characters escaped."""
    shown = text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}..."
    plain = shown.isprintable() and shown.strip() == shown and shown != ""
    return shown if plain else ascii(shown)


def printable(text: str) -> str:
    r"""The text on one line, control characters escaped as in Python: `\x1b`, `\n`.

    Names that come from a file may hold anything, even lone surrogates, which cannot be encoded.
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


def word(given: str | PurePath) -> str:
    """The text quoted as one word for a shell, on one line.

    A path that begins with a dash gets `./` before it, since it would be read as an option.
    """
    import shlex  # only errors need it

    text = str(given)
    if isinstance(given, PurePath) and text.startswith("-"):
        text = f"./{text}"
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_in_bash, text))}'"


def _in_bash(letter: str) -> str:
    """A letter between `$'` and `'`; a lone surrogate is a byte of a name that is not UTF-8."""
    code = ord(letter)
    if letter in "\\'":
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
