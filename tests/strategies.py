"""Random layers and inputs for property tests, and how many of them to try."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from rnnshape import InputSpec, Kind, RNNConfig
from rnnshape.layer.config import Nonlinearity

_NONLINEARITIES: list[Nonlinearity | None] = [None, "tanh", "relu"]


def examples(count: int) -> settings:
    """Settings for `count` examples without any clock: cores are shared with other work."""
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def configs(  # noqa: PLR0913 - each narrows or widens what is drawn
    draw: st.DrawFn,
    *,
    largest: int = 6,
    layers: int = 3,
    deep: int = 0,
    kinds: Sequence[Kind] = tuple(Kind),
    projections: bool = True,
) -> RNNConfig:
    """Layers over all constructor arguments, with sizes up to `largest`.

    Stacks have up to `layers` layers, or `deep` where that is given.
    """
    depths = st.integers(1, layers)
    kind = draw(st.sampled_from(kinds))
    hidden_size = draw(st.integers(1, largest))
    projected = kind is Kind.LSTM and projections
    return RNNConfig(
        kind=kind,
        input_size=draw(st.integers(1, largest)),
        hidden_size=hidden_size,
        num_layers=draw(depths | st.just(deep) if deep else depths),
        bias=draw(st.booleans()),
        batch_first=draw(st.booleans()),
        dropout=draw(st.sampled_from([0.0, 0.25, 1.0])),
        bidirectional=draw(st.booleans()),
        proj_size=draw(st.integers(0, hidden_size - 1)) if projected else 0,
        nonlinearity=draw(st.sampled_from(_NONLINEARITIES)) if kind is Kind.RNN else None,
    )


@st.composite
def cells(draw: st.DrawFn, *, largest: int = 6) -> RNNConfig:
    """Cells over all constructor arguments."""
    kind = draw(st.sampled_from(Kind))
    return RNNConfig(
        kind=kind,
        cell=True,
        input_size=draw(st.integers(1, largest)),
        hidden_size=draw(st.integers(1, largest)),
        bias=draw(st.booleans()),
        nonlinearity=draw(st.sampled_from(_NONLINEARITIES)) if kind is Kind.RNN else None,
    )


def layers(*, largest: int = 60) -> st.SearchStrategy[RNNConfig]:
    """Layers, and some cells."""
    layer = configs(largest=largest, layers=5)
    return layer | layer | layer | cells(largest=largest)


@st.composite
def inputs(draw: st.DrawFn, *, longest: int = 5, batches: int = 4, fewest: int = 0) -> InputSpec:
    """Inputs with and without a batch axis, empty batches too, with and without states."""
    return InputSpec(
        batch_size=draw(st.integers(fewest, batches)),
        seq_len=draw(st.integers(1, longest)),
        batched=draw(st.booleans()),
        with_state=draw(st.booleans()),
    )


@st.composite
def packed_inputs(draw: st.DrawFn, *, longest: int = 5, batches: int = 4) -> InputSpec:
    """Packed batches with rows of any order of lengths, padded further than the longest or not."""
    lengths = draw(st.lists(st.integers(1, longest), min_size=1, max_size=batches))
    return InputSpec(
        batch_size=len(lengths),
        seq_len=draw(st.integers(max(lengths), longest + 2)),
        lengths=tuple(lengths),
        with_state=draw(st.booleans()),
    )
