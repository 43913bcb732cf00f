"""The device and the dtype that a layer runs with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from rnnshape.errors import RequestError, near, quoted, written
from rnnshape.fields import FIELDS


class DType(Enum):
    """PyTorch's floating-point and complex types; the value is PyTorch's name."""

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
        """Bytes of one element; the first number in its name counts the bits."""
        return int(re.findall(r"\d+", self.value)[0]) // 8

    @property
    def is_complex(self) -> bool:
        """Whether an element is a complex number."""
        return self.value.startswith("complex")


class Optimizer(Enum):
    """The optimizers of a training step; the value is what the option takes."""

    SGD = "sgd"
    ADAM = "adam"
    ADAMW = "adamw"

    @property
    def class_name(self) -> str:
        """What torch.optim calls it: `AdamW`."""
        return {Optimizer.SGD: "SGD", Optimizer.ADAM: "Adam", Optimizer.ADAMW: "AdamW"}[self]

    @property
    def moments(self) -> int:
        """How many numbers it keeps for each parameter; SGD keeps none without momentum."""
        return 0 if self is Optimizer.SGD else 2


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
class Settings:
    """The device and the dtype that a layer runs with, and what would train it.

    `device` is PyTorch's name, `cuda:1`, or a torch.device; `dtype` a DType, its name or a
    torch.dtype; `optimizer` an Optimizer or its name. Raises RequestError for a device or a dtype
    that PyTorch does not have, and for any other optimizer.
    """

    device: str = "cpu"
    dtype: DType = DType.FLOAT32
    optimizer: Optimizer = Optimizer.ADAM

    def __post_init__(self) -> None:
        object.__setattr__(self, "device", _name_in_torch("device", self.device))
        if not isinstance(self.dtype, DType):
            object.__setattr__(self, "dtype", _dtype(_name_in_torch("dtype", self.dtype)))
        if not isinstance(self.optimizer, Optimizer):
            object.__setattr__(self, "optimizer", _optimizer(self.optimizer))
        match = _DEVICE.fullmatch(self.device)
        if match is None:
            raise _unknown_device(self.device)
        if match["type"] not in ("cuda", "xpu") and int(match["index"] or 0) > 0:
            raise RequestError(
                f"device {self.device}: there is only one {match['type']} device",
                device=match["type"],
            )

    @property
    def device_type(self) -> str:
        """The device without its number: `cuda` for `cuda:1`."""
        return self.device.partition(":")[0]


def _name_in_torch(field: Literal["device", "dtype"], value: object) -> str:
    """The name of a device or a dtype, which is given by name or as torch's own object."""
    is_of_torch = (type(value).__module__, type(value).__name__) == ("torch", field)
    if isinstance(value, str) or is_of_torch:
        return str(value)
    raise RequestError(
        f"{field} must be a name or a torch.{field}, not {{}}",
        written(value),
        **{field: FIELDS[field].default},
    )


def _optimizer(name: object) -> Optimizer:
    names = [each.value for each in Optimizer]
    if isinstance(name, str) and name.lower() in names:
        return Optimizer(name.lower())
    near_by = near(name.lower(), names) if isinstance(name, str) else None
    raise RequestError(
        "unknown optimizer {}",
        written(name),
        hint="{optimizer}" if near_by else f"one of {', '.join(names)}",
        optimizer=near_by or "adam",
    )


def _unknown_device(name: str) -> RequestError:
    from rnnshape.synonyms import device_name  # only another word needs it

    meant = device_name(name)
    return RequestError(
        "unknown device {}",
        written(name),
        hint="{device}" if meant else "one of cpu, cuda, cuda:1, mps, xpu, meta",
        device=meant or name,
    )


def _dtype(name: str) -> DType:
    """The dtype that people call `name`: `fp16`, `BF16`, `np.float32`, or by PyTorch's name."""
    try:
        return dtype_named(name)
    except RequestError:
        from rnnshape.synonyms import dtype_name  # only another word needs it

        meant = dtype_name(name)
        if meant == name:
            raise
        return dtype_named(meant)


def dtype_named(name: str) -> DType:
    """The dtype that PyTorch calls `name`: `float32`, `torch.half`, `cdouble`.

    Raises RequestError for any other name.
    """
    bare = name.removeprefix("torch.")
    bare = _DTYPE_ALIASES.get(bare, bare)
    names = [dtype.value for dtype in DType]
    if bare in names:
        return DType(bare)
    hint = f"one of {', '.join(names)}"
    if re.fullmatch(r"u?int\d*|long|short|bool|q?u?int\w*|bits\w*", bare):
        problem = "dtype {} is not floating-point or complex, as a layer's weights must be"
        if bare == "int8":
            hint += "; cost has the bytes of int8 and 4-bit weights"
        raise RequestError(problem, quoted(name), hint=hint, dtype=name)
    raise RequestError("unknown dtype {}", written(name), hint=hint, dtype=name)
