"""What a text names: a layer that it describes, or those that a file or a model holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rnnshape.errors import RequestError, near, quoted, word
from rnnshape.layer.config import RNNConfig
from rnnshape.layer.subject import Origin
from rnnshape.sources.target import Target
from rnnshape.words import CALL


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


def target_in(holder: str, name: str, config: RNNConfig, unknown: frozenset[str]) -> Target:
    """The layer that a file or a model holds under `name`; "" for the whole."""
    fields = {field: v for field, v in vars(config).items() if field not in unknown}
    return Target(
        kind=fields.pop("kind"),
        fields=fields,
        unknown=unknown,
        origin=Origin(words=CALL, target=f"{holder}:{name}" if name else holder),
        name=name,
    )


def nothing_at(place: str, holder: str, names: Collection[str]) -> RequestError:
    """The error for a place where a holder has no layer; `names` are those of its layers."""
    nearest = near(place.removesuffix("."), names) or next(iter(names))
    return RequestError(
        "{} has no recurrent layer at {}",
        quoted(holder),
        quoted(place),
        word(f"{holder}:{nearest}" if nearest else holder),
        hint="{}",
    )
