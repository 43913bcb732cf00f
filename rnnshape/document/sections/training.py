"""What training steps took: bytes and times, next to what the formula gives."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Bytes, Cell, Column, Paragraph, Seconds, Table
from rnnshape.errors import counted
from rnnshape.layer.run import Training
from rnnshape.layer.subject import Subject


def training(inspection: Inspection) -> Iterator[Block]:
    """The memory of a training step, the time of its parts, and how they were measured."""
    run, subject = inspection.report.run, inspection.subject
    found: Training | None = run.value("training") if run else None
    if found is None:
        return
    yield Table(
        columns=(
            Column(key="measured", title="training"),
            Column(key="bytes", title="bytes", numeric=True),
            Column(key="unit", title="in units", numeric=True, headed=False, rank=2),
            Column(key="how", title="how", headed=False, rank=1),
        ),
        rows=tuple(
            (name, count, Bytes(count), how or None) for name, count, how in _memory(subject, found)
        ),
    )
    yield Table(
        columns=(
            Column(key="part", title="part of a step"),
            Column(key="time", title="time", numeric=True),
            Column(key="quartiles", title="half of the runs", rank=2),
        ),
        rows=tuple(_times(subject, found)),
    )
    steps = f"medians of {found.runs} steps" if found.runs > 1 else "one step"
    yield Paragraph(
        (f"{steps} in train mode, after warm-up, with {counted(found.threads, 'thread')}",)
    )


def _memory(subject: Subject, found: Training) -> Iterator[tuple[str, int, str]]:
    optimizer = subject.settings.optimizer
    yield "kept for backward", found.kept, _kept(found)
    if found.workspace:
        on_cpu = subject.settings.device_type == "cpu"
        yield "of it", found.workspace, "oneDNN's workspace" if on_cpu else "cuDNN's reserve"
    yield "gradients", found.gradients, ""
    if found.optimizer:
        yield optimizer.class_name, found.optimizer, "two moments of each parameter"
    if found.peak is not None:
        on_cpu = subject.settings.device_type == "cpu"
        what = "the process" if on_cpu else "memory in use"
        yield "peak", found.peak, f"by which {what} grew"


def _kept(found: Training) -> str:
    """How the prediction does."""
    if found.predicted is None:
        return "by autograd's hooks"
    if found.predicted == found.kept:
        return "as predicted"
    off = found.predicted / found.kept - 1 if found.kept else 0.0
    return f"predicted {found.predicted:,}, {abs(off):.1%} {'more' if off > 0 else 'less'}"


def _times(subject: Subject, found: Training) -> Iterator[tuple[Cell, ...]]:
    optimizer = subject.settings.optimizer.class_name
    parts = {"forward": found.forward, "backward": found.backward, optimizer: found.step}
    for name, spread in parts.items():
        within = f"{Seconds(spread.lower)} to {Seconds(spread.upper)}"
        yield name, Seconds(spread.median), within
