"""How long an nn.GRU takes compared with an nn.LSTM of the same sizes, with and without oneDNN.

Medians of forward passes on one thread of the CPU; the two layers alternate.
"""

from statistics import median
from time import perf_counter

import torch
from torch import nn

RUNS = 30


def seconds(module: nn.Module, x: torch.Tensor) -> float:
    """The wall time of one forward pass."""
    start = perf_counter()
    module(x)
    return perf_counter() - start


torch.set_num_threads(1)
for onednn in (True, False):
    torch.backends.mkldnn.enabled = onednn  # type: ignore[assignment]
    print("as PyTorch comes" if onednn else "without oneDNN, whose kernel only the LSTM has")
    for hidden, batch in ((40, 5), (256, 32), (1024, 32)):
        lstm, gru = nn.LSTM(20, hidden).eval(), nn.GRU(20, hidden).eval()
        x = torch.randn(10, batch, 20)
        with torch.inference_mode():
            pairs = [(seconds(lstm, x), seconds(gru, x)) for _ in range(RUNS)][RUNS // 3 :]
        lstm_time, gru_time = (median(times) for times in zip(*pairs, strict=True))
        print(f"  hidden {hidden}, batch {batch}: GRU / LSTM time {gru_time / lstm_time:.2f}")
