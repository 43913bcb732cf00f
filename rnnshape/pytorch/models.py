"""The recurrent layers of a whole model, and what its forward pass gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.jit import ScriptModule
from torch.nn.parameter import is_lazy

from rnnshape.errors import RequestError
from rnnshape.layer.found import Found
from rnnshape.layer.recognition import Evidence, Recognised
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.converted import is_converted
from rnnshape.pytorch.existing import MODEL, layers_in, named_modules
from rnnshape.pytorch.importing import model_at
from rnnshape.pytorch.lookalikes import lookalikes, unregistered
from rnnshape.pytorch.modes import undisturbed
from rnnshape.pytorch.request import GivenTensor, ImportPath
from rnnshape.pytorch.tracing import initialized, made, traced


@dataclass(frozen=True, kw_only=True)
class Model:
    """What is known of a model."""

    layers: Mapping[str, Subject]  # by their names in it
    unread: Mapping[str, RequestError]
    tensors: int  # parameters and buffers
    # Of the whole model; None where some of them have no shape yet, or are packed.
    parameters: int | None
    passed_over: tuple[str, ...]  # sentences on what looks recurrent but is not a layer


def model_of(path: ImportPath, given: Sequence[GivenTensor] = ()) -> Model:
    """The model that the user's own code makes; where tensors are given, it runs once with them.

    Without, it is built on the meta device where that works, which allocates nothing. Raises
    RequestError where the code fails.
    """
    with model_at(path, meta=not given) as model:
        inputs = made(given, model) if given else None
        read = read_model(model, inputs, name=path.call)
    layers = {name: _as_built(layer) for name, layer in read.layers.items()}
    return replace(read, layers=layers)


def _as_built(layer: Subject) -> Subject:
    """The layer on the device on which the user's code would have it, as far as that is known."""
    settings = layer.settings
    if settings.device == "meta":
        settings = replace(settings, device="cpu")
    found = layer.found and replace(layer.found, code_ran=True)
    return replace(layer, settings=settings, found=found)


def read_model(
    model: nn.Module, inputs: Sequence[Any] | None = None, *, name: str | None = None
) -> Model:
    """What a model holds; where there are `inputs`, the arguments of forward, it runs with them.

    The model is left as it was. Raises RequestError where it fails.
    """
    return undisturbed(partial(_read_model, model, inputs, name or type(model).__name__))


def _read_model(model: nn.Module, inputs: Sequence[Any] | None, name: str) -> Model:
    if inputs is not None and any(map(is_lazy, _parameters(model))):
        model = initialized(model, inputs)
    found = layers_in(model)
    read = {n: (module, each) for n, (module, each) in found.items() if isinstance(each, Subject)}
    seen = {n: (module, each.config) for n, (module, each) in read.items() if _is_seen(module)}
    calls = traced(model, seen, inputs) if inputs is not None else {}
    layers = {
        n: replace(each, name=n, found=replace(_found(n, module, each, name), calls=calls.get(n)))
        for n, (module, each) in read.items()
    }
    unread = {n: each for n, (_, each) in found.items() if isinstance(each, RequestError)}
    parameters = list(_parameters(model))
    counted = not any(map(is_lazy, parameters)) and not any(
        is_converted(module) and not isinstance(module, ScriptModule)
        for _, module in named_modules(model)
    )
    unseen = [n for n, (module, _) in read.items() if inputs is not None and not _is_seen(module)]
    return Model(
        layers=layers,
        unread=unread,
        tensors=len(parameters) + sum(1 for _ in _buffers(model)),
        parameters=sum(each.numel() for each in parameters) if counted else None,
        passed_over=(
            *lookalikes(model, found),
            *unregistered(model),
            *(f"calls of {n} cannot be seen: it is TorchScript" for n in unseen),
        ),
    )


def _is_seen(module: nn.Module) -> bool:
    """Whether a module takes hooks."""
    return not isinstance(module, ScriptModule)


def _found(name: str, module: nn.Module, layer: Subject, holder: str) -> Found:
    if layer.found is not None:
        recognised = replace(layer.found.recognised, name=name)
        return replace(layer.found, holder=holder, recognised=recognised)
    of = f"of the {type(module).__name__}"
    config = layer.config
    of_cell = {"kind", "input_size", "hidden_size", "bias", "nonlinearity"}
    own = of_cell if config.cell else {row.name for row in fields(config)} - {"cell"}
    evidence = tuple(
        Evidence(field=row.name, text=f"attribute {row.name} {of}")
        if row.name not in ("kind", "cell")
        else Evidence(field=row.name, text=f"its class, {type(module).__name__}")
        for row in fields(config)
        if row.name in own and getattr(config, row.name) is not None
    )
    shapes = {weight.name: weight.shape for weight in layer.weights}
    recognised = Recognised(name=name, config=layer.config, evidence=evidence, shapes=shapes)
    return Found(holder=holder, format=MODEL, recognised=recognised, from_file=False)


def _parameters(model: nn.Module) -> Iterator[Tensor]:
    """Each parameter of the model once."""
    return _each_once(model, "_parameters")


def _buffers(model: nn.Module) -> Iterator[Tensor]:
    return _each_once(model, "_buffers")


def _each_once(model: nn.Module, kind: str) -> Iterator[Tensor]:
    seen: set[int] = set()
    for _, module in named_modules(model):
        if isinstance(module, ScriptModule):
            tensors = dict(getattr(module, f"named{kind}")(recurse=False))
        else:
            tensors = vars(module).get(kind, {})
        for tensor in tensors.values():
            if tensor is not None and id(tensor) not in seen:
                seen.add(id(tensor))
                yield tensor
