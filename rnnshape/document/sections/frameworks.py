"""The same nominal layer in PyTorch, Keras, Flax and ONNX, and how to make them equal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rnnshape.analysis.frameworks import counterparts
from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Block, Code, Column, Paragraph, Table
from rnnshape.layer.config import Kind, RNNConfig


def frameworks(inspection: Inspection) -> Iterator[Block]:
    """Biases, gate order and count in each framework, and how to make them equal."""
    config = inspection.subject.config
    rows = counterparts(inspection.subject)
    yield Table(
        columns=(
            Column(key="framework", title="framework", headed=False),
            Column(key="layer", title="layer"),
            Column(key="biases", title="biases"),
            Column(key="gates", title="gates", rank=1),
            Column(key="parameters", title="parameters", numeric=True),
        ),
        rows=tuple(
            (row.framework, Code(row.layer), row.biases, row.gates, row.parameters) for row in rows
        ),
    )
    yield from (Paragraph((text,)) for text in _remarks(config))


def _remarks(config: RNNConfig) -> Iterator[str]:
    """How to make the layers equal, and which layers the counts are of."""
    if config.proj_size:
        yield "no other framework here has a projection"
        return
    match config.kind:
        case Kind.LSTM:
            yield from _lstm(bias=config.bias)
        case Kind.GRU:
            yield from _gru(bias=config.bias)
        case Kind.RNN:
            yield from _rnn(bias=config.bias, relu=config.nonlinearity == "relu")
    if config.num_layers > 1 or config.bidirectional:
        yield (
            "the counts are of the whole stack: Keras and Flax build it layer by layer and"
            " direction by direction; an ONNX node is one layer with both directions"
        )


def _lstm(*, bias: bool) -> Iterator[str]:
    if bias:
        yield "to Keras or Flax: transpose each weight, add the two biases"
        yield "from Keras: unit_forget_bias=True starts b_f at 1; PyTorch does not"
        yield "to ONNX: reorder the rows to i o f g, concatenate the two biases"
    else:
        yield "to Keras: use_bias=False, transpose each weight"
        yield "to ONNX: reorder the rows to i o f g"
        yield _NO_FLAX


def _gru(*, bias: bool) -> Iterator[str]:
    if bias:
        yield (
            "to Keras: reset_after=True (its default) is PyTorch's cell; transpose each weight,"
            " reorder to z r n, stack the biases as (2, 3*H): b_ih, then b_hh"
        )
        yield "to linen.GRUCell: add b_ir + b_hr and b_iz + b_hz, keep b_in and b_hn"
        yield "nnx.GRUCell is the same with b_hn = 0, which a trained layer does not have"
        yield "to ONNX: linear_before_reset=1, reorder the rows to z r n, concatenate the biases"
    else:
        yield (
            "to Keras: use_bias=False, reset_after=True (its default); transpose each weight,"
            " reorder to z r n"
        )
        yield "to ONNX: linear_before_reset=1, reorder the rows to z r n"
        yield _NO_FLAX
    yield "reset_after=False is the paper's cell, which computes something else"


def _rnn(*, bias: bool, relu: bool) -> Iterator[str]:
    keras = " with activation='relu'" if relu else ""
    flax = " with activation_fn=nn.relu" if relu else ""
    onnx = " with activations=['Relu']" if relu else ""
    if bias:
        yield f"to Keras{keras} or Flax{flax}: transpose each weight, add the two biases"
        yield f"to ONNX{onnx}: concatenate the two biases"
    else:
        yield f"to Keras{keras}: use_bias=False, transpose each weight"
        if relu:
            yield f"to ONNX{onnx}: the weights as they are"
        yield _NO_FLAX


_NO_FLAX: Final = "Flax's cells always have biases"
