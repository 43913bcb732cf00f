"""What is said of an error: records that the document and the Python API share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """One cause that the text allows, and what removes it."""

    why: str  # a sentence
    tell: str = ""  # a sentence: how to see whether this is the cause; "" where the text shows it
    fix: str = ""  # lines of Python, or "" where there is only advice


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was expected and what was given, place by place."""

    title: str  # what is compared: "h_0", or "" for the fields of layers
    places: tuple[str, ...]  # the axes, or the fields of a config
    expected: tuple[int | str | None, ...]  # None where it is not known
    got: tuple[int | str | None, ...]
    labels: tuple[str, str] = ("expected", "got")

    @property
    def differs(self) -> tuple[str, ...]:
        """The places where both are known and differ."""
        both = zip(self.places, self.expected, self.got, strict=True)
        return tuple(place for place, a, b in both if None not in (a, b) and a != b)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What an error means. Texts mark names and code with backticks, as Markdown does."""

    mistake: str  # its name, which stays: "state-batch"
    error: str  # what is explained, on one line: "RuntimeError: Expected hidden[0] size ..."
    meaning: str  # one sentence
    comparison: Comparison | None = None
    causes: tuple[Remedy, ...] = ()  # the likeliest first
    notes: tuple[str, ...] = ()  # such as where PyTorch 2.13 is silent about the same mistake
    more: str = ""  # a command line that shows more
    others: tuple[str, ...] = ()  # other errors of the text, the last one raised first
    tensors: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # shapes that are known


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known besides the text, such as from the frames of an exception."""

    layer: Mapping[str, Any] = field(default_factory=dict)  # fields of RNNConfig
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # by the tensor's name
    tensors: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # those of the user's code
