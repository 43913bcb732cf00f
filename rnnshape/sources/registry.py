"""The kinds of TARGET, in the order in which they are tried."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple, cast

from rnnshape.errors import RequestError, quoted
from rnnshape.sources.target import Target


class Reader(NamedTuple):
    """One kind of target: whether a text is of that kind, and what it describes."""

    recognises: str  # "module:function", a text to whether it is of this kind
    reads: str  # "module:function", a text to its Target; raises RequestError


READERS: Final = (
    Reader("rnnshape.sources.options:looks_like_options", "rnnshape.sources.options:read_options"),
    Reader("rnnshape.sources.pasted:looks_like_call", "rnnshape.sources.expression:read_call"),
)

_FORMS: Final = '"lstm --hidden 40 --bidir" or "nn.LSTM(20, 40, bidirectional=True)"'
_CHECKPOINT: Final = re.compile(r".+\.(pt|pth|bin|ckpt|safetensors)(:.*)?", re.DOTALL)
_IMPORT_PATH: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*[:.][^\W\d]\w*(\.[^\W\d]\w*)*")


def read_target(text: str) -> Target:
    """The layer that a text describes. Raises RequestError for a text of no kind."""
    for reader in READERS:
        if _function(reader.recognises)(text):
            return cast("Target", _function(reader.reads)(text))
    raise _unrecognised(text)


def _function(place: str) -> Callable[[str], object]:
    module, function = place.split(":")
    found: Callable[[str], object] = getattr(import_module(module), function)
    return found


def _unrecognised(text: str) -> RequestError:
    from rnnshape.sources.constructor import CONSTRUCTORS  # only errors need it

    shown = quoted(text)
    if _CHECKPOINT.fullmatch(text) or _exists(text):
        problem = f"{shown} looks like a file; checkpoints are not read yet"
    elif _IMPORT_PATH.fullmatch(text) and text.removeprefix("torch.") not in CONSTRUCTORS:
        problem = f"{shown} looks like an import path; models are not read yet"
    else:
        problem = f"{shown} is neither options nor the constructor call of a recurrent layer"
    return RequestError(problem, hint=f"a target is {_FORMS}")


def _exists(text: str) -> bool:
    try:
        return bool(text) and Path(text).exists()
    except (OSError, ValueError):
        return False
