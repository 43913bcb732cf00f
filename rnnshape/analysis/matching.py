"""Find the arguments in which two layers differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from rnnshape.fields import fields_of
from rnnshape.layer.config import RNNConfig
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import Subject
from rnnshape.sources.subjects import subject_of
from rnnshape.sources.target import Target

Argument: TypeAlias = "str | int | bool | None"

# Layers that are alike in these compute the same from the same weights. Dropout acts in
# training only.
_DECISIVE: Final = (
    "class_name",
    *(f.name for f in fields_of("layer") if f.name not in ("cell", "dropout")),
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An argument for which two layers have different values; "class" stands for their classes."""

    argument: str
    value: Argument
    other: Argument


@dataclass(frozen=True, kw_only=True)
class Match:
    """Whether a layer matches another, which its weights are to fit."""

    other: Subject
    differences: tuple[Difference, ...]
    undecided: tuple[str, ...] = ()  # arguments that are unknown for one of the two

    @property
    def holds(self) -> bool:
        """Whether the two match, as far as is known."""
        return not self.differences


def matched(target: Target, other: Target) -> Match:
    """Compare two targets; an argument that is unknown of either decides nothing."""
    unknown = target.unknown | other.unknown
    found = differences(target.config, other.config, target.own_settings, other.own_settings)
    return Match(
        other=subject_of(other, {}, Settings()),
        differences=tuple(each for each in found if each.argument not in unknown),
        undecided=tuple(name for name in _DECISIVE if name in unknown),
    )


def differences(
    config: RNNConfig,
    other: RNNConfig,
    settings: Mapping[str, str] = MappingProxyType({}),
    other_settings: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Difference, ...]:
    """The arguments for which two layers would compute different results from the same weights.

    `dropout` does not count, since it changes nothing in eval(). The device and the dtype count
    where both layers name one.
    """
    pairs = {name: (getattr(config, name), getattr(other, name)) for name in _DECISIVE}
    pairs |= {
        name: (settings[name], other_settings[name]) for name in settings if name in other_settings
    }
    return tuple(
        Difference(argument="class" if name == "class_name" else name, value=value, other=there)
        for name, (value, there) in pairs.items()
        if value != there
    )
