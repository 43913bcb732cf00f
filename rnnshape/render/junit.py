"""JUnit's XML, which every CI service reads: a test case for each thing that was judged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from rnnshape.document.model import Document, Inline, Verdict
from rnnshape.render.cells import cell_text

_TYPES: Final = {"failed": "disagreement", "unmet": "expectation"}


def render_junit(document: Document) -> str:
    """A test suite for each subject, with a case for each of its verdicts."""
    every = document.verdicts()
    root = Element("testsuites", {"name": "rnnshape", **_counts(every)})
    for subject, verdicts in groupby(every, key=lambda verdict: verdict.subject):
        cases = list(verdicts)
        suite = SubElement(root, "testsuite", {"name": cell_text(subject), **_counts(cases)})
        for verdict in cases:
            _case(suite, verdict)
    indent(root)
    xml: str = tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}\n'


def _case(suite: Element, verdict: Verdict) -> None:
    case = SubElement(
        suite,
        "testcase",
        classname=cell_text(verdict.subject),
        name=cell_text(verdict.what),
    )
    if verdict.place is not None:
        case.set("file", cell_text(verdict.place.file))
        case.set("line", str(verdict.place.line))
    message = _inline(verdict.text)
    if verdict.status == "open":
        SubElement(case, "skipped", message=message)
    elif verdict.status != "ok":
        failure = SubElement(case, "failure", message=message, type=_TYPES[verdict.status])
        place = "" if verdict.place is None else f"{cell_text(str(verdict.place))}: "
        failure.text = "\n".join(filter(None, (place + message, _inline(verdict.reason))))


def _counts(verdicts: Sequence[Verdict]) -> dict[str, str]:
    failed = sum(verdict.status in _TYPES for verdict in verdicts)
    skipped = sum(verdict.status == "open" for verdict in verdicts)
    return {
        "tests": str(len(verdicts)),
        "failures": str(failed),
        "errors": "0",
        "skipped": str(skipped),
    }


def _inline(text: Inline) -> str:
    """On one line, and without what XML has no place for: `cell_text` writes that as Python."""
    return "".join(map(cell_text, text))
