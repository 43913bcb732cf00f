"""Layers and inputs over the whole option space, small enough to run."""

from __future__ import annotations

from hypothesis import strategies as st

from rnnshape.layer.config import Kind, RNNConfig


@st.composite
def layers(draw: st.DrawFn) -> RNNConfig:
    """Any layer that PyTorch runs; no cells."""
    kind = draw(st.sampled_from(Kind))
    hidden = draw(st.integers(1, 6))
    return RNNConfig(
        kind=kind,
        input_size=draw(st.integers(1, 5)),
        hidden_size=hidden,
        num_layers=draw(st.integers(1, 3)),
        bias=draw(st.booleans()),
        batch_first=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
        proj_size=draw(st.integers(0, hidden - 1)) if kind is Kind.LSTM else 0,
        nonlinearity=draw(st.sampled_from(["tanh", "relu"])) if kind is Kind.RNN else None,
    )
