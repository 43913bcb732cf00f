"""The same layer in every framework: what its weights hold, and what fills them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rnnshape.analysis.frameworks.arrays import Array, Given
from rnnshape.analysis.frameworks.framework import Framework, Port, Tensor
from rnnshape.analysis.frameworks.program import program
from rnnshape.analysis.frameworks.registry import NAMES, framework
from rnnshape.computed import cached_property
from rnnshape.dims import ints
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import AlikeLayers


@dataclass(frozen=True, kw_only=True)
class PortedArray:
    """An array there that several layers and directions have in the same shape."""

    name: str
    layers: range  # of PyTorch's
    shape: tuple[int, ...]
    count: int
    source: str  # what it is made of: "weight_ih[zrn].T"


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """The layer of a subject in one framework."""

    name: str  # as --to takes it; "" for PyTorch's own layer
    framework: Framework | None
    port: Port | None
    subject: Subject

    @property
    def title(self) -> str:
        """The name of the framework."""
        return self.framework.title if self.framework else "PyTorch"

    @property
    def layer(self) -> str:
        """The name of the layer there."""
        return self.port.layer if self.port else self.subject.config.class_name

    @cached_property
    def parameters(self) -> int:
        """Elements of all weights of the whole stack."""
        if self.port is None:
            return int(self.subject.parameters)
        return sum(
            int(block.copies) * array.elements(_given(self.subject, block))
            for block in self.subject.weights.blocks
            for array in self.port.arrays.values()
        )

    @property
    def biases(self) -> str:
        """How many bias vectors each layer and direction has: "one", "two"."""
        config = self.subject.config
        rows = (self.parameters - self._matrices) // (self._copies * config.hidden_size)
        return _BIASES.get((rows, config.kind.gates), "none")

    @property
    def gates(self) -> str:
        """The order in which a weight stacks the gates, in PyTorch's letters; "" if none does."""
        own = self.subject.config.kind.gate_names
        if len(own) == 1:
            return ""
        if self.port is None:
            return " ".join(own)
        orders = [rows.gates or own for rows in self._rows if rows.weight == "weight_ih"]
        return " ".join(next((order for order in orders if len(order) == len(own)), ""))

    @property
    def arrays(self) -> Iterator[PortedArray]:
        """The arrays of the framework, those of layers that are alike together."""
        assert self.port is not None
        wide, d = self.port.scope == "layer", self.subject.config.directions
        for name, array in self.port.arrays.items():
            for block in _alike(array, self.subject):
                shape = ints(array.shape(_given(self.subject, block)))
                outer = (1,) * self.port.outer + (d,) if wide else ()
                yield PortedArray(
                    name=name,
                    layers=range(block.first, block.first + int(block.layers)),
                    shape=(*outer, *shape),
                    count=int(block.layers) * (1 if wide else d),
                    source=array.text,
                )

    @property
    def tensors(self) -> Sequence[Tensor]:
        """What goes in and comes out there."""
        assert self.framework is not None
        return self.framework.tensors(self.subject.sizes) if self.port else ()

    @property
    def program(self) -> list[str]:
        """The lines of a program that converts; none where nothing can be converted."""
        assert self.framework is not None
        if self.port is None:
            return []
        first = _given(self.subject, self.subject.weights.blocks[0])
        dtype = self.subject.settings.dtype
        return program(self.framework, self.port, self.subject.sizes, first, dtype)

    @property
    def steps(self) -> list[str]:
        """What fills its arrays, in a few words: "transpose", "add the biases"."""
        if self.port is None:
            return []
        return [step for step, taken in self._steps(self.port) if taken]

    def _steps(self, port: Port) -> Iterator[tuple[str, bool]]:
        biases = [each for each in port.arrays.values() if _is_bias(each)]
        matrices = [each for each in port.arrays.values() if not _is_bias(each)]
        ways = {each.way for matrix in matrices for each in matrix.walk()}
        yield "join weight_ih and weight_hh", "joined" in ways
        apart = any(len(each.gates) == 1 for each in self._rows)
        yield "one array for each gate", apart and not self.gates
        yield "transpose", "transposed" in ways
        order = self.gates.replace(" ", "")
        yield f"reorder to {self.gates}", order not in ("", self.subject.config.kind.gate_names)
        ways = {each.way for bias in biases for each in bias.walk()}
        but = " except those of n" * (self.biases == "one, and b_hn")
        yield f"add the biases{but}", "sum" in ways
        yield "stack the biases", "stacked" in ways
        yield "concatenate the biases", "joined" in ways and "sum" not in ways
        yield "zeros for its bias", "zeros" in ways
        yield "one buffer, matrices first", port.scope == "stack"

    @property
    def _rows(self) -> list[Array]:
        assert self.port is not None
        walked = (each for array in self.port.arrays.values() for each in array.walk())
        return [each for each in walked if each.way == "rows"]

    @property
    def _matrices(self) -> int:
        return int(self.subject.weights.matrix_elements)

    @property
    def _copies(self) -> int:
        return sum(int(block.copies) for block in self.subject.weights.blocks)


# By rows in units of hidden_size, and by gates.
_BIASES: Final = {
    **{(gates, gates): "one" for gates in (1, 3, 4)},
    **{(2 * gates, gates): "two" for gates in (1, 3, 4)},
    (4, 3): "one, and b_hn",
}


def counterparts(subject: Subject) -> list[Counterpart]:
    """The layer of the subject, then that of each framework which has one of its sizes."""
    own = Counterpart(name="", framework=None, port=None, subject=subject)
    return [own, *(row for name in NAMES for row in counterparts_in(name, subject))]


def counterparts_in(name: str, subject: Subject) -> list[Counterpart]:
    """The layers of that size in one framework, the one to choose first."""
    found = framework(name)
    return [
        Counterpart(name=name, framework=found, port=port, subject=subject)
        for port in found.ports(subject.config)
    ]


def _given(subject: Subject, block: AlikeLayers) -> Given:
    config: RNNConfig = subject.config
    gates = config.kind.gate_names if config.kind is not Kind.RNN else ""
    return Given(block.shapes, gates, config.hidden_size)


def _alike(array: Array, subject: Subject) -> list[AlikeLayers]:
    """The layers, as one block where the array has the same shape in all of them."""
    blocks = subject.weights.blocks
    shapes = {array.shape(_given(subject, block)) for block in blocks}
    if len(blocks) == 1 or len(shapes) > 1:
        return [*blocks]
    first = blocks[0]
    layers = sum(block.layers for block in blocks)
    return [AlikeLayers(first=0, layers=layers, directions=first.directions, shapes=first.shapes)]


def _is_bias(array: Array) -> bool:
    return not any(each.weight.startswith("weight") for each in array.walk())
