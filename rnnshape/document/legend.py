"""What the symbols of formulas stand for, and what MACs are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from rnnshape.document.model import Legend, Symbol
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


def _symbols(subjects: Collection[Subject], symbols: dict[str, str]) -> Iterator[Symbol]:
    absent = set()
    if not any(subject.input_spec.batched for subject in subjects):
        absent.add("batch_size")
    if all(subject.config.cell for subject in subjects):
        absent |= {"seq_len", "num_layers", "bidirectional"}
    for field, names in symbols.items():
        values = {_value(subject, field) for subject in subjects}
        if len(values) == 1 and field not in absent:
            yield Symbol(
                symbols=tuple(names.split()),
                value=int(values.pop()),
                meaning=FIELDS[field].short,
                assumed=any(field not in subject.given for subject in subjects),
            )


def _value(subject: Subject, field: str) -> Any:
    if field == "bidirectional":
        return subject.config.directions
    return getattr(subject.input_spec if field in INPUT_FIELDS else subject.config, field)
