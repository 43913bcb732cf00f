"""What to do about a folder in place of a file."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import Final

from rnnshape.errors import RequestError, word
from rnnshape.sources.files.refusal import refusal

_MOST_NAMES: Final = 1000
_INDEX: Final = ".index.json"
_WEIGHTS: Final = (
    ".safetensors",
    ".pt",
    ".pth",
    ".ckpt",
    ".onnx",
    ".keras",
    ".h5",
    ".hdf5",
    ".npz",
    ".bin",
    ".pt2",
    ".pkl",
)
# Whole models that are folders, by a name in them.
_KNOWN: Final = {
    "saved_model.pb": "a SavedModel of TensorFlow",
    "Manifest.json": "a CoreML package",
}


def refusal_of_folder(path: Path, shown: str) -> RequestError:
    """An error that names the file in the folder that is likely meant."""
    try:
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in islice(entries, _MOST_NAMES))
    except OSError:
        names = []
    for name, model in _KNOWN.items():
        if name in names:
            return refusal(f"{shown} is {model}, which is not read", EXPORT)
    for chosen in ([n for n in names if n.endswith(_INDEX)], likely(names)):
        if chosen:
            return refusal(f"{shown} is a folder, not a file", f"give {word(path / chosen[0])}")
    return refusal(f"{shown} is a folder, not a file", "give the file of weights in it")


EXPORT: Final = "export the model to ONNX, or save its weights as safetensors or npz"


def likely(names: list[str]) -> list[str]:
    """Those of the names that have the suffix of a file of weights, the commonest suffix first."""
    return sorted(
        (name for name in names if _rank(name) < len(_WEIGHTS)),
        key=lambda name: (_rank(name), len(name)),
    )


def _rank(name: str) -> int:
    return next((rank for rank, end in enumerate(_WEIGHTS) if name.endswith(end)), len(_WEIGHTS))
