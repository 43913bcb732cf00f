"""Options that several targets share: lists make a grid, and a target's own fields win."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from rnnshape.errors import RequestError
from rnnshape.fields import FIELDS, FieldGroup, fields_of
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import Subject
from rnnshape.sources import values
from rnnshape.sources.options import Options, field_value, input_fields, layer_fields, option_words
from rnnshape.sources.subjects import subject_of
from rnnshape.sources.target import Target


def subjects_at_points(
    targets: Sequence[Target], layer: Options, input_: Options, settings: Settings
) -> list[list[Subject]]:
    """Every target with the shared options, for each point of the grid.

    Raises RequestError for an option that changes no target, and for a grid too large to list.
    """
    _require_use(targets, layer)
    of_layer, of_input = _listed("layer", layer), _listed("input", input_)
    count = len(targets) * prod(map(len, (*of_layer.values(), *of_input.values())))
    if count > values.MOST_LISTED:
        raise RequestError(
            f"the grid has {count:,} layers; the most is {values.MOST_LISTED:,}",
            hint="give shorter lists",
        )
    own = [target.shareable() for target in targets]
    points = product(_points(of_layer), _points(of_input))
    return [list(_subjects(own, *point, settings)) for point in points]


def shared(target: Target, layer: Options, input_: Options, settings: Settings) -> Subject:
    """One target with the shared options."""
    own = [target.shareable()]
    (subject,) = _subjects(own, layer_fields(layer), input_fields(input_), settings)
    return subject


def _subjects(
    targets: Sequence[Target],
    layer: Mapping[str, Any],
    input_: Mapping[str, Any],
    settings: Settings,
) -> Iterator[Subject]:
    for target in targets:
        _require_input_size(target, input_)
        more = target.taken(layer)
        cell = target.fields.get("cell") or more.get("cell")
        given = {**input_}
        if cell and len(targets) > 1:
            given.pop("seq_len", None)
        yield subject_of(target, given, settings, more=more, fixed=target.fields.keys())


def _require_input_size(target: Target, input_: Mapping[str, Any]) -> None:
    """Raise RequestError where the shared input shape does not fit a target."""
    if "input_shape" not in input_:
        return
    size = input_["input_shape"][-1]
    own = target.fields.get("input_size", size)
    if size != own:
        constructor = target.config.constructor
        raise RequestError(
            f"{{input_shape:name}} has input_size {size}, but {constructor} reads {own}",
            hint="leave {input_shape:name} out: {batch_size:name} and {seq_len:name} give the rest",
            input_shape=input_["input_shape"],
            batch_size=0,
            seq_len=0,
        )


def _listed(group: FieldGroup, given: Options) -> dict[str, list[Any]]:
    """The values of each field that is given: of a size all that its list has, else one."""
    listed = {}
    for field in fields_of(group):
        text = given.get(field.name)
        if text is None:
            continue
        words: Iterable[str | bool] = [text]
        if isinstance(text, str) and field.takes in ("size", "count"):
            words = values.several(text, field.option)
        listed[field.name] = [field_value(field.name, word) for word in words]
    return listed


def _points(listed: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """The fields at each point of the grid that lists of their values make."""
    for each in product(*listed.values()):
        yield dict(zip(listed, each, strict=True))


def _require_use(targets: Sequence[Target], layer: Options) -> None:
    for name, value in layer.items():
        if any(target.takes(name) for target in targets):
            continue
        option, kind = option_words(name, value)[0], FIELDS[name].kind
        if kind and not any(target.has(name) for target in targets):
            raise RequestError(
                f"{option} fits no target: only nn.{kind} has {name}",
                hint=f"add {kind.lower()} to the targets, or leave {option} out",
            )
        raise RequestError(
            f"{option} changes nothing: every target gives its own {name}",
            hint=f"leave {option} out",
        )
