"""Whether h_n of a padded row is the state at its own last step: only if the batch is packed."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

torch.manual_seed(0)
lstm = nn.LSTM(20, 40)
lengths = [10, 4]
x = torch.randn(10, 2, 20)
x[4:, 1] = 0.0  # row 1 has 4 steps, the rest is padding

output, (padded, _) = lstm(x)
_, (packed, _) = lstm(pack_padded_sequence(x, lengths))
for row, length in enumerate(lengths):
    valid = output[length - 1, row]
    print(f"row {row}, {length} of 10 steps:")
    print("  padded h_n[0] is its last step:", torch.allclose(padded[0, row], valid, atol=1e-6))
    print("  packed h_n[0] is its last step:", torch.allclose(packed[0, row], valid, atol=1e-6))
