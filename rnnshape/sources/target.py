"""The layer that a target describes, before an input and settings make it a subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rnnshape.computed import cached_property
from rnnshape.errors import RequestError
from rnnshape.fields import FIELDS
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.settings import DType, dtype_named
from rnnshape.layer.subject import Origin

if TYPE_CHECKING:
    from rnnshape.layer.found import Found
    from rnnshape.layer.held import Held


class UnknownTargetError(RequestError):
    """The error for a text that describes no layer."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A layer as a text describes it, or as a file or a model holds it.

    `device` and `dtype` are None where nothing gives them.
    """

    kind: Kind
    fields: Mapping[str, Any]  # of RNNConfig, those that are given
    origin: Origin
    unknown: frozenset[str] = frozenset()  # the fields of RNNConfig that cannot be known
    name: str = ""
    device: str | None = None
    dtype: DType | None = None
    held: Held | None = None  # by an existing module that is not as its constructor made it
    found: Found | None = None  # where, if it was found in a file or a model

    @cached_property
    def config(self) -> RNNConfig:
        """The layer, with defaults for the other fields. Raises RequestError in its words."""
        return self.config_of(self.fields)

    def config_of(self, fields: Mapping[str, Any]) -> RNNConfig:
        """A layer of its kind with these fields. Raises RequestError in the target's words."""
        try:
            return RNNConfig(kind=self.kind, **fields)
        except RequestError as error:
            if "kind" in error.fields:  # another kind of layer, with all that was given
                given = {**fields, **error.fields}
                kind = {"kind": given.pop("kind")}
                error = RequestError("{}", error.problem, **kind, **given)
            raise error.written_in(self.origin.words) from error

    def named(self, name: str, origin: Origin) -> Target:
        """The same layer under a name and with another origin."""
        target = replace(self, name=name, origin=origin)
        vars(target)["config"] = self.config  # which took a tenth of the time of a large manifest
        return target

    def shareable(self) -> Target:
        """The target in a command whose options can give the fields that it does not give."""
        words = self.origin.words.beside(self.fields)
        return replace(self, origin=replace(self.origin, words=words))

    @property
    def own_settings(self) -> dict[str, str]:
        """The names of the device and the dtype that it gives, if any: `{"device": "cpu"}`."""
        dtype = None if self.dtype is None else self.dtype.value
        return {n: v for n, v in (("device", self.device), ("dtype", dtype)) if v is not None}

    def with_settings(self, device: str | None, dtype: str | None) -> Target:
        """The target with this device and dtype, as far as they are given, in place of its own."""
        if device is None and dtype is None:
            return self
        return replace(
            self,
            device=self.device if device is None else device,
            dtype=self.dtype if dtype is None else dtype_named(dtype),
        )

    def informed_by(self, other: Target) -> Target:
        """The target with what another layer, of the same class, says about its unknown fields."""
        if (self.kind, self.config.cell) != (other.kind, other.config.cell):
            return self
        told = {name: getattr(other.config, name) for name in self.unknown - other.unknown}
        return replace(self, fields={**self.fields, **told}, unknown=self.unknown - told.keys())

    def taken(self, shared: Mapping[str, Any]) -> dict[str, Any]:
        """The shared fields that it takes."""
        return {name: value for name, value in shared.items() if self.takes(name)}

    def takes(self, field: str) -> bool:
        """Whether a shared option can change this field."""
        return field not in self.fields and self.has(field)

    def has(self, field: str) -> bool:
        """Whether a layer of this kind has this field at all."""
        if field == "proj_size" and self.fields.get("cell"):
            return False
        return FIELDS[field].kind in ("", self.kind.value)
