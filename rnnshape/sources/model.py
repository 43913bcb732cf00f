"""A model as a target, by its import path: `net.py:Tagger(vocab=5000)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from rnnshape.errors import RequestError, quoted
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.request import GivenTensor
from rnnshape.pytorch.run import require_torch
from rnnshape.sources.import_path import looks_like_import_path, names_code, read_import_path
from rnnshape.sources.source import Holder, Source, nothing_at, target_in
from rnnshape.sources.target import Target

_Layer = TypeVar("_Layer")


def looks_like_model(text: str) -> bool:
    """Whether a target has the form of an import path, and is not a layer of a file of weights."""
    if not looks_like_import_path(text):
        return False
    from rnnshape.sources.weights_file import looks_like_file  # only few targets come this far

    return names_code(text) or not looks_like_file(text)


def read_model(text: str, given: Sequence[GivenTensor] = ()) -> Source:
    """The recurrent layers of the model that the user's own code makes, or the one picked.

    Where tensors are given, the model runs once with them. Raises RequestError where the user's
    code fails, or the model has no such layer.
    """
    path, picked = read_import_path(text)
    require_torch()
    from rnnshape.pytorch.models import model_of

    model = model_of(path, given)
    if not model.layers and not model.unread:
        raise _without_layers(path.call, model.passed_over)
    holder = Holder(
        name=path.call,
        format="model",
        tensors=model.tensors,
        parameters=model.parameters,
        passed_over=model.passed_over,
    )
    names = [*model.layers, *model.unread]
    return Source(
        targets=tuple(
            _target(path.call, layer) for layer in _picked(model.layers, picked, names, path.call)
        ),
        unread={name: model.unread[name] for name in _chosen(model.unread, picked)},
        holder=holder,
    )


def _chosen(layers: Mapping[str, _Layer], picked: str | None) -> list[str]:
    """The names of the layer that is picked, or of those below it."""
    return [n for n in layers if picked in (None, n) or n.startswith(f"{picked}.")]


def _picked(
    layers: Mapping[str, Subject], picked: str | None, names: Sequence[str], model: str
) -> list[Subject]:
    if picked is not None and not any(_chosen(dict.fromkeys(names), picked)):
        raise nothing_at(picked, model, names)
    return [layers[name] for name in _chosen(layers, picked)]


def _target(model: str, layer: Subject) -> Target:
    return replace(
        target_in(model, layer.name, layer.config, layer.unknown),
        device=layer.settings.device,
        dtype=layer.settings.dtype,
        held=layer.held,
        found=layer.found,
    )


def _without_layers(model: str, passed_over: Sequence[str]) -> RequestError:
    hint = "rnnshape reads nn.LSTM, nn.GRU, nn.RNN, their cells and what derives from them"
    if passed_over:
        why = "; ".join(passed_over)
        return RequestError("{} has no recurrent layer of torch.nn: {}", model, why, hint=hint)
    return RequestError("there is no recurrent layer in {}", quoted(model), hint=hint)
