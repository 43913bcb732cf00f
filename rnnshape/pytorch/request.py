"""What is asked of a model: where its code is, and the tensors that its forward is given.

Importing this module does not import torch, since some requests are refused without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnnshape.layer.facts import Dims


@dataclass(frozen=True, kw_only=True)
class ImportPath:
    """Where a model is found in Python code, and what to call it with, if it is to be called."""

    place: str  # a module, "package.module", or a file, "net.py"
    attribute: str  # "Tagger", "models.Tagger"
    arguments: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()
    called: bool = False  # whether arguments are given, even if none: `Tagger()`

    @property
    def is_file(self) -> bool:
        """Whether the place is a file."""
        return self.place.endswith(".py")

    def __str__(self) -> str:
        return f"{self.place}:{self.attribute}"

    @property
    def call(self) -> str:
        """The path with its arguments: `net.py:Tagger(vocab=5000)`."""
        if not self.called:
            return str(self)
        keywords = (f"{name}={value!r}" for name, value in self.keywords)
        return f"{self}({', '.join([*map(repr, self.arguments), *keywords])})"


@dataclass(frozen=True, kw_only=True)
class GivenTensor:
    """A tensor to be made: random floats, or one whole number in every place."""

    shape: Dims
    dtype: str | None = None  # None: that of the model's weights
    value: int | None = None  # None: random floats, or 1
