"""What a person writes to learn a layer's shapes: build it, run it, print it.

`python by_hand.py INPUT_SIZE HIDDEN_SIZE NUM_LAYERS`, for a bidirectional LSTM.
"""

import sys

import torch
from torch import nn

input_size, hidden_size, num_layers = map(int, sys.argv[1:])
lstm = nn.LSTM(input_size, hidden_size, num_layers, bidirectional=True)
output, (h_n, c_n) = lstm(torch.randn(10, 5, input_size))
print("output", tuple(output.shape))
print("h_n", tuple(h_n.shape))
print("c_n", tuple(c_n.shape))
for name, weight in lstm.named_parameters():
    print(name, tuple(weight.shape))
print("parameters", sum(weight.numel() for weight in lstm.parameters()))
