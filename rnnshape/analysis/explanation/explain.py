"""Find the entry whose mistake a text reports, and put the numbers of the text into it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.entry import Cause, Entry
from rnnshape.analysis.explanation.mistakes import entries
from rnnshape.analysis.explanation.records import Explanation, Known, Remedy
from rnnshape.analysis.explanation.statements import Statement, Text
from rnnshape.analysis.explanation.wording import Wording

_MOST_OTHERS: Final = 3
_MOST_CAUSES: Final = 4
# "1 features" is "1 feature".
_ONE: Final = re.compile(
    r"(?<![\w.,])1 (feature|row|column|step|sequence|number|target|length|layer|dimension|weight"
    r"|direction|value|parameter)s\b"
)
_NEAR_LETTERS: Final = 400
_NEAR: Final = 0.6


def explain(text: str, known: Known | None = None) -> Explanation | None:
    """What the error that a text reports means; None where it is not recognised.

    The text is a message, a traceback or a log. Of several errors the last one raised is explained;
    where that is not known, the last known one.
    """
    lines, known = Text(text), known or Known()
    others: list[Statement] = []
    for statement in lines.raised():
        clues = Clues(statement, lines, known)
        entry = _entry(clues, anywhere=True)
        if entry is not None:
            beside = [other.line for other in others if not _repeats(other, statement)]
            return _explained(entry, clues, beside[:_MOST_OTHERS], known.tensors)
        others.append(statement)
    if _candidates(lines.tail.casefold()):
        for statement in lines.bare():
            clues = Clues(statement, lines, known)
            entry = _entry(clues, anywhere=lines.short)
            if entry is not None:
                beside = [other.line for other in others]
                return _explained(entry, clues, beside[:_MOST_OTHERS], known.tensors)
    return None


def _repeats(other: Statement, statement: Statement) -> bool:
    """Whether one statement repeats another without its message, or with a part of it."""
    part = other.message.partition("...")[0]
    return other.name == statement.name and statement.message.startswith(part)


def nearest(text: str) -> str:
    """The known message that the last error of an unrecognised text is most like; "" if none is."""
    lines = Text(text)
    statement = next(iter(lines.raised() or lines.bare()), None)
    if statement is None:
        return ""
    words = _words(statement.message[:_NEAR_LETTERS])
    likeness, template = max(
        (_likeness(words, _words(wording.template)), wording.template)
        for entry in entries()
        for wording in entry.wordings
    )
    return re.sub(r"\{\w+(?::\w+)?\}", "...", template) if likeness >= _NEAR else ""


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z_]{2,}", re.sub(r"\{.*?\}", "", text).casefold()))


def _likeness(these: frozenset[str], those: frozenset[str]) -> float:
    """The share of their words that both have, if the message is no single word."""
    return len(these & those) / len(these | those) if len(those) > 2 else 0.0


def _entry(clues: Clues, *, anywhere: bool) -> Entry | None:
    """The first entry whose wording the statement has, preferably at its beginning."""
    statement = clues.statement
    named = f"{statement.name}: {statement.message}" if statement.name else statement.message
    candidates = _candidates(named.casefold())
    for inside in (False, True) if anywhere else (False,):
        for text in dict.fromkeys((statement.message, named)):
            for entry, wording in candidates:
                numbers = wording.match(text, anywhere=inside)
                if numbers is not None and _applies(entry, clues, numbers):
                    return entry
    return None


def _candidates(folded: str) -> list[tuple[Entry, Wording]]:
    """The wordings that may be in a text, which is in lower case."""
    return [
        (entry, wording)
        for entry in entries()
        for wording in entry.wordings
        if wording.anchor in folded
    ]


def _applies(entry: Entry, clues: Clues, numbers: Mapping[str, Any]) -> bool:
    """Whether it is this mistake; then the clues have all its numbers."""
    if entry.generic and clues.foreign:
        return False
    clues.numbers = dict(numbers)
    more = {} if entry.read is None else entry.read(clues)
    if more is None:
        return False
    clues.numbers |= more
    return any(cause.when(clues) for cause in entry.causes)


def _explained(
    entry: Entry,
    clues: Clues,
    others: Sequence[str],
    tensors: Mapping[str, tuple[int, ...]],
) -> Explanation:
    values = {**clues.names, **clues.numbers}
    return Explanation(
        mistake=entry.mistake,
        error=clues.statement.line,
        meaning=_filled(entry.meaning, values),
        comparison=None if entry.compare is None else entry.compare(clues),
        causes=tuple(_remedies(entry.causes, clues, values)),
        notes=tuple(filter(None, (_filled(note, values) for note in entry.notes))),
        more=_possible(_filled(entry.more, values)),
        others=tuple(others),
        tensors=tensors,
    )


def _remedies(causes: Sequence[Cause], clues: Clues, values: Mapping[str, Any]) -> Iterator[Remedy]:
    """The causes that the text allows, first those that it speaks for; the one that it proves."""
    allowed = [cause for cause in causes if cause.when(clues)]
    proven = next((cause for cause in allowed if cause.certain(clues)), None)
    if proven is not None:
        yield Remedy(why=_filled(proven.why, values), fix=_filled(proven.fix, values))
        return
    likeliest = sorted(allowed, key=lambda cause: not cause.likely(clues))
    for cause in likeliest[:_MOST_CAUSES]:
        why, tell, fix = (_filled(text, values) for text in (cause.why, cause.tell, cause.fix))
        yield Remedy(why=why, tell=tell, fix=fix)


def _possible(command: str) -> str:
    """The command, unless a size of it is none: texts may hold any number."""
    return "" if re.search(r"--\w+ (?:0|-\d+)(?![\d.])", command) else command


def _filled(text: str, values: Mapping[str, Any]) -> str:
    """The text with its numbers; a shape is written as PyTorch's documentation writes it."""
    sentence = _ONE.sub(r"1 \1", text.format_map(values))
    begins = text.startswith("{often}") or sentence.startswith("the ")
    return sentence[:1].upper() + sentence[1:] if begins else sentence
