"""What is said of a file or a model that holds layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Cell, Code, Column, Note, Paragraph, Table
from rnnshape.errors import counted
from rnnshape.sources.source import Source


def holder_blocks(source: Source, inspections: Sequence[Inspection]) -> Iterator[Block]:
    """What it is and what it holds in one line; a row for each of several layers."""
    holder = source.holder
    if holder is None:
        return
    parameters = sum(int(each.report.parameters) for each in inspections)
    tensors = f"{counted(holder.tensors, 'tensor')}, " if holder.tensors else ""
    whole = "" if holder.parameters is None else f" of {holder.parameters:,}"
    layers = counted(len(inspections), "recurrent layer")
    text = f": {holder.format}, {tensors}{layers} with {parameters:,}{whole} parameters"
    yield Paragraph((Code(holder.name), text))
    if len(inspections) > 1:  # one layer says so in its header
        found = (each.subject.found for each in inspections)
        if any(each is not None and each.code_ran for each in found):
            ran = " was imported and built: its own code ran"
            yield Paragraph((Code(holder.name), ran))
        yield _layers(inspections, holder.parameters or parameters, parameters)
    if holder.parameters is not None and parameters > holder.parameters:
        yield Note(("some layers share weights, which the model counts once",))
    yield from (Note((sentence,)) for sentence in holder.passed_over)
    for name, error in source.unread.items():
        yield Note((Code(name or holder.name), f" is left out: {error.problem}"))


def holder_data(source: Source, inspections: Sequence[Inspection]) -> Mapping[str, Any]:
    """The same for machines; the layers are among the modules, by their names."""
    holder = source.holder
    assert holder is not None
    unread = [{"name": name, "problem": each.problem} for name, each in source.unread.items()]
    return {
        "name": holder.name,
        "format": holder.format,
        "tensors": holder.tensors,
        "parameters": holder.parameters,
        "layers": [each.subject.name for each in inspections],
        "passed_over": list(holder.passed_over),
        "unread": unread,
    }


def _layers(inspections: Sequence[Inspection], whole: int, parameters: int) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            Code(each.subject.name),
            int(each.report.parameters),
            _share(int(each.report.parameters), whole),
            Code(each.subject.config.constructor),
        )
        for each in inspections
    ]
    rows.append(("total", parameters, _share(parameters, whole), None))
    return Table(
        columns=(
            Column(key="layer", title="layer"),
            Column(key="parameters", title="parameters", numeric=True),
            Column(key="parameters_share", title="share", numeric=True, rank=1),
            Column(key="constructor", title="constructor", headed=False, calls=True),
        ),
        rows=tuple(rows),
        total=True,
    )


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None
