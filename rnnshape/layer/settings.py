"""Where a layer runs and in what type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from rnnshape.errors import RequestError, quoted, written


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
class Settings:
    """Where a layer runs and in what type.

    `device` is PyTorch's name, `cuda:1`, or a torch.device; `dtype` a DType, its name or a
    torch.dtype. Raises RequestError for a device or a dtype that PyTorch does not have.
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
                device=self.device,
            )
        if match["type"] not in ("cuda", "xpu") and int(match["index"] or 0) > 0:
            raise RequestError(
                f"device {self.device}: there is only one {match['type']} device",
                device=match["type"],
            )

    @property
    def device_type(self) -> str:
        """The device without its number: `cuda` for `cuda:1`."""
        return self.device.partition(":")[0]


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
    """Whether this is a `torch.NAME`; torch is not imported to find out."""
    return (type(value).__module__, type(value).__name__) == ("torch", name)


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
    names = ", ".join(dtype.value for dtype in DType)
    raise RequestError(what, hint=f"one of {names}", dtype=name)
