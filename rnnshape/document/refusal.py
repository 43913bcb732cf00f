"""The document of a refused request, for those who read no stderr: a verdict for each error."""

from __future__ import annotations

from collections.abc import Iterable

from rnnshape.document.model import Code, Document, Place, Verdict
from rnnshape.document.sections import assembled
from rnnshape.errors import PlacedError, RequestError
from rnnshape.words import COMMAND


def refusal_document(errors: Iterable[RequestError]) -> Document:
    """What is wrong with a request, each error at its line of the manifest if it has one."""
    verdicts = [_refused(error) for error in errors]
    return Document(
        sections=assembled({"failures": verdicts}), data=dict, verdicts=lambda: verdicts
    )


def _refused(error: RequestError) -> Verdict:
    subject, place, message = "rnnshape", None, error.message(COMMAND)
    if isinstance(error, PlacedError):
        subject, place = error.name or error.file, Place(file=error.file, line=error.line)
        message = error.unplaced
    return Verdict(
        status="refused",
        text=(message.problem,),
        subject=Code(subject),
        what="request" if place is None else str(place),
        reason=(message.hint,),
        place=place,
    )
