"""What is known of a tensor that a graph computes: its shape, and what it is computed from.

Elements are followed only for the few numbers that are axes or shapes. Sizes that are not known
are -1; an operation that is not known, or whose inputs do not fit, gives an unknown shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from math import prod
from typing import Final, NamedTuple, TypeAlias

from rnnshape.layer.facts import Dims
from rnnshape.sources.files.onnx.model import MOST_NUMBERS, Node, Numbers, Scope, Tensor

# A longer chain of operations is not followed.
_LONGEST_CHAIN: Final = 60
_MOST_AXES: Final = 32
_MOST_LEAVES: Final = 64

Leaf: TypeAlias = Tensor | str


class Value(NamedTuple):
    """A tensor of a graph."""

    shape: Dims | None = None  # None: not even the number of axes is known
    numbers: Numbers | None = None  # its elements, where they are known and few
    made: int = 0  # equal for values that the same operations make
    leaves: tuple[Leaf, ...] = ()  # of these: stored tensors, or places of what is not known


UNKNOWN: Final = Value()
_Result: TypeAlias = tuple[Dims | None, Numbers | None]


@dataclass
class Folding:
    """Finds the values of names, each once."""

    _values: dict[tuple[int, str], Value] = field(default_factory=dict)
    _recipes: dict[tuple[object, ...], int] = field(default_factory=dict)

    def value(self, scope: Scope, name: str, depth: int = 0) -> Value:
        """What is known of the tensor that a name stands for in a graph."""
        home = scope.home(name)
        if not name or home is None or depth > _LONGEST_CHAIN:
            return UNKNOWN
        key = id(home), name
        if key not in self._values:
            self._values[key] = UNKNOWN  # for a graph that goes round in a circle
            self._values[key] = self._found(home, name, depth)
        return self._values[key]

    def _found(self, scope: Scope, name: str, depth: int) -> Value:
        if name in scope.arguments:
            caller, argument = scope.arguments[name]
            return self.value(caller, argument, depth + 1)
        if name in scope.tensors:
            tensor = scope.tensors[name]
            return Value(tensor.shape, tensor.numbers, 0, (tensor,))
        value = Value(leaves=(f"{id(scope)} {name}",))
        if name in scope.producers:
            value = self._computed(scope, *scope.producers[name], depth)
        if value.shape is None and name in scope.shapes:
            value = value._replace(shape=scope.shapes[name])
        return value

    def _computed(self, scope: Scope, node: Node, place: int, depth: int) -> Value:
        if not node.is_standard:
            return Value(leaves=(f"{id(node)} {place}",))
        if node.op == "Constant":
            return _constant(node)
        inputs = [self.value(scope, name, depth + 1) for name in node.inputs]
        if node.op == "Identity" and inputs:
            return inputs[0]
        leaves = tuple(leaf for value in inputs for leaf in value.leaves)
        results = _fold(node, inputs)
        shape, numbers = results[place] if place < len(results) else (None, None)
        if not results or len(leaves) > _MOST_LEAVES:
            return Value(shape, numbers, 0, (f"{id(node)} {place}",))
        recipe = (node.op, _settings(node), place, *(value.made for value in inputs))
        made = self._recipes.setdefault(recipe, len(self._recipes) + 1)
        return Value(shape, numbers, made, leaves)


def _settings(node: Node) -> tuple[bytes, ...]:
    return tuple(sorted(node.reader.bytes(span) for span in node.attribute_spans))


def _constant(node: Node) -> Value:
    for name, attribute in node.attributes().items():
        match name:
            case "value":
                stored = attribute.message(5)
                if stored is not None:
                    tensor = Tensor(stored)
                    return Value(tensor.shape, tensor.numbers, 0, (tensor,))
            case "value_int" | "value_float":
                number: Numbers = attribute.integers(3) or attribute.floats(2)
                return Value((), number, 0, (f"{number}",))
            case "value_ints" | "value_floats":
                numbers: Numbers = attribute.integers(8) or attribute.floats(7)
                return Value((len(numbers),), _few(numbers), 0, (f"{numbers[:MOST_NUMBERS]}",))
            case _:
                continue
    return Value(leaves=(f"{id(node)}",))


def _fold(node: Node, inputs: Sequence[Value]) -> list[_Result]:
    """The shapes of the outputs, and their elements where they are followed."""
    rule = _RULES.get(node.op)
    try:
        results = [] if rule is None else rule(_Call(node, inputs))
    except (ArithmeticError, LookupError, TypeError, ValueError):  # the inputs do not fit
        return [(None, None)]
    return [
        (None, None) if shape is not None and len(shape) > _MOST_AXES else (shape, _few(numbers))
        for shape, numbers in results
    ]


def _few(numbers: Numbers | None) -> Numbers | None:
    return None if numbers is None or len(numbers) > MOST_NUMBERS else numbers


class _Call(NamedTuple):
    """An operation with its inputs. What is asked of it and not known is a LookupError."""

    node: Node
    inputs: Sequence[Value]

    def shape(self, place: int = 0) -> Dims:
        shape = self.inputs[place].shape
        if shape is None:
            raise LookupError(place)
        return shape

    def integers(self, name: str, place: int) -> tuple[int, ...] | None:
        """Numbers that an attribute gives in older models, and an input in newer ones."""
        if name in (attributes := self.node.attributes()):
            return attributes[name].integers(8)
        if not self.node.input(place):
            return None
        numbers = self.inputs[place].numbers
        if numbers is None:
            raise LookupError(name)
        return tuple(map(int, numbers))

    def integer(self, name: str, default: int) -> int:
        attributes = self.node.attributes()
        return attributes[name].integer(3) if name in attributes else default


def _same(call: _Call) -> list[_Result]:
    return [(call.inputs[0].shape, call.inputs[0].numbers)]


def _alike(call: _Call) -> list[_Result]:
    return [(call.shape(), None)]


def _broadcast(call: _Call) -> list[_Result]:
    shapes = [call.shape(place)[::-1] for place in range(len(call.inputs))]
    return [(tuple(map(_joint, zip_longest(*shapes, fillvalue=1)))[::-1], None)]


def _joint(sizes: tuple[int, ...]) -> int:
    wide = {size for size in sizes if size != 1}
    if len(wide - {-1}) > 1:
        raise ValueError(sizes)
    return max(wide, default=1)


def _transpose(call: _Call) -> list[_Result]:
    shape = call.shape()
    return [(tuple(shape[axis] for axis in permutation(call.node, len(shape))), None)]


def permutation(node: Node, axes: int) -> tuple[int, ...]:
    """The order into which a Transpose brings its axes."""
    attributes = node.attributes()
    if "perm" not in attributes:
        return tuple(reversed(range(axes)))
    return attributes["perm"].integers(8)


def _unsqueeze(call: _Call) -> list[_Result]:
    shape, axes = list(call.shape()), call.integers("axes", 1) or ()
    rank = len(shape) + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        shape.insert(axis, 1)
    return [(tuple(shape), call.inputs[0].numbers)]


def _squeeze(call: _Call) -> list[_Result]:
    shape, axes = call.shape(), call.integers("axes", 1)
    if axes is None:
        if -1 in shape:
            raise LookupError("axes")
        gone = {axis for axis, size in enumerate(shape) if size == 1}
    else:
        gone = {axis % len(shape) for axis in axes}
    kept = tuple(size for axis, size in enumerate(shape) if axis not in gone)
    return [(kept, call.inputs[0].numbers)]


def _reshape(call: _Call) -> list[_Result]:
    shape, wanted = call.shape(), list(call.integers("shape", 1) or ())
    if not call.integer("allowzero", 0):
        wanted = [shape[axis] if size == 0 else size for axis, size in enumerate(wanted)]
    if wanted.count(-1) == 1 and -1 not in shape:
        known = prod(size for size in wanted if size != -1)
        wanted[wanted.index(-1)] = prod(shape) // known
    return [(tuple(wanted), call.inputs[0].numbers)]


def _flatten(call: _Call) -> list[_Result]:
    shape, axis = call.shape(), call.integer("axis", 1)
    halves = shape[:axis], shape[axis:]
    return [(tuple(-1 if -1 in half else prod(half) for half in halves), None)]


def _concat(call: _Call) -> list[_Result]:
    shapes = [call.shape(place) for place in range(len(call.inputs))]
    axis = call.integer("axis", 0) % len(shapes[0])
    joined = [max(sizes) for sizes in zip(*shapes, strict=True)]
    parts = [shape[axis] for shape in shapes]
    joined[axis] = -1 if -1 in parts else sum(parts)
    pieces = [value.numbers for value in call.inputs]
    known = [number for piece in pieces if piece is not None for number in piece]
    numbers = tuple(known) if None not in pieces and len(joined) == 1 else None
    return [(tuple(joined), numbers)]


def _slice(call: _Call) -> list[_Result]:
    shape, numbers = list(call.shape()), call.inputs[0].numbers
    starts, ends = call.integers("starts", 1) or (), call.integers("ends", 2) or ()
    axes = call.integers("axes", 3) or tuple(range(len(starts)))
    steps = call.integers("steps", 4) or (1,) * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        # An end before the first element stands for all of them, where the step goes back.
        last = None if end < -shape[axis] and step < 0 else end
        cut = slice(start, last, step)
        if shape[axis] >= 0:
            numbers = numbers[cut] if numbers is not None and len(shape) == 1 else None
            shape[axis] = len(range(shape[axis])[cut])
    return [(tuple(shape), numbers)]


def _split(call: _Call) -> list[_Result]:
    shape = call.shape()
    axis = call.integer("axis", 0) % len(shape)
    parts, count = call.integers("split", 1), len(call.node.outputs)
    if parts is None:
        each = -(-shape[axis] // count)
        parts = (*[each] * (count - 1), shape[axis] - each * (count - 1))
    return [((*shape[:axis], part, *shape[axis + 1 :]), None) for part in parts]


def _gather(call: _Call) -> list[_Result]:
    shape, picked = call.shape(), call.shape(1)
    axis = call.integer("axis", 0) % len(shape)
    numbers, places = call.inputs[0].numbers, call.inputs[1].numbers
    if numbers is not None and places is not None and len(shape) == 1:
        numbers = tuple(numbers[int(place)] for place in places)
    else:
        numbers = None
    return [((*shape[:axis], *picked, *shape[axis + 1 :]), numbers)]


def _expand(call: _Call) -> list[_Result]:
    wanted = call.integers("", 1) or ()
    shapes = [call.shape()[::-1], wanted[::-1]]
    return [(tuple(map(_joint, zip_longest(*shapes, fillvalue=1)))[::-1], None)]


def _filled(call: _Call) -> list[_Result]:
    return [(call.integers("", 0), None)]


def _shape(call: _Call) -> list[_Result]:
    shape = call.shape()
    part = shape[call.integer("start", 0) : call.integer("end", len(shape))]
    return [((len(part),), None if -1 in part else part)]


def _reduce(call: _Call) -> list[_Result]:
    shape, axes = call.shape(), call.integers("axes", 1)
    gone = {axis % len(shape) for axis in range(len(shape)) if axes is None}
    gone |= {axis % len(shape) for axis in axes or ()}
    if call.integer("keepdims", 1):
        return [(tuple(1 if axis in gone else size for axis, size in enumerate(shape)), None)]
    return [(tuple(size for axis, size in enumerate(shape) if axis not in gone), None)]


_RULES: Final[dict[str, Callable[[_Call], list[_Result]]]] = {
    **dict.fromkeys(("Cast", "CastLike"), _same),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear", "Dropout"), _alike),
    **dict.fromkeys(("Neg", "Abs", "Sqrt", "Exp", "Reciprocal", "Clip", "Round"), _alike),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Pow", "Where"), _broadcast),
    **dict.fromkeys(("ReduceL2", "ReduceSum", "ReduceSumSquare", "ReduceMax"), _reduce),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Concat": _concat,
    "Slice": _slice,
    "Split": _split,
    "Gather": _gather,
    "Expand": _expand,
    "ConstantOfShape": _filled,
    "Shape": _shape,
}
