"""Options as a request: the layer, its input, and which of it was not given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from rnnshape.cli import values
from rnnshape.cli.input import told_of_input
from rnnshape.cli.options import InputOptions, LayerOptions, RunOptions
from rnnshape.layer.config import (
    DEFAULT_HIDDEN_SIZE,
    DType,
    InputSpec,
    Kind,
    RNNConfig,
    Settings,
    dtype_named,
)

# The options that take a size, by the field that they tell.
OPTION_OF: Final = {
    "input_size": "--input",
    "hidden_size": "--hidden",
    "num_layers": "--layers",
    "proj_size": "--proj",
    "batch_size": "--batch",
    "seq_len": "--seq",
}
_INPUT_FIELDS: Final = frozenset(field.name for field in fields(InputSpec))
_FIELDS: Final = _INPUT_FIELDS | {field.name for field in fields(RNNConfig)}

# What one kind of layer alone has.
OF_ONE_KIND: Final = {"proj_size": Kind.LSTM, "nonlinearity": Kind.RNN}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the words ask for."""

    config: RNNConfig
    input_spec: InputSpec
    assumed: frozenset[str]  # fields of config and input that the words do not tell
    order_unconfirmed: bool  # batch and seq are told by their places in --input-shape alone


def requested(kind: Kind, layer: LayerOptions, input_options: InputOptions) -> Request:
    """Read the words and --input-shape together. Raises RequestError where they contradict."""
    return request_of(kind, told_of_layer(layer), input_options)


def request_of(
    kind: Kind,
    layer_fields: Mapping[str, Any],
    input_options: InputOptions,
    *,
    fixed: Collection[str] = (),
) -> Request:
    """The same for a layer whose fields are known; no option can change those in `fixed`."""
    told = told_fields(layer_fields, input_options, fixed=fixed)
    confirmed = (
        layer_fields.get("batch_first")
        or input_options.batch_size
        or input_options.seq_len
        or input_options.lengths
    )
    return Request(
        config=told_config(kind, told),
        input_spec=told_input(told),
        assumed=assumed_fields(told),
        order_unconfirmed=input_options.input_shape is not None and not confirmed,
    )


def told_config(kind: Kind, told: Mapping[str, Any]) -> RNNConfig:
    """The layer of this kind that these fields tell."""
    return RNNConfig(kind=kind, **{n: v for n, v in told.items() if n not in _INPUT_FIELDS})


def told_input(told: Mapping[str, Any]) -> InputSpec:
    """The input that these fields tell."""
    return InputSpec(**{n: v for n, v in told.items() if n in _INPUT_FIELDS})


def assumed_fields(told: Collection[str]) -> frozenset[str]:
    """The fields of a layer and its input that are not told."""
    return _FIELDS - set(told)


def is_of_input(field: str) -> bool:
    """Whether a field is the input's, not the layer's."""
    return field in _INPUT_FIELDS


def told_fields(
    layer_fields: Mapping[str, Any], input_options: InputOptions, *, fixed: Collection[str] = ()
) -> dict[str, Any]:
    """The fields of the layer and of its input together, by name.

    Raises RequestError where they contradict each other or a field in `fixed`.
    """
    return {**layer_fields, **told_of_input(input_options, layer_fields, fixed=fixed)}


def settings_of(
    run: RunOptions, *, device: str | None = None, dtype: DType | None = None
) -> Settings:
    """Where the layer runs and in what type: as the options say, else as its source does."""
    if run.device is not None:
        device = run.device
    if run.dtype is not None:
        dtype = dtype_named(run.dtype)
    return Settings(
        device=Settings.device if device is None else device,
        dtype=Settings.dtype if dtype is None else dtype,
    )


def told_of_layer(layer: LayerOptions) -> dict[str, Any]:
    """The fields that options tell, by name; a flag that was not given tells nothing."""
    told: dict[str, Any] = {
        name: values.size(text, OPTION_OF[name])
        for name in ("input_size", "hidden_size", "num_layers")
        if (text := getattr(layer, name)) is not None
    }
    if layer.proj_size is not None:
        told["proj_size"] = _proj_size(
            layer.proj_size, told.get("hidden_size", DEFAULT_HIDDEN_SIZE)
        )
    if layer.dropout is not None:
        told["dropout"] = values.probability(layer.dropout, "--dropout")
    if layer.bias is not None:
        told["bias"] = layer.bias
    if layer.nonlinearity is not None:
        told["nonlinearity"] = layer.nonlinearity
    flags = {
        "cell": layer.cell,
        "bidirectional": layer.bidirectional,
        "batch_first": layer.batch_first,
    }
    return told | {name: True for name, given in flags.items() if given}


def _proj_size(text: str, hidden_size: int) -> int:
    """What `--proj` tells; the hint is smaller than hidden_size."""
    half = max(1, hidden_size // 2)
    return values.size(text, "--proj", most=max(1, hidden_size - 1), example=half)
