"""The document of one or more layers: its sections, put together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any, Final

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Code, Document, Note, Paragraph, Section, Verdict
from rnnshape.document.sections import SECTIONS, builder
from rnnshape.document.verification import run_verdict
from rnnshape.errors import RequestError

_NOTHING: Final[Mapping[str, RequestError]] = {}


def report_document(
    *inspections: Inspection,
    show: Collection[str],
    full: bool = False,
    unread: Mapping[str, RequestError] = _NOTHING,
) -> Document:
    """The sections named in `show`, in their own order; `full` names every weight.

    Findings appear where there are any; expectations and the verification always when they
    failed. Several layers follow one another, then a note for each layer that is `unread`.
    """
    sections = tuple(
        section for each in inspections for section in _sections(each, show=show, full=full)
    )
    if unread:
        notes = tuple(_unread(name, error) for name, error in unread.items())
        sections += (Section(key="findings", blocks=notes, titled=False),)
    return Document(
        sections=sections or (() if inspections else _NONE),
        data=partial(_data, *inspections),
        verdicts=lambda: [verdict for each in inspections for verdict in _verdicts(each)],
    )


def _unread(name: str, error: RequestError) -> Note:
    return Note((Code(name), f" is left out: {error.problem} ({error.hint})"))


_NO_LAYER: Final = Paragraph(("there is no recurrent layer",))
_NONE: Final = (Section(key="header", blocks=(_NO_LAYER,), titled=False),)


def _sections(inspection: Inspection, *, show: Collection[str], full: bool) -> tuple[Section, ...]:
    shown = set(show)
    if not inspection.holds:
        shown.add("expectations")
    if inspection.report.disagrees:
        shown.add("verification")
    places = {"weights": "weights:weights_by_name"} if full else {}
    if set(show) == {"findings"}:
        places["findings"] = "findings:findings_or_none"
    sections = (
        Section(
            key=name,
            blocks=tuple(builder(places.get(name, name))(inspection)),
            titled=entry.titled,
            needs_run=entry.after_run,
        )
        for name, entry in SECTIONS.items()
        if name in shown
    )
    return tuple(section for section in sections if section.blocks)


def _verdicts(inspection: Inspection) -> Iterator[Verdict]:
    """All that is known to hold or not, whether or not a section shows it."""
    if inspection.judgements:
        from rnnshape.document.expectations import expectation_verdicts

        yield from expectation_verdicts(inspection)
    yield run_verdict(inspection.report, Code(inspection.subject.request))


def _data(*inspections: Inspection) -> Mapping[str, Any]:
    from rnnshape.document.data import report_data

    return report_data(*inspections)
