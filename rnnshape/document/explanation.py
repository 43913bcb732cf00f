"""The document of an explanation: what an error means, its causes, and the lines that fix them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rnnshape.analysis.explanation.records import Comparison, Explanation, Remedy
from rnnshape.document.data import preamble
from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Column,
    Document,
    Inline,
    Note,
    Paragraph,
    Steps,
    Table,
    Verdict,
)
from rnnshape.document.sections import assembled

_CODE: Final = re.compile(r"`([^`]*)`")
_CODE_WIDTH: Final = 75  # of 80 columns, 5 are before it


def explanation_document(explanation: Explanation) -> Document:
    """What the error means; expected and given; the causes; notes; what shows more."""
    comparison = explanation.comparison
    blocks: dict[str, Iterable[Block]] = {
        "meaning": [Paragraph(_inline(explanation.meaning)), *_tensors(explanation)],
        "comparison": [] if comparison is None else [_compared(comparison)],
        "causes": [Steps(tuple(map(_step, explanation.causes)))] if explanation.causes else [],
        "remarks": _remarks(explanation),
    }
    return Document(
        sections=assembled(blocks, untitled=True),
        data=lambda: _data(explanation),
        verdicts=lambda: [_verdict(explanation)],
    )


def _verdict(explanation: Explanation) -> Verdict:
    """The error as a failure, with its likeliest cause, for a CI service."""
    first = next(iter(explanation.causes), None)
    return Verdict(
        status="failed",
        text=_inline(explanation.meaning),
        subject=Code(explanation.mistake),
        what=explanation.error,
        reason=() if first is None else _inline(f"{first.why} {first.tell}".strip()),
    )


def _inline(text: str) -> Inline:
    """A text whose code stands in backticks."""
    pieces = _CODE.split(text)
    return tuple(Code(piece) if place % 2 else piece for place, piece in enumerate(pieces) if piece)


def _tensors(explanation: Explanation) -> Iterator[Block]:
    if explanation.tensors:
        shapes = (f"{name} {shape}" for name, shape in explanation.tensors.items())
        yield Paragraph((f"Here: {', '.join(shapes)}.",))


def _compared(comparison: Comparison) -> Table:
    """A row for each side, and one that marks what differs."""
    sides = zip(comparison.labels, (comparison.expected, comparison.got), strict=True)
    rows: list[tuple[Cell, ...]] = [(label, *map(_size, sizes)) for label, sizes in sides]
    if comparison.differs:
        rows.append(("", *_marks(comparison)))
    numeric = all(isinstance(each, int) for each in (*comparison.expected, *comparison.got))
    places = (Column(key=_key(p), title=p, numeric=numeric) for p in comparison.places)
    return Table(columns=(Column(key="side", title=comparison.title), *places), rows=tuple(rows))


def _size(size: int | str | None) -> Cell:
    return "?" if size is None else str(size)


def _key(place: str) -> str:
    return re.sub(r"\W+", "_", place)


def _marks(comparison: Comparison) -> Iterator[str]:
    for place, size in zip(comparison.places, comparison.got, strict=True):
        yield "^" * len(str(size)) if place in comparison.differs else ""


def _step(cause: Remedy) -> tuple[Inline, tuple[str, ...]]:
    code = tuple(line for each in cause.fix.splitlines() for line in _narrow(each))
    return _inline(f"{cause.why} {cause.tell}".strip()), code


def _narrow(line: str) -> Iterator[str]:
    """The line, its comment above it where both are too wide for a terminal of 80 columns."""
    code, mark, comment = line.partition("  # ")
    if mark and len(line) > _CODE_WIDTH:
        indent = line[: len(line) - len(line.lstrip())]
        yield f"{indent}# {comment}"
        yield code
    else:
        yield line


def _remarks(explanation: Explanation) -> Iterator[Block]:
    for note in explanation.notes:
        yield Note(_inline(note))
    if explanation.others:
        yield Note(("The text also has: ", *_inline("; ".join(explanation.others))))
    if explanation.more:
        yield Paragraph(("more: ", Code(explanation.more)))


def _data(explanation: Explanation) -> Mapping[str, Any]:
    comparison = explanation.comparison
    sides: dict[str, Any] = {"compared": None, "expected": None, "got": None, "differs": []}
    if comparison is not None:
        sides = {
            "compared": comparison.title or None,
            "expected": dict(zip(comparison.places, comparison.expected, strict=True)),
            "got": dict(zip(comparison.places, comparison.got, strict=True)),
            "differs": list(comparison.differs),
        }
    return {
        **preamble([]),
        "recognised": True,
        "mistake": explanation.mistake,
        "error": explanation.error,
        "meaning": explanation.meaning,
        **sides,
        "tensors": {name: list(shape) for name, shape in explanation.tensors.items()},
        "causes": [
            {"why": each.why, "tell": each.tell or None, "fix": each.fix or None}
            for each in explanation.causes
        ],
        "notes": list(explanation.notes),
        "more": explanation.more or None,
        "other_errors": list(explanation.others),
    }
