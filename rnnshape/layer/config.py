"""What is asked for: a recurrent layer, the input it reads, and where and in what type it runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import index
from typing import Any, Final, Literal

from rnnshape.errors import RequestError, nearest, quoted, written
from rnnshape.layer.projection import largest_saving_projection

Nonlinearity = Literal["tanh", "relu"]
_NONLINEARITIES: Final = ("tanh", "relu")

# Products of a few such sizes still print under Python's own limit of 4,300 digits.
MAX_SIZE: Final = 10**500

# Each row of a packed batch has claims of its own.
MOST_ROWS: Final = 10_000
# Each step of a packed batch has a size of its own.
MOST_PACKED_STEPS: Final = 1_000_000

DEFAULT_INPUT_SIZE: Final = 20
DEFAULT_HIDDEN_SIZE: Final = 40
DEFAULT_BATCH_SIZE: Final = 5
DEFAULT_SEQ_LEN: Final = 10


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


class DType(Enum):
    """PyTorch's floating and complex types; the value is PyTorch's canonical name."""

    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    FLOAT8_E4M3FN = "float8_e4m3fn"
    FLOAT8_E4M3FNUZ = "float8_e4m3fnuz"
    FLOAT8_E5M2 = "float8_e5m2"
    FLOAT8_E5M2FNUZ = "float8_e5m2fnuz"
    FLOAT8_E8M0FNU = "float8_e8m0fnu"
    COMPLEX32 = "complex32"
    COMPLEX64 = "complex64"
    COMPLEX128 = "complex128"

    @property
    def itemsize(self) -> int:
        """Bytes of one element; the first number in PyTorch's names counts its bits."""
        match = re.search(r"\d+", self.value)
        assert match is not None
        return int(match[0]) // 8

    @property
    def is_complex(self) -> bool:
        """Whether an element has a real and an imaginary part."""
        return self.value.startswith("complex")


_DTYPE_ALIASES: Final = {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "chalf": "complex32",
    "cfloat": "complex64",
    "cdouble": "complex128",
}
_DEVICE: Final = re.compile(
    r"(?P<type>cpu|meta|mps|cuda|xpu)(?::(?P<index>0|[1-9]\d?|1[01]\d|12[0-7]))?", re.ASCII
)


@dataclass(frozen=True, kw_only=True)
class RNNConfig:
    """The constructor arguments of `nn.LSTM`, `nn.GRU`, `nn.RNN` or their cells, valid together.

    Sizes are counts of features; `proj_size` 0 means no projection; `nonlinearity` is None for
    every kind but RNN. A `kind` may be given by its name in any case. Raises RequestError where
    PyTorch would refuse, or would accept a value that means something else (`hidden_size=True`).
    """

    kind: Kind
    cell: bool = False  # nn.LSTMCell: one step of one layer in one direction
    input_size: int = DEFAULT_INPUT_SIZE
    hidden_size: int = DEFAULT_HIDDEN_SIZE
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
            _require_bool(name, getattr(self, name))
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
        changed = {
            "num_layers": (self.num_layers, 1),
            "nonlinearity": (self.nonlinearity or "tanh", "tanh"),
            "bias": (self.bias, True),
            "batch_first": (self.batch_first, False),
            "dropout": (self.dropout, 0.0),
            "bidirectional": (self.bidirectional, False),
            "proj_size": (self.proj_size, 0),
        }
        keywords = [f"{name}={v!r}" for name, (v, default) in changed.items() if v != default]
        arguments = [str(self.input_size), str(self.hidden_size), *keywords]
        return f"{self.class_name}({', '.join(arguments)})"


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """The input of a forward pass: `seq_len` steps of `batch_size` sequences.

    `batched=False` is one sequence without a batch axis, shape (L, H_in); `batch_size` is then
    1. A batch of 0 is valid, a sequence of 0 is not: PyTorch refuses it. `with_state` hands the
    layer zeros for h_0 and c_0 instead of nothing. With `lengths`, a list or tensor too, the layer
    reads a PackedSequence of the padded input. A cell reads one step, whatever `seq_len` is.
    """

    batch_size: int = DEFAULT_BATCH_SIZE
    seq_len: int = DEFAULT_SEQ_LEN
    batched: bool = True
    with_state: bool = False
    lengths: tuple[int, ...] | None = None  # of each row, in a PackedSequence

    def __post_init__(self) -> None:
        _require_bool("batched", self.batched)
        _require_bool("with_state", self.with_state)
        if not self.batched:
            object.__setattr__(self, "batch_size", 1)
        require_size("batch_size", self.batch_size, least=0)
        require_size("seq_len", self.seq_len, least=1)
        self._require_lengths()

    @property
    def steps(self) -> int:
        """How often a cell is applied in one layer and direction: L*N, or the sum of lengths."""
        return self.seq_len * self.batch_size if self.lengths is None else sum(self.lengths)

    def _require_lengths(self) -> None:
        if self.lengths is None:
            return
        object.__setattr__(self, "lengths", _lengths(self.lengths))
        if len(self.lengths) > MOST_ROWS:
            raise RequestError(
                f"{len(self.lengths):,} lengths; the most is {MOST_ROWS:,}",
                hint="give the lengths of fewer rows",
            )
        for length in self.lengths:
            require_size("a length", length, least=1)
        if not self.lengths or not self.batched or len(self.lengths) != self.batch_size:
            raise RequestError(
                f"{len(self.lengths)} lengths do not fit batch {self.batch_size}",
                hint="one length a row of the batch: {batch_size}",
                batch_size=len(self.lengths) or self.batch_size,
            )
        if max(self.lengths) > MOST_PACKED_STEPS:
            raise RequestError(
                f"length {max(self.lengths)} is packed step by step; the most is"
                f" {MOST_PACKED_STEPS:,}",
                hint="give shorter rows",
            )
        if max(self.lengths) > self.seq_len:
            raise RequestError(
                f"length {max(self.lengths)} is longer than seq {self.seq_len}",
                hint="PyTorch packs it silently, and reads past the row; shorten it",
            )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where a layer runs and in what type: a device by PyTorch's name, `cuda:1`, and a dtype.

    A torch.device is taken too, and of the dtype its name or a torch.dtype.
    """

    device: str = "cpu"
    dtype: DType = DType.FLOAT32

    def __post_init__(self) -> None:
        object.__setattr__(self, "device", _device(self.device))
        object.__setattr__(self, "dtype", _dtype(self.dtype))
        match = _DEVICE.fullmatch(self.device)
        if match is None:
            raise RequestError(
                f"unknown device {written(self.device)}",
                hint="one of cpu, cuda, cuda:1, mps, xpu, meta",
            )
        if match["type"] not in ("cuda", "xpu") and int(match["index"] or 0) > 0:
            raise RequestError(
                f"device {self.device}: there is one {match['type']} device, without a number",
                device=match["type"],
            )

    @property
    def device_type(self) -> str:
        """The device without its number: `cuda` for `cuda:1`."""
        return self.device.partition(":")[0]


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
    """Whether it is one; an array would answer for each of its elements."""
    return isinstance(value, str) and value in _NONLINEARITIES


def _nearest(value: object, names: Sequence[str]) -> str:
    """The name that is meant, which is the first where no text is given."""
    return nearest(value if isinstance(value, str) else "", names)


def _device(value: object) -> str:
    if isinstance(value, str) or _is_of_torch(value, "device"):
        return str(value)
    raise RequestError(
        f"device must be a name or a torch.device, not {written(value)}", device="cpu"
    )


def _dtype(value: object) -> DType:
    if isinstance(value, DType):
        return value
    if isinstance(value, str) or _is_of_torch(value, "dtype"):
        return dtype_named(str(value))
    raise RequestError(
        f"dtype must be a name or a torch.dtype, not {written(value)}", dtype="float32"
    )


def _is_of_torch(value: object, name: str) -> bool:
    """Whether this is a `torch.NAME`, without importing torch to see."""
    return (type(value).__module__, type(value).__name__) == ("torch", name)


def _lengths(value: Iterable[Any]) -> tuple[object, ...]:
    """The items, those of a tensor as ints; what is no whole number is found by who checks it."""
    try:
        return tuple(each if type(each) is bool else index(each) for each in value)
    except (TypeError, ValueError, RuntimeError):  # tensors without values raise the last
        raise RequestError(
            f"lengths must be whole numbers, one a row, not {written(value)}", lengths=(7, 3, 2)
        ) from None


def dtype_named(name: str) -> DType:
    """The dtype that PyTorch calls `name`: `float32`, `torch.half`, `cdouble`."""
    bare = name.removeprefix("torch.")
    try:
        return DType(_DTYPE_ALIASES.get(bare, bare))
    except ValueError:
        pass
    what = (
        f"dtype {quoted(name)} is not floating or complex, as a layer's weights must be"
        if re.fullmatch(r"u?int\d*|long|short|bool|q?u?int\w*|bits\w*", bare)
        else f"unknown dtype {written(name)}"
    )
    raise RequestError(what, hint=f"one of {', '.join(dtype.value for dtype in DType)}")


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
    "a length": "steps",
}


def _require_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise RequestError(
            f"{name} must be True or False, not {written(value)}", hint=f"{name}=True"
        )


def _require_dropout(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise RequestError(
            f"dropout must be a probability from 0 to 1, not {written(value)}", dropout=0.2
        )
