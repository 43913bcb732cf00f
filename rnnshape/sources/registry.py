"""The kinds of TARGET, in the order in which they are tried."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import Final, NamedTuple

from rnnshape.errors import RequestError, quoted
from rnnshape.sources.target import Target


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
_CHECKPOINT: Final = re.compile(r".+\.(pt|pth|bin|ckpt|safetensors)(:.*)?", re.DOTALL)
_IMPORT_PATH: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*[:.][^\W\d]\w*(\.[^\W\d]\w*)*")


def read_target(text: str) -> Target:
    """The layer that a text describes. Raises RequestError for a text that describes none."""
    for reader in READERS:
        module = import_module(reader.module)
        if getattr(module, reader.recognises)(text):
            target: Target = getattr(module, reader.reads)(text)
            return target
    raise _unrecognised(text)


def _unrecognised(text: str) -> RequestError:
    from rnnshape.sources.constructor import CONSTRUCTORS  # only errors need it

    shown = quoted(text)
    if _CHECKPOINT.fullmatch(text) or os.path.exists(text):  # noqa: PTH110 - Path.exists() may raise
        problem = f"{shown} looks like a file; checkpoints are not read yet"
    elif _IMPORT_PATH.fullmatch(text) and text.removeprefix("torch.") not in CONSTRUCTORS:
        problem = f"{shown} looks like an import path; models are not read yet"
    else:
        problem = f"{shown} is neither options nor the constructor call of a recurrent layer"
    return RequestError(problem, hint=f"a target is {_FORMS}")
