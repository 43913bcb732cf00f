"""Counts of a layer written a second time, in closed form, for tests to hold the tool against."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rnnshape.layer.config import InputSpec, RNNConfig

_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
_CONSTRUCTOR = re.compile(r"nn\.(LSTM|GRU|RNN)\(([0-9]+), ([0-9]+)((?:, \w+=[\w']+)*)\)")


def parameters(config: RNNConfig) -> int:
    """D*(K*(G*H*(R + b) + P*H) + G*H*(I + (K - 1)*D*R))."""
    return _sum(config, biases=2 if config.bias else 0)


def macs(config: RNNConfig, input_spec: InputSpec) -> int:
    """The same without biases, once a step and sequence."""
    batch = input_spec.batch_size if input_spec.batched else 1
    steps = 1 if config.cell else input_spec.seq_len
    return steps * batch * _sum(config, biases=0)


def _sum(config: RNNConfig, *, biases: int) -> int:
    layers, hidden, proj = config.num_layers, config.hidden_size, config.proj_size
    directions, result = 1 + config.bidirectional, proj or hidden
    rows = _GATES[config.kind.value] * hidden
    recurrent = layers * (rows * (result + biases) + proj * hidden)
    return directions * (
        recurrent + rows * (config.input_size + (layers - 1) * directions * result)
    )


def constructed(text: str) -> Iterator[tuple[str, int]]:
    """Every constructor in a text, with its parameters."""
    for match in _CONSTRUCTOR.finditer(text):
        given = dict(word.split("=") for word in match[4].split(", ")[1:])
        layers, proj = int(given.get("num_layers", 1)), int(given.get("proj_size", 0))
        directions = 1 + ("bidirectional" in given)
        rows, result = _GATES[match[1]] * int(match[3]), proj or int(match[3])
        total = sum(
            directions
            * (
                rows * (directions * result if layer else int(match[2]))
                + rows * result
                + (0 if "bias" in given else 2 * rows)
                + proj * int(match[3])
            )
            for layer in range(layers)
        )
        yield match[0], total
