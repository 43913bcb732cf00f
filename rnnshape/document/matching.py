"""What is said of a layer that is to match another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rnnshape.analysis.inspection import Inspection
from rnnshape.analysis.matching import Match
from rnnshape.document.model import Block, Code, Column, Inline, Listing, Table, Verdict
from rnnshape.layer.subject import Subject


def match_verdict(match: Match, subject: Code) -> Verdict:
    """Whether the layer matches; where it does not, each difference in one line."""
    what, target = f"matches {match.other.origin.target}", Code(match.other.origin.target or "")
    if match.holds:
        text = (Code(what), *_reservation(match.undecided))
        return Verdict(status="ok", text=text, subject=subject, what=what)
    differences = "; ".join(
        f"{each.argument} is {each.value} here, {each.other} there" for each in match.differences
    )
    return Verdict(
        status="failed",
        text=("does not match ", target),
        subject=subject,
        what=what,
        reason=(differences,),
    )


def match_blocks(inspection: Inspection) -> Iterator[Block]:
    """The verdict; where the two differ, a table with the evidence, and the layer that fits."""
    match, subject = inspection.match, inspection.subject
    if match is None:
        return
    verdict = match_verdict(match, Code(subject.name or subject.request))
    if match.holds:
        yield verdict
        return
    told = {}
    if subject.found is not None:
        evidence = subject.found.recognised.evidence
        # Without what is not there, which matters less than the room that it takes.
        told = {each.field: each.text.partition(", no ")[0] for each in evidence}
        told["class"] = told.get("kind", "")
    yield Table(
        columns=(
            Column(key="argument", title="matches"),
            Column(key="value", title="here"),
            Column(key="other", title="there"),
            Column(key="evidence", title="evidence", rank=1),
        ),
        rows=tuple(
            (Code(each.argument), str(each.value), str(each.other), told.get(each.argument))
            for each in match.differences
        ),
    )
    yield Listing((("fix:", (Code(_fitting(subject, match)),)),))
    yield replace(verdict, reason=())  # the table has it


def _fitting(subject: Subject, match: Match) -> str:
    """The constructor of the other layer, with what differs as it is here."""
    unknown = {name: getattr(match.other.config, name) for name in subject.unknown}
    return replace(subject.config, **unknown).constructor


def _reservation(undecided: Sequence[str]) -> Inline:
    if not undecided:
        return ()
    are = "is" if len(undecided) == 1 else "are"
    return (f", as far as is known: {' and '.join(undecided)} {are} not stored",)
