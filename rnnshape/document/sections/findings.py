"""What a careful colleague would point out."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.findings import finding_text
from rnnshape.document.model import Block, Code, Note, Paragraph
from rnnshape.layer.findings import UnknownField


def findings(inspection: Inspection) -> Iterator[Block]:
    """A note for each finding; nothing where there is none."""
    words = inspection.subject.origin.words
    for finding in inspection.report.findings:
        yield Note(finding_text(finding, words))


def assumptions(inspection: Inspection) -> Iterator[Block]:
    """The findings that say what the report assumes of unknown fields."""
    words = inspection.subject.origin.words
    for finding in inspection.report.findings:
        if isinstance(finding, UnknownField):
            yield Note(finding_text(finding, words))


def findings_or_none(inspection: Inspection) -> Iterator[Block]:
    """The findings, or that there are none: for a document that shows nothing else."""
    yield from findings(inspection)
    if not inspection.report.findings:
        constructor = Code(inspection.subject.config.constructor)
        yield Paragraph((constructor, ": nothing to point out"))
