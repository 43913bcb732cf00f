"""The document of one or more layers: its sections, put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Cell, Code, Document, Note, Paragraph, Section, Verdict
from rnnshape.document.sections import (
    DEFAULT_SECTIONS,
    FOUND_SECTIONS,
    MEASURED,
    MODEL_SECTIONS,
    SECTIONS,
    assembled,
    builder,
)
from rnnshape.document.verification import run_verdict, sum_of_found
from rnnshape.errors import RequestError, word

if TYPE_CHECKING:
    from rnnshape.sources.source import Source

# Of each of several layers of a file or a model.
_IN_SUM: Final = frozenset({"findings", "expectations", "matches", "calls"})
# What depends on fields that may be unknown, except a program, which has to run as it stands.
_ASSUMING: Final = frozenset({"shapes", "states", "grid", "diagram", "layouts", "expectations"})
_ALL_READ: Final[Mapping[str, RequestError]] = {}


def report_document(  # noqa: PLR0913 - what to show of what
    *inspections: Inspection,
    show: Collection[str],
    detailed: Collection[str] = (),
    full: bool = False,
    unread: Mapping[str, RequestError] = _ALL_READ,
    sources: Sequence[Source] = (),
    passed_over: Iterable[str] = (),
) -> Document:
    """The sections in `show`, in the order of SECTIONS; `full` names every weight.

    Those in `detailed` say everything, any other what is asked most. Expectations and the
    verification are also shown where they failed. Several layers follow one another, then a note
    for each layer that is `unread` and for each sentence on what was passed over. Before the layers
    of a file or a model, one of `sources`, stands what it holds, and of several of them no more
    unless sections are asked for. Where they are, or there is one layer, there are no records,
    which would not hold what the sections do. Layers of a source that cannot be read are a failure.
    """
    default = frozenset(show) - MEASURED.keys() in (
        DEFAULT_SECTIONS,
        FOUND_SECTIONS,
        MODEL_SECTIONS,
    )
    held = [(source, _held_by(source, inspections)) for source in sources]
    sections = _contents(held)
    in_sum = {id(each) for _, within in held if default and len(within) > 1 for each in within}
    for each in inspections:
        # Several layers of a file or a model are told apart by their headers.
        named = {*show, "header"} if each.subject.found and len(inspections) > 1 else show
        if id(each) not in in_sum:
            sections += _sections(each, show=named, detailed=detailed, full=full)
    summed = [each for each in inspections if id(each) in in_sum]
    if summed:
        sections += _in_sum(summed)
    notes = [*_left_out(unread), *(Note((sentence,)) for sentence in passed_over)]
    if not inspections and not unread and not sources:
        of_torch = " of torch.nn" * bool(notes)
        sections = assembled({"header": [Paragraph((f"there is no recurrent layer{of_torch}",))]})
    sections += assembled({"findings": notes})
    broken = [verdict for source in sources for verdict in _unread(source)]
    sections += assembled({"failures": _broken(broken, readable=len(inspections))})
    return Document(
        sections=sections,
        data=partial(_data, *inspections, sources=sources),
        verdicts=lambda: [*(v for each in inspections for v in _verdicts(each)), *broken],
        records=partial(_records, inspections if len(inspections) > 1 and default else ()),
    )


def _contents(held: Iterable[tuple[Source, Sequence[Inspection]]]) -> tuple[Section, ...]:
    """What each file or model holds."""
    sections: tuple[Section, ...] = ()
    for source, within in held:
        from rnnshape.document.holder import holder_blocks  # most requests hold none

        sections += assembled({"contents": holder_blocks(source, within)})
    return sections


def _left_out(unread: Mapping[str, RequestError]) -> Iterator[Note]:
    for name, error in unread.items():
        yield Note((Code(name), f" is left out: {error.problem} ({error.hint})"))


def _broken(broken: Sequence[Verdict], *, readable: int) -> Iterator[Verdict]:
    """One verdict on all layers that cannot be read."""
    if broken:
        text = f"{len(broken)} of {len(broken) + readable} layers cannot be read"
        yield replace(broken[0], text=(text,))


def _in_sum(inspections: Sequence[Inspection]) -> tuple[Section, ...]:
    """What is to be said of each of several layers, and of all of them together."""
    last = {"verification": sum_of_found(inspections), "failures": _failed_in(inspections)}
    return _own(inspections) + assembled(last)


def _own(inspections: Sequence[Inspection]) -> tuple[Section, ...]:
    """What is to be said of each, below its header; of several alike but once."""
    own = [_sections(each, show=_IN_SUM, detailed=(), full=False) for each in inspections]
    notes = (b for sections in own for s in sections for b in s.blocks if isinstance(b, Note))
    shared = [note for note, count in Counter(notes).items() if count > 1]
    told: tuple[Section, ...] = ()
    for each, sections in zip(inspections, own, strict=True):
        blocks = {s.key: [b for b in s.blocks if b not in shared] for s in sections}
        if rest := assembled(blocks):
            heading, *_ = builder("header")(each)  # that code was run, the holder says
            told += assembled({"header": [heading]}) + rest
    return told + assembled({"findings": shared})


def _failed_in(inspections: Sequence[Inspection]) -> Iterator[Verdict]:
    """How many of several layers fail what is demanded of them, in the last line."""
    failing = [each for each in inspections if not each.holds]
    if failing:
        text = f"{len(failing)} of {len(inspections)} layers are not as they must be"
        yield Verdict(status="failed", text=(text,), subject=Code(failing[0].subject.request))


def _unread(source: Source) -> Iterator[Verdict]:
    """A verdict on each layer of a file or a model that cannot be read."""
    holder = source.holder.name if source.holder else ""
    for name, error in source.unread.items():
        place = f"{holder}:{name}" if name else holder
        request = Code(f"rnnshape inspect {word(place)}")
        yield Verdict(status="failed", text=(error.problem,), subject=request)


def _held_by(source: Source, inspections: Iterable[Inspection]) -> list[Inspection]:
    targets = {target.origin.target for target in source.targets}
    return [
        each for each in inspections if each.subject.found and each.subject.origin.target in targets
    ]


def _sections(
    inspection: Inspection, *, show: Collection[str], detailed: Collection[str], full: bool
) -> tuple[Section, ...]:
    shown = set(show)
    if not all(judgement.holds for judgement in inspection.judgements):
        shown.add("expectations")
    if inspection.match is not None and not inspection.match.holds:
        shown.add("matches")
    if inspection.report.disagrees:
        shown.add("verification")
    places = {name: f"{name}:{SECTIONS[name].in_detail}" for name in detailed}
    if full:
        places["weights"] = "weights:weights_by_name"
    if set(show) == {"findings"}:
        places["findings"] = "findings:findings_or_none"
    if shown & _ASSUMING and inspection.subject.unknown and "findings" not in shown:
        shown.add("findings")
        places["findings"] = "findings:assumptions"
    if inspection.subject.found is None:
        shown -= {name for name, traits in SECTIONS.items() if traits.found}
    return assembled(
        {name: builder(places.get(name, name))(inspection) for name in SECTIONS if name in shown}
    )


def _verdicts(inspection: Inspection) -> Iterator[Verdict]:
    """A verdict on each thing that was judged, whether or not a section shows it."""
    if inspection.judgements:
        from rnnshape.document.expectations import expectation_verdicts

        yield from expectation_verdicts(inspection)
    if inspection.match is not None:
        from rnnshape.document.matching import match_verdict

        yield match_verdict(inspection.match, Code(inspection.subject.request))
    yield run_verdict(inspection.report, Code(inspection.subject.request))


def _data(*inspections: Inspection, sources: Sequence[Source]) -> Mapping[str, Any]:
    from rnnshape.document.data import report_data

    data = report_data(*inspections)
    if not sources:
        return {**data, "holders": []}
    from rnnshape.document.holder import holder_data

    holders = [holder_data(source, _held_by(source, inspections)) for source in sources]
    return {**data, "holders": holders}


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
