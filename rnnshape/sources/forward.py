"""`--forward 16,50:int64=1`: an argument for a model's forward, as its shape, dtype and value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rnnshape.errors import RequestError, quoted
from rnnshape.layer.facts import LARGEST_SIZE
from rnnshape.pytorch.request import GivenTensor
from rnnshape.sources.source import Source

_FORM: Final = re.compile(
    r"(?P<shape>\d+(?:[,x]\d+)*)(?::(?P<dtype>[a-z]\w*))?(?:=(?P<value>-?\d+))?", re.ASCII
)
_DTYPES: Final = (
    *("float32", "float64", "float16", "bfloat16", "complex64"),
    *("int64", "int32", "int16", "int8", "uint8", "bool"),
)
_ALIASES: Final = {"long": "int64", "int": "int32", "float": "float32", "double": "float64"}


def read_given_tensor(text: str) -> GivenTensor:
    """The tensor that `text` describes. Raises RequestError for any other text."""
    match = _FORM.fullmatch(text.replace(" ", ""))
    hint = (
        "--forward 16,50,80 for floats, --forward 16,50:int64 for indices, 16:int64=50 for lengths"
    )
    if match is None:
        problem = "--forward {} is not SHAPE, SHAPE:DTYPE or SHAPE:DTYPE=VALUE"
        raise RequestError(problem, quoted(text), hint=hint)
    dtype = match["dtype"] and _ALIASES.get(match["dtype"], match["dtype"])
    if dtype is not None and dtype not in _DTYPES:
        problem = "--forward {}: there is no dtype {}"
        raise RequestError(
            problem, quoted(text), quoted(dtype), hint=f"one of {', '.join(_DTYPES)}"
        )
    sizes, value = re.split("[,x]", match["shape"]), match["value"]
    if any(map(_above_largest, [*sizes, value or "0"])):
        raise RequestError("--forward {}: a number is above 2**63 - 1", quoted(text), hint=hint)
    return GivenTensor(
        shape=tuple(map(int, sizes)), dtype=dtype, value=None if value is None else int(value)
    )


def _above_largest(number: str) -> bool:
    """Whether it is, without reading more digits than Python does."""
    digits = number.lstrip("-0")
    return len(digits) > 19 or int(digits or "0") > LARGEST_SIZE


def read_called(text: str, given: Sequence[GivenTensor]) -> Source:
    """The recurrent layers of a model that runs once with these tensors.

    Raises RequestError for a target that is not a model.
    """
    from rnnshape.sources.model import looks_like_model, read_model

    if not looks_like_model(text):
        raise RequestError(
            "--forward runs a model, but {} is not a model",
            quoted(text),
            hint="name a model, net.py:Tagger, or leave --forward out",
        )
    return read_model(text, given)
