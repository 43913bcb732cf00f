"""Which layer it is."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Code, Heading


def header(inspection: Inspection) -> Iterator[Block]:
    """The constructor, after the layer's name if it has one."""
    subject = inspection.subject
    constructor = subject.config.constructor
    yield Heading(Code(f"{subject.name}: {constructor}" if subject.name else constructor))
