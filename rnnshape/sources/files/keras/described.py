"""The recurrent layers that a Keras config describes, at any depth."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from rnnshape.errors import quoted
from rnnshape.layer.config import Kind
from rnnshape.layer.recognition import Unrecognised
from rnnshape.sources.files.keras.records import Described, Path
from rnnshape.sources.files.refusal import refusal

_LAYERS: Final = {
    "LSTM": Kind.LSTM,
    "CuDNNLSTM": Kind.LSTM,
    "GRU": Kind.GRU,
    "CuDNNGRU": Kind.GRU,
    "SimpleRNN": Kind.RNN,
}
_CELLS: Final = {"LSTMCell": Kind.LSTM, "GRUCell": Kind.GRU, "SimpleRNNCell": Kind.RNN}
_RECURRENT: Final = re.compile(r"LSTM|GRU|RNN")  # in the name of a class
_MOST_DEPTH: Final = 100

Found: TypeAlias = Described | Unrecognised


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a node of the config is, and what its surroundings say about it."""

    names: Path = ()
    saved: Path = ()
    shape: tuple[Any, ...] = ()  # of the input
    depth: int = 0

    @property
    def name(self) -> str:
        return ".".join(self.names)

    def inside(self, *saved: str) -> _Place:
        """The place of a part of the node, whose weights are in a group of this name."""
        if self.depth > _MOST_DEPTH:
            raise refusal(
                "its config is nested too deeply", f"up to {_MOST_DEPTH} levels of it are read"
            )
        return replace(self, saved=(*self.saved, *saved), depth=self.depth + 1)


def described_layers(config: Any) -> list[Found]:
    """The recurrent layers in the config of a model. Raises RequestError where it is too deep."""
    match config:
        case {"config": {"layers": list()} | list() as inside}:
            return list(_parts(inside, _Place()))
        case _:
            return list(_walk(config, _Place()))


def _walk(node: Any, place: _Place) -> Iterator[Found]:
    match node:
        case {"class_name": str(class_name), "config": dict(settings)}:
            yield from _object(class_name, settings, _at(node, settings, place))
        case dict() | list():
            yield from _parts(node, place)
        case _:  # a number, a text
            return


def _parts(node: Any, place: _Place) -> Iterator[Found]:
    """The layers in the values of a node; an old config is the list that a new one calls layers."""
    if isinstance(node, list):
        saved: Counter[str] = Counter()
        for value in node:
            stem = _snake(value)
            group = f"{stem}_{saved[stem]}" if saved[stem] else stem
            saved[stem] += 1
            yield from _walk(value, place.inside(group))
        return
    for key, value in node.items():
        if isinstance(value, (dict, list)):
            yield from _walk(value, place.inside(key))


def _snake(node: Any) -> str:
    """The name of the group that Keras 3 gives to a layer in a list: `simple_rnn`."""
    name = node.get("class_name") if isinstance(node, dict) else None
    split = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", str(name)[:100])
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", split).lower()


def _at(node: Mapping[str, Any], settings: Mapping[str, Any], place: _Place) -> _Place:
    """The place of an object, with its name and the shape of its input."""
    name = settings.get("name", node.get("name"))
    names = (*place.names, name) if isinstance(name, str) and name else place.names
    return replace(place, names=names, shape=_shape(node, settings) or place.shape)


def _shape(node: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[Any, ...]:
    build = node.get("build_config")
    told = build if isinstance(build, dict) else {}
    named = told.get("shapes_dict")
    shapes = (
        named.get("sequences_shape") if isinstance(named, dict) else None,
        told.get("input_shape"),
        settings.get("batch_input_shape"),
    )
    return next((tuple(shape) for shape in shapes if isinstance(shape, list)), ())


def _object(class_name: str, settings: Mapping[str, Any], place: _Place) -> Iterator[Found]:
    if class_name == "Bidirectional":
        yield _bidirectional(settings, place)
    elif class_name == "RNN":
        yield from _over_cells(settings, place)
    elif kind := _LAYERS.get(class_name) or _CELLS.get(class_name):
        yield Described(
            name=place.name,
            kind=kind,
            class_name=class_name,
            cell=class_name in _CELLS,
            input_shape=place.shape,
            settings=settings,
            saved=place.saved,
        )
    elif "layers" not in settings and _RECURRENT.search(class_name):
        yield _unlike(place, class_name)
    else:
        yield from _parts(settings, place)


def _unlike(place: _Place, class_name: str) -> Unrecognised:
    return Unrecognised(
        name=place.name, problem=f"it is a {quoted(class_name)}, which PyTorch has no layer for"
    )


def _bidirectional(settings: Mapping[str, Any], place: _Place) -> Found:
    layers = [
        list(_walk(settings[key], replace(place.inside(), names=())))
        for key in ("layer", "backward_layer")
        if isinstance(settings.get(key), dict)
    ]
    forwards, backwards = (layers + layers)[:2] if layers else ([], [])
    if len(forwards) != 1 or len(backwards) != 1:
        return _no_pair(place, "has no single recurrent layer inside")
    first, second = forwards[0], backwards[0]
    if isinstance(first, Unrecognised) or isinstance(second, Unrecognised):
        return _unlike(place, "Bidirectional layer of an unknown class")
    if first.num_layers > 1:
        return _no_pair(place, "stacks the cells of each direction on their own")
    if (first.kind, _essence(first)) != (second.kind, _essence(second)):
        return _no_pair(place, "has directions that differ")
    mode = settings.get("merge_mode", "concat")
    return replace(
        first,
        name=place.name,
        bidirectional=True,
        merge_mode=mode if isinstance(mode, str) else None,
        saved=place.saved,
    )


def _no_pair(place: _Place, problem: str) -> Unrecognised:
    return Unrecognised(
        name=place.name, problem=f"its Bidirectional {problem}, which no layer of PyTorch does"
    )


def _over_cells(settings: Mapping[str, Any], place: _Place) -> Iterator[Found]:
    """The layer that an `RNN` makes of a cell, or of several that are stacked."""
    match settings.get("cell"):
        case {"class_name": "StackedRNNCells", "config": {"cells": list(nodes)}} if nodes:
            pass
        case node:
            nodes = [node]
    cells: list[Found] = []
    for node in nodes:
        found = list(_walk(node, replace(place.inside("cell"), names=())))
        if len(found) != 1 or isinstance(found[0], Unrecognised) or not found[0].cell:
            name = node.get("class_name") if isinstance(node, dict) else None
            yield _unlike(place, f"RNN over {name}")
            return
        cells.append(found[0])
    yield from _stacked([cell for cell in cells if isinstance(cell, Described)], settings, place)


def _stacked(
    cells: list[Described], settings: Mapping[str, Any], place: _Place
) -> Iterator[Described]:
    layers = [
        replace(
            cell,
            name=place.name,
            cell=False,
            class_name=f"RNN over {cell.class_name}",
            input_shape=place.shape,
            settings={**settings, **cell.settings},
            saved=place.saved,
        )
        for cell in cells
    ]
    if all((c.kind, _essence(c)) == (cells[0].kind, _essence(cells[0])) for c in cells):
        yield replace(layers[0], num_layers=len(cells))
        return
    shape = place.shape
    for number, layer in enumerate(layers):
        # Their weights are not told apart, so that only the config tells their sizes.
        yield replace(layer, name=f"{place.name}.{number}", input_shape=shape, saved=())
        shape = (layer.settings.get("units"),)


_ESSENTIAL: Final = ("units", "use_bias", "reset_after", "activation", "recurrent_activation")


def _essence(layer: Described) -> list[Any]:
    return [layer.settings.get(key) for key in _ESSENTIAL]
