"""The same nominal layer in PyTorch, Keras, Flax and ONNX, and how to make them equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rnnshape.analysis.frameworks import counterparts
from rnnshape.document.model import Block, Code, Column, Paragraph, Table
from rnnshape.layer.config import Kind
from rnnshape.layer.report import Report

_TO_MAKE_EQUAL: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.LSTM: (
        "to Keras or Flax: transpose each weight, add the two biases",
        "from Keras: unit_forget_bias=True starts b_f at 1, PyTorch's does not",
        "to ONNX: reorder the rows to i o f g, concatenate the two biases",
    ),
    Kind.GRU: (
        "to Keras: reset_after=True (its default) is PyTorch's cell; z goes before r",
        "reset_after=False is the paper's cell: no weights make it PyTorch's",
        "to linen.GRUCell: add b_ir + b_hr and b_iz + b_hz, keep b_in and b_hn",
        "nnx.GRUCell is the same with b_hn = 0, which a trained layer does not have",
        "to ONNX: linear_before_reset=1, reorder the rows to z r n",
    ),
    Kind.RNN: (
        "to Keras or Flax: transpose each weight, add the two biases",
        "to ONNX: concatenate the two biases",
    ),
}
_WITHOUT_BIASES: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.LSTM: (
        "to Keras (use_bias=False) or Flax: transpose each weight",
        "to ONNX: reorder the rows to i o f g",
    ),
    Kind.GRU: (
        "to Keras: use_bias=False, reset_after=True (its default); z goes before r",
        "reset_after=False is the paper's cell: no weights make it PyTorch's",
        "to ONNX: linear_before_reset=1, reorder the rows to z r n",
    ),
    Kind.RNN: ("to Keras (use_bias=False) or Flax: transpose each weight",),
}


def frameworks(report: Report) -> Iterator[Block]:
    """Biases, gate order and count in each framework."""
    rows = counterparts(report.config)
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
    if report.config.proj_size:
        yield Paragraph(("no other framework here has a projection",))
        return
    to_make_equal = _TO_MAKE_EQUAL if report.config.bias else _WITHOUT_BIASES
    for text in to_make_equal[report.config.kind]:
        yield Paragraph((text,))
    if report.config.num_layers > 1 or report.config.bidirectional:
        yield Paragraph(("the others stack such layers one by one; counted is the whole stack",))
