"""Write the weights of a small and of a large layer as PyTorch and safetensors do, without data.

`python benchmarks/sparse.py FOLDER` writes small.pt, large.pt, small.safetensors and
large.safetensors. The large files are sparse: they take no room on the disk.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import torch
from torch import nn

FORMATS: Final = ("pt", "safetensors")


def main(folder: Path) -> None:
    """Write the four files."""
    large = nn.LSTM(1024, 2048, num_layers=4, bidirectional=True, device="meta")
    for name, layer in (("small", nn.LSTM(2, 3)), ("large", large)):
        for suffix in FORMATS:
            write(layer, folder / f"{name}.{suffix}")


def write(module: nn.Module, path: Path) -> None:
    """Write the weights, of any device, in the format of the suffix."""
    if path.suffix == ".safetensors":
        _write_safetensors(module, path)
    else:
        with torch.serialization.skip_data():
            torch.save(module.to_empty(device="cpu").state_dict(), path)


def _write_safetensors(module: nn.Module, path: Path) -> None:
    header, end = {}, 0
    for name, tensor in module.state_dict().items():
        begin, end = end, end + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": [*tensor.shape], "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(file.tell() + end)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
