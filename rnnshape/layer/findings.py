"""What a careful colleague would point out about a request; the words are the document's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from rnnshape.layer.config import RNNConfig
from rnnshape.layer.facts import Dims
from rnnshape.layer.held import HeldTensor
from rnnshape.layer.projection import largest_saving_projection
from rnnshape.layer.subject import Subject
from rnnshape.layer.traps import Trap


@dataclass(frozen=True, kw_only=True)
class DropoutWithoutEffect:
    """Dropout acts between layers, and there is one layer."""

    dropout: float


@dataclass(frozen=True, kw_only=True)
class CostlyProjection:
    """A proj_size at or above break-even: no parameter is saved."""

    proj_size: int
    largest_saving: int  # 0 when no proj_size saves
    extra_parameters: int  # against no projection; 0 at break-even


@dataclass(frozen=True, kw_only=True)
class EqualSizes:
    """Axes that no shape tells apart, since the same size was given for them."""

    axes: tuple[str, ...]  # names of config and input: "seq_len", "hidden_size"
    size: int


@dataclass(frozen=True, kw_only=True)
class UnconfirmedBatchAxis:
    """A 3-D input shape was read as (L, N, H_in); nothing else says which axis is the batch."""

    first: int  # L as read
    second: int  # N as read
    output: Dims  # were the first axis the batch
    h_n: Dims  # were the first axis the batch
    h_n_as_read: Dims


@dataclass(frozen=True, kw_only=True)
class UnbatchedShape:
    """A 2-D input shape was read as one sequence, (L, H_in); it may have been meant as a batch."""

    steps: int
    features: int


@dataclass(frozen=True, kw_only=True)
class PaddedRows:
    """Rows of a packed batch that end before the last step of the padded output."""

    rows: tuple[int, ...]
    batch_first: bool
    longest: int  # steps of the padded output
    seq_len: int  # steps of the padded input


@dataclass(frozen=True, kw_only=True)
class OwnParameters:
    """A module whose parameters are not those of a plain layer: what it lacks, what it has more."""

    constructor: str
    plain: int  # parameters of the plain layer
    plain_tensors: int
    held: int
    held_tensors: int
    lacking: tuple[str, ...]  # weights that are buffers, computed, or tied to another
    added: tuple[HeldTensor, ...]


@dataclass(frozen=True, kw_only=True)
class MixedTensors:
    """A module whose tensors are not all of one type and on one device."""

    place: str  # of most
    elsewhere: tuple[HeldTensor, ...]
    parameter_bytes: int
    raises: bool  # every kernel of PyTorch refuses a weight matrix of another type


Finding: TypeAlias = (
    OwnParameters
    | MixedTensors
    | DropoutWithoutEffect
    | CostlyProjection
    | EqualSizes
    | UnconfirmedBatchAxis
    | UnbatchedShape
    | PaddedRows
    | Trap
)


def find(subject: Subject) -> tuple[Finding, ...]:
    """Everything to point out about a layer and its input, most important first."""
    return (
        *_held(subject),
        *_unconfirmed_axes(subject),
        *_padded_rows(subject),
        *_equal_sizes(subject),
        *_dropout(subject.config),
        *_projection(subject),
    )


def _held(subject: Subject) -> Iterator[OwnParameters | MixedTensors]:
    held = subject.held
    if held is None:
        return
    plain = {each.name for each in subject.weights}
    names = {each.name for each in held.own}
    if names != plain:
        yield OwnParameters(
            constructor=subject.config.constructor,
            plain=subject.parameters,
            plain_tensors=len(plain),
            held=held.parameters,
            held_tensors=len(names),
            lacking=tuple(each.name for each in subject.weights if each.name not in names),
            added=tuple(each for each in held.own if each.name not in plain),
        )
    if held.elsewhere:
        yield MixedTensors(
            place=held.typical.place,
            elsewhere=held.elsewhere,
            parameter_bytes=held.parameter_bytes,
            raises=any(
                weight.name in plain
                and weight.name.startswith("weight")
                and weight.dtype != held.typical.dtype
                for weight in held.elsewhere
            ),
        )


def _unconfirmed_axes(subject: Subject) -> Iterator[UnconfirmedBatchAxis | UnbatchedShape]:
    """An input shape that may have been meant otherwise than it was read.

    With equal sizes nothing tells the two apart, which `_equal_sizes` points out; with a batch of
    0 there is one reading, since PyTorch refuses a sequence of 0.
    """
    config, spec = subject.config, subject.input_spec
    if not subject.axes_by_place or config.cell:
        return
    if not spec.batched:
        yield UnbatchedShape(steps=spec.seq_len, features=config.input_size)
    elif spec.batch_size not in (0, spec.seq_len):
        other = replace(
            subject.changed(batch_first=True),
            input_spec=replace(spec, batch_size=spec.seq_len, seq_len=spec.batch_size),
        )
        yield UnconfirmedBatchAxis(
            first=spec.seq_len,
            second=spec.batch_size,
            output=other.tensors["output"].shape,
            h_n=other.tensors["h_n"].shape,
            h_n_as_read=subject.tensors["h_n"].shape,
        )


def _padded_rows(subject: Subject) -> Iterator[PaddedRows]:
    config, input_spec = subject.config, subject.input_spec
    if config.cell or input_spec.lengths is None:
        return
    longest = max(input_spec.lengths)
    rows = tuple(row for row, length in enumerate(input_spec.lengths) if length < longest)
    if rows or longest < input_spec.seq_len:
        yield PaddedRows(
            rows=rows,
            batch_first=config.batch_first,
            longest=longest,
            seq_len=input_spec.seq_len,
        )


def _equal_sizes(subject: Subject) -> Iterator[EqualSizes]:
    """Sizes of 1 are left out: they are common, and mostly intended."""
    config, input_spec = subject.config, subject.input_spec
    sizes = {
        **({} if config.cell else {"seq_len": input_spec.seq_len}),
        **({"batch_size": input_spec.batch_size} if input_spec.batched else {}),
        "input_size": config.input_size,
        "hidden_size": config.hidden_size,
        **({"proj_size": config.proj_size} if config.proj_size else {}),
    }
    given = {name: size for name, size in sizes.items() if name in subject.given}
    for size in dict.fromkeys(given.values()):
        axes = tuple(name for name, value in given.items() if value == size)
        if size > 1 and len(axes) > 1:
            yield EqualSizes(axes=axes, size=size)


def _dropout(config: RNNConfig) -> Iterator[DropoutWithoutEffect]:
    if config.dropout and config.num_layers == 1:
        yield DropoutWithoutEffect(dropout=config.dropout)


def _projection(subject: Subject) -> Iterator[CostlyProjection]:
    config = subject.config
    if not config.proj_size:
        return
    saving = largest_saving_projection(config.hidden_size, config.num_layers, config.directions)
    if config.proj_size > saving:
        yield CostlyProjection(
            proj_size=config.proj_size,
            largest_saving=saving,
            extra_parameters=extra_parameters(subject),
        )


def extra_parameters(subject: Subject) -> int:
    """Parameters that the projection of the layer adds; negative where it saves."""
    return subject.parameters - subject.changed(proj_size=0).parameters
