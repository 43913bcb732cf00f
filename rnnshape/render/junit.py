"""JUnit's XML, which every CI service reads: a test case for each thing that was judged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from rnnshape.document.model import Document, Status, Verdict
from rnnshape.render.cells import cell_text, line_text

# The element for each status that is not a success, and its type.
_PROBLEMS: Final[dict[Status, tuple[str, str]]] = {
    "mismatch": ("failure", "disagreement"),
    "failed": ("failure", "expectation"),
    "refused": ("error", "request"),
    "skipped": ("skipped", "not run"),
}


def render_junit(document: Document) -> str:
    """A test suite for each subject, with a case for each of its verdicts.

    It is as Jenkins' schema has it, junit-10.xsd, where a case has no attributes for its place:
    the text of a failure begins with that.
    """
    every = document.verdicts()
    counts = _counts(every)
    del counts["skipped"]  # the schema has it only for a suite
    root = Element("testsuites", {"name": "rnnshape", **counts})
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
    if verdict.status not in _PROBLEMS:
        return
    element, kind = _PROBLEMS[verdict.status]
    message = line_text(verdict.text)
    problem = SubElement(case, element, message=message, type=kind)
    if verdict.status != "skipped":
        place = "" if verdict.place is None else f"{cell_text(str(verdict.place))}: "
        problem.text = "\n".join(filter(None, (place + message, line_text(verdict.reason))))


def _counts(verdicts: Sequence[Verdict]) -> dict[str, str]:
    elements = [_PROBLEMS.get(verdict.status, ("", ""))[0] for verdict in verdicts]
    counts = {
        "tests": len(elements),
        "failures": elements.count("failure"),
        "errors": elements.count("error"),
        "skipped": elements.count("skipped"),
    }
    return {name: str(count) for name, count in counts.items()}
