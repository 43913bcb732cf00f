"""ONNX models for tests, written byte by byte, since the onnx package may not be installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from struct import pack
from typing import Any

from rnnshape.layer.facts import Dims
from rnnshape.sources.files.contents import Contents
from rnnshape.sources.files.onnx import read

FLOAT, INT64 = 1, 7


@dataclass(frozen=True)
class Graph:
    """Nodes, which are messages, with what they read. Shapes may have names for unknown sizes."""

    nodes: Sequence[bytes]
    tensors: Sequence[bytes] = ()
    inputs: Mapping[str, Sequence[int | str]] = field(default_factory=dict)
    outputs: Sequence[str] = ()
    shapes: Mapping[str, Sequence[int | str]] = field(default_factory=dict)

    def message(self) -> bytes:
        return b"".join(
            (
                *(_part(1, node) for node in self.nodes),
                _text(2, "graph"),
                *(_part(5, tensor) for tensor in self.tensors),
                *(_part(11, _value(name, shape)) for name, shape in self.inputs.items()),
                *(_part(12, _text(1, name)) for name in self.outputs),
                *(_part(13, _value(name, shape)) for name, shape in self.shapes.items()),
            )
        )


@dataclass(frozen=True)
class Tensor:
    """A tensor as an attribute."""

    message: bytes


@dataclass(frozen=True)
class Reference:
    """An attribute that a function takes over from its call."""

    name: str


def model(graph: Graph, *functions: bytes, opset: int = 20) -> bytes:
    operations = _part(8, _text(1, "") + _number(2, opset))
    bodies = b"".join(_part(25, function) for function in functions)
    return _number(1, 9) + operations + _part(7, graph.message()) + bodies


def around_hole(graph: Graph, size: int) -> tuple[bytes, bytes]:
    """What stands before and after `size` bytes of a tensor in a model that holds one more."""
    rest = graph.message()
    start = _number(1, size // 4) + _number(2, FLOAT) + _text(8, "embedding") + _prefix(9, size)
    start = _prefix(5, len(start) + size) + start
    return _prefix(7, len(start) + size + len(rest)) + start, rest


def contents(graph: Graph, *functions: bytes) -> Contents:
    """What the reader finds in a model."""
    return read(BytesIO(model(graph, *functions)))


def node(  # noqa: PLR0913 - the fields of NodeProto
    op: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    name: str = "",
    domain: str = "",
    metadata: Mapping[str, str] | None = None,
    **attributes: Any,
) -> bytes:
    """A NodeProto; a Graph, a Tensor, a Reference or a plain value as each attribute."""
    return b"".join(
        (
            *(_text(1, each) for each in inputs),
            *(_text(2, each) for each in outputs),
            _text(3, name),
            _text(4, op),
            *(_part(5, _attribute(key, value)) for key, value in attributes.items()),
            _text(7, domain),
            *(_part(9, _text(1, k) + _text(2, v)) for k, v in (metadata or {}).items()),
        )
    )


def function(
    name: str, inputs: Sequence[str], outputs: Sequence[str], nodes: Sequence[bytes]
) -> bytes:
    return b"".join(
        (
            _text(1, name),
            *(_text(4, each) for each in inputs),
            *(_text(5, each) for each in outputs),
            *(_part(7, each) for each in nodes),
            _text(10, "local"),
        )
    )


def tensor(name: str, shape: Dims, data: bytes = b"") -> bytes:
    """A tensor of floats, by default without its data."""
    sizes = b"".join(_number(1, size) for size in shape)
    return sizes + _number(2, FLOAT) + _text(8, name) + _part(9, data)


def integers(name: str, numbers: Sequence[int]) -> bytes:
    """A tensor of one axis."""
    data = pack(f"<{len(numbers)}q", *numbers)
    return _number(1, len(numbers)) + _number(2, INT64) + _text(8, name) + _part(9, data)


def scalar(name: str, number: int) -> bytes:
    return _number(2, INT64) + _text(8, name) + _part(9, pack("<q", number))


def external(name: str, shape: Dims, **where: object) -> bytes:
    """A tensor whose data is in a file beside the model."""
    sizes = b"".join(_number(1, size) for size in shape)
    entries = (_part(13, _text(1, key) + _text(2, str(value))) for key, value in where.items())
    return sizes + _number(2, FLOAT) + _text(8, name) + b"".join(entries) + _number(14, 1)


def _attribute(name: str, value: Any) -> bytes:
    return _text(1, name) + _attribute_value(value)


def _attribute_value(value: Any) -> bytes:
    match value:
        case Graph():
            return _part(6, value.message()) + _number(20, 5)
        case Tensor():
            return _part(5, value.message) + _number(20, 4)
        case Reference():
            return _text(21, value.name) + _number(20, 2)
        case int():
            return _number(3, value) + _number(20, 2)
        case float():
            return varint(2 << 3 | 5) + pack("<f", value) + _number(20, 1)
        case str():
            return _part(4, value.encode()) + _number(20, 3)
        case [str(), *_]:
            return b"".join(_part(9, str(each).encode()) for each in value) + _number(20, 8)
        case [*numbers]:
            return b"".join(_number(8, each) for each in numbers) + _number(20, 7)
        case _:
            raise TypeError(value)


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    sizes = (_number(1, s) if isinstance(s, int) else _text(2, s) for s in shape)
    axes = b"".join(_part(1, size) for size in sizes)
    return _text(1, name) + _part(2, _part(1, _number(1, FLOAT) + _part(2, axes)))


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*written, number))


def _number(field_number: int, value: int) -> bytes:
    return varint(field_number << 3) + varint(value)


def _part(field_number: int, value: bytes) -> bytes:
    return _prefix(field_number, len(value)) + value


def _prefix(field_number: int, length: int) -> bytes:
    return varint(field_number << 3 | 2) + varint(length)


def _text(field_number: int, value: str) -> bytes:
    return _part(field_number, value.encode())
