"""Files for the tests of readers: written, read, and what a reader says about one."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from rnnshape.errors import RequestError
from rnnshape.layer.facts import Dims
from rnnshape.sources.files.contents import Contents
from rnnshape.sources.files.registry import read_file


def read_bytes(data: bytes, folder: Path) -> Contents:
    """What a file of these bytes holds; its name says nothing."""
    path = folder / "file"
    path.write_bytes(data)
    return read_file(path)


def read_or_refused(data: bytes, folder: Path) -> Contents | None:
    """What a file of these bytes holds, None if it is refused; anything else is an error."""
    try:
        return read_bytes(data, folder)
    except RequestError as error:
        lines = error.problem, error.hint
    assert all(line.isprintable() and line for line in lines)
    return None


def refusal(data: bytes, folder: Path) -> tuple[str, str]:
    """The problem, without the name of the file, and the hint."""
    with pytest.raises(RequestError) as caught:
        read_bytes(data, folder)
    lines = caught.value.problem, caught.value.hint
    assert all(line.isprintable() and line for line in lines)
    return lines[0].removeprefix(f"{folder / 'file'}: "), lines[1]


def shapes(contents: Contents) -> dict[str, tuple[Dims, str]]:
    """The shape and dtype of each tensor in the only state dict."""
    (state,) = contents.dicts
    return {name: (tensor.shape, tensor.dtype) for name, tensor in state.tensors.items()}


def safetensors(header: object, data: bytes = b"") -> bytes:
    """A safetensors file with this header, an object or the text of one."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def zipped(entries: Mapping[str, bytes | str], *, deflated: bool = False) -> bytes:
    """A zip file."""
    file = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries.items():
            # With a date of its own, not that of the writing.
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return file.getvalue()


def mutations(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """The data with bytes changed, cut, repeated or inserted, or with a number made extreme."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    extremes = (b"\xff" * 8, b"\0" * 8, b"\x7f" + b"\xff" * 7, b"\xff\xff\xff\x7f")
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 5, 20))):
            at = chance.randrange(len(changed) + 1)
            match chance.randrange(6):
                case 0 if at < len(changed):
                    changed[at] = chance.randrange(256)
                case 1 if at < len(changed):
                    changed[at] ^= 1 << chance.randrange(8)
                case 2:
                    del changed[at:]
                case 3:
                    del changed[at : at + chance.randrange(1, 9)]
                case 4:
                    changed[at:at] = changed[at : at + chance.randrange(1, 65)]
                case _:
                    number = chance.choice(extremes)[: chance.choice((1, 2, 4, 8))]
                    changed[at : at + len(number)] = number
        yield bytes(changed)
