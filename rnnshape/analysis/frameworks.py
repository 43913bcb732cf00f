"""The same layer in other frameworks: its biases, the order of its gates, its parameters.

The formulas give the counts that were measured for input 20 and hidden 40 in Keras 3, Flax (linen
and nnx) and ONNX. Where the biases are PyTorch's, so is the count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from rnnshape.layer.config import Kind
from rnnshape.layer.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """A layer of the same sizes in one framework."""

    framework: str  # "PyTorch", "Keras", "Flax" or "ONNX"
    layer: str  # its name there
    biases: str  # how many there are: "two"
    gates: str  # the order in which its weights stack them, in PyTorch's letters
    parameters: int


class _Variant(NamedTuple):
    framework: str
    layer: str
    gates: str
    biases: str
    bias_rows: int  # of each layer and direction, in units of hidden_size


# PyTorch's letters in each order. Keras writes c for g and h for n; its GRU gates begin with z, r.
_VARIANTS: Final[Mapping[Kind, tuple[_Variant, ...]]] = {
    Kind.LSTM: (
        _Variant("PyTorch", "nn.LSTM", "i f g o", "two", 8),
        _Variant("Keras", "LSTM", "i f g o", "one", 4),
        _Variant("Flax", "LSTMCell", "i f g o", "one", 4),
        _Variant("ONNX", "LSTM", "i o f g", "two", 8),
    ),
    Kind.GRU: (
        _Variant("PyTorch", "nn.GRU", "r z n", "two", 6),
        _Variant("Keras", "GRU", "z r n", "two", 6),
        _Variant("Keras", "GRU(reset_after=False)", "z r n", "one", 3),
        _Variant("Flax", "linen.GRUCell", "r z n", "one, and b_hn", 4),
        _Variant("Flax", "nnx.GRUCell", "r z n", "one", 3),
        _Variant("ONNX", "GRU", "z r n", "two", 6),
    ),
    Kind.RNN: (
        _Variant("PyTorch", "nn.RNN", "", "two", 2),
        _Variant("Keras", "SimpleRNN", "", "one", 1),
        _Variant("Flax", "SimpleCell", "", "one", 1),
        _Variant("ONNX", "RNN", "", "two", 2),
    ),
}


def counterparts(subject: Subject) -> tuple[Counterpart, ...]:
    """The layer in each framework that has one like it.

    Only PyTorch has projections, and Flax has no cell without biases.
    """
    config, own = subject.config, subject.weights
    matrices = own.matrix_elements
    copies = sum(block.copies for block in own.blocks)
    variants = _VARIANTS[config.kind][: 1 if config.proj_size else None]
    return tuple(
        Counterpart(
            framework=variant.framework,
            layer=config.class_name if variant.framework == "PyTorch" else variant.layer,
            biases=variant.biases if config.bias else "none",
            gates=variant.gates,
            parameters=matrices + config.bias * copies * variant.bias_rows * config.hidden_size,
        )
        for variant in variants
        if config.bias or variant.framework != "Flax"
    )
