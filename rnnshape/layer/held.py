"""What an existing module holds, where that differs from a layer as its constructor made it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rnnshape.layer.facts import Dims
from rnnshape.layer.weights import elements


@dataclass(frozen=True, kw_only=True)
class HeldTensor:
    """A parameter or a buffer of a module."""

    name: str  # in the module: "parametrizations.weight_hh_l0.original0"
    shape: Dims
    device: str
    dtype: str  # any of PyTorch's, such as "int8"
    nbytes: int

    @property
    def place(self) -> str:
        """Its dtype and its device: `float32 on cpu`."""
        return f"{self.dtype} on {self.device}"


@dataclass(frozen=True, kw_only=True)
class Held:
    """The tensors of a module, each once even if it has several names."""

    parameters: tuple[HeldTensor, ...]
    buffers: tuple[HeldTensor, ...]  # those with the name of a weight

    @property
    def elements(self) -> int:
        """Elements of all parameters."""
        return sum(elements(each.shape) for each in self.parameters)

    @property
    def nbytes(self) -> int:
        """Bytes of all parameters, each in its own dtype."""
        return sum(each.nbytes for each in self.parameters)

    @property
    def typical(self) -> HeldTensor | None:
        """A tensor with the most common dtype and device; None where there are no tensors."""
        tensors = (*self.parameters, *self.buffers)
        places = Counter(each.place for each in tensors)
        return max(tensors, key=lambda each: places[each.place], default=None)

    @property
    def elsewhere(self) -> tuple[HeldTensor, ...]:
        """The tensors whose dtype or device is not that of the typical one."""
        place = self.typical.place if self.typical else ""
        return tuple(each for each in (*self.parameters, *self.buffers) if each.place != place)
