"""Options as a request: the layer, its input, and which of it was not given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from rnnshape.cli import values
from rnnshape.cli.options import InputOptions, LayerOptions, RunOptions
from rnnshape.errors import RequestError, quoted
from rnnshape.layer.config import DType, InputSpec, Kind, RNNConfig, Settings, dtype_named

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
        or layer_fields.get("cell")
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
    told = {**layer_fields, **_told_of_input(input_options)}
    if input_options.input_shape is not None:
        told = _merged(told, _shape_fields(input_options.input_shape, told), "--input-shape", fixed)
    if input_options.lengths is not None:
        told = _merged(told, _length_fields(input_options.lengths, told), "--lengths", fixed)
    if told.get("cell"):
        _require_one_step(told)
    return told


def settings_of(
    run: RunOptions, *, device: str | None = None, dtype: DType | None = None
) -> Settings:
    """Where the layer runs and in what type: as the options say, else as its source does."""
    return Settings(
        device=(device or Settings.device) if run.device is None else run.device,
        dtype=(dtype or Settings.dtype) if run.dtype is None else dtype_named(run.dtype),
    )


def told_of_layer(layer: LayerOptions) -> dict[str, Any]:
    """The fields that options tell, by name; a flag that was not given tells nothing."""
    told = _sizes(
        ("input_size", layer.input_size, "--input", "H_in", 1),
        ("hidden_size", layer.hidden_size, "--hidden", "H_cell", 1),
        ("num_layers", layer.num_layers, "--layers", "num_layers", 1),
        ("proj_size", layer.proj_size, "--proj", "H_out", 1),
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


def _told_of_input(input_options: InputOptions) -> dict[str, Any]:
    told = _sizes(
        ("batch_size", input_options.batch_size, "--batch", "N", 0),
        ("seq_len", input_options.seq_len, "--seq", "L", 1),
    )
    if input_options.with_state:
        told["with_state"] = True
    if input_options.unbatched:
        told["batched"] = False
        if "batch_size" in told:
            raise RequestError(
                f"--unbatched contradicts --batch {told['batch_size']}",
                hint="leave one of the two out",
            )
    return told


def _sizes(*options: tuple[str, str | None, str, str, int]) -> dict[str, Any]:
    """Field, word, option, symbol and least value of each size; those that have a word."""
    return {
        name: values.size(text, option, symbol, least=least)
        for name, text, option, symbol, least in options
        if text is not None
    }


def _shape_fields(text: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `--input-shape` tells, given whether the layer is batch-first."""
    sizes = values.shape(text, "--input-shape")
    batched, unbatched = _input_axes(told)
    if len(sizes) == len(batched):
        size_of = dict(zip(batched, sizes, strict=True))
    elif len(sizes) == len(unbatched) and "batch_size" not in told:
        size_of = dict(zip(unbatched, sizes, strict=True))
    else:
        symbols = {"seq_len": "L", "batch_size": "N", "input_size": "H_in"}
        known = f"{len(batched)} sizes, {','.join(symbols[name] for name in batched)}"
        if "batch_size" not in told:
            known = f"{len(batched)} sizes, or {len(unbatched)} without a batch"
        steps, features = sizes if len(sizes) == 2 else (10, 20)
        meant = {
            "batch_size": told.get("batch_size", 5),
            "seq_len": steps,
            "input_size": told.get("input_size", features),
        }
        raise RequestError(
            f"--input-shape has {known}; {quoted(text)} has {len(sizes)}",
            hint=f"--input-shape {','.join(str(meant[name]) for name in batched)}",
        )
    _require_input(text, size_of, unbatched=told.get("batched") is False)
    return size_of if len(sizes) == len(batched) else {**size_of, "batched": False}


def _input_axes(told: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields that are the input's sizes, with and without a batch axis."""
    if told.get("cell"):
        return ("batch_size", "input_size"), ("input_size",)
    order = ("batch_size", "seq_len") if told.get("batch_first") else ("seq_len", "batch_size")
    return (*order, "input_size"), ("seq_len", "input_size")


def _require_input(text: str, size_of: Mapping[str, int], *, unbatched: bool) -> None:
    """Raise RequestError for a size that no input has, or a batch axis where there is none."""
    least = {name: max(size, int(name != "batch_size")) for name, size in size_of.items()}
    for name, size in size_of.items():
        if size < least[name]:
            raise RequestError(
                f"--input-shape {quoted(text)} has {name} 0, which must be 1 or more",
                hint=f"--input-shape {','.join(map(str, least.values()))}",
            )
    if unbatched and "batch_size" in size_of:
        rest = ",".join(str(size) for name, size in size_of.items() if name != "batch_size")
        raise RequestError(
            f"--unbatched contradicts the batch axis of --input-shape {quoted(text)}",
            hint=f"--input-shape {rest}, or leave --unbatched out",
        )


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
                hint=f"leave {option} out, or ask for the layer in place of its cell",
            )


def _merged(
    told: dict[str, Any], more: dict[str, Any], source: str, fixed: Collection[str]
) -> dict[str, Any]:
    for name, value in more.items():
        if told.get(name, value) != value:
            if name in fixed:
                raise RequestError(
                    f"{source} has {name} {value}, but the target has {told[name]}",
                    hint=f"give {source} with {name} {told[name]}",
                )
            option = OPTION_OF[name]
            raise RequestError(
                f"{source} has {name} {value}, but {option} is {told[name]}",
                hint=f"leave {option} out, or give {option} {value}",
            )
    return told | more
