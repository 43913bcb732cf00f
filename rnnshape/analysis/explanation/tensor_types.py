"""What messages call the dtypes and the devices of two tensors, in each version of PyTorch."""

from __future__ import annotations

import re
from typing import Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.wording import Wording

# Messages that mean either the dtypes or the devices: torch.cuda.FloatTensor tells both.
TWO_TENSORS: Final = (
    Wording("expected {first:word} tensor (got {second:word} tensor)", "0.1 to 0.3"),
    Wording("Expected object of type {first} but found type {second} for argument", "0.4"),
    Wording("Input type ({first:word}) and weight type ({second:word}) should be the same"),
    Wording("Input type ({first:word}) and bias type ({second:word}) should be the same"),
    Wording("received an invalid combination of arguments - got ({types})", "0.1 to 0.4"),
)
# C++ says Double, Python torch.float64, torch 0.4 torch.DoubleTensor, and torch 1.2 says 7.
_NAMES: Final = {
    "byte": "uint8",
    "char": "int8",
    "short": "int16",
    "int": "int32",
    "long": "int64",
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "complexhalf": "complex32",
    "complexfloat": "complex64",
    "complexdouble": "complex128",
    "bool": "bool",
    "qint8": "qint8",
    "quint8": "quint8",
    "qint32": "qint32",
    "bfloat16": "bfloat16",
}
_NUMBERS: Final = tuple(_NAMES)[:12]
_SPOKEN: Final = {value: key.capitalize() for key, value in _NAMES.items()}
WHOLE: Final = ("uint8", "int8", "int16", "int32", "int64", "bool")
SMALL: Final = ("float16", "bfloat16")


def dtype_of(text: str) -> str | None:
    """The dtype that a message names in its way, as `torch.` has it: "float64"."""
    text = text.strip("'\"` ").replace("torch.", "").replace("cuda.", "").replace("c10::", "")
    text = re.sub(r"^Variable\[(.*)\]$", r"\1", text)
    text = re.sub(r"(?:^CPU|^CUDA|Tensor$|Type$)", "", text).casefold()
    if text.isdecimal():
        known = len(text) <= 2 and int(text) < len(_NUMBERS)
        return _NAMES[_NUMBERS[int(text)]] if known else None
    return text if text in _SPOKEN else _NAMES.get(text)


def both_names(text: str) -> str:
    """Both names of the dtype that a message names, float64 (Double); the text if it is none."""
    dtype = dtype_of(text)
    if dtype is None:
        return text
    spoken = _SPOKEN[dtype]
    return dtype if spoken.casefold() == dtype else f"{dtype} ({spoken})"


def tensor_types(clues: Clues) -> tuple[str, ...]:
    """The types of tensors among the arguments that a message lists, each once."""
    return tuple(dict.fromkeys(re.findall(r"torch\.(?:cuda\.)?\w+Tensor", clues["types"])))
