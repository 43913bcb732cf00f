"""Write the weights of a small and of a large layer as PyTorch and safetensors do, without data.

`python benchmarks/sparse.py FOLDER` writes small.pt, large.pt, small.safetensors and
large.safetensors. The large files are sparse: they take no room on the disk.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from torch import nn


def main(folder: Path) -> None:
    """Write the four files."""
    small = nn.LSTM(2, 3)
    large = nn.LSTM(1024, 2048, num_layers=4, bidirectional=True, device="meta")
    for name, layer in (("small", small), ("large", large.to_empty(device="cpu"))):
        with torch.serialization.skip_data():
            torch.save(layer.state_dict(), folder / f"{name}.pt")
        _save_safetensors(layer, folder / f"{name}.safetensors")


def _save_safetensors(layer: nn.Module, path: Path) -> None:
    header, end = {}, 0
    for name, tensor in layer.state_dict().items():
        begin, end = end, end + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": [*tensor.shape], "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(file.tell() + end)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
