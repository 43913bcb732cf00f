"""What the frames of an exception hold: the layer that raised it, and the shapes of tensors."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any, Final

from rnnshape.analysis.explanation.records import Known

_RECURRENT: Final = "torch.nn.modules.rnn"
_FIELDS: Final = (
    *("input_size", "hidden_size", "num_layers", "bias", "batch_first", "bidirectional"),
    *("proj_size", "dropout"),
)
_MOST_TENSORS: Final = 8


def raised_text(error: BaseException) -> str:
    """The traceback of an exception as Python prints it, with those that led to it."""
    return "".join(traceback.format_exception(error))


def known_from(error: BaseException) -> Known:
    """What the frames tell: nothing is called on what they hold but `shape`, and nothing is kept.

    The layer and its input come from the frame inside PyTorch that raised the error, the tensors
    from the last frame of the user's own code.
    """
    layer: dict[str, Any] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    tensors: dict[str, tuple[int, ...]] = {}
    for frame, _ in traceback.walk_tb(error.__traceback__):
        module = frame.f_locals.get("self")
        if not _is_library(frame):
            tensors = dict(list(_shapes(frame.f_locals))[:_MOST_TENSORS])
        elif _is_recurrent(module):
            layer = _fields(module)
            shapes |= _of_layer(frame.f_locals)
    return Known(layer=layer, shapes={**tensors, **shapes}, tensors=tensors)


def _is_library(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__", "")
    return isinstance(name, str) and name.partition(".")[0] == "torch"


def _is_recurrent(module: object) -> bool:
    return any(each.__module__ == _RECURRENT for each in type(module).__mro__)


def _fields(module: Any) -> dict[str, Any]:
    values = vars(module)
    fields = {name: values[name] for name in _FIELDS if name in values}
    name = next(each.__name__ for each in type(module).__mro__ if each.__module__ == _RECURRENT)
    fields["cell"] = name.endswith("Cell")
    kind = name.removesuffix("Cell")
    if kind in ("LSTM", "GRU", "RNN"):
        fields["kind"] = kind
    return fields


def _of_layer(variables: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The input and the states of a layer, in its `forward`."""
    given, states = variables.get("input"), variables.get("hx")
    if (shape := _shape(given)) is not None:
        yield "input", shape
    pair = states if isinstance(states, tuple) else (states,)
    for name, state in zip(("h_0", "c_0"), pair, strict=False):
        if (shape := _shape(state)) is not None:
            yield name, shape


def _shapes(variables: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The tensors among the variables, also those in a tuple of states."""
    for name, value in variables.items():
        if (shape := _shape(value)) is not None:
            yield name, shape
        elif isinstance(value, tuple) and len(value) == 2:
            for place, each in enumerate(value):
                if (shape := _shape(each)) is not None:
                    yield f"{name}[{place}]", shape


def _shape(value: object) -> tuple[int, ...] | None:
    """The shape of a tensor, recognised by its class and without a call to PyTorch."""
    if not any(
        each.__module__ == "torch" and each.__name__ == "Tensor" for each in type(value).__mro__
    ):
        return None
    shape = getattr(value, "shape", None)
    return tuple(shape) if isinstance(shape, tuple) else None
