"""Files of torch.save: zip archives since PyTorch 1.6, before that pickles in a row."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

from rnnshape.errors import RequestError, quoted
from rnnshape.sources.files import zipped
from rnnshape.sources.files.contents import Contents
from rnnshape.sources.files.found import eager, found
from rnnshape.sources.files.pickled import AGAIN, Global, Pickles, Record, interpret
from rnnshape.sources.files.rebuilt import (
    KNOWN,
    LEGACY_HEAD,
    LEGACY_MAGIC,
    Storage,
    known_in_plain_pickles,
    stored,
)

_PICKLE: Final = "data.pkl"


def read(file: BinaryIO) -> Contents:
    """What a file of torch.save or torch.jit.save holds; the data of tensors is not read.

    Raises RequestError for a file that is damaged, or holds nothing of PyTorch's.
    """
    file.seek(0)
    return _read_zip(file) if file.read(2) == b"PK" else _read_pickles(file)


def _unpickled(file: BinaryIO, entries: Mapping[str, zipped.Entry], name: str) -> Any:
    region = zipped.opened(file, name, entries[name])
    return interpret(Pickles(region.file, region.end), KNOWN, stored)


def _read_zip(file: BinaryIO) -> Contents:
    from rnnshape.sources.files import torchscript  # most archives have none

    entries = zipped.directory(file)
    name = next(filter(_is_pickle, entries), None)
    if name is None:
        raise RequestError(
            "it is a zip archive without data.pkl, which torch.save and torch.jit.save write",
            hint="unpack it, and inspect the file with the weights",
        )
    value, folder = _unpickled(file, entries, name), name.removesuffix(_PICKLE)
    if not torchscript.is_torchscript(entries, folder):
        return found(value, "PyTorch checkpoint", eager)
    constants = f"{folder}constants.pkl"
    listed = _unpickled(file, entries, constants) if constants in entries else ()
    return torchscript.contents(file, entries, folder, value, listed)


def _is_pickle(name: str) -> bool:
    return name == _PICKLE or (name.endswith(f"/{_PICKLE}") and name.count("/") == 1)


def _read_pickles(file: BinaryIO) -> Contents:
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    if end == 0:
        raise RequestError("it is empty", hint=AGAIN)
    pickles = Pickles(file, end)
    plain = known_in_plain_pickles()
    value = interpret(pickles, plain, stored)
    if value != LEGACY_MAGIC:
        return _plain(value)
    storages: dict[Any, Storage] = {}

    def noted(persistent_id: Any) -> Any:
        value = stored(persistent_id)
        if isinstance(value, Storage):
            storages.setdefault(value.key, value)
        return value

    for _ in range(LEGACY_HEAD - 1):
        interpret(pickles, KNOWN, stored)
    value = interpret(pickles, KNOWN, noted)
    keys = interpret(pickles, KNOWN, stored)
    _check_length(keys, storages, file.tell(), end)
    return found(value, "PyTorch checkpoint", eager)


def _check_length(keys: Any, storages: Mapping[Any, Storage], start: int, end: int) -> None:
    """Raise RequestError where the file ends before the data of all tensors, which is not read."""
    if not isinstance(keys, list):
        raise RequestError("its list of storages is not a list", hint=AGAIN)
    needed = start
    for key in keys:
        storage = storages.get(key) if isinstance(key, str | int) else None
        needed += 8 + ((storage.nbytes or 0) if storage else 0)  # a size goes before the data
    if needed > end:
        raise RequestError(
            "it ends after {} of {} bytes: it is incomplete", f"{end:,}", f"{needed:,}", hint=AGAIN
        )


def _plain(value: Any) -> Contents:
    """What a pickle that torch.save did not write holds, if it has tensors of PyTorch's."""
    contents = found(value, "Python pickle", eager)
    if contents.tensors:
        return contents
    raise RequestError(
        "it is a Python pickle of {}, without PyTorch's tensors",
        quoted(_kind(value)),
        hint="torch.save(model.state_dict(), FILE) writes a file that can be inspected",
    )


def _kind(value: Any) -> str:
    match value:
        case Record(of=Global(path=path)):
            return path
        case dict() | list() | tuple() | str() | int() | float() | bytes():
            return f"type {type(value).__name__}"
        case _:
            return "another program"
