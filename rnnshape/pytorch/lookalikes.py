"""Modules that look recurrent but are not torch.nn's: a class of another name, a loop.

None of them runs; a loop is found in the source of `forward`, if that can be read.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Collection, Iterator
from typing import Any, Final

from torch import nn

from rnnshape.errors import counted, quoted
from rnnshape.pytorch.converted import runs_recurrence
from rnnshape.pytorch.existing import named_modules
from rnnshape.silence import module_of

# Parts of the names of recurrent classes, as words: `LiGRU`, `CfCCell`, `RNNModel`, `MinGRU`.
_NAME: Final = re.compile(
    r"(LSTM|GRU|RNN(?!T)|SRU(?![a-z])|LMU(?![a-z])|CfC|LTC(?![a-z])|Recurrent|Rnn(?![a-z])"
    r"|Lstm|Gru(?![a-z])|rnn(?![a-z])|lstm|gru(?![a-z]))"
)
_NOT_RECURRENT: Final = re.compile(r"Loss|Criterion|Embedding|Dropout|Norm|R-?CNN")
_MOST_NAMED: Final = 6
_LAYERS: Final = (nn.RNNBase, nn.RNNCellBase)


def lookalikes(model: nn.Module, layers: Collection[str]) -> tuple[str, ...]:
    """A sentence on each module that looks recurrent but neither is nor holds a layer.

    `layers` are the names of the model's recurrent layers.
    """
    around = {name[:end] for name in layers for end in _ends(name)} | ({""} if layers else set())
    found: dict[str, str] = {}
    for name, module in named_modules(model):
        if name in around or any(name.startswith(f"{each}.") for each in (*layers, *found) if each):
            continue
        if "" in layers:
            break
        if reason := _reason(module):
            found[name] = f"{name or 'the model'} {reason}"
    if len(found) > 1:
        found.pop("", None)  # its parts say more
    sentences = list(found.values())
    more = len(sentences) - _MOST_NAMED
    rest = [f"so do {more:,} more modules"] if more > 0 else []
    return (*sentences[:_MOST_NAMED], *rest)


def unregistered(model: nn.Module) -> Iterator[str]:
    """A sentence on each plain list, tuple or dict in which a model has layers of its own.

    PyTorch does not look into them: such layers are neither trained nor saved with the model.
    """
    own = {id(module) for _, module in named_modules(model)}
    for prefix, module in named_modules(model):
        for attribute, value in vars(module).items():
            if type(value) not in (list, tuple, dict):
                continue
            within = value.values() if isinstance(value, dict) else value
            layers = [each for each in within if isinstance(each, _LAYERS) and id(each) not in own]
            if layers:
                name = f"{prefix}.{attribute}" if prefix else attribute
                plain = f"{name} is a plain {type(value).__name__}"
                instead = "nn.ModuleDict" if isinstance(value, dict) else "nn.ModuleList"
                count = counted(len(layers), "recurrent layer")
                yield f"{plain} with {count}, which PyTorch does not see: make it an {instead}"


def _ends(name: str) -> Iterator[int]:
    """Where the names of the modules around a module, and its own, end."""
    yield from (place for place, letter in enumerate(name) if letter == ".")
    yield len(name)


def _reason(module: nn.Module) -> str:
    """What looks recurrent, as the rest of a sentence; "" if nothing does."""
    if runs_recurrence(module):
        return "is TorchScript that runs a recurrent layer whose weights are constants of its code"
    own: type[object] = type(module)
    if own.__module__.startswith("torch."):
        return ""
    if _NAME.search(own.__name__) and not _NOT_RECURRENT.search(own.__name__):
        return f"is a {quoted(own.__name__)}, which is not a recurrent layer of torch.nn"
    if _loops(own):
        return (
            f"is a {quoted(own.__name__)}, whose forward is a loop that carries a state:"
            " it is not a recurrent layer of torch.nn"
        )
    return ""


def _loops(own: Any) -> bool:
    """Whether `forward` has a loop over steps that gives a module what it made a step before."""
    try:
        tree = module_of(textwrap.dedent(inspect.getsource(own.forward)))
    except (OSError, TypeError, SyntaxError, ValueError, AttributeError, RecursionError):
        return False
    loops = (node for node in ast.walk(tree) if isinstance(node, ast.For))
    return any(_carries(loop) for loop in loops)


def _carries(loop: ast.For) -> bool:
    """Whether what a loop computes from a step, by modules of `self`, goes into the next one."""
    steps = _names(loop.target, ast.Store)
    reads_step = reads_state = False
    for statement in loop.body:
        for node in ast.walk(statement):
            if not isinstance(node, (ast.Assign, ast.AugAssign)):
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            stored = {name for target in targets for name in _names(target, ast.Store)}
            read = _names(node.value, ast.Load)
            shared = _of_self(node.value)
            reads_step |= shared and bool(steps & read)
            reads_state |= shared and bool(stored & _given_to_self(node.value))
    return reads_step and reads_state


def _names(tree: ast.AST, context: type[ast.expr_context]) -> set[str]:
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }


def _of_self(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Call) and _is_own(node.func) for node in ast.walk(tree))


def _given_to_self(tree: ast.AST) -> set[str]:
    """The names that are read by the arguments of calls of `self.something`."""
    calls = (n for n in ast.walk(tree) if isinstance(n, ast.Call) and _is_own(n.func))
    return {
        name
        for call in calls
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
        for name in _names(argument, ast.Load)
    }


def _is_own(function: ast.expr) -> bool:
    """Whether this is `self.name`: the same module or method at each step."""
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "self"
    )
