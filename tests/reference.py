"""What the tests compare with: formulas written down by hand, and PyTorch's own layer."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from rnnshape import InputSpec, Kind, RNNConfig

# These layers are small: more threads only stall each other on shared cores.
torch.set_num_threads(1)

GATES = {Kind.LSTM: 4, Kind.GRU: 3, Kind.RNN: 1}
_CONSTRUCTOR = re.compile(
    r"nn\.(?P<kind>LSTM|GRU|RNN)\((?P<input>\d+), (?P<hidden>\d+)(?P<options>(?:, \w+=[\w']+)*)\)",
    re.ASCII,
)


@contextmanager
def default_device(device: str | None) -> Iterator[None]:
    """Let the caller's program have that default."""
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)
        vars(torch._GLOBAL_DEVICE_CONTEXT).clear()  # torch 2.6 fails to tell one of None


def parameters(config: RNNConfig) -> int:
    """D * [K * (G*H*(R + b) + P*H) + G*H*(I + (K - 1)*D*R)]."""
    g, h, i, k = GATES[config.kind], config.hidden_size, config.input_size, config.num_layers
    d, p, b = 1 + config.bidirectional, config.proj_size, 2 * config.bias
    r = p if p > 0 else h
    return d * (k * (g * h * (r + b) + p * h) + g * h * (i + (k - 1) * d * r))


def macs(config: RNNConfig, input_spec: InputSpec) -> int:
    """L * N * D * (sum over the layers of G*H*(in_k + R) + P*H), for an input without lengths."""
    g, h, p = GATES[config.kind], config.hidden_size, config.proj_size
    d, r = 1 + config.bidirectional, p if p > 0 else h
    layers = range(config.num_layers)
    step = sum(g * h * ((d * r if k else config.input_size) + r) + p * h for k in layers)
    steps = 1 if config.cell else input_spec.seq_len
    batch = input_spec.batch_size if input_spec.batched else 1
    return steps * batch * d * step


def constructed(text: str) -> Iterator[tuple[str, int]]:
    """Every constructor in a text, with the parameters of its layer."""
    for match in _CONSTRUCTOR.finditer(text):
        given = dict(word.split("=") for word in match["options"].split(", ")[1:])
        config = RNNConfig(
            kind=Kind(match["kind"]),
            input_size=int(match["input"]),
            hidden_size=int(match["hidden"]),
            num_layers=int(given.get("num_layers", "1")),
            bias="bias" not in given,
            bidirectional="bidirectional" in given,
            proj_size=int(given.get("proj_size", "0")),
        )
        yield match[0], parameters(config)


def built(config: RNNConfig, *, dtype: torch.dtype | None = None, device: str = "cpu") -> Any:
    """PyTorch's layer as a user builds it, in evaluation mode."""
    arguments: dict[str, Any] = {
        "num_layers": config.num_layers,
        "bias": config.bias,
        "batch_first": config.batch_first,
        "dropout": config.dropout,
        "bidirectional": config.bidirectional,
    }
    if config.kind is Kind.LSTM:
        arguments["proj_size"] = config.proj_size
    if config.kind is Kind.RNN:
        arguments["nonlinearity"] = config.nonlinearity
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dropout with one layer
        layer = getattr(torch.nn, config.kind.value)(
            config.input_size, config.hidden_size, **arguments, dtype=dtype, device=device
        )
    return layer.eval()


def called(layer: Any, config: RNNConfig, input_spec: InputSpec) -> dict[str, torch.Tensor]:
    """The tensors that go in and come out, by the names of PyTorch's documentation."""
    sizes = [input_spec.seq_len, input_spec.batch_size]
    steps = sizes[::-1] if config.batch_first else sizes
    shape = (*steps, config.input_size) if input_spec.batched else (sizes[0], config.input_size)
    weight = next(layer.parameters())
    given = torch.randn(shape, dtype=weight.dtype, device=weight.device)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # a projection is not for oneDNN
        output, states = layer(given)
    h_n, *c_n = states if config.kind is Kind.LSTM else (states,)
    named = {"input": given, "output": output, "h_n": h_n}
    return named | ({"c_n": c_n[0]} if c_n else {})
