"""Save the weights of one small model in the forms in which people find them."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn


class Encoder(nn.Module):
    """Four layers in both directions, over embedded tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(1000, 20)
        self.lstm = nn.LSTM(20, 40, num_layers=4, bidirectional=True)


class Tagger(nn.Module):
    """An encoder, a decoder and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = nn.GRU(80, 40)
        self.classify = nn.Linear(40, 12)


def save_safetensors(tensors: Mapping[str, Tensor], path: str) -> None:
    """As safetensors.torch.save_file does: the length of a JSON header, the header, the data."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        end = len(data) + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": [*tensor.shape], "data_offsets": [len(data), end]}
        data += tensor.numpy().tobytes()
    text = json.dumps(header).encode()
    Path(path).write_bytes(len(text).to_bytes(8, "little") + text + data)


model = Tagger()
optimizer = torch.optim.Adam(model.parameters())
for parameter in model.parameters():
    parameter.grad = torch.zeros_like(parameter)
optimizer.step()  # which gives it two tensors of the shape of each parameter
state = model.state_dict()

torch.save({"epoch": 3, "model": state, "optimizer": optimizer.state_dict()}, "weights.pt")
torch.save({n: t for n, t in state.items() if n != "encoder.lstm.bias_hh_l1"}, "broken.pt")
scripted = torch.jit.script(nn.LSTM(20, 40, num_layers=4, batch_first=True))
torch.jit.save(scripted, "scripted.pt")
save_safetensors(state, "weights.safetensors")
np.savez("weights.npz", **{name: tensor.numpy() for name, tensor in state.items()})
