"""One recurrent node: its sizes, and what it does that PyTorch's layers do not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rnnshape.computed import cached_property
from rnnshape.dims import written_shape
from rnnshape.layer.config import Kind, Nonlinearity
from rnnshape.layer.facts import Dims
from rnnshape.sources.files.onnx.folding import Folding, Value
from rnnshape.sources.files.onnx.model import Node, Scope
from rnnshape.sources.files.onnx.protobuf import Message

_MICROSOFT: Final = "com.microsoft"
_KINDS: Final = {"LSTM": Kind.LSTM, "GRU": Kind.GRU, "RNN": Kind.RNN}
_QUANTIZED: Final = "DynamicQuantizeLSTM"
_EXTENDED: Final = {_QUANTIZED: Kind.LSTM, "AttnLSTM": Kind.LSTM}
GATES: Final = {Kind.LSTM: "i o f c", Kind.GRU: "z r h", Kind.RNN: "h"}
_ACTIVATIONS: Final = {
    Kind.LSTM: ("sigmoid", "tanh", "tanh"),
    Kind.GRU: ("sigmoid", "tanh"),
    Kind.RNN: ("tanh",),
}
_PEEPHOLES: Final = 7  # the place of P among the inputs of an LSTM


class NotALayer(Exception):  # noqa: N818 - what a node is, rather than what went wrong
    """A node that is called recurrent, but whose tensors make no layer; its text says why."""


@dataclass(frozen=True, eq=False)
class Cell:
    """A recurrent node whose tensors fit together: one layer of a stack."""

    node: Node
    scope: Scope
    kind: Kind
    directions: int
    input_size: int
    hidden_size: int
    nonlinearity: Nonlinearity | None
    departures: tuple[str, ...]
    attributes: Mapping[str, Message]
    tensors: Mapping[str, tuple[str, Value]]  # "W", "R" and "B", if given: name and value

    @property
    def title(self) -> str:
        """How the node is called in texts."""
        return titled(self.node, self.scope)

    @property
    def batch_first(self) -> bool:
        """Whether the first axis of X and Y is the batch."""
        return integer(self.attributes, "layout", 0) == 1

    @property
    def bias(self) -> bool:
        """Whether it has biases."""
        return "B" in self.tensors

    @property
    def sizes(self) -> tuple[object, ...]:
        """What is the same for all layers of a stack."""
        return (
            *(self.kind, self.node.op, self.directions, self.hidden_size, self.bias),
            *(self.nonlinearity, self.departures, self.batch_first),
        )

    @cached_property
    def exporter_call(self) -> re.Match[str] | None:
        """The last arguments of the call of PyTorch's function, if the exporter noted it."""
        call = self.node.metadata("pkg.torch.onnx.fx_node")
        return _CALL.search(call) if any(name in call for name in _CALLED) else None

    def described(self, letter: str) -> str:
        """One of its tensors with its name and shape: `W lstm.W (1, 160, 20)`."""
        name, value = self.tensors[letter]
        return f"{letter} {name} {_written(value.shape)}"


# aten.lstm.input(x, [states], [weights], has_biases, num_layers, dropout, train, bidirectional,
# batch_first)
_CALLED: Final = tuple(f"aten.{name}.input" for name in ("lstm", "gru", "rnn_tanh", "rnn_relu"))
_CALL: Final = re.compile(
    r"\], (?:True|False), \d{1,9}, (?P<dropout>\d(?:\.\d{1,20})?(?:e-\d\d)?), (?:True|False),"
    r" (?:True|False), (?P<batch_first>True|False)\)"
)


def is_recurrent(node: Node) -> bool:
    """Whether a node is one of ONNX's recurrent layers, or of those that ONNX Runtime adds."""
    return (node.is_standard and node.op in _KINDS) or (
        node.domain == _MICROSOFT and node.op in _EXTENDED
    )


def looks_recurrent(node: Node) -> bool:
    """Whether a node of an unknown domain is called like a recurrent layer."""
    return bool(re.fullmatch(r"\w*(LSTM|GRU|RNN)(Sequence|Cell|Block|Layer)?", node.op))


def titled(node: Node, scope: Scope) -> str:
    """A node with its kind and place: `LSTM node /encoder/LSTM in If_0 then_branch`."""
    name = node.name or next(filter(None, node.outputs), "")
    inside = f" in {scope.place}" if scope.place else ""
    return f"{node.op} node {name}{inside}"


def cell_of(node: Node, scope: Scope, folding: Folding) -> Cell:
    """The layer that a recurrent node is. Raises NotALayer where its tensors do not fit."""
    kind = _KINDS.get(node.op) or _EXTENDED[node.op]
    attributes = node.attributes()
    direction = _direction(attributes)
    directions = 2 if direction == "bidirectional" else 1
    tensors = dict(_tensors(node, scope, folding))
    for letter in "WR":
        if letter not in tensors:
            raise NotALayer(f"its input {letter} is left out")
    shapes = {letter: _standard(node, value.shape) for letter, (_, value) in tensors.items()}
    given = integer(attributes, "hidden_size", None)
    features = folding.value(scope, node.input(0)).shape
    hidden_size = _hidden_size(kind, shapes, given)
    input_size = _input_size(shapes, features)
    cell = Cell(
        node=node,
        scope=scope,
        kind=kind,
        directions=directions,
        input_size=input_size,
        hidden_size=hidden_size,
        nonlinearity=_nonlinearity(kind, attributes),
        departures=tuple(_departures(kind, node, attributes, direction, directions)),
        attributes=attributes,
        tensors=tensors,
    )
    _require_fit(cell, given, features)
    return cell


def _tensors(node: Node, scope: Scope, folding: Folding) -> Iterator[tuple[str, tuple[str, Value]]]:
    for place, letter in enumerate("WRB", start=1):
        name = node.input(place)
        if name:
            yield letter, (name, folding.value(scope, name))


def _standard(node: Node, shape: Dims | None) -> Dims | None:
    """The shape of a tensor as LSTM has it; DynamicQuantizeLSTM has W and R transposed."""
    if node.op == _QUANTIZED and shape is not None and len(shape) == 3:
        return shape[0], shape[2], shape[1]
    return shape


def _direction(attributes: Mapping[str, Message]) -> str:
    direction = attributes["direction"].text(4) if "direction" in attributes else "forward"
    if direction not in ("forward", "reverse", "bidirectional"):
        raise NotALayer(f"its direction is {direction}, not forward, reverse or bidirectional")
    return direction


def integer(attributes: Mapping[str, Message], name: str, default: int | None) -> int | None:
    """The value of an attribute that is a whole number."""
    return attributes[name].integer(3) if name in attributes else default


def _hidden_size(kind: Kind, shapes: Mapping[str, Dims | None], given: int | None) -> int:
    columns = _size(shapes.get("R"), 2)
    rows = _size(shapes.get("R"), 1) or _size(shapes.get("W"), 1) or 0
    size = columns or given or rows // kind.gates or (_size(shapes.get("B"), 1) or 0) // 2
    if not size:
        raise NotALayer("neither R nor an attribute hidden_size tells its hidden_size")
    return size


def _input_size(shapes: Mapping[str, Dims | None], features: Dims | None) -> int:
    size = _size(shapes.get("W"), 2) or _size(features, 2)
    if not size:
        raise NotALayer(
            "neither the shape of W nor that of X, which would tell input_size, is known"
        )
    return size


def _size(shape: Dims | None, axis: int) -> int | None:
    """A size of a shape, None where it is not known."""
    known = shape is not None and axis < len(shape) and shape[axis] > 0
    return shape[axis] if known and shape is not None else None


def _require_fit(cell: Cell, given: int | None, features: Dims | None) -> None:
    rows = cell.kind.gates * cell.hidden_size
    if given not in (None, cell.hidden_size):
        raise NotALayer(f"its hidden_size is {given}, but it has {cell.described('R')}")
    wanted = {
        "W": (cell.directions, rows, cell.input_size),
        "R": (cell.directions, rows, cell.hidden_size),
        "B": (cell.directions, 2 * rows),
    }
    for letter, (_, value) in cell.tensors.items():
        shape = _standard(cell.node, wanted[letter])
        if value.shape is not None and shape is not None and not _fits(value.shape, shape):
            raise NotALayer(
                f"{cell.described(letter)} should be {written_shape(shape)} for"
                f" {cell.kind.value}, hidden_size {cell.hidden_size} and {cell.directions}"
                f" {'directions' if cell.directions == 2 else 'direction'}"
            )
    if features is not None and not _fits(features, (-1, -1, cell.input_size)):
        raise NotALayer(
            f"X {_written(features)} does not have the features of {cell.described('W')}"
        )


def _fits(shape: Dims, wanted: Dims) -> bool:
    if len(shape) != len(wanted):
        return False
    return all(-1 in pair or pair[0] == pair[1] for pair in zip(shape, wanted, strict=True))


def _written(shape: Dims | None) -> str:
    """A shape with `?` for sizes that are not known."""
    if shape is None:
        return "of unknown shape"
    return written_shape(shape).replace("-1", "?")


def _activations(kind: Kind, attributes: Mapping[str, Message]) -> tuple[str, ...]:
    """The functions of one direction after the other, in lower case."""
    if "activations" not in attributes:
        return _ACTIVATIONS[kind]
    return tuple(name.lower() for name in attributes["activations"].texts(9))


def _nonlinearity(kind: Kind, attributes: Mapping[str, Message]) -> Nonlinearity | None:
    used = set(_activations(kind, attributes))
    if kind is not Kind.RNN or used not in ({"relu"}, {"tanh"}):
        return None
    return "relu" if used == {"relu"} else "tanh"


def _departures(
    kind: Kind, node: Node, attributes: Mapping[str, Message], direction: str, directions: int
) -> Iterator[str]:
    name = f"nn.{kind.value}"
    if direction == "reverse":
        yield f"it only reads from the last step to the first; {name} reads forward or both ways"
    if kind is Kind.GRU and not integer(attributes, "linear_before_reset", 0):
        yield "its reset gate is applied to h before the matrix product, nn.GRU's after it"
    used = _activations(kind, attributes)
    plain = [_ACTIVATIONS[kind] * count for count in (1, directions)]
    plain += [("relu",) * directions] * (kind is Kind.RNN)
    if used not in plain:
        yield f"its activations are {', '.join(used)}; {name} has {', '.join(plain[0])}"
    if kind is Kind.LSTM and node.op != "AttnLSTM" and node.input(_PEEPHOLES):
        yield "it has peepholes P, from the cell state to the gates; nn.LSTM has none"
    if "clip" in attributes and any(attributes["clip"].floats(2)):
        yield f"it clips what goes into the activations at {attributes['clip'].floats(2)[-1]:g}"
    if integer(attributes, "input_forget", 0):
        yield "its input gate is 1 minus its forget gate; nn.LSTM's gates are independent"
    if node.op == "AttnLSTM":
        yield "it attends to a memory at each step; nn.LSTM does not"
    if node.op == _QUANTIZED:
        yield "its weights are 8-bit integers, as torch.ao.quantization.quantize_dynamic makes them"
