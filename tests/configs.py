"""Any valid layer and input, as hypothesis strategies."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from rnnshape.layer.config import InputSpec, Kind, RNNConfig


@st.composite
def layers(
    draw: st.DrawFn, *, largest: int = 60, kinds: tuple[Kind, ...] = tuple(Kind)
) -> RNNConfig:
    """A layer with every option drawn."""
    kind = draw(st.sampled_from(kinds))
    hidden = draw(st.integers(1, largest))
    options: dict[str, Any] = {
        "kind": kind,
        "input_size": draw(st.integers(1, largest)),
        "hidden_size": hidden,
        "bias": draw(st.booleans()),
    }
    if draw(st.integers(0, 5)) == 0:
        return RNNConfig(**options, cell=True)
    if kind is Kind.LSTM and hidden > 1:
        options["proj_size"] = draw(st.just(0) | st.integers(1, hidden - 1))
    if kind is Kind.RNN:
        options["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    return RNNConfig(
        **options,
        num_layers=draw(st.integers(1, 5)),
        batch_first=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
    )


def inputs(*, fewest: int = 0) -> st.SearchStrategy[InputSpec]:
    """An input with or without a batch axis."""
    return st.builds(
        InputSpec,
        batch_size=st.integers(fewest, 7),
        seq_len=st.integers(1, 9),
        batched=st.booleans(),
    )
