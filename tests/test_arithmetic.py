"""The sums shown under `arithmetic` are sums, and their results are the totals."""

from __future__ import annotations

import ast

import pytest

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Listing, plain
from rnnshape.document.report import report_document
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.input import InputSpec
from rnnshape.layer.report import LayerReport, predicted_report
from tests.subjects import subject

CASES = {
    "one-layer": (RNNConfig(kind=Kind.GRU), InputSpec()),
    "stack": (RNNConfig(kind=Kind.LSTM, num_layers=4, bidirectional=True), InputSpec()),
    "projection": (RNNConfig(kind=Kind.LSTM, num_layers=2, proj_size=10), InputSpec(batch_size=3)),
    "cell": (RNNConfig(kind=Kind.RNN, cell=True), InputSpec()),
    "unbatched": (RNNConfig(kind=Kind.GRU, num_layers=2), InputSpec(batched=False)),
    "packed": (
        RNNConfig(kind=Kind.LSTM, num_layers=2, bidirectional=True),
        InputSpec(batch_size=3, seq_len=9, lengths=(7, 3, 2)),
    ),
}


@pytest.mark.parametrize(("config", "spec"), CASES.values(), ids=CASES)
def test_every_line_is_true_and_the_last_ones_are_the_totals(
    config: RNNConfig, spec: InputSpec
) -> None:
    report = predicted_report(subject(config, spec))
    totals = []
    for listing in _listings(report):
        terms = [plain(text).replace(",", "").split(" = ") for _, text in listing.items]
        for written, result in terms:
            assert _value(ast.parse(written, mode="eval").body) == int(result)
        if len(terms) > 1:
            assert sum(int(result) for _, result in terms[:-1]) == int(terms[-1][1])
        totals.append(int(terms[-1][1]))
    assert totals == [report.parameters, report.macs]


def _listings(report: LayerReport) -> list[Listing]:
    (section,) = report_document(Inspection(report=report), show={"arithmetic"}).sections
    return [block for block in section.blocks if isinstance(block, Listing)]


def _value(node: ast.expr) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _value(left) + _value(right)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _value(left) - _value(right)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _value(left) * _value(right)
        case _:
            raise AssertionError(ast.unparse(node))
