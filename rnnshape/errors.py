"""Exceptions that say what was given, what was expected and what to do."""

from __future__ import annotations

from collections.abc import Callable


class RequestError(ValueError):
    """A request that cannot be met: its words, its sizes, or the machine it asks for.

    `problem` names what was given and what was expected, `hint` what to do about it; both are
    one line without a final full stop.
    """

    def __init__(self, problem: str, *, hint: str) -> None:
        super().__init__(f"{problem} ({hint})")
        self.problem = problem
        self.hint = hint

    def __reduce__(self) -> tuple[Callable[[str, str], RequestError], tuple[str, str]]:
        """How `pickle` makes it again: an error crosses a process pool in this way."""
        return _request_error, (self.problem, self.hint)


def _request_error(problem: str, hint: str) -> RequestError:
    return RequestError(problem, hint=hint)
