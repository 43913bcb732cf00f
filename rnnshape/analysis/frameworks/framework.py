"""What is known of another framework: its layers, their arrays, and how it is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rnnshape.analysis.frameworks.arrays import Array
from rnnshape.layer.config import RNNConfig
from rnnshape.layer.formulas import Sizes, state_names

Scope: TypeAlias = Literal["direction", "layer", "stack"]


@dataclass(frozen=True, kw_only=True)
class Port:
    """A layer of another framework that has the sizes of PyTorch's."""

    layer: str  # its name there: "GRU(reset_after=False)"
    arrays: dict[str, Array]  # by their names there, in the order of that framework
    scope: Scope = "direction"  # what one array holds: a layer holds its directions as an axis
    outer: int = 0  # axes of size 1 before that axis
    lacks: str = ""  # which of PyTorch's weights it cannot hold: "b_hn"
    other: bool = False  # whether it computes something else, whatever its weights are

    @property
    def exact(self) -> bool:
        """Whether every layer of PyTorch can be given to it."""
        return not self.lacks and not self.other


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A tensor that goes into or comes out of the layer there, and what PyTorch has instead."""

    name: str
    shape: tuple[int, ...]
    pytorch: str  # an expression: "output.transpose(0, 1)"


@dataclass(frozen=True, kw_only=True)
class Code:
    """What a program does with the framework, beside converting; each is lines of Python.

    The lines may use `layers`, which has for each layer a dict of arrays for each direction, and
    `x`, an input in the layout of PyTorch's layer.
    """

    imports: Sequence[str] = ()
    create: Sequence[str] = ()  # makes the model there
    fill: Sequence[str] = ()  # gives it the arrays of `layers`
    call: Sequence[str] = ()  # assigns `theirs`, its output for `x` in PyTorch's layout
    read: Sequence[str] = ()  # assigns `layers` from the model


@dataclass(frozen=True, kw_only=True)
class Framework:
    """Another framework."""

    title: str
    page: str  # where it says what is said here
    runs: bool = False  # whether its library was run to prove it; else its page is the source
    objects: str  # what is one object there
    ports: Callable[[RNNConfig], Sequence[Port]]  # the one to choose comes first
    tensors: Callable[[Sizes], Sequence[Tensor]]
    limits: Callable[[RNNConfig], Sequence[str]]  # what no conversion can give
    code: Callable[[Sizes, Port], Code]


def batch_first(sizes: Sizes, name: str) -> str:
    """PyTorch's input or output as an expression whose first axis is the batch."""
    return name if sizes.config.batch_first else f"{name}.transpose(0, 1)"


def seq_first(sizes: Sizes, name: str) -> str:
    """PyTorch's input or output as an expression whose first axis is the steps."""
    return f"{name}.transpose(0, 1)" if sizes.config.batch_first else name


def states(sizes: Sizes, names: Sequence[str], scope: Scope) -> list[Tensor]:
    """The final states as the framework names them, for each direction, layer or stack of `scope`.

    PyTorch's expression is that of layer n and, with two directions, direction d.
    """
    outer, index = {
        "direction": ((), "[2*n + d]" if sizes.D == 2 else "[n]"),
        "layer": ((sizes.D,), "[2*n:2*n + 2]" if sizes.D == 2 else "[n:n + 1]"),
        "stack": ((sizes.num_layers * sizes.D,), ""),
    }[scope]
    if sizes.num_layers == 1:
        index = {"[2*n + d]": "[d]", "[n]": "[0]"}.get(index, "")
    width = {"h": sizes.H_out, "c": sizes.H_cell}
    return [
        Tensor(name=name, shape=(*outer, sizes.N, width[own[0]]), pytorch=f"{own}{index}")
        for name, own in zip(names, state_names(sizes.config, "n"), strict=False)
    ]


def names_of(port: Port) -> str:
    """The line that assigns the names of its arrays to `names`."""
    return f"names = {[*port.arrays]}".replace("'", '"')


def by_name(port: Port, sizes: Sizes, pattern: str, doc: str) -> Code:
    """The code for a framework whose arrays have names that `pattern` makes of n, d and name."""
    return Code(
        create=(
            "def name_there(n, d, name):",
            f'    """{doc}"""',
            f"    return {pattern}",
            "",
        ),
        fill=(
            "model = {",
            "    name_there(n, d, name): value",
            "    for n, directions in enumerate(layers)",
            "    for d, arrays in enumerate(directions)",
            "    for name, value in arrays.items()",
            "}",
        ),
        read=(
            names_of(port),
            "layers = [",
            "    [{name: model[name_there(n, d, name)] for name in names}",
            f"     for d in range({sizes.D})]",
            f"    for n in range({sizes.num_layers})",
            "]",
        ),
    )
