"""The errors and warnings that a text holds: a message, a traceback, a log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from rnnshape.analysis.explanation.wording import normalised
from rnnshape.computed import cached_property

# Of a longer text the end is read: what was raised last stands there.
_MOST_TEXT: Final = 16_000_000
_MOST_STATEMENTS: Final = 200
_MOST_NAMED: Final = 20_000  # lines in which a name may be that of an exception
_MOST_LINES: Final = 400  # of one message: a line for each weight of a large model
_MOST_LETTERS: Final = 100_000
_MOST_BARE: Final = 200  # lines that name no exception
# A text without the name of an exception is taken for a message where it is no longer than this.
_SHORT: Final = 2_000

_ESCAPES: Final = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
# What shows that a line holds a traceback as a string of JSON: one of a log, or of a notebook.
_ENCODED: Final = (r"Traceback (most recent call last):\n", r"\u001b[")
# What tools write before each line: pytest, torchrun, docker, a quotation.
_MARGIN: Final = re.compile(r"(?:E {2,}|\[(?:rank|default)\d+\]:\s?|[\w.-]+ +\| |(?:> ?)+)")
_RAISED: Final = re.compile(
    r"(?:^|(?<=[\s:>|(\[\"'-]))(?P<name>(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Warning|Exit"
    r"|Interrupt|Iteration)|(?:[A-Za-z_]\w*\.)*Unsupported|(?:[A-Za-z_]\w*\.)+error)"
    r"(?::(?=\s|$)|$)"
)
_STATEMENT: Final = re.compile(r"\b(?:raise|except)\s+$")
# What ends a message where another one does not begin.
_END: Final = re.compile(
    r"Traceback \(most recent call last\)|(?:During handling of|The above) (?:the above )?exception"
    r"|={5,}|-{5,}|_{5,}|Original Traceback"
)
_WORDS: Final = (
    "Error",
    "Exception",
    "Warning",
    "Exit",
    "Interrupt",
    "Iteration",
    "Unsupported",
    ".error",
)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A message as it was raised or warned."""

    name: str  # of the exception, without its module; "" where the text has none
    message: str  # normalised
    number: int  # of its line

    @property
    def bare(self) -> bool:
        """Whether it is a line that names no exception, which need not be a message."""
        return not self.name

    @property
    def warning(self) -> bool:
        """Whether it was only warned."""
        return self.name.endswith("Warning")

    @property
    def line(self) -> str:
        """The statement on one line, no longer than a person reads."""
        text = f"{self.name}: {self.message}" if self.message and self.name else self.message
        text = text or self.name
        return text if len(text) <= 300 else f"{text[:297]}..."


class Text:
    """A text by lines, without what its surroundings added to them."""

    def __init__(self, text: str) -> None:
        if "\x1b" in text:
            text = _ESCAPES.sub("", text)
        self.lines = text[-_MOST_TEXT:].replace("\0", "").splitlines()
        if any(mark in text for mark in _ENCODED):
            self.lines = [part for line in self.lines for part in _decoded(line)]

    def raised(self) -> list[Statement]:
        """What was raised, the last first; then what was warned."""
        found = list(self._named())
        return sorted(found, key=lambda each: each.warning)

    def around(self, statement: Statement) -> str:
        """The lines about a statement, whose code and names tell more than the message does."""
        first = max(0, statement.number - _MOST_LINES)
        before = "\n".join(map(_line, self.lines[first : statement.number]))
        after = "\n".join(map(_line, self.lines[statement.number : statement.number + _MOST_LINES]))
        return f"{before[-_MOST_LETTERS:]}\n{after[:_MOST_LETTERS]}"

    def _named(self) -> Iterator[Statement]:
        end, count = len(self.lines), 0
        numbers = range(len(self.lines) - 1, -1, -1)
        named = (n for n in numbers if any(word in self.lines[n] for word in _WORDS))
        for number in islice(named, _MOST_NAMED):
            line = _line(self.lines[number])
            found = _RAISED.search(line)
            if found is None or _is_code(line, found):
                continue
            message = [line[found.end() :], *self._following(number, end)]
            yield Statement(
                name=found["name"].rpartition(".")[2], message=_joined(message), number=number
            )
            end, count = number, count + 1
            if count == _MOST_STATEMENTS:
                return

    def _following(self, number: int, end: int) -> Iterator[str]:
        """The lines after one that begins a message, as far as they may belong to it."""
        for line in map(_line, self.lines[number + 1 : min(end, number + _MOST_LINES)]):
            if _END.match(line):
                return
            yield line

    def bare(self) -> Iterator[Statement]:
        """Each of the last lines, with some that follow: it may be a message. The last first."""
        end = len(self.lines)
        for number in range(end - 1, max(-1, end - _MOST_BARE - 1), -1):
            if self.lines[number].strip():
                rest = self.lines[number : min(end, number + 10)]
                yield Statement(name="", message=_joined(map(_line, rest)), number=number)

    @cached_property
    def tail(self) -> str:
        """Everything that `bare` takes its statements from, normalised."""
        return _joined(map(_line, self.lines[-_MOST_BARE:]))

    @cached_property
    def short(self) -> bool:
        """Whether the text is no more than a message with a few words around it."""
        return len(self.lines) <= 10 and sum(map(len, self.lines)) <= _SHORT


def _decoded(line: str) -> list[str]:
    """The lines of a line that holds a string of JSON; other lines as they are."""
    if not any(mark in line for mark in _ENCODED):
        return [line]
    if _ENCODED[1] in line:
        line = re.sub(r"\\u001b\[[0-9;]*m", "", line)
    line = line.replace("\\\\", "\0").replace("\\n", "\n").replace('\\"', '"')
    return line.replace("\0", "\\").splitlines()


def _is_code(line: str, found: re.Match[str]) -> bool:
    """Whether the name of an exception stands in code that raises or catches it."""
    return found.end() == len(line) and _STATEMENT.search(line, 0, found.start()) is not None


def _line(line: str) -> str:
    margin = _MARGIN.match(line)
    return line[margin.end() :] if margin else line


def _joined(lines: Iterable[str]) -> str:
    return normalised("\n".join(lines)[:_MOST_LETTERS])
