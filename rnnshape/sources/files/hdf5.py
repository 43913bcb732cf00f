"""HDF5, as far as it describes tensors and models: groups, shapes, types, one attribute of Keras.

The library that everyone uses loops for ever over some damaged files, so the file is read here, by
https://docs.hdfgroup.org/hdf5/v1_14/_f_m_t3.html. Each object is visited once, links to other
files are not followed, and how much is read is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, NamedTuple

from rnnshape.errors import RequestError
from rnnshape.layer.facts import Dims
from rnnshape.sources.files.contents import StoredTensor
from rnnshape.sources.files.refusal import cut_short, refusal

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_STARTS: Final = (0, 512, 1024, 2048)  # where it may begin, after a block for others

_LARGEST_READ: Final = 8 * 2**20
_MOST_WORK: Final = 256 * 2**20  # bytes that are read, a hundred more for each time
_MOST_TENSORS: Final = 50_000
_LONGEST_PATH: Final = 1000

_DATASPACE, _LINK_INFO, _DATATYPE, _LINK, _LAYOUT = 1, 2, 3, 6, 8
_ATTRIBUTE, _CONTINUATION, _SYMBOL_TABLE = 12, 16, 17
_CONFIG: Final = b"model_config"
_SHARED: Final = 2  # a flag: the message is elsewhere
_SOFT: Final = 2  # of an entry in a symbol table


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What a file holds."""

    tensors: Mapping[str, StoredTensor]  # by path: "lstm/cell/kernel"
    config: bytes | None = None  # the attribute of the root in which Keras keeps a model's JSON


class _Message(NamedTuple):
    kind: int
    flags: int
    data: bytes


def read_hdf5(file: BinaryIO, begin: int, end: int) -> Stored:
    """What the part of a file from `begin` to `end` holds.

    Raises RequestError where that is damaged or uses what neither Keras nor h5py writes by default.
    """
    return _Reader(file, begin, end).stored()


class _Reader:
    def __init__(self, file: BinaryIO, begin: int, end: int) -> None:
        self._file, self._begin, self._end = file, begin, end
        self._work = 0
        self._offset = self._length = 8  # bytes of an address and of a size

    def stored(self) -> Stored:
        root = self._root()
        tensors: dict[str, StoredTensor] = {}
        config: bytes | None = None
        seen = {root}
        waiting = [("", root)]
        while waiting:
            path, address = waiting.pop()
            messages = list(self._messages(address))
            if address == root:
                config = self._config(messages)
            if tensor := _tensor(messages, self._length):
                tensors[path] = tensor
            inside: list[tuple[str, int]] = []
            for name, child in self._links(messages):
                if child not in seen and len(path) + len(name) < _LONGEST_PATH:
                    seen.add(child)
                    inside.append((f"{path}/{name}" if path else name, child))
            if len(seen) > _MOST_TENSORS:
                raise refusal("it has too many objects", f"up to {_MOST_TENSORS:,} are read")
            waiting += sorted(inside, reverse=True)
        return Stored(tensors=tensors, config=config)

    def _read(self, address: int, size: int) -> bytes:
        """The bytes there, all of them."""
        self._work += size + 100
        start = self._begin + address
        if size > _LARGEST_READ or start + size > self._end or self._work > _MOST_WORK:
            raise _damaged()
        self._file.seek(start)
        data = self._file.read(size)
        if len(data) < size:
            raise _damaged()
        return data

    def _root(self) -> int:
        """The address of the root group's header."""
        start = next((s for s in _STARTS if self._is_start(s)), None)
        if start is None:
            raise _damaged()
        self._begin += start
        head = self._read(0, 16)
        version = head[8]
        self._offset, self._length = head[13:15] if version < 2 else head[9:11]
        if version > 3 or {self._offset, self._length} - {4, 8}:
            raise _damaged()
        at = {0: 24, 1: 28}.get(version, 12)
        places = self._read(at, (6 if version < 2 else 4) * self._offset)
        addresses = [
            self._number(places[n : n + self._offset]) for n in range(0, len(places), self._offset)
        ]
        size = self._end - self._begin + start  # the end that is given counts the block before
        if addresses[2] > size:
            raise cut_short(
                f"it has {size:,} bytes, but by its header it should have {addresses[2]:,}"
            )
        return addresses[-1]

    def _is_start(self, start: int) -> bool:
        inside = self._begin + start + 96 <= self._end
        return inside and self._read(start, len(SIGNATURE)) == SIGNATURE

    def _number(self, data: bytes) -> int:
        return int.from_bytes(data, "little")

    def _messages(self, address: int) -> Iterator[_Message]:
        """The messages of an object's header, in all its blocks."""
        newer = self._read(address, 4) == b"OHDR"
        blocks = [self._newer_block(address) if newer else self._older_block(address)]
        order = 0
        if newer:
            order = 2 if self._read(address + 5, 1)[0] & 4 else 0
        visited = {address}
        while blocks:
            at, size = blocks.pop()
            for message in _parsed(self._read(at, size), newer=newer, order=order):
                if message.kind != _CONTINUATION:
                    yield message
                    continue
                start = self._number(message.data[: self._offset])
                length = self._number(message.data[self._offset :][: self._length])
                if start in visited:
                    raise _damaged()
                visited.add(start)
                # Newer ones have a signature before their messages, and a checksum after them.
                blocks.append((start + 4, length - 8) if newer else (start, length))

    def _older_block(self, address: int) -> tuple[int, int]:
        head = self._read(address, 16)
        if head[0] != 1:
            raise _damaged()
        return address + 16, self._number(head[8:12])

    def _newer_block(self, address: int) -> tuple[int, int]:
        flags = self._read(address + 5, 1)[0]
        at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        return at + width, self._number(self._read(at, width))

    def _links(self, messages: list[_Message]) -> Iterator[tuple[str, int]]:
        """The names of the objects in a group, with the addresses of their headers."""
        for message in messages:
            if message.kind == _SYMBOL_TABLE:
                tree, heap = (self._number(part) for part in self._split(message.data))
                yield from self._symbols(tree, self._heap(heap))
            elif message.kind == _LINK:
                yield from self._link(message.data)
            elif message.kind == _LINK_INFO and self._is_dense(message.data):
                raise refusal(
                    "it is HDF5 with groups in the newer form, which is not read",
                    "copy it with h5repack --low=0 --high=0, or save it with Keras again",
                )

    def _split(self, data: bytes) -> tuple[bytes, bytes]:
        return data[: self._offset], data[self._offset : 2 * self._offset]

    def _is_dense(self, data: bytes) -> bool:
        at = 10 if data[1:2] and data[1] & 1 else 2
        address = data[at : at + self._offset]
        return len(address) == self._offset and address != b"\xff" * self._offset

    def _link(self, data: bytes) -> Iterator[tuple[str, int]]:
        """The object of a hard link; soft ones and those to other files are left out."""
        flags = data[1] if len(data) > 1 else 0
        at = 2
        if flags & 8:
            if data[2:3] != b"\0":
                return
            at += 1
        at += (8 if flags & 4 else 0) + (1 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        length = self._number(data[at : at + width])
        at += width
        address = data[at + length : at + length + self._offset]
        if len(address) == self._offset:
            yield _text(data[at : at + length]), self._number(address)

    def _heap(self, address: int) -> bytes:
        """The names of a group's objects, each with a zero byte after it."""
        head = self._read(address, 8 + 2 * self._length + self._offset)
        size = self._number(head[8 : 8 + self._length])
        return self._read(self._number(head[-self._offset :]), size)

    def _symbols(self, tree: int, names: bytes) -> Iterator[tuple[str, int]]:
        """The entries of a group's B-tree."""
        nodes, seen = [tree], {tree}
        while nodes:
            node = nodes.pop()
            signature = self._read(node, 4)
            if signature == b"SNOD":
                yield from self._entries(node, names)
                continue
            if signature != b"TREE":
                raise _damaged()
            used = self._number(self._read(node + 6, 2))
            pair = self._length + self._offset
            data = self._read(node + 8 + 2 * self._offset, used * pair)
            children = [
                self._number(data[at + self._length : at + pair])
                for at in range(0, len(data), pair)
            ]
            if seen & {*children}:
                raise _damaged()
            seen |= {*children}
            nodes += children

    def _entries(self, node: int, names: bytes) -> Iterator[tuple[str, int]]:
        count = self._number(self._read(node + 6, 2))
        size = 2 * self._offset + 24
        data = self._read(node + 8, count * size)
        for at in range(0, len(data), size):
            name, address = (self._number(part) for part in self._split(data[at:]))
            if data[at + 2 * self._offset] != _SOFT:
                yield _text(names[name : name + _LONGEST_PATH].split(b"\0")[0]), address

    def _config(self, messages: list[_Message]) -> bytes | None:
        """The text of the attribute with the model's JSON, if there is one."""
        for message in messages:
            if message.kind == _ATTRIBUTE and not message.flags & _SHARED:
                name, datatype, value = _attribute(message.data)
                if name == _CONFIG:
                    return self._value(datatype, value)
        return None

    def _value(self, datatype: bytes, value: bytes) -> bytes | None:
        """The string that an attribute has, None if it is not a string."""
        match _class(datatype):
            case 3:  # of a fixed size
                return value[: self._number(datatype[4:8])].rstrip(b"\0")
            case 9:  # of any size: its length, and where it is
                at = 4 + self._offset
                heap, index = self._number(value[4:at]), self._number(value[at : at + 4])
                return self._from_global_heap(heap, index)[: self._number(value[:4])]
            case _:
                return None

    def _from_global_heap(self, address: int, wanted: int) -> bytes:
        head = self._read(address, 8 + self._length)
        end = address + self._number(head[8:])
        at = address + 8 + self._length
        while head[:4] == b"GCOL" and at + 8 + self._length <= end:
            entry = self._read(at, 8 + self._length)
            index, size = self._number(entry[:2]), self._number(entry[8:])
            if index == wanted:
                return self._read(at + 8 + self._length, size)
            if not index:
                break
            at += 8 + self._length + -(-size // 8) * 8
        raise _damaged()


def _parsed(block: bytes, *, newer: bool, order: int) -> Iterator[_Message]:
    """The messages in a block of a header."""
    at, head = 0, 4 + order if newer else 8
    while at + head <= len(block):
        kind = block[at] if newer else int.from_bytes(block[at : at + 2], "little")
        size_at = at + 1 if newer else at + 2
        size = int.from_bytes(block[size_at : size_at + 2], "little")
        flags = block[size_at + 2]
        yield _Message(kind, flags, block[at + head : at + head + size])
        at += head + size


def _attribute(data: bytes) -> tuple[bytes, bytes, bytes]:
    """The name of an attribute, its datatype and its value with whatever follows it."""
    version = data[0] if data else 0
    at = 9 if version == 3 else 8
    parts = []
    for size in (int.from_bytes(data[n : n + 2], "little") for n in (2, 4, 6)):
        parts.append(data[at : at + size])
        at += -(-size // 8) * 8 if version == 1 else size
    return parts[0].rstrip(b"\0"), parts[1], data[at:]


def _class(datatype: bytes) -> int:
    """The number of the class of a datatype: 0 for integers, 1 for floats."""
    if len(datatype) < 8:
        raise _damaged()
    return datatype[0] & 15


def _tensor(messages: list[_Message], length: int) -> StoredTensor | None:
    """The tensor that the messages of an object describe, None if it is something else."""
    by_kind = {message.kind: message for message in messages}
    if not {_DATASPACE, _DATATYPE, _LAYOUT} <= by_kind.keys():
        return None
    shape = _shape(by_kind[_DATASPACE].data, length)
    datatype = by_kind[_DATATYPE]
    dtype = "other" if datatype.flags & _SHARED else _dtype(datatype.data)
    return None if shape is None else StoredTensor(shape=shape, dtype=dtype)


def _shape(data: bytes, length: int) -> Dims | None:
    if len(data) < 4 or data[0] not in (1, 2):
        raise _damaged()
    at = 8 if data[0] == 1 else 4
    if data[0] == 2 and data[3] == 2:  # a null dataspace
        return None
    sizes = data[at : at + data[1] * length]
    if len(sizes) < data[1] * length:
        raise _damaged()
    return tuple(
        int.from_bytes(sizes[n : n + length], "little") for n in range(0, len(sizes), length)
    )


def _dtype(data: bytes) -> str:
    """PyTorch's name of a type, "other" for those that are not of numbers."""
    kind, bits = _class(data), 8 * int.from_bytes(data[4:8], "little")
    match kind:
        case 0:
            return f"int{bits}" if data[1] & 8 else f"uint{bits}"
        case 1:
            return f"float{bits}"
        case 8 if bits == 8:
            return "bool"
        case _:
            return "other"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _damaged() -> RequestError:
    return cut_short("its HDF5 structure is damaged")
