"""What a layer costs: operations of the forward pass, and memory of inference and of training."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.cost import Cost, pointwise
from rnnshape.analysis.cost import cost as cost_of
from rnnshape.analysis.inspection import Inspection
from rnnshape.dims import formula
from rnnshape.document.legend import MACS
from rnnshape.document.model import Block, Bytes, Cell, Column, Paragraph, Table
from rnnshape.layer.report import LayerReport
from rnnshape.layer.subject import Subject


def cost(inspection: Inspection) -> Iterator[Block]:
    """MACs, FLOPs and pointwise work, then the memory that formulas give, with its sums."""
    report = inspection.report
    known = cost_of(report.subject)
    yield Table(
        columns=(
            Column(key="cost", title="cost", headed=False),
            Column(key="amount", title="amount", numeric=True),
            Column(key="how", title="how", headed=False, rank=1),
        ),
        rows=tuple(_compute(report, known)),
    )
    yield Table(
        columns=(
            Column(key="memory", title="memory"),
            Column(key="bytes", title="bytes", numeric=True),
            Column(key="unit", title="in units", numeric=True, headed=False, rank=2),
            Column(key="how", title="how", headed=False, rank=1),
        ),
        rows=tuple(
            (name, count, Bytes(count), how or None) for name, count, how in _memory(report, known)
        ),
    )
    yield Paragraph((f"{MACS}, without pointwise work.",))
    yield Paragraph((f"Peaks are higher{_measured_by(report.subject)}.",))


def _compute(report: LayerReport, known: Cost) -> Iterator[tuple[Cell, ...]]:
    yield "MACs", known.macs, f"{formula(report.sizes.steps)} x elements of all matrices"
    yield "MACs per step", known.macs_per_step, "one step of one sequence"
    yield "FLOPs", known.flops, "2 x MACs"
    for name, count in pointwise(report.sizes).items():
        yield name, count, formula(count)


def _memory(report: LayerReport, known: Cost) -> Iterator[tuple[str, int, str]]:
    subject = report.subject
    itemsize, optimizer = subject.settings.dtype.itemsize, subject.settings.optimizer
    alike = known.parameters == itemsize * report.parameters  # a module may hold several dtypes
    yield "parameters", known.parameters, f"{itemsize} x {report.parameters:,}" if alike else ""
    yield "input", known.input, ""
    if known.output:
        yield "output", known.output, "of the last layer"
    yield "states", known.states, "the final states"
    yield "inference", known.inference, "the sum of these"
    yield "gradients", known.gradients, "one for each parameter"
    if known.optimizer:
        how = f"{optimizer.moments} moments of each parameter"
        yield optimizer.class_name, known.optimizer, how
    if known.kept is not None and known.training is not None:
        yield "kept", known.kept, "for backward" + " by oneDNN's kernel" * known.onednn
        yield "training", known.training, _summed(known, optimizer.class_name)
    if known.onednn and known.kept_natively is not None:
        yield "kept natively", known.kept_natively, "with oneDNN off"
    yield "int8 weights", known.int8, "1 byte, biases 4: dynamic quantization"
    yield "4-bit weights", known.int4, "half a byte, biases 4"


def _summed(known: Cost, optimizer: str) -> str:
    return f"weights, gradients, {f'{optimizer}, ' * bool(known.optimizer)}input, kept"


def _measured_by(subject: Subject) -> str:
    """The request that measures them, where the front end has it and the device computes."""
    if subject.settings.device_type == "meta":
        return ""
    if subject.origin.words.run != "option":
        return ": measure them"
    return f": {subject.request} --train measures them"
