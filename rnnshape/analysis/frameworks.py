"""The same nominal layer in other frameworks: how many biases, which gate order, which count.

Counts were measured for input 20 and hidden 40 in Keras 3, Flax (linen and nnx) and ONNX; the
formulas below give them, and agree with PyTorch's own where the biases are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from rnnshape.layer.config import InputSpec, Kind, RNNConfig
from rnnshape.layer.formulas import plain_sizes, weights

Framework: TypeAlias = Literal["PyTorch", "Keras", "Flax", "ONNX"]


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """What one framework makes of the same sizes."""

    framework: Framework
    layer: str  # its name there
    biases: str  # what is added, in words of the weights' rows
    gates: str  # the order in which its weights stack them, in PyTorch's letters
    parameters: int


@dataclass(frozen=True, kw_only=True)
class _Variant:
    framework: Framework
    layer: str
    gates: str
    biases: str
    bias_rows: int  # in hidden sizes, a layer and direction


# PyTorch's letters in each order. Keras calls g c, and n h; its first two GRU gates are z and r.
_VARIANTS: Final[Mapping[Kind, tuple[_Variant, ...]]] = {
    Kind.LSTM: (
        _Variant(framework="PyTorch", layer="nn.LSTM", gates="i f g o", biases="two", bias_rows=8),
        _Variant(framework="Keras", layer="LSTM", gates="i f g o", biases="one", bias_rows=4),
        _Variant(framework="Flax", layer="LSTMCell", gates="i f g o", biases="one", bias_rows=4),
        _Variant(framework="ONNX", layer="LSTM", gates="i o f g", biases="two", bias_rows=8),
    ),
    Kind.GRU: (
        _Variant(framework="PyTorch", layer="nn.GRU", gates="r z n", biases="two", bias_rows=6),
        _Variant(framework="Keras", layer="GRU", gates="z r n", biases="two", bias_rows=6),
        _Variant(
            framework="Keras",
            layer="GRU(reset_after=False)",
            gates="z r n",
            biases="one",
            bias_rows=3,
        ),
        _Variant(
            framework="Flax",
            layer="linen.GRUCell",
            gates="r z n",
            biases="one, and b_hn",
            bias_rows=4,
        ),
        _Variant(framework="Flax", layer="nnx.GRUCell", gates="r z n", biases="one", bias_rows=3),
        _Variant(framework="ONNX", layer="GRU", gates="z r n", biases="two", bias_rows=6),
    ),
    Kind.RNN: (
        _Variant(framework="PyTorch", layer="nn.RNN", gates="", biases="two", bias_rows=2),
        _Variant(framework="Keras", layer="SimpleRNN", gates="", biases="one", bias_rows=1),
        _Variant(framework="Flax", layer="SimpleCell", gates="", biases="one", bias_rows=1),
        _Variant(framework="ONNX", layer="RNN", gates="", biases="two", bias_rows=2),
    ),
}


def counterparts(config: RNNConfig) -> tuple[Counterpart, ...]:
    """The layer in each framework; a projection, which only PyTorch has, leaves PyTorch alone."""
    sizes = plain_sizes(config, InputSpec())
    own = weights(config, sizes)
    matrices = own.multiply_adds
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
    )
