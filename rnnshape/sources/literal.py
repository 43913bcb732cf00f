"""Literal values in parsed Python: numbers, arithmetic on them, strings, devices, dtypes."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeAlias

from rnnshape.errors import RequestError, quoted
from rnnshape.layer.config import MAX_SIZE
from rnnshape.layer.settings import DType, Settings, dtype_named

Constant: TypeAlias = "int | float | str | bool | None"

_OPERATIONS: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}
_SIGNS: Final[dict[type[ast.unaryop], Callable[[Any], Any]]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_MOST_BITS: Final = MAX_SIZE.bit_length()


def is_literal(node: ast.expr) -> bool:
    """Whether `node` is a number, arithmetic on numbers, True, False, None or a string."""
    match node:
        case ast.Constant(value=str() | None):
            return True
        case _:
            return _is_number(node)


def _is_number(node: ast.expr) -> bool:
    match node:
        case ast.UnaryOp(op=sign, operand=operand):
            return type(sign) in _SIGNS and _is_number(operand)
        case ast.BinOp(left=left, op=sign, right=right):
            return type(sign) in _OPERATIONS and _is_number(left) and _is_number(right)
        case _:
            return isinstance(node, ast.Constant) and isinstance(node.value, (int, float))


def constant(node: ast.expr, name: str) -> Constant:
    """The value of a literal, the argument called `name`.

    Raises RequestError where arithmetic gives no real number, or one of over 500 digits.
    """
    match node:
        case ast.Constant(value=str() | None as value):
            return value
        case _:
            pass
    try:
        number = _computed(node, name)
    except RequestError:
        raise
    except (ArithmeticError, TypeError, ValueError) as error:
        reason = error.args[-1]
    else:
        if isinstance(number, (int, float)):
            return number
        reason = "it is complex"
    raise RequestError(
        f"{name}={quoted(ast.unparse(node))} has no value: {reason}", hint="write the number"
    )


def device(node: ast.expr) -> str | None:
    """A device by PyTorch's name: `"cuda:1"`, `torch.device("cuda", 1)`."""
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str() as name):
            return Settings(device=name).device
        case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="device"), keywords=[]):
            match node.args:
                case [ast.Constant(value=str() as name)]:
                    return Settings(device=name).device
                case [ast.Constant(value=str() as name), ast.Constant(value=int() as index)]:
                    return Settings(device=f"{name}:{index}").device
                case _:
                    pass
        case _:
            pass
    raise RequestError(
        f"device must be a name in quotes, not {quoted(ast.unparse(node))}",
        hint="device='cuda:0', or leave it out: no shape depends on it",
    )


def dtype(node: ast.expr) -> DType | None:
    """A dtype by PyTorch's name, `torch.float64`, or one of Python's, `float`."""
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Attribute(value=ast.Name(id="torch"), attr=name):
            return dtype_named(name)
        case ast.Name(id="float"):
            return DType.FLOAT64
        case ast.Name(id="complex"):
            return DType.COMPLEX128
        case _:
            raise RequestError(
                f"dtype must be one of torch's, not {quoted(ast.unparse(node))}",
                hint="dtype=torch.float64, or leave it out: no shape depends on it",
            )


def _computed(node: ast.expr, name: str) -> Any:
    """The number that `node` comes to, which may be complex."""
    if isinstance(node, ast.Constant):
        return _bounded(node.value, name)
    if isinstance(node, ast.UnaryOp):
        return _SIGNS[type(node.op)](_computed(node.operand, name))
    assert isinstance(node, ast.BinOp)
    numbers = _computed(node.left, name), _computed(node.right, name)
    _require_small(node.op, *numbers, name)
    return _bounded(_OPERATIONS[type(node.op)](*numbers), name)


def _bounded(value: Any, name: str) -> Any:
    return _too_large(name) if isinstance(value, int) and abs(value) > MAX_SIZE else value


def _require_small(sign: ast.operator, left: Any, right: Any, name: str) -> None:
    """Refuse a power or a shift before it is computed, where its result would be too large."""
    if not (isinstance(left, int) and isinstance(right, int)):
        return
    if isinstance(sign, ast.Pow):
        bits = right * math.log2(max(abs(left), 1))
    elif isinstance(sign, ast.LShift):
        bits = left.bit_length() + right
    else:
        return
    if bits > _MOST_BITS:
        _too_large(name)


def _too_large(name: str) -> NoReturn:
    raise RequestError(f"{name} has over 500 digits", hint="give a smaller number")
