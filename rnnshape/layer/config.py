"""The constructor arguments of a recurrent layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from rnnshape.errors import RequestError, nearest, written
from rnnshape.fields import FIELDS
from rnnshape.layer.projection import largest_saving_projection

Nonlinearity = Literal["tanh", "relu"]
_NONLINEARITIES: Final = ("tanh", "relu")

# Products of a few such sizes still print under Python's own limit of 4,300 digits.
MAX_SIZE: Final = 10**500


class Kind(Enum):
    """The recurrent layers of torch.nn; the value is the class's name."""

    LSTM = "LSTM"
    GRU = "GRU"
    RNN = "RNN"

    @property
    def gate_names(self) -> str:
        """The stacked row blocks of each weight, in PyTorch's order; one letter a gate."""
        return {Kind.LSTM: "ifgo", Kind.GRU: "rzn", Kind.RNN: "h"}[self]

    @property
    def gates(self) -> int:
        """How many row blocks of hidden_size rows each input and hidden weight stacks."""
        return len(self.gate_names)


@dataclass(frozen=True, kw_only=True)
class RNNConfig:
    """The constructor arguments of `nn.LSTM`, `nn.GRU`, `nn.RNN` or their cells, valid together.

    Sizes are numbers of features; `proj_size` 0 means no projection; `nonlinearity` is None for
    every kind but RNN. `kind` may be the name, in any case. Raises RequestError where PyTorch
    would refuse the arguments, or accept one that means something else (`hidden_size=True`).
    """

    kind: Kind
    cell: bool = False  # nn.LSTMCell: one step of one layer in one direction
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
        object.__setattr__(self, "kind", _kind(self.kind))
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
            if getattr(self, name) != getattr(type(self), name):
                raise RequestError(
                    f"{self.class_name} has no {name}; it is one step of one layer",
                    hint=f"nn.{self.kind.value} has {name}: {{cell}}",
                    cell=False,
                )

    def _require_projection(self) -> None:
        if not self.proj_size:
            return
        if self.kind is not Kind.LSTM:
            wider = max(self.hidden_size, self.proj_size + 1)
            raise RequestError(
                f"{self.class_name} has no proj_size; only nn.LSTM has",
                kind="LSTM",
                hidden_size=wider,
                proj_size=self.proj_size,
            )
        if self.proj_size >= self.hidden_size:
            saving = largest_saving_projection(self.hidden_size, self.num_layers, self.directions)
            raise RequestError(
                f"proj_size {self.proj_size} must be smaller than hidden_size {self.hidden_size}",
                hint="{proj_size} is the largest that saves parameters; leave it out for none"
                if saving
                else "{proj_size}: none saves parameters here",
                proj_size=saving,
            )

    def _require_nonlinearity(self) -> None:
        if self.kind is Kind.RNN:
            if self.nonlinearity is None:
                object.__setattr__(self, "nonlinearity", "tanh")
            elif not _is_nonlinearity(self.nonlinearity):
                raise RequestError(
                    f"nonlinearity {written(self.nonlinearity)} is neither tanh nor relu",
                    nonlinearity=_nearest(self.nonlinearity, _NONLINEARITIES),
                )
        elif self.nonlinearity is not None:
            known = self.nonlinearity if _is_nonlinearity(self.nonlinearity) else "relu"
            raise RequestError(
                f"{self.class_name} has no nonlinearity; only nn.RNN has",
                kind="RNN",
                nonlinearity=known,
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
        """H_out: what one direction gives per step, `proj_size` where there is a projection."""
        return self.proj_size or self.hidden_size

    @property
    def constructor(self) -> str:
        """The call that builds the layer: sizes, then each argument that is not the default."""
        keywords = [
            f"{name}={value!r}"
            for name in _KEYWORDS
            if (value := getattr(self, name)) not in (None, FIELDS[name].default)
        ]
        arguments = [str(self.input_size), str(self.hidden_size), *keywords]
        return f"{self.class_name}({', '.join(arguments)})"


# In the order of PyTorch's signature.
_KEYWORDS: Final = (
    "num_layers",
    "nonlinearity",
    "bias",
    "batch_first",
    "dropout",
    "bidirectional",
    "proj_size",
)


def _kind(value: object) -> Kind:
    if isinstance(value, Kind):
        return value
    names = [kind.value for kind in Kind]
    if isinstance(value, str) and value.upper() in names:
        return Kind(value.upper())
    raise RequestError(
        f"kind {written(value)} is none of {', '.join(names)}",
        kind=_nearest(value.upper() if isinstance(value, str) else value, names),
    )


def _is_nonlinearity(value: object) -> bool:
    """Whether `value` is a nonlinearity; `in` alone fails on an array."""
    return isinstance(value, str) and value in _NONLINEARITIES


def _nearest(value: object, names: Sequence[str]) -> str:
    """The name that is most like the value; the first name where the value is not a string."""
    return nearest(value if isinstance(value, str) else "", names)


def require_size(name: str, value: object, *, least: int) -> None:
    """Raise RequestError unless `value` is a whole number from `least` up to MAX_SIZE."""
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
            f"dropout must be a probability from 0 to 1, not {written(value)}", dropout=0.2
        )
