"""The parts of an ONNX model: tensors without their data, nodes, and graphs with what they see."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from rnnshape.errors import quoted
from rnnshape.layer.facts import Dims
from rnnshape.sources.files.onnx.protobuf import (
    LONGEST_TEXT,
    Message,
    Reader,
    Span,
    damaged,
    too_large,
)

# Graphs within graphs and calls of functions within functions.
DEEPEST: Final = 40
MOST_SCOPES: Final = 50_000
_LONGEST_STEP: Final = 60  # letters of a node's name in a place
# A tensor of more elements is never an axis, a shape or a ratio.
MOST_NUMBERS: Final = 64

STANDARD: Final = ("", "ai.onnx")
_GRAPH_HOLDERS: Final = frozenset({"If", "Loop", "Scan", "SequenceMap", "FlexAttention"})
_FORMATS: Final = {1: "f", 2: "B", 3: "b", 4: "H", 5: "h", 6: "i", 7: "q", 9: "?", 10: "e"} | {
    11: "d",
    12: "I",
    13: "Q",
}

Numbers: TypeAlias = tuple[float, ...]


@dataclass(frozen=True)
class Tensor:
    """A tensor whose shape is known and whose data is left in the file."""

    message: Message  # TensorProto

    @property
    def name(self) -> str:
        """Its name among the initializers of its graph."""
        return self.message.text(8)

    @property
    def shape(self) -> Dims:
        """Its shape."""
        return self.message.integers(1)

    @property
    def numbers(self) -> Numbers | None:
        """Its elements where they are few and stand in the file itself, else None."""
        count = 1
        for size in self.shape:
            count *= size
        if not 0 <= count <= MOST_NUMBERS:
            return None
        code = _FORMATS.get(self.message.integer(2), "")
        raw = self.message.span_of(9)
        if raw is not None and code and raw.size == count * struct.calcsize(f"<{code}"):
            return struct.unpack(f"<{count}{code}", self.message.reader.bytes(raw))
        number = {"f": 4, "i": 5, "q": 7}.get(code, 0)
        stored = self.message.floats(4) if code == "f" else self.message.integers(number)
        return stored if len(stored) == count else None


@dataclass(frozen=True, slots=True)
class Node:
    """An operation of a graph."""

    reader: Reader
    op: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attribute_spans: tuple[Span, ...]
    metadata_spans: tuple[Span, ...]
    bound: Mapping[str, Message]  # the attributes of the call, for a node in a function

    @classmethod
    def of(cls, message: Message, bound: Mapping[str, Message]) -> Node:
        """The node that a NodeProto describes."""
        return cls(
            reader=message.reader,
            op=message.text(4),
            domain=message.text(7),
            name=message.text(3),
            inputs=message.texts(1),
            outputs=message.texts(2),
            attribute_spans=tuple(message.spans(5)),
            metadata_spans=tuple(message.spans(9)),
            bound=bound,
        )

    def input(self, place: int) -> str:
        """The name of an input, "" where it is left out."""
        return self.inputs[place] if place < len(self.inputs) else ""

    def output(self, place: int) -> str:
        """The name of an output, "" where it is left out."""
        return self.outputs[place] if place < len(self.outputs) else ""

    @property
    def is_standard(self) -> bool:
        """Whether the operation is one of ONNX's own."""
        return self.domain in STANDARD

    def attributes(self) -> dict[str, Message]:
        """Each AttributeProto by its name; those of a function's call are put in."""
        found = {}
        for span in self.attribute_spans:
            attribute = Message(self.reader, span)
            reference = attribute.text(21)
            given = self.bound.get(reference) if reference else attribute
            if given is not None:
                found[attribute.text(1)] = given
        return found

    def metadata(self, key: str) -> str:
        """What the exporter noted about the node under this key, "" for nothing or too much."""
        for span in self.metadata_spans:
            pair = Message(self.reader, span)
            value = pair.span_of(2)
            if value is not None and pair.text(1) == key and value.size <= LONGEST_TEXT:
                return self.reader.text(value)
        return ""

    def graphs(self) -> Iterator[tuple[str, Message]]:
        """The graphs that it runs, by the names of its attributes."""
        if self.is_standard and self.op not in _GRAPH_HOLDERS:
            return
        for name, attribute in self.attributes().items():
            for number in (6, 11):
                yield from ((name, graph) for graph in attribute.messages(number))


# The FunctionProtos of a model by domain and name.
Functions: TypeAlias = Mapping[tuple[str, str], Message]


@dataclass
class Scope:
    """A graph, or the body of a function for one of its calls, and the names that are known in it.

    Sizes in shapes that are not known are -1.
    """

    place: str  # "" for the graph of the model, else where it is: "If_0 then_branch"
    functions: Functions
    around: Scope | None = None  # the graph that holds this one, whose names are known here too
    nodes: list[Node] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    shapes: dict[str, Dims] = field(default_factory=dict)  # as the file states them
    arguments: dict[str, tuple[Scope, str]] = field(default_factory=dict)  # of a function's call
    outputs: frozenset[str] = frozenset()
    producers: dict[str, tuple[Node, int]] = field(default_factory=dict)
    readers: dict[str, list[Node]] = field(default_factory=dict)
    captured: set[str] = field(default_factory=set)  # what graphs within this one read

    def add(self, node: Node) -> None:
        """Take in a node. Its inputs may come from the graphs around."""
        self.nodes.append(node)
        for place, name in enumerate(node.outputs):
            if name and name in self.producers:
                raise damaged(0, f"two nodes make the tensor {quoted(name)}")
            if name:
                self.producers[name] = node, place
        for name in filter(None, node.inputs):
            self.readers.setdefault(name, []).append(node)
            if self.around is not None and not self.defines(name):
                self.around.capture(name)

    def capture(self, name: str) -> None:
        """Note that a graph within this one reads a name of this one, or of one around it."""
        scope: Scope | None = self
        while scope is not None and name not in scope.captured:
            scope.captured.add(name)
            scope = None if scope.defines(name) else scope.around

    def defines(self, name: str) -> bool:
        """Whether a name stands for something of this graph itself."""
        kinds = (self.producers, self.tensors, self.arguments, self.shapes)
        return any(name in kind for kind in kinds)

    def function_of(self, node: Node) -> Message | None:
        """The function of the model that a node calls, if it calls one."""
        return self.functions.get((node.domain, node.op))

    def home(self, name: str) -> Scope | None:
        """The graph whose name it is: this one, or the nearest around that has it."""
        scope: Scope | None = self
        while scope is not None and not scope.defines(name):
            scope = scope.around
        return scope


def scopes(reader: Reader) -> Iterator[Scope]:
    """Every graph of the model, each followed by those within it."""
    model = Message(reader, reader.whole)
    graph = model.message(7)
    if graph is None:
        raise damaged(0, "there is no graph")
    functions = {(function.text(10), function.text(1)): function for function in model.messages(25)}
    waiting = [(_graph(graph, Scope(place="", functions=functions), {}), 0)]
    for _ in range(MOST_SCOPES):
        if not waiting:
            return
        scope, depth = waiting.pop()
        if depth > DEEPEST:
            raise too_large(f"graphs or functions nested over {DEEPEST} deep")
        yield scope
        waiting += [(inner, depth + 1) for inner in reversed(list(_within(scope)))]
    raise too_large(f"over {MOST_SCOPES:,} graphs and calls of functions")


def _within(scope: Scope) -> Iterator[Scope]:
    """The graphs that the nodes of a graph hold, and the functions that they call."""
    for node in scope.nodes:
        place = f"{scope.place} {(node.name or node.op)[:_LONGEST_STEP]}".lstrip()
        function = scope.function_of(node)
        if function is not None:
            yield _body(function, node, scope, place)
            continue
        for name, message in node.graphs():
            inner = Scope(
                place=f"{place} {name[:_LONGEST_STEP]}", functions=scope.functions, around=scope
            )
            yield _graph(message, inner, node.bound)


def _graph(message: Message, scope: Scope, bound: Mapping[str, Message]) -> Scope:
    """Take in the graph that a GraphProto describes."""
    scope.outputs = frozenset(value.text(1) for value in message.messages(12))
    for tensor in map(Tensor, message.messages(5)):
        scope.tensors.setdefault(tensor.name, tensor)
    for sparse in message.messages(15):
        values = sparse.message(1)
        if values is not None:
            scope.shapes[values.text(8)] = sparse.integers(3)
    for number in (11, 12, 13):
        _note_shapes(message, number, scope)
    for node in message.messages(1):
        scope.add(Node.of(node, bound))
    return scope


def _body(function: Message, call: Node, caller: Scope, place: str) -> Scope:
    """The body of a function, with what the call gives it."""
    defaults = {attribute.text(1): attribute for attribute in function.messages(11)}
    bound = {**defaults, **call.attributes()}
    given = zip(function.texts(4), call.inputs, strict=False)
    scope = Scope(
        place=place,
        functions=caller.functions,
        outputs=frozenset(function.texts(5)),
        arguments={name: (caller, argument) for name, argument in given if argument},
    )
    _note_shapes(function, 12, scope)
    for node in function.messages(7):
        scope.add(Node.of(node, bound))
    return scope


def _note_shapes(message: Message, number: int, scope: Scope) -> None:
    """Take in the shapes that a list of ValueInfoProto states."""
    for value in message.messages(number):
        kind = value.message(2)
        tensor = None if kind is None else kind.message(1)
        shape = None if tensor is None else tensor.message(2)
        if shape is not None:
            sizes = tuple(size.integer(1, -1) for size in shape.messages(1))
            scope.shapes.setdefault(value.text(1), sizes)
