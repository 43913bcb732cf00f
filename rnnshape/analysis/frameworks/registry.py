"""All frameworks, in the order in which they are shown."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from rnnshape.analysis.frameworks.framework import Framework

# The name that --to takes is that of the file.
NAMES: Final = (
    "keras",
    "linen",
    "nnx",
    "onnx",
    "tf1",
    "mxnet",
    "cudnn",
    "onednn",
    "tensorrt",
    "coreml",
)


def framework(name: str) -> Framework:
    """The framework of one of NAMES."""
    found: Framework = import_module(f"{__package__}.{name}").FRAMEWORK
    return found
