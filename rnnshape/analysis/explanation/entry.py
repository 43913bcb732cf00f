"""The form of an entry: one mistake, its messages, and what decides between its causes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.conditions import Condition, always, never
from rnnshape.analysis.explanation.records import Comparison
from rnnshape.analysis.explanation.wording import Wording

Numbers = Mapping[str, Any]


def compared(
    place: str,
    expected: str = "expected",
    got: str = "got",
    *,
    title: str = "",
    labels: tuple[str, str] = ("expected", "got"),
) -> Callable[[Clues], Comparison]:
    """The comparison of two numbers, by their names, that belong to one place."""
    return lambda clues: Comparison(
        title=title.format_map(clues.numbers),
        places=(place.format_map(clues.numbers),),
        expected=(clues[expected],),
        got=(clues[got],),
        labels=labels,
    )


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One cause of a mistake. `{name}` in its texts stands for a number or a name of the layer."""

    why: str  # a sentence
    tell: str = ""  # a sentence: what to print, or to look at, to know
    fix: str = ""  # lines of Python
    when: Condition = always  # whether the text allows it
    likely: Condition = never  # whether the text speaks for it: it comes first
    certain: Condition = never  # whether the text proves it: the only one


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One mistake. `{name}` in texts stands for a number or a name of the layer."""

    mistake: str  # a name that stays: "state-batch"
    wordings: tuple[Wording, ...]
    meaning: str  # one sentence
    causes: tuple[Cause, ...]  # the commonest first
    provoked_by: tuple[str, ...] = ()  # statements that raise it on a CPU; `z` is torch.zeros
    source: str = ""  # where PyTorch raises it, if no CPU does
    read: Callable[[Clues], Numbers | None] | None = None  # what follows; None: not this mistake
    compare: Callable[[Clues], Comparison | None] | None = None
    notes: tuple[str, ...] = ()
    more: str = ""  # a command line that shows more
    generic: bool = False  # whether code without a tensor raises the same message
