"""The formats of files, recognised by their first bytes, never by their suffix."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from rnnshape.errors import RequestError, printable
from rnnshape.sources.files.contents import Contents
from rnnshape.sources.files.head import Head
from rnnshape.sources.files.refusal import refusal


class Format(NamedTuple):
    """One format: its module, imported only for a file of it, and how to recognise such a file.

    The module has `read(file: BinaryIO) -> Contents`, which raises RequestError. The path is
    `file.name`.
    """

    module: str
    recognises: Callable[[Head], bool]


def _is_pytorch(head: Head) -> bool:
    pickle = head.is_legacy_checkpoint or (head.is_pickle and head.pickled_by is None)
    return head.holds("data.pkl") or pickle


def _is_safetensors(head: Head) -> bool:
    length = int.from_bytes(head.start[:8], "little")
    return head.start[8:9] == b"{" and length <= 100_000_000  # which the format allows


def _is_index(head: Head) -> bool:
    return _is_json(head.start, b'"weight_map"')


def _is_exported(head: Head) -> bool:
    return head.holds("data/weights/model_weights_config.json")


def _is_numpy(head: Head) -> bool:
    arrays = [name for name in head.names if name.endswith(".npy")]
    return head.start.startswith(b"\x93NUMPY") or len(arrays) * 2 > len(head.names)


def _is_keras(head: Head) -> bool:
    # HDF5 may begin after a block of 512 bytes, or of twice that, and so on.
    hdf5 = any(head.start[at:].startswith(b"\x89HDF\r\n\x1a\n") for at in (0, 512, 1024, 2048))
    archive = head.holds("config.json", "metadata.json")
    return hdf5 or archive or _is_json(head.start, b'"class_name"')


# The fields of ModelProto in onnx.proto with their wire types; 0 is a number, 2 has a length.
_ONNX: Final = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_GRAPH: Final = 7


def _is_onnx(head: Head) -> bool:
    return {_GRAPH} < head.fields.keys() and head.fields.items() <= _ONNX.items()


def _is_json(start: bytes, key: bytes) -> bool:
    return start.lstrip().startswith(b"{") and key in start


FORMATS: Final = (
    Format("pytorch", _is_pytorch),
    Format("safetensors", _is_safetensors),
    Format("sharded", _is_index),
    Format("exported", _is_exported),
    Format("npz", _is_numpy),
    Format("keras", _is_keras),
    Format("onnx", _is_onnx),
)


def read_file(path: Path, *, shard: bool = False) -> Contents:
    """What the file holds, without the data of its tensors and without running any of it.

    A `shard` is one of the files that an index names, so it cannot be an index itself. Raises
    RequestError for what is not a regular file, cannot be opened, is damaged or of an
    unknown format.
    """
    with _opened(path) as file:
        try:
            return _read(file, shard=shard)
        except RequestError as error:
            raise error.behind(printable(str(path))) from None
        except OSError as error:
            raise _unopened(path, error) from None


def _read(file: BinaryIO, *, shard: bool) -> Contents:
    head = Head(file)
    for module_name, recognises in FORMATS:
        if recognises(head) and not (shard and module_name == "sharded"):
            module = import_module(f"rnnshape.sources.files.{module_name}")
            contents: Contents = module.read(file)
            return contents
    from rnnshape.sources.files.foreign import refusal_of  # only what cannot be read needs it

    raise refusal_of(head)


def _opened(path: Path) -> BinaryIO:
    """The file, opened. Links are followed; only a regular file is opened."""
    try:
        _require_regular(path, path.stat())
        # Without waiting, should a pipe have taken the place of the file meanwhile.
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - Path has no opener
    except (OSError, ValueError) as error:
        if isinstance(error, RequestError):
            raise
        raise _unopened(path, error) from None
    try:
        _require_regular(path, os.fstat(file.fileno()))
    except RequestError:
        file.close()
        raise
    return file


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def _require_regular(path: Path, found: os.stat_result) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    shown = printable(str(path))
    if stat.S_ISDIR(found.st_mode):
        from rnnshape.sources.files.folder import refusal_of_folder  # only folders need it

        raise refusal_of_folder(path, shown)
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    kind = kinds.get(stat.S_IFMT(found.st_mode), "a device")
    raise refusal(f"{shown} is {kind}, not a file", "save what it outputs to a file first")


def _unopened(path: Path, error: OSError | ValueError) -> RequestError:
    shown = printable(str(path))
    if isinstance(error, FileNotFoundError):
        return refusal(f"there is no file {shown}", "check the path, which is relative to here")
    reason = getattr(error, "strerror", None) or str(error)  # a null character is a ValueError
    return refusal(f"cannot read {shown}: {reason.lower()}", "give a file that you may read")
