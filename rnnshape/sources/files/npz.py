"""NumPy's `.npy` and `.npz`: the header of each array. Arrays of objects, pickles, are left out."""

from __future__ import annotations

import re
from math import prod
from typing import BinaryIO, Final

from rnnshape.errors import RequestError, quoted
from rnnshape.sources.files.contents import Contents, StateDict, StoredTensor
from rnnshape.sources.files.refusal import cut_short, refusal
from rnnshape.sources.files.zipped import beginning, directory

SIGNATURE: Final = b"\x93NUMPY"
_SUFFIX: Final = ".npy"

_LONGEST_HEADER: Final = 10_000  # numpy's own limit, against slow parsing
_PREAMBLE: Final = 12  # the signature, a version, a length of two or four bytes
_MOST_AXES: Final = 64  # numpy's

_SPACE: Final = " \t\r\n\f"

# One key of the header with its value: a dtype, True or False, or a tuple of sizes.
_ITEM: Final = re.compile(
    r"\s*'(?P<key>descr|fortran_order|shape)'\s*:\s*"
    r"('(?P<descr>[^'\\]{1,64})'|(?P<fields>\[.*\](?=\s*,\s*'fortran_order'))"
    r"|(?P<order>True|False)|\((?P<shape>(\s*\d{1,19}L?\s*,)*((?<=,)\s*\d{1,19}L?\s*)?\s*)\))"
    r"\s*(,|$)",
    re.ASCII,
)
_DTYPE: Final = re.compile(r"'[<>|=]?([biufc])(\d{1,2})'")
_DTYPES: Final = {"i": "int", "u": "uint", "f": "float", "c": "complex"}


def read(file: BinaryIO) -> Contents:
    """The arrays of numbers. Raises RequestError where there is none, or one is not whole."""
    file.seek(0)
    if file.read(2) == b"PK":
        return _archive(file)
    size = file.seek(0, 2)
    file.seek(0)
    tensor = _tensor(file.read(_PREAMBLE + _LONGEST_HEADER), size)
    if tensor is None:
        raise _only_objects("it is an array")
    return Contents(format="NumPy array", dicts=(StateDict(tensors={"": tensor}),), tensors=1)


def _archive(file: BinaryIO) -> Contents:
    tensors: dict[str, StoredTensor] = {}
    entries = {name: entry for name, entry in directory(file).items() if name.endswith(_SUFFIX)}
    for name, entry in entries.items():
        start = beginning(file, name, entry, _PREAMBLE + _LONGEST_HEADER)
        try:
            tensor = _tensor(start, entry.size)
        except RequestError as error:
            raise error.behind(quoted(name)) from None
        dotted = name.removesuffix(_SUFFIX).replace("/", ".")
        if dotted in tensors:
            raise refusal(f"two of its arrays are called {quoted(dotted)}", "rename one of them")
        if tensor is not None:
            tensors[dotted] = tensor
    if entries and not tensors:
        raise _only_objects("it holds only arrays")
    return Contents(
        format="NumPy archive", dicts=(StateDict(tensors=tensors),), tensors=len(tensors)
    )


def _only_objects(what: str) -> RequestError:
    return refusal(
        f"{what} of Python objects, strings or records",
        "save arrays of numbers, one for each name of the state_dict",
    )


def _tensor(start: bytes, size: int) -> StoredTensor | None:
    """What an array's header says; None for one that does not hold numbers.

    `size` is that of the whole array with its header, in bytes.
    """
    width = 2 if start[6:7] == b"\x01" else 4
    length = int.from_bytes(start[8 : 8 + width], "little")
    text = start[8 + width : 8 + width + length]
    if not start.startswith(SIGNATURE) or start[6:7] not in (b"\x01", b"\x02", b"\x03"):
        raise cut_short("it does not begin as an array of NumPy does")
    if length > _LONGEST_HEADER:
        raise refusal(f"its header has {length:,} bytes", f"up to {_LONGEST_HEADER:,} are read")
    items = _items(text.decode("latin1")) if len(text) == length else {}
    if items.keys() != {"descr", "fortran_order", "shape"}:
        raise cut_short("its header does not give descr, fortran_order and shape")
    dtype, itemsize = _dtype(items["descr"])
    if not dtype:
        return None
    shape = tuple(int(part.strip(" L")) for part in items["shape"].split(",") if part.strip())
    if len(shape) > _MOST_AXES or 8 + width + length + prod(shape) * itemsize > size:
        raise cut_short(f"it has {size:,} bytes, too few for the shape ({items['shape']})")
    return StoredTensor(shape=shape, dtype=dtype)


def _items(text: str) -> dict[str, str]:
    """The text of each value in a header; nothing if it is not in the form that numpy writes."""
    inside = text.removesuffix("\n").rstrip(" ")
    if not (inside.startswith("{") and inside.endswith("}")):
        return {}
    inside, items = inside[1:-1].strip(_SPACE), {}
    at = 0
    while at < len(inside):
        item = _ITEM.match(inside, at)
        if item is None or item["key"] in items or not _fits(item):
            return {}
        items[item["key"]] = item[2] if item["shape"] is None else item["shape"]
        at = item.end()
    return items


def _fits(item: re.Match[str]) -> bool:
    kinds = {"descr": ("descr", "fields"), "fortran_order": ("order",), "shape": ("shape",)}
    return any(item[kind] is not None for kind in kinds[item["key"]])


def _dtype(descr: str) -> tuple[str, int]:
    """PyTorch's name of a dtype and the bytes of an element; no name if it is not of numbers."""
    match = _DTYPE.fullmatch(descr)
    if match is None:
        return "", 0
    size = int(match[2])
    return ("bool" if match[1] == "b" else f"{_DTYPES[match[1]]}{8 * size}"), size
