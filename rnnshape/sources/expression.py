"""Read Python text that constructs a recurrent layer, as PyTorch would take it; never run it."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from rnnshape.errors import RequestError, quoted
from rnnshape.layer.config import RNNConfig
from rnnshape.layer.subject import Origin
from rnnshape.layer.traps import PositionalBias, Trap, UncheckedFlag, UncheckedSize
from rnnshape.sources import literal
from rnnshape.sources.constructor import (
    ARGUMENTS,
    CONSTRUCTORS,
    Constructor,
    bind_arguments,
    require_accepted,
)
from rnnshape.sources.literal import Constant
from rnnshape.sources.pasted import EXAMPLE_CALL, Construction, construction
from rnnshape.sources.target import Target
from rnnshape.words import CALL

_LONGEST_TEXT: Final = 10_000
_SIZES: Final = ("input_size", "hidden_size", "num_layers", "proj_size")
_FLAGS: Final = ("bias", "batch_first", "bidirectional")
# PyTorch hands these to its kernels as they are, and they refuse the type.
_CHECKED_IN_FORWARD: Final = ("num_layers", "bidirectional")

_PYTHON: Final = re.compile(
    r"\b(?:nn\.\w+|(?:lstm|gru|rnn)(?:cell)?)\s*\("  # a call
    r"|\A\s*(?:>>>|\.\.\. |In \[\d+\]:|\([^()]*\): )"  # a prompt, or what print shows
    r"|\A\s*[\w.]+\s*(?::[^=]*)?=(?:\s|[^(]*\()",  # an assignment
    re.IGNORECASE,
)
_FILE: Final = re.compile(r"\.(?:pt|pth|bin|ckpt|safetensors)(?::[\w.]*)?\s*\Z")

_VALUE: Final = r"(?:[a-z_]+=)?(?:0|[1-9][0-9]{0,17}|True|False)"
_PLAIN: Final = re.compile(
    r"(?:torch\.)?nn\.(?P<class>(?:LSTM|GRU|RNN)(?:Cell)?)"
    rf"\((?P<arguments>{_VALUE}(?:, {_VALUE})*)\)"
)
_FLAG_VALUES: Final[Mapping[str, Any]] = {"True": True, "False": False}

# A line that print shows of an nn.RNN, whatever its nonlinearity.
_PRINTED_RNN: Final = re.compile(
    r"^\s*(?:\(.*\): (?:\d+ x )?)?RNN\(\d+, \d+(?:, \w+=[\w.]+)*\),?\s*$", re.MULTILINE
)

# What a name that other languages write so stands for.
_WORDS: Final[Mapping[str, Constant]] = {
    "true": True,
    "false": False,
    "tanh": "tanh",
    "relu": "relu",
}

# Methods that change neither the layer nor its device and dtype.
_KEEPING: Final = frozenset(
    (
        "eval",
        "train",
        "requires_grad_",
        "flatten_parameters",
        "parameters",
        "named_parameters",
        "state_dict",
    )
)


def looks_like_call(text: str) -> bool:
    """Whether `text` is meant as Python, or as a layer that Python printed, right or wrong.

    Options such as `lstm --hidden 40`, file names and import paths are neither.
    """
    return _PYTHON.search(text) is not None and _FILE.search(text) is None


def read_call(text: str) -> Target:
    """The layer that `text` constructs: `nn.LSTM(20, 40, 4, True)`, `rnn = nn.GRU(20, 40)`.

    The text may be any code in which one recurrent layer is constructed, with or without prompts,
    or what `print` shows of a layer or a model. Values are literals and arithmetic on them. Raises
    RequestError for anything else, and where PyTorch would raise, with the exception's name.
    """
    if len(text) > _LONGEST_TEXT:
        raise RequestError(
            f"the text has {len(text):,} characters; the most is {_LONGEST_TEXT:,}",
            hint=f"give the constructor call alone: {EXAMPLE_CALL}",
        )
    if (plain := _plain(text)) is not None:
        return plain
    try:
        target = _used(construction(text))
    except (RecursionError, MemoryError) as error:
        raise RequestError(
            f"{quoted(text)} is nested too deeply",
            hint=f"give the constructor call alone: {EXAMPLE_CALL}",
        ) from error
    unknown = {"nonlinearity"} if _PRINTED_RNN.search(text) else ()
    return replace(target, unknown=frozenset(unknown))


def _plain(text: str) -> Target | None:
    """The layer of a call of numbers and flags alone, if nothing about it needs an explanation.

    Most calls of a manifest are such, and Python's parser takes several times as long.
    """
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None
    constructor = CONSTRUCTORS[f"nn.{match['class']}"]
    words = [word.rpartition("=") for word in match["arguments"].split(", ")]
    places = sum(not equals for _, equals, _ in words)
    names = [*constructor.arguments[:places], *(name for name, _, _ in words[places:])]
    plain = {*constructor.keywords} - {"nonlinearity", "device", "dtype"}
    once = len(words) == len({*names}) and {*names} <= plain
    if not once or not {*names} >= {"input_size", "hidden_size"}:
        return None
    values = [_FLAG_VALUES.get(value, value) for _, _, value in words]
    given = dict(zip(names, (v if isinstance(v, bool) else int(v) for v in values), strict=True))
    by_name = {name: given[name] for name in constructor.arguments if name in given}
    try:
        return _layer(constructor, by_name, places, text)
    except RequestError:
        return None


def with_arguments(text: str, fields: Mapping[str, Any]) -> str | None:
    """The call in `text` with these arguments too, or None where its class has one of them not."""
    try:
        constructor, call, _ = construction(text)
    except RequestError:
        return None
    for name, value in fields.items():
        if name not in constructor.keywords:
            return None
        place, node = constructor.arguments.index(name), ast.Constant(value)
        if place < len(call.args):
            call.args[place] = node
        else:
            others = [word for word in call.keywords if word.arg != name]
            call.keywords = [*others, ast.keyword(name, node)]
    return ast.unparse(call)


def _used(found: Construction) -> Target:
    """The layer, unless a method that may change it is called on it."""
    _quote_nonlinearity(found.call)
    layer = _target(found.constructor, found.call)
    for method in found.methods:
        if method in ("", "forward"):
            break
        if method not in _KEEPING:
            raise RequestError(
                f".{method}() may change the layer, and the text is read, never run",
                hint=f"leave .{method}() out;"
                " {dtype:name} and {device:name} choose dtype and device",
                dtype="float32",
                device="cpu",
            )
    return layer


def _is_spelled_out(call: ast.Call) -> bool:
    """Whether a call has no `*` and `**`."""
    starred = any(isinstance(node, ast.Starred) for node in call.args)
    return not starred and all(word.arg for word in call.keywords)


def _quote_nonlinearity(call: ast.Call) -> None:
    """Turn what print shows, `RNNCell(20, 40, nonlinearity=relu)`, into valid Python."""
    for word in call.keywords:
        if isinstance(call.func, ast.Name) and word.arg == "nonlinearity":
            value = ast.unparse(word.value)
            word.value = ast.Constant(value) if value in ("tanh", "relu") else word.value


def _target(constructor: Constructor, call: ast.Call) -> Target:
    _require_literals(constructor, call)
    nodes = bind_arguments(constructor, call)
    device, dtype = nodes.pop("device", None), nodes.pop("dtype", None)
    by_name = {name: literal.constant(node, name) for name, node in nodes.items()}
    layer = _layer(constructor, by_name, len(call.args), ast.unparse(call))
    return replace(
        layer,
        device=literal.device(device) if device else None,
        dtype=literal.dtype(dtype) if dtype else None,
    )


def _layer(
    constructor: Constructor, by_name: Mapping[str, Constant], places: int, text: str
) -> Target:
    """The layer of a call with these arguments, the first `places` of them without their names."""
    require_accepted(constructor, by_name, places)
    config = RNNConfig(
        kind=constructor.kind,
        cell=constructor.cell,
        **{name: _taken_as(name, value) for name, value in by_name.items()},
    )
    traps = (*_bias(constructor, places, config, by_name), *_unchecked(by_name))
    given = [*by_name, *(["cell"] if constructor.cell else [])]
    return Target(
        kind=constructor.kind,
        fields={name: getattr(config, name) for name in given},
        origin=Origin(words=CALL, target=text, traps=traps),
    )


def _require_literals(constructor: Constructor, call: ast.Call) -> None:
    """Raise RequestError for arguments whose value is known only when the text is run."""
    words = [str(word.arg) for word in call.keywords]
    if not _is_spelled_out(call):
        raise RequestError(
            f"{quoted(ast.unparse(call))} does not spell out its arguments",
            hint="the text is read, never run: write each argument in place of * and **",
        )
    for word in words:
        if words.count(word) > 1:
            raise RequestError(
                f"{word} is given twice; Python raises SyntaxError", hint=f"give {word} once"
            )
    places = zip(constructor.arguments, call.args, strict=False)
    given = [*places, *((str(word.arg), word.value) for word in call.keywords)]
    unknown = [name for name, node in given if name in ARGUMENTS and not literal.is_literal(node)]
    if unknown:
        node = dict(given)[unknown[0]]
        what = f"{'the name ' * isinstance(node, ast.Name)}{quoted(ast.unparse(node))}"
        more = f"; the same goes for {', '.join(unknown[1:])}" if unknown[1:] else ""
        example, known = _example(constructor, call), {*_WORDS} >= _names(given)
        raise RequestError(
            f"{unknown[0]} must be {ARGUMENTS[unknown[0]][0]}, not {what}{more}",
            hint=example
            if known
            else f"the text is read, never run: write values, as in {example}",
        )


def _example(constructor: Constructor, call: ast.Call) -> str:
    """The call with a value in place of each name; a fixed example where that is wrong too."""
    places = [*zip(constructor.arguments, call.args, strict=False)]
    flags = [flag for name, node in places if (flag := _flag(name, node, constructor))]
    filled = ast.Call(
        func=call.func,
        args=[
            _filled(name, node)
            for name, node in places
            if name in ARGUMENTS and _flag(name, node, constructor) is None
        ],
        keywords=[
            *(ast.keyword(flag, ast.Constant(value=True)) for flag in flags),
            *(
                ast.keyword(word.arg, _filled(str(word.arg), word.value))
                for word in call.keywords
                if word.arg in ARGUMENTS
            ),
        ],
    )
    try:
        return str(_target(constructor, filled).origin.target)
    except RequestError:
        return EXAMPLE_CALL


def _flag(place: str, node: ast.expr, constructor: Constructor) -> str | None:
    """The flag that stands by name in another's place: `batch_first` as argument 4."""
    name = node.id if isinstance(node, ast.Name) else ""
    return name if name in _FLAGS and name in constructor.keywords and name != place else None


def _filled(name: str, node: ast.expr) -> ast.expr:
    if literal.is_literal(node):
        return node
    word = node.id.lower() if isinstance(node, ast.Name) else ""
    return ast.Constant(_WORDS.get(word, ARGUMENTS[name][1]))


def _names(given: Iterable[tuple[str, ast.expr]]) -> set[str]:
    """What stands in the place of values, in small letters."""
    nodes = (node for name, node in given if name in ARGUMENTS and not literal.is_literal(node))
    return {ast.unparse(node).lower() for node in nodes}


def _taken_as(name: str, value: Constant) -> Any:
    """The value as PyTorch uses it."""
    if name in _FLAGS:
        return bool(value)
    if isinstance(value, (bool, int, float)):
        return float(value) if name == "dropout" else int(value)
    return value


def _bias(
    constructor: Constructor, places: int, config: RNNConfig, given: Collection[str]
) -> Iterator[PositionalBias]:
    """The trap of True or False as the last argument by place, where that place is bias."""
    place = constructor.arguments.index("bias") + 1
    if config.cell or places != place or "bidirectional" in given:
        return
    meant = replace(config, bias=True, bidirectional=config.bias)
    yield PositionalBias(bias=config.bias, place=place, meant=meant.constructor)


def _unchecked(by_name: Mapping[str, Constant]) -> Iterator[Trap]:
    """The traps of values of a wrong type that PyTorch's constructor accepts."""
    for name, value in by_name.items():
        runs = name not in _CHECKED_IN_FORWARD
        if name in _FLAGS and not isinstance(value, bool):
            taken_as = bool(value)
            yield UncheckedFlag(name=name, value=value, taken_as=taken_as, runs=runs)
        elif name in _SIZES and isinstance(value, (bool, float)):
            yield UncheckedSize(name=name, value=value, taken_as=int(value), runs=runs)
