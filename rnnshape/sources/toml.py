"""TOML with places: what a document says, and where in the text it says it.

The parsers of TOML keep no places, or take ten times as long to keep them; errors name a line,
and what rewrites a value must leave all else as it is.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, Final, NamedTuple, TypeAlias

from rnnshape.errors import PlacedError, RequestError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KeyPath: TypeAlias = tuple["str | int", ...]  # ("modules", "encoder", "expect", 0)

_MARK: Final = "\ufeff"  # some editors begin a file with it; TOML knows no such character
# With the blanks behind it, so that the lengths of all tokens add up to that of the text. A dot is
# part of a word: of a key `a.b`, of a number.
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
_MARKS: Final = "[]{}=,\n#"  # what tokens begin with that are no part of a key, a number or a date
_DECIMAL: Final = re.compile(r"[+-]?[0-9_]+")
# The parser's memory grows with the square of the parts of a key, and that of the places with the
# square of a value's depth.
_DEEPEST: Final = 100
_LAST_PLACE: Final = re.compile(r" \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)$")


class Span(NamedTuple):
    """Where a key's value, or the header of a table, stands in the text."""

    start: int
    end: int


@dataclass(frozen=True)
class TOMLText:
    """A TOML document that is well formed; `values` is what it says."""

    text: str  # as it is in the file, with its line ends and its byte order mark, if any
    file: str
    values: Mapping[str, Any]
    spans: Mapping[KeyPath, Span]  # of each value; of a table, where it is first spoken of

    @classmethod
    def of(cls, text: str, file: str) -> TOMLText:
        """Parse `text`. Raises RequestError that names line and column."""
        try:
            scanner = _Scanner(text, file)
            scanner.check_keys()
            values = tomllib.loads(text.removeprefix(_MARK))
            return cls(text, file, values, scanner.spans())
        except RequestError:
            raise
        except RecursionError as error:
            raise RequestError(f"{file}: {_TOO_DEEP.problem}", hint=_TOO_DEEP.hint) from error
        except MemoryError as error:
            raise RequestError(
                f"{file}: it takes more memory than there is", hint="split it, and check each part"
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
        return _Scanner(text, file).long_integer()
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


_TOO_DEEP: Final = RequestError(
    "arrays or tables are nested too deeply",
    hint="a module has no more than an array within its table",
)


class _Scanner:
    """Walks a text that is known to be TOML, noting where each value is."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._tokens = _TOKEN.findall(text)
        self._starts = [0, *accumulate(map(len, self._tokens))]
        self._tokens.append("\n")
        self._next = 0
        self._spans: dict[KeyPath, Span] = {}
        self._count: Counter[KeyPath] = Counter()  # elements of arrays of tables

    def check_keys(self) -> None:
        """Raise RequestError on a key of very many parts; the text may be anything."""
        key, parts = 0, 1
        for number, token in enumerate(self._tokens):
            if token[0] in _MARKS:
                key, parts = number + 1, 1
            elif token[0] not in "\"'":
                parts += token.count(".")
                if parts > _DEEPEST:
                    problem = f"a key of over {_DEEPEST} parts"
                    hint = "leave out dots, or quote the key"
                    raise self._at(key, RequestError(problem, hint=hint))

    def long_integer(self) -> RequestError:
        """What to say of an integer that has more digits than Python reads."""
        for number, token in enumerate(self._tokens):
            digits = sum(map(str.isdigit, token)) if _DECIMAL.fullmatch(token.rstrip()) else 0
            if digits > sys.get_int_max_str_digits() and self._tokens[number + 1][0] != "=":
                break
        problem = f"an integer of {digits:,} digits"
        return self._at(number, RequestError(problem, hint="give a smaller number"))

    def spans(self) -> Mapping[KeyPath, Span]:
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
        """The path of a header: where it leads through an array of tables, into the last."""
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
        """The keys before a mark, which is taken too: `a."b.c" =`."""
        keys: list[str] = []
        while (token := self._tokens[self._next])[0] != end:
            if token[0] in "\"'":
                keys.append(tomllib.loads(f"key = {token}")["key"])
            else:
                keys += filter(None, token.rstrip(_BLANKS).split("."))
            self._next += 1
        self._next += 1
        return tuple(keys)

    def _value(self, path: KeyPath) -> Span:
        if len(path) > _DEEPEST:
            raise self._at(self._next, _TOO_DEEP)
        tokens, start = self._tokens, self._starts[self._next]
        first = tokens[self._next][0]
        self._next += 1
        if first in "[{":
            self._nested(path, first)
        else:
            while tokens[self._next][0] not in _MARKS:  # the time behind a date and a blank
                self._next += 1
        span = self._spans[path] = self._span(start)
        return span

    def _nested(self, path: KeyPath, opening: str) -> None:
        """What an array or an inline table holds, and its closing mark."""
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

    def _span(self, start: int) -> Span:
        """From `start` to the end of the last token that was taken."""
        last = self._tokens[self._next - 1]
        return Span(start, self._starts[self._next] - len(last) + len(last.rstrip(_BLANKS)))

    def _at(self, number: int, error: RequestError) -> PlacedError:
        """What is wrong with a token, at its place."""
        start = self._starts[number]
        return PlacedError(
            error,
            file=self._file,
            line=self._text.count("\n", 0, start) + 1,
            column=start - self._text.rfind("\n", 0, start),
        )
