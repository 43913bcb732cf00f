"""TARGET: a layer in one word, as flags or as a constructor call."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from typer.exceptions import TyperException

from rnnshape.cli.command import usage_problem, words_of
from rnnshape.cli.layer import layer_command
from rnnshape.cli.options import LayerOptions
from rnnshape.cli.request import told_of_layer
from rnnshape.errors import RequestError, quoted
from rnnshape.layer.config import DType, Kind, RNNConfig
from rnnshape.layer.findings import Trap
from rnnshape.sources.constructor import CONSTRUCTORS
from rnnshape.sources.expression import parse

if TYPE_CHECKING:
    from typer.core import TyperCommand

_KINDS: Final = {kind.value.lower(): kind for kind in Kind}
_FORMS: Final = '"lstm --hidden 40 --bidir" or "nn.LSTM(20, 40, bidirectional=True)"'
_CHECKPOINT: Final = re.compile(r".+\.(pt|pth|bin|ckpt|safetensors)(:.*)?", re.DOTALL)
_IMPORT_PATH: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*[:.][^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a TARGET says. `device` and `dtype` are None where it does not say."""

    text: str  # as it would be typed, in ASCII on one line
    config: RNNConfig
    told: frozenset[str]  # fields of config that the text tells
    traps: tuple[Trap, ...] = ()
    device: str | None = None
    dtype: DType | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of config that the text tells, with their values."""
        return {name: getattr(self.config, name) for name in self.told}


def traps_of(targets: Sequence[Target]) -> list[tuple[str, Trap]]:
    """What the texts of targets show, each beside its text."""
    return [(target.text, trap) for target in targets for trap in target.traps]


def read_target(text: str) -> Target:
    """The layer that `text` names: flags, `lstm --hidden 40`, or a call, `nn.LSTM(20, 40)`.

    A target is a layer. Its input and its run are asked of the command, once for all targets, so
    their options are refused here. Raises RequestError for what is neither form.
    """
    first = text.split(maxsplit=1)[:1]
    kind = _KINDS.get(first[0].lower()) if first else None
    if kind is not None:
        return _from_flags(kind, text)
    try:
        parsed = parse(text)
    except RequestError as error:
        raise _refusal(text, error) from error
    return Target(
        text=parsed.text,
        config=parsed.config,
        told=parsed.given,
        traps=parsed.traps,
        device=parsed.device,
        dtype=parsed.dtype,
    )


def _from_flags(kind: Kind, text: str) -> Target:
    try:
        # A shell's blanks are ASCII's; a web page's are not, and are pasted with the rest.
        words = shlex.split(re.sub(r"\s", " ", text))[1:]
    except ValueError as error:
        raise RequestError(
            f"target {quoted(text)}: {str(error).lower()}", hint=f"as in {_FORMS}"
        ) from error
    name = kind.value.lower()
    options = _layer_options(name, words)
    told = told_of_layer(options)
    return Target(
        text=shlex.join([name, *(word.strip() for word in words_of(options))]),
        config=RNNConfig(kind=kind, **told),
        told=frozenset(told),
    )


def _layer_options(name: str, words: list[str]) -> LayerOptions:
    """The words read by the command `name` itself, which is not invoked."""
    built = _command(name)
    names = {field.name for field in fields(LayerOptions)}
    try:
        with built.make_context(f"rnnshape {name}", words, help_option_names=[]) as context:
            given = dict(context.params)
            told = {name for name in given if _is_told(context, name)}
    except TyperException as error:
        raise usage_problem(error) from error
    for parameter in built.params:
        if parameter.name in told - names:
            off = given[parameter.name] is False
            option = (parameter.secondary_opts if off else parameter.opts)[0]
            raise RequestError(
                f"{option} is not an option of a target, which is a layer alone",
                hint=f"leave {option} out of the target",
            )
    return LayerOptions(**{name: given[name] for name in names})


def _is_told(context: Any, name: str) -> bool:
    return str(context.get_parameter_source(name).name) == "COMMANDLINE"


@cache
def _command(name: str) -> TyperCommand:
    return layer_command(name, help="")


def _refusal(text: str, error: RequestError) -> RequestError:
    """What `text` looks like, where it is no expression."""
    shown = quoted(text)
    if _CHECKPOINT.fullmatch(text) or _exists(text):
        return RequestError(
            f"{shown} looks like a file; checkpoints are not read yet",
            hint=f"a target is {_FORMS}",
        )
    if "(" in text:
        return error
    if _IMPORT_PATH.fullmatch(text) and text.removeprefix("torch.") not in CONSTRUCTORS:
        return RequestError(
            f"{shown} looks like an import path; models are not read yet",
            hint=f"a target is {_FORMS}",
        )
    return RequestError(
        f"{shown} is neither flags nor the constructor call of a recurrent layer",
        hint=f"a target is {_FORMS}",
    )


def _exists(text: str) -> bool:
    try:
        return bool(text) and Path(text).exists()
    except (OSError, ValueError):
        return False
