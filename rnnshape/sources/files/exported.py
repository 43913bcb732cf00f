"""What `torch.export.save` writes, `.pt2`: its weights by name, from the JSON beside them."""

from __future__ import annotations

from typing import Any, BinaryIO, Final

from rnnshape.errors import quoted
from rnnshape.layer.facts import LARGEST_SIZE
from rnnshape.sources.files.contents import Contents, StateDict, StoredTensor
from rnnshape.sources.files.jsontext import parsed
from rnnshape.sources.files.refusal import cut_short
from rnnshape.sources.files.zipped import content, directory

_WEIGHTS: Final = "data/weights/model_weights_config.json"

# ScalarType in torch/_export/serde/schema.py.
_DTYPES: Final = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    9: "complex32",
    10: "complex64",
    11: "complex128",
    12: "bool",
    13: "bfloat16",
    28: "uint16",
    29: "float8_e4m3fn",
    30: "float8_e5m2",
    31: "float8_e4m3fnuz",
    32: "float8_e5m2fnuz",
    33: "float8_e8m0fnu",
    34: "uint32",
    35: "uint64",
}


def read(file: BinaryIO) -> Contents:
    """The parameters and buffers of an exported program. Raises RequestError for a damaged one."""
    entries = directory(file)
    name = next(name for name in entries if name.endswith(_WEIGHTS))
    listed = parsed(content(file, name, entries[name]), "its list of weights")
    config = listed.get("config") if isinstance(listed, dict) else None
    if not isinstance(config, dict):
        raise cut_short("its list of weights has no config")
    tensors = {name: _tensor(name, entry) for name, entry in config.items()}
    return Contents(
        format="exported PyTorch program",
        dicts=(StateDict(tensors=tensors),),
        tensors=len(tensors),
    )


def _tensor(name: str, entry: Any) -> StoredTensor:
    match entry:
        case {
            "path_name": str(path),
            "tensor_meta": {"dtype": int(code), "sizes": list(sizes)} as meta,
        }:
            numbers = [size.get("as_int") for size in sizes if isinstance(size, dict)]
            shape = tuple(n for n in numbers if type(n) is int and 0 <= n <= LARGEST_SIZE)
            if len(shape) == len(sizes):
                dtype = _DTYPES.get(code, f"dtype {code}")
                storage = path, str(meta.get("storage_offset"))
                return StoredTensor(shape=shape, dtype=dtype, storage=storage)
        case _:
            pass
    raise cut_short(f"its list of weights gives no sizes for {quoted(name)}")
