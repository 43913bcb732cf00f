"""A run of `nn.Linear` or `nn.Embedding`: its parameters, its MACs and what it gives."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rnnshape.errors import RequestError, first_line
from rnnshape.layer.input import InputSpec
from rnnshape.layer.run import Mismatch, Run
from rnnshape.layer.stateless import Embedding, Linear
from rnnshape.pytorch.modes import undisturbed


def run_stateless(layer: Linear | Embedding) -> Run:
    """The layer built and called on the meta device, which computes shapes but no values.

    Raises RequestError for a layer too large for PyTorch.
    """
    try:
        mismatches = undisturbed(lambda: tuple(_mismatches(layer)))
    except (RuntimeError, OverflowError, TypeError) as error:
        problem = f"{layer.constructor}: {first_line(error)}"
        hint = "{run} computes everything by formula"
        raise RequestError("{}", problem, hint=hint, run=False) from error
    return Run(
        torch_version=torch.__version__.partition("+")[0],
        input_spec=InputSpec(),
        claims=(),
        mismatches=mismatches,
    )


def _mismatches(layer: Linear | Embedding) -> Iterator[Mismatch]:
    module, input_ = _built(layer)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        output = module(input_)
    measured = {
        "parameters": sum(each.numel() for each in module.parameters()),
        "macs": counter.get_total_flops() // 2,
        "gives": output.shape[-1],
    }
    for name, value in measured.items():
        predicted = getattr(layer, name)
        if predicted != value:
            yield Mismatch(what=name, predicted=predicted, measured=value)


def _built(layer: Linear | Embedding) -> tuple[nn.Module, torch.Tensor]:
    """The module, and an input of as many steps as the layer reads."""
    if isinstance(layer, Linear):
        sizes = layer.in_features, layer.out_features
        input_ = torch.empty(layer.steps, layer.in_features, device="meta")
        return nn.Linear(*sizes, bias=layer.bias, device="meta"), input_
    module = nn.Embedding(layer.num_embeddings, layer.embedding_dim, device="meta")
    return module, torch.empty(layer.steps, dtype=torch.long, device="meta")
