"""Join a target with an input and settings into a subject."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from rnnshape.errors import RequestError
from rnnshape.layer.input import InputSpec
from rnnshape.layer.settings import DType, Settings
from rnnshape.layer.subject import INPUT_FIELDS, Subject
from rnnshape.sources.input_fields import read_input
from rnnshape.sources.target import Target

_DEFAULT_INPUT: Final = InputSpec()  # one for all layers of a large grid
# With one of these the axes of an input shape are certain.
_CONFIRMING: Final = frozenset({"batch_size", "seq_len", "lengths", "unbatched"})


def subject_of(
    target: Target,
    input_fields: Mapping[str, Any],
    settings: Settings,
    *,
    more: Mapping[str, Any] = {},
    fixed: Collection[str] = (),
) -> Subject:
    """The target with `more` fields, and the input that `input_fields` give, as values by field.

    `input_shape` also gives the layer its input_size, unless that is among the `fixed` fields,
    which only the target may give. Raises RequestError, in the target's words, where fields
    contradict each other or the layer.
    """
    try:
        return _subject(target, input_fields, settings, more, fixed)
    except RequestError as error:
        raise error.written_in(target.origin.words) from error


def _subject(
    target: Target,
    input_fields: Mapping[str, Any],
    settings: Settings,
    more: Mapping[str, Any],
    fixed: Collection[str],
) -> Subject:
    layer = {**target.fields, **more}
    of_input = read_input(input_fields, layer, fixed=fixed)
    if "input_size" in of_input:
        layer["input_size"] = of_input.pop("input_size")
    given = frozenset((*layer, *of_input))
    confirmed = "batch_first" in given or not _CONFIRMING.isdisjoint(input_fields)
    calls = (target.found and target.found.calls) or ()
    if calls and not of_input:  # what the model gives the layer
        spec, given = calls[0].input_spec, given | INPUT_FIELDS
    else:
        spec = InputSpec(**of_input) if of_input else _DEFAULT_INPUT
    return Subject(
        config=target.config if layer == target.fields else target.config_of(layer),
        input_spec=spec,
        settings=settings,
        name=target.name,
        origin=target.origin,
        given=given,
        unknown=target.unknown.difference(given),
        held=target.held,
        found=target.found,
        axes_by_place="input_shape" in input_fields and not confirmed,
    )


def settings_for(
    target: Target, *, device: str | None, dtype: str | None, optimizer: str | None = None
) -> Settings:
    """The settings that are given here, else those of the target, else the defaults."""
    return chosen_settings(
        target.device if device is None else device,
        target.dtype if dtype is None else dtype,
        optimizer,
    )


@lru_cache  # a large manifest asks for the same ones again and again
def chosen_settings(
    device: str | None, dtype: str | DType | None, optimizer: str | None = None
) -> Settings:
    """The settings, with the default for None. Raises RequestError for an unknown name."""
    given = {"device": device, "dtype": dtype, "optimizer": optimizer}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return Settings(**chosen)
