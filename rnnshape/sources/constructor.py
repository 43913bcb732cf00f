"""The constructors of torch.nn's recurrent layers: arguments by place and name, and verdicts.

What PyTorch accepts, and which exception it raises otherwise, is that of torch 2.13, check by
check in its order: https://github.com/pytorch/pytorch/blob/main/torch/nn/modules/rnn.py.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from rnnshape.errors import RequestError, nearest, quoted
from rnnshape.layer.config import Kind
from rnnshape.sources.literal import Constant, constant

_SIZES: Final = ("input_size", "hidden_size")
_ACTIVATIONS: Final = ("tanh", "relu")
_LARGEST_FLOAT: Final = sys.float_info.max
# What would do, for an argument with a value that does not.
_EXAMPLES: Final[Mapping[str, Constant]] = {
    "input_size": 20,
    "hidden_size": 40,
    "num_layers": 2,
    "proj_size": 0,
    "dropout": 0.2,
    "nonlinearity": "relu",
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

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments in the order of their places."""
        nonlinearity = ("nonlinearity",) if self.kind is Kind.RNN else ()
        if self.cell:
            return (*_SIZES, "bias", *nonlinearity, "device", "dtype")
        rest = ("bias", "batch_first", "dropout", "bidirectional", "proj_size", "device", "dtype")
        return (*_SIZES, "num_layers", *nonlinearity, *rest)

    @property
    def keywords(self) -> tuple[str, ...]:
        """The names that may be written: RNN and GRU take proj_size by its place alone."""
        projects = self.kind is Kind.LSTM
        return tuple(name for name in self.arguments if projects or name != "proj_size")


CONSTRUCTORS: Final = {
    each.name: each
    for each in (Constructor(kind=kind, cell=cell) for cell in (False, True) for kind in Kind)
}


def bound(constructor: Constructor, call: ast.Call) -> dict[str, ast.expr]:
    """The arguments by name. Raises RequestError where Python or PyTorch does not bind them."""
    names, keywords = constructor.arguments, [word.arg for word in call.keywords]
    if None in keywords or any(isinstance(place, ast.Starred) for place in call.args):
        raise RequestError(
            f"the arguments of {constructor.name} are not written out",
            hint="an expression is read, never run: write each argument in place of * and **",
        )
    _require_own_arguments(constructor, call)
    if len(call.args) > len(names):
        _refuse(
            f"{constructor.name} takes {len(names)} arguments, not {len(call.args)}",
            raises="TypeError",
            hint=f"they are {', '.join(names)}",
        )
    arguments = dict(zip(names, call.args, strict=False))
    for word in call.keywords:
        name = str(word.arg)
        if name not in constructor.keywords:
            _refuse(
                f"{constructor.name} has no argument {quoted(name)}",
                raises="TypeError",
                hint=_instead(constructor, name),
            )
        if name in arguments:
            _refuse(
                f"{name} is given twice", raises="TypeError", hint=f"give {name} once, by its name"
            )
        arguments[name] = word.value
    for name in _SIZES:
        if name not in arguments:
            _refuse(
                f"{constructor.name} needs {name}",
                raises="TypeError",
                hint=f"{constructor.name}(20, 40), as in input_size=20, hidden_size=40",
            )
    return arguments


def _require_own_arguments(constructor: Constructor, call: ast.Call) -> None:
    """What RNN and GRU refuse before they look at anything else."""
    if constructor.cell:
        return
    words = {word.arg: word.value for word in call.keywords}
    if "proj_size" in words and constructor.kind is not Kind.LSTM:
        _refuse(
            f"{constructor.name} has no proj_size; only nn.LSTM has",
            raises="ValueError, even for 0",
            hint="leave proj_size out",
        )
    if constructor.kind is not Kind.RNN:
        return
    node = call.args[3] if len(call.args) > 3 else words.get("nonlinearity")
    value = "tanh" if node is None else constant(node, "nonlinearity")
    if value not in _ACTIVATIONS:
        _refuse(
            f"nonlinearity must be 'tanh' or 'relu', not {quoted(repr(value))}",
            raises="ValueError",
            hint=_bidirectional(call) if isinstance(value, bool) else "nonlinearity='relu'",
        )


def _bidirectional(call: ast.Call) -> str:
    """The call that was meant where True stands in the fourth place."""
    sizes = [quoted(ast.unparse(node)) for node in call.args[:3]]
    if len(sizes) < 3:
        return "nonlinearity='relu'"
    meant = f"nn.RNN({sizes[0]}, {sizes[1]}, num_layers={sizes[2]}, bidirectional=True)"
    return f"argument 4 is nonlinearity; {meant} is bidirectional"


def _instead(constructor: Constructor, name: str) -> str:
    """The argument that may be meant, or the class that has it."""
    for other in (f"nn.{constructor.kind.value}", "nn.LSTM", "nn.RNN"):
        if name in CONSTRUCTORS[other].keywords:
            return f"{other} has {name}"
    near = nearest(name, constructor.keywords)
    return f"{near}=...; {constructor.name} takes {', '.join(constructor.keywords)}"


@dataclass(frozen=True, kw_only=True)
class Values:
    """Literal arguments by name; the first `places` names of the constructor are told by place."""

    constructor: Constructor
    by_name: Mapping[str, Constant]
    places: int

    def require_accepted(self) -> None:
        """Raise RequestError where PyTorch refuses the values, or builds what cannot run."""
        if self.constructor.cell:
            self._require_cell()
        else:
            self._require_layer()

    def _require_layer(self) -> None:
        self._require_probability()
        for name in ("bias", "batch_first"):
            if not isinstance(self.by_name.get(name, True), bool):
                self._refuse(name, "True or False", raises="TypeError")
        for name in _SIZES:
            if not isinstance(self.by_name[name], int):
                self._refuse(name, _whole(1), raises="TypeError")
            self._require_least(name, 1)
        self._require_least("num_layers", 1)
        self._require_least("proj_size", 0)
        self._require_narrower()
        if isinstance(self.by_name.get("num_layers"), float):
            self._refuse("num_layers", _whole(1), raises="TypeError")
        if self.constructor.kind is Kind.RNN and self.by_name["hidden_size"] is True:
            self._refuse("hidden_size", _whole(1), raises="TypeError")
        self._require_projection()

    def _require_probability(self) -> None:
        value = self.by_name.get("dropout", 0.0)
        expected = "a number from 0 to 1"
        if value is None:
            self._refuse("dropout", expected, raises="TypeError")
        if isinstance(value, int) and value > _LARGEST_FLOAT:
            self._refuse("dropout", expected, raises="OverflowError")
        if isinstance(value, (str, bool)) or not 0 <= value <= 1:
            self._refuse("dropout", expected, raises="ValueError")

    def _require_least(self, name: str, least: int) -> None:
        """What PyTorch checks by comparing, so that True and 2.0 pass."""
        value = self.by_name.get(name, least)
        if value is None or isinstance(value, str):
            self._refuse(name, _whole(least), raises="TypeError")
        if value < 0 or value == 0 < least:
            self._refuse(name, _whole(least), raises="ValueError")

    def _require_narrower(self) -> None:
        hidden, projection = self.by_name["hidden_size"], self.by_name.get("proj_size", 0)
        assert isinstance(hidden, int)
        assert isinstance(projection, (int, float))
        if projection >= hidden:
            self._refuse("proj_size", f"smaller than hidden_size {hidden}", raises="ValueError")

    def _require_projection(self) -> None:
        value = self.by_name.get("proj_size")
        if not value:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            self._refuse("proj_size", _whole(0), raises="TypeError")
        if self.constructor.kind is not Kind.LSTM:
            name = self.constructor.name
            self._refuse("proj_size", f"0: {name} has none", raises="RuntimeError in forward")

    def _require_cell(self) -> None:
        for name in ("hidden_size", "input_size"):
            if not isinstance(self.by_name[name], int):
                self._refuse(name, _whole(1), raises="TypeError")
        for name in _SIZES:
            size = self.by_name[name]
            if isinstance(size, int) and size < 0:
                self._refuse(name, _whole(1), raises="RuntimeError")
        if self.by_name.get("nonlinearity", "tanh") not in _ACTIVATIONS:
            self._refuse("nonlinearity", "'tanh' or 'relu'", raises="RuntimeError in forward")

    def _refuse(self, name: str, expected: str, *, raises: str) -> NoReturn:
        place = self.constructor.arguments.index(name) + 1
        _refuse(
            f"{name} must be {expected}, not {quoted(repr(self.by_name[name]))}",
            raises=raises,
            hint=f"argument {place} of {self.constructor.name} is {name}; name what you mean"
            if len(_SIZES) < place <= self.places
            else f"{name}={_EXAMPLES.get(name, True)!r}",
        )


def _whole(least: int) -> str:
    return f"a whole number of {least} or more"


def _refuse(problem: str, *, raises: str, hint: str) -> NoReturn:
    raise RequestError(f"{problem}; PyTorch raises {raises}", hint=hint)
