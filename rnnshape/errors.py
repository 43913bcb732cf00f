"""Exceptions that say what was given, what was expected and what to do, and words for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any, Final, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

_LONGEST_ECHO: Final = 60


class RequestError(ValueError):
    """A request that cannot be met: its words, its sizes, or the machine it asks for.

    `problem` names what was given and what was expected, `hint` what to do about it; both are
    one line without a final full stop. `suggested` are arguments that would do, by name: the hint
    has their places, `"{proj_size} saves parameters"`, or consists of them where none is given.
    Whoever shows the error writes them as they are given there: in Python `proj_size=31`.
    """

    def __init__(self, problem: str, *, hint: str | None = None, **suggested: object) -> None:
        self.problem = problem
        self._hint = hint
        self._suggested = suggested
        super().__init__(f"{problem} ({self.hint})")

    @property
    def hint(self) -> str:
        """What to do about it, in Python's words."""
        return self.hint_as(lambda name, value: f"{name}={value!r}", between=", ")

    def hint_as(self, write: Callable[[str, object], str], *, between: str) -> str:
        """What to do about it, with each suggested argument as `write` gives it."""
        written = {name: write(name, value) for name, value in self._suggested.items()}
        if self._hint is None:
            return between.join(written.values())
        return self._hint.format(**written) if written else self._hint

    def retold(self, problem: str) -> RequestError:
        """The same advice on a problem told in other words."""
        return RequestError(problem, hint=self._hint, **self._suggested)

    @property
    def errors(self) -> tuple[RequestError, ...]:
        """Each thing that is wrong: this one, or several that are told at once."""
        return (self,)

    def __reduce__(self) -> tuple[Callable[..., RequestError], tuple[Any, ...]]:
        """How `pickle` makes it again: an error crosses a process pool in this way."""
        return _request_error, (self.problem, self._hint, self._suggested)


class PlacedError(RequestError):
    """Something that is wrong at a line of a file; `name` is what the line is about."""

    def __init__(
        self,
        error: RequestError,
        *,
        file: str,
        line: int,
        column: int | None = None,
        name: str | None = None,
    ) -> None:
        self.file, self.line, self.name = file, line, name
        place = f"{file}:{line}" if column is None else f"{file}:{line}:{column}"
        subject = "" if name is None else f"{quoted(name)}: "
        super().__init__(f"{place}: {subject}{error.problem}", hint=error.hint)


class RequestErrors(RequestError):  # noqa: N818 - there are several
    """Several things that are wrong, told at once; the first stands for them all."""

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
    """What a function makes of each; all are tried. Raises RequestErrors with all it raised."""
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


def _request_error(problem: str, hint: str | None, suggested: dict[str, object]) -> RequestError:
    return RequestError(problem, hint=hint, **suggested)


def nearest(text: str, choices: Iterable[str]) -> str:
    """The choice most like `text`, or one that it begins, or the first."""
    from difflib import get_close_matches  # needed for errors alone

    known = list(choices)
    begun = [choice for choice in known if text and choice.startswith(text)]
    return next(iter(get_close_matches(text, known, n=1) + begun), known[0])


def quoted(text: str) -> str:
    """What the user wrote, on one line, short enough and without control characters."""
    shown = text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}..."
    plain = shown.isprintable() and shown.strip() == shown and shown != ""
    return shown if plain else ascii(shown)


def printable(text: str) -> str:
    r"""The text on one line, with what a terminal would obey as Python writes it: `\x1b`, `\n`.

    Names from a file may hold anything, lone surrogates too, which no file can be written with.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def written(value: object) -> str:
    """A value as Python writes it, as short as `quoted`."""
    try:
        return quoted(repr(value))
    except Exception:  # noqa: BLE001 - Python writes no int of over 4,300 digits; any __repr__ may fail
        return f"a value of type {type(value).__name__} that cannot be written"


def word(given: str | PurePath) -> str:
    """One word of a command that a shell reads as what was given: whole, and on one line.

    A path that begins with a dash is begun with `./`, since it would be read as an option.
    """
    import shlex  # needed for errors alone

    text = str(given)
    if isinstance(given, PurePath) and text.startswith("-"):
        text = f"./{text}"
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_in_bash, text))}'"


def _in_bash(letter: str) -> str:
    """A letter between `$'` and `'`; a lone surrogate is a byte of a name that is no UTF-8."""
    code = ord(letter)
    if letter in "\\'":
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
