"""Recurrent layers that exist already: found in a model, and read as what they were built with.

Nothing of the model runs, not even a method of nn.Module that it may override: what nn.Module
holds is walked, and attributes are read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice, product
from operator import index
from typing import Any, Final

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from rnnshape.dims import written_shape
from rnnshape.errors import RequestError, written
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.held import Held, HeldTensor, plain_tensors
from rnnshape.layer.settings import Settings, dtype_named
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.modes import undisturbed

# What torch.nn calls the weights of layers and cells.
_WEIGHT: Final = re.compile(r"(weight_(ih|hh|hr)|bias_(ih|hh))(_l[0-9]+(_reverse)?)?", re.ASCII)
_MOST_NAMED: Final = 3


def recurrent_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Every nn.LSTM, nn.GRU, nn.RNN and cell in a model by its name there, each once.

    A model that is such a layer itself has the name "". Modules whose `__init__` did not call
    nn.Module's are among them: nothing tells what they were meant to be.
    """
    return {
        name: module
        for name, module in _modules(model)
        if _kind(module) is not None or not _is_set_up(module)
    }


def existing(layer: nn.Module) -> Subject:
    """The layer that a module is, on the device and in the dtype of its weights.

    Raises RequestError for a module that is not a recurrent layer, whose attributes have values
    that PyTorch never sets, or whose weights do not have the sizes that these say: a report would
    not be true of it.
    """
    return undisturbed(partial(_existing, layer))


def _existing(layer: nn.Module) -> Subject:
    if not _is_set_up(layer):
        raise RequestError(
            f"{type(layer).__name__} has no modules: the __init__ of nn.Module did not run",
            hint="its own __init__ calls super().__init__() first",
        )
    arguments = _arguments(layer)
    tensors = tuple(_tensors(layer))
    config = RNNConfig(**arguments)
    _require_whole(layer, config)
    subject = Subject(config=config, settings=_settings(tensors))
    plain = plain_tensors(subject.weights, subject.settings)
    return subject if set(tensors) == set(plain) else replace(subject, held=Held(tensors=tensors))


def _arguments(layer: nn.Module) -> dict[str, Any]:
    """The arguments of RNNConfig, read from the attributes that PyTorch's constructor sets."""
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
    return {"kind": kind, "cell": cell, **arguments}


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

    Parameters of other names are allowed: a subclass may have its own, and a pruned weight or one
    with a norm is computed from parameters that have other names.
    """
    differing = [*islice(_differences(layer, config), _MOST_NAMED)]
    if differing:
        raise RequestError(
            f"this {type(layer).__name__} is not the {config.constructor} that its attributes"
            f" say: {'; '.join(differing)}",
            hint=f"restore it, or inspect what they say: rnnshape.inspect({config.constructor})",
        )


def _differences(layer: nn.Module, config: RNNConfig) -> Iterator[str]:
    expected = Subject(config=config).weights
    held = vars(layer)
    parameters, parametrizations = held["_parameters"], held["_modules"].get("parametrizations")
    computed = () if parametrizations is None else vars(parametrizations)["_modules"]
    for weight in expected:
        if weight.name in computed:
            continue  # by a parametrization, which may not change the shape
        places = (parameters, held["_buffers"], held)
        tensors = (place[weight.name] for place in places if weight.name in place)
        shape = next((tuple(each.shape) for each in tensors if isinstance(each, Tensor)), None)
        if shape is None:
            yield f"{weight.name} is missing"
        elif shape != weight.shape:
            yield f"{weight.name} is {written_shape(shape)}, not {written_shape(weight.shape)}"
    for name, parameter in parameters.items():
        if parameter is not None and _WEIGHT.fullmatch(name) and name not in expected:
            yield f"{name} is one too many"


def _tensors(layer: nn.Module) -> Iterator[HeldTensor]:
    """The parameters of a layer and its modules, and its buffers that are named as weights are.

    Each is told once, by its first name. Raises RequestError for one that has no shape yet.
    """
    seen: set[int] = set()
    for prefix, module in _modules(layer):
        parameters, buffers = vars(module)["_parameters"], vars(module)["_buffers"]
        weights = {} if prefix else {n: b for n, b in buffers.items() if _WEIGHT.fullmatch(n)}
        for key, tensor in (*parameters.items(), *weights.items()):
            if tensor is None or id(tensor) in seen:
                continue
            seen.add(id(tensor))
            name = f"{prefix}.{key}" if prefix else key
            if is_lazy(tensor):
                raise RequestError(
                    f"{name} of this {type(layer).__name__} is not initialized and has no shape",
                    hint="run the model once on an input, which initializes lazy modules",
                )
            yield HeldTensor(
                name=name,
                shape=tuple(tensor.shape),
                device=str(tensor.device),
                dtype=str(tensor.dtype).removeprefix("torch."),
                itemsize=tensor.itemsize,
                is_parameter=key in parameters,
            )


def _settings(tensors: Iterable[HeldTensor]) -> Settings:
    """Where most of the tensors are, and in what type."""
    places = Counter((each.device, each.dtype) for each in tensors)
    if not places:
        return Settings()
    ((device, dtype), _), *_ = places.most_common(1)
    return Settings(device=device, dtype=dtype_named(dtype))


def _modules(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """What nn.Module.named_modules gives, which would call the method of each module in it."""
    seen: set[int] = set()
    left = [("", model)]
    while left:
        name, module = left.pop()
        if id(module) not in seen:
            seen.add(id(module))
            yield name, module
            children = vars(module).get("_modules", {})
            left += [
                (f"{name}.{key}" if name else key, child)
                for key, child in reversed(children.items())
                if child is not None
            ]


def _is_set_up(module: nn.Module) -> bool:
    """Whether the __init__ of nn.Module ran, after which a module can hold something."""
    return "_modules" in vars(module)


def _kind(module: nn.Module) -> tuple[Kind, bool] | None:
    """Which layer a module is, and whether it is the cell; a subclass is what it derives from."""
    for kind, cell in product(Kind, (False, True)):
        if isinstance(module, getattr(nn, f"{kind.value}{'Cell' * cell}")):
            return kind, cell
    if isinstance(module, nn.RNNBase):
        name = str(vars(module).get("mode")).partition("_")[0]
        return next(((kind, False) for kind in Kind if kind.value == name), None)
    return None
