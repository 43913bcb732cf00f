"""Layers as records, each with the same keys: for formats that write one row for each layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from rnnshape.document.data import config_data, input_data, totals_data
from rnnshape.document.model import Cell, Shape
from rnnshape.layer.formulas import read_next
from rnnshape.layer.report import LayerReport
from rnnshape.layer.run import Run
from rnnshape.layer.subject import Subject

Record: TypeAlias = Mapping[str, Cell]

_STATES: Final = ("h_n", "c_n", "h_1", "c_1")  # the final ones, of layers and of cells


def layer_record(subject: Subject) -> Record:
    """The constructor and its arguments, the input, the shapes of the results, and the totals."""
    results = subject.results
    return {
        "constructor": subject.config.constructor,
        **{name: _cell(value) for name, value in config_data(subject).items()},
        **{name: _cell(value) for name, value in input_data(subject).items()},
        "output": Shape(read_next(results).shape),
        **totals_data(subject),
        **{name: Shape(results[name].shape) if name in results else None for name in _STATES},
    }


def report_record(report: LayerReport) -> Record:
    """The layer with its name, and whether PyTorch agrees."""
    return {
        "module": report.subject.name or None,
        **layer_record(report.subject),
        "agrees": agrees(report.run),
    }


def agrees(run: Run | None) -> str | None:
    """Whether PyTorch does what was predicted, None where nothing was run."""
    return None if run is None else str(run.agrees)


def _cell(value: object) -> Cell:
    """The value as Python writes it; whole numbers stay numbers."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
