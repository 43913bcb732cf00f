"""The words of each finding, and the code it has in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rnnshape.dims import ints, written_shape
from rnnshape.document.model import Code, Inline, Shape
from rnnshape.fields import FIELDS
from rnnshape.layer.findings import (
    BatchReadAsSteps,
    CostlyProjection,
    DropoutWithoutEffect,
    EqualSizes,
    Finding,
    MixedTensors,
    NotAChain,
    NotCalled,
    OwnParameters,
    PaddedRows,
    UnbatchedShape,
    UnconfirmedBatchAxis,
    UnknownField,
)
from rnnshape.layer.subject import Subject
from rnnshape.layer.traps import PositionalBias, Trap, UncheckedFlag, UncheckedSize
from rnnshape.words import Words

_MOST_ROWS: Final = 6
_MOST_NAMES: Final = 4


def finding_code(finding: Finding) -> str:
    """The stable name of a kind of finding."""
    return _CODES[type(finding)]


_CODES: Final[Mapping[type[Finding], str]] = {
    OwnParameters: "own-parameters",
    MixedTensors: "mixed-tensors",
    DropoutWithoutEffect: "dropout-one-layer",
    CostlyProjection: "projection-saves-nothing",
    EqualSizes: "equal-sizes",
    UnconfirmedBatchAxis: "batch-axis-unconfirmed",
    UnbatchedShape: "shape-without-batch",
    UnknownField: "field-unknown",
    BatchReadAsSteps: "batch-read-as-seq",
    NotCalled: "not-called",
    PaddedRows: "padded-rows",
    PositionalBias: "bias-not-bidirectional",
    UncheckedFlag: "flag-not-bool",
    UncheckedSize: "size-not-int",
    NotAChain: "sum-not-a-chain",
}


def finding_text(  # noqa: C901 - a case for every finding; mypy checks that none is left out
    finding: Finding, words: Words
) -> Inline:
    """What a colleague would say about it, with fields named in `words`."""
    match finding:
        case OwnParameters():
            return _own_parameters(finding)
        case MixedTensors():
            return _mixed_tensors(finding)
        case DropoutWithoutEffect() | CostlyProjection():
            return _useless_argument(finding)
        case EqualSizes(axes=axes, size=size):
            names = f"{', '.join(axes[:-1])} and {axes[-1]}"
            all_ = "both" if len(axes) == 2 else "all"
            return (f"{names} are {all_} {size}, so no shape tells these axes apart",)
        case UnknownField(name=name, assumed=assumed):
            default = Code(f"{name}={assumed!r}")
            return (Code(name), " is not known here; the report assumes ", default)
        case BatchReadAsSteps() | NotCalled():
            return _of_calls(finding)
        case PaddedRows():
            return _padded_rows(finding)
        case UnconfirmedBatchAxis():
            return _unconfirmed(finding, words)
        case UnbatchedShape(steps=steps, features=features):
            many = f"{steps} step{'s' * (steps != 1)}"
            read = f"the shape ({steps}, {features}) was read as {many} of one sequence"
            confirm = words.field("unbatched", value=True)
            batch = words.field("input_shape", (FIELDS["seq_len"].default, steps, features))
            return (
                f"{read} without a batch; ",
                Code(confirm),
                f" says so. For a batch of {steps}: ",
                Code(batch),
            )
        case PositionalBias() | UncheckedFlag() | UncheckedSize():
            return _trap(finding)
        case NotAChain():
            return chain_text(finding)


def chain_text(finding: NotAChain) -> Inline:
    """Why a layer of a sum cannot read what the one before it gives."""
    gives, second = f"{finding.gives:,} features", Code(finding.second)
    if finding.reads is None:
        return (second, f" reads indices, not the {gives} that the layer before it gives")
    if finding.first == finding.second:
        reads = f" reads {finding.reads:,} features and gives {gives}"
        return (second, reads, ", so one copy cannot read another")
    return (Code(finding.first), f" gives {gives}, but ", second, f" reads {finding.reads:,}")


def _own_parameters(finding: OwnParameters) -> Inline:
    held, plain = finding.held, finding.plain
    text: Inline = (
        f"the module holds {held.elements:,} parameters in {_count(len(held.parameters))}; ",
        Code(finding.constructor),
        f" has {plain.parameters:,} in {_count(len(plain))}.",
    )
    if finding.lacking:
        text += (" Computed, shared or buffers: ", *_names(finding.lacking), ".")
    if finding.added:
        added = [f"{each.name} {written_shape(each.shape)}" for each in finding.added]
        text += (" In addition: ", *_names(added), ".")
    return text


def _mixed_tensors(finding: MixedTensors) -> Inline:
    held = finding.held
    place = held.typical.place if held.typical else ""
    elsewhere = _names([f"{each.name} ({each.place})" for each in held.elsewhere])
    raises = "its forward raises" if finding.raises else "most kernels refuse that"
    effect = f"{raises}, so it was not run; its parameters take {held.nbytes:,} bytes"
    return (f"most tensors of the module are {place}, but not ", *elsewhere, f": {effect}")


def _of_calls(finding: BatchReadAsSteps | NotCalled) -> Inline:
    if isinstance(finding, NotCalled):
        return ("the model's forward does not call it",)
    size = finding.size
    if not finding.batched:
        read = f"as the {size} steps of one sequence without a batch"
        mend: Inline = ("give the layer ", Code(f"x.unsqueeze({int(finding.batch_first)})"))
    elif finding.batch_first:
        read = "as seq, since batch_first=True and it is the second axis here"
        mend = ("give the layer ", Code("x.transpose(0, 1)"), ", or leave batch_first out")
    else:
        read = "as seq"
        mend = ("use ", Code("batch_first=True"), " or ", Code("x.transpose(0, 1)"))
    by: Inline = (" by ", Code(finding.layer)) if finding.layer else ()
    read_by = (f"the model's first axis ({size}) is read", *by, f" {read}")
    return (*read_by, ": if it is the batch, ", *mend)


def _names(names: Sequence[str]) -> Inline:
    pieces: Inline = ()
    for name in names[:_MOST_NAMES]:
        pieces += (", ", Code(name))
    more = len(names) - _MOST_NAMES
    return (*pieces[1:], f" and {more} more" * (more > 0))


def _count(tensors: int) -> str:
    return f"{tensors} tensor{'s' * (tensors != 1)}"


def _unconfirmed(finding: UnconfirmedBatchAxis, words: Words) -> Inline:
    first = finding.first
    return (
        f"if {first} is your batch, add ",
        Code(words.bare("batch_first", value=True)),
        f"{words.place('batch_first')}: output is ",
        Shape(ints(finding.output)),
        " either way, but h_n becomes ",
        Shape(ints(finding.h_n)),
        " instead of ",
        Shape(ints(finding.h_n_as_read)),
        f". If {first} is the number of steps, ",
        Code(words.field("seq_len", first)),
        " says so.",
    )


def traps_of(subjects: Iterable[Subject]) -> Iterator[tuple[str, Trap]]:
    """Each trap with the text of its target; a target that occurs twice is listed once."""
    origins = {subject.origin.target: subject.origin for subject in subjects}
    for target, origin in origins.items():
        yield from ((target or "", trap) for trap in origin.traps)


def trap_text(target: str, trap: Trap) -> Inline:
    """A trap in the text of one of several targets, or of the module called `target`."""
    return (Code(target), ": ", *_trap(trap))


def _trap(trap: Trap) -> Inline:
    if isinstance(trap, PositionalBias):
        effect = " is bidirectional" if trap.bias else " keeps the biases"
        ordinal = {4: "fourth", 5: "fifth"}[trap.place]
        return (f"{trap.bias} is bias, the {ordinal} argument; ", Code(trap.meant), effect)
    written, meant = (Code(f"{trap.name}={value!r}") for value in (trap.value, trap.taken_as))
    effect = "" if trap.runs else ", and its forward raises TypeError"
    return (written, " is taken as ", meant, f": PyTorch builds the layer without a check{effect}")


def _padded_rows(finding: PaddedRows) -> Inline:
    shown = ", ".join(map(str, finding.rows[:_MOST_ROWS]))
    more = ", ..." if len(finding.rows) > _MOST_ROWS else ""
    text: Inline = ()
    if finding.rows:
        last = "output[:, -1]" if finding.batch_first else "output[-1]"
        padding = f" is padding for row{'s' * (len(finding.rows) > 1)} {shown}{more}: take "
        text += (Code(last), padding, Code("h_n"), ", or each row's last valid step")
    if finding.longest < finding.seq_len:
        steps = f"output has {finding.longest} steps, the input {finding.seq_len}: "
        total = Code(f"total_length={finding.seq_len}")
        text += ("; " * bool(text) + steps, total, f" pads it to {finding.seq_len}")
    return text


def _useless_argument(finding: DropoutWithoutEffect | CostlyProjection) -> Inline:
    if isinstance(finding, DropoutWithoutEffect):
        effect = " does nothing with one layer: it acts between layers. PyTorch only warns."
        return (Code(f"dropout={finding.dropout!r}"), effect)
    extra, most = finding.extra_parameters, finding.largest_saving
    effect = f"adds {extra:,} parameters" if extra else "saves no parameters"
    advice = f"up to {most} saves some" if most else "no projection saves any here"
    name = Code(f"proj_size={finding.proj_size}")
    return (name, f" {effect}; {advice}. c_n stays hidden_size wide.")
