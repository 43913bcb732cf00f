"""Archives of torch.jit.save; their code is searched as text, and never compiled."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, BinaryIO, Final

from rnnshape.sources.files import zipped
from rnnshape.sources.files.contents import Contents, StateDict, StoredTensor
from rnnshape.sources.files.found import Module, found, path_of
from rnnshape.sources.files.pickled import Record

_ROOT: Final = "__torch__."
_MANGLED: Final = re.compile(r"___torch_mangle_[0-9]+\.")
_MOST_CODE: Final = 1 << 22  # bytes, of all files with code; what comes after is not searched
_LONGEST_LINE: Final = 2000  # characters; searching longer ones could take very long

_HELD: Final = re.compile(r"  __(?:parameters|buffers)__ = \[(.*)\]")
_CONSTANT: Final = re.compile(r'  (?:__annotations__\["([^"]+)"\]|(\w+)) ?[:=] Final\[.*?\] = (.+)')
_LIST: Final = re.compile(r" *(\w+) = \[((?:CONSTANTS\.c[0-9]+(?:, )?)+)\]")
_CALL: Final = re.compile(
    r"torch\.(lstm|gru|rnn_tanh|rnn_relu)\((.*)"
    r", (True|False), ([0-9]+), ([0-9.e+-]+), [^,]+, (True|False)(?:, (True|False))?\)"
)
_CELL: Final = re.compile(r"torch\.rnn_(tanh|relu)_cell\(")
_WEIGHTS: Final = re.compile(r"\w+|\[(?:CONSTANTS\.c[0-9]+(?:, )?)+\]")
_MODES: Final = {"lstm": "LSTM", "gru": "GRU", "rnn_tanh": "RNN_TANH", "rnn_relu": "RNN_RELU"}


@dataclass(frozen=True, kw_only=True)
class _Class:
    """What the code of a class says besides the state of its objects."""

    tensors: frozenset[str] | None = None  # the names of parameters and buffers; None: any
    constants: Mapping[str, Any] = field(default_factory=dict)


def is_torchscript(names: Collection[str], folder: str) -> bool:
    """Whether an archive whose entries are in `folder` has code beside its data."""
    code = f"{folder}code/"
    return f"{folder}constants.pkl" in names or any(name.startswith(code) for name in names)


def contents(
    file: BinaryIO, entries: Mapping[str, zipped.Entry], folder: str, value: Any, constants: Any
) -> Contents:
    """What the archive holds.

    `value` is that of its data.pkl, and `constants` that of its constants.pkl. Raises RequestError
    for an archive that is damaged.
    """
    code = _Code(file, entries, folder)
    result = found(value, "TorchScript archive", code.module)
    frozen = tuple(code.frozen(value, constants))
    held = {id(tensor) for each in frozen for tensor in each.tensors.values()}
    return replace(result, dicts=(*result.dicts, *frozen), tensors=result.tensors + len(held))


class _Code:
    """The files with code in an archive, each read when it is needed first."""

    def __init__(self, file: BinaryIO, entries: Mapping[str, zipped.Entry], folder: str) -> None:
        self._file = file
        self._entries = entries
        self._folder = folder
        self._classes: dict[str, Mapping[str, list[str]]] = {}  # by file, the lines of each class
        self._said: dict[str, _Class] = {}
        self._left = _MOST_CODE

    def module(self, value: Any) -> Module | None:
        """The module that a value of data.pkl is, if it is one."""
        if not isinstance(value, Record) or not isinstance(value.state, dict):
            return None
        path = path_of(value)
        if not path.startswith(_ROOT):
            return None
        said, state = self._class(path), value.state
        return Module(
            kind=_MANGLED.sub("", path).removeprefix(_ROOT),
            size=3 * len(state) + len(said.constants) + 1,
            tensors=_held(state, said.tensors),
            modules=((name, each) for name, each in state.items() if isinstance(each, Record)),
            attributes=chain(said.constants.items(), state.items()),
        )

    def frozen(self, root: Any, constants: Any) -> Iterator[StateDict]:
        """The layers of a frozen module, whose weights are constants that its code lists."""
        if not isinstance(root, Record) or not isinstance(constants, tuple | list):
            return
        for number, call in enumerate(_calls(self._lines(path_of(root)))):
            tensors = [constants[index] for index in call.weights if index < len(constants)]
            names = call.names()
            if tensors and len(tensors) == len(names):
                prefix = call.variable or f"{call.attributes['mode'].lower()}{number}"
                yield StateDict(
                    tensors={
                        f"{prefix}.{name}": tensor
                        for name, tensor in zip(names, tensors, strict=True)
                        if isinstance(tensor, StoredTensor)
                    },
                    attributes={prefix: call.attributes},
                )

    def _class(self, path: str) -> _Class:
        if path not in self._said:
            self._said[path] = _said(self._lines(path))
        return self._said[path]

    def _lines(self, path: str) -> list[str]:
        """The code of a class; none where there is none."""
        module, _, name = path.rpartition(".")
        if module not in self._classes:
            self._classes[module] = _by_class(self._text(module))
        return self._classes[module].get(name, [])

    def _text(self, module: str) -> str:
        name = f"{self._folder}code/{module.replace('.', '/')}.py"
        entry = self._entries.get(name)
        if entry is None or entry.size > self._left:
            return ""
        self._left -= entry.size
        return zipped.content(self._file, name, entry).decode("utf-8", "replace")


def _held(state: Mapping[Any, Any], declared: Collection[str] | None) -> Iterator[tuple[Any, Any]]:
    for name, value in state.items():
        if declared is None or name in declared or isinstance(value, Record):
            yield name, value


def _by_class(text: str) -> Mapping[str, list[str]]:
    """The lines of each class in a file of code."""
    classes: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.split("\n"):
        if line.startswith("class "):
            name = re.split(r"[(:\s]", line.removeprefix("class "), maxsplit=1)[0]
            lines = classes.setdefault(name, [])
        elif len(line) <= _LONGEST_LINE or _HELD.match(line):
            lines.append(line)
    return classes


def _said(lines: Iterable[str]) -> _Class:
    lines = list(lines)
    declared = [match[1] for line in lines if (match := _HELD.match(line))]
    names = frozenset(name for each in declared for name in re.findall(r'"([^"]*)"', each))
    constants = {
        match[1] or match[2]: value
        for line in lines
        if (match := _CONSTANT.match(line)) and (value := _literal(match[3])) is not None
    }
    called = _agreed([call.attributes for call in _calls(lines)] if names else [])
    cells = {match[1] for line in lines if (match := _CELL.search(line))}
    if len(cells) == 1:
        called["nonlinearity"] = cells.pop()
    return _Class(tensors=names if len(declared) == 2 else None, constants={**called, **constants})


def _literal(text: str) -> Any:
    """A constant as code writes it; None for anything else."""
    if text in ("True", "False"):
        return text == "True"
    if re.fullmatch(r'"[^"\\]*"', text):
        return text[1:-1]
    if re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?[0-9]+\.[0-9]*(e[+-]?[0-9]+)?", text) else None


@dataclass(frozen=True, kw_only=True)
class _Call:
    """A call of one of PyTorch's recurrent functions."""

    attributes: Mapping[str, Any]  # as nn.LSTM names them
    weights: tuple[int, ...] = ()  # their places among the constants, if they are there
    variable: str = ""  # what the code calls their module, if it tells: "encoder"

    def names(self) -> list[str]:
        """The names of the weights in the order in which the function takes them."""
        said = self.attributes
        kinds = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if said["bias"] else [])]
        parts = said["num_layers"] * (1 + said["bidirectional"])
        if len(self.weights) == parts * (len(kinds) + 1):
            kinds.append("weight_hr")
        return [
            f"{kind}_l{layer}{end}"
            for layer in range(min(said["num_layers"], len(self.weights)))
            for end in ("", "_reverse")[: 1 + said["bidirectional"]]
            for kind in kinds
        ]


def _calls(lines: Iterable[str]) -> Iterator[_Call]:
    lists: dict[str, str] = {}
    for line in lines:
        if match := _LIST.match(line):
            lists[match[1]] = match[2]
        elif match := _CALL.search(line):
            function, given, bias, layers, dropout, bidirectional, batch_first = match.groups()
            attributes = {
                "mode": _MODES[function],
                "num_layers": int(layers[:18]),
                "bias": bias == "True",
                "dropout": _literal(dropout),
                "bidirectional": bidirectional == "True",
            }
            if batch_first is not None:  # a packed input has no such axis
                attributes["batch_first"] = batch_first == "True"
            weights = given if given.endswith("]") else lists.get(given.rpartition(", ")[2], "")
            yield _Call(
                attributes={key: value for key, value in attributes.items() if value is not None},
                weights=tuple(map(int, re.findall(r"CONSTANTS\.c([0-9]{1,9})", weights))),
                variable=_module_of(given.rpartition(", ")[2]),
            )


def _module_of(variable: str) -> str:
    """The module whose weights torch.jit.freeze puts into a variable: self_l__flat_weights."""
    match = re.fullmatch(r"self_(\w+)__flat_weights", variable)
    return match[1] if match else ""


def _agreed(said: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What is the same in all calls that say it."""
    agreed: dict[str, Any] = {}
    for name in dict.fromkeys(name for each in said for name in each):
        values = {each[name] for each in said if name in each}
        if len(values) == 1:
            agreed[name] = values.pop()
    return agreed
