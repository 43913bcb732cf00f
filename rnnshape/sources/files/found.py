"""Find the state dicts and modules in what a pickle holds, at any depth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from rnnshape.errors import RequestError
from rnnshape.layer.facts import LARGEST_SIZE
from rnnshape.sources.files.contents import Contents, StateDict, StoredTensor
from rnnshape.sources.files.pickled import Global, Record

_MOST_VALUES: Final = 1_000_000  # of modules; one that is held twice counts twice
_DEEPEST: Final = 200  # modules within each other
_DEEPEST_VALUE: Final = 10_000
_MOST_DICTS: Final = 100_000  # an optimizer has one for each parameter
_MOST_KEYS: Final = 32  # that lead to a state dict
_KINDS: Final = frozenset({dict, list, tuple, Record})  # what may hold tensors
_WEIGHTS_ALONE: Final = "save the weights alone: torch.save(model.state_dict(), FILE)"

_ORDINARY: Final = 64  # characters of a name; those of a longer one count as more values


@dataclass(frozen=True, kw_only=True)
class Module:
    """What one module holds itself, by names without its own."""

    kind: str  # "torch.nn.modules.rnn.LSTM"
    size: int  # at least the number of all values below
    tensors: Iterable[tuple[Any, Any]]  # other values may be among them
    modules: Iterable[tuple[Any, Any]]
    attributes: Iterable[tuple[Any, Any]]


_AsModule: TypeAlias = Callable[[Any], "Module | None"]  # the module that a value is, if it is one
_Pairs: TypeAlias = Mapping[Any, Any]
_Key: TypeAlias = "str | int | None"


def found(value: Any, format_: str, as_module: _AsModule) -> Contents:
    """Everything with tensors in a value from a pickle. Raises RequestError for endless modules."""
    search = _Search(as_module)
    search.look_through(value)
    return Contents(format=format_, dicts=tuple(search.dicts), tensors=len(search.counted))


def eager(value: Any) -> Module | None:
    """A pickled nn.Module: an object whose attributes have the dicts that all modules have."""
    state = _attributes_of(value) if isinstance(value, Record) else value
    if not isinstance(state, dict):
        return None
    match state:
        case {"_parameters": dict(parameters), "_buffers": dict(buffers), "_modules": dict(inner)}:
            passing = state.get("_non_persistent_buffers_set")
            left_out = passing if isinstance(passing, list) else []
            return Module(
                kind=path_of(value) if isinstance(value, Record) else "",
                size=len(state) + len(parameters) + len(buffers) * (len(left_out) + 1) + len(inner),
                tensors=_held(state, parameters, buffers, left_out),
                modules=inner.items(),
                attributes=state.items(),
            )
        case _:
            return None


def _held(
    state: _Pairs, parameters: _Pairs, buffers: _Pairs, left_out: list[Any]
) -> Iterator[tuple[Any, Any]]:
    yield from parameters.items()
    yield from ((name, value) for name, value in buffers.items() if name not in left_out)
    yield from ((name, value) for name, value in state.items() if isinstance(value, Record))


def path_of(record: Record) -> str:
    """The name of a record's class; "" where it has none."""
    return record.of.path if isinstance(record.of, Global) else ""


def _attributes_of(record: Record) -> Any:
    """The dict of a record's attributes, if it has one."""
    match record:
        case Record(state=dict(attributes)) | Record(state=(dict(attributes), _)):
            return attributes  # objects with slots have a second dict
        case Record(state=None, args=(dict(attributes), *_)):
            return attributes  # of a torch.fx.GraphModule
        case _:
            return None


class _Search:
    """Goes through each container once, in the file's order."""

    def __init__(self, as_module: _AsModule) -> None:
        self._as_module = as_module
        self._seen: set[int] = set()
        self._left = _MOST_VALUES
        self.dicts: list[StateDict] = []
        self.counted: set[int] = set()  # the ids of tensors

    def look_through(self, value: Any) -> None:
        if isinstance(value, StoredTensor):  # a file may hold no more than one
            self.counted.add(id(value))
        path: list[_Key] = []
        pending = [iter(self._entered(value, path))]
        while pending:
            for key, child in pending[-1]:
                path.append(key)
                pending.append(iter(self._entered(child, path)))
                break
            else:
                pending.pop()
                if path:
                    path.pop()

    def _entered(self, value: Any, path: list[_Key]) -> list[tuple[_Key, Any]]:
        """Note the tensors that a container has itself; the containers in it, still to be entered.

        A key of None leads to a part of a record.
        """
        if id(value) in self._seen:
            return []
        self._seen.add(id(value))
        if len(path) > _DEEPEST_VALUE:
            raise RequestError(
                "the values in it are nested more than {} deep",
                f"{_DEEPEST_VALUE:,}",
                hint=_WEIGHTS_ALONE,
            )
        module = self._as_module(value)
        if module is not None:
            self._note(path, *self._flattened(module))
            return []
        self._note(path, dict(self._tensors(_pairs(value))), {})
        return [(_key(key), each) for key, each in _pairs(value) if type(each) in _KINDS and each]

    def _note(
        self,
        path: list[_Key],
        tensors: Mapping[str, StoredTensor],
        attributes: Mapping[str, Mapping[str, Any]],
    ) -> None:
        if not tensors and not attributes:
            return
        keys = tuple(key for key in path if key is not None)
        if len(keys) > _MOST_KEYS or len(self.dicts) == _MOST_DICTS:
            raise RequestError(
                "the tensors in it are in more than {} dicts, or more than {} deep",
                f"{_MOST_DICTS:,}",
                str(_MOST_KEYS),
                hint=_WEIGHTS_ALONE,
            )
        self.dicts.append(StateDict(keys=keys, tensors=tensors, attributes=attributes))

    def _tensors(self, pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, StoredTensor]]:
        for key, value in pairs:
            if isinstance(value, StoredTensor):
                self.counted.add(id(value))
                if type(key) is str:
                    yield key, value
            elif type(value) is Record and type(key) is str:
                for name, tensor in _unpacked(value):
                    self.counted.add(id(tensor))
                    yield f"{key}.{name}", tensor

    def _flattened(
        self, root: Module
    ) -> tuple[dict[str, StoredTensor], dict[str, Mapping[str, Any]]]:
        """The tensors and attributes of a module and of those inside, under dotted names."""
        tensors: dict[str, StoredTensor] = {}
        attributes: dict[str, Mapping[str, Any]] = {}
        pending = [("", root, 0)]
        while pending:
            prefix, module, depth = pending.pop()
            self._left -= module.size * (1 + len(prefix) // _ORDINARY)
            if self._left < 0 or depth > _DEEPEST:
                raise RequestError(
                    "the modules in it are nested without end, or more than {} deep",
                    str(_DEEPEST),
                    hint=_WEIGHTS_ALONE,
                )
            attributes[prefix[:-1]] = {"class": module.kind, **dict(_plain(module.attributes))}
            for name, tensor in self._tensors(module.tensors):
                tensors[f"{prefix}{name}"] = tensor
            inner = [
                (f"{prefix}{name}.", child, depth + 1)
                for name, value in module.modules
                if type(name) is str and (child := self._as_module(value)) is not None
            ]
            pending += reversed(inner)
        return tensors, attributes


def _pairs(value: Any) -> Iterable[tuple[Any, Any]]:
    """The keys and values of a container; those of a record are its parts, under None."""
    match value:
        case dict():
            return value.items()
        case list() | tuple():
            return enumerate(value)
        case Record(state=(first, second)):
            return [(None, part) for part in (value.args, first, second, value.items, value.pairs)]
        case Record():
            return [(None, part) for part in (value.args, value.state, value.items, value.pairs)]
        case _:
            return ()


def _key(key: Any) -> _Key:
    """The key as it leads to a value; one that is not a string or a number becomes a string."""
    return key if key is None or isinstance(key, str | int) else f"<{type(key).__name__}>"


def _plain(attributes: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    """Those that are a text or a number of ordinary size."""
    for name, value in attributes:
        ordinary = isinstance(value, str | float) or (
            isinstance(value, int) and abs(value) <= LARGEST_SIZE
        )
        if type(name) is str and ordinary:
            yield name, value


def _unpacked(record: Record) -> Iterator[tuple[str, StoredTensor]]:
    """The weights that a quantized layer keeps packed, named as PyTorch names them elsewhere."""
    state, kind = record.state, path_of(record)
    if _is_tagged(state):
        state, kind = state
    if kind.endswith("LinearPackedParamsBase"):
        yield from _linear(state)
    elif kind.endswith("CellParamsBase"):
        yield from _cell(state)


def _is_tagged(state: Any) -> bool:
    """Whether the state has the name of its class beside it, as torch.save writes it."""
    return isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], str)


def _linear(state: Any) -> Iterator[tuple[str, StoredTensor]]:
    if isinstance(state, tuple) and len(state) == 2:
        for name, tensor in zip(("weight", "bias"), state, strict=True):
            if isinstance(tensor, StoredTensor):
                yield name, tensor


def _cell(state: Any) -> Iterator[tuple[str, StoredTensor]]:
    """`(kind, [bias_ih, bias_hh], scales, zero points, [packed weight_ih, packed weight_hh])`.

    The packed weights of 16 bits have their biases themselves.
    """
    if not (isinstance(state, tuple) and len(state) == 5):
        return
    for name, record in zip(("ih", "hh"), _listed(state[4]), strict=False):
        inner: Any = record.state if isinstance(record, Record) else None
        for what, tensor in _linear(inner[0] if _is_tagged(inner) else inner):
            yield f"{what}_{name}", tensor
    for name, bias in zip(("ih", "hh"), _listed(state[1]), strict=False):
        if isinstance(bias, StoredTensor):
            yield f"bias_{name}", bias


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
