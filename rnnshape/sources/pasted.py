"""Find where a text constructs a recurrent layer: in code, a session or a printed model."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from textwrap import dedent
from typing import Final, NamedTuple

from rnnshape.errors import RequestError, near, quoted
from rnnshape.silence import module_of
from rnnshape.sources.constructor import CONSTRUCTORS, Constructor

EXAMPLE_CALL: Final = "nn.LSTM(20, 40, num_layers=4, bidirectional=True)"

# Not `rnn.LSTM`: other libraries have one.
_CLASS: Final = r"(?:(?:torch\.)?nn\.(?:modules\.(?:rnn\.)?)?)?(?:LSTM|GRU|RNN)(?:Cell)?"
_TYPED: Final = re.compile(r"^[ \t]*(?:>>>|\.\.\.:?|In \[\d+\]:) ?(.*)", re.MULTILINE)
# A key of a dict, or the name that print shows before a module: `(0): `, `(0-3): 4 x `.
_LABEL: Final = re.compile(r"\s*(?:\([^()\n]*\)|'[^'\n]*'|\"[^\"\n]*\"):")
_LINE: Final = re.compile(rf"^(?:[^#\n]*[:=])?[ \t]*(?:\d+ x )?({_CLASS}[ \t]*\(.*)", re.MULTILINE)
_FOREIGN_BLANK: Final = re.compile(r"[^\S\x00-\x7f]")


class Construction(NamedTuple):
    """A call of a recurrent layer's class, and what is called on the layer."""

    constructor: Constructor
    call: ast.Call
    methods: tuple[str, ...]  # their names, "" where the layer itself is called


def construction(text: str) -> Construction:
    """The one construction in `text`. Raises RequestError where there is none, or several.

    The text is read whole, as Python, and where that fails, line by line.
    """
    refusals: list[RequestError] = []
    for reading in _readings(text):
        try:
            found = _constructions(reading, text)
        except RequestError as error:  # noqa: PERF203 - a later reading may do
            refusals.append(error)
        else:
            return _only(found)
    raise refusals[0]


def _readings(text: str) -> Iterator[str]:
    """The ways to read `text` as Python, most likely first."""
    text = _FOREIGN_BLANK.sub(" ", text)  # web pages have some that Python does not accept
    typed = "\n".join(_TYPED.findall(text)) or text
    yield typed[label.end() :] if (label := _LABEL.match(typed)) else typed
    yield text
    first, _, rest = text.partition("\n")
    yield f"{first.strip()}\n{dedent(rest)}"  # a selection that begins within a line
    if lines := _LINE.findall(text):
        yield "\n".join(lines)


def _constructions(reading: str, text: str) -> list[Construction]:
    """Every construction in `reading`. Raises RequestError, which quotes `text`, for none."""
    nodes = list(ast.walk(_module(reading, text)))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    found = [
        Construction(constructor, call, tuple(_methods(call, nodes)))
        for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset))
        if (constructor := _constructor(call.func))
    ]
    if found:
        return found
    if calls:
        raise RequestError(
            "{} is not a recurrent layer of torch.nn",
            quoted(ast.unparse(calls[0].func)),
            _meant(calls[0]) or f"one of {', '.join(CONSTRUCTORS)}, as in {EXAMPLE_CALL}",
            hint="{}",
        )
    raise RequestError(
        f"{quoted(text)} is not a call of a recurrent layer",
        hint=f"call one with the values written out: {EXAMPLE_CALL}",
    )


def _meant(call: ast.Call) -> str | None:
    """The same call of the class whose name differs in capitals or is misspelt, if there is one."""
    classes = {name.lower(): name for name in CONSTRUCTORS}
    name = ast.unparse(call.func).lower().removeprefix("torch.").removeprefix("nn.")
    found = near(f"nn.{name.removeprefix('bi')}", classes)
    if found is None:
        return None
    both = [ast.keyword("bidirectional", ast.Constant(value=True))] if name.startswith("bi") else []
    return ast.unparse(ast.Call(ast.Name(classes[found]), call.args, [*call.keywords, *both]))


def _module(reading: str, text: str) -> ast.Module:
    try:
        return module_of(dedent(reading).strip())
    except (SyntaxError, ValueError) as error:  # a null character raises ValueError
        syntax = error.msg.partition(";")[0] if isinstance(error, SyntaxError) else ""
        reason = syntax or "it has characters that Python does not allow"
        hint = _closed(text) or _corrected(text) or f"as in {EXAMPLE_CALL}"
        raise RequestError("{} is not Python: {}", quoted(text), reason, hint, hint="{}") from error


def _closed(text: str) -> str | None:
    """The text with the brackets closed that are left open, if that is a call of a layer."""
    for missing in (")", "))"):
        with suppress(SyntaxError, ValueError):
            module_of(f"{text}{missing}")
            if "\n" not in text and _LINE.search(text):
                return f"{text}{missing}"
    return None


_CORRECTIONS: Final = (
    (re.compile(r"(?<=\w)\s*(?:==|:=?)\s*(?=[\w.'\"]+\s*[,)])"), "="),
    (re.compile(r"(?<=\w)-(?=[a-z]+\s*=)"), "_"),
    (re.compile(r"\s*;\s*"), ", "),
    (re.compile(r"(?<=[\w'\"])\s+(?=[\w'\"])"), ", "),
)


def _corrected(text: str) -> str | None:
    """The call with the signs of Python between its arguments, for `nn.LSTM(100 256)`."""
    call = re.fullmatch(rf"\s*({_CLASS})\s*\(([^()\n]*)\)\s*;?\s*", text)
    if call is None:
        return None
    arguments = f"{call[2]})"
    for wrong, right in _CORRECTIONS:
        arguments = wrong.sub(right, arguments)
    corrected = f"{call[1]}({arguments}"
    with suppress(SyntaxError, ValueError):
        module_of(corrected)
        return corrected
    return None


def _only(found: list[Construction]) -> Construction:
    if len(found) == 1:
        return found[0]
    calls = [quoted(ast.unparse(each.call)) for each in found]
    more = f" and {len(calls) - 3} more" if len(calls) > 3 else ""
    raise RequestError(
        f"{len(calls)} recurrent layers are constructed: {', '.join(calls[:3])}{more}",
        hint=f"give one at a time: {calls[0]}",
    )


def _constructor(function: ast.expr) -> Constructor | None:
    names: list[str] = []
    while isinstance(function, ast.Attribute):
        names.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name):
        return None
    names.append(function.id)
    is_class = re.fullmatch(_CLASS, ".".join(reversed(names)))
    return CONSTRUCTORS[f"nn.{names[0]}"] if is_class else None


def _methods(layer: ast.expr, nodes: Sequence[ast.AST]) -> Iterator[str]:
    """What is called on a layer, in order: `nn.LSTM(20, 40).eval()(x)` gives `eval` and ""."""
    attributes = (each for each in nodes if isinstance(each, ast.Attribute))
    attribute = next((each for each in attributes if each.value is layer), None)
    calls = (each for each in nodes if isinstance(each, ast.Call))
    call = next((each for each in calls if each.func is (attribute or layer)), None)
    if call is not None:
        yield attribute.attr if attribute else ""
        yield from _methods(call, nodes)
