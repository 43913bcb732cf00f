"""A recurrent layer of Keras as the layer that PyTorch has for it, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rnnshape.errors import RequestError, quoted, written
from rnnshape.layer.config import Kind, Nonlinearity, RNNConfig
from rnnshape.layer.recognition import Evidence, Recognised, Unrecognised
from rnnshape.sources.files.keras.records import CellWeights, Described

_ORDERS: Final = {Kind.LSTM: "i f c o", Kind.GRU: "z r h"}
_NOT_STORED: Final = "not stored with the weights"


def translated(layer: Described) -> Recognised | Unrecognised:
    """The layer in PyTorch's terms, or why its config and weights do not make one."""
    problem = _problem(layer)
    if problem:
        return Unrecognised(name=layer.name, problem=problem)
    input_size = layer.weights[0].kernel[0] if layer.weights else layer.input_size
    unknown = {*_unknown(layer), *(() if input_size else ("input_size",))}
    try:
        config = RNNConfig(
            kind=layer.kind,
            cell=layer.cell,
            hidden_size=_units(layer),
            num_layers=layer.num_layers,
            bias=_has_bias(layer),
            batch_first=_is_batch_first(layer),
            bidirectional=layer.bidirectional,
            nonlinearity=_nonlinearity(layer),
            **({"input_size": input_size} if input_size else {}),
        )
    except RequestError as error:
        return Unrecognised(name=layer.name, problem=error.problem)
    return Recognised(
        name=layer.name,
        config=config,
        unknown=frozenset(unknown),
        evidence=tuple(_evidence(layer)),
        shapes={name: shape for cell in layer.weights for name, shape in cell.shapes.items()},
        departures=tuple(_departures(layer)),
    )


def _problem(layer: Described) -> str | None:
    """What is wrong with the sizes, if anything is."""
    units = layer.settings.get("units")
    if layer.settings and (type(units) is not int or units < 1):
        return f"its units is {written(units)}, not a number of 1 or more"
    for number, cell in enumerate(layer.weights):
        if problem := _misfit(layer, number // (2 if layer.bidirectional else 1), cell):
            return problem
    return None


def _misfit(layer: Described, number: int, cell: CellWeights) -> str | None:
    """Why these are not the weights of cell `number` of the layer."""
    units, columns = _units(layer), layer.kind.gates * _units(layer)
    if cell.recurrent != (units, columns):
        told = f"units {units}" if layer.settings else cell.named(0)
        return f"{cell.named(1)} does not fit {told}: it should be ({units}, {columns})"
    features = units if number else layer.input_size or cell.kernel[0]
    if cell.kernel != (features, columns) or not features:
        return f"{cell.named(0)} does not fit {cell.named(1)}: it should be (..., {columns})"
    if cell.bias and cell.bias not in _biases(layer.kind, units):
        return f"{cell.named(2)} is not a bias of {layer.kind.gates} gates of {units} units"
    if layer.settings and _is_on(layer, "use_bias", default=True) != bool(cell.bias):
        return f"use_bias is {not cell.bias}, but there is {'a' if cell.bias else 'no'} bias"
    return None


def _biases(kind: Kind, units: int) -> tuple[tuple[int, ...], ...]:
    """The shapes of one bias, of two side by side (CuDNN) and of two in rows (reset_after)."""
    rows = kind.gates * units
    return {
        Kind.LSTM: ((rows,), (2 * rows,)),
        Kind.GRU: ((rows,), (2 * rows,), (2, rows)),
        Kind.RNN: ((rows,),),
    }[kind]


def _units(layer: Described) -> int:
    units = layer.settings.get("units")
    return units if isinstance(units, int) else layer.weights[0].recurrent[0]


def _is_on(layer: Described, key: str, *, default: bool = False) -> bool:
    value = layer.settings.get(key, default)
    return value if isinstance(value, bool) else default


def _has_bias(layer: Described) -> bool:
    return bool(layer.weights[0].bias) if layer.weights else _is_on(layer, "use_bias", default=True)


def _is_batch_first(layer: Described) -> bool:
    return bool(layer.settings) and not layer.cell and not _is_on(layer, "time_major")


def _is_cudnn(layer: Described) -> bool:
    return layer.class_name.startswith("CuDNN")


def _has_two_biases(layer: Described) -> bool:
    if layer.weights:
        return layer.weights[0].bias not in ((), (layer.kind.gates * _units(layer),))
    return _is_cudnn(layer) or (layer.kind is Kind.GRU and _is_on(layer, "reset_after"))


def _nonlinearity(layer: Described) -> Nonlinearity | None:
    if layer.kind is not Kind.RNN:
        return None
    return "relu" if _activation(layer, "activation", "tanh") == "relu" else "tanh"


def _activation(layer: Described, key: str, default: str) -> str:
    """The name of an activation, which is a text or an object."""
    value: Any = layer.settings.get(key, default)
    if isinstance(value, dict):
        inner = value.get("config")
        value = inner if isinstance(inner, str) else value.get("class_name")
    return value if isinstance(value, str) else "linear" if value is None else written(value)


def _unknown(layer: Described) -> Iterator[str]:
    if layer.settings:
        return
    yield from () if layer.cell else ("batch_first", "dropout")
    if layer.kind is Kind.RNN:
        yield "nonlinearity"


def _evidence(layer: Described) -> Iterator[Evidence]:
    for field, text in _texts(layer):
        yield Evidence(field=field, text=text)


def _texts(layer: Described) -> Iterator[tuple[str, str]]:
    """The evidence by the names of the fields, in their order."""
    yield "kind", _evidence_of_kind(layer)
    first = layer.weights[0] if layer.weights else None
    if first is not None:
        yield "input_size", first.named(0)
    elif layer.input_size:
        yield "input_size", f"the shape of its input, {_written_shape(layer.input_shape)}"
    else:
        yield "input_size", "not stored in the config"
    told = layer.settings.get("units")
    yield "hidden_size", f"units {told}" if first is None or told else first.named(1)
    if layer.num_layers > 1:
        yield "num_layers", f"{layer.num_layers} cells in StackedRNNCells"
    if first is None:
        yield "bias", f"use_bias {_has_bias(layer)}"
    else:
        yield "bias", first.named(2) if first.bias else "there is no bias"
    if not layer.cell:
        yield from _of_sequences(layer)
    if layer.kind is Kind.RNN:
        stored = f"activation {quoted(_activation(layer, 'activation', 'tanh'))}"
        yield "nonlinearity", stored if layer.settings else _NOT_STORED


def _evidence_of_kind(layer: Described) -> str:
    gates = layer.kind.gates
    order = f" {gates} gates, in the order {_ORDERS[layer.kind]}" if gates > 1 else " 1 gate"
    if layer.class_name:
        return f"class_name {layer.class_name}:{order}"
    rows, columns = layer.weights[0].recurrent
    return f"{layer.weights[0].named(1)}: {columns} columns / {rows} rows ={order}"


def _of_sequences(layer: Described) -> Iterator[tuple[str, str]]:
    if layer.settings:
        major = "time_major True" if _is_on(layer, "time_major") else ""
        yield "batch_first", major or "Keras reads (batch, step, feature)"
        yield "dropout", "Keras has none between layers"
    else:
        yield "batch_first", f"{_NOT_STORED}; True unless Keras 2 had time_major=True"
        yield "dropout", _NOT_STORED
    if layer.bidirectional:
        yield "bidirectional", "Bidirectional" if layer.class_name else "forward and backward"


def _written_shape(shape: tuple[Any, ...]) -> str:
    return quoted(f"({', '.join('?' if n is None else str(n) for n in shape)})")


def _departures(layer: Described) -> Iterator[str]:
    """Sentences about what it does otherwise than PyTorch's layer."""
    yield from _of_biases(layer)
    yield from _of_activations(layer)
    if _is_on(layer, "go_backwards") and not layer.bidirectional:
        yield "go_backwards=True: it reads the last step first; flip the steps in PyTorch"
    if layer.bidirectional:
        yield from _of_directions(layer)
    if layer.settings and not layer.cell and not _is_on(layer, "return_sequences"):
        yield "return_sequences=False: it returns the last output alone"
    if _is_on(layer, "stateful"):
        yield "stateful=True: it starts from the last states; pass them as h_0 in PyTorch"
    for key, what in (("dropout", "its input"), ("recurrent_dropout", "its state")):
        rate = layer.settings.get(key)
        if isinstance(rate, (int, float)) and rate > 0:
            yield f"{key}={written(rate)}: it drops features of {what} while training"


def _of_biases(layer: Described) -> Iterator[str]:
    reset_after = _has_two_biases(layer) if _has_bias(layer) else _is_on(layer, "reset_after")
    if layer.kind is Kind.GRU and not layer.settings and not _has_bias(layer):
        yield f"reset_after is {_NOT_STORED}: PyTorch's layer is the one with reset_after=True"
    elif layer.kind is Kind.GRU and not reset_after:
        yield (
            "reset_after=False: r is multiplied with h before the product with recurrent_kernel,"
            " and in PyTorch after it, so no weights make both equal"
        )
    if _has_bias(layer) and not _has_two_biases(layer):
        yield "it has one bias: in PyTorch that is bias_ih, and bias_hh is zero"


def _of_activations(layer: Described) -> Iterator[str]:
    if layer.kind is Kind.RNN:
        fixed: dict[str, tuple[str, ...]] = {"activation": ("tanh", "relu")}
    else:
        fixed = {"activation": ("tanh",), "recurrent_activation": ("sigmoid",)}
    for key, same in fixed.items():
        name = _activation(layer, key, same[0])
        if name not in same:
            yield f"{key}={quoted(repr(name))}: PyTorch's layer has {' or '.join(same)}"


def _of_directions(layer: Described) -> Iterator[str]:
    if not layer.class_name:
        yield f"merge_mode is {_NOT_STORED}: PyTorch concatenates the directions"
    elif layer.merge_mode != "concat":
        mode = written(layer.merge_mode)
        yield f"merge_mode={mode}: PyTorch concatenates the directions"
