"""How long a forward pass takes, compared with the other kinds."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Column, Paragraph, Seconds, Table
from rnnshape.layer.run import Timing


def time(inspection: Inspection) -> Iterator[Block]:
    """The time measured for each kind, next to its MACs; their ratios are seldom alike."""
    run = inspection.report.run
    timings: tuple[Timing, ...] = (run and run.value("timing")) or ()
    if not timings:
        return
    baseline, this = timings[0], inspection.subject.config.constructor
    yield Table(
        columns=(
            Column(key="layer", title="layer", headed=False),
            Column(key="time", title="time", numeric=True),
            Column(key="quartiles", title="half of the runs", rank=2),
            Column(key="time_ratio", title="of LSTM", numeric=True),
            Column(key="macs_ratio", title="MACs of LSTM", numeric=True, rank=1),
        ),
        rows=tuple(
            (
                _kind(timing) + "  (this)" * (timing.constructor == this),
                Seconds(timing.median),
                f"{Seconds(timing.lower)} to {Seconds(timing.upper)}",
                f"{timing.median / baseline.median:.2f}",
                Fraction(timing.macs, baseline.macs) if baseline.macs else None,
            )
            for timing in timings
        ),
    )
    passes = f"{baseline.runs} forward passes in inference"
    yield Paragraph((f"median of {passes}, with PyTorch's own threads",))


def _kind(timing: Timing) -> str:
    """`LSTM`, for a cell too."""
    return timing.constructor.partition("(")[0].removeprefix("nn.").removesuffix("Cell")
