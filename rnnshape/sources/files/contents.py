"""What a file holds, as far as that is known without reading the data of its tensors."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rnnshape.layer.facts import Dims
from rnnshape.layer.recognition import Recognised, Unrecognised


@dataclass(frozen=True, kw_only=True, slots=True)  # a hostile file may describe very many
class StoredTensor:
    """A tensor of which only the description was read."""

    shape: Dims
    dtype: str  # as PyTorch names it: "float32", "int8", "qint8"
    storage: Hashable = None  # equal for tensors with the same elements in memory, which are tied


@dataclass(frozen=True, kw_only=True)
class StateDict:
    """Tensors under dotted names, as a module's state_dict() has them."""

    keys: tuple[str | int, ...] = ()  # those that lead to it in the file: ("model_state",)
    tensors: Mapping[str, StoredTensor]  # in the order of the file
    # What a pickled module or a TorchScript archive says about its modules, by their dotted names:
    # {"encoder.lstm": {"class": "torch.nn.modules.rnn.LSTM", "batch_first": True, ...}}.
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What one file holds.

    Formats that store tensors under PyTorch's names fill `dicts`, from which layers are recognised
    later; those that describe layers themselves fill `layers`.
    """

    format: str  # "PyTorch checkpoint", "safetensors", "ONNX model"
    dicts: tuple[StateDict, ...] = ()
    layers: tuple[Recognised, ...] = ()
    failures: tuple[Unrecognised, ...] = ()  # what is recurrent there, but cannot be read
    tensors: int = 0  # how many there are in all
