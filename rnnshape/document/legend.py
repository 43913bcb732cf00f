"""What the symbols of formulas stand for, what was assumed of sizes, and what MACs are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from rnnshape.document.model import Inline, Legend, Symbol
from rnnshape.fields import FIELDS
from rnnshape.layer.config import Kind
from rnnshape.layer.subject import INPUT_FIELDS, Subject

MACS: Final = "MACs: multiply-adds of the matrix products"


def legend(subject: Subject) -> Legend:
    """The symbols in the formulas of a layer."""
    config = subject.config
    symbols = {"seq_len": "L", "batch_size": "N", "input_size": "H_in"}
    if config.proj_size:
        symbols |= {"hidden_size": "H_cell", "proj_size": "H_out"}
    else:
        symbols["hidden_size"] = "H_out H_cell" if config.kind is Kind.LSTM else "H_out"
    return Legend(tuple(_symbols([subject], {**symbols, "bidirectional": "D"})))


def common_legend(subjects: Collection[Subject], *, without: str = "") -> Legend:
    """The sizes that all layers have in common, except the field `without`."""
    names = ("seq_len", "batch_size", "input_size", "hidden_size", "num_layers")
    symbols = {name: FIELDS[name].symbol for name in names if name != without}
    return Legend(tuple(_symbols(subjects, {**symbols, "bidirectional": "D"})))


def assumed(subjects: Collection[Subject], *, without: str = "") -> Inline:
    """The sizes that have their default in any of the layers, as they could have been given.

    PyTorch has no defaults for these sizes. The field `without` is left out.
    """
    sizes = {}
    for name in ("seq_len", "batch_size", "input_size", "hidden_size"):
        values = _values([each for each in subjects if _is_assumed(each, name)], name)
        if values and name != without:
            sizes[name] = values.pop()
    assuming = next((s for s in subjects if any(_is_assumed(s, n) for n in sizes)), None)
    return (f"assumed: {assuming.origin.words.fields(sizes)}",) if assuming else ()


def _is_assumed(subject: Subject, name: str) -> bool:
    if name in subject.given:
        return False
    has_none = (name == "seq_len" and subject.config.cell) or (
        name == "batch_size" and not subject.input_spec.batched
    )
    return not has_none


def _symbols(subjects: Collection[Subject], symbols: dict[str, str]) -> Iterator[Symbol]:
    absent = set()
    if not any(subject.input_spec.batched for subject in subjects):
        absent.add("batch_size")
    if all(subject.config.cell for subject in subjects):
        absent |= {"seq_len", "num_layers", "bidirectional"}
    for field, names in symbols.items():
        values = _values(subjects, field)
        if len(values) == 1 and field not in absent:
            value = values.pop()
            yield Symbol(
                symbols=tuple(names.split()),
                value=int(value),
                meaning=_meaning(field, int(value)),
                assumed=any(field not in subject.given for subject in subjects),
                axis=_AXES.get(field, ""),
            )


_AXES: Final = {
    "seq_len": "seq",
    "batch_size": "batch",
    "input_size": "feature",
    "hidden_size": "feature",
    "proj_size": "feature",
    "num_layers": "layer*dir",
    "bidirectional": "layer*dir",
}


def _meaning(field: str, value: int) -> str:
    """What the legend calls a size: `batch`, `directions`."""
    if field == "bidirectional":
        return f"direction{'s' * (value != 1)}"
    return FIELDS[field].short


def _values(subjects: Iterable[Subject], field: str) -> set[Any]:
    if field == "bidirectional":
        return {subject.config.directions for subject in subjects}
    if field in INPUT_FIELDS:
        return {getattr(subject.input_spec, field) for subject in subjects}
    return {getattr(subject.config, field) for subject in subjects}
