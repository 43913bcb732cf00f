"""What a refused line of words most likely means, in the words that are understood.

It is imported only when a line has been refused. Nothing is guessed: a word that is neither known,
nor a synonym, nor nearly one of these leaves the line without advice.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from rnnshape.fields import FIELDS, fields_of, spelled
from rnnshape.synonyms import (
    DIRECTIONS,
    FALSE,
    NEEDLESS,
    TRUE,
    Meant,
    layer_meant,
    meant_field,
    misspelt_field,
    squeezed,
)
from rnnshape.words import COMMAND

KINDS: Final = ("lstm", "gru", "rnn")
# What a value may be where a size, a shape or lengths are meant.
_NUMBERS: Final = re.compile(r"[+-]?[0-9.(\[][0-9., xX*()\[\]:eE_+-]*")
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_SHAPE: Final = re.compile(r"[\[(]?\s*[0-9]+(\s*[,xX]\s*[0-9]+)+,?\s*[\])]?")
_EXAMPLES: Final = {"shape": "10,5,20", "lengths": "7,3,2", "probability": "0.2"}
_DEFAULT: Final = "that is the default"
_DASHES: Final = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_OPTION: Final = re.compile(rf"(^|\s)[{_DASHES}]")
_JOINING: Final = frozenset({"vs", "vs.", "versus", "and", "or", "with", "to", "x", ",", "&", "="})


class Option(NamedTuple):
    """The words that replace an option, and why, if there are none."""

    words: tuple[str, ...]
    takes_value: bool = False  # the word after the option is used up
    reason: str = ""


Lookup: TypeAlias = Callable[[str, "str | None"], "Option | None"]


@dataclass
class Rewording:
    """A line reworded: its options, and the words that belong to none."""

    options: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)  # options, and why
    changed: bool = False  # beyond what is left out


def reworded(words: Sequence[str], lookup: Lookup, *, lists: Collection[str]) -> Rewording | None:
    """The words with each option as `lookup` gives it; None where one means nothing.

    `lists` are the options whose further values, which blanks divide, belong to a list.
    """
    line, left = Rewording(), list(words)
    while left:
        word = left.pop(0)
        name, value, joined = _option(word)
        if not name:
            line.loose.append(word)
            continue
        following = value if joined else (left[0] if left and not _option(left[0])[0] else None)
        found = lookup(name, following)
        if found is None:
            return None
        given = [word]
        if found.takes_value and not joined and following is not None:
            given.append(left.pop(0))
        if not joined and _is_stray(following, found, lists):
            return None
        new = list(found.words)
        if new and new[0] in lists:
            while left and _NUMBER.fullmatch(left[0].strip(",")):
                new[-1] = f"{new[-1].strip(',')},{left.pop(0).strip(',')}"
                line.changed = True
        if not new:
            line.left_out.append((" ".join(given), found.reason))
        elif new not in (given, [name, *filter(None, [value])]):
            line.changed = True
        line.options += new
    return line


def _is_stray(following: str | None, found: Option, lists: Collection[str]) -> bool:
    """Whether a number follows an option that takes none, `--bidir 2`: it may mean anything."""
    listed = bool(found.words) and found.words[0] in lists
    return not found.takes_value and not listed and following is not None and is_number(following)


def _option(word: str) -> tuple[str, str | None, bool]:
    """The option that a word is, with dashes, its value, and whether the two are one word."""
    name, equals, value = word.partition("=")
    bare = name.lstrip(_DASHES)
    if bare != name and bare and not bare[0].isdigit() and not bare.startswith("."):
        match = re.fullmatch(r"([A-Za-z][\w-]*?):?([0-9]+(?:\.[0-9]+)?)", bare)
        if match and not equals and meant_field(bare) is None and meant_field(match[1]):
            bare, equals, value = match[1], "=", match[2]  # `--hidden64`
        dashes = "-" if len(bare) == 1 else "--"
        return f"{dashes}{bare}", value if equals else None, bool(equals)
    return "", None, False


def field_option(name: str, value: str | None) -> Option | None:
    """The words for a field that people call `name`, with the value that may follow it."""
    bare = name.lstrip("-")
    if squeezed(bare) in DIRECTIONS and value in ("1", "2", "one", "two", "both"):
        if value in ("1", "one"):
            return Option((), takes_value=True, reason="one direction is the default")
        return Option(("--bidir",), takes_value=True)
    if squeezed(bare) in NEEDLESS:
        takes = value is not None and (bool(_NUMBERS.fullmatch(value)) or _is_truth(value))
        return Option((), takes_value=takes, reason=NEEDLESS[squeezed(bare)])
    meant = meant_field(bare)
    return None if meant is None else _words(meant, value)


def misspelt_option(name: str, value: str | None) -> Option | None:
    """The words for a field whose name is misspelt."""
    found = misspelt_field(name.lstrip("-"))
    return None if found is None else _words(Meant(found), value)


def _is_truth(value: str | None) -> bool:
    return value is not None and value.lower() in TRUE | FALSE


def default_is(value: object) -> str:
    """Why an option is left out: `False is the default`."""
    return f"{value} is the default"


def _words(meant: Meant, value: str | None) -> Option | None:
    known, said = meant.field, meant.value
    if known.takes in ("flag", "switch"):
        return _of_flag(meant, value)
    if meant.left_out:
        return Option((), reason=_DEFAULT)
    if said is not None:
        indexed = said == "cuda" and value is not None and value.isdigit()
        text = f"{said}:{value}" if indexed else str(said)
        takes = indexed or (_is_truth(value) and value is not None)
        return Option((known.option, text), takes_value=takes)
    if value is None:
        example = _EXAMPLES.get(known.takes) or (known.default or 20)
        return Option((known.option, str(example)))
    if known.takes in ("size", "count", "shape", "lengths", "probability"):
        if not _NUMBERS.fullmatch(value):
            return None
        if known.name == "seq_len" and "," in value:
            known = FIELDS["lengths"]
        elif known.takes == "lengths" and value.isdigit():
            known = FIELDS["seq_len"]
    return Option((known.option, value), takes_value=True)


def _of_flag(meant: Meant, value: str | None) -> Option:
    on = not meant.left_out if meant.value is None else bool(meant.value)
    if _is_truth(value) and value is not None:
        on = on if value.lower() in TRUE else not on
    takes = _is_truth(value)
    if not on and meant.field.takes == "flag":
        reason = _DEFAULT if meant.left_out else default_is(value=False)
        return Option((), takes_value=takes, reason=reason)
    return Option((COMMAND.bare(meant.field.name, on),), takes_value=takes)


def sized(numbers: Sequence[str], options: Collection[str]) -> list[str] | None:
    """Options that give numbers without names to the sizes of a layer that `options` leave out."""
    names = ["--input", "--hidden", "--layers"][: len(numbers)]
    if len(numbers) == 1:
        names = ["--hidden" if "--hidden" not in options else "--input"]
    if len(numbers) > len(names) or any(name in options for name in names):
        return None
    return [word for pair in zip(names, numbers, strict=True) for word in pair]


def divided(words: Sequence[str]) -> Iterator[str]:
    """The words, with a shape such as `20,40` or `(20, 40)` as its numbers."""
    for word in words:
        yield from re.findall("[0-9]+", word) if _SHAPE.fullmatch(word) else [word]


def is_number(word: str) -> bool:
    """Whether the word is a plain number."""
    return _NUMBER.fullmatch(word) is not None


def layers_in(words: Sequence[str]) -> list[str] | None:
    """The layers that words name, `gru` or `lstm,gru`, as targets; None where one names none."""
    found = []
    for word in words:
        if word.lower() in _JOINING:
            continue
        for part in filter(None, re.split(r"[,/&|]", word)):
            if part.startswith("-") or (part.lower() not in KINDS and layer_meant(part) is None):
                return None
            found.append(part.lower() if part.lower() in KINDS else str(layer_meant(part)))
    return found


def bare_options(words: Sequence[str]) -> Iterator[str]:
    """The words, with dashes before those that name an option and lack them: `hidden=40`."""
    for word in words:
        name = word.partition("=")[0]
        may_name = not _OPTION.search(name) and "(" not in name and len(name) > 1
        named = may_name and meant_field(name) is not None and not _is_layer(word)
        yield f"--{word}" if named else word


def _is_layer(word: str) -> bool:
    return word.lower() in KINDS or squeezed(word) in ("bilstm", "bigru", "birnn")


def target_meant(text: str) -> str | None:
    """The target in one word that `text` most likely means: `lstm --hidden 40` for `lstm 40`."""
    try:
        first, *rest = shlex.split(re.sub(r"\s", " ", text))
    except ValueError:
        return None
    base = first.lower() if first.lower() in KINDS else layer_meant(first)
    if base is None:
        return None
    own = {field.alias for field in fields_of("layer")}

    def lookup(name: str, value: str | None) -> Option | None:
        found = field_option(name, value) or misspelt_option(name, value)
        stem = (
            found.words[0].removeprefix("--").removeprefix("no-") if found and found.words else ""
        )
        return None if stem and spelled(stem) not in own else found

    kind, *given = base.split()
    line = reworded([*bare_options(rest)], lookup, lists=())
    if line is None or not all(map(is_number, line.loose)):
        return None
    sizes, kinds = sized(line.loose, line.options), kind_for(kind, line.options)
    if sizes is None or kinds is None:
        return None
    options = [*given, *sizes, *line.options]
    names = [each for each in options if each.startswith("--")]
    return shlex.join([kinds, *options]) if len(names) == len({*names}) else None


def kind_for(kind: str, options: Collection[str]) -> str | None:
    """The kind of layer that has these options, None where no kind has all of them."""
    kinds = {each.kind.lower() for each in fields_of("layer") if each.option in options} - {""}
    return None if len(kinds) > 1 else next(iter(kinds), kind)
