"""A constructor call as Python text, read as PyTorch would take it and never evaluated."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from rnnshape.errors import RequestError, quoted
from rnnshape.layer.config import DType, RNNConfig
from rnnshape.layer.findings import PositionalBias, Trap, UncheckedFlag, UncheckedSize
from rnnshape.sources import literal
from rnnshape.sources.constructor import CONSTRUCTORS, Constructor, Values, bound
from rnnshape.sources.literal import Constant

_LONGEST_TEXT: Final = 10_000
_EXAMPLE: Final = "nn.LSTM(20, 40, num_layers=4, bidirectional=True)"

_PREFIXES: Final = ("torch.nn.", "nn.", "")
_SIZES: Final = ("input_size", "hidden_size", "num_layers", "proj_size")
_FLAGS: Final = ("bias", "batch_first", "bidirectional")
# Handed to PyTorch's kernels as they are, which then refuse the type.
_CHECKED_IN_FORWARD: Final = ("num_layers", "bidirectional")


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a constructor call says. `device` and `dtype` are None where it does not say."""

    text: str  # the call as Python writes it: ASCII, on one line
    config: RNNConfig
    given: frozenset[str]  # fields of config that the call tells
    traps: tuple[Trap, ...]
    device: str | None = None
    dtype: DType | None = None


def parse(text: str) -> Parsed:
    """The layer that `text` would construct: `nn.LSTM(20, 40, 4, True)`, or `name = nn.GRU(...)`.

    Values are literals and arithmetic on them. Raises RequestError for anything else, and where
    PyTorch would raise, with the exception's name.
    """
    try:
        return _parsed(_call(text))
    except (RecursionError, MemoryError) as error:
        raise RequestError(
            f"{quoted(text)} is nested too deeply", hint=f"a constructor call alone: {_EXAMPLE}"
        ) from error


def _call(text: str) -> ast.Call:
    """The call that is all of `text`, or the value that it assigns."""
    if len(text) > _LONGEST_TEXT:
        raise RequestError(
            f"an expression of {len(text):,} characters; the most is {_LONGEST_TEXT:,}",
            hint=f"a constructor call alone: {_EXAMPLE}",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice on text like `1if x`
            statements = ast.parse(text.strip()).body
    except (SyntaxError, ValueError) as error:
        reason = error.msg.partition(";")[0] if isinstance(error, SyntaxError) else "no text"
        raise RequestError(
            f"{quoted(text)} is no Python expression: {reason}", hint=_EXAMPLE
        ) from error
    match statements:
        case [ast.Expr(value=ast.Call() as call)]:
            return call
        case [ast.Assign(value=ast.Call() as call) | ast.AnnAssign(value=ast.Call() as call)]:
            return call
        case _:
            raise RequestError(
                f"{quoted(text)} is no call of a recurrent layer",
                hint=f"one constructor with literal arguments: {_EXAMPLE}",
            )


def _constructor(function: ast.expr) -> Constructor:
    name = _dotted(function)
    for prefix in _PREFIXES:
        if name.startswith(prefix) and f"nn.{name.removeprefix(prefix)}" in CONSTRUCTORS:
            return CONSTRUCTORS[f"nn.{name.removeprefix(prefix)}"]
    raise RequestError(
        f"{quoted(name or ast.unparse(function))} is no recurrent layer of torch.nn",
        hint=f"one of {', '.join(CONSTRUCTORS)}, as in {_EXAMPLE}",
    )


def _dotted(node: ast.expr) -> str:
    """`torch.nn.LSTM` for names joined by dots, else nothing."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def _parsed(call: ast.Call) -> Parsed:
    constructor = _constructor(call.func)
    nodes = bound(constructor, call)
    device, dtype = nodes.pop("device", None), nodes.pop("dtype", None)
    by_name = {name: literal.constant(node, name) for name, node in nodes.items()}
    values = Values(constructor=constructor, by_name=by_name, places=len(call.args))
    values.require_accepted()
    config = RNNConfig(
        kind=constructor.kind,
        cell=constructor.cell,
        **{name: _taken_as(name, value) for name, value in by_name.items()},
    )
    return Parsed(
        text=ast.unparse(call),
        config=config,
        given=frozenset([*by_name, *(["cell"] if constructor.cell else [])]),
        traps=(*_bias(values, config), *_unchecked(by_name)),
        device=literal.device(device) if device else None,
        dtype=literal.dtype(dtype) if dtype else None,
    )


def _taken_as(name: str, value: Constant) -> Any:
    """The value that PyTorch's own use of the argument makes of it."""
    if name in _FLAGS:
        return bool(value)
    if isinstance(value, (bool, int, float)):
        return float(value) if name == "dropout" else int(value)
    return value


def _bias(values: Values, config: RNNConfig) -> Iterator[PositionalBias]:
    """True or False in the place after num_layers, the last place that is told."""
    place = values.constructor.arguments.index("bias") + 1
    if config.cell or values.places != place or "bidirectional" in values.by_name:
        return
    meant = replace(config, bias=True, bidirectional=config.bias)
    yield PositionalBias(bias=config.bias, place=place, meant=meant.constructor)


def _unchecked(by_name: Mapping[str, Constant]) -> Iterator[Trap]:
    """Values of another type that PyTorch's constructor takes without a word."""
    for name, value in by_name.items():
        runs = name not in _CHECKED_IN_FORWARD
        if name in _FLAGS and not isinstance(value, bool):
            taken_as = bool(value)
            yield UncheckedFlag(name=name, value=value, taken_as=taken_as, runs=runs)
        elif name in _SIZES and isinstance(value, (bool, float)):
            yield UncheckedSize(name=name, value=value, taken_as=int(value), runs=runs)
