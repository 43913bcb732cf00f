"""Bytes that PyTorch's kernels for the CPU hold: at the peak of a forward pass, and for backward.

There are two kernels. The native one goes from step to step with a tensor for each result. oneDNN's
runs all steps of an LSTM at once, and is PyTorch's default where it applies.
"""

from __future__ import annotations

from typing import Final

from rnnshape.layer.config import Kind
from rnnshape.layer.settings import DType
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import elements

# The next four were measured with glibc. Bytes of the objects behind a tensor of one step: a view
# of the gates of all steps, and an output with memory of its own.
_VIEW: Final = 210
_OUTPUT: Final = 440
# Bytes of all that autograd makes for one step, besides numbers.
_NODES: Final = {Kind.LSTM: 16_000, Kind.GRU: 17_000, Kind.RNN: 5_300}
# What outlives its layer leaves holes in the heap that the next layer's tensors do not fit into.
# Larger blocks are mapped one by one, and leave none.
_HOLE: Final = 1.5
_MAPPED: Final = 32 * 2**20
# So are blocks of this size, until one is given back. From then on those of the steps leave holes.
_MAPPED_AT_FIRST: Final = 128 * 2**10
_PAGE: Final = 4096


def has_onednn(subject: Subject) -> bool:
    """Whether PyTorch runs the layer by oneDNN's kernel on a CPU unless that is switched off.

    In bfloat16 this also depends on the processor.
    """
    config, spec, settings = subject.config, subject.input_spec, subject.settings
    return (
        config.kind is Kind.LSTM
        and not (config.cell or config.proj_size)
        and len({*(spec.lengths or (1,))}) == 1  # a packed batch of one length is not packed to it
        and settings.device_type == "cpu"
        and settings.dtype in (DType.FLOAT32, DType.BFLOAT16)
        and spec.batch_size > 0
    )


def kept_for_backward(subject: Subject, *, onednn: bool) -> int:
    """Bytes that autograd keeps of a call without states, besides the weights and the input.

    The layer is in train mode; of each storage all bytes count, once.
    """
    config, sizes = subject.config, subject.sizes
    upper, reads_above = sizes.num_layers - 1, sizes.D * sizes.H_out
    total = 0
    for reverse in (False, True)[: sizes.D]:
        for layers, reads in ((1, sizes.H_in), (upper, reads_above)):
            if onednn:
                total += layers * _kept_by_onednn(subject, reads)
            else:
                total += layers * _kept_natively(subject, reverse=reverse)
    # What the next layer reads; where it is the output of oneDNN, that is kept already.
    between = 0 if onednn and sizes.D == 1 and not config.dropout else sizes.steps * reads_above
    if config.dropout == 1:
        between += 1  # a single zero masks all
    elif config.dropout:
        between += sizes.steps * reads_above
    copies = _turned(subject) * (1 if onednn else sizes.D)
    order = 8 * sizes.N if _packed(subject) else 0  # undoes the sorting of the rows
    return total + _bytes(subject, upper * between + copies) + order


def _kept_natively(subject: Subject, *, reverse: bool) -> int:
    """Bytes of one direction: what each step reads and makes besides its result."""
    config, sizes = subject.config, subject.sizes
    rows, hidden, out = sizes.steps, sizes.H_cell, sizes.H_out
    # The states before all steps: of a packed input, those before the first are of all rows.
    before = sizes.N + rows - _rows_of_last_step(subject)
    match config.kind:
        case Kind.LSTM if config.cell:
            return _bytes(subject, (5 * rows + before) * hidden)  # the same zeros are h and c
        case Kind.LSTM:
            own = (5 + bool(config.proj_size)) * hidden
            return _bytes(subject, rows * own + before * (hidden + out))
        case Kind.GRU:
            return _bytes(subject, (6 * rows + before) * hidden)
        case Kind.RNN:
            joined = _rows_joined(subject) if reverse else 0
            return _bytes(subject, (sizes.N + rows + joined) * hidden)


def _kept_by_onednn(subject: Subject, reads: int) -> int:
    """Bytes of one direction: oneDNN's workspace, output and states, and zeros for no biases."""
    sizes, hidden = subject.sizes, subject.sizes.H_cell
    count = sizes.steps * hidden + 4 * sizes.N * hidden
    if not subject.config.bias:
        count += 4 * hidden * (reads + hidden)
    return _bytes(subject, count) + _workspace(subject, reads)


def _workspace(subject: Subject, reads: int) -> int:
    """Bytes of oneDNN's workspace for one direction: its gates and states, and their gradients.

    Rows begin at multiples of 64 bytes, and gradients are in float32.
    """
    sizes, itemsize = subject.sizes, subject.settings.dtype.itemsize
    steps, states, hidden = sizes.steps, 2 * (sizes.longest + 1) * sizes.N, sizes.H_cell
    wide = max(reads, hidden)
    parts = (
        steps * _padded_row(4 * hidden, itemsize),
        steps * _padded_row(hidden, itemsize),
        states * _padded_row(wide, itemsize),
        states * hidden * itemsize,
        *_gradients(subject, reads),
    )
    return sum(-(-part // _PAGE) * _PAGE for part in parts)


def _gradients(subject: Subject, reads: int) -> tuple[int, ...]:
    """Bytes of the parts of oneDNN's workspace that are empty until backward reaches them."""
    states, hidden = 2 * (subject.sizes.longest + 1) * subject.sizes.N, subject.sizes.H_cell
    row = _padded_row(max(reads, hidden), 4)
    return states * row, states * row, states * hidden * 4


def _padded_row(count: int, itemsize: int) -> int:
    """Bytes of a row in oneDNN, which avoids lengths that collide in the cache."""
    line = 64 // itemsize
    length = -(-count // line) * line
    return itemsize * (length + line * (length % 256 == 0))


def inference_peak(subject: Subject, *, onednn: bool = False) -> int:
    """Bytes at the peak of building the input and calling the layer, besides the weights.

    It includes the input, the states and the results, of a call that autograd does not record.
    """
    sizes, states, results = subject.sizes, _states(subject), _results(subject)
    peak = 2 * states + results + _left_behind(subject, sizes.num_layers)
    upper, reads = sizes.num_layers - 1, sizes.D * sizes.H_out
    for below, features in ((0, sizes.H_in), (upper, reads))[: 1 + (upper > 0)]:
        own = _layer_by_onednn(subject, features) if onednn else _layer_natively(subject)
        own += _read_from_below(subject) if below else 0
        peak = max(peak, states + own + _left_behind(subject, below))
    first_call = states + results if subject.input_spec.with_state else 0
    return max(_drawing(subject), input_bytes(subject) + first_call + peak)


def training_peak(subject: Subject, *, onednn: bool) -> int:
    """Bytes at the peak of a training step, besides the weights, gradients and optimizer.

    That is at the end of the forward pass, or at the beginning of the backward pass, while the
    highest layer has all that it kept, and its gradients.
    """
    config, sizes = subject.config, subject.sizes
    passing, objects = 0, 0
    if onednn:
        # What a layer has not written yet takes no memory, and only the highest has by then.
        unwritten = sum(_gradients(subject, sizes.D * sizes.H_out))
        objects = -unwritten * (sizes.num_layers * sizes.D - 1)
    else:
        steps = sizes.num_layers * sizes.D * (1 if config.cell else sizes.longest)
        objects = steps * _NODES[config.kind]
        rows = sizes.D * (sizes.steps + _rows_joined(subject))
        passing = rows * sizes.H_cell * (1 + max(config.kind.gates, 2))
    if sizes.num_layers > 1:
        passing += sizes.steps * sizes.D * sizes.H_out  # the gradient of what it reads
    kept = kept_for_backward(subject, onednn=onednn) + _bytes(subject, passing) + objects
    held = input_bytes(subject) + 2 * _states(subject) + _results(subject)
    return max(_drawing(subject), held + kept)


def _layer_by_onednn(subject: Subject, reads: int) -> int:
    """Bytes at the peak of one layer: an output of each direction twice, and reordered weights."""
    sizes, hidden = subject.sizes, subject.sizes.H_cell
    turned = _turned(subject) if reads == sizes.H_in else 0
    outputs = 2 * sizes.D * sizes.steps * hidden + 8 * sizes.N * hidden
    return _bytes(subject, turned + outputs + 4 * hidden * (reads + hidden))


def _layer_natively(subject: Subject) -> int:
    """Bytes at the peak of one layer.

    The gates of all steps are there until all outputs are, in a list and joined; of two directions
    the first has its list and its joined output still.
    """
    config, sizes = subject.config, subject.sizes
    rows, hidden = sizes.steps, sizes.H_cell
    gates, outputs = config.kind.gates * rows * hidden, rows * sizes.H_out
    # What a step makes beside its result and the gates of its input.
    made = {Kind.LSTM: 6 + (sizes.longest > 1), Kind.GRU: 4, Kind.RNN: 1}[config.kind]
    step = made * sizes.N * hidden
    if config.cell:
        in_cell = {
            Kind.LSTM: max(2 * gates, 7 * rows * hidden),
            Kind.GRU: gates + step + rows * hidden,
        }
        return _bytes(subject, in_cell.get(config.kind, 3 * rows * hidden))
    listed = rows * hidden  # smaller outputs, of a projection, lie in holes of this size
    one = gates + listed + max(step, outputs)
    block = _bytes(subject, sizes.N * hidden)
    left = sizes.longest > 1 and _MAPPED_AT_FIRST <= block < _MAPPED
    between_steps = sizes.D * listed * left
    objects = sizes.longest * (_OUTPUT + _VIEW)
    if _packed(subject):
        objects = sizes.longest * _OUTPUT
        holes = _rows_joined(subject) * (made + 2) * hidden
        two = max(outputs + one + holes, 4 * outputs)
    else:
        two = listed + outputs + max(2 * gates, gates + listed + max(step, 3 * outputs))
        objects += (sizes.D - 1) * sizes.longest * _OUTPUT
    most = one if sizes.D == 1 else max(one, two)
    return objects + _bytes(subject, most + between_steps)


def _read_from_below(subject: Subject) -> int:
    """Bytes of what a layer reads from the one below, and of the largest hole that one has left."""
    sizes = subject.sizes
    outputs = _bytes(subject, sizes.steps * sizes.H_out)
    gates = _bytes(subject, sizes.steps * subject.config.kind.gates * sizes.H_cell)
    holes = [gates] * (gates < _MAPPED) + [sizes.D * outputs] * (outputs < _MAPPED)
    return sizes.D * outputs + next(iter(holes), 0)


def _left_behind(subject: Subject, layers: int) -> int:
    """Bytes of the final states of layers that have run, with the holes between them."""
    sizes, states = subject.sizes, _states_of(subject, layers)
    block = _bytes(subject, sizes.N * sizes.H_cell)
    return states + int(_HOLE * states) * (layers * sizes.D > 1 and block < _MAPPED)


def _drawing(subject: Subject) -> int:
    """Bytes while the input is drawn in float32 and converted, or while it is packed."""
    padded = elements(subject.tensors["input"].shape)
    dtype = subject.settings.dtype
    drawn = 8 if dtype.is_complex else 4
    both = padded * (drawn + dtype.itemsize * (dtype.itemsize != drawn))
    return max(both, _bytes(subject, 2 * (padded + _data(subject))) if _packed(subject) else 0)


def input_bytes(subject: Subject) -> int:
    """Bytes of the input; of a packed one, padded and packed."""
    return _bytes(subject, elements(subject.tensors["input"].shape) + _data(subject))


def _data(subject: Subject) -> int:
    return elements(subject.tensors["data"].shape) if _packed(subject) else 0


def _states(subject: Subject) -> int:
    """Bytes of the initial states, and of the final ones."""
    return _states_of(subject, subject.sizes.num_layers)


def _states_of(subject: Subject, layers: int) -> int:
    """Bytes of the states of so many layers."""
    sizes = subject.sizes
    width = sizes.H_out + (sizes.H_cell if subject.config.kind is Kind.LSTM else 0)
    return _bytes(subject, layers * sizes.D * sizes.N * width)


def _results(subject: Subject) -> int:
    """Bytes of the output besides the states; a packed one is padded and put in order."""
    if subject.config.cell:
        return 0
    padded = elements(subject.tensors["output"].shape)
    rows = subject.sizes.steps * subject.sizes.D * subject.sizes.H_out
    return _bytes(subject, rows + 2 * padded if _packed(subject) else padded)


def _turned(subject: Subject) -> int:
    """Elements of the copy of an input that begins with the batch, whose steps are not together."""
    sizes = subject.sizes
    is_copied = subject.config.batch_first and not _packed(subject) and min(sizes.N, sizes.L) > 1
    return sizes.steps * sizes.H_in if is_copied else 0


def _packed(subject: Subject) -> bool:
    return subject.input_spec.lengths is not None and not subject.config.cell


def _rows_of_last_step(subject: Subject) -> int:
    lengths = subject.input_spec.lengths
    return lengths.count(max(lengths)) if lengths and _packed(subject) else subject.sizes.N


def _rows_joined(subject: Subject) -> int:
    """Rows of all steps at which the reverse direction of a packed layer begins further rows."""
    lengths = subject.input_spec.lengths
    if not lengths or not _packed(subject):
        return 0
    ordered = sorted(lengths, reverse=True)
    return sum(
        place + 1
        for place, length in enumerate(ordered)
        if length < ordered[0] and ordered[place + 1 : place + 2] != [length]
    )


def _bytes(subject: Subject, count: int) -> int:
    return subject.settings.dtype.itemsize * count
