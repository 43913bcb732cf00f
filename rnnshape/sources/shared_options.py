"""Options that several targets share: lists make a grid, and a target's own fields win."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from rnnshape.errors import RequestError
from rnnshape.fields import FIELDS, fields_of
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import Subject
from rnnshape.sources import values
from rnnshape.sources.options import Options, input_fields, layer_fields, option_words
from rnnshape.sources.subjects import subject_of
from rnnshape.sources.target import Target


def subjects_at_points(
    targets: Sequence[Target], layer: Options, input_: Options, settings: Settings
) -> list[list[Subject]]:
    """Every target with the shared options, for each point of the grid.

    Raises RequestError for an option that changes no target, and for a grid too large to list.
    """
    points = _points({**layer, **input_}, targets=len(targets))
    _require_use(targets, layer)
    own = [target.shareable() for target in targets]
    return [list(_subjects(own, point, settings)) for point in points]


def shared(target: Target, layer: Options, input_: Options, settings: Settings) -> Subject:
    """One target with the shared options."""
    (subject,) = _subjects([target.shareable()], {**layer, **input_}, settings)
    return subject


def _subjects(targets: Sequence[Target], point: Options, settings: Settings) -> Iterator[Subject]:
    layer = layer_fields(point)
    input_ = input_fields(point)
    for target in targets:
        _require_input_size(target, input_)
        whole = target.with_shared(layer)
        steps = {"seq_len"} if len(targets) > 1 and whole.config.cell else set()
        own = {name: value for name, value in input_.items() if name not in steps}
        yield subject_of(whole, own, settings, fixed=target.fields.keys())


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


def _points(given: Options, *, targets: int) -> list[Options]:
    lists = {
        field.name: values.several(text, field.option)
        for field in fields_of("layer", "input")
        if field.takes in ("size", "count") and isinstance(text := given.get(field.name), str)
    }
    count = targets * prod(map(len, lists.values()))
    if count > values.MOST_LISTED:
        raise RequestError(
            f"the grid has {count:,} layers; the most is {values.MOST_LISTED:,}",
            hint="give shorter lists",
        )
    return [{**given, **dict(zip(lists, words, strict=True))} for words in product(*lists.values())]


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
