"""The words of each finding, and the code it has in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from rnnshape.dims import ints, written_shape
from rnnshape.document.model import Code, Inline, Shape
from rnnshape.layer.findings import (
    CostlyProjection,
    DropoutWithoutEffect,
    EqualSizes,
    Finding,
    MixedTensors,
    OwnParameters,
    PaddedRows,
    UnbatchedShape,
    UnconfirmedBatchAxis,
)
from rnnshape.layer.subject import Subject
from rnnshape.layer.traps import PositionalBias, Trap, UncheckedFlag, UncheckedSize
from rnnshape.words import CALL, Words

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
    PaddedRows: "padded-rows",
    PositionalBias: "bias-not-bidirectional",
    UncheckedFlag: "flag-not-bool",
    UncheckedSize: "size-not-int",
}


def finding_text(finding: Finding, words: Words) -> Inline:
    """What a colleague would say about it; `words` are those that the layer was given in."""
    match finding:
        case OwnParameters() | MixedTensors():
            return _held(finding)
        case DropoutWithoutEffect(dropout=dropout):
            return (
                Code(f"dropout={dropout!r}"),
                " does nothing with one layer: it acts between layers. PyTorch only warns.",
            )
        case CostlyProjection():
            return _costly_projection(finding)
        case EqualSizes(axes=axes, size=size):
            names = f"{', '.join(axes[:-1])} and {axes[-1]}"
            all_ = "both" if len(axes) == 2 else "all"
            return (f"{names} are {all_} {size}, so no shape tells these axes apart",)
        case PaddedRows():
            return _padded_rows(finding)
        case UnconfirmedBatchAxis():
            return _unconfirmed(finding, words)
        case UnbatchedShape(steps=steps, features=features):
            read = f"the shape ({steps}, {features}) was read as {steps} steps of one sequence"
            confirm = words.setting("unbatched", value=True)
            return (f"{read} without a batch; ", Code(confirm), " confirms that")
        case PositionalBias(bias=bias, place=place, meant=meant):
            effect = " is bidirectional" if bias else " keeps the biases"
            ordinal = {4: "fourth", 5: "fifth"}[place]
            return (f"{bias} is bias, the {ordinal} argument; ", Code(meant), effect)
        case UncheckedFlag() | UncheckedSize():
            return _unchecked(finding)


def _held(finding: OwnParameters | MixedTensors) -> Inline:
    if isinstance(finding, MixedTensors):
        return _mixed_tensors(finding)
    lacking = _names(list(finding.lacking))
    added = _names([f"{each.name} {written_shape(each.shape)}" for each in finding.added])
    return (
        f"the module holds {finding.held:,} parameters in {_count(finding.held_tensors)}; ",
        Code(finding.constructor),
        f" has {finding.plain:,} in {_count(finding.plain_tensors)}.",
        *((" Not parameters of their own: ", Code(lacking), ".") if lacking else ()),
        *((" In addition: ", Code(added), ".") if added else ()),
    )


def _mixed_tensors(finding: MixedTensors) -> Inline:
    elsewhere = _names([f"{each.name} ({each.place})" for each in finding.elsewhere])
    raises = "its forward raises" if finding.raises else "most kernels refuse that"
    return (
        f"most tensors of the module are {finding.place}, but not ",
        Code(elsewhere),
        f": {raises}, so it is not run. Its parameters take {finding.parameter_bytes:,} bytes.",
    )


def _names(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES] + [f"and {more} more"] * (more > 0))


def _count(tensors: int) -> str:
    return f"{tensors} tensor{'s' * (tensors != 1)}"


def _unconfirmed(finding: UnconfirmedBatchAxis, words: Words) -> Inline:
    first = finding.first
    return (
        f"if {first} is your batch, add ",
        Code(words.setting("batch_first", value=True)),
        ": output is ",
        Shape(ints(finding.output)),
        " either way, but h_n becomes ",
        Shape(ints(finding.h_n)),
        " instead of ",
        Shape(ints(finding.h_n_as_read)),
        f". If {first} is seq, ",
        Code(words.setting("seq_len", first)),
        " says so.",
    )


def traps_of(subjects: Iterable[Subject]) -> Iterator[tuple[str, Trap]]:
    """The traps of several targets, each once, beside its text."""
    origins = {subject.origin.target: subject.origin for subject in subjects}
    for target, origin in origins.items():
        yield from ((target or "", trap) for trap in origin.traps)


def trap_text(target: str, trap: Trap) -> Inline:
    """A trap in the text of one target of several; `target` is that text."""
    return (Code(target), ": ", *finding_text(trap, CALL))


def _padded_rows(finding: PaddedRows) -> Inline:
    shown = ", ".join(map(str, finding.rows[:_MOST_ROWS]))
    more = ", ..." if len(finding.rows) > _MOST_ROWS else ""
    rows = "row" if len(finding.rows) == 1 else "rows"
    padding: Inline = (
        (
            Code("output[:, -1]" if finding.batch_first else "output[-1]"),
            f" is padding for {rows} {shown}{more}: take ",
            Code("h_n"),
            ", or each row's last valid step",
        )
        if finding.rows
        else ()
    )
    if finding.longest == finding.seq_len:
        return padding
    shorter = f"output has {finding.longest} steps, the input {finding.seq_len}: "
    return (
        *padding,
        *(("; ",) if padding else ()),
        shorter,
        Code(f"total_length={finding.seq_len}"),
        " pads it as far",
    )


def _costly_projection(finding: CostlyProjection) -> Inline:
    name, extra = Code(f"proj_size={finding.proj_size}"), finding.extra_parameters
    effect = f"adds {extra:,} parameters" if extra else "saves no parameters"
    least = finding.largest_saving
    advice = f"only up to {least} does it save any" if least else "none saves any here"
    return (name, f" {effect}; {advice}. c_n stays hidden_size wide.")


def _unchecked(finding: UncheckedFlag | UncheckedSize) -> Inline:
    written = Code(f"{finding.name}={finding.value!r}")
    effect = "" if finding.runs else ", and its forward raises TypeError"
    meant = Code(f"{finding.name}={finding.taken_as!r}")
    return (written, " is taken as ", meant, f": PyTorch builds it without a check{effect}")
