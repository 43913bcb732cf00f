"""Literal values in parsed Python: numbers, arithmetic on them, strings, devices, dtypes."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeAlias

from rnnshape.errors import RequestError, quoted
from rnnshape.layer.config import MAX_SIZE, DType, Settings, dtype_named

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


def constant(node: ast.expr, name: str) -> Constant:
    """The value of `node`, the argument called `name`. Raises RequestError for what is none."""
    match node:
        case ast.Constant(value=bool() | str() | None as value):
            return value
        case _:
            return _number(node, name)


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
        f"device is {quoted(ast.unparse(node))}, which is not a literal",
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
                f"dtype is {quoted(ast.unparse(node))}, which is none of torch's",
                hint="dtype=torch.float64, or leave it out: no shape depends on it",
            )


def _number(node: ast.expr, name: str) -> int | float:
    try:
        value = _computed(node, name)
    except RequestError:
        raise
    except (ArithmeticError, TypeError, ValueError) as error:
        raise RequestError(
            f"{name}={quoted(ast.unparse(node))} has no value: {error}", hint="write the number"
        ) from error
    if isinstance(value, (int, float)):
        return value
    return _refuse(node, name)


def _computed(node: ast.expr, name: str) -> Any:
    """The number of `node`, a bool or a complex number among them."""
    match node:
        case ast.Constant(value=bool() | int() | float() | complex() as value):
            return _bounded(value, name)
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _SIGNS:
            return _SIGNS[type(sign)](_computed(operand, name))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATIONS:
            numbers = _computed(left, name), _computed(right, name)
            _require_small(sign, *numbers, name)
            return _bounded(_OPERATIONS[type(sign)](*numbers), name)
        case _:
            return _refuse(node, name)


def _bounded(value: Any, name: str) -> Any:
    return _too_large(name) if isinstance(value, int) and abs(value) > MAX_SIZE else value


def _require_small(sign: ast.operator, left: Any, right: Any, name: str) -> None:
    """Refuse a power or a shift whose result would be large, before it is computed."""
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


def _refuse(node: ast.expr, name: str) -> NoReturn:
    raise RequestError(
        f"{name} is {quoted(ast.unparse(node))}, which is not a literal",
        hint="an expression is read, never run: write the value itself",
    )
