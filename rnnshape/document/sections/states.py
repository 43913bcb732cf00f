"""How output and h_n relate: claims that a run judges, and how to index h_n."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Code, Listing, Paragraph
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.facts import Claim, ClaimCode, Part
from rnnshape.layer.formulas import state_names
from rnnshape.layer.report import LayerReport
from rnnshape.layer.subject import Subject

_MEANINGS: Final[Mapping[ClaimCode, str]] = {
    "all-of-h_n": "h_n holds nothing else: one layer, one direction",
    "last-layer": "the last layer; the others are only in h_n",
    "forward": "forward ends at the last step",
    "reverse": "reverse ends at the first step",
    "row-end": "row {row} ends at index {last}",
    "row-start": "row {row}, reverse: ends at the first step",
    "row-padding": "row {row} is padding there",
    "not-the-last-step": "reverse has read one step",
    "not-the-forwards": "forward and reverse alternate",
    "sequence-row": "a row for each sequence, of all layers and directions",
    "mixed-row": "rows that mix sequences",
    "decoder-sum": "for a decoder: summed",
    "decoder-cat": "or concatenated",
    "zero-state": "{mode}{initial} to zeros",
}
_BATCH_FIRST: Final = "batch_first moves no state: the batch of h_n is axis 1"
# Nobody reads more rows of a packed batch than this; JSON has all of them.
_MOST_ROWS: Final = 6


def states(inspection: Inspection) -> Iterator[Block]:
    """What output and h_n are, and the claims about where they are equal and where they are not."""
    report, config = inspection.report, inspection.subject.config
    yield Paragraph((_what_they_are(inspection.subject),))
    yield from _listed(report, "all-of-h_n", "last-layer", "forward", "reverse")
    yield from _listed(report, "row-end", "row-start", "row-padding")
    more_rows = len(inspection.subject.input_spec.lengths or ()) - _MOST_ROWS
    if more_rows > 0 and not config.cell:
        yield Paragraph((f"and so on for {more_rows} more row{'s' * (more_rows != 1)}",))
    yield from _listed(report, "not-the-last-step")
    yield from _listed(report, "zero-state")
    if "data" in report.tensors:
        yield from _packed(inspection.subject)


def states_in_detail(inspection: Inspection) -> Iterator[Block]:
    """The same, then how h_n is indexed, how a decoder takes it, and what is not returned."""
    report, config = inspection.report, inspection.subject.config
    yield from states(inspection)
    yield from _index_of_h_n(report)
    yield from _listed(report, "not-the-forwards")
    yield from _listed(report, "sequence-row", "mixed-row")
    yield from _listed(report, "decoder-sum", "decoder-cat")
    if config.kind is Kind.LSTM and not config.cell:
        yield Paragraph(
            (Code("c_n"), " is indexed like ", Code("h_n"), "; output never contains c")
        )
    missing = _not_returned(config)
    if missing:
        yield Paragraph((f"not returned: {missing} of each step; loop over cells for them",))


def _packed(subject: Subject) -> Iterator[Paragraph]:
    """How the input is packed, where a claim reads it or where the lengths are not sorted."""
    lengths = subject.input_spec.lengths or ()
    unsorted = list(lengths) != sorted(lengths, reverse=True)
    if subject.input_spec.with_state or unsorted:
        first = "batch_first=True, " * subject.config.batch_first
        pack = f"pack_padded_sequence(input, lengths, {first}enforce_sorted=False)"
        order = "; output and h_n are in your order, not sorted" * unsorted
        yield Paragraph((Code("packed"), " is ", Code(pack), *([order] if order else [])))


def _what_they_are(subject: Subject) -> str:
    config, spec = subject.config, subject.input_spec
    if config.cell:
        after, before = (", ".join(state_names(config, time)) for time in "10")
        verb = "are" if "," in after else "is"
        return f"one step: {after} of this call {verb} {before} of the next one"
    end = "its last step" if spec.lengths is None else "each row's own last step"
    ways = ", both ways" * config.bidirectional
    return f"output: the last layer, every step; h_n: every layer, {end}{ways}"


def _listed(report: LayerReport, *codes: ClaimCode) -> Iterator[Listing]:
    claims = [c for c in report.predicted.claims if c.code in codes and (c.row or 0) < _MOST_ROWS]
    if claims:
        yield Listing(tuple((Code(str(each)), (_meaning(report, each),)) for each in claims))


def _meaning(report: LayerReport, claim: Claim) -> str:
    lengths, row = report.subject.input_spec.lengths, claim.row
    moved = report.subject.config.batch_first and report.subject.input_spec.batched
    if moved and claim.code in ("all-of-h_n", "last-layer"):
        return _BATCH_FIRST
    initial = state_names(report.subject.config, "0")
    return _MEANINGS[claim.code].format(
        row=row,
        last=None if lengths is None or row is None else lengths[row] - 1,
        mode="in eval(): " if report.subject.config.dropout else "",
        initial=" and ".join(initial) + " default" + "s" * (len(initial) == 1),
    )


def _index_of_h_n(report: LayerReport) -> Iterator[Block]:
    config = report.subject.config
    for claim in report.predicted.claims:
        if claim.code == "view" and isinstance(claim.left, Part):
            viewed = Code(f"{replace(claim.left, index=())}[layer, dir]")
            order = ", dir 0 forward, 1 reverse: "
            yield Paragraph((Code("h_n[2*layer + dir]"), order, viewed))
    if config.num_layers > 1 and not config.bidirectional:
        yield Paragraph((Code("h_n[layer]"), ": the last step of each layer"))


def _not_returned(config: RNNConfig) -> str:
    if config.cell:
        return ""
    c_t = ["c_t"] if config.kind is Kind.LSTM else []
    h_t = ["lower layers' h_t"] if config.num_layers > 1 else []
    return " and ".join(c_t + h_t)
