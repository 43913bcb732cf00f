"""Existing modules: the recurrent layers of a model, and the arguments each was built with.

No code of the model runs, not even a method of nn.Module that it may override: only attributes
are read, but for those of TorchScript and of quantized modules, which are PyTorch's own code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice, product
from operator import index
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.jit import ScriptModule
from torch.nn.parameter import is_lazy

from rnnshape.dims import written_shape
from rnnshape.errors import RequestError, written
from rnnshape.fields import FIELDS
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.found import Found
from rnnshape.layer.held import Held, HeldTensor
from rnnshape.layer.recognition import Recognised
from rnnshape.layer.settings import Settings, dtype_named
from rnnshape.layer.subject import ALL_FIELDS, Subject
from rnnshape.pytorch.converted import converted_layers, is_converted
from rnnshape.pytorch.modes import undisturbed

# What torch.nn calls the weights of layers and cells.
_WEIGHT: Final = re.compile(r"(weight_(ih|hh|hr)|bias_(ih|hh))(_l[0-9]+(_reverse)?)?", re.ASCII)
_MOST_NAMED: Final = 3
MODEL: Final = "model"  # what holds the layers, as `Found` has it


def layers_in(model: nn.Module) -> dict[str, tuple[nn.Module, Subject | RequestError]]:
    """Every recurrent layer in a model, each once, by its name there, with its module.

    The name of the model itself is "". A layer that cannot be read has the RequestError that says
    why; so have modules whose `__init__` did not call nn.Module's, since nothing shows what they
    were meant to be. The module of a layer in TorchScript is the one that was compiled as a whole.
    """
    return undisturbed(partial(lambda: dict(_layers_in(model))))


def existing(layer: nn.Module) -> Subject:
    """The layer that a module is, on the device and in the dtype of most of its weights.

    Raises RequestError for a module that is not a recurrent layer, that has an attribute with a
    value PyTorch never sets or a parameter that is sparse or has no shape, or whose weights
    contradict its sizes.
    """
    return undisturbed(partial(_existing, layer))


def _layers_in(
    model: nn.Module,
) -> Iterator[tuple[str, tuple[nn.Module, Subject | RequestError]]]:
    inside = None  # the name of the converted module whose children these are
    for name, module in named_modules(model):
        if inside is not None and (not inside or name.startswith(f"{inside}.")):
            continue
        inside = None
        if is_converted(module):
            inside = name
            for inner, read in _converted(module).items():
                yield ".".join(filter(None, (name, inner))), (module, read)
        elif _recognized(module) is not None or not _is_set_up(module):
            yield name, (module, _read(module))


def _read(layer: nn.Module) -> Subject | RequestError:
    try:
        return _existing(layer)
    except RequestError as error:
        return error


def _converted(module: nn.Module) -> dict[str, Subject | RequestError]:
    return {
        name: read if isinstance(read, RequestError) else _subject_of(*read)
        for name, read in converted_layers(module)
    }


def _subject_of(layer: Recognised, settings: Settings) -> Subject:
    return Subject(
        config=layer.config,
        settings=settings,
        given=ALL_FIELDS - layer.unknown,
        unknown=layer.unknown,
        found=Found(holder="", format=MODEL, recognised=layer, from_file=False),
    )


def _existing(layer: nn.Module) -> Subject:
    if is_converted(layer):
        read = _converted(layer).get("")
        if isinstance(read, RequestError):
            raise read
        if read is not None:
            return read
    if not _is_set_up(layer):
        raise RequestError(
            f"{type(layer).__name__} has no modules: the __init__ of nn.Module did not run",
            hint="call super().__init__() first in its __init__",
        )
    arguments = _arguments(layer)
    held = _held_by(layer)
    config = RNNConfig(**arguments)
    _require_whole(layer, config)
    place = held.typical
    settings = (
        Settings(device=place.device, dtype=dtype_named(place.dtype)) if place else Settings()
    )
    subject = Subject(config=config, settings=settings)
    plain = {weight.name for weight in subject.weights}
    is_plain = {each.name for each in held.parameters} == plain and not held.elsewhere
    return subject if is_plain else replace(subject, held=held)


def _arguments(layer: nn.Module) -> dict[str, Any]:
    """The arguments of RNNConfig, read from the attributes that PyTorch's constructor sets."""
    found = _recognized(layer)
    if found is None:
        raise RequestError(
            f"{type(layer).__name__} is not a recurrent layer of torch.nn",
            hint="rnnshape.inspect_model finds those in a model"
            if layers_in(layer)
            else "rnnshape.inspect(nn.LSTM(20, 40))",
        )
    kind, cell = found
    names = _ARGUMENTS_OF_CELLS if cell else (*_ARGUMENTS_OF_CELLS, *_ARGUMENTS_OF_LAYERS)
    arguments = {name: _attribute(layer, name, type(FIELDS[name].default)) for name in names}
    if kind is Kind.RNN:
        mode = _attribute(layer, "nonlinearity" if cell else "mode", str)
        arguments["nonlinearity"] = mode.removeprefix("RNN_").lower()
    return {"kind": kind, "cell": cell, **arguments}


_ARGUMENTS_OF_CELLS: Final = ("input_size", "hidden_size", "bias")
_ARGUMENTS_OF_LAYERS: Final = ("num_layers", "batch_first", "dropout", "bidirectional", "proj_size")


def _attribute(layer: nn.Module, name: str, kind: type) -> Any:
    """An attribute that the constructor sets, as PyTorch reads it."""
    shown = "missing"
    try:
        value = getattr(layer, name)
        shown = written(value)
        return index(value) if kind is int else kind(value)
    except Exception as error:  # a subclass may hold anything there, and raise anything
        raise RequestError(
            f"{name} of this {type(layer).__name__} is {shown}, not {_WANTED[kind]}",
            hint=f"leave {name} as the constructor of torch.nn sets it",
        ) from error


_WANTED: Final = {int: "a whole number", bool: "True or False", float: "a number", str: "a name"}


def _require_whole(layer: nn.Module, config: RNNConfig) -> None:
    """Raise RequestError unless a layer has the weights that its sizes call for.

    Parameters of other names are allowed: a subclass may have its own, and a weight that is pruned
    or normalized is computed from parameters with other names.
    """
    differing = [*islice(_differences(layer, config), _MOST_NAMED)]
    if differing:
        raise RequestError(
            f"this {type(layer).__name__} is not the {config.constructor} that its attributes"
            f" describe: {'; '.join(differing)}",
            hint="restore it, or inspect the layer that they describe:"
            f" rnnshape.inspect({config.constructor})",
        )


def _differences(layer: nn.Module, config: RNNConfig) -> Iterator[str]:
    expected = Subject(config=config).weights
    held = vars(layer)
    parameters, parametrizations = held["_parameters"], held["_modules"].get("parametrizations")
    computed = () if parametrizations is None else vars(parametrizations)["_modules"]
    for weight in expected:
        if weight.name in computed:
            continue  # a parametrization may not change the shape
        places = (parameters, held["_buffers"], held)
        tensors = (place[weight.name] for place in places if weight.name in place)
        shape = next((tuple(each.shape) for each in tensors if isinstance(each, Tensor)), None)
        if shape is None:
            yield f"{weight.name} is missing"
        elif shape != weight.shape:
            yield f"{weight.name} is {written_shape(shape)}, not {written_shape(weight.shape)}"
    for name, parameter in parameters.items():
        if parameter is not None and _WEIGHT.fullmatch(name) and name not in expected:
            yield f"{name} is extra"


def _held_by(layer: nn.Module) -> Held:
    """The parameters of a layer and its modules, and its own buffers with the name of a weight.

    Raises RequestError for one that has no shape yet, or is sparse.
    """
    buffers = vars(layer)["_buffers"].items()
    parameters = (
        (f"{prefix}.{key}" if prefix else key, parameter)
        for prefix, module in named_modules(layer)
        for key, parameter in vars(module).get("_parameters", {}).items()
    )
    return Held(
        parameters=_each_once(layer, parameters),
        buffers=_each_once(layer, ((n, b) for n, b in buffers if _WEIGHT.fullmatch(n))),
    )


def _each_once(
    layer: nn.Module, tensors: Iterable[tuple[str, Tensor | None]]
) -> tuple[HeldTensor, ...]:
    """Each tensor once, under its first name; a tensor that is None is left out."""
    held: dict[int, HeldTensor] = {}
    for name, tensor in tensors:
        if tensor is None or id(tensor) in held:
            continue
        if is_lazy(tensor):
            raise RequestError(
                f"{name} of this {type(layer).__name__} is not initialized and has no shape",
                hint="run the model once on an input, which initializes lazy modules",
            )
        if tensor.layout is not torch.strided:
            raise RequestError(
                f"{name} of this {type(layer).__name__} is not a dense tensor",
                hint="inspect the model before its weights are made sparse",
            )
        held[id(tensor)] = HeldTensor(
            name=name,
            shape=tuple(tensor.shape),
            device=str(tensor.device),
            dtype=str(tensor.dtype).removeprefix("torch."),
            nbytes=tensor.nbytes,
        )
    return tuple(held.values())


def named_modules(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """What nn.Module.named_modules yields, without calling that method, which may be overridden."""
    seen: set[int] = set()
    left = [("", model)]
    while left:
        name, module = left.pop()
        if id(module) not in seen:
            seen.add(id(module))
            yield name, module
            children = _children(module)
            left += [
                (f"{name}.{key}" if name else key, child)
                for key, child in reversed(children.items())
                if child is not None
            ]


def _children(module: nn.Module) -> dict[str, nn.Module | None]:
    """The modules in a module by name; those of TorchScript are not among its attributes."""
    if isinstance(module, ScriptModule):
        return dict(module._modules.items())  # noqa: SLF001 - named_modules, as all read it
    children: dict[str, nn.Module | None] = vars(module).get("_modules", {})
    return children


def _is_set_up(module: nn.Module) -> bool:
    """Whether the __init__ of nn.Module ran."""
    return "_modules" in vars(module) or isinstance(module, ScriptModule)


def _recognized(module: nn.Module) -> tuple[Kind, bool] | None:
    """Which layer a module is, and whether it is a cell; a subclass counts as its base."""
    for kind, cell in product(Kind, (False, True)):
        if isinstance(module, getattr(nn, f"{kind.value}{'Cell' * cell}")):
            return kind, cell
    if isinstance(module, nn.RNNBase):
        name = str(vars(module).get("mode")).partition("_")[0]
        return next(((kind, False) for kind in Kind if kind.value == name), None)
    return None
