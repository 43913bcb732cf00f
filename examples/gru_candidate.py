"""Which formula nn.GRU computes for its candidate state: PyTorch's own, or that of the paper."""

import torch
from torch import nn

torch.manual_seed(0)
cell = nn.GRUCell(20, 40, dtype=torch.float64)
x, h = torch.randn(5, 20, dtype=torch.float64), torch.randn(5, 40, dtype=torch.float64)
w_ir, w_iz, w_in = cell.weight_ih.chunk(3)
w_hr, w_hz, w_hn = cell.weight_hh.chunk(3)
b_ir, b_iz, b_in = cell.bias_ih.chunk(3)
b_hr, b_hz, b_hn = cell.bias_hh.chunk(3)

r = torch.sigmoid(x @ w_ir.T + b_ir + h @ w_hr.T + b_hr)
z = torch.sigmoid(x @ w_iz.T + b_iz + h @ w_hz.T + b_hz)
candidates = {
    "r * (h W_hn + b_hn)": r * (h @ w_hn.T + b_hn),
    "(r * h) W_hn + b_hn": (r * h) @ w_hn.T + b_hn,
}
for written, recurrent in candidates.items():
    n = torch.tanh(x @ w_in.T + b_in + recurrent)
    same = torch.allclose((1 - z) * n + z * h, cell(x, h))
    print(f"n = tanh(x W_in + b_in + {written}):", "PyTorch's" if same else "not PyTorch's")
