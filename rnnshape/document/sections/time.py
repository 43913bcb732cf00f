"""How long a forward pass takes, compared with the other kinds."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Column, Paragraph, Seconds, Table
from rnnshape.errors import counted
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
            Column(key="time_ratio", title="of LSTM's time", numeric=True),
            Column(key="macs_ratio", title="of LSTM's MACs", numeric=True, rank=1),
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
    own = next(each for each in timings if each.constructor == this)
    whole = inspection.subject.input_spec.seq_len
    for other in timings[1:] if own is baseline else [own]:
        yield Paragraph((_compared(other, baseline, whole),))
    passes = f"median of {own.runs} forward passes" if own.runs > 1 else "one forward pass of each"
    yield Paragraph((f"{passes} in inference mode, with {counted(own.threads, 'thread')}",))


def _compared(other: Timing, baseline: Timing, whole: int) -> str:
    """`GRU is faster than LSTM here: 0.81 of its time (4.1 ms, 5 ms)`."""
    kind, of = _kind(other), _kind(baseline)
    name = f"{kind} with a projection" if kind == of else kind
    ratio = other.median / baseline.median
    of_steps = f" for {other.seq_len:,} of the {whole:,} steps" * (other.seq_len < whole)
    times = f"{ratio:.2f} of its time ({Seconds(other.median)}, {Seconds(baseline.median)})"
    if other.lower <= baseline.upper and baseline.lower <= other.upper:
        return f"no difference between {name} and {of} can be told here{of_steps}: {times}"
    return f"{name} is {'faster' if ratio < 1 else 'slower'} than {of} here{of_steps}: {times}"


def _kind(timing: Timing) -> str:
    """`LSTM`, for a cell too."""
    return timing.constructor.partition("(")[0].removeprefix("nn.").removesuffix("Cell")
