"""Whether the layer matches another one."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block


def matches(inspection: Inspection) -> Iterator[Block]:
    """The verdict, and each difference; nothing where no other layer is given."""
    if inspection.match is not None:
        from rnnshape.document.matching import match_blocks  # few requests match anything

        yield from match_blocks(inspection)
