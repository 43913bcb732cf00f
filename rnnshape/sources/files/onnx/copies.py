"""Stacks whose weights are the same, wherever they are used or stored again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from rnnshape.sources.files.onnx.folding import Leaf
from rnnshape.sources.files.onnx.model import Tensor
from rnnshape.sources.files.onnx.protobuf import Message
from rnnshape.sources.files.onnx.stacks import Stack

_NOT_NAMES = (1, 2, 4, 5, 6, 7, 9, 10, 11, 13, 14)  # of TensorProto: all but names and notes
_BEGINNING = 1024
_CHUNK = 1 << 20


def alike(stacks: Sequence[Stack]) -> list[list[Stack]]:
    """The stacks in groups of equal weights, in the order of the first of each group.

    Data is read only where stacks have the same sizes but tensors of their own, and only its
    beginning where that differs.
    """
    groups = _split(stacks, _sizes)
    for content in (_beginning, _whole):
        groups = [part for group in groups for part in _split_by(group, content)]
    order = {id(stack): place for place, stack in enumerate(stacks)}
    return sorted(groups, key=lambda group: order[id(group[0])])


def _split(stacks: Iterable[Stack], key: Callable[[Stack], Hashable]) -> list[list[Stack]]:
    groups: dict[Hashable, list[Stack]] = {}
    for stack in stacks:
        groups.setdefault(key(stack), []).append(stack)
    return list(groups.values())


def _split_by(group: list[Stack], content: Callable[[Message], Hashable]) -> list[list[Stack]]:
    """Split where tensors differ; those in the same place of the file need not be read."""
    if len(_split(group, lambda stack: tuple(_place(leaf) for leaf in _leaves(stack)))) == 1:
        return [group]
    known: dict[Hashable, Hashable] = {}

    def content_of(leaf: Leaf) -> Hashable:
        if isinstance(leaf, str):
            return leaf
        if (place := _place(leaf)) not in known:
            known[place] = content(leaf.message)
        return known[place]

    return _split(group, lambda stack: tuple(content_of(leaf) for leaf in _leaves(stack)))


def _sizes(stack: Stack) -> Hashable:
    first = stack.cells[0]
    made = tuple(value.made for cell in stack.cells for _, value in cell.tensors.values())
    return first.sizes, first.input_size, len(stack.cells), made, len(_leaves(stack))


def _leaves(stack: Stack) -> list[Leaf]:
    values = [value for cell in stack.cells for _, value in cell.tensors.values()]
    return [leaf for value in values for leaf in value.leaves]


def _place(leaf: Leaf) -> Hashable:
    return leaf.message.span if isinstance(leaf, Tensor) else leaf


def _beginning(message: Message) -> Hashable:
    return _digest(message, _BEGINNING)


def _whole(message: Message) -> Hashable:
    return _digest(message, None)


def _digest(message: Message, most: int | None) -> bytes:
    """A digest of a TensorProto but for its name, with at most so many bytes of each field."""
    from hashlib import blake2b  # only models with copies need it

    digest = blake2b()
    file = message.reader.file
    for number in _NOT_NAMES:
        for value in message.values(number):
            digest.update(f"{number} ".encode())
            if isinstance(value, int):
                digest.update(f"{value} ".encode())
                continue
            file.seek(value.start)
            left = value.size if most is None else min(most, value.size)
            while left > 0:
                chunk = file.read(min(left, _CHUNK))
                digest.update(chunk)
                left -= len(chunk) or left
    return digest.digest()
