"""The document of one or more layers: its sections, put together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Cell, Code, Document, Note, Paragraph, Section, Verdict
from rnnshape.document.sections import DEFAULT_SECTIONS, SECTIONS, assembled, builder
from rnnshape.document.verification import run_verdict
from rnnshape.errors import RequestError

_ALL_READ: Final[Mapping[str, RequestError]] = {}


def report_document(
    *inspections: Inspection,
    show: Collection[str],
    detailed: Collection[str] = (),
    full: bool = False,
    unread: Mapping[str, RequestError] = _ALL_READ,
) -> Document:
    """The sections in `show`, in the order of SECTIONS; `full` names every weight.

    Those in `detailed` say everything, any other what is asked most. Expectations and the
    verification are also shown where they failed. Several layers follow one another, then a note
    for each layer that is `unread`. Where sections are asked for, or there is one layer, there are
    no records, which would not hold what the sections do.
    """
    sections = tuple(
        section
        for each in inspections
        for section in _sections(each, show=show, detailed=detailed, full=full)
    )
    default = frozenset(show) - {"time"} == DEFAULT_SECTIONS
    notes = [
        Note((Code(name), f" is left out: {error.problem} ({error.hint})"))
        for name, error in unread.items()
    ]
    sections += assembled({"findings": notes})
    if not inspections and not unread:
        sections = assembled({"header": [Paragraph(("there is no recurrent layer",))]})
    return Document(
        sections=sections,
        data=partial(_data, *inspections),
        verdicts=lambda: [verdict for each in inspections for verdict in _verdicts(each)],
        records=partial(_records, inspections if len(inspections) > 1 and default else ()),
    )


def _sections(
    inspection: Inspection, *, show: Collection[str], detailed: Collection[str], full: bool
) -> tuple[Section, ...]:
    shown = set(show)
    if not inspection.holds:
        shown.add("expectations")
    if inspection.report.disagrees:
        shown.add("verification")
    places = {name: f"{name}:{SECTIONS[name].in_detail}" for name in detailed}
    if full:
        places["weights"] = "weights:weights_by_name"
    if set(show) == {"findings"}:
        places["findings"] = "findings:findings_or_none"
    return assembled(
        {name: builder(places.get(name, name))(inspection) for name in SECTIONS if name in shown}
    )


def _verdicts(inspection: Inspection) -> Iterator[Verdict]:
    """A verdict on each thing that was judged, whether or not a section shows it."""
    if inspection.judgements:
        from rnnshape.document.expectations import expectation_verdicts

        yield from expectation_verdicts(inspection)
    yield run_verdict(inspection.report, Code(inspection.subject.request))


def _data(*inspections: Inspection) -> Mapping[str, Any]:
    from rnnshape.document.data import report_data

    return report_data(*inspections)


def _records(inspections: Iterable[Inspection]) -> list[Mapping[str, Cell]]:
    from rnnshape.document.records import report_record

    return [
        {
            **report_record(each.report),
            "held": sum(judgement.holds for judgement in each.judgements),
            "expected": len(each.judgements),
        }
        for each in inspections
    ]
