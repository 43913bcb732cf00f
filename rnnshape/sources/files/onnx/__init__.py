"""ONNX models: their recurrent nodes at any depth, read without the onnx package.

A model is a protocol buffer that holds its tensors, of which nothing but names and shapes is
needed. So the few messages that matter are read field by field, and the data of tensors is left
where it is, in the model or in files beside it.
"""

from __future__ import annotations

from typing import BinaryIO

from rnnshape.layer.recognition import Recognised, Unrecognised
from rnnshape.sources.files.contents import Contents
from rnnshape.sources.files.onnx.layers import found
from rnnshape.sources.files.onnx.model import scopes
from rnnshape.sources.files.onnx.protobuf import Reader


def read(file: BinaryIO) -> Contents:
    """The recurrent layers of an ONNX model. Raises RequestError for any other file."""
    graphs = list(scopes(Reader(file)))
    layers = list(found(graphs))
    return Contents(
        format="ONNX model",
        layers=tuple(layer for layer in layers if isinstance(layer, Recognised)),
        failures=tuple(layer for layer in layers if isinstance(layer, Unrecognised)),
        tensors=sum(len(graph.tensors) for graph in graphs),
    )
