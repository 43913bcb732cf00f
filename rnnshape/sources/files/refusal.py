"""The errors of files that cannot be read."""

from __future__ import annotations

from rnnshape.errors import RequestError


def refusal(problem: str, hint: str) -> RequestError:
    """An error about a file, in whose texts braces are just braces.

    The problem goes on from the file's name and a colon, which the registry adds: "it is empty".
    """
    return RequestError("{}", problem, hint, hint="{}")


def cut_short(problem: str) -> RequestError:
    """An error about a file that is not whole."""
    return refusal(problem, "it is cut short or damaged: copy or download it again")
