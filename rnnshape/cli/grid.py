"""Options that several targets share: comma lists make a grid, a target keeps what it tells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import product
from math import prod
from typing import Any, TypeAlias, TypeVar

from rnnshape.analysis.comparison import Asked
from rnnshape.cli import values
from rnnshape.cli.command import words_of
from rnnshape.cli.options import InputOptions, LayerOptions
from rnnshape.cli.request import (
    OF_ONE_KIND,
    OPTION_OF,
    assumed_fields,
    is_of_input,
    told_fields,
    told_input,
    told_of_layer,
)
from rnnshape.cli.target import Target
from rnnshape.errors import RequestError
from rnnshape.layer.config import RNNConfig

_Point: TypeAlias = tuple[LayerOptions, InputOptions]
_Options = TypeVar("_Options", LayerOptions, InputOptions)


def grid(
    targets: Sequence[Target], layer: LayerOptions, input_options: InputOptions
) -> list[list[Asked]]:
    """For each point of the grid every target with the shared options there.

    Raises RequestError for an option that changes no target, and for a grid too large to list.
    """
    points = _points(layer, input_options, targets=len(targets))
    _require_use(targets, layer)
    return [_applied_to_all(targets, *point) for point in points]


def applied(target: Target, layer: LayerOptions, input_options: InputOptions) -> Asked:
    """The target with the shared options, and what it reads."""
    (asked,) = _applied_to_all([target], layer, input_options)
    return asked


def _applied_to_all(
    targets: Sequence[Target], layer: LayerOptions, input_options: InputOptions
) -> list[Asked]:
    if input_options.input_shape is not None:
        return [_applied_to_shape(target, layer, input_options) for target in targets]
    told = told_fields(told_of_layer(layer), input_options)
    input_spec = told_input(told)
    return [(_with(target, told), input_spec) for target in targets]


def _applied_to_shape(target: Target, layer: LayerOptions, input_options: InputOptions) -> Asked:
    """The order of the shape's axes is the target's own."""
    told = _told_by(layer, input_options, target)
    config = _with(target, told)
    if config.input_size != told["input_size"]:
        raise RequestError(
            f"--input-shape has input_size {told['input_size']},"
            f" but {config.constructor} reads {config.input_size}",
            hint="--batch and --seq tell the rest of the input",
        )
    return config, told_input(told)


def _with(target: Target, told: Mapping[str, Any]) -> RNNConfig:
    changed = {name: value for name, value in told.items() if _takes(target, name)}
    return replace(target.config, **changed) if changed else target.config


def assumed(
    targets: Sequence[Target], layer: LayerOptions, input_options: InputOptions
) -> frozenset[str]:
    """The fields that some target does not tell, and no shared option."""
    (first_layer, first_input), *_ = _points(layer, input_options, targets=len(targets))
    return frozenset().union(
        *(
            assumed_fields(_told_by(first_layer, first_input, target).keys() | target.told)
            for target in targets
        )
    )


def _told_by(layer: LayerOptions, input_options: InputOptions, target: Target) -> dict[str, Any]:
    """What the shared options tell of a target, which may say in which order it reads its axes."""
    told = told_of_layer(layer) | {
        name: getattr(target.config, name)
        for name in ("cell", "batch_first")
        if name in target.told and input_options.input_shape is not None
    }
    return told_fields(told, input_options)


def _takes(target: Target, field: str) -> bool:
    """Whether a shared option changes this field of the target."""
    return not is_of_input(field) and field not in target.told and _has(target.config, field)


def _has(config: RNNConfig, field: str) -> bool:
    if field == "proj_size" and config.cell:
        return False
    return OF_ONE_KIND.get(field, config.kind) is config.kind


def _points(layer: LayerOptions, input_options: InputOptions, *, targets: int) -> list[_Point]:
    layer_lists, input_lists = _lists(layer), _lists(input_options)
    lists = {**layer_lists, **input_lists}
    count = targets * prod(map(len, lists.values()))
    if count > values.MOST_LISTED:
        raise RequestError(
            f"the grid has {count:,} layers; the most is {values.MOST_LISTED:,}",
            hint="give shorter lists",
        )
    return [
        (_at(layer, layer_lists, words), _at(input_options, input_lists, words[len(layer_lists) :]))
        for words in product(*lists.values())
    ]


def _at(group: _Options, lists: Iterable[str], words: Sequence[str]) -> _Options:
    given: dict[str, Any] = dict(zip(lists, words, strict=False))
    return replace(group, **given) if given else group


def _lists(group: LayerOptions | InputOptions) -> dict[str, tuple[str, ...]]:
    return {
        field.name: values.several(text, OPTION_OF[field.name])
        for field in fields(group)
        if field.name in OPTION_OF and (text := getattr(group, field.name)) is not None
    }


def _require_use(targets: Sequence[Target], layer: LayerOptions) -> None:
    for field, option in _told_by_options(layer).items():
        if any(_takes(target, field) for target in targets):
            continue
        owner = OF_ONE_KIND.get(field)
        if owner and not any(_has(target.config, field) for target in targets):
            name = owner.value
            raise RequestError(
                f"{option} fits no target: only nn.{name} has {field}",
                hint=f"add {name.lower()} to the targets, or leave {option} out",
            )
        raise RequestError(
            f"{option} changes nothing: every target tells its own {field}",
            hint=f"leave {option} out",
        )


def _told_by_options(layer: LayerOptions) -> Mapping[str, str]:
    """The fields that options tell, each with its option as it was given."""
    nothing = LayerOptions()
    given: Collection[str] = [
        field.name
        for field in fields(layer)
        if getattr(layer, field.name) != getattr(nothing, field.name)
    ]
    return {name: next(_words(layer, name)) for name in given}


def _words(layer: LayerOptions, name: str) -> Iterator[str]:
    alone: dict[str, Any] = {name: getattr(layer, name)}
    return words_of(replace(LayerOptions(), **alone))
