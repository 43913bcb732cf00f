"""The kinds of TARGET, in the order in which they are tried."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Final, NamedTuple

from rnnshape.errors import RequestError, RequestErrors, quoted
from rnnshape.sources.source import Source
from rnnshape.sources.target import Target, UnknownTargetError


class Reader(NamedTuple):
    """One kind of target: the module that reads it, imported only when it is needed."""

    module: str
    recognises: str  # its function that tells whether a text is of this kind
    reads: str  # its function from a text to a Target or a Source; raises RequestError


READERS: Final = (
    Reader("rnnshape.sources.options", "looks_like_options", "read_options"),
    Reader("rnnshape.sources.model", "looks_like_model", "read_model"),
    Reader("rnnshape.sources.expression", "looks_like_call", "read_call"),
    Reader("rnnshape.sources.weights_file", "looks_like_file", "read_weights"),
)

_MOST_NAMED: Final = 6
_KIND: Final = re.compile(r"(?:lstm|gru|rnn)(?![\w.:/-])", re.IGNORECASE)
_COPIES: Final = re.compile(r"\s*([0-9]{1,20})\s*(?:[xX]\s+|\*\s*)(.+)", re.DOTALL)

_FORMS: Final = (
    '"lstm --hidden 40 --bidir", "nn.LSTM(20, 40, bidirectional=True)", weights.pt or net.py:Tagger'
)


def read_source(text: str) -> Source:
    """What a text names: the layer that it describes, or those of a file or a model.

    Raises RequestError for a text that names none.
    """
    several = "counts copies" * (_COPIES.fullmatch(text) is not None) or (
        "adds layers up" * (len(added(text)) > 1)
    )
    if several:
        problem = f"{quoted(text)} {several}, which only a comparison does"
        raise RequestError(problem, hint=f'rnnshape compare "{text.strip()}"')
    for reader in READERS:
        recognises, reads = _functions(reader)
        if recognises(text):
            found = reads(text)
            return Source(targets=(found,)) if isinstance(found, Target) else found
    raise _unrecognised(text)


@cache
def _functions(
    reader: Reader,
) -> tuple[Callable[[str], bool], Callable[[str], Target | Source]]:
    module = import_module(reader.module)
    return getattr(module, reader.recognises), getattr(module, reader.reads)


def read_target(text: str) -> Target:
    """The one layer that a text names. Raises RequestError where it names none, or several."""
    source = read_source(text)
    if len(source.targets) == 1:
        return source.targets[0]
    if not source.targets:
        raise RequestErrors(error.behind(name) for name, error in source.unread.items())
    names = [target.origin.target or target.name for target in source.targets]
    listed = ", ".join(map(quoted, names[:_MOST_NAMED])) + ", ..." * (len(names) > _MOST_NAMED)
    raise RequestError(
        f"{{}} holds {len(names)} recurrent layers", quoted(text), hint=f"one of {listed}"
    )


def counted_copies(text: str) -> tuple[int | None, str]:
    """The number of copies that a text begins with, if it does, and the rest: `6 x lstm`."""
    match = _COPIES.fullmatch(text)
    if match is None:
        return None, text
    if not int(match[1]):
        raise RequestError("0 x TARGET counts no layer", hint=f'"6 x {match[2]}"')
    return int(match[1]), match[2]


def added(text: str) -> list[str]:
    """The texts between the plus signs: `lstm` and `nn.Linear(40, 20)`.

    A sign in brackets or in the name of a file adds nothing up; in a word, `lstm+gru`, only one
    between layers does.
    """
    if "+" not in text or "\n" in text or os.path.exists(text):  # noqa: PTH110 - Path.exists() raises for a long name
        return [text]
    pieces, depth = [""], 0
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character == "+" and not depth and _adds(pieces[-1], text[place + 1 : place + 9]):
            pieces.append("")
        else:
            pieces[-1] += character
    return [piece.strip() for piece in pieces]


def _adds(before: str, after: str) -> bool:
    """Whether a plus sign between two texts adds layers up."""
    apart = before[-1:].isspace() or after[:1].isspace() or not (before and after)
    layers = _KIND.match(before.lstrip()) and (_KIND.match(after) or after.startswith("nn."))
    return apart or before.endswith(")") or bool(layers)


def adds_up(text: str) -> bool:
    """Whether a text is a sum, or copies of a layer, which only a comparison takes."""
    return _COPIES.fullmatch(text) is not None or len(added(text)) > 1


def is_target(text: str) -> bool:
    """Whether a text is meant as a target, right or wrong, in more than one word or as a file."""
    from rnnshape.sources.weights_file import looks_like_file

    return is_layer(text) or looks_like_file(text)


def is_layer(text: str) -> bool:
    """Whether a text is meant as a layer that it describes itself, in more than one word."""
    from rnnshape.sources.expression import looks_like_call
    from rnnshape.sources.options import looks_like_options

    several = len(text.split()) > 1 and looks_like_options(text)
    return several or looks_like_call(text)


def _unrecognised(text: str) -> RequestError:
    from rnnshape.sources.rewording import target_meant

    problem = f"{quoted(text)} is not a layer, an existing file or the path of a model"
    if meant := target_meant(text):
        return UnknownTargetError("{}", problem, f"in the target: {meant}", hint="{}")
    return UnknownTargetError("{}", problem, f"a target is {_FORMS}", hint="{}")
