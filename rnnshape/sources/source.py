"""What a text names: a layer that it describes, or those that a file or a model holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rnnshape.errors import RequestError
from rnnshape.sources.target import Target


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A file or a model that holds layers."""

    name: str  # as it was given: "weights.pt"
    format: str  # "PyTorch checkpoint", "model"
    tensors: int
    parameters: int | None = None  # of the whole model; None for a file
    passed_over: tuple[str, ...] = ()  # sentences on what looks recurrent and is not a layer


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a text names: one layer that it describes, or those that a file or a model holds."""

    targets: tuple[Target, ...]
    unread: Mapping[str, RequestError] = field(default_factory=dict)  # layers, by name
    holder: Holder | None = None
