"""Where dropout acts: with dropout=1 nothing passes from one layer to the next.

Two inputs are fed to the same layer in training mode. A state that is equal for both does not
depend on the input.
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
        depends = not torch.equal(h_n[layer], other[layer])
        print(f"  layer {layer} depends on the input: {depends}")
    print(f"  output is dropped: {not output.any()}")
