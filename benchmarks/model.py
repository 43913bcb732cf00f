"""What `rnnshape.inspect_model` takes for a model of 200 recurrent layers.

`python -m benchmarks.model` prints medians: without runs of the layers, beyond the two forward
passes in which it sees what each of them gets, and with a run of each. The exit code is 1 if the
former takes too long.
"""

from __future__ import annotations

import sys
from statistics import median
from time import perf_counter
from typing import Final

import torch
from torch import nn

import rnnshape

_LAYERS: Final = 200
_ROUNDS: Final = 15
_MOST_SECONDS: Final = 0.1


class Stack(nn.Module):
    """Layers of which each reads the output of the one before."""

    def __init__(self, count: int) -> None:
        super().__init__()
        kinds = (nn.LSTM, nn.GRU, nn.RNN)
        self.layers = nn.ModuleList(kinds[number % 3](32, 32) for number in range(count))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The output of the last layer."""
        for layer in self.layers:
            x, _ = layer(x)
        return x


def main() -> int:
    """Print what was measured; 0 when the bar is met."""
    torch.set_num_threads(1)
    model, x = Stack(_LAYERS).eval(), torch.randn(10, 5, 32)
    forward, formulas, runs = [], [], []
    for turn in range(_ROUNDS + 1):
        start = perf_counter()
        with torch.no_grad():
            model(x)
        after_forward = perf_counter()
        reports = rnnshape.inspect_model(model, inputs=(x,), run=False)
        after_formulas = perf_counter()
        rnnshape.inspect_model(model, inputs=(x,))
        end = perf_counter()
        if len(reports) != _LAYERS:
            raise SystemExit(f"{len(reports)} layers were found")
        if turn:
            forward.append(after_forward - start)
            formulas.append(after_formulas - after_forward)
            runs.append(end - after_formulas)
    alone = median(forward)
    beyond = median(formulas) - 2 * alone
    print(
        f"{_LAYERS} layers, without runs: {beyond:.3f} s beyond two forward passes of"
        f" {alone:.3f} s, bar {_MOST_SECONDS} s; with a run of each: {median(runs):.3f} s"
    )
    return 0 if beyond <= _MOST_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
