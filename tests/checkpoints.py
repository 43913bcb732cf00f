"""Files of torch.save and torch.jit.save for tests."""

from __future__ import annotations

import io
import pickle
import warnings
from typing import Any

import torch
from torch import nn

from rnnshape.sources.files import pytorch
from rnnshape.sources.files.contents import Contents, StateDict

_JIT: Any = torch.jit  # parts of PyTorch without types
_QUANTIZATION: Any = torch.ao.quantization


class Net(nn.Module):
    """A stack, a cell and a list of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)
        self.cell = nn.GRUCell(3, 5)
        self.rnn = nn.RNN(4, 2, nonlinearity="relu", dropout=0.5, num_layers=2)
        self.norm = nn.BatchNorm1d(3)
        self.more = nn.ModuleList([nn.GRU(2, 3)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y, _ = self.encoder(x)
        z, _ = self.more[0](y[..., :2])
        r, _ = self.rnn(y[..., :4])
        c = self.cell(x[0])
        total: torch.Tensor = r.sum() + z.sum() + c.sum()
        return total


def model_state() -> dict[str, torch.Tensor]:
    """An encoder of 736 parameters, a decoder of 165, and a layer that is not recurrent."""
    parts: dict[str, nn.Module] = {
        "encoder": nn.LSTM(3, 4, num_layers=2, bidirectional=True),
        "decoder.rnn": nn.GRU(4, 5),
    }
    parts["out"] = nn.Linear(5, 2)
    return {f"{p}.{n}": t for p, layer in parts.items() for n, t in layer.state_dict().items()}


def saved(value: Any, **options: Any) -> bytes:
    """What torch.save writes; `legacy=True` for the format before PyTorch 1.6."""
    file = io.BytesIO()
    zipped = not options.pop("legacy", False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(value, file, _use_new_zipfile_serialization=zipped, **options)
    return file.getvalue()


def scripted(module: Any, *inputs: torch.Tensor) -> bytes:
    """What torch.jit.save writes for a module, traced with the inputs if there are some."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = _JIT.trace(module, inputs) if inputs else _JIT.script(module)
        _JIT.save(graph, file)
    return file.getvalue()


def quantized(module: nn.Module, dtype: torch.dtype = torch.qint8) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kinds = {nn.LSTM, nn.GRU, nn.GRUCell, nn.LSTMCell, nn.RNNCell}
        result: nn.Module = _QUANTIZATION.quantize_dynamic(module, kinds, dtype=dtype)
    return result


def read(data: bytes) -> Contents:
    return pytorch.read(io.BytesIO(data))


def only(data: bytes) -> StateDict:
    """The one state dict of a file."""
    (found,) = read(data).dicts
    return found


def originals() -> list[bytes]:
    """Files of all kinds, to be damaged."""
    net = Net()
    checkpoint = {
        "model_state": nn.LSTM(3, 4).state_dict(),
        "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]},
        "epoch": 3,
        "sparse": torch.zeros(3).to_sparse(),
    }
    files = [
        saved(checkpoint, legacy=legacy, pickle_protocol=protocol)
        for legacy in (False, True)
        for protocol in (2, 3, 4, 5)
    ]
    files += [pickle.dumps(checkpoint, protocol=protocol) for protocol in (0, 2, 4, 5)]
    files += [saved(net), saved(net, legacy=True), saved(quantized(Net()))]
    files += [scripted(net), scripted(net, torch.zeros(2, 5, 3)), scripted(quantized(Net()))]
    return files
