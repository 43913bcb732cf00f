"""Python to paste that loads the weights of a file into the layer."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Picture
from rnnshape.words import python_literal


def load(inspection: Inspection) -> Iterator[Block]:
    """A program that runs as it stands; nothing for a format that PyTorch does not load."""
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
    name = "name"
    if found.prefix:
        lines.append(f"prefix = {python_literal(found.prefix)}")
        name = "prefix + name"
    # Of the layer's own names: the module may hold other tensors beside its weights.
    lines.append(f"layer.load_state_dict({{name: state[{name}] for name in layer.state_dict()}})")
    yield Picture(tuple(lines), language="python")
