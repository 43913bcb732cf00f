"""Keras: `.keras` archives, HDF5 files of a model or of weights, and the JSON of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import BinaryIO, Final

from rnnshape.layer.recognition import Recognised, Unrecognised
from rnnshape.sources.files.contents import Contents, StateDict
from rnnshape.sources.files.hdf5 import Stored, read_hdf5
from rnnshape.sources.files.jsontext import MOST_BYTES, parsed
from rnnshape.sources.files.keras import weights
from rnnshape.sources.files.keras.described import described_layers
from rnnshape.sources.files.keras.records import Described
from rnnshape.sources.files.keras.translation import translated
from rnnshape.sources.files.zipped import Entry, content, directory, opened

_CONFIG: Final = "config.json"
_WEIGHTS: Final = "model.weights.h5"


def read(file: BinaryIO) -> Contents:
    """The recurrent layers of a model, as PyTorch would have them.

    In an archive, whose config tells nearly everything, the weights are looked at only for what it
    leaves out. Raises RequestError for a damaged file.
    """
    file.seek(0)
    start = file.read(64).lstrip()
    file.seek(0)
    if start.startswith(b"PK"):
        return _archive(file)
    if start.startswith(b"{"):
        return _contents("Keras config", described_layers(parsed(file.read(MOST_BYTES + 1), "it")))
    return _hdf5(file)


def _hdf5(file: BinaryIO) -> Contents:
    held = read_hdf5(file, 0, file.seek(0, 2))
    if held.config is not None:
        layers = described_layers(parsed(held.config, "its model_config"))
        return _contents("Keras model", layers, held)
    cells = weights.cells(held.tensors)
    if cells:
        return _contents("Keras weights", weights.layers(cells), held)
    state = StateDict(tensors={n.replace("/", "."): t for n, t in held.tensors.items()})
    return Contents(format="HDF5", dicts=(state,), tensors=len(held.tensors))


def _archive(file: BinaryIO) -> Contents:
    entries = directory(file)
    name = next(name for name in entries if f"/{name}".endswith(f"/{_CONFIG}"))
    text = content(file, name, entries[name])
    layers = described_layers(parsed(text, f"its {_CONFIG}"))
    complete = layers and all(isinstance(x, Unrecognised) or x.input_size for x in layers)
    held = None if complete else _weights(file, name.removesuffix(_CONFIG), entries)
    if not layers and held is not None:  # a class of the user's, whose config lists no layers
        return _contents("Keras model", weights.layers(weights.cells(held.tensors)), held)
    return _contents("Keras model", layers, held)


def _weights(file: BinaryIO, folder: str, entries: Mapping[str, Entry]) -> Stored | None:
    """What the weights in an archive hold, None where there are none."""
    name = f"{folder}{_WEIGHTS}"
    if name not in entries:
        return None
    region = opened(file, name, entries[name])
    return read_hdf5(region.file, region.file.tell(), region.end)


def _contents(
    format: str, found: Iterable[Described | Unrecognised], held: Stored | None = None
) -> Contents:
    cells = weights.cells(held.tensors) if held is not None else []
    made = [
        each
        if isinstance(each, Unrecognised)
        else translated(
            each if each.weights else replace(each, weights=weights.weights_of(each, cells))
        )
        for each in found
    ]
    return Contents(
        format=format,
        layers=tuple(each for each in made if isinstance(each, Recognised)),
        failures=tuple(each for each in made if isinstance(each, Unrecognised)),
        tensors=len(held.tensors) if held is not None else 0,
    )
