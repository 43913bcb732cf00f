"""What is said of sums of layers: what each adds up, and where it is no chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate

from rnnshape.analysis.comparison import Compared
from rnnshape.analysis.summands import breaks, output_of, recurrent
from rnnshape.document.final_states import state_cells, state_columns, state_titles
from rnnshape.document.model import Block, Code, Column, Paragraph, Shape, Table
from rnnshape.layer.findings import NotAChain


def parts_of(rows: Iterable[Compared]) -> Iterator[Block]:
    """What each sum adds up."""
    sums = [row for row in rows if row.is_sum]
    if not sums:
        return
    states = state_titles(subject for row in sums for subject in recurrent(row.summands))
    yield Table(
        columns=(
            Column(key="constructor", title="constructor", calls=True),
            Column(key="parameters", title="parameters", numeric=True),
            Column(key="macs", title="MACs", numeric=True, rank=2),
            Column(key="output", title="output", numeric=True, rank=3),
            *state_columns(states),
        ),
        rows=tuple(
            (
                Code(each.constructor),
                each.parameters,
                each.macs,
                Shape.of(output_of(each, row.subject)),
                *state_cells(recurrent((each,)), states),
            )
            for row in sums
            for each in row.summands
        ),
        breaks=frozenset(accumulate(len(row.summands) for row in sums[:-1])),
    )
    if any(each.merged for row in sums for each in row.summands):
        yield Paragraph(
            ("The two directions of a layer are added before the next one reads them.",)
        )


def broken_chains(rows: Iterable[Compared]) -> list[tuple[str, NotAChain]]:
    """Where each sum is no chain, with the sum; one that occurs twice is listed once."""
    found = ((row.constructor, each) for row in rows for each in breaks(row.summands))
    return list(dict.fromkeys(found))
