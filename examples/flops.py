"""FLOPs as PyTorch's own counter sees them, for the layer of the README."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

# oneDNN runs an LSTM as one operation, which the counter does not know.
torch.backends.mkldnn.enabled = False  # type: ignore[assignment]
lstm = nn.LSTM(20, 40, num_layers=4, bidirectional=True)
counter = FlopCounterMode(display=False)
with counter:
    lstm(torch.randn(10, 5, 20))
print(f"{counter.get_total_flops():,} FLOPs = 2 x {counter.get_total_flops() // 2:,} MACs")
