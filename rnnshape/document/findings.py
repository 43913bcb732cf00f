"""The words of each finding, and the code it has in JSON."""

from __future__ import annotations

from typing import Final

from rnnshape.dims import ints
from rnnshape.document.model import Code, Inline, Shape
from rnnshape.layer.findings import (
    CostlyProjection,
    DropoutWithoutEffect,
    EqualSizes,
    Finding,
    LikelySwapped,
    PaddedRows,
    PositionalBias,
    Trap,
    UncheckedFlag,
    UncheckedSize,
    UnconfirmedBatchAxis,
)

_MOST_ROWS: Final = 6


def finding_code(finding: Finding) -> str:
    """The stable name of a kind of finding."""
    match finding:
        case DropoutWithoutEffect():
            return "dropout-one-layer"
        case CostlyProjection():
            return "projection-saves-nothing"
        case EqualSizes():
            return "equal-sizes"
        case UnconfirmedBatchAxis():
            return "batch-axis-unconfirmed"
        case LikelySwapped():
            return "batch-and-seq-swapped"
        case PaddedRows():
            return "padded-rows"
        case PositionalBias():
            return "bias-not-bidirectional"
        case UncheckedFlag():
            return "flag-not-bool"
        case UncheckedSize():
            return "size-not-int"


def finding_text(finding: Finding) -> Inline:
    """What a colleague would say about it."""
    match finding:
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
        case LikelySwapped(seq_len=seq, batch_size=batch):
            return (f"seq {seq} looks like a batch, batch {batch} does not: swapped?",)
        case PaddedRows():
            return _padded_rows(finding)
        case UnconfirmedBatchAxis(first=first, output=output, h_n=h_n, h_n_as_read=as_read):
            return (
                f"if {first} is your batch, add --batch-first: output is ",
                Shape(ints(output)),
                " either way, but h_n becomes ",
                Shape(ints(h_n)),
                " instead of ",
                Shape(ints(as_read)),
                f". If {first} is seq, --seq {first} says so.",
            )
        case PositionalBias(bias=bias, place=place, meant=meant):
            effect = " is bidirectional" if bias else " keeps the biases"
            ordinal = {4: "fourth", 5: "fifth"}[place]
            return (f"{bias} is bias, the {ordinal} argument; ", Code(meant), effect)
        case UncheckedFlag() | UncheckedSize():
            return _unchecked(finding)


def trap_text(target: str, trap: Trap) -> Inline:
    """What the text of one target of several shows; `target` is that text."""
    return (Code(target), ": ", *finding_text(trap))


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
