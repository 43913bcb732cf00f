"""Python to paste that loads the weights of a file into the layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Picture
from rnnshape.words import python_literal

# A checkpoint of a training often holds more than tensors, which torch.load then refuses.
_OTHERS: Final = "# weights_only=False also loads other objects, and runs the code that they name"


def load(inspection: Inspection) -> Iterator[Block]:
    """A program that runs unchanged; nothing for a format that PyTorch does not load."""
    subject = inspection.subject
    found = subject.found
    if found is None or found.loading is None:
        return
    dtype = subject.settings.dtype.value
    setting = "" if dtype == "float32" else f", dtype=torch.{dtype}"
    constructor = subject.config.constructor.removesuffix(")")
    lines = [
        *dict.fromkeys(["import torch", *found.loading.imports, "from torch import nn"]),
        f"layer = {constructor}{setting})",
        f"state = {found.loading.state}",
    ]
    if found.keys and found.format == "PyTorch checkpoint":
        lines.insert(-1, _OTHERS)
    name = "n"
    if found.recognised.prefix:
        lines.append(f"prefix = {python_literal(found.recognised.prefix)}")
        name = "prefix + n"
    # Of the layer's own names: the module may hold other tensors beside its weights.
    lines.append(f"layer.load_state_dict({{n: state[{name}] for n in layer.state_dict()}})")
    yield Picture(tuple(lines), language="python")
