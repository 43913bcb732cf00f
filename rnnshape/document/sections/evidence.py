"""The evidence for the config of a layer that was found in a file or a model."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Cell, Code, Column, Note, Table
from rnnshape.layer.config import Kind


def evidence(inspection: Inspection) -> Iterator[Block]:
    """Each field with its value and where it is read; a `?` where it is unknown."""
    subject = inspection.subject
    if subject.found is None:
        return
    recognised = subject.found.recognised
    rows: list[tuple[Cell, ...]] = []
    for each in recognised.evidence:
        value = getattr(recognised.config, each.field)
        shown = value.value if isinstance(value, Kind) else value
        if each.field not in recognised.unknown:
            rows.append((Code(each.field), Code(str(shown)), each.text))
            continue
        text = each.text
        if each.field not in subject.unknown:
            matched = getattr(subject.config, each.field)
            text = f"{text.partition(':')[0]}; {matched} in the layer to match"
        rows.append((Code(each.field), "?", text))
    if rows:
        yield Table(
            columns=(
                Column(key="field", title="config"),
                Column(key="value", title="value", headed=False),
                Column(key="source", title="source", headed=False),
            ),
            rows=tuple(rows),
        )
    yield from (Note((departure,)) for departure in recognised.departures)
