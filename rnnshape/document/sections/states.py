"""What output and h_n are to each other: relations that the run judges, and how to index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Code, Listing, Paragraph
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.facts import ClaimCode, Part
from rnnshape.layer.report import LayerReport

_FINAL_STATES: Final[Mapping[ClaimCode, str]] = {
    "all-of-h_n": "this is all of h_n: one layer, one direction",
    "last-layer": "last layer; those below appear only in h_n",
    "forward": "last layer, forward: it ends at the last step",
    "reverse": "last layer, reverse: it ends at the first step",
}
_ZERO_STATES: Final[Mapping[ClaimCode, str]] = {
    "zero-state": "h_0 and c_0 are zeros where they are left out"
}
_ZERO_STATES_IN_EVAL: Final[Mapping[ClaimCode, str]] = {
    "zero-state": "in eval(): h_0 and c_0 are zeros where they are left out"
}
_FALSE_FRIENDS: Final[Mapping[ClaimCode, str]] = {
    "not-the-last-step": "reverse: it read only one step",
}
_LAYERS_FIRST: Final[Mapping[ClaimCode, str]] = {
    "not-the-forwards": "forward and reverse alternate",
}
_DECODER: Final[Mapping[ClaimCode, str]] = {
    "decoder-sum": "for a decoder: sum",
    "decoder-cat": "or side by side",
}
_PACK: Final = "pack_padded_sequence(input, lengths, enforce_sorted=False)"
# Rows of a packed batch that a person still reads; JSON has all of them.
_MOST_ROWS: Final = 6


def states(inspection: Inspection) -> Iterator[Block]:
    """The claims of each kind with what they mean, and what the layer does not return."""
    report = inspection.report
    config = report.subject.config
    if config.cell:
        yield Paragraph(("one step: pass these states on as the initial states of the next one",))
    yield from _listed(report, _FINAL_STATES)
    yield from _row_ends(report)
    yield from _listed(report, _FALSE_FRIENDS)
    yield from _index_of_h_n(report)
    yield from _listed(report, _LAYERS_FIRST)
    yield from _listed(report, _DECODER)
    yield from _listed(report, _ZERO_STATES_IN_EVAL if config.dropout else _ZERO_STATES)
    if report.subject.input_spec.with_state and "data" in report.predicted.tensors:
        yield Paragraph((Code("packed"), " is ", Code(_PACK)))
    if config.kind is Kind.LSTM and not config.cell:
        yield Paragraph(
            (Code("c_n"), " is indexed like ", Code("h_n"), "; output never contains c")
        )
    missing = _not_returned(config)
    if missing:
        yield Paragraph((f"not returned: {missing} at every step; loop over cells for them",))


def _listed(report: LayerReport, words: Mapping[ClaimCode, str]) -> Iterator[Listing]:
    items = [(c, words[c.code]) for c in report.predicted.claims if c.code in words]
    if items:
        yield Listing(tuple((Code(str(claim)), (text,)) for claim, text in items))


def _row_ends(report: LayerReport) -> Iterator[Block]:
    """For each row of a packed batch where it ends, and that the last step is not its end."""
    lengths = report.subject.input_spec.lengths
    if lengths is None or report.subject.config.cell:
        return
    words: Mapping[ClaimCode, str] = {
        "row-end": "row {row} ends at its step {last}",
        "row-start": "row {row}, reverse: ends at the first step",
        "row-padding": "row {row} is padding there",
    }
    items = [
        (Code(str(claim)), (words[claim.code].format(row=claim.row, last=lengths[claim.row] - 1),))
        for claim in report.predicted.claims
        if claim.row is not None and claim.row < _MOST_ROWS
    ]
    yield Listing(tuple(items))
    if len(lengths) > _MOST_ROWS:
        yield Paragraph((f"and so on for {len(lengths) - _MOST_ROWS} more rows",))


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
