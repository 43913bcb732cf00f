"""Silencing Python's warnings, whose filters the whole process shares; and reading code so."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ast

_TURN: Final = RLock()
os.register_at_fork(
    before=_TURN.acquire, after_in_parent=_TURN.release, after_in_child=_TURN.release
)


@contextmanager
def silenced() -> Iterator[None]:
    """Ignore warnings, in one thread at a time, so that each leaves the filters as they were."""
    with _TURN, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def module_of(code: str | bytes) -> ast.Module:
    """The syntax tree of Python code, without Python's advice on code such as `1if x`.

    Raises SyntaxError, and ValueError for a null character.
    """
    import ast

    with silenced():
        return ast.parse(code)


def expression_of(code: str) -> ast.expr:
    """The same of one expression."""
    import ast

    with silenced():
        return ast.parse(code, mode="eval").body
