"""What an entry's causes depend on: conditions of a text, and of the numbers of its message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rnnshape.analysis.explanation.clues import Clues

Condition = Callable[[Clues], bool]


def always(_clues: Clues) -> bool:
    """The condition of what every text of an entry allows."""
    return True


def never(_clues: Clues) -> bool:
    """The condition of what no text makes more likely."""
    return False


def mentions(*words: str) -> Condition:
    """The condition of what a text allows that has one of these words."""
    return lambda clues: clues.mentions(*words)


def in_parallel(clues: Clues) -> bool:
    """The condition of what happens only to a model that runs on several devices."""
    return clues.parallel


def holds(name: str) -> Condition:
    """The condition of what needs this number, known and neither 0, empty nor False."""
    return lambda clues: bool(clues.get(name))


def equals(name: str, *values: Any) -> Condition:
    """The condition of what needs this number to be one of these values."""
    return lambda clues: clues.get(name) in values


def twice(larger: str, smaller: str) -> Condition:
    """The condition of what needs one number to be twice another, which is not 0."""
    return lambda clues: clues[larger] == 2 * clues[smaller] > 0


def both(*conditions: Condition) -> Condition:
    """The condition of what needs all of these."""
    return lambda clues: all(condition(clues) for condition in conditions)


def either(*conditions: Condition) -> Condition:
    """The condition of what needs one of these."""
    return lambda clues: any(condition(clues) for condition in conditions)


def unless(condition: Condition) -> Condition:
    """The condition of what needs this one not to hold."""
    return lambda clues: not condition(clues)
