"""Recurrent layers that exist already: found in a model, and read as what they were built with.

Nothing of the model runs, not even a method of nn.Module that it may override: what nn.Module
holds is walked, and attributes are read. See `modules` for when torch is imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice, product
from operator import index
from typing import Any, Final

from torch import Tensor, nn

from rnnshape.dims import written_shape
from rnnshape.errors import RequestError, written
from rnnshape.layer.config import InputSpec, Kind, RNNConfig, Settings, dtype_named
from rnnshape.layer.formulas import plain_sizes, weights

# What torch.nn calls the weights of layers and cells.
_WEIGHT: Final = re.compile(r"(weight_(ih|hh|hr)|bias_(ih|hh))(_l[0-9]+(_reverse)?)?", re.ASCII)
_MOST_NAMED: Final = 3


def recurrent_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Every nn.LSTM, nn.GRU, nn.RNN and cell in a model by its name there, each once.

    A model that is such a layer itself has the name "".
    """
    return {name: module for name, module in _modules(model) if _kind(module) is not None}


def config_of(layer: nn.Module) -> RNNConfig:
    """What a layer was built with.

    Raises RequestError for a module that is none, whose attributes are none that PyTorch sets, or
    whose weights are not those of its sizes: what is said of the layer would not be true of it.
    """
    found = _kind(layer)
    if found is None:
        raise RequestError(
            f"{type(layer).__name__} is no recurrent layer of torch.nn",
            hint="rnnshape.inspect_model finds those in a model",
        )
    kind, cell = found
    read: dict[str, Callable[[Any], Any]] = {
        "input_size": index,
        "hidden_size": index,
        "bias": bool,
    }
    if not cell:
        read |= {
            "num_layers": index,
            "batch_first": bool,
            "dropout": float,
            "bidirectional": bool,
            "proj_size": index,
        }
    if kind is Kind.RNN:
        read["nonlinearity" if cell else "mode"] = str
    arguments = {name: _attribute(layer, name, read_as) for name, read_as in read.items()}
    if "mode" in arguments:
        arguments["nonlinearity"] = arguments.pop("mode").removeprefix("RNN_").lower()
    config = RNNConfig(kind=kind, cell=cell, **arguments)
    _require_whole(layer, config)
    return config


def _attribute(layer: nn.Module, name: str, read_as: Callable[[Any], Any]) -> Any:
    """An attribute that the constructor sets, as PyTorch reads it."""
    given = "missing"
    try:
        value = getattr(layer, name)
        given = ""
        return read_as(value)
    except Exception as error:  # a subclass may hold anything there, and raise anything
        raise RequestError(
            f"{name} of this {type(layer).__name__} is {given or written(value)},"
            f" not {_READ_AS[read_as]}",
            hint=f"leave {name} as the constructor of torch.nn sets it",
        ) from error


_READ_AS: Final[Mapping[Callable[[Any], Any], str]] = {
    index: "a whole number",
    bool: "True or False",
    float: "a number",
    str: "a name",
}


def _require_whole(layer: nn.Module, config: RNNConfig) -> None:
    """Raise RequestError unless a layer has the weights of its sizes, in their shapes.

    Parameters of other names are allowed, and not counted: a subclass may have its own, and a
    pruned weight or one with a norm is computed from parameters that are called otherwise.
    """
    differing = [*islice(_differences(layer, config), _MOST_NAMED)]
    if differing:
        raise RequestError(
            f"this {type(layer).__name__} is not the {config.constructor} that its attributes"
            f" say: {'; '.join(differing)}",
            hint=f"restore it, or inspect what they say: rnnshape.inspect({config.constructor})",
        )


def _differences(layer: nn.Module, config: RNNConfig) -> Iterator[str]:
    expected = weights(config, plain_sizes(config, InputSpec()))
    held = vars(layer)  # without what nn.Module puts there if a subclass does not call it
    parameters = held.get("_parameters", {})
    parametrizations = held.get("_modules", {}).get("parametrizations")
    computed = () if parametrizations is None else vars(parametrizations)["_modules"]
    for weight in expected:
        if weight.name in computed:
            continue  # by a parametrization, which may not change the shape
        places = (parameters, held.get("_buffers", {}), held)
        tensors = (place[weight.name] for place in places if weight.name in place)
        shape = next((tuple(each.shape) for each in tensors if isinstance(each, Tensor)), None)
        if shape is None:
            yield f"{weight.name} is missing"
        elif shape != weight.shape:
            yield f"{weight.name} is {written_shape(shape)}, not {written_shape(weight.shape)}"
    for name, parameter in parameters.items():
        if parameter is not None and _WEIGHT.fullmatch(name) and name not in expected:
            yield f"{name} is one too many"


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
            children = _children(module)
            left += [(f"{name}.{key}" if name else key, child) for key, child in children[::-1]]


def _children(module: nn.Module) -> list[tuple[str, nn.Module]]:
    try:
        return [*nn.Module.named_children(module)]
    except AttributeError as error:
        raise RequestError(
            f"{type(module).__name__} has no modules: the __init__ of nn.Module did not run",
            hint="its own __init__ calls super().__init__() first",
        ) from error


def _kind(module: nn.Module) -> tuple[Kind, bool] | None:
    """Which layer a module is, and whether it is the cell; a subclass is what it derives from."""
    for kind, cell in product(Kind, (False, True)):
        if isinstance(module, getattr(nn, f"{kind.value}{'Cell' * cell}")):
            return kind, cell
    return None
