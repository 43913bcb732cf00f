"""Exceptions that say what was given, what was expected and what to do, and words for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

_LONGEST_ECHO: Final = 60


class RequestError(ValueError):
    """A request that cannot be met: its words, its sizes, or the machine it asks for.

    `problem` names what was given and what was expected, `hint` what to do about it; both are
    one line without a final full stop.
    """

    def __init__(self, problem: str, *, hint: str) -> None:
        super().__init__(f"{problem} ({hint})")
        self.problem = problem
        self.hint = hint

    @property
    def errors(self) -> tuple[RequestError, ...]:
        """Each thing that is wrong: this one, or several that are told at once."""
        return (self,)

    def __reduce__(self) -> tuple[Callable[..., RequestError], tuple[Any, ...]]:
        """How `pickle` makes it again: an error crosses a process pool in this way."""
        return _request_error, (self.problem, self.hint)


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


def _request_error(problem: str, hint: str) -> RequestError:
    return RequestError(problem, hint=hint)


def nearest(text: str, choices: Iterable[str]) -> str:
    """The choice most like `text`, or one that it begins, or the first."""
    from difflib import get_close_matches  # slow to import, and needed for mistakes alone

    known = list(choices)
    begun = [choice for choice in known if text and choice.startswith(text)]
    return next(iter(get_close_matches(text, known, n=1) + begun), known[0])


def quoted(text: str) -> str:
    """What the user wrote, on one line, short enough and without control characters."""
    shown = text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}..."
    plain = shown.isprintable() and shown.strip() == shown and shown != ""
    return shown if plain else ascii(shown)
