"""What the symbols of formulas stand for, and what MACs are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, TypeAlias

from rnnshape.analysis.comparison import Asked
from rnnshape.document.model import Legend, Symbol
from rnnshape.layer.config import Kind
from rnnshape.layer.report import Report

MACS: Final = "MACs: multiply-adds of the matrix products"

# The symbols, the field that gives their value, the values it has, and its short name.
_Size: TypeAlias = tuple[str, str, Collection[int], str]


def legend(report: Report) -> Legend:
    """The symbols in the formulas of a layer."""
    config = report.config
    hidden, proj = {config.hidden_size}, {config.proj_size}
    own: Sequence[_Size]
    if config.proj_size:
        own = (("H_cell", "hidden_size", hidden, "hidden"), ("H_out", "proj_size", proj, "proj"))
    else:
        names = "H_out H_cell" if config.kind is Kind.LSTM else "H_out"
        own = ((names, "hidden_size", hidden, "hidden"),)
    return Legend(tuple(_symbols([(config, report.input_spec)], report.assumed, own)))


def common_legend(
    asked: Collection[Asked], assumed: Collection[str], *, without: str = ""
) -> Legend:
    """The sizes that all layers have in common, but for the field `without`."""
    own = (
        ("H_cell", "hidden_size", {config.hidden_size for config, _ in asked}, "hidden"),
        ("num_layers", "num_layers", {config.num_layers for config, _ in asked}, ""),
    )
    return Legend(tuple(_symbols(asked, assumed, own, without)))


def _symbols(
    asked: Collection[Asked], assumed: Collection[str], own: Sequence[_Size], without: str = ""
) -> Iterator[Symbol]:
    sizes: Sequence[_Size] = (
        ("L", "seq_len", {spec.seq_len for _, spec in asked}, "seq"),
        ("N", "batch_size", {spec.batch_size for _, spec in asked}, "batch"),
        ("H_in", "input_size", {config.input_size for config, _ in asked}, "input"),
        *own,
        ("D", "bidirectional", {config.directions for config, _ in asked}, ""),
    )
    absent = {without}
    if not any(spec.batched for _, spec in asked):
        absent.add("batch_size")
    if all(config.cell for config, _ in asked):
        absent |= {"seq_len", "num_layers", "bidirectional"}
    for names, field, values, meaning in sizes:
        if len(values) == 1 and field not in absent:
            (value,) = values
            yield Symbol(
                symbols=tuple(names.split()),
                value=value,
                meaning=meaning,
                assumed=field in assumed,
            )
