"""The constructor arguments of a recurrent layer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from rnnshape.computed import cached_property
from rnnshape.errors import RequestError, near, written
from rnnshape.fields import FIELDS
from rnnshape.layer.projection import largest_saving_projection

Nonlinearity = Literal["tanh", "relu"]

# Python prints no integer of over 4,300 digits; products of a few such sizes stay below that.
MAX_SIZE: Final = 10**500


class Kind(Enum):
    """The kinds of recurrent layer in torch.nn; the value is the name of the class."""

    LSTM = "LSTM"
    GRU = "GRU"
    RNN = "RNN"

    @cached_property
    def gate_names(self) -> str:
        """A letter for each gate, in the order in which PyTorch stacks their rows in a weight."""
        return {Kind.LSTM: "ifgo", Kind.GRU: "rzn", Kind.RNN: "h"}[self]

    @cached_property
    def gates(self) -> int:
        """How many gates, of hidden_size rows each, are stacked in a weight."""
        return len(self.gate_names)


@dataclass(frozen=True, kw_only=True)
class RNNConfig:
    """The constructor arguments of `nn.LSTM`, `nn.GRU`, `nn.RNN` or their cells.

    Sizes are numbers of features; `proj_size` 0 means no projection; `nonlinearity` is None for
    every kind but RNN. `kind` may be a name, in upper or lower case. Raises RequestError where
    PyTorch would refuse the arguments, or take one for another value (`hidden_size=True`).
    """

    kind: Kind
    cell: bool = False  # nn.LSTMCell and so on: one step of one layer in one direction
    input_size: int = FIELDS["input_size"].default
    hidden_size: int = FIELDS["hidden_size"].default
    num_layers: int = 1
    bias: bool = True
    batch_first: bool = False
    dropout: float = 0.0
    bidirectional: bool = False
    proj_size: int = 0
    nonlinearity: Nonlinearity | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.kind, Kind):
            object.__setattr__(self, "kind", _kind_named(self.kind))
        for name in ("input_size", "hidden_size", "num_layers"):
            require_size(name, getattr(self, name), least=1)
        require_size("proj_size", self.proj_size, least=0)
        for name in ("cell", "bias", "batch_first", "bidirectional"):
            require_bool(name, getattr(self, name))
        _require_dropout(self.dropout)
        self._require_cell()
        self._require_projection()
        self._require_nonlinearity()

    def _require_cell(self) -> None:
        if not self.cell:
            return
        for name in ("num_layers", "batch_first", "dropout", "bidirectional", "proj_size"):
            if getattr(self, name) != FIELDS[name].default:
                raise RequestError(
                    f"{self.class_name} has no {name}: it takes one step of one layer",
                    hint=f"{{{name}}}, or take nn.{self.kind.value}, which has {name}",
                    **{name: FIELDS[name].default},
                )

    def _require_projection(self) -> None:
        if not self.proj_size:
            return
        if self.kind is not Kind.LSTM:
            fits = self.proj_size < self.hidden_size and self.nonlinearity is None
            projecting = {"kind": "LSTM", "proj_size": self.proj_size}
            raise RequestError(
                f"{self.class_name} has no proj_size; only nn.LSTM has one",
                **(projecting if fits else {"proj_size": 0}),
            )
        if self.proj_size >= self.hidden_size:
            saving = largest_saving_projection(self.hidden_size, self.num_layers, self.directions)
            raise RequestError(
                f"proj_size {self.proj_size} must be smaller than hidden_size {self.hidden_size}",
                hint="{proj_size} is the largest that saves parameters;"
                " leave it out for no projection"
                if saving
                else "{proj_size}: no projection saves parameters here",
                proj_size=saving,
            )

    def _require_nonlinearity(self) -> None:
        given: object = self.nonlinearity
        if given is None:
            if self.kind is Kind.RNN:
                object.__setattr__(self, "nonlinearity", "tanh")
            return
        known = isinstance(given, str) and given in ("tanh", "relu")
        if self.kind is not Kind.RNN:
            raise RequestError(
                f"{self.class_name} has no nonlinearity; only nn.RNN has one",
                kind="RNN",
                nonlinearity=given if known else "relu",
            )
        if not known:
            raise RequestError(
                "nonlinearity {} is neither tanh nor relu",
                written(given),
                nonlinearity=_activation_like(given),
            )

    @property
    def class_name(self) -> str:
        """What torch.nn calls it: `nn.LSTM`, `nn.LSTMCell`."""
        return f"nn.{self.kind.value}{'Cell' * self.cell}"

    @property
    def directions(self) -> int:
        """D: 2 for a bidirectional layer, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """H_out: features of one direction at each step; `proj_size` if there is a projection."""
        return self.proj_size or self.hidden_size

    @property
    def constructor(self) -> str:
        """The call that builds the layer, without the arguments that have their default value."""
        keywords = [
            f"{name}={value!r}"
            for name, default in _KEYWORDS.items()
            if (value := getattr(self, name)) is not None and value != default
        ]
        arguments = [str(self.input_size), str(self.hidden_size), *keywords]
        return f"{self.class_name}({', '.join(arguments)})"


# In the order of PyTorch's signature, with their defaults.
_KEYWORDS: Final = {
    name: FIELDS[name].default
    for name in (
        "num_layers",
        "nonlinearity",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
        "proj_size",
    )
}


def _activation_like(given: object) -> str:
    """One of the two, the one that is more like what was given: `relu` for `gelu`."""
    name = given.lower() if isinstance(given, str) else ""
    return near(name, ("tanh", "relu"), alike=0.5) or "tanh"


def _kind_named(value: object) -> Kind:
    names = [kind.value for kind in Kind]
    name = value.upper() if isinstance(value, str) else ""
    if name in names:
        return Kind(name)
    raise RequestError(
        f"kind {{}} is not one of {', '.join(names)}",
        written(value),
        kind=near(name, names) or "LSTM",
    )


def require_size(name: str, value: object, *, least: int) -> None:
    """Raise RequestError unless `value` is a whole number from `least` to MAX_SIZE."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise RequestError(
            f"{name} must be a whole number of {least} or more, not {written(value)}",
            hint=f"{name} counts {_COUNTED.get(name, 'features')}",
        )
    if value > MAX_SIZE:
        raise RequestError(f"{name} has over 500 digits", hint="give a smaller number")


_COUNTED: Final = {
    "num_layers": "stacked layers",
    "batch_size": "sequences",
    "seq_len": "steps",
    "length": "steps",
    "num_embeddings": "rows",
}


def require_bool(name: str, value: object) -> None:
    """Raise RequestError unless `value` is True or False."""
    if not isinstance(value, bool):
        raise RequestError(
            f"{name} must be True or False, not {written(value)}", hint=f"{name}=True"
        )


def _require_dropout(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise RequestError(
            "dropout must be a probability from 0 to 1, not {}", written(value), dropout=0.2
        )
