"""The constructors of torch.nn's recurrent layers: how they bind arguments, what they refuse.

The checks, their order and the exceptions are those of torch 2.13:
https://github.com/pytorch/pytorch/blob/main/torch/nn/modules/rnn.py.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from types import SimpleNamespace
from typing import Any, Final, NoReturn, TypeAlias

from rnnshape.computed import cached_property
from rnnshape.errors import RequestError, quoted
from rnnshape.layer.config import Kind
from rnnshape.sources.literal import Constant, constant

_SIZES: Final = ("input_size", "hidden_size")
_ACTIVATIONS: Final = ("tanh", "relu")
_LARGEST: Final = sys.float_info.max
# What an argument must be, and an example.
ARGUMENTS: Final[Mapping[str, tuple[str, Constant]]] = {
    "input_size": ("a whole number of 1 or more", 20),
    "hidden_size": ("a whole number of 1 or more", 40),
    "num_layers": ("a whole number of 1 or more", 2),
    "nonlinearity": ("'tanh' or 'relu'", "relu"),
    "bias": ("True or False", True),
    "batch_first": ("True or False", True),
    "dropout": ("a number from 0 to 1", 0.2),
    "bidirectional": ("True or False", True),
    "proj_size": ("0, or in nn.LSTM a whole number smaller than hidden_size", 0),
}


@dataclass(frozen=True, kw_only=True)
class Constructor:
    """One class of torch.nn."""

    kind: Kind
    cell: bool

    @property
    def name(self) -> str:
        """How it is called: `nn.LSTM`."""
        return f"nn.{self.kind.value}{'Cell' * self.cell}"

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments, in order."""
        nonlinearity = ("nonlinearity",) if self.kind is Kind.RNN else ()
        if self.cell:
            return (*_SIZES, "bias", *nonlinearity, "device", "dtype")
        rest = ("bias", "batch_first", "dropout", "bidirectional", "proj_size", "device", "dtype")
        return (*_SIZES, "num_layers", *nonlinearity, *rest)

    @cached_property
    def signature(self) -> Signature:
        """The arguments as Python binds them."""
        kind = Parameter.POSITIONAL_OR_KEYWORD
        return Signature([Parameter(name, kind) for name in self.arguments])

    @property
    def keywords(self) -> tuple[str, ...]:
        """The names that a call may use: RNN and GRU take proj_size only by its place."""
        projects = self.kind is Kind.LSTM
        return tuple(name for name in self.arguments if projects or name != "proj_size")


CONSTRUCTORS: Final = {
    each.name: each
    for each in (Constructor(kind=kind, cell=cell) for cell in (False, True) for kind in Kind)
}


def bind_arguments(constructor: Constructor, call: ast.Call) -> dict[str, ast.expr]:
    """The arguments of a call without `*` and `**`, by name.

    Raises RequestError where Python or PyTorch would raise TypeError.
    """
    words = {str(word.arg): word.value for word in call.keywords}
    _require_own_arguments(constructor, call.args, words)
    try:
        arguments = constructor.signature.bind_partial(*call.args, **words).arguments
    except TypeError as error:
        problem, hint = _unbound(constructor, str(error), call)
        _refuse(problem, raises="TypeError", hint=hint)
    for size in _SIZES:
        if size not in arguments:
            given = {each: ast.unparse(node) for each, node in arguments.items()}
            sizes = ", ".join(f"{n}={given.get(n, ARGUMENTS[n][1])}" for n in _SIZES)
            hint = f"{constructor.name}({sizes})"
            _refuse(f"{constructor.name} needs {size}", raises="TypeError", hint=hint)
    return arguments


def _require_own_arguments(
    constructor: Constructor, places: list[ast.expr], words: Mapping[str, ast.expr]
) -> None:
    """Raise RequestError for what RNN and GRU refuse before they look at anything else."""
    name = constructor.name
    if "proj_size" in words and name in ("nn.GRU", "nn.RNN"):
        problem = f"{name} has no proj_size; only nn.LSTM has one"
        _refuse(problem, raises="ValueError, even for 0", hint="leave proj_size out")
    node = places[3] if len(places) > 3 else words.get("nonlinearity")
    value = constant(node, "nonlinearity") if name == "nn.RNN" and node is not None else "tanh"
    if value not in _ACTIVATIONS:
        hint = "nonlinearity='relu'"
        if isinstance(value, bool) and len(places) > 3:
            inputs, hidden, layers = (quoted(ast.unparse(place)) for place in places[:3])
            meant = f"nn.RNN({inputs}, {hidden}, num_layers={layers}, bidirectional=True)"
            hint = f"argument 4 is nonlinearity; {meant} is bidirectional"
        problem = f"nonlinearity must be 'tanh' or 'relu', not {quoted(repr(value))}"
        _refuse(problem, raises="ValueError", hint=hint)


def _unbound(constructor: Constructor, message: str, call: ast.Call) -> tuple[str, str]:
    """The problem and the hint for a message of Signature.bind_partial."""
    names = constructor.arguments
    match message.split("'"):
        case ["multiple values for argument ", name, _]:
            return f"{name} is given twice", f"give {name} once, by its name"
        case ["got an unexpected keyword argument ", name, _]:
            return f"{constructor.name} has no argument {quoted(name)}", _instead(
                constructor, name, call
            )
        case _:
            problem = f"{constructor.name} takes {len(names)} arguments, not {len(call.args)}"
            return problem, f"they are {', '.join(names)}"


def _instead(constructor: Constructor, name: str, call: ast.Call) -> str:
    """The hint for an unknown argument: the class that has it, or the call that is meant."""
    for other in (f"nn.{constructor.kind.value}", "nn.LSTM", "nn.RNN"):
        if name in CONSTRUCTORS[other].keywords:
            return f"{other} has {name}"
    from rnnshape.synonyms import meant_field, misspelt_field  # only mistakes need them

    known = meant_field(name)
    field = known.field if known else misspelt_field(name)
    words = [word.arg for word in call.keywords]
    places = constructor.arguments[: len(call.args)]
    if field is None or field.name not in constructor.keywords:
        return f"{constructor.name} takes {', '.join(constructor.keywords)}"
    if field.name in (*words, *places):
        return f"leave {name} out: {field.name} is given too"

    def right(word: str | None) -> str | None:
        meant = meant_field(word) if word and word not in constructor.keywords else None
        return field.name if word == name else meant.field.name if meant else word

    renamed = [ast.keyword(right(word.arg), word.value) for word in call.keywords]
    return ast.unparse(ast.Call(call.func, call.args, renamed))


# The argument, what PyTorch raises, and when. Each check relies on those before it.
_Checks: TypeAlias = tuple[tuple[str, str, Callable[[Any], bool]], ...]
_CELL_CHECKS: Final[_Checks] = (
    ("hidden_size", "TypeError", lambda v: not isinstance(v.hidden_size, int)),
    ("input_size", "TypeError", lambda v: not isinstance(v.input_size, int)),
    ("input_size", "RuntimeError", lambda v: v.input_size < 0),
    ("hidden_size", "RuntimeError", lambda v: v.hidden_size < 0),
    ("nonlinearity", "RuntimeError in forward", lambda v: v.nonlinearity not in _ACTIVATIONS),
)
_LAYER_CHECKS: Final[_Checks] = (
    ("dropout", "TypeError", lambda v: v.dropout is None),
    ("dropout", "ValueError", lambda v: isinstance(v.dropout, (str, bool))),
    ("dropout", "OverflowError", lambda v: type(v.dropout) is int and v.dropout > _LARGEST),
    ("dropout", "ValueError", lambda v: not 0 <= v.dropout <= 1),
    ("bias", "TypeError", lambda v: not isinstance(v.bias, bool)),
    ("batch_first", "TypeError", lambda v: not isinstance(v.batch_first, bool)),
    ("input_size", "TypeError", lambda v: not isinstance(v.input_size, int)),
    ("input_size", "ValueError", lambda v: v.input_size <= 0),
    ("hidden_size", "TypeError", lambda v: not isinstance(v.hidden_size, int)),
    ("hidden_size", "ValueError", lambda v: v.hidden_size <= 0),
    ("num_layers", "TypeError", lambda v: not isinstance(v.num_layers, (int, float))),
    ("num_layers", "ValueError", lambda v: v.num_layers <= 0),
    ("proj_size", "TypeError", lambda v: not isinstance(v.proj_size, (int, float))),
    ("proj_size", "ValueError", lambda v: v.proj_size < 0 or v.proj_size >= v.hidden_size),
    ("num_layers", "TypeError", lambda v: isinstance(v.num_layers, float)),
    ("hidden_size", "TypeError", lambda v: v.kind is Kind.RNN and v.hidden_size is True),
    ("proj_size", "TypeError", lambda v: v.proj_size != 0 and type(v.proj_size) is not int),
    ("proj_size", "RuntimeError in forward", lambda v: v.proj_size and v.kind is not Kind.LSTM),
)


def require_accepted(constructor: Constructor, given: Mapping[str, Constant], places: int) -> None:
    """Raise RequestError where PyTorch refuses the values, or builds a layer that cannot run.

    `given` has the values by name; the first `places` of them are written without their names.
    """
    values = SimpleNamespace(**given, kind=constructor.kind)
    for name, raises, refuses in _CELL_CHECKS if constructor.cell else _LAYER_CHECKS:
        if name in given and refuses(values):
            expected, example = ARGUMENTS[name]
            value = given[name]
            if isinstance(value, str) and value.isdecimal() and isinstance(example, int):
                example = int(value)
            hint, place = f"{name}={example!r}", constructor.arguments.index(name) + 1
            if len(_SIZES) < place <= places and name != "num_layers":
                hint = f"argument {place} of {constructor.name} is {name}; name what you mean"
            problem = f"{name} must be {expected}, not {quoted(repr(given[name]))}"
            _refuse(problem, raises=raises, hint=hint)


def _refuse(problem: str, *, raises: str, hint: str) -> NoReturn:
    raise RequestError(f"{problem}; PyTorch raises {raises}", hint=hint)
