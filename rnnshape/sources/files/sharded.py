"""The index of a sharded checkpoint, `model.safetensors.index.json`: which file has each tensor."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, Final

from rnnshape.errors import quoted
from rnnshape.sources.files.contents import Contents, StateDict, StoredTensor
from rnnshape.sources.files.jsontext import MOST_BYTES, parsed
from rnnshape.sources.files.refusal import cut_short, refusal

_MOST_SHARDS: Final = 1000


def read(file: BinaryIO) -> Contents:
    """The tensors of all shards, which lie beside the file, in the order of the index.

    Raises RequestError where a shard is missing or cannot be read, or has other tensors.
    """
    from rnnshape.sources.files.registry import read_file  # which imports this module

    file.seek(0)
    index = parsed(file.read(MOST_BYTES + 1), "it")
    files = _files_by_tensor(index)
    folder = Path(file.name).parent
    names = list(dict.fromkeys(files.values()))
    _require_there(folder, names)
    shards = {name: read_file(folder / name, shard=True) for name in names}
    held = {name: _tensors(shard) for name, shard in shards.items()}
    for tensor, name in files.items():
        if tensor not in held[name]:
            raise cut_short(f"{quoted(name)} has no tensor {quoted(tensor)}")
    tensors = {tensor: held[name][tensor] for tensor, name in files.items()}
    formats = sorted({shard.format for shard in shards.values()})
    return Contents(
        format=f"{' and '.join(formats)} in {len(names)} shards",
        dicts=(StateDict(tensors=tensors),),
        tensors=len(tensors),
    )


def _files_by_tensor(index: Any) -> dict[str, str]:
    files = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(files, dict) or not all(isinstance(name, str) for name in files.values()):
        raise cut_short("its weight_map is not a table of file names")
    names = {*files.values()}
    for name in names:
        if name in (".", "..") or {*name} & {*"/\\:\0"}:
            raise refusal(
                f"its weight_map names {quoted(name)}, which is not beside it",
                "name the files without their folders",
            )
    if not 0 < len(names) <= _MOST_SHARDS:
        raise refusal(
            f"its weight_map names {len(names):,} files",
            f"an index may name 1 to {_MOST_SHARDS:,} files",
        )
    return files


def _require_there(folder: Path, names: list[str]) -> None:
    missing = [quoted(name) for name in names if not (folder / name).exists()]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise refusal(
            f"{len(missing)} of its {len(names)} shards are missing: "
            f"{', '.join(missing[:3])}{more}",
            "put them beside it, or give the file of one shard",
        )


def _tensors(shard: Contents) -> dict[str, StoredTensor]:
    return {name: tensor for state in shard.dicts for name, tensor in state.tensors.items()}
