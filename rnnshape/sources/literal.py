"""The values of literals in parsed Python: numbers, arithmetic, strings, devices, dtypes."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, Final, TypeAlias

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
_PARTS: Final = (ast.BinOp, ast.UnaryOp, *_OPERATIONS, *_SIGNS)
_MOST_BITS: Final = MAX_SIZE.bit_length()


def is_literal(node: ast.expr) -> bool:
    """Whether `node` is a number, arithmetic on numbers, True, False, None or a string."""
    if isinstance(node, ast.Constant):
        return node.value is None or isinstance(node.value, (int, float, str))
    return all(
        isinstance(part.value, (int, float))
        if isinstance(part, ast.Constant)
        else isinstance(part, _PARTS)
        for part in ast.walk(node)
    )


def constant(node: ast.expr, name: str) -> Constant:
    """The value of a literal, the argument called `name`.

    Raises RequestError where arithmetic gives no real number, or one of over 500 digits.
    """
    try:
        value: Constant | complex = _computed(node, name)
    except (ArithmeticError, TypeError, ValueError) as error:
        if isinstance(error, RequestError):
            raise
        reason = error.args[-1]
    else:
        if not isinstance(value, complex):
            return value
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
    """The value of a literal; arithmetic may give a complex number."""
    value: Any
    match node:
        case ast.Constant():
            value = node.value
        case ast.UnaryOp():
            value = _SIGNS[type(node.op)](_computed(node.operand, name))
        case ast.BinOp():
            left, right = _computed(node.left, name), _computed(node.right, name)
            whole = isinstance(left, int) and isinstance(right, int)
            if whole and isinstance(node.op, (ast.Pow, ast.LShift)) and right > _MOST_BITS:
                value = MAX_SIZE + 1  # a result that could take long to compute
            else:
                value = _OPERATIONS[type(node.op)](left, right)
        case _:
            raise TypeError(f"{type(node).__name__} is not a literal")
    if isinstance(value, int) and abs(value) > MAX_SIZE:
        raise RequestError(f"{name} has over 500 digits", hint="give a smaller number")
    return value
