"""Python to paste: the layer, an input of that shape, and the call with its states named."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.dims import ints, written_shape
from rnnshape.document.model import Block, Picture
from rnnshape.layer.facts import Tensor
from rnnshape.layer.formulas import final_state_names, state_names
from rnnshape.layer.report import LayerReport
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import Subject

_WIDTH = 80
_PAGES = "https://docs.pytorch.org/docs/stable/generated"


def code(inspection: Inspection) -> Iterator[Block]:
    """A program that runs unchanged; a comment has the address of PyTorch's page.

    With a framework to convert to, it is the program that converts.
    """
    if inspection.to is None:
        lines = [short for line in _program(inspection.report) for short in broken(line)]
    else:
        from rnnshape.analysis.frameworks.counterparts import counterparts_in  # few convert

        found = counterparts_in(inspection.to, inspection.subject)
        lines = found[0].program if found else []
    if lines:
        yield Picture(tuple(lines), language="python")


def broken(line: str) -> list[str]:
    """A line of code no longer than `_WIDTH`, broken between the arguments of a call.

    A comment on a line that is too long is left out.
    """
    statement, _, comment = line.partition("  # ")
    if len(line) <= _WIDTH or line.startswith(" "):
        return [line]
    if comment:
        return broken(statement)
    return textwrap.wrap(
        line, _WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _program(report: LayerReport) -> Iterator[str]:
    subject = report.subject
    packed = "data" in report.tensors
    yield "import torch"
    yield "from torch import nn"
    if packed:
        yield "from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence"
    yield f"# {_PAGES}/torch.{subject.config.class_name}.html"
    constructor = subject.config.constructor.removesuffix(")")
    name = "cell" if subject.config.cell else "layer"
    yield f"{name} = {constructor}{settings_arguments(subject.settings)})"
    if subject.config.cell:
        yield from _steps_of_a_cell(report)
    elif packed:
        yield from _packed_call(report)
    else:
        yield from _call(report)


def _call(report: LayerReport) -> Iterator[str]:
    subject = report.subject
    yield _made(report, "input", "randn")
    yield from _initial_states(report)
    finals, initials = _states(subject, "n"), _states(subject, "0")
    yield f"output, {finals} = layer(input, {initials})"
    yield from _without_states(subject, f"output, {finals} = layer(input)")
    yield _returned(report)


def _packed_call(report: LayerReport) -> Iterator[str]:
    subject = report.subject
    first = ", batch_first=True" * subject.config.batch_first
    lengths, unsorted = subject.input_spec.lengths or (), ", enforce_sorted=False"
    if subject.settings.device_type == "meta":
        # There the order of the rows has no values, and PyTorch could not restore it.
        lengths, unsorted = tuple(sorted(lengths, reverse=True)), ""
    yield _made(report, "input", "randn")
    yield f"lengths = torch.tensor([{', '.join(map(str, lengths))}])"
    yield f"packed = pack_padded_sequence(input, lengths{first}{unsorted})"
    yield from _initial_states(report)
    finals, initials = _states(subject, "n"), _states(subject, "0")
    yield f"packed_output, {finals} = layer(packed, {initials})"
    yield from _without_states(subject, f"packed_output, {finals} = layer(packed)")
    yield f"output, lengths = pad_packed_sequence(packed_output{first})"
    yield _returned(report)


def _steps_of_a_cell(report: LayerReport) -> Iterator[str]:
    """A loop over the steps of a sequence, each of which reads the states of the one before."""
    subject, input_ = report.subject, report.tensors["input"]
    steps = Tensor(
        name="steps",
        shape=(subject.input_spec.seq_len, *ints(input_.shape)),
        axes=("seq", *input_.axes),
    )
    yield _line_of(steps, "randn", subject.settings)
    yield from _initial_states(report)
    finals, initials = (state_names(subject.config, time) for time in "10")
    yield f"{', '.join(finals)} = {', '.join(initials)}"
    yield "outputs = []"
    yield "for input in steps:"
    yield f"    {', '.join(finals)} = cell(input, {_states(subject, '1')})"
    yield "    outputs.append(h_1)"
    yield f"output = torch.stack(outputs)  # {', '.join(('seq', *input_.axes))}"
    yield from _without_states(subject, f"{', '.join(finals)} = cell(input)")
    yield _returned(report)


def _initial_states(report: LayerReport) -> Iterator[str]:
    for name in state_names(report.subject.config, "0"):
        yield _made(report, name, "zeros")


def _without_states(subject: Subject, call: str) -> Iterator[str]:
    if subject.input_spec.with_state:
        yield f"{call}  # without states they are zeros"


def _states(subject: Subject, time: str) -> str:
    """The states at a time as a call takes and returns them: `h_n`, or `(h_n, c_n)`."""
    names = state_names(subject.config, time)
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _returned(report: LayerReport) -> str:
    """A comment on the shapes of the results."""
    names = (*(["output"] if "output" in report.tensors else []),)
    names += final_state_names(report.subject.config)
    tensors = report.tensors
    return "# " + ", ".join(f"{name} {written_shape(ints(tensors[name].shape))}" for name in names)


def _made(report: LayerReport, name: str, function: str) -> str:
    return _line_of(report.tensors[name], function, report.subject.settings)


def _line_of(tensor: Tensor, function: str, settings: Settings) -> str:
    """The line that makes a tensor, with its axes: `input = torch.randn(10, 5, 20)  # seq, ...`."""
    sizes = ", ".join(map(str, ints(tensor.shape)))
    axes = ", ".join(tensor.axes)
    return f"{tensor.name} = torch.{function}({sizes}{settings_arguments(settings)})  # {axes}"


def settings_arguments(settings: Settings) -> str:
    """The arguments for a device and a dtype other than PyTorch's defaults."""
    default = Settings()
    device = f', device="{settings.device}"' if settings.device != default.device else ""
    dtype = f", dtype=torch.{settings.dtype.value}" if settings.dtype != default.dtype else ""
    return device + dtype
