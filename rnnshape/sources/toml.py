"""TOML with places: what a document says, and where in the text it says it.

Errors name a line, and rewriting a value must leave everything else as it is. TOML parsers either
do not record places, or take ten times as long to do so.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from rnnshape.computed import cached_property
from rnnshape.errors import PlacedError, RequestError, word

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KeyPath: TypeAlias = tuple["str | int", ...]  # ("modules", "encoder", "expect", 0)

_MARK: Final = "\ufeff"  # some editors begin a file with it; TOML does not allow it
# A token includes the blanks after it, so that the lengths of all tokens add up to that of the
# text. A dot is part of a word: of a key `a.b`, of a number.
_TOKEN: Final = re.compile(
    r"""(?:\"{3}(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}
        |'{3}(?:[^']|'{1,2}(?!'))*'{3,5}
        |"(?:[^"\\\n]|\\[^\n])*"
        |'[^'\n]*'
        |[][{}=,]
        |[^][{}=,"'\s\#\ufeff]+
        )[ \t\r]*
    |\n[ \t\r\n]*
    |\#[^\n]*
    |.""",
    re.VERBOSE | re.DOTALL,
)
_BLANKS: Final = " \t\r"
_MARKS: Final = "[]{}=,\n#"  # the first characters of tokens that end a number or a date
_LAST_PLACE: Final = re.compile(r" \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)$")


class Extent(NamedTuple):
    """Where a value, or the header of a table, stands in the text."""

    start: int
    end: int


@dataclass(frozen=True)
class TOMLText:
    """A well-formed TOML document; `values` is what it says."""

    text: str  # as it is in the file, with its line ends and its byte order mark, if any
    file: str
    values: Mapping[str, Any]
    spans: Mapping[KeyPath, Extent]  # of a table: where it is first mentioned

    @classmethod
    def of(cls, text: str, file: str) -> TOMLText:
        """Parse `text`. Raises RequestError, which names the line and the column."""
        try:
            values = tomllib.loads(text.removeprefix(_MARK))
            return cls(text, file, values, _Scanner(text).spans())
        except RecursionError as error:
            raise RequestError(
                f"{file}: arrays or tables are nested too deeply",
                hint="a module needs at most an array within its table",
            ) from error
        except ValueError as error:
            raise _syntax_problem(str(error), text, file) from error

    @cached_property
    def word(self) -> str:
        """The file as a word of a shell command."""
        return word(Path(self.file))

    def line(self, path: KeyPath) -> int:
        """The line, from 1, of the value at `path`, or of the nearest table around it."""
        while path and path not in self.spans:
            path = path[:-1]
        return bisect_right(self._newlines, self.spans[path].start) + 1 if path else 1

    @cached_property
    def _newlines(self) -> list[int]:
        return [match.start() for match in re.finditer("\n", self.text)]


def _syntax_problem(message: str, text: str, file: str) -> RequestError:
    match = _LAST_PLACE.search(message)
    if match is None:  # Python limits the digits of an integer, and does not say where it stands
        return RequestError(f"{file}: an integer has too many digits", hint="give a smaller number")
    line, column = match.groups()
    if line is None:
        lines = text.split("\n")
        line, column = str(len(lines)), str(len(lines[-1]) + 1)
    what = message[: match.start()]
    error = RequestError(
        f"{what[:1].lower()}{what[1:]}",
        hint="correct the TOML there; the rest is checked once it can be read",
    )
    return PlacedError(error, file=file, line=int(line), column=int(column))


class _Scanner:
    """Walks through a text that is known to be TOML, noting where each value is."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._starts = [0, *accumulate(map(len, self._tokens))]
        self._tokens.append("\n")
        self._next = 0
        self._spans: dict[KeyPath, Extent] = {}
        self._count: Counter[KeyPath] = Counter()  # elements of arrays of tables

    def spans(self) -> Mapping[KeyPath, Extent]:
        table: KeyPath = ()
        last = len(self._tokens) - 1
        while self._next < last:
            first = self._tokens[self._next][0]
            if first == "[":
                table = self._header()
            elif first in "\n# \t\r\ufeff":
                self._next += 1
            else:
                self._pair(table)
        return self._spans

    def _header(self) -> KeyPath:
        """`[a.b]`, or `[[a.b]]`, which is another element of a.b."""
        start = self._starts[self._next]
        self._next += 1
        of_array = self._tokens[self._next][0] == "["
        self._next += of_array
        path = self._within_arrays(self._keys("]"))
        if of_array:
            self._next += 1
            self._count[path] += 1
            path = (*path, self._count[path] - 1)
        span = self._span(start)
        for depth in range(1, len(path) + 1):
            self._spans.setdefault(path[:depth], span)
        return path

    def _within_arrays(self, keys: KeyPath) -> KeyPath:
        """The path of a header, which means the last table of each array of tables on its way."""
        path: KeyPath = ()
        for key in keys[:-1]:
            path = (*path, key)
            if path in self._count:
                path = (*path, self._count[path] - 1)
        return (*path, keys[-1])

    def _pair(self, table: KeyPath) -> None:
        path = (*table, *self._keys("="))
        span = self._value(path)
        for depth in range(len(table) + 1, len(path)):
            self._spans.setdefault(path[:depth], span)

    def _keys(self, end: str) -> KeyPath:
        """The keys before the token `end`, which is consumed too: `a."b.c" =`."""
        keys: list[str] = []
        while (token := self._tokens[self._next])[0] != end:
            if token[0] in "\"'":
                keys.append(tomllib.loads(f"key = {token}")["key"])
            else:
                keys += filter(None, token.rstrip(_BLANKS).split("."))
            self._next += 1
        self._next += 1
        return tuple(keys)

    def _value(self, path: KeyPath) -> Extent:
        tokens, start = self._tokens, self._starts[self._next]
        first = tokens[self._next][0]
        self._next += 1
        if first in "[{":
            self._nested(path, first)
        else:
            while tokens[self._next][0] not in _MARKS:  # a date and its time are two tokens
                self._next += 1
        span = self._spans[path] = self._span(start)
        return span

    def _nested(self, path: KeyPath, opening: str) -> None:
        """The contents of an array or an inline table, and its closing bracket."""
        index = 0
        while (first := self._tokens[self._next][0]) not in "]}":
            if first in ",\n#":
                self._next += 1
            elif opening == "[":
                self._value((*path, index))
                index += 1
            else:
                self._pair(path)
        self._next += 1

    def _span(self, start: int) -> Extent:
        """From `start` to the end of the last token consumed."""
        last = self._tokens[self._next - 1]
        return Extent(start, self._starts[self._next] - len(last) + len(last.rstrip(_BLANKS)))
