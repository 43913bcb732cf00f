"""safetensors: eight bytes with the length of a JSON header, the header, the data, unread.

The format: https://huggingface.co/docs/safetensors. A file that the library refuses is refused.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, BinaryIO, Final

from rnnshape.errors import RequestError, quoted
from rnnshape.layer.facts import LARGEST_SIZE
from rnnshape.sources.files.contents import Contents, StateDict, StoredTensor
from rnnshape.sources.files.jsontext import parsed
from rnnshape.sources.files.refusal import cut_short, refusal

_LENGTH_BYTES: Final = 8

_METADATA: Final = "__metadata__"
_MOST_AXES: Final = 64

# PyTorch's name of each dtype, and the bits of an element.
_DTYPES: Final = {
    "BOOL": ("bool", 8),
    "F4": ("float4_e2m1fn_x2", 4),
    "F6_E2M3": ("float6_e2m3", 6),
    "F6_E3M2": ("float6_e3m2", 6),
    "U8": ("uint8", 8),
    "I8": ("int8", 8),
    "F8_E5M2": ("float8_e5m2", 8),
    "F8_E4M3": ("float8_e4m3fn", 8),
    "F8_E5M2FNUZ": ("float8_e5m2fnuz", 8),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz", 8),
    "F8_E8M0": ("float8_e8m0fnu", 8),
    "I16": ("int16", 16),
    "U16": ("uint16", 16),
    "F16": ("float16", 16),
    "BF16": ("bfloat16", 16),
    "I32": ("int32", 32),
    "U32": ("uint32", 32),
    "F32": ("float32", 32),
    "F64": ("float64", 64),
    "I64": ("int64", 64),
    "U64": ("uint64", 64),
    "C64": ("complex64", 64),
}


def read(file: BinaryIO) -> Contents:
    """The tensors that the header names. Raises RequestError for a file that is not whole."""
    size = file.seek(0, 2)
    file.seek(0)
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if _LENGTH_BYTES + length > size:
        raise cut_short(f"its header has {length:,} bytes, but the whole file {size:,}")
    header = parsed(file.read(length), "its header")
    if not isinstance(header, dict):
        raise cut_short("its header is not a JSON object")
    _require_metadata(header.pop(_METADATA, {}))
    tensors: dict[str, StoredTensor] = {}
    spans: list[tuple[int, int]] = []
    for name, entry in header.items():
        tensors[name], span = _tensor(name, entry)
        spans.append(span)
    _require_whole(spans, size - _LENGTH_BYTES - length)
    return Contents(format="safetensors", dicts=(StateDict(tensors=tensors),), tensors=len(tensors))


def _require_metadata(metadata: Any) -> None:
    texts = isinstance(metadata, dict) and all(isinstance(v, str) for v in metadata.values())
    if not texts:
        raise cut_short(f"{_METADATA} of its header does not map strings to strings")


def _tensor(name: str, entry: Any) -> tuple[StoredTensor, tuple[int, int]]:
    """The tensor, and where its data begins and ends."""
    match entry:
        case {"dtype": str(code), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            if not all(
                type(size) is int and 0 <= size <= LARGEST_SIZE for size in (*shape, begin, end)
            ):
                raise _wrong(name, "has a negative or huge size")
        case _:
            raise _wrong(name, "has no dtype, shape and data_offsets")
    if code not in _DTYPES:
        raise _wrong(name, f"has the dtype {quoted(code)}, which is not known")
    dtype, bits = _DTYPES[code]
    if len(shape) > _MOST_AXES or _bits(shape, bits, most=8 * (end - begin)) != 8 * (end - begin):
        raise _wrong(name, f"has {end - begin:,} bytes of data, which does not fit its shape")
    return StoredTensor(shape=tuple(shape), dtype=dtype), (begin, end)


def _bits(shape: list[int], bits: int, *, most: int) -> int:
    """How many bits a tensor takes; some number above `most` if it takes more than that."""
    if 0 in shape:
        return 0
    for size in shape:
        bits *= size
        if bits > most:
            break
    return bits


def _require_whole(spans: list[tuple[int, int]], size: int) -> None:
    """Raise RequestError unless the data of the tensors fills the file without gap or overlap."""
    edges = [(0, 0), *sorted(spans), (size, size)]
    if any(before[1] != after[0] for before, after in pairwise(edges)):
        needed = max(end for _, end in edges[:-1])
        raise cut_short(
            f"its tensors take {needed:,} bytes of data, but {size:,} follow the header"
            if needed != size
            else "the data of its tensors overlaps or has gaps"
        )


def _wrong(name: str, problem: str) -> RequestError:
    return refusal(f"its tensor {quoted(name)} {problem}", "write the file again")
