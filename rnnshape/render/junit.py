"""JUnit's XML, which every CI service reads: a test case for each thing that was judged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from rnnshape.document.model import Document, Verdict
from rnnshape.render.cells import cell_text, line_text

_FAILURES: Final = {"mismatch": "disagreement", "failed": "expectation"}


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
    names = {"classname": cell_text(verdict.subject), "name": cell_text(verdict.what)}
    case = SubElement(suite, "testcase", names)
    message, place = line_text(verdict.text), ""
    if verdict.place is not None:
        case.set("file", cell_text(verdict.place.file))
        case.set("line", str(verdict.place.line))
        place = f"{cell_text(str(verdict.place))}: "
    if verdict.status == "skipped":
        SubElement(case, "skipped", message=message)
    elif verdict.status in _FAILURES:
        failure = SubElement(case, "failure", message=message, type=_FAILURES[verdict.status])
        failure.text = "\n".join(filter(None, (place + message, line_text(verdict.reason))))


def _counts(verdicts: Sequence[Verdict]) -> dict[str, str]:
    statuses = [verdict.status for verdict in verdicts]
    counts = {
        "tests": len(statuses),
        "failures": sum(status in _FAILURES for status in statuses),
        "errors": 0,
        "skipped": statuses.count("skipped"),
    }
    return {name: str(count) for name, count in counts.items()}
