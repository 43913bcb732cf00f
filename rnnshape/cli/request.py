"""Options as a request: the layer, its input, and which of it was not given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from rnnshape.cli import values
from rnnshape.cli.options import InputOptions, LayerOptions
from rnnshape.errors import RequestError
from rnnshape.layer.config import InputSpec, Kind, RNNConfig

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
    told = told_fields(layer, input_options)
    return Request(
        config=told_config(kind, told),
        input_spec=told_input(told),
        assumed=assumed_fields(told),
        order_unconfirmed=_order_unconfirmed(layer, input_options),
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


def told_fields(layer: LayerOptions, input_options: InputOptions) -> dict[str, Any]:
    """The fields that all options tell, by name. Raises RequestError where they contradict."""
    told = _told(layer, input_options)
    if input_options.input_shape is not None:
        told = _merged(told, _shape_fields(input_options.input_shape, told), "--input-shape")
    if input_options.lengths is not None:
        told = _merged(told, _length_fields(input_options.lengths, told), "--lengths")
    if told.get("cell"):
        _require_one_step(told)
    if told.get("batched") is False and "batch_size" in told:
        raise RequestError(
            f"one sequence without a batch axis contradicts --batch {told['batch_size']}",
            hint="leave --batch out, or give a batch axis",
        )
    return told


def _order_unconfirmed(layer: LayerOptions, input_options: InputOptions) -> bool:
    confirmed = layer.batch_first or input_options.batch_size or input_options.seq_len
    return input_options.input_shape is not None and not confirmed


def _told(layer: LayerOptions, input_options: InputOptions) -> dict[str, Any]:
    """The fields that options tell, by name; a flag that was not given tells nothing."""
    sizes = (
        ("input_size", layer.input_size, "--input", "H_in", 1),
        ("hidden_size", layer.hidden_size, "--hidden", "H_cell", 1),
        ("num_layers", layer.num_layers, "--layers", "num_layers", 1),
        ("proj_size", layer.proj_size, "--proj", "H_out", 1),
        ("batch_size", input_options.batch_size, "--batch", "N", 0),
        ("seq_len", input_options.seq_len, "--seq", "L", 1),
    )
    told: dict[str, Any] = {
        name: values.size(text, option, symbol, least=least)
        for name, text, option, symbol, least in sizes
        if text is not None
    }
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
        "with_state": input_options.with_state,
    }
    told |= {name: True for name, given in flags.items() if given}
    if input_options.unbatched:
        told["batched"] = False
    return told


def _shape_fields(text: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `--input-shape` tells, given whether the layer is batch-first."""
    sizes = values.shape(text, "--input-shape")
    order = ("batch_size", "seq_len") if told.get("batch_first") else ("seq_len", "batch_size")
    if len(sizes) == 2 and "batch_size" not in told:
        fields_of = {"seq_len": sizes[0], "input_size": sizes[1], "batched": False}
    elif len(sizes) == 3:
        fields_of = {order[0]: sizes[0], order[1]: sizes[1], "input_size": sizes[2]}
    else:
        known = "3 sizes, L,N,H_in" if "batch_size" in told else "3 sizes, or 2 without a batch"
        raise RequestError(
            f"--input-shape has {known}; {values.quoted(text)} has {len(sizes)}",
            hint="--input-shape 10,5,20",
        )
    for name in ("seq_len", "input_size"):
        values.size(str(fields_of[name]), f"--input-shape: {name}", "a size")
    return fields_of


def _length_fields(text: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """What `--lengths` tells: the rows, and the steps unless they are given."""
    lengths = values.lengths(text, "--lengths")
    if told.get("batched") is False:
        raise RequestError(
            "--lengths are the rows of a batch, and --unbatched has none",
            hint="leave one of them out",
        )
    return {
        "lengths": lengths,
        "batch_size": len(lengths),
        "seq_len": told.get("seq_len", max(lengths)),
    }


def _require_one_step(told: Mapping[str, Any]) -> None:
    for name, option in (("seq_len", "--seq"), ("lengths", "--lengths")):
        if name in told:
            raise RequestError(
                f"a cell takes one step, and {option} is given",
                hint=f"leave {option} out, or leave out --cell",
            )


def _merged(told: dict[str, Any], more: dict[str, Any], source: str) -> dict[str, Any]:
    for name, value in more.items():
        if told.get(name, value) != value:
            option = OPTION_OF[name]
            raise RequestError(
                f"{source} has {name} {value}, but {option} is {told[name]}",
                hint=f"leave {option} out, or give {option} {value}",
            )
    return told | more
