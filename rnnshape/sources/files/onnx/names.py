"""The names of layers, after the modules that they were."""

from __future__ import annotations

import re
from typing import Final

from rnnshape.sources.files.onnx.folding import Value
from rnnshape.sources.files.onnx.model import Node, Tensor

_SCOPES: Final = "pkg.torch.onnx.name_scopes"
_QUOTED: Final = re.compile(r"'([^']*)'")
# Names that exporters number, which say nothing about a module.
_GENERIC: Final = re.compile(r"(node_|onnx::|val_|n\d).*|\d*")
_WEIGHT: Final = re.compile(r"(.+?)[./](?:weight_[ih]h|(?:kernel|recurrent_kernel|W|R|weights?)\b)")


def scope_name(node: Node) -> str | None:
    """The module that a node was in, where PyTorch's exporter says so for certain."""
    scopes = _QUOTED.findall(node.metadata(_SCOPES))
    if len(scopes) > 1:
        return str(scopes[-2])
    if node.name.startswith("/"):
        return _without_operation(node).strip("/").replace("/", ".")
    return None


def module_name(node: Node, weights: Value) -> str:
    """What a node's module was called, or the kind of the node where nothing tells."""
    found = scope_name(node)
    if found is None:
        name = _without_operation(node)
        found = "" if _GENERIC.fullmatch(name) else re.sub("[/.]+", ".", name).strip(".")
    return found or _from_weights(weights) or node.op.lower()


def _without_operation(node: Node) -> str:
    """The node's name without the operation and number at its end: `/lstm/LSTM_1`, `LSTM__12`."""
    operation = re.escape(node.op.removeprefix("DynamicQuantize").removeprefix("Attn"))
    cut = max(node.name.rfind("/"), node.name.rfind("."))
    if re.fullmatch(rf"{operation}(_*\d+)?(_quant)?", node.name[cut + 1 :]):
        return node.name[: max(cut, 0)]
    return node.name


def _from_weights(weights: Value) -> str:
    """The module whose weights a tensor is made of: `encoder` for `encoder.weight_ih_l0`."""
    for leaf in weights.leaves:
        name = leaf.name if isinstance(leaf, Tensor) else ""
        match = _WEIGHT.match(name)
        if match and not _GENERIC.fullmatch(name):
            return match[1].replace("/", ".")
    return ""
