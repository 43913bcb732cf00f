"""The recurrent layers among the weights in an HDF5 file, by their names and shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from rnnshape.layer.config import Kind
from rnnshape.layer.facts import Dims
from rnnshape.layer.recognition import Unrecognised
from rnnshape.sources.files.contents import StoredTensor
from rnnshape.sources.files.keras.records import CellWeights, Described, Path

# Keras 2 names the weights of a cell; Keras 3 numbers them in this order.
_NAMED: Final = ("kernel", "recurrent_kernel", "bias")
_NUMBERED: Final = ("0", "1", "2")
_VARIABLES: Final = "vars"
_CELL: Final = re.compile(r"cells?|(.*_)?(lstm|gru|rnn)(_.*)?")

# Groups that a file has whatever its model is.
_TECHNICAL: Final = re.compile(
    r"|model_weights|layers?|cells?|vars|_layer_checkpoint_dependencies|(.*_)?cell(_\d+)?|"
    r"(?P<direction>forward|backward)_.*"
)


def cells(tensors: Mapping[str, StoredTensor]) -> list[CellWeights]:
    """The weights of the recurrent cells, in the order of the file."""
    groups: dict[Path, dict[str, str]] = {}
    for name in tensors:
        *path, leaf = re.split(r"[/\\]", name)
        groups.setdefault(tuple(path), {})[leaf.partition(":")[0]] = name
    return [
        CellWeights(path=path, shapes={name: tensors[name].shape for name in names})
        for path, leaves in groups.items()
        if (names := _of_a_cell(path, leaves, tensors))
    ]


def _of_a_cell(
    path: Path, leaves: Mapping[str, str], tensors: Mapping[str, StoredTensor]
) -> list[str]:
    """The names of the weights in a group if it is one of a recurrent cell."""
    numbered = path[-1:] == (_VARIABLES,) and any(map(_CELL.fullmatch, path[-3:-1]))
    names = [leaves[leaf] for leaf in (_NUMBERED if numbered else _NAMED) if leaf in leaves]
    if len(names) < 2 or not {"1", "recurrent_kernel"} & leaves.keys():
        return []
    kernel, recurrent = (tensors[name].shape for name in names[:2])
    if len(kernel) != 2 or len(recurrent) != 2:
        return []
    return names if not numbered or kind_of(recurrent) else []


def kind_of(recurrent: Dims) -> Kind | None:
    """The kind of layer that has a recurrent kernel of this shape, (units, gates * units)."""
    units, columns = recurrent
    return next((kind for kind in Kind if units and columns == kind.gates * units), None)


def layers(found: list[CellWeights]) -> Iterator[Described | Unrecognised]:
    """The layers that weights without a config make; both directions of one are joined."""
    groups: dict[str, list[CellWeights]] = {}
    for cell in found:
        groups.setdefault(_name(cell.path), []).append(cell)
    for name, group in groups.items():
        if _are_directions(group):
            yield _layer(name, sorted(group, key=_direction, reverse=True))
            continue
        for number, cell in enumerate(group):
            yield _layer(name if len(group) == 1 else f"{name}.{number}", [cell])


def _layer(name: str, group: list[CellWeights]) -> Described | Unrecognised:
    kind = kind_of(group[0].recurrent)
    if kind is None:
        shown = group[0].named(1)
        return Unrecognised(
            name=name, problem=f"{shown} does not have 1, 3 or 4 times as many columns as rows"
        )
    return Described(name=name, kind=kind, bidirectional=len(group) == 2, weights=tuple(group))


def _name(path: Path) -> str:
    own = [part for part in path if not _TECHNICAL.fullmatch(part)]
    return ".".join(part for part, _ in groupby(own))


def _direction(cell: CellWeights) -> str:
    matches = [_TECHNICAL.fullmatch(part) for part in cell.path]
    return next((match["direction"] for match in matches if match and match["direction"]), "")


def _are_directions(group: list[CellWeights]) -> bool:
    alike = len({tuple(cell.shapes.values()) for cell in group}) == 1
    return alike and sorted(map(_direction, group)) == ["backward", "forward"]


def weights_of(layer: Described, found: list[CellWeights]) -> tuple[CellWeights, ...]:
    """The weights of a layer that a config describes, () where they are not told apart."""
    expected = layer.num_layers * (2 if layer.bidirectional else 1)
    first, *_, last = layer.name.split(".") * 2
    groups = (
        [cell for cell in found if layer.saved and cell.path[: len(layer.saved)] == layer.saved],
        [cell for cell in found if first in cell.path[:2] and last in cell.path],
        [cell for cell in found if first in cell.path[:2]],
    )
    alone = next((group for group in groups if len(group) == expected), [])
    return tuple(sorted(alone, key=_direction, reverse=True))
