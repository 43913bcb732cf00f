"""Whether what was expected of the layer holds."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block


def expectations(inspection: Inspection) -> Iterator[Block]:
    """One line if all hold, otherwise each failure; nothing if nothing was expected."""
    if inspection.judgements:
        from rnnshape.document.expectations import expectation_blocks

        yield from expectation_blocks(inspection)
