"""Layers that are no longer modules of torch.nn: in TorchScript, or made by quantization.

They are recognised as those of a file are, by the names and shapes of their tensors and by what
attributes they have left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from torch import Tensor, nn
from torch.jit import ScriptModule

from rnnshape.errors import RequestError
from rnnshape.layer.recognition import Evidence, Recognised
from rnnshape.layer.settings import DType, Settings
from rnnshape.layer.state_dict import recognise, shapes_of

_ATTRIBUTES: Final = (
    *("mode", "nonlinearity", "input_size", "hidden_size", "num_layers", "bias", "batch_first"),
    *("dropout", "bidirectional", "proj_size"),
)
_OF_QUANTIZATION: Final = ("torch.ao.nn.quantiz", "torch.nn.quantiz")
_RECURRENT_CODE: Final = ("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu")
_NOT_STORED: Final = "not stored in a checkpoint"


def is_converted(module: nn.Module) -> bool:
    """Whether a module is TorchScript, or one of quantization's recurrent modules."""
    return isinstance(module, ScriptModule) or _quantized_class(module) is not None


def converted_layers(
    module: nn.Module,
) -> Iterator[tuple[str, RequestError | tuple[Recognised, Settings]]]:
    """The recurrent layers in a converted module, each with its device and dtype, by name.

    A layer that is not recognised has the RequestError that says why.
    """
    state = module.state_dict()
    attributes = {name: _attributes(inner) for name, inner in module.named_modules()}
    found = recognise(shapes_of(state), attributes)
    for layer in found.layers:
        yield layer.name, (_of_module(layer), _settings(layer, state))
    for failure in found.failures:
        hint = "inspect the model before torch.jit or quantization changed it"
        yield failure.name, RequestError("{}", failure.problem, hint=hint)


def runs_recurrence(module: nn.Module) -> bool:
    """Whether TorchScript code, such as that of torch.jit.freeze, has a recurrence without a layer.

    Its weights are then constants of the code.
    """
    if not isinstance(module, ScriptModule):
        return False
    try:
        code = str(module.inlined_graph)
    except RuntimeError:  # it has no forward
        return False
    return any(each in code for each in _RECURRENT_CODE)


def _attributes(module: nn.Module) -> dict[str, Any]:
    values = {name: getattr(module, name) for name in _ATTRIBUTES if hasattr(module, name)}
    return {**values, "class": _class_name(module)}


def _class_name(module: nn.Module) -> str:
    if isinstance(module, ScriptModule):
        return str(module._c._type().qualified_name())  # noqa: SLF001 - nothing else has it
    known = _quantized_class(module) or type(module)
    return f"{known.__module__}.{known.__qualname__}"


def _quantized_class(module: nn.Module) -> type | None:
    """The class of quantization that a module is, or derives from, if it is recurrent."""
    for base in type(module).__mro__:
        if base.__module__.startswith(_OF_QUANTIZATION) and base.__module__.endswith(".rnn"):
            return base
    return None


def _of_module(layer: Recognised) -> Recognised:
    """The layer with evidence in the words for a model, in which nothing is a checkpoint."""
    evidence = tuple(
        Evidence(field=each.field, text=each.text.replace(_NOT_STORED, "not kept by torch.jit"))
        for each in layer.evidence
    )
    return replace(layer, evidence=evidence)


def _settings(layer: Recognised, state: Mapping[str, Any]) -> Settings:
    """The device and dtype of most of the layer's tensors, as far as a layer can have them."""
    known = {each.value for each in DType}
    tensors = [state[name] for name in layer.shapes if isinstance(state.get(name), Tensor)]
    places = Counter((str(t.device), str(t.dtype).removeprefix("torch.")) for t in tensors)
    for (device, dtype), _ in places.most_common():
        if dtype in known:
            return Settings(device=device, dtype=DType(dtype))
    return Settings()
