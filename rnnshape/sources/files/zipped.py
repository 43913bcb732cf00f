"""Zip archives, of which only the directory and single entries are read."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final, NamedTuple

from rnnshape.errors import RequestError, quoted

_END: Final = struct.Struct("<4s4H2IH")
_END64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR: Final = struct.Struct("<4sIQI")
_ENTRY: Final = struct.Struct("<4s6H3I5H2I")
_HEADER: Final = struct.Struct("<4s5H3I2H")
_SATURATED: Final = 0xFFFFFFFF  # the value is in the extra field, with 64 bits

_LONGEST_COMMENT: Final = 0xFFFF
_LARGEST_DIRECTORY: Final = 1 << 24  # bytes
_MOST_ENTRIES: Final = 100_000  # a checkpoint has one for each tensor
_LARGEST_INFLATED: Final = 1 << 24  # bytes
_CHUNK: Final = 1 << 16

_AGAIN: Final = "copy or download it again"
_REPACKED: Final = "unpack it, and pack it again without compression: zip -0 -r FILE FOLDER"


class Entry(NamedTuple):
    """Where an entry is, and how many bytes it has."""

    offset: int  # of its header
    compressed: int  # bytes in the archive
    size: int  # bytes when unpacked
    method: int  # 0: stored, 8: deflated
    flags: int


class Region(NamedTuple):
    """Bytes that can be read: the present position of `file` up to `end`."""

    file: BinaryIO
    end: int


def directory(file: BinaryIO) -> Mapping[str, Entry]:
    """The entries of the archive by their names, in the archive's order.

    Raises RequestError for an archive that is damaged or out of all proportion.
    """
    count, size, offset = _end(file)
    if size > _LARGEST_DIRECTORY or count > _MOST_ENTRIES:
        raise RequestError(
            "the zip archive has {} entries, more than can be read", f"{count:,}", hint=_REPACKED
        )
    file.seek(offset)
    data = file.read(size)
    entries: dict[str, Entry] = {}
    try:
        start = 0
        while start < len(data):
            name, entry, start = _entry(data, start)
            if name in entries:
                raise RequestError(
                    "the zip archive has two entries named {}", quoted(name), hint=_AGAIN
                )
            entries[name] = entry
    except (struct.error, IndexError) as error:
        raise _damaged("its directory") from error
    if len(entries) != count or len(data) != size:
        raise _damaged("its directory")
    return entries


def opened(file: BinaryIO, name: str, entry: Entry) -> Region:
    """The content of an entry, which is left in the file where it is not compressed.

    Raises RequestError for an entry that cannot be read or is too large when unpacked.
    """
    start = _start(file, name, entry)
    if entry.method == 0:
        return Region(file, start + entry.size)
    return Region(io.BytesIO(_inflated(file, name, entry)), entry.size)


def beginning(file: BinaryIO, name: str, entry: Entry, most: int) -> bytes:
    """Up to `most` bytes from the beginning of an entry of any size.

    Raises RequestError for an entry that cannot be read.
    """
    import zlib  # most archives need it for nothing

    _start(file, name, entry)
    if entry.method == 0:
        return file.read(min(most, entry.size))
    # Deflating makes nothing longer by more than a few bytes in a block of 64 KiB.
    data = file.read(min(most + 1024, entry.compressed))
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, most)
    except zlib.error as error:
        raise _damaged(quoted(name)) from error


def _start(file: BinaryIO, name: str, entry: Entry) -> int:
    """Where the bytes of an entry begin, to which the file goes."""
    if entry.flags & 1:
        raise RequestError("{} in it is encrypted", quoted(name), hint="decrypt the archive first")
    if entry.method not in (0, 8):
        raise RequestError(
            "{} in it is compressed by a method that is not supported", quoted(name), hint=_REPACKED
        )
    _seek(file, entry.offset)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or header[:4] != b"PK\3\4":
        raise _damaged(quoted(name))
    *_, name_length, extra_length = _HEADER.unpack(header)
    start = entry.offset + _HEADER.size + name_length + extra_length
    length = file.seek(0, os.SEEK_END)
    if start + entry.compressed > length or (entry.method == 0 and entry.compressed != entry.size):
        raise _damaged(quoted(name))
    return file.seek(start)


def content(file: BinaryIO, name: str, entry: Entry) -> bytes:
    """All bytes of an entry, at most 16 MiB."""
    if entry.size > _LARGEST_INFLATED:
        raise _too_large(name)
    region = opened(file, name, entry)
    return region.file.read(entry.size)


def _end(file: BinaryIO) -> tuple[int, int, int]:
    """How many entries there are; the size and the position of the directory."""
    length = file.seek(0, os.SEEK_END)
    start = max(length - _END.size - _LONGEST_COMMENT - _LOCATOR.size, 0)
    file.seek(start)
    tail = file.read(length - start)
    found = tail.rfind(b"PK\5\6")
    if found < 0 or len(tail) - found < _END.size:
        raise RequestError(
            "its end is missing, where a zip archive has its directory: it is incomplete",
            hint=_AGAIN,
        )
    _, _, _, _, count, size, offset, _ = _END.unpack_from(tail, found)
    if found >= _LOCATOR.size and tail[found - _LOCATOR.size :].startswith(b"PK\6\7"):
        _, _, position, _ = _LOCATOR.unpack_from(tail, found - _LOCATOR.size)
        _seek(file, position)
        data = file.read(_END64.size)
        if len(data) < _END64.size or data[:4] != b"PK\6\6":
            raise _damaged("its end")
        *_, count, size, offset = _END64.unpack(data)
    if offset + size > start + found:
        raise _damaged("its end")
    return count, size, offset


def _entry(data: bytes, start: int) -> tuple[str, Entry, int]:
    """The entry of the directory at `start`, and where the next one is."""
    fields = _ENTRY.unpack_from(data, start)
    signature, _, _, flags, method, _, _, _, compressed, size = fields[:10]
    name_length, extra_length, comment_length = fields[10:13]
    offset = fields[-1]
    if signature != b"PK\1\2":
        raise IndexError
    name_end = start + _ENTRY.size + name_length
    name = data[start + _ENTRY.size : name_end].decode("utf-8", "surrogateescape")
    extra = data[name_end : name_end + extra_length]
    if _SATURATED in (size, compressed, offset):
        large = _large(extra)
        size, compressed, offset = (
            next(large) if value == _SATURATED else value for value in (size, compressed, offset)
        )
    entry = Entry(offset, compressed, size, method, flags)
    return name, entry, name_end + extra_length + comment_length


def _large(extra: bytes) -> Iterator[int]:
    """The integers of 64 bits in an extra field."""
    start = 0
    while start + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, start)
        if kind == 1:
            for at in range(start + 4, start + 4 + length - 7, 8):
                yield int.from_bytes(extra[at : at + 8], "little")
        start += 4 + length
    raise IndexError


def _inflated(file: BinaryIO, name: str, entry: Entry) -> bytes:
    import zlib  # most archives need it for nothing

    if entry.size > _LARGEST_INFLATED:
        raise _too_large(name)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    parts: list[bytes] = []
    left, wanted = entry.compressed, entry.size + 1
    try:
        while wanted > 0 and left > 0 and not inflate.eof:
            chunk = file.read(min(_CHUNK, left))
            left -= len(chunk)
            parts.append(inflate.decompress(chunk, wanted))
            wanted -= len(parts[-1])
    except zlib.error as error:
        raise _damaged(quoted(name)) from error
    if wanted != 1:
        raise _damaged(quoted(name))
    return b"".join(parts)


def _seek(file: BinaryIO, position: int) -> None:
    """Go there; past every possible end where a file can have no such position."""
    file.seek(min(position, (1 << 62)))


def _too_large(name: str) -> RequestError:
    most = _LARGEST_INFLATED >> 20
    return RequestError(
        "{} in it has more than {} MiB when unpacked", quoted(name), str(most), hint=_REPACKED
    )


def _damaged(what: str) -> RequestError:
    return RequestError("the zip archive is damaged: {} cannot be read", what, hint=_AGAIN)
