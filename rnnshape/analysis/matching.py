"""Whether two layers fit each other, and where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from rnnshape.fields import fields_of
from rnnshape.layer.config import RNNConfig

Argument: TypeAlias = "str | int | bool | None"

# With these alike and the same weights, two layers compute the same. Dropout only trains.
_DECISIVE: Final = (
    "class_name",
    *(f.name for f in fields_of("layer") if f.name not in ("cell", "dropout")),
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An argument that two layers have different values of; "class" is what they are."""

    argument: str
    value: Argument
    other: Argument


def differences(
    config: RNNConfig,
    other: RNNConfig,
    place: Mapping[str, str] = MappingProxyType({}),
    other_place: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Difference, ...]:
    """Where two layers would not compute the same with the same weights; nothing if they fit.

    All arguments count but `dropout`, which changes nothing in eval(). A device and a dtype count
    where both places have one.
    """
    pairs = {name: (getattr(config, name), getattr(other, name)) for name in _DECISIVE}
    pairs |= {name: (place[name], other_place[name]) for name in place if name in other_place}
    return tuple(
        Difference(argument="class" if name == "class_name" else name, value=value, other=there)
        for name, (value, there) in pairs.items()
        if value != there
    )
