"""The kinds of TARGET, in the order in which they are tried."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import Final, NamedTuple

from rnnshape.errors import RequestError, quoted, word
from rnnshape.sources.target import Target, UnknownTargetError


class Reader(NamedTuple):
    """One kind of target: the module that reads it, imported only when it is needed."""

    module: str
    recognises: str  # its function that tells whether a text is of this kind
    reads: str  # its function from a text to a Target; raises RequestError


READERS: Final = (
    Reader("rnnshape.sources.options", "looks_like_options", "read_options"),
    Reader("rnnshape.sources.expression", "looks_like_call", "read_call"),
)

_FORMS: Final = '"lstm --hidden 40 --bidir" or "nn.LSTM(20, 40, bidirectional=True)"'
_CHECKPOINT: Final = re.compile(r"(.+?\.(?:pt|pth|bin|ckpt|safetensors))(?::.*)?", re.DOTALL)
_IMPORT_PATH: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*[:.][^\W\d]\w*(\.[^\W\d]\w*)*")


def read_target(text: str) -> Target:
    """The layer that a text describes. Raises RequestError for a text that describes none."""
    for reader in READERS:
        module = import_module(reader.module)
        if getattr(module, reader.recognises)(text):
            target: Target = getattr(module, reader.reads)(text)
            return target
    raise _unrecognised(text)


def is_target(text: str) -> bool:
    """Whether a text is meant as a target, right or wrong, or as a file."""
    return is_layer(text) or _CHECKPOINT.fullmatch(text) is not None


def is_layer(text: str) -> bool:
    """Whether a text is meant as a layer that it describes itself, in more than one word."""
    from rnnshape.sources.expression import looks_like_call
    from rnnshape.sources.options import looks_like_options

    several = len(text.split()) > 1 and looks_like_options(text)
    return several or looks_like_call(text)


def _unrecognised(text: str) -> RequestError:
    from rnnshape.sources.constructor import CONSTRUCTORS  # only errors need it
    from rnnshape.sources.rewording import target_meant

    shown, hint = quoted(text), f"a target is {_FORMS}"
    file = match[1] if (match := _CHECKPOINT.fullmatch(text)) else ""
    if file and not os.path.exists(file):  # noqa: PTH110
        problem = f"there is no file {quoted(file)}, and checkpoints are not read yet"
        alike = _files_near(file)
        hint = f"there is {', '.join(alike)}; {hint}" if alike else hint
    elif _CHECKPOINT.fullmatch(text) or os.path.exists(text):  # noqa: PTH110 - Path.exists() may raise
        problem = f"{shown} looks like a file; checkpoints are not read yet"
    elif _IMPORT_PATH.fullmatch(text) and text.removeprefix("torch.") not in CONSTRUCTORS:
        problem = f"{shown} looks like an import path; models are not read yet"
    else:
        problem = f"{shown} is neither options nor the constructor call of a recurrent layer"
        if meant := target_meant(text):
            return UnknownTargetError("{}", problem, f"in the target: {meant}", hint="{}")
    return UnknownTargetError("{}", problem, hint, hint="{}")


def _files_near(file: str) -> list[str]:
    """Files in the same folder whose names are alike, as they would be typed."""
    from difflib import get_close_matches

    folder, name = os.path.split(file)
    try:
        names = [each for each in os.listdir(folder or ".") if _CHECKPOINT.fullmatch(each)]  # noqa: PTH208
    except OSError:
        return []
    return [word(os.path.join(folder, each)) for each in get_close_matches(name, names)]  # noqa: PTH118
