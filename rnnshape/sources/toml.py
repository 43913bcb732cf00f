"""TOML with places: what a document says, and where in the text it says it.

The parsers of TOML keep no places, or take ten times as long to keep them; errors name a line,
and what rewrites a value must leave all else as it is.
"""

from __future__ import annotations

import re
import sys
from ast import literal_eval
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeAlias

from rnnshape.errors import RequestError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KeyPath: TypeAlias = tuple["str | int", ...]  # ("modules", "encoder", "expect", 0)

_MARK: Final = "\ufeff"  # some editors begin a file with it; TOML knows no such character
_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t\r\ufeff]+|\#[^\n]*)
    |(?P<newline>\n)
    |(?P<text>\"{3}(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}
        |'{3}(?:[^']|'{1,2}(?!'))*'{3,5}
        |"(?:[^"\\]|\\.)*"
        |'[^']*')
    |(?P<mark>[][{}=,.])
    |(?P<word>[^][{}=,."'\s\#]+)""",
    re.VERBOSE | re.DOTALL,
)
_LAST_PLACE: Final = re.compile(r" \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)$")
_TWICE: Final = re.compile(
    r"Cannot (?:declare|redefine namespace|mutate immutable namespace) (\(.*\))(?: twice)?",
    re.DOTALL,
)


class Span(NamedTuple):
    """Where a key's value, or the header of a table, stands in the text."""

    start: int
    end: int


class _Token(NamedTuple):
    kind: str  # "newline", "text", "mark", "word", or "end"
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """A TOML document that is well formed; `values` is what it says."""

    text: str  # as it is in the file, with its line ends and its byte order mark, if any
    file: str
    values: Mapping[str, Any]
    spans: Mapping[KeyPath, Span]  # of each value; of a table, where it is first spoken of

    @classmethod
    def of(cls, text: str, file: str) -> Document:
        """Parse `text`. Raises RequestError that names line and column."""
        try:
            values = tomllib.loads(text.removeprefix(_MARK))
            return cls(text, file, values, _Scanner(text).spans())
        except RecursionError as error:
            raise RequestError(
                f"{file}: its arrays or tables are nested too deeply",
                hint="a module has no more than an array within its table",
            ) from error
        except ValueError as error:  # tomllib's own, and a number of too many digits
            raise _syntax_problem(str(error), text, file) from error

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
    if match is None:  # a number of too many digits, which Python's own words tell of
        return RequestError(
            f"{file}: {message[:1].lower()}{message[1:].partition(';')[0]}",
            hint="give a smaller number",
        )
    line, column = match.groups()
    if line is None:
        lines = text.split("\n")
        line, column = str(len(lines)), str(len(lines[-1]) + 1)
    place, what = f"{file}:{line}:{column}", message[: match.start()]
    if twice := _TWICE.fullmatch(what):
        name = ".".join(literal_eval(twice[1]))
        return RequestError(
            f"{place}: [{name}] is there already", hint="one table a name; give it another"
        )
    if what == "Cannot overwrite a value":
        return RequestError(f"{place}: this key has a value already", hint="give each key once")
    return RequestError(
        f"{place}: {what[:1].lower()}{what[1:]}",
        hint="correct the TOML there; all else is checked once it can be read",
    )


class _Scanner:
    """Walks a text that is known to be TOML, noting where each value is."""

    def __init__(self, text: str) -> None:
        self._tokens = [
            _Token(match.lastgroup or "", match[0], match.start(), match.end())
            for match in _TOKEN.finditer(text)
            if match.lastgroup != "blank"
        ]
        self._tokens.append(_Token("end", "", len(text), len(text)))
        self._next = 0
        self._spans: dict[KeyPath, Span] = {}
        self._count: Counter[KeyPath] = Counter()  # elements of arrays of tables

    def spans(self) -> Mapping[KeyPath, Span]:
        table: KeyPath = ()
        while self._peek().kind != "end":
            if self._peek().kind == "newline":
                self._take()
            elif self._peek().text == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._spans

    def _header(self) -> KeyPath:
        """`[a.b]`, or `[[a.b]]`, which is another element of a.b."""
        start = self._take().start
        of_array = self._peek().text == "["
        if of_array:
            self._take()
        path = self._within_arrays(self._keys("]"))
        if of_array:
            self._take()
            self._count[path] += 1
            path = (*path, self._count[path] - 1)
        self._note(path, start, self._tokens[self._next - 1].end)
        return path

    def _within_arrays(self, keys: KeyPath) -> KeyPath:
        """The path of a header: where it leads through an array of tables, into the last."""
        path: KeyPath = ()
        for key in keys[:-1]:
            path = (*path, key)
            if path in self._count:
                path = (*path, self._count[path] - 1)
        return (*path, keys[-1])

    def _pair(self, table: KeyPath) -> None:
        path = (*table, *self._keys("="))
        self._value(path)

    def _keys(self, end: str) -> KeyPath:
        """The keys before a mark, which is taken too: `a."b.c" =`."""
        keys: list[str] = []
        while (token := self._take()).text != end or token.kind != "mark":
            if token.kind == "text":
                keys.append(tomllib.loads(f"key = {token.text}")["key"])
            elif token.kind == "word":
                keys.append(token.text)
        return tuple(keys)

    def _value(self, path: KeyPath) -> None:
        start = self._peek().start
        if self._peek().kind == "mark" and self._peek().text in "[{":
            self._nested(path, self._take().text)
        else:
            self._take()
            while self._peek().kind == "word" or self._peek().text == ".":  # a number, a date
                self._take()
        end = self._tokens[self._next - 1].end
        self._note(path, start, end)
        self._spans[path] = Span(start, end)  # what is within it was noted before it

    def _nested(self, path: KeyPath, opening: str) -> None:
        """What an array or an inline table holds, and its closing mark."""
        index = 0
        while (token := self._peek()).kind != "mark" or token.text not in "]}":
            if token.kind == "newline" or token.text == ",":
                self._take()
            elif opening == "[":
                self._value((*path, index))
                index += 1
            else:
                self._pair(path)
        self._take()

    def _note(self, path: KeyPath, start: int, end: int) -> None:
        for depth in range(1, len(path)):
            self._spans.setdefault(path[:depth], Span(start, end))
        self._spans.setdefault(path, Span(start, end))

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        self._next += 1
        return self._tokens[self._next - 1]
