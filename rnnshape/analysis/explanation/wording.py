"""The wordings of a message: text with places for what differs, and how they are found.

`Expected hidden[{entry:int}] size {expected:shape}, got {got:shape}` is a message as PyTorch writes
it. Space, backticks and the kind of brackets around a shape do not count, nor does case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from rnnshape.computed import cached_property

_PLACE: Final = re.compile(r"\{(\w+)(?::(\w+))?\}")
_MOST_BEFORE: Final = 10_000  # letters of a message before a wording in it
_INT: Final = r"-?\d{1,18}"
_LIST: Final = rf"[(\[{{] ?(?:{_INT}L?(?: ?[,x] ?{_INT}L?)* ?,? ?)?[)\]}}]"


def _ints(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(_INT, text)))


class _Type(NamedTuple):
    pattern: str
    read: Callable[[str], Any]


# What a place may hold: `{n:int}`. Without a type it is any text, as little as possible.
_TYPES: Final[Mapping[str, _Type]] = {
    "int": _Type(_INT, int),
    "number": _Type(r"-?\d[\d.e+-]*", str),
    "shape": _Type(_LIST, _ints),  # (8, 10, 40), [8, 10, 40], {8,10,40}, [8 x 10]
    "matrix": _Type(rf"\[?{_INT} ?x ?{_INT}\]?", _ints),  # 1600x2048, [64 x 256]
    "word": _Type(r"[\w.:<>'-]*\w'?>?", lambda text: text.strip("'<>")),  # float32, cuda:0
    "name": _Type(r"[\"']?[\w.]+[\"']?", lambda text: text.strip("\"'")),  # encoder.weight_ih_l0
    "rest": _Type(r".*", str),
    "": _Type(r".+?", str),
}


def normalised(text: str) -> str:
    """The text with every space a single blank, and without what differs between versions."""
    return _uniform(text).strip(" ")


_SIZE: Final = re.compile(r"torch\.Size\(([\[(][^()\[\]]*[\])])\)")
_SAME: Final = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "`": None}
)


def _uniform(text: str) -> str:
    text = _SIZE.sub(r"\1", text.translate(_SAME).replace("greately", "greatly"))
    text = re.sub(r"\s+", " ", text)
    return text.replace("hidden [", "hidden[")  # as people type it


def _literal(text: str) -> str:
    """The pattern of a part that never differs, but for a comma that people leave out."""
    return re.escape(_uniform(text)).replace(",\\ ", ",?\\ ")


class Wording:
    """One wording of a message.

    `versions` are those of PyTorch that use it: "0.4 to 1.4", "2.11 on"; "" where it is not known.
    """

    def __init__(self, template: str, versions: str = "") -> None:
        self.template = template
        self.versions = versions

    def __repr__(self) -> str:
        return f"Wording({self.template!r}, {self.versions!r})"

    @cached_property
    def anchor(self) -> str:
        """The longest part that never differs, in lower case: a text without it needs no search."""
        literals = _PLACE.split(self.template)[::3]
        return max(map(_uniform, literals), key=len).strip(" ").casefold()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts, end = [], 0
        for place in _PLACE.finditer(self.template):
            parts.append(_literal(self.template[end : place.start()]))
            name, kind = place.groups(default="")
            parts.append(f"(?P<{name}>{_TYPES[kind].pattern})")
            end = place.end()
        parts.append(_literal(self.template[end:]))
        return re.compile("".join(parts), re.IGNORECASE)

    @cached_property
    def _kinds(self) -> dict[str, str]:
        return {name: kind or "" for name, kind in _PLACE.findall(self.template)}

    def match(self, text: str, *, anywhere: bool) -> Mapping[str, Any] | None:
        """What the places hold where the normalised text has this wording, else None.

        The wording begins the text unless it may be `anywhere`, not too far from its beginning.
        """
        found = self._pattern.search(text) if anywhere else self._pattern.match(text)
        if found is not None and found.start() > _MOST_BEFORE:
            return None
        return None if found is None else self._read(found)

    def all(self, text: str) -> Iterator[Mapping[str, Any]]:
        """What the places hold, for each time the normalised text has this wording."""
        return map(self._read, self._pattern.finditer(text))

    def _read(self, found: re.Match[str]) -> Mapping[str, Any]:
        return {name: _TYPES[self._kinds[name]].read(found[name]) for name in self._kinds}
