"""What an existing module holds, where that is not what a layer of its sizes has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from rnnshape.dims import ints
from rnnshape.layer.facts import Dims, Weight
from rnnshape.layer.settings import Settings


@dataclass(frozen=True, kw_only=True)
class HeldTensor:
    """A parameter of a module, or a buffer that takes the place of one."""

    name: str  # in the module: "parametrizations.weight_hh_l0.original0"
    shape: Dims
    device: str
    dtype: str  # of any kind, "int8" as well
    itemsize: int  # bytes of one element
    is_parameter: bool = True

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    @property
    def place(self) -> str:
        """Its type and where it is: `float32 on cpu`."""
        return f"{self.dtype} on {self.device}"


@dataclass(frozen=True, kw_only=True)
class Held:
    """The tensors of a module, each once, although it may have several names."""

    tensors: tuple[HeldTensor, ...]

    @property
    def own(self) -> tuple[HeldTensor, ...]:
        """The parameters, without buffers."""
        return tuple(each for each in self.tensors if each.is_parameter)

    @property
    def parameters(self) -> int:
        """Elements of all parameters."""
        return sum(each.elements for each in self.own)

    @property
    def parameter_bytes(self) -> int:
        """Bytes of all parameters, each in its own dtype."""
        return sum(each.elements * each.itemsize for each in self.own)

    @property
    def typical(self) -> HeldTensor:
        """A tensor of the type and on the device of most."""
        place = Counter(each.place for each in self.tensors).most_common(1)[0][0]
        return next(each for each in self.tensors if each.place == place)

    @property
    def elsewhere(self) -> tuple[HeldTensor, ...]:
        """The tensors of another type, or on another device, than most."""
        place = self.typical.place if self.tensors else ""
        return tuple(each for each in self.tensors if each.place != place)


def plain_tensors(weights: Iterable[Weight], settings: Settings) -> tuple[HeldTensor, ...]:
    """What a layer with these weights holds when nothing was done to it."""
    dtype = settings.dtype
    return tuple(
        HeldTensor(
            name=weight.name,
            shape=ints(weight.shape),
            device=settings.device,
            dtype=dtype.value,
            itemsize=dtype.itemsize,
        )
        for weight in weights
    )
