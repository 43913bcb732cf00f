"""The columns of a table of layers that show the states they return."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from rnnshape.document.model import Cell, Column, Shape
from rnnshape.layer.subject import Subject


def state_titles(subjects: Iterable[Subject]) -> Mapping[str, str]:
    """The columns of final states by the name of a state, and the title of each.

    c_n has a column of its own where it has another shape than h_n. h_1 of a cell is its output.
    """
    tensors = [subject.results for subject in subjects]
    layers = [each for each in tensors if "h_n" in each]
    with_c = [each for each in layers if "c_n" in each]
    apart = any(each["c_n"].shape != each["h_n"].shape for each in with_c)
    columns = {}
    if layers:
        columns["h_n"] = "h_n, c_n" if with_c and not apart else "h_n"
    if apart:
        columns["c_n"] = "c_n"
    if any("c_1" in each for each in tensors):
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
    tensors = layers[0].results if layers else {}
    return [Shape.of(tensors[name]) if name in tensors else None for name in names]
