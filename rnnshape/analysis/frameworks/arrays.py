"""How one array of another framework is made of PyTorch's weights of one layer and direction.

All that is said of an array follows from how it is made: its shape, what people read, the code that
makes it, and the code that takes it apart again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from math import prod
from typing import Literal, NamedTuple, TypeAlias

from rnnshape.layer.facts import Dims


class Given(NamedTuple):
    """PyTorch's weights of one layer and direction."""

    shapes: Mapping[str, Dims]  # by name without layer: "weight_ih"
    gates: str  # in the order of their rows, "ifgo"; "" where there is but one
    hidden: int  # rows of each gate


class Part(NamedTuple):
    """Some rows of one of PyTorch's weights, and the code that takes them from an array."""

    weight: str
    gates: str  # "" for all rows, as PyTorch has them
    code: str


Way: TypeAlias = Literal["rows", "zeros", "transposed", "sum", "joined", "stacked", "by gate"]


@dataclass(frozen=True, kw_only=True)
class Array:
    """An array as a function of PyTorch's weights."""

    way: Way  # in which it is made of others
    text: str  # what it is made of, for people: "weight_ih[zrn].T"
    code: str  # the expression that makes it: 'rows(weight_ih, "zrn").T'
    shape: Callable[[Given], Dims]
    parts: Callable[[str, Given], Iterator[Part]]  # what an array of this name can give
    of: tuple[Array, ...] = ()
    weight: str = ""  # whose rows it has, if it is not made of others
    gates: str = ""  # which rows; "" for all

    def walk(self) -> Iterator[Array]:
        """The array and all that it is made of."""
        yield self
        for each in self.of:
            yield from each.walk()

    @property
    def T(self) -> Array:  # noqa: N802 - as numpy calls it
        """The same matrix transposed."""
        return Array(
            way="transposed",
            text=f"{self.text}.T",
            code=f"{self.code}.T",
            shape=lambda given: self.shape(given)[::-1],
            parts=lambda code, given: self.parts(f"{code}.T", given),
            of=(self,),
        )

    def elements(self, given: Given) -> int:
        """How many numbers it holds."""
        return prod(self.shape(given))


def rows(weight: str, gates: str = "") -> Array:
    """A weight, or the rows of some of its gates in an order of their own."""

    def shape(given: Given) -> Dims:
        if weight.startswith("bias"):
            return (max(len(gates or given.gates), 1) * given.hidden,)
        first, *rest = given.shapes[weight]
        return (len(gates) * given.hidden if gates else first, *rest)

    return Array(
        way="rows",
        text=f"{weight}[{gates}]" if gates else weight,
        code=f'rows({weight}, "{gates}")' if gates else weight,
        shape=shape,
        parts=lambda code, _: iter([Part(weight, gates, code)]),
        weight=weight,
        gates=gates,
    )


def zeros(gates: int) -> Array:
    """A bias that the other framework always has, where PyTorch's layer has none."""
    return Array(
        way="zeros",
        text="zeros",
        code=f"np.zeros({gates} * H, np.float32)",
        shape=lambda given: (gates * given.hidden,),
        parts=lambda *_: iter(()),
    )


def summed(gates: str = "") -> Array:
    """The sum of the two biases; taken apart, it is the first of them, and the other is zero."""
    both = rows("bias_ih", gates), rows("bias_hh", gates)
    return Array(
        way="sum",
        text=f"(bias_ih + bias_hh)[{gates}]" if gates else "bias_ih + bias_hh",
        code=" + ".join(each.code for each in both),
        shape=both[0].shape,
        parts=both[0].parts,
        of=both,
    )


def joined(*each: Array) -> Array:
    """Arrays one after the other along the first axis."""

    def shape(given: Given) -> Dims:
        shapes = [one.shape(given) for one in each]
        return (sum(own[0] for own in shapes), *shapes[0][1:])

    def parts(code: str, given: Given) -> Iterator[Part]:
        # Counted from the end, since only the first may be as long as the input of its layer.
        lengths = [one.shape(given)[0] for one in each]
        ends = [*accumulate(lengths[:0:-1])][::-1]
        for one, start, end in zip(each, [0, *ends], [*ends, 0], strict=True):
            piece = f"{code}[{f'-{start}' if start else ''}:{f'-{end}' if end else ''}]"
            yield from one.parts(piece, given)

    return Array(
        way="joined",
        text=", ".join(one.text for one in each),
        code=f"np.concatenate([{', '.join(one.code for one in each)}])",
        shape=shape,
        parts=parts,
        of=each,
    )


def stacked(*each: Array) -> Array:
    """Arrays of one shape along a new first axis."""
    return Array(
        way="stacked",
        text=" over ".join(one.text for one in each),
        code=f"np.stack([{', '.join(one.code for one in each)}])",
        shape=lambda given: (len(each), *each[0].shape(given)),
        parts=lambda code, given: chain.from_iterable(
            one.parts(f"{code}[{number}]", given) for number, one in enumerate(each)
        ),
        of=each,
    )


def by_gate(array: Array, gates: int) -> Array:
    """The array with its last axis divided into one for the gates and one of hidden size."""
    matrix = "-1, " if array.way == "transposed" else ""
    code = f"({array.code})" if array.way == "sum" else array.code

    def shape(given: Given) -> Dims:
        *rest, last = array.shape(given)
        return (*rest, gates, last // gates)

    return Array(
        way="by gate",
        text=array.text,
        code=f"{code}.reshape({matrix}{gates}, H)",
        shape=shape,
        parts=lambda name, given: array.parts(f"{name}.reshape({matrix}{gates} * H)", given),
        of=(array,),
    )


def restored(weight: str, parts: Sequence[Part], given: Given) -> str:
    """The expression that makes PyTorch's weight of the parts that there are; others are zero."""
    own = [part for part in parts if part.weight == weight]
    if not own:
        return f"np.zeros({max(len(given.gates), 1)} * H)"
    if len(own) == 1 and own[0].gates in ("", given.gates):
        return own[0].code
    missing = [gate for gate in given.gates if not any(gate in part.gates for part in own)]
    codes = [part.code for part in own] + [f"np.zeros({len(missing)} * H)"] * bool(missing)
    stacked_as = "".join(part.gates for part in own) + "".join(missing)
    whole = codes[0] if len(codes) == 1 else f"np.concatenate([{', '.join(codes)}])"
    return whole if stacked_as == given.gates else f'rows({whole}, "{given.gates}", "{stacked_as}")'
