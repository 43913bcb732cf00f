"""Recurrent layers that an exporter wrote out as products, whose sizes are beyond reading."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from rnnshape.layer.recognition import Unrecognised
from rnnshape.sources.files.onnx.model import Node, Scope
from rnnshape.sources.files.onnx.names import scope_name

_CLASSES: Final = "pkg.torch.onnx.class_hierarchy"
_CLASS: Final = re.compile(r"torch\.nn\.modules\.rnn\.((?:LSTM|GRU|RNN)(?:Cell)?)\b")
_FUNCTIONS: Final = frozenset({"Sigmoid", "Tanh", "Relu"})


def written_out(scope: Scope, recurrent: Collection[str]) -> Iterator[Unrecognised]:
    """What is a recurrent layer in a graph without being a node of one.

    Either the exporter noted the class of the module, or the operations are those of an LSTM or a
    GRU: gates are not evidence, since gated convolutions have them too. `recurrent` has the names
    of the modules that recurrent nodes come from.
    """
    noted: dict[tuple[str, str], None] = {}
    cells: dict[str, list[Node]] = {}
    for node in scope.nodes:
        if node.op not in _FUNCTIONS or not node.is_standard:
            continue
        layer = _CLASS.search(node.metadata(_CLASSES))
        if layer is not None:
            noted[scope_name(node) or "", f"nn.{layer[1]}"] = None
        elif node.op == "Tanh" and (kind := _kind(scope, node)):
            cells.setdefault(kind, []).append(node)
    for module, layer_class in noted:
        if module not in recurrent:
            yield _unreadable(module, scope, f"the exporter wrote an {layer_class} out as")
    for kind, found in cells.items():
        are = "is" if len(found) == 1 else "are"
        count = f"{len(found)} {kind} cell{'s' * (len(found) > 1)}"
        module = scope_name(found[0]) or ""
        yield _unreadable(module, scope, f"there {are} {count}, of one step each, written out as")


def _unreadable(module: str, scope: Scope, what: str) -> Unrecognised:
    place = f"in {scope.place}, " if scope.place else ""
    problem = f"{place}{what} matrix products and functions, from which no sizes can be read"
    return Unrecognised(name=module or scope.place, problem=problem)


def _kind(scope: Scope, tanh: Node) -> str:
    """The kind of a cell by one of its tanh: that of LSTM's output, or of GRU's candidate."""
    for term in _makers(scope, tanh, "Add"):
        products = _makers(scope, term, "Mul")
        gated = [product for product in products if _makers(scope, product, "Sigmoid")]
        if len(gated) == 2 and any(_makers(scope, product, "Tanh") for product in gated):
            return "LSTM" if _gates(scope, tanh) else ""
        if len(gated) == 1 and _is_blended(scope, tanh):
            return "GRU"
    return ""


def _makers(scope: Scope, node: Node, op: str) -> list[Node]:
    """The nodes with this operation that make the inputs of a node."""
    made = [scope.producers[name][0] for name in node.inputs if name in scope.producers]
    return [maker for maker in made if maker.op == op]


def _gates(scope: Scope, node: Node) -> bool:
    """Whether a sigmoid is multiplied with what a node makes: o * tanh(c)."""
    readers = scope.readers.get(node.output(0), [])
    return any(reader.op == "Mul" and _makers(scope, reader, "Sigmoid") for reader in readers)


def _is_blended(scope: Scope, candidate: Node) -> bool:
    """Whether (1 - z) * n, or z * (h - n), is made of a candidate n."""
    for reader in scope.readers.get(candidate.output(0), []):
        if reader.op == "Mul" and any(
            _makers(scope, one_minus, "Sigmoid") for one_minus in _makers(scope, reader, "Sub")
        ):
            return True
        if reader.op == "Sub" and _gates(scope, reader):
            return True
    return False
