"""The recurrent layers of a state dict, recognised by the names and shapes of its tensors."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from rnnshape.errors import RequestError, quoted, written
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.facts import Dims
from rnnshape.layer.inference import Inference, infer
from rnnshape.layer.module_attributes import ModuleAttributes
from rnnshape.layer.recognition import Evidence, Recognised, Recognition, Unrecognised
from rnnshape.layer.stored_weights import StoredLayer, StoredWeight, stored_layers
from rnnshape.layer.weight_names import MOST_NAMED, listed

_UNSTORED: Final = {
    "batch_first": "not stored in a checkpoint: see the code that made it",
    "dropout": "not stored in a checkpoint; no effect in eval()",
    "nonlinearity": "not stored in a checkpoint: tanh and relu have the same weights",
}
_OF_SIZES: Final = ("input_size", "hidden_size", "bias")
_OF_STACK: Final = ("num_layers", "bidirectional")
_CELL_OF_QUANTIZABLE: Final = re.compile(r"(?:\A|\.)layers\.[0-9]+\.layer_[fb]w\.cell\Z")


def recognise(
    shapes: Mapping[str, Dims], attributes: Mapping[str, Mapping[str, Any]] | None = None
) -> Recognition:
    """Every recurrent layer and cell of one state dict, in the order of its tensors.

    `shapes` has its tensors by their full names, `encoder.lstm.weight_ih_l0`. Tensors inside a
    packed weight have its name and any numbers, `lstm._all_weight_values.0.param.1`, in the order
    in which PyTorch packs them. `attributes` has what a pickled module or a TorchScript archive
    says about its modules, by their names: the attributes of nn.LSTM, and its class as "class". A
    layer whose weights and attributes contradict each other is not recognised.
    """
    described = {name: ModuleAttributes(values=v) for name, v in (attributes or {}).items()}
    layers = stored_layers(shapes)
    names = sorted(shapes) if layers else []
    found = [_recognised(layer, described.get(layer.name), names) for layer in layers]
    found += _without_weights(described, {layer.name for layer in layers})
    return Recognition(
        layers=tuple(each for each in found if isinstance(each, Recognised)),
        failures=tuple(each for each in found if isinstance(each, Unrecognised)),
    )


def shapes_of(mapping: Mapping[Any, Any]) -> dict[str, Dims]:
    """The shapes of what has one in a mapping from names, as `recognise` takes them.

    Tuples and PyTorch's packed weights are opened.
    """
    shapes: dict[str, Dims] = {}
    for name, value in mapping.items():
        if isinstance(name, str):
            shapes.update(_opened(name, value))
    return shapes


def _opened(name: str, value: Any) -> Iterator[tuple[str, Dims]]:
    if type(value).__name__ == "ScriptObject" and type(value).__module__.startswith("torch"):
        value = value.__getstate__()
    if isinstance(value, (tuple, list)) and not hasattr(value, "shape"):
        for number, member in enumerate(value):
            yield from _opened(f"{name}.{number}", member)
        return
    try:
        shape = tuple(map(int, value.shape))
    except Exception:  # noqa: BLE001 - it may be anything, such as a parameter without a shape yet
        return
    yield name, shape


def _recognised(
    layer: StoredLayer, module: ModuleAttributes | None, names: Sequence[str]
) -> Recognised | Unrecognised:
    read = [_read(assigned, module) for assigned in layer.assignments()]
    certain = [each for each in read if isinstance(each, Recognised)]
    if len(certain) > 1:
        return Unrecognised(
            name=layer.name,
            problem="its two packed weights may be two layers or the two directions of one:"
            " their shapes are the same",
        )
    if not certain:
        return read[-1] if module and module.told.get("bidirectional") else read[0]
    others = _others(layer, certain[0].config, names)
    return replace(certain[0], departures=(*certain[0].departures, *others))


def _read(layer: StoredLayer, module: ModuleAttributes | None) -> Recognised | Unrecognised:
    """The layer, or the first thing that is wrong with it."""
    weights, problems = layer.weights()
    if problems:
        return Unrecognised(name=layer.name, problem=listed(problems))
    labels = {name: weight.label for name, weight in weights.items()}
    inference = infer(
        {name: weight.shape for name, weight in weights.items()},
        complete=True,
        label=lambda name: labels.get(name) or layer.spelled(name),
    )
    told = module.told if module else {}
    problem = inference.problem or _not_quantizable(layer, inference) or _denied(inference, told)
    if problem:
        return Unrecognised(name=layer.name, problem=problem)
    departures = (*_made(weights), *_own_class(module))
    return _layer(layer, inference, told, departures)


def _layer(
    layer: StoredLayer, inference: Inference, told: Mapping[str, Any], departures: tuple[str, ...]
) -> Recognised:
    config = RNNConfig(**inference.values)
    known = {name: told[name] for name in _beyond_weights(config) if name in told}
    unknown = frozenset(_beyond_weights(config)) - set(known)
    evidence = {each.field: each for each in inference.evidence}
    for name in known:
        evidence[name] = Evidence(field=name, text=f"attribute {name} of the module")
    for name in unknown:
        evidence[name] = Evidence(field=name, text=_why_unknown(name, config))
    return Recognised(
        name=layer.name,
        config=replace(config, **known),
        unknown=unknown,
        evidence=tuple(evidence[f.name] for f in fields(config) if f.name in evidence),
        shapes=layer.shapes,
        departures=departures,
    )


def _beyond_weights(config: RNNConfig) -> list[str]:
    """The fields that weights never show."""
    of_layer = [] if config.cell else ["batch_first", "dropout"]
    return [*of_layer, *(["nonlinearity"] if config.kind is Kind.RNN else [])]


def _why_unknown(name: str, config: RNNConfig) -> str:
    if name == "dropout" and config.num_layers == 1:
        return "not stored in a checkpoint; no effect on one layer"
    return _UNSTORED[name]


def _not_quantizable(layer: StoredLayer, inference: Inference) -> str:
    if layer.spelling != "quantizable" or inference.values["kind"] is Kind.LSTM:
        return ""
    why = next(each.text for each in inference.evidence if each.field == "kind")
    return f"{why}, but only an LSTM, with 4 gates, has these names"


def _denied(inference: Inference, told: Mapping[str, Any]) -> str:
    """The first field for which the attributes of the module contradict its weights."""
    for name, value in inference.values.items():
        if name in told and told[name] != value:
            why = next((f": {e.text}" for e in inference.evidence if e.field == name), "")
            said, shown = (
                v.value if isinstance(v, Kind) else written(v) for v in (told[name], value)
            )
            return f"the module says {name} {said}, its weights {shown}{why}"
    return ""


def _made(weights: Mapping[str, StoredWeight]) -> Iterator[str]:
    """A sentence for each way in which weights are computed from other tensors, or packed."""
    for made in dict.fromkeys(weight.made for weight in weights.values() if weight.made):
        names = [name for name, weight in weights.items() if weight.made == made]
        if len(names) == len(weights):
            yield f"its weights are {made}"
        else:
            yield f"{listed(names)} {'are' if len(names) > 1 else 'is'} {made}"


def _own_class(module: ModuleAttributes | None) -> Iterator[str]:
    if module and module.class_name and not module.is_of_torch:
        yield f"its class is {quoted(module.class_name)}, which may do more than PyTorch's"


def _others(layer: StoredLayer, config: RNNConfig, names: Sequence[str]) -> Iterator[str]:
    """A sentence on the first tensors of the module that are not weights of the layer.

    `names` are those of all tensors in alphabetical order, which puts those of a module together.
    """
    if layer.spelling != "plain":
        return  # observers and scales
    prefix = f"{layer.name}." if layer.name else ""
    others: list[str] = []
    for place in range(bisect_left(names, prefix), len(names)):
        if not names[place].startswith(prefix) or len(others) > MOST_NAMED:
            break
        if names[place] not in layer.shapes:
            others.append(names[place].removeprefix(prefix))
    if others:
        shown = [quoted(name) for name in others[:MOST_NAMED]]
        shown += ["others"] * (len(others) > MOST_NAMED)
        yield f"it also holds {listed(shown, 0)}, which {config.class_name} does not"


def _without_weights(
    described: Mapping[str, ModuleAttributes], found: set[str]
) -> Iterator[Recognised | Unrecognised]:
    """The recurrent modules of which no weights are there."""
    for name, module in described.items():
        inside = _CELL_OF_QUANTIZABLE.search(name)
        if module.told and name not in found and not (inside and name[: inside.start()] in found):
            yield _by_attributes(name, module)


def _by_attributes(name: str, module: ModuleAttributes) -> Recognised | Unrecognised:
    told = module.told
    needed = _OF_SIZES if told["cell"] else (*_OF_SIZES, *_OF_STACK)
    if not module.is_quantized or any(field not in told for field in needed):
        class_name = quoted(module.class_name or told["kind"].value)
        return Unrecognised(name=name, problem=f"its class is {class_name}, but it has no weights")
    values = {field: told[field] for field in needed}
    kind = Evidence(field="kind", text=f"the module is a {quoted(module.class_name)}")
    evidence = (kind, *(Evidence(field=n, text=f"attribute {n} of the module") for n in values))
    try:
        config = RNNConfig(kind=told["kind"], cell=told["cell"], **values)
    except RequestError as error:
        return Unrecognised(name=name, problem=f"its attributes: {error.problem}")
    inference = Inference(values={**vars(config)}, evidence=evidence)
    layer = StoredLayer(name=name, cell=config.cell, spelling="packed")
    return _layer(layer, inference, told, ("its weights are packed and could not be read",))
