"""TARGET: a layer in one word, whatever it is given as."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape.cli.values import quoted
from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind, RNNConfig


@dataclass(frozen=True, kw_only=True)
class Target:
    """The layer that a word names."""

    text: str
    config: RNNConfig
    told: frozenset[str]  # the fields that the word tells


def target(text: str) -> Target:
    """Read a kind: `lstm`, `gru` or `rnn`. Raises RequestError for anything else."""
    try:
        kind = Kind(text.strip().upper())
    except ValueError:
        raise RequestError(
            f"no target {quoted(text)}; it is lstm, gru or rnn", hint="lstm"
        ) from None
    return Target(text=text, config=RNNConfig(kind=kind), told=frozenset({"kind"}))
