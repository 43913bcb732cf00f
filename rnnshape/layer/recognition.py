"""Weights to config, the inverse of the formulas: which recurrent layers a set of tensors makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rnnshape.layer.config import RNNConfig
from rnnshape.layer.facts import Dims


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence for the value of one field of a config."""

    field: str  # of RNNConfig: "hidden_size"; those of `unknown` have a line too, that says why
    text: str  # "weight_hh_l0 (160, 40): 160 rows / 40 = 4 gates"


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """A recurrent layer that a file or a mapping of tensors holds."""

    name: str  # where it is there: "encoder.lstm"; "" for the whole
    config: RNNConfig  # fields that are unknown have their default
    unknown: frozenset[str] = frozenset()  # the fields of RNNConfig that are unknown
    evidence: tuple[Evidence, ...] = ()  # in the order of the fields
    shapes: Mapping[str, Dims] = field(default_factory=dict)  # its tensors, by their full names
    departures: tuple[str, ...] = ()  # sentences: what it does that PyTorch's layer does not

    @property
    def prefix(self) -> str:
        """What stands before the names of its weights in its state dict: "encoder.lstm."."""
        return f"{self.name}." if self.name else ""


@dataclass(frozen=True, kw_only=True)
class Unrecognised:
    """Weights with the names of a recurrent layer that do not make one."""

    name: str
    problem: str  # a sentence that names the tensors: "weight_hh_l1 is missing, ..."


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """Everything recurrent among the tensors, in their order."""

    layers: tuple[Recognised, ...] = ()
    failures: tuple[Unrecognised, ...] = ()
