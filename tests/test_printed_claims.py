"""Each relation, as it is printed, is evaluated as Python with a real layer, and holds.

Nothing of rnnshape's own run is used: the layer is built as its constructor is printed, called as
a user calls it, and the tensors have the names of the table.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest
import torch
from hypothesis import given
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnshape import InputSpec, Kind, Report, RNNConfig, inspect
from rnnshape.analysis.inspection import Inspection
from rnnshape.document.report import report_document
from rnnshape.layer.facts import Claim
from rnnshape.render import Format, render
from tests.strategies import cells, configs, examples, inputs, packed_inputs

# A stack of these gives zeros, or numbers that no longer differ: then `!=` may not hold.
_LIVELY = configs().filter(lambda config: config.nonlinearity != "relu" and config.bias)


@examples(150)
@given(_LIVELY, inputs(batches=3).filter(lambda spec: spec.batch_size > 0) | packed_inputs())
def test_every_printed_relation_holds(config: RNNConfig, input_spec: InputSpec) -> None:
    _require_true(inspect(config, input_spec, run=False))


@examples(60)
@given(cells(), inputs(batches=3).filter(lambda spec: spec.batch_size > 0))
def test_every_printed_relation_of_a_cell_holds(config: RNNConfig, input_spec: InputSpec) -> None:
    _require_true(inspect(config, input_spec, run=False))


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
@pytest.mark.parametrize("dropout", [0.0, 0.5], ids=["no dropout", "dropout"])
@pytest.mark.parametrize("lengths", [None, (2, 7, 3)], ids=["padded", "packed"])
def test_a_call_without_states_is_compared_in_the_mode_that_is_printed(
    kind: Kind, dropout: float, lengths: tuple[int, ...] | None
) -> None:
    config = RNNConfig(kind=kind, num_layers=2, dropout=dropout)
    spec = InputSpec(batch_size=3, seq_len=7, lengths=lengths, with_state=True)
    report = inspect(config, spec, run=False)
    text = str(report)
    assert ("in eval()" in text) is bool(dropout)
    assert ("pack_padded_sequence(input, lengths, enforce_sorted=False)" in text) is bool(lengths)
    assert "h_n == layer(" in text
    assert ("output == layer(" in text) is (lengths is None)
    _require_true(report)


def _require_true(report: Report) -> None:
    """Evaluate each relation, and find it printed word by word unless it is one of many rows.

    The default report has some of them, the section that is asked for by name all.
    """
    text = _in_detail(report)
    names = _names(report, training="in eval()" not in text)
    for claim in report.claims:
        assert _holds(claim, names), str(claim)
        if claim.code == "view":
            assert f"{claim.left_text.partition('[')[0]}[layer, dir]" in text
        elif claim.row is None or claim.row < 6:
            assert str(claim) in text
            assert (str(claim) in str(report)) is (claim.code not in _IN_DETAIL)
    shown = re.findall(r"^(\S.*? [=!]= .*?)(?: {3}.*)?$", _states(str(report)), re.MULTILINE)
    assert {*shown} <= {str(claim) for claim in report.claims}


# How to index h_n and what a decoder takes.
_IN_DETAIL = {"not-the-forwards", "sequence-row", "mixed-row", "decoder-sum", "decoder-cat"}


def _in_detail(report: Report) -> str:
    show = {"states"}
    inspection = Inspection(report=report)
    return render(report_document(inspection, show=show, detailed=show), Format.TABLE)


def _states(text: str) -> str:
    """The section of a report."""
    return next(part for part in text.split("\n\n") if part.startswith("states\n"))


def _holds(claim: Claim, names: dict[str, Any]) -> bool:
    """The text as Python reads it, with each element of a tensor compared."""
    left, right = (
        eval(text, dict(names))  # noqa: S307 - the text is under test
        for text in str(claim).split(f" {claim.relation} ")
    )
    equal = torch.equal(left, right) if isinstance(left, torch.Tensor) else left == right
    return bool(equal) is (claim.relation == "==")


def _names(report: Report, *, training: bool) -> dict[str, Any]:
    """The tensors that the table names, the layer, and its packed input if it has one."""
    config, spec = report.config, report.input_spec
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dropout of one layer, a projection
        layer = eval(config.constructor, {"nn": nn}).double()  # noqa: S307
        layer.train(training)
        given_input = torch.randn(report.input.shape, dtype=torch.float64)
        names: dict[str, Any] = {"torch": torch, "input": given_input}
        if spec.lengths is not None and not config.cell:
            names["packed"] = _packed(str(report), given_input, spec.lengths)
        with torch.no_grad():
            zeros = [
                torch.zeros(shape, dtype=torch.float64)
                for shape in (report.h_0.shape, *([report.c_0.shape] if _has_c(config) else []))
            ]
            read = names.get("packed", given_input)
            returned = layer(read, tuple(zeros) if len(zeros) > 1 else zeros[0])
    time = "1" if config.cell else "n"
    states = returned if config.cell else returned[1]
    finals = states if isinstance(states, tuple) else (states,)
    names |= dict(zip((f"h_{time}", f"c_{time}"), finals, strict=False))
    if not config.cell:
        packed = spec.lengths is not None
        output = returned[0]
        names["output"] = pad_packed_sequence(output, config.batch_first)[0] if packed else output
    return names | {"cell" if config.cell else "layer": layer}


def _packed(text: str, padded: torch.Tensor, lengths: tuple[int, ...]) -> Any:
    """The packed input as the text says, or as its own words would have it where it says nothing.

    Only relations with `packed` in them need to say what it is.
    """
    scope = {"input": padded, "lengths": torch.tensor(lengths)}
    printed = re.search(r"packed is (pack_padded_sequence\([^)]*\))", text.replace("\n", " "))
    if printed:
        return eval(printed[1], {**scope, "pack_padded_sequence": pack_padded_sequence})  # noqa: S307
    assert "packed" not in text.replace("pad_packed_sequence", "")
    return pack_padded_sequence(
        padded, scope["lengths"], batch_first="batch_first=True" in text, enforce_sorted=False
    )


def _has_c(config: RNNConfig) -> bool:
    return config.kind is Kind.LSTM
