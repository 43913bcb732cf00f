"""Which layer it is, and how large."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Bytes, Code, Heading, Paragraph


def header(inspection: Inspection) -> Iterator[Block]:
    """The constructor, after the layer's name if it has one; the parameters and their bytes."""
    report, subject = inspection.report, inspection.subject
    constructor = subject.config.constructor
    yield Heading(
        Code(f"{subject.name}: {constructor}" if subject.name else constructor),
        totals=(f"{report.parameters:,} parameters, ", Bytes(report.parameter_bytes)),
    )
    if subject.found is not None and subject.found.code_ran:
        yield Paragraph((f"{subject.found.holder} was imported and built: its own code ran",))
