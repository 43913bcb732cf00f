"""Read a pickle as data: nothing that it names is imported, called or evaluated."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Final, TypeAlias

from rnnshape.errors import RequestError

Arguments: TypeAlias = tuple[Any, ...]
Known: TypeAlias = Mapping[str, Callable[[Arguments], Any]]  # by the path of what is called

# A step makes at most some 100 bytes, so that no file makes more than half a gigabyte. A checkpoint
# of 1,000 tensors has about 60,000 steps; one that holds a vocabulary has three for each word.
_MOST_STEPS: Final = 4_000_000
_MOST_TEXT: Final = 1 << 25  # bytes, of all texts that are kept
_LONGEST: Final = 1024  # bytes; no name or setting is longer, so longer values are not read
_LINES: Final = 1 << 16  # bytes that are read at once of a line that is not kept
_LARGEST_KEY: Final = 60  # bits: all larger integers can have the same hash, and be slow as keys
_NEWEST_PROTOCOL: Final = 5

_BOOLEANS: Final = {b"00": False, b"01": True}  # as protocols 0 and 1 write them

AGAIN: Final = "copy or download it again, or save it again with torch.save"


class Global:
    """A name in a pickle, such as a class or a function, and no more than the name."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path  # "torch.nn.modules.rnn.LSTM"


class Record:
    """An object of which a pickle says how to make it, and which is not made."""

    __slots__ = ("args", "items", "of", "pairs", "state")

    def __init__(self, of: Any, args: Any = ()) -> None:
        self.of = of  # the class or function: a Global, or whatever the pickle has in its place
        self.args = args  # those that it is called with
        self.state: Any = None  # mostly its attributes, a dict
        self.items: list[Any] | None = None  # what is appended to it
        self.pairs: dict[Any, Any] | None = None  # what is stored in it under keys


class Long:
    """A text or bytes too long to be kept."""

    __slots__ = ("head",)

    def __init__(self, head: bytes) -> None:
        self.head = head  # the first bytes, those of a text in UTF-8


class Pickles:
    """The bytes of one or several pickles in a row, and how much may still be made of them."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self.file = file  # from its present position
        self.end = end  # the position after the last byte that belongs to the pickles
        self.steps = _MOST_STEPS
        self.text = _MOST_TEXT


class _DamagedError(Exception):
    """What is wrong, at the present position."""


def interpret(pickles: Pickles, known: Known, stored: Callable[[Any], Any]) -> Any:
    """The value of the next pickle, all of whose objects are lists, dicts, records and the like.

    `known` makes the values of the calls that it has; other calls are a Record. `stored` makes the
    value of a persistent id, which stands for what is kept outside of the pickle. Sets are lists,
    and so are frozen ones; a text of more than 1,024 bytes is not kept. Raises RequestError for
    anything but a pickle, and for one that is far too large.
    """
    start = pickles.file.tell()
    machine = _Machine(pickles, {**_PYTHON, **known}, stored)
    try:
        return machine.run()
    except RequestError:
        raise
    except _DamagedError as error:
        reason = str(error)
    except LookupError:
        reason = "it needs a value that is not there"
    except (ValueError, struct.error):
        reason = "a value cannot be read"
    at = max(min(pickles.file.tell(), pickles.end) - start - 1, 0)
    raise RequestError(
        "the pickle in it is damaged near byte {}: {}", f"{at:,}", reason, hint=AGAIN
    )


class _Machine:
    """The stack and the memo of a pickle, and what its opcodes do to them."""

    def __init__(self, pickles: Pickles, known: Known, stored: Callable[[Any], Any]) -> None:
        self._pickles = pickles
        self._read = pickles.file.read
        self._known = known
        self._stored = stored
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []  # a stack for each mark
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Follow the opcodes up to the end of the pickle."""
        for step in range(self._pickles.steps):
            code = self._read(1)
            if code == b".":
                self._pickles.steps -= step + 1
                self._skip(0)
                return self._stack.pop()
            follow = _OPCODES.get(code)
            if follow is None:
                raise _DamagedError("it ends there" if not code else f"{code!r} is not an opcode")
            follow(self)
        raise RequestError(
            "the pickle in it has more than {} steps, which no checkpoint needs",
            f"{_MOST_STEPS:,}",
            hint="save the weights alone: torch.save(model.state_dict(), FILE)",
        )

    # Reading.

    def _take(self, count: int) -> bytes:
        data = self._read(count)
        if len(data) < count:
            raise _DamagedError("it ends there")
        return data

    def _skip(self, count: int) -> None:
        if count > self._pickles.end - self._pickles.file.tell():
            raise _DamagedError("it ends there")
        if count:
            self._pickles.file.seek(count, os.SEEK_CUR)

    def _number(self, form: struct.Struct) -> Any:
        return form.unpack(self._take(form.size))[0]

    def _line(self) -> bytes:
        line = self._pickles.file.readline(_LONGEST)
        if line[-1:] != b"\n":
            short = len(line) < _LONGEST
            raise _DamagedError("it ends there" if short else "a line is too long")
        return line[:-1]

    def _name(self) -> Global:
        module, name = self._line(), self._line()
        self._keep(len(module) + len(name))
        return Global(f"{module.decode()}.{name.decode()}")

    def _keep(self, count: int) -> None:
        self._pickles.text -= count
        if self._pickles.text < 0:
            raise RequestError(
                "the pickle in it has more than {} MiB of strings, which no checkpoint needs",
                str(_MOST_TEXT >> 20),
                hint="save the weights alone: torch.save(model.state_dict(), FILE)",
            )

    # Opcodes that push a value.

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def push_new(self, kind: type) -> None:
        self._stack.append(kind())

    def push_number(self, form: struct.Struct) -> None:
        self._stack.append(self._number(form))

    def push_text(self, length: struct.Struct, errors: str) -> None:
        value = self._bytes(self._number(length))
        self._stack.append(value if isinstance(value, Long) else value.decode("utf-8", errors))

    def push_bytes(self, length: struct.Struct) -> None:
        self._stack.append(self._bytes(self._number(length)))

    def _bytes(self, count: int) -> bytes | Long:
        if count < 0:
            raise _DamagedError("a string has a negative length")
        data = self._take(min(count, _LONGEST))
        self._keep(len(data))
        if count <= _LONGEST:
            return data
        self._skip(count - _LONGEST)
        return Long(data)

    def push_line(self, decoded: Callable[[bytes], str]) -> None:
        line = self._pickles.file.readline(_LONGEST)
        self._keep(len(line))
        if len(line) < _LONGEST or line[-1:] == b"\n":
            if line[-1:] != b"\n":
                raise _DamagedError("it ends there")
            self._stack.append(decoded(line[:-1]))
            return
        rest = line
        while rest[-1:] not in (b"\n", b""):
            rest = self._pickles.file.readline(_LINES)
        self._stack.append(Long(line.decode("raw_unicode_escape", "ignore").encode()))

    def push_int(self) -> None:
        line = self._line()
        self._stack.append(_BOOLEANS[line] if line in _BOOLEANS else int(line.removesuffix(b"L")))

    def push_float(self) -> None:
        self._stack.append(float(self._line()))

    def push_long(self, length: struct.Struct) -> None:
        count = self._number(length)
        if not 0 <= count <= _LONGEST:
            raise _DamagedError(f"an integer has {count:,} bytes")
        self._stack.append(int.from_bytes(self._take(count), "little", signed=True))

    def push_name(self) -> None:
        self._stack.append(self._name())

    def push_name_of_stack(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise _DamagedError("a name is not a string")
        self._keep(len(name) + len(module))
        self._stack.append(Global(f"{module}.{name}"))

    def push_extension(self, form: struct.Struct) -> None:
        self._stack.append(Global(f"copyreg.extension {self._number(form)}"))

    def push_stored(self) -> None:
        self._stack.append(self._stored(self._stack.pop()))

    def push_stored_by_line(self) -> None:
        self._stack.append(self._stored(self._line().decode()))

    # Opcodes that rearrange the stack.

    def mark(self) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _pop_mark(self) -> list[Any]:
        items = self._stack
        self._stack = self._below.pop()
        return items

    def pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._pop_mark()

    def pop_mark(self) -> None:
        self._pop_mark()

    def duplicate(self) -> None:
        self._stack.append(self._stack[-1])

    def ignore(self, count: int) -> None:
        self._take(count)

    def protocol(self) -> None:
        protocol = self._take(1)[0]
        if protocol > _NEWEST_PROTOCOL:
            raise _DamagedError(f"its protocol is {protocol}; only 0 to {_NEWEST_PROTOCOL} exist")

    def put(self, form: struct.Struct | None) -> None:
        index = int(self._line()) if form is None else self._number(form)
        self._memo[index] = self._stack[-1]

    def memoize(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def get(self, form: struct.Struct | None) -> None:
        index = int(self._line()) if form is None else self._number(form)
        self._stack.append(self._memo[index])

    # Opcodes that make something of what is on the stack. None copies more than it takes from
    # there: what a few bytes can repeat must not grow with what was made before.

    def tuple_of(self, count: int) -> None:
        if len(self._stack) < count:
            raise LookupError
        self._stack[-count:] = [tuple(self._stack[-count:])]

    def tuple_of_items(self) -> None:
        items = tuple(self._pop_mark())
        self._stack.append(items)

    def list_of_items(self) -> None:
        items = self._pop_mark()
        self._stack.append(items)

    def dict_of_items(self) -> None:
        items = self._pop_mark()
        self._stack.append({})
        self._set(items)

    def append(self) -> None:
        item = self._stack.pop()
        self._extend([item])

    def extend(self) -> None:
        self._extend(self._pop_mark())

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, Record):
            if target.items is None:
                target.items = []
            target.items += items
        elif isinstance(target, list):
            target += items
        else:
            raise _DamagedError("it appends to something that is not a list")

    def set_pair(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set([key, value])

    def set_pairs(self) -> None:
        self._set(self._pop_mark())

    def _set(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, Record):
            if target.pairs is None:
                target.pairs = {}
            target = target.pairs
        if not isinstance(target, dict) or len(items) % 2:
            raise _DamagedError("it stores something without a key")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[key if type(key) is str else _hashable(key)] = value

    def build(self) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        if isinstance(target, Record):
            target.state = state

    def call(self) -> None:
        args, of = self._stack.pop(), self._stack.pop()
        self._stack.append(self._called(of, args))

    def call_with_keywords(self) -> None:
        keywords, args, of = self._stack.pop(), self._stack.pop(), self._stack.pop()
        record = self._called(of, args)
        if isinstance(record, Record):
            record.state = keywords
        self._stack.append(record)

    def call_name(self) -> None:
        of, args = self._name(), tuple(self._pop_mark())
        self._stack.append(self._called(of, args))

    def call_first_item(self) -> None:
        of, *args = self._pop_mark()
        self._stack.append(self._called(of, tuple(args)))

    def _called(self, of: Any, args: Any) -> Any:
        if isinstance(of, Global) and isinstance(args, tuple):
            make = self._known.get(of.path)
            if make is not None:
                return make(args)
        return Record(of, args)


def _hashable(key: Any) -> Any:
    """The key, or a record of it where its hash could be slow, or could fail."""
    if key is None or isinstance(key, str | bytes | float | Global | Record | Long):
        return key
    if isinstance(key, int) and key.bit_length() <= _LARGEST_KEY:
        return key
    return Record(_KEY, (key,))


_ESCAPE: Final = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def _unquoted(text: bytes) -> str:
    """The text of a Python 2 string literal."""
    if len(text) < 2 or text[:1] not in b"'\"" or text[-1] != text[0]:
        raise _DamagedError("a string has no quotes")

    def unescaped(match: re.Match[bytes]) -> bytes:
        code, letter = match.groups()
        return bytes.fromhex(code.decode()) if code else _ESCAPED.get(letter, letter)

    return _ESCAPE.sub(unescaped, text[1:-1]).decode("utf-8", "surrogateescape")


def _unescaped(text: bytes) -> str:
    return text.decode("raw_unicode_escape")


def _encoded(args: Arguments) -> Any:
    """`_codecs.encode(text, "latin1")`, as which protocols 0 to 2 write bytes."""
    match args:
        case (str(text), "latin1"):
            return text.encode("latin-1", "replace")
        case (Long(head=head), "latin1"):
            return Long(head.decode("utf-8", "ignore").encode("latin-1", "replace"))
        case _:
            return Record(Global("_codecs.encode"), args)


def _mapping(args: Arguments) -> Any:
    return {} if not args else Record(Global("collections.OrderedDict"), args)


def _default_mapping(args: Arguments) -> Any:
    return {} if len(args) < 2 else Record(Global("collections.defaultdict"), args)


def _collection(args: Arguments) -> Any:
    if args and isinstance(args[0], list | tuple | dict):
        return args[0]
    return [] if not args else Record(Global("builtins.set"), args)


def _instance(args: Arguments) -> Any:
    """An object made by copyreg, whose first argument is its class."""
    record = Record(args[0] if args else None, args)
    if len(args) == 3 and isinstance(args[2], dict):  # of a class derived from dict
        record.pairs = args[2]
    return record


_KEY: Final = Global("builtins.tuple")
_PYTHON: Final[Known] = {
    "collections.OrderedDict": _mapping,
    "collections.defaultdict": _default_mapping,
    "_codecs.encode": _encoded,
    **{
        f"{module}.{name}": _collection
        for module in ("builtins", "__builtin__")
        for name in ("set", "frozenset", "list", "tuple", "dict")
    },
    **{
        f"{module}.{name}": _instance
        for module in ("copyreg", "copy_reg")
        for name in ("_reconstructor", "__newobj__", "__newobj_ex__")
    },
}

_U1, _U2, _U4, _U8 = map(struct.Struct, ("<B", "<H", "<I", "<Q"))
_S4, _REAL = map(struct.Struct, ("<i", ">d"))
_OPCODES: Final[Mapping[bytes, Callable[[_Machine], None]]] = {
    b"(": _Machine.mark,
    b"0": _Machine.pop,
    b"1": _Machine.pop_mark,
    b"2": _Machine.duplicate,
    b"\x80": _Machine.protocol,
    b"\x95": lambda machine: machine.ignore(8),  # the length of a frame, which nothing needs
    b"\x97": lambda machine: machine.push(Record(Global("builtins.buffer"))),
    b"\x98": lambda machine: machine.ignore(0),  # the buffer is read-only
    b"N": lambda machine: machine.push(None),
    b"\x88": lambda machine: machine.push(True),  # noqa: FBT003 - the value itself
    b"\x89": lambda machine: machine.push(False),  # noqa: FBT003 - the value itself
    b")": lambda machine: machine.push(()),
    b"]": lambda machine: machine.push_new(list),
    b"}": lambda machine: machine.push_new(dict),
    b"\x8f": lambda machine: machine.push_new(list),  # a set
    b"I": _Machine.push_int,
    b"L": _Machine.push_int,
    b"F": _Machine.push_float,
    b"K": lambda machine: machine.push_number(_U1),
    b"M": lambda machine: machine.push_number(_U2),
    b"J": lambda machine: machine.push_number(_S4),
    b"G": lambda machine: machine.push_number(_REAL),
    b"\x8a": lambda machine: machine.push_long(_U1),
    b"\x8b": lambda machine: machine.push_long(_S4),
    b"S": lambda machine: machine.push_line(_unquoted),
    b"V": lambda machine: machine.push_line(_unescaped),
    b"U": lambda machine: machine.push_text(_U1, "surrogateescape"),
    b"T": lambda machine: machine.push_text(_S4, "surrogateescape"),
    b"X": lambda machine: machine.push_text(_U4, "surrogatepass"),
    b"\x8c": lambda machine: machine.push_text(_U1, "surrogatepass"),
    b"\x8d": lambda machine: machine.push_text(_U8, "surrogatepass"),
    b"C": lambda machine: machine.push_bytes(_U1),
    b"B": lambda machine: machine.push_bytes(_U4),
    b"\x8e": lambda machine: machine.push_bytes(_U8),
    b"\x96": lambda machine: machine.push_bytes(_U8),
    b"c": _Machine.push_name,
    b"\x93": _Machine.push_name_of_stack,
    b"\x82": lambda machine: machine.push_extension(_U1),
    b"\x83": lambda machine: machine.push_extension(_U2),
    b"\x84": lambda machine: machine.push_extension(_S4),
    b"P": _Machine.push_stored_by_line,
    b"Q": _Machine.push_stored,
    b"p": lambda machine: machine.put(None),
    b"q": lambda machine: machine.put(_U1),
    b"r": lambda machine: machine.put(_U4),
    b"\x94": _Machine.memoize,
    b"g": lambda machine: machine.get(None),
    b"h": lambda machine: machine.get(_U1),
    b"j": lambda machine: machine.get(_U4),
    b"\x85": lambda machine: machine.tuple_of(1),
    b"\x86": lambda machine: machine.tuple_of(2),
    b"\x87": lambda machine: machine.tuple_of(3),
    b"t": _Machine.tuple_of_items,
    b"l": _Machine.list_of_items,
    b"\x91": _Machine.list_of_items,  # a frozen set
    b"d": _Machine.dict_of_items,
    b"a": _Machine.append,
    b"e": _Machine.extend,
    b"\x90": _Machine.extend,  # to a set
    b"s": _Machine.set_pair,
    b"u": _Machine.set_pairs,
    b"b": _Machine.build,
    b"R": _Machine.call,
    b"\x81": _Machine.call,  # of __new__
    b"\x92": _Machine.call_with_keywords,
    b"i": _Machine.call_name,
    b"o": _Machine.call_first_item,
}
