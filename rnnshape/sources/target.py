"""What a target says of a layer, before an input and settings make it a subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from rnnshape.errors import RequestError
from rnnshape.fields import FIELDS
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.settings import DType
from rnnshape.layer.subject import Origin


@dataclass(frozen=True, kw_only=True)
class Target:
    """A layer as it is described somewhere. `device` and `dtype` are None where it does not say."""

    kind: Kind
    fields: Mapping[str, Any]  # of RNNConfig, those that are given
    origin: Origin
    unknown: frozenset[str] = frozenset()  # fields of RNNConfig that nothing there tells
    name: str = ""
    device: str | None = None
    dtype: DType | None = None

    @cached_property
    def config(self) -> RNNConfig:
        """The layer, with defaults for what is not given. Raises RequestError in its words."""
        try:
            return RNNConfig(kind=self.kind, **self.fields)
        except RequestError as error:
            raise error.written_in(self.origin.words) from error

    def shareable(self) -> Target:
        """The target where options beside it can give what it does not give itself."""
        words = self.origin.words.beside(self.fields)
        return replace(self, origin=replace(self.origin, words=words))

    @property
    def place(self) -> dict[str, str]:
        """The device and the dtype, where it says one, by its name."""
        dtype = None if self.dtype is None else self.dtype.value
        return {n: v for n, v in (("device", self.device), ("dtype", dtype)) if v is not None}

    def beside(self, shared: Mapping[str, Any]) -> Target:
        """The target with the fields of shared options that it may have and does not give."""
        more = {name: value for name, value in shared.items() if self.takes(name)}
        return replace(self, fields={**self.fields, **more}) if more else self

    def takes(self, field: str) -> bool:
        """Whether a shared option can change this field."""
        return field not in self.fields and self.has(field)

    def has(self, field: str) -> bool:
        """Whether a layer of this kind has this field at all."""
        if field == "proj_size" and self.fields.get("cell"):
            return False
        return FIELDS[field].kind in ("", self.kind.value)
