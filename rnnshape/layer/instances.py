"""Recurrent layers that exist already: found in a model, and read as what they were built with.

Nothing of the model runs, not even a method of nn.Module that it may override: what nn.Module
holds is walked, and attributes are read. See `modules` for when torch is imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from operator import index
from typing import Any

from torch import nn

from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind, RNNConfig, Settings, dtype_named


def recurrent_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Every nn.LSTM, nn.GRU, nn.RNN and cell in a model by its name there, each once.

    A model that is such a layer itself has the name "".
    """
    return {name: module for name, module in _modules(model) if _kind(module) is not None}


def config_of(layer: nn.Module) -> RNNConfig:
    """What a layer was built with. Raises RequestError for a module that is none."""
    found = _kind(layer)
    if found is None:
        raise RequestError(
            f"{type(layer).__name__} is no recurrent layer of torch.nn",
            hint="rnnshape.inspect_model finds those in a model",
        )
    kind, cell = found
    own: Any = layer
    arguments: dict[str, Any] = {
        "input_size": index(own.input_size),
        "hidden_size": index(own.hidden_size),
        "bias": bool(own.bias),
    }
    if not cell:
        arguments |= {
            "num_layers": index(own.num_layers),
            "batch_first": bool(own.batch_first),
            "dropout": float(own.dropout),
            "bidirectional": bool(own.bidirectional),
            "proj_size": index(own.proj_size),
        }
    if kind is Kind.RNN:
        arguments["nonlinearity"] = own.nonlinearity if cell else own.mode[len("RNN_") :].lower()
    return RNNConfig(kind=kind, cell=cell, **arguments)


def settings_of(layer: nn.Module) -> Settings:
    """Where the weights of a layer are, and in what type."""
    for _, module in _modules(layer):
        for _, weight in nn.Module.named_parameters(module, recurse=False):
            name = str(weight.dtype).removeprefix("torch.")
            return Settings(device=str(weight.device), dtype=dtype_named(name))
    return Settings()


def _modules(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """What nn.Module.named_modules gives, which would call the method of each module in it."""
    seen: set[int] = set()
    left = [("", model)]
    while left:
        name, module = left.pop()
        if id(module) not in seen:
            seen.add(id(module))
            yield name, module
            children = [*nn.Module.named_children(module)]
            left += [(f"{name}.{key}" if name else key, child) for key, child in children[::-1]]


def _kind(module: nn.Module) -> tuple[Kind, bool] | None:
    """Which layer a module is, and whether it is the cell; a subclass is what it derives from."""
    for kind, cell in product(Kind, (False, True)):
        if isinstance(module, getattr(nn, f"{kind.value}{'Cell' * cell}")):
            return kind, cell
    return None
