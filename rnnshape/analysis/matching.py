"""Whether two layers fit each other, and where they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from rnnshape.layer.config import RNNConfig

Argument: TypeAlias = "str | int | bool | None"

# With these alike and the same weights, two layers compute the same. Dropout only trains.
_DECISIVE: Final = (
    "class_name",
    "input_size",
    "hidden_size",
    "num_layers",
    "bias",
    "batch_first",
    "bidirectional",
    "proj_size",
    "nonlinearity",
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An argument that two layers have different values of; "class" is what they are."""

    argument: str
    value: Argument
    other: Argument


def differences(config: RNNConfig, other: RNNConfig) -> tuple[Difference, ...]:
    """Where two layers would not compute the same with the same weights; nothing if they fit.

    All arguments count but `dropout`, which changes nothing in eval().
    """
    return tuple(
        Difference(
            argument="class" if name == "class_name" else name,
            value=getattr(config, name),
            other=getattr(other, name),
        )
        for name in _DECISIVE
        if getattr(config, name) != getattr(other, name)
    )
