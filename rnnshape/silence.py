"""Silencing Python's warnings, whose filters the whole process shares; and reading code so."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rnnshape.shared_change import SharedChange

if TYPE_CHECKING:
    import ast


@contextmanager
def _ignoring() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# Warnings are ignored in a block, `with silenced:`, and in a function, `@silenced`.
silenced: Final = SharedChange(_ignoring)


def module_of(code: str | bytes) -> ast.Module:
    """The syntax tree of Python code, without Python's advice on code such as `1if x`.

    Raises SyntaxError, and ValueError for a null character.
    """
    import ast

    with silenced:
        return ast.parse(code)


def expression_of(code: str) -> ast.expr:
    """The same of one expression."""
    import ast

    with silenced:
        return ast.parse(code, mode="eval").body
