"""Whether PyTorch does what was predicted."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Code
from rnnshape.document.verification import verification_blocks


def verification(inspection: Inspection) -> Iterator[Block]:
    """What the run found, or that there was none."""
    yield from verification_blocks(inspection.report, Code(inspection.subject.request))
