"""What a careful colleague would point out about a subject, as values without words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from rnnshape.layer.facts import Dims
from rnnshape.layer.projection import largest_saving_projection
from rnnshape.layer.subject import Subject
from rnnshape.layer.traps import Trap
from rnnshape.layer.weights import Weights

if TYPE_CHECKING:
    from rnnshape.layer.held import Held, HeldTensor


@dataclass(frozen=True, kw_only=True)
class DropoutWithoutEffect:
    """Dropout was given for a single layer, but it acts between layers."""

    dropout: float


@dataclass(frozen=True, kw_only=True)
class CostlyProjection:
    """A proj_size that saves no parameters."""

    proj_size: int
    largest_saving: int  # 0 when no proj_size saves
    extra_parameters: int  # more than without a projection, or 0


@dataclass(frozen=True, kw_only=True)
class EqualSizes:
    """Sizes that were given as equal, so that no shape shows which axis is which."""

    axes: tuple[str, ...]  # the fields with that size: "seq_len", "hidden_size"
    size: int


@dataclass(frozen=True, kw_only=True)
class UnconfirmedBatchAxis:
    """A 3-D input shape was read as (L, N, H_in); nothing else says which axis is the batch."""

    first: int  # the first size, read as L
    output: Dims
    h_n: Dims  # if the first axis is the batch
    h_n_as_read: Dims


@dataclass(frozen=True, kw_only=True)
class UnbatchedShape:
    """A 2-D input shape was read as one sequence, (L, H_in); it may have been meant as a batch."""

    steps: int
    features: int


@dataclass(frozen=True, kw_only=True)
class UnknownField:
    """A field whose value is stated nowhere; everything else assumes its default."""

    name: str
    assumed: object


@dataclass(frozen=True, kw_only=True)
class BatchReadAsSteps:
    """A layer reads the first axis of its model, which is usually the batch, as the sequence."""

    layer: str  # its name in the model; "" for the model itself
    size: int
    batch_first: bool
    batched: bool  # whether the layer reads a batch at all


@dataclass(frozen=True, kw_only=True)
class NotCalled:
    """The forward pass of the model calls all but this layer."""


@dataclass(frozen=True, kw_only=True)
class PaddedRows:
    """Rows of a packed batch that end before the last step of the padded output."""

    rows: tuple[int, ...]
    batch_first: bool
    longest: int  # steps of the padded output
    seq_len: int  # steps of the padded input


@dataclass(frozen=True, kw_only=True)
class OwnParameters:
    """A module lacks parameters that its constructor made, or has others as well."""

    constructor: str
    plain: Weights  # as the constructor makes them
    held: Held
    lacking: tuple[str, ...]  # weights that are buffers, computed, or tied to another
    added: tuple[HeldTensor, ...]


@dataclass(frozen=True, kw_only=True)
class MixedTensors:
    """The tensors of a module differ in dtype or device."""

    held: Held
    raises: bool  # every kernel of PyTorch refuses a weight matrix of another dtype


@dataclass(frozen=True, kw_only=True)
class NotAChain:
    """Two layers in a row of a sum, of which the second cannot read what the first gives.

    They are one layer if the copies of that do not fit each other.
    """

    first: str  # its constructor
    gives: int  # features
    second: str
    reads: int | None  # features; None for indices


Finding: TypeAlias = (
    NotAChain
    | OwnParameters
    | MixedTensors
    | DropoutWithoutEffect
    | CostlyProjection
    | EqualSizes
    | UnconfirmedBatchAxis
    | UnbatchedShape
    | UnknownField
    | BatchReadAsSteps
    | NotCalled
    | PaddedRows
    | Trap
)


def find(subject: Subject) -> tuple[Finding, ...]:
    """Everything to point out about a layer and its input, the most important first."""
    return (
        *_own_tensors(subject),
        *_of_calls(subject),
        *_unknown_fields(subject),
        *_unconfirmed_axes(subject),
        *_padded_rows(subject),
        *_equal_sizes(subject),
        *_useless_arguments(subject),
    )


def _own_tensors(subject: Subject) -> Iterator[OwnParameters | MixedTensors]:
    held = subject.held
    if held is None:
        return
    plain = {weight.name: weight.shape for weight in subject.weights}
    names = {each.name for each in held.parameters}
    if names != plain.keys():
        yield OwnParameters(
            constructor=subject.config.constructor,
            plain=subject.weights,
            held=held,
            lacking=tuple(name for name in plain if name not in names),
            added=tuple(each for each in held.parameters if each.name not in plain),
        )
    if held.typical and held.elsewhere:
        matrices = [each for each in held.elsewhere if len(plain.get(each.name, ())) == 2]
        raises = any(each.dtype != held.typical.dtype for each in matrices)
        yield MixedTensors(held=held, raises=raises)


def _of_calls(subject: Subject) -> Iterator[BatchReadAsSteps | NotCalled]:
    if subject.calls == ():
        yield NotCalled()
    config = subject.config
    for call in subject.calls or ():
        spec = call.input_spec
        axis_of_steps = 1 if config.batch_first and spec.batched else 0
        if not config.cell and call.first_axis == axis_of_steps:
            yield BatchReadAsSteps(
                layer=subject.name,
                size=spec.seq_len,
                batch_first=config.batch_first,
                batched=spec.batched,
            )
            return  # further calls say the same


def _unknown_fields(subject: Subject) -> Iterator[Finding]:
    # Dropout acts only in training, which reports do not cover.
    for name in sorted(subject.unknown - {"dropout"}):
        yield UnknownField(name=name, assumed=getattr(subject.config, name))


def _unconfirmed_axes(subject: Subject) -> Iterator[UnconfirmedBatchAxis | UnbatchedShape]:
    """Points out an input shape that can be read in two ways.

    Equal sizes of seq and batch are left to `_equal_sizes`. A batch of 0 can be read in one way
    only, since PyTorch refuses a sequence of 0 steps.
    """
    config, spec = subject.config, subject.input_spec
    if not subject.axes_by_place or config.cell:
        return
    if not spec.batched:
        yield UnbatchedShape(steps=spec.seq_len, features=config.input_size)
    elif spec.batch_size not in (0, spec.seq_len):
        swapped = replace(spec, batch_size=spec.seq_len, seq_len=spec.batch_size)
        yield UnconfirmedBatchAxis(
            first=spec.seq_len,
            output=subject.tensors["output"].shape,
            h_n=replace(subject, input_spec=swapped).tensors["h_n"].shape,
            h_n_as_read=subject.tensors["h_n"].shape,
        )


def _padded_rows(subject: Subject) -> Iterator[PaddedRows]:
    config, input_spec = subject.config, subject.input_spec
    if config.cell or input_spec.lengths is None:
        return
    longest, seq_len = max(input_spec.lengths), input_spec.seq_len
    rows = tuple(row for row, length in enumerate(input_spec.lengths) if length < longest)
    if rows or longest < seq_len:
        yield PaddedRows(
            rows=rows, batch_first=config.batch_first, longest=longest, seq_len=seq_len
        )


def _equal_sizes(subject: Subject) -> Iterator[EqualSizes]:
    """Points out equal sizes, but not sizes of 1, which are common and usually intended."""
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


def _useless_arguments(subject: Subject) -> Iterator[DropoutWithoutEffect | CostlyProjection]:
    config = subject.config
    if config.dropout and config.num_layers == 1:
        yield DropoutWithoutEffect(dropout=config.dropout)
    saving = largest_saving_projection(config.hidden_size, config.num_layers, config.directions)
    if config.proj_size > saving:
        yield CostlyProjection(
            proj_size=config.proj_size,
            largest_saving=saving,
            extra_parameters=extra_parameters(subject),
        )


def extra_parameters(subject: Subject) -> int:
    """How many parameters the layer's projection adds; negative where it saves some."""
    return subject.parameters - subject.changed(proj_size=0).parameters
