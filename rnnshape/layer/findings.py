"""What a careful colleague would point out about a request; the words are the document's."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from rnnshape.layer.config import InputSpec, Kind, RNNConfig
from rnnshape.layer.facts import Shape
from rnnshape.layer.formulas import layout, plain_sizes, weights
from rnnshape.layer.projection import largest_saving_projection

_LEAST_BATCH: Final = 8


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
    """Axes that cannot be told apart in a shape, since their sizes were given equal."""

    axes: tuple[str, ...]  # names of config and input: "seq_len", "hidden_size"
    size: int


@dataclass(frozen=True, kw_only=True)
class UnconfirmedBatchAxis:
    """A 3-D input shape was read as (L, N, H_in); nothing else says which axis is the batch."""

    first: int  # L as read
    second: int  # N as read
    output: Shape  # were the first axis the batch
    h_n: Shape  # were the first axis the batch
    h_n_as_read: Shape


@dataclass(frozen=True, kw_only=True)
class LikelySwapped:
    """A sequence as long as a batch is wide, and the other way round: a power of two tells."""

    seq_len: int
    batch_size: int


@dataclass(frozen=True, kw_only=True)
class PaddedRows:
    """Rows of a packed batch that end before the last step of the padded output."""

    rows: tuple[int, ...]
    batch_first: bool
    longest: int  # steps of the padded output
    seq_len: int  # steps of the padded input


@dataclass(frozen=True, kw_only=True)
class PositionalBias:
    """True or False was written in a place that reads like bidirectional and is bias."""

    bias: bool
    place: int  # 4: the fourth argument
    meant: str  # the constructor with bidirectional in place of bias


@dataclass(frozen=True, kw_only=True)
class UncheckedFlag:
    """A value that is neither True nor False, which PyTorch's constructor takes for one."""

    name: str
    value: str | float | None
    taken_as: bool
    runs: bool  # False: forward raises TypeError


@dataclass(frozen=True, kw_only=True)
class UncheckedSize:
    """A bool or a float where a whole number belongs, which PyTorch's constructor takes."""

    name: str
    value: float  # or a bool
    taken_as: int
    runs: bool  # False: forward raises TypeError


# What only the text of a constructor call can show.
Trap: TypeAlias = PositionalBias | UncheckedFlag | UncheckedSize
Finding: TypeAlias = (
    DropoutWithoutEffect
    | CostlyProjection
    | EqualSizes
    | UnconfirmedBatchAxis
    | LikelySwapped
    | PaddedRows
    | Trap
)


def find(
    config: RNNConfig, input_spec: InputSpec, *, assumed: AbstractSet[str], from_input_shape: bool
) -> tuple[Finding, ...]:
    """Everything to point out, most important first.

    `assumed` names the fields of config and input that were not given; `from_input_shape` says
    that batch and sequence were told by their positions alone.
    """
    return (
        *_unconfirmed_batch(config, input_spec, from_input_shape=from_input_shape),
        *_likely_swapped(config, input_spec, assumed, from_input_shape=from_input_shape),
        *_padded_rows(config, input_spec),
        *_equal_sizes(config, input_spec, assumed),
        *_dropout(config),
        *_projection(config, input_spec),
    )


def _unconfirmed_batch(
    config: RNNConfig, input_spec: InputSpec, *, from_input_shape: bool
) -> Iterator[UnconfirmedBatchAxis]:
    """With equal sizes nothing tells the two apart; `_equal_sizes` says so."""
    seq, batch = input_spec.seq_len, input_spec.batch_size
    confirmed = config.batch_first or config.cell or input_spec.lengths is not None
    if not from_input_shape or not input_spec.batched or confirmed or seq == batch:
        return
    read = layout(config, input_spec, plain_sizes(config, input_spec))
    other_config = replace(config, batch_first=True)
    other_input = replace(input_spec, batch_size=seq, seq_len=max(batch, 1))
    other = layout(other_config, other_input, plain_sizes(other_config, other_input))
    yield UnconfirmedBatchAxis(
        first=seq,
        second=batch,
        output=other["output"].shape,
        h_n=other["h_n"].shape,
        h_n_as_read=read["h_n"].shape,
    )


def _likely_swapped(
    config: RNNConfig,
    input_spec: InputSpec,
    assumed: AbstractSet[str],
    *,
    from_input_shape: bool,
) -> Iterator[LikelySwapped]:
    """Batches are mostly powers of two from 8 up, sequences mostly are not."""
    if config.cell or not input_spec.batched:
        return
    seq, batch = input_spec.seq_len, input_spec.batch_size
    told = input_spec.lengths is None and not {"seq_len", "batch_size"} & assumed
    if told and not from_input_shape and _like_a_batch(seq) and not _like_a_batch(batch):
        yield LikelySwapped(seq_len=seq, batch_size=batch)


def _like_a_batch(size: int) -> bool:
    return size >= _LEAST_BATCH and size & (size - 1) == 0


def _padded_rows(config: RNNConfig, input_spec: InputSpec) -> Iterator[PaddedRows]:
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


def _equal_sizes(
    config: RNNConfig, input_spec: InputSpec, assumed: AbstractSet[str]
) -> Iterator[EqualSizes]:
    """Sizes of 1 are left out: they are common, and mostly meant."""
    sizes = {
        **({} if config.cell else {"seq_len": input_spec.seq_len}),
        **({"batch_size": input_spec.batch_size} if input_spec.batched else {}),
        "input_size": config.input_size,
        "hidden_size": config.hidden_size,
        **({"proj_size": config.proj_size} if config.proj_size else {}),
    }
    given = {name: size for name, size in sizes.items() if name not in assumed}
    for size in dict.fromkeys(given.values()):
        axes = tuple(name for name, value in given.items() if value == size)
        if size > 1 and len(axes) > 1:
            yield EqualSizes(axes=axes, size=size)


def _dropout(config: RNNConfig) -> Iterator[DropoutWithoutEffect]:
    if config.dropout and config.num_layers == 1:
        yield DropoutWithoutEffect(dropout=config.dropout)


def _projection(config: RNNConfig, input_spec: InputSpec) -> Iterator[CostlyProjection]:
    if config.kind is not Kind.LSTM or not config.proj_size:
        return
    saving = largest_saving_projection(config.hidden_size, config.num_layers, config.directions)
    if config.proj_size > saving:
        yield CostlyProjection(
            proj_size=config.proj_size,
            largest_saving=saving,
            extra_parameters=extra_parameters(config, input_spec),
        )


def extra_parameters(config: RNNConfig, input_spec: InputSpec) -> int:
    """Parameters that the projection of `config` adds; negative when it saves."""
    without = replace(config, proj_size=0)
    return (
        weights(config, plain_sizes(config, input_spec)).parameters
        - weights(without, plain_sizes(without, input_spec)).parameters
    )
