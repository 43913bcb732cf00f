"""The columns of a table of layers that show the states they return."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from rnnshape.document.data import final_states_data
from rnnshape.document.model import Cell, Column, Shape
from rnnshape.layer.subject import Subject


def state_titles(subjects: Iterable[Subject]) -> Mapping[str, str]:
    """The columns of final states by the name of a state, and the title of each.

    c_n has a column of its own where it has another shape than h_n. h_1 of a cell is its output.
    """
    shapes = [final_states_data(subject) for subject in subjects]
    columns = {}
    of_layers = [each for each in shapes if "h_n" in each]
    if of_layers:
        apart = any(each["c_n"] not in (None, each["h_n"]) for each in of_layers)
        both = any(each["c_n"] for each in of_layers) and not apart
        columns = {"h_n": "h_n, c_n" if both else "h_n"} | ({"c_n": "c_n"} if apart else {})
    if any(each.get("c_1") for each in shapes):
        columns["c_1"] = "c_1"
    return columns


def state_columns(titles: Mapping[str, str]) -> Iterator[Column]:
    """The columns of final states."""
    return (
        Column(key=key, title=title, numeric=True, rank=5, spare=True)
        for key, title in titles.items()
    )


def state_cells(layers: Sequence[Subject], names: Collection[str]) -> list[Cell]:
    """The shapes of the final states of one layer; without a layer, empty cells."""
    tensors = layers[0].tensors if layers else {}
    return [Shape.of(tensors[name]) if name in tensors else None for name in names]
