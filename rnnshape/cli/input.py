"""The input that the options tell: sizes by name, the whole shape, the lengths of packed rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from rnnshape.cli import values
from rnnshape.cli.options import InputOptions
from rnnshape.errors import RequestError, quoted
from rnnshape.layer.config import DEFAULT_BATCH_SIZE, DEFAULT_INPUT_SIZE, DEFAULT_SEQ_LEN

_SYMBOLS: Final = {"seq_len": "L", "batch_size": "N", "input_size": "H_in"}
_OPTIONS: Final = {"seq_len": "--seq", "batch_size": "--batch", "input_size": "--input"}
_DEFAULTS: Final = {
    "seq_len": DEFAULT_SEQ_LEN,
    "batch_size": DEFAULT_BATCH_SIZE,
    "input_size": DEFAULT_INPUT_SIZE,
}


def told_of_input(
    options: InputOptions, layer: Mapping[str, Any], *, fixed: Collection[str] = ()
) -> dict[str, Any]:
    """The fields of the input, and input_size where the shape tells it.

    `layer` holds the fields of the layer that are told, `fixed` those that no option can change.
    Raises RequestError where the options contradict each other or the layer.
    """
    _require_compatible(options, cell=bool(layer.get("cell")))
    told: dict[str, Any] = {}
    if options.batch_size is not None:
        told["batch_size"] = values.size(options.batch_size, "--batch", least=0)
    if options.seq_len is not None:
        told["seq_len"] = values.size(options.seq_len, "--seq")
    if options.with_state:
        told["with_state"] = True
    if options.unbatched:
        told["batched"] = False
    if options.lengths is not None:
        told |= _rows(options.lengths, told)
    if options.input_shape is not None:
        told |= _of_shape(options.input_shape, layer, told, fixed)
    if "lengths" in told:
        told.setdefault("seq_len", max(told["lengths"]))
    return told


def _require_compatible(options: InputOptions, *, cell: bool) -> None:
    """Raise RequestError for two options of which one leaves nothing for the other to say."""
    if options.unbatched and options.batch_size is not None:
        raise RequestError(
            f"--unbatched contradicts --batch {quoted(options.batch_size)}",
            hint="leave one of the two out",
        )
    for option, given in (("--seq", options.seq_len), ("--lengths", options.lengths)):
        if cell and given is not None:
            raise RequestError(
                f"a cell takes one step, and {option} is given",
                hint=f"leave {option} out, or ask for the layer in place of its cell",
            )
    if options.unbatched and options.lengths is not None:
        raise RequestError(
            "--lengths are the rows of a batch, and --unbatched has none",
            hint="leave one of them out",
        )


def _rows(text: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """What `--lengths` tells: how many rows there are, and their steps."""
    lengths = values.lengths(text, "--lengths")
    if told.get("batch_size", len(lengths)) != len(lengths):
        raise RequestError(
            f"--lengths has batch_size {len(lengths)}, but --batch is {told['batch_size']}",
            hint=f"leave --batch out, or give --batch {len(lengths)}",
        )
    return {"lengths": lengths, "batch_size": len(lengths)}


def _of_shape(
    text: str, layer: Mapping[str, Any], told: Mapping[str, Any], fixed: Collection[str]
) -> dict[str, Any]:
    """The fields that `--input-shape` tells; the order of its axes is the layer's."""
    known = {name: fields[name] for fields in (layer, told) for name in _SYMBOLS if name in fields}
    batched = _axes(layer)
    single = tuple(name for name in batched if name != "batch_size")
    wanted = single if told.get("batched") is False else batched
    sizes = values.shape(text, "--input-shape", example=_written(wanted, known))
    if len(sizes) == len(batched):
        axes = batched
    elif len(sizes) == len(single) and "batch_size" not in told:
        axes = single
    else:
        meant = dict(zip(single, sizes, strict=True)) if len(sizes) == len(single) else {}
        raise RequestError(
            f"--input-shape has {_ranks(batched, single, told)}; {quoted(text)} has {len(sizes)}",
            hint=_hint(wanted, meant | known),
        )
    shape = dict(zip(axes, sizes, strict=True))
    _require_input(text, shape, unbatched=told.get("batched") is False)
    for name, size in shape.items():
        if known.get(name, size) != size:
            raise _clash(name, shape, known, told, fixed)
    return shape if axes == batched else {**shape, "batched": False}


def _axes(layer: Mapping[str, Any]) -> tuple[str, ...]:
    """The axes of a batched input."""
    if layer.get("cell"):
        return ("batch_size", "input_size")
    seq_and_batch = ("seq_len", "batch_size")
    return (*(seq_and_batch[::-1] if layer.get("batch_first") else seq_and_batch), "input_size")


def _ranks(batched: Collection[str], single: Collection[str], told: Mapping[str, Any]) -> str:
    """How many sizes a shape has here: `3 sizes, L,N,H_in`."""
    if told.get("batched") is False:
        return f"{len(single)} size{'s' * (len(single) > 1)}, {_symbols(single)}"
    if "batch_size" in told:
        return f"{len(batched)} sizes, {_symbols(batched)}"
    return f"{len(batched)} sizes, or {len(single)} without a batch"


def _symbols(axes: Collection[str]) -> str:
    return ",".join(_SYMBOLS[name] for name in axes)


def _written(axes: Collection[str], known: Mapping[str, int]) -> str:
    """A shape that would do: what is known of it, else the defaults."""
    sizes = {**_DEFAULTS, **known}
    return ",".join(str(max(sizes[name], int(name != "batch_size"))) for name in axes)


def _hint(axes: Collection[str], known: Mapping[str, int]) -> str:
    return f"--input-shape {_written(axes, known)}"


def _require_input(text: str, shape: Mapping[str, int], *, unbatched: bool) -> None:
    """Raise RequestError for a size that no input has, or a batch axis where there is none."""
    for name, size in shape.items():
        if not size and name != "batch_size":
            raise RequestError(
                f"--input-shape {quoted(text)} has {name} 0, which must be 1 or more",
                hint=_hint(shape, shape),
            )
    if unbatched and "batch_size" in shape:
        single = [name for name in shape if name != "batch_size"]
        raise RequestError(
            f"--unbatched contradicts the batch axis of --input-shape {quoted(text)}",
            hint=f"{_hint(single, shape)}, or leave --unbatched out",
        )


def _clash(
    name: str,
    shape: Mapping[str, int],
    known: Mapping[str, int],
    told: Mapping[str, Any],
    fixed: Collection[str],
) -> RequestError:
    """The shape has another size than the target, the rows of `--lengths`, or an option."""
    problem = f"--input-shape has {name} {shape[name]}"
    if name in fixed:
        return RequestError(
            f"{problem}, but the target has {known[name]}", hint=_hint(shape, {**shape, **known})
        )
    if name == "batch_size" and "lengths" in told:
        rows = f"{known[name]} row{'s' * (known[name] > 1)}"
        return RequestError(
            f"{problem}, but --lengths has {rows}", hint=_hint(shape, {**shape, **known})
        )
    option = _OPTIONS[name]
    return RequestError(
        f"{problem}, but {option} is {known[name]}",
        hint=f"leave {option} out, or give {option} {shape[name]}",
    )
