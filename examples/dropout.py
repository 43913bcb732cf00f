"""Where dropout acts: with dropout=1 nothing passes from one layer to the next.

Two inputs are fed to the same layer in training mode. What is equal for both cannot have heard
of the input.
"""

import torch
from torch import nn

torch.manual_seed(0)
first, second = torch.randn(10, 5, 20), torch.randn(10, 5, 20)
for num_layers in (3, 1):
    lstm = nn.LSTM(20, 40, num_layers, dropout=1.0).train()
    output, (h_n, _) = lstm(first)
    _, (other, _) = lstm(second)
    print(f"num_layers={num_layers}, dropout=1.0")
    for layer in range(num_layers):
        heard = "nothing" if torch.equal(h_n[layer], other[layer]) else "the input"
        print(f"  layer {layer} hears {heard}")
    print(f"  output is dropped: {not output.any()}")
