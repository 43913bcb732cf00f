"""The same layer in other frameworks; with --to, one in full and a program that converts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rnnshape.analysis.frameworks.counterparts import (
    Counterpart,
    PortedArray,
    counterparts,
    counterparts_in,
)
from rnnshape.analysis.frameworks.registry import NAMES, framework
from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import (
    Block,
    Code,
    Column,
    Inline,
    Listing,
    Paragraph,
    Picture,
    Shape,
    Table,
    Times,
)
from rnnshape.layer.settings import DType


def frameworks(inspection: Inspection) -> Iterator[Block]:
    """Biases, gate order and count in each framework, and what fills its weights."""
    if inspection.to is not None:
        yield from _in_full(inspection, inspection.to)
        return
    rows = counterparts(inspection.subject)
    yield _overview(rows)
    exact = [row for row in rows if row.port and row.port.exact]
    filled = {row.name: ", ".join(row.steps) or "as they are" for row in reversed(exact)}
    names = [name for name in NAMES if name in filled]
    yield Listing(tuple((f"to {name}", (filled[name],)) for name in names))
    yield from map(Paragraph, _inexact(rows))
    words = inspection.subject.origin.words
    if words.run == "option":
        option = Code(words.bare("to", names[0]))
        yield Paragraph((option, " shows every tensor, and prints the program that converts"))


def _overview(rows: Sequence[Counterpart]) -> Table:
    return Table(
        columns=(
            Column(key="framework", title="framework", headed=False),
            Column(key="layer", title="layer"),
            Column(key="biases", title="biases"),
            Column(key="gates", title="gates", rank=1),
            Column(key="parameters", title="parameters", numeric=True),
        ),
        rows=tuple(
            (row.title, Code(row.layer), row.biases, _gates(row), row.parameters) for row in rows
        ),
    )


def _gates(row: Counterpart) -> str:
    return row.gates or ("apart" if row.subject.config.kind.gates > 1 else "")


def _inexact(rows: Sequence[Counterpart]) -> Iterator[Inline]:
    """Which layers cannot be made PyTorch's, and why."""
    other = [f"{row.title} {row.layer}" for row in rows if row.port and row.port.other]
    if other:
        yield (f"the paper's cell, which is not PyTorch's: {', '.join(other)}",)
    lacking = [row for row in rows if row.port and row.port.lacks]
    if lacking:
        names = ", ".join(f"{row.title} {row.layer}" for row in lacking)
        assert lacking[0].port is not None
        yield (f"without {lacking[0].port.lacks}, which a trained layer has: {names}",)
    without = [framework(n).title for n in NAMES if not any(row.name == n for row in rows)]
    if without:
        yield (f"no projection in {', '.join(dict.fromkeys(without))}",)


def _in_full(inspection: Inspection, name: str) -> Iterator[Block]:
    """One framework: its tensors by name and shape, what fills them, and the program."""
    found, subject = framework(name), inspection.subject
    rows = counterparts_in(name, subject)
    yield Paragraph((f"{found.title}: {found.objects}",))
    for row in rows:
        yield from _of_layer(row)
    if rows:
        yield _in_and_out(rows[0])
        each = [tensor.pytorch for tensor in rows[0].tensors]
        meanings = {"[2*n": "n: the layer", "[n": "n: the layer", "d]": "d: 0 forward, 1 reverse"}
        used = [text for sign, text in meanings.items() if any(sign in one for one in each)]
        if used:
            yield Paragraph(("; ".join(dict.fromkeys(used)),))
    yield from (Paragraph((text,)) for text in found.limits(subject.config))
    yield Paragraph((Code(found.page),))
    program = rows[0].program if rows else []
    if program:
        yield Paragraph((_proof(rows[0]),))
        yield Picture(tuple(program), language="python")


def _of_layer(row: Counterpart) -> Iterator[Block]:
    """The arrays of a layer, those of layers that are alike in one row."""
    several = row.subject.config.num_layers > 1
    arrays = [*row.arrays]
    yield Paragraph((Code(row.layer), f": {row.parameters:,} parameters"))
    yield Table(
        columns=(
            Column(key="array", title="array"),
            *([Column(key="layers", title="layers", rank=1)] if several else []),
            Column(key="shape", title="shape", numeric=True),
            Column(key="count", title="count", numeric=True, rank=2),
            Column(key="source", title="filled with"),
        ),
        rows=tuple(
            (
                Code(array.name),
                *([_layers(array)] if several else []),
                Shape(array.shape),
                Times(array.count),
                Code(array.source),
            )
            for array in arrays
        ),
    )
    notes = [meaning for sign, meaning in _SIGNS.items() if any(sign in a.source for a in arrays)]
    if notes:
        yield Paragraph(("; ".join(notes),))


_SIGNS: Final = {
    "[": "[...]: the rows of these gates in this order",
    ",": "a, b: one after the other",
    "over": "a over b: two rows",
}


def _layers(array: PortedArray) -> str:
    first, last = array.layers[0], array.layers[-1]
    return str(first) if first == last else f"{first}..{last}"


def _in_and_out(row: Counterpart) -> Table:
    return Table(
        columns=(
            Column(key="tensor", title="in and out"),
            Column(key="shape", title="shape", numeric=True),
            Column(key="pytorch", title="in PyTorch"),
        ),
        rows=tuple(
            (Code(each.name), Shape(each.shape), Code(each.pytorch)) for each in row.tensors
        ),
    )


def _proof(row: Counterpart) -> str:
    """What the program does, and how that is known."""
    assert row.framework is not None
    assert row.port is not None
    only = " to PyTorch only" * bool(row.port.lacks)
    only += " in float32" * (row.subject.settings.dtype is not DType.FLOAT32)
    if row.framework.runs:
        return f"this program converts{only}, and compares the outputs:"
    return "this program converts as that page says; it was not run with the library:"
