"""Protocol buffers, read field by field from a file, so that large fields are left unread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from rnnshape.errors import RequestError

# A model of 100,000 nodes has about 1,500,000 fields, and 20 MB of names.
MOST_FIELDS: Final = 2_000_000
MOST_TEXT: Final = 64 << 20
LONGEST_TEXT: Final = 1 << 14

_BLOCK: Final = 8192
_HEAD: Final = 20  # the bytes of two varints, the longest start of a field


class Span(NamedTuple):
    """Bytes of the file, from `start` up to `end`."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """How many bytes they are."""
        return self.end - self.start


class Reader:
    """The file, and how much more of it may be read: a small one may claim to hold a lot."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.whole = Span(0, file.seek(0, 2))
        self.block, self._base = b"", 0
        self._fields, self._text = MOST_FIELDS, MOST_TEXT

    def at(self, place: int, size: int) -> int:
        """Where a byte of the file is in `block`, with at least `size` bytes, if there are any."""
        at = place - self._base
        if at < 0 or (
            at + size > len(self.block) and self._base + len(self.block) < self.whole.end
        ):
            self.file.seek(place)
            self.block, self._base = self.file.read(max(size, _BLOCK)), place
            return 0
        return at

    def bytes(self, span: Span) -> bytes:
        """The bytes of a span. Raises RequestError where they are too many for a text."""
        length = span.size
        self._text -= length
        if length > LONGEST_TEXT:
            raise too_large(f"a string of {length:,} bytes")
        if self._text < 0:
            raise too_large(f"over {MOST_TEXT:,} bytes of strings")
        at = self.at(span.start, length)
        return self.block[at : at + length]

    def text(self, span: Span) -> str:
        """The text of a span; bytes that are not UTF-8 are escaped."""
        return self.bytes(span).decode(errors="backslashreplace")

    def count_field(self) -> None:
        """Raise RequestError for more fields than a model could have."""
        self._fields -= 1
        if self._fields < 0:
            raise too_large(f"over {MOST_FIELDS:,} fields")


class Message:
    """The fields of a message by their numbers. Raises RequestError for other bytes."""

    def __init__(self, reader: Reader, span: Span) -> None:
        self.reader, self.span = reader, span
        self._fields: dict[int, list[int | Span]] = {}
        for number, value in _fields(reader, span):
            self._fields.setdefault(number, []).append(value)

    def values(self, number: int) -> list[int | Span]:
        """The values of a field: numbers, or where the others are."""
        return self._fields.get(number, [])

    def spans(self, number: int) -> list[Span]:
        """Where the values of a field are: texts, messages or packed numbers."""
        values = self.values(number)
        spans = [value for value in values if isinstance(value, Span)]
        if len(spans) < len(values):
            raise damaged(self.span.start, f"field {number} is a number, not a string or a message")
        return spans

    def span_of(self, number: int) -> Span | None:
        """Where the value of a field is; the last one counts."""
        return next(reversed(self.spans(number)), None)

    def messages(self, number: int) -> Iterator[Message]:
        """The values of a field, as messages."""
        return (Message(self.reader, span) for span in self.spans(number))

    def message(self, number: int) -> Message | None:
        """The value of a field, as a message."""
        span = self.span_of(number)
        return None if span is None else Message(self.reader, span)

    def texts(self, number: int) -> tuple[str, ...]:
        """The values of a field, as texts."""
        return tuple(self.reader.text(span) for span in self.spans(number))

    def text(self, number: int) -> str:
        """The value of a field, as a text."""
        span = self.span_of(number)
        return "" if span is None else self.reader.text(span)

    def integers(self, number: int) -> tuple[int, ...]:
        """The values of a field as signed numbers of 64 bits, packed or one by one."""
        found: list[int] = []
        for value in self.values(number):
            if isinstance(value, Span):
                found += _packed(self.reader.bytes(value), value.start)
            else:
                found.append(value)
        return tuple(value - (1 << 64) if value >> 63 else value for value in found)

    def integer(self, number: int, default: int = 0) -> int:
        """The value of a field as a signed number of 64 bits."""
        return next(reversed(self.integers(number)), default)

    def floats(self, number: int) -> tuple[float, ...]:
        """The values of a field of 32-bit floats, packed or one by one."""
        import struct  # only few models have any

        packed = b"".join(
            self.reader.bytes(value) if isinstance(value, Span) else value.to_bytes(8, "little")[:4]
            for value in self.values(number)
        )
        count = len(packed) // 4
        return struct.unpack(f"<{count}f", packed[: 4 * count])


def damaged(place: int, problem: str) -> RequestError:
    """The error for a file that is not what it should be at this byte."""
    return RequestError(
        f"not an ONNX model, or a damaged one: at byte {place:,} {problem}",
        hint="download or export the model again; onnx.checker.check_model tells more",
    )


def too_large(what: str) -> RequestError:
    """The error for a file with more of something than a model has."""
    return RequestError(
        f"the ONNX model has {what}, which is too much to read",
        hint="export only the part of the model that has the recurrent layers",
    )


def _fields(reader: Reader, span: Span) -> Iterator[tuple[int, int | Span]]:
    """The number and the value of each field."""
    place, end = span
    while place < end:
        reader.count_field()
        start = reader.at(place, _HEAD)
        block, base = reader.block, place - start
        key, at = _varint(block, start, place)
        value: int | Span
        match key & 7:
            case 0:
                value, at = _varint(block, at, place)
                after = base + at
            case 2:
                length, at = _varint(block, at, place)
                after = base + at + length
                value = Span(base + at, after)
            case 1 | 5 as wire:
                size = 8 if wire == 1 else 4
                value, after = int.from_bytes(block[at : at + size], "little"), base + at + size
            case wire:
                raise damaged(place, f"a field has the unknown type {wire}")
        if after > end:
            ends = "the file" if end == reader.whole.end else "the message that holds it"
            raise damaged(place, f"a field runs past the end of {ends}")
        if not key >> 3:
            raise damaged(place, "a field has the number 0")
        yield key >> 3, value
        place = after


def _packed(packed: bytes, place: int) -> list[int]:
    numbers, at = [], 0
    while at < len(packed):
        number, at = _varint(packed, at, place)
        numbers.append(number)
    return numbers


def _varint(block: bytes, at: int, place: int) -> tuple[int, int]:
    """A number of up to 64 bits, 7 in each byte, and the place after it in the block."""
    if at < len(block) and block[at] < 0x80:  # most numbers have one byte
        return block[at], at + 1
    value = 0
    for shift, byte in enumerate(block[at : at + 10]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value & ((1 << 64) - 1), at + shift + 1
    raise damaged(place, "a number does not end")
