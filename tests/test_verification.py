"""Whatever the formulas or PyTorch get wrong is caught and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from rnnshape import InputSpec, Kind, RNNConfig, inspect
from rnnshape.layer import formulas
from rnnshape.layer.facts import Claim, Dims, Facts, Part, Tensor, Weight
from rnnshape.layer.prediction import predict
from rnnshape.layer.report import LayerReport, predicted_report
from rnnshape.layer.run import Mismatch, Run
from rnnshape.layer.subject import Subject
from rnnshape.layer.verification import verify
from rnnshape.pytorch.forward import measure
from rnnshape.pytorch.run import with_run
from tests.subjects import subject

_CONFIG = RNNConfig(
    kind=Kind.LSTM, input_size=3, hidden_size=4, num_layers=2, bidirectional=True, proj_size=2
)
_SPEC = InputSpec(batch_size=5, seq_len=6)
_SUBJECT = subject(_CONFIG, _SPEC)
_PARAMETERS = 512  # added up below


def _predicted() -> Facts:
    return predict(_SUBJECT)


def _measured() -> Facts:
    return measure(_SUBJECT, _predicted().claims)


def _with_tensor(facts: Facts, name: str, shape: Dims) -> Facts:
    changed = Tensor(name=name, shape=shape, axes=())
    return replace(facts, tensors={**facts.tensors, name: changed})


def _without_tensor(facts: Facts, name: str) -> Facts:
    return replace(facts, tensors={n: t for n, t in facts.tensors.items() if n != name})


def _with_weight(facts: Facts, name: str, weight: Weight | None) -> Facts:
    """The facts with the weight `name` replaced, or left out."""
    changed = [weight if own.name == name else own for own in facts.weights]
    return replace(facts, weights=tuple(own for own in changed if own is not None))


_WRONG: list[tuple[str, Callable[[Facts], Facts], list[tuple[str, Any, Any]]]] = [
    (
        "shape of output",
        lambda facts: _with_tensor(facts, "output", (6, 5, 8)),
        [("output", (6, 5, 8), (6, 5, 4))],
    ),
    (
        "number of axes of h_n",
        lambda facts: _with_tensor(facts, "h_n", (4, 2)),
        [("h_n", (4, 2), (4, 5, 2))],
    ),
    (
        "shape of input",
        lambda facts: _with_tensor(facts, "input", (5, 6, 3)),
        [("input", (5, 6, 3), (6, 5, 3))],
    ),
    (
        "missing c_n",
        lambda facts: _without_tensor(facts, "c_n"),
        [("c_n", None, (4, 5, 4))],
    ),
    (
        "tensor that is not there",
        lambda facts: _with_tensor(facts, "attention", (6, 6)),
        [("attention", (6, 6), None)],
    ),
    (
        "shape of a weight",
        lambda facts: _with_weight(
            facts, "weight_hh_l1", Weight(name="weight_hh_l1", shape=(16, 4))
        ),
        [("weight_hh_l1", (16, 4), (16, 2))],
    ),
    (
        "name of a weight",
        lambda facts: _with_weight(
            facts, "bias_ih_l0_reverse", Weight(name="bias_ih_reverse_l0", shape=(16,))
        ),
        [("bias_ih_reverse_l0", (16,), None), ("bias_ih_l0_reverse", None, (16,))],
    ),
    (
        "missing weight",
        lambda facts: _with_weight(facts, "weight_hr_l1_reverse", None),
        [("weight_hr_l1_reverse", None, (2, 4)), ("weights", 19, 20)],
    ),
    (
        "total",
        lambda facts: replace(
            facts, counts={**facts.counts, "parameters": facts.counts["parameters"] + 1}
        ),
        [("parameters", _PARAMETERS + 1, _PARAMETERS)],
    ),
]
_WRONG_CASES = [pytest.param(spoil, seen, id=label) for label, spoil, seen in _WRONG]


def test_the_layer_of_these_tests_has_the_parameters_counted_by_hand() -> None:
    layer_0 = 16 * 3 + 16 * 2 + 16 + 16 + 2 * 4
    layer_1 = 16 * 4 + 16 * 2 + 16 + 16 + 2 * 4
    assert _measured().counts["parameters"] == 2 * (layer_0 + layer_1) == _PARAMETERS


def test_a_right_prediction_has_no_mismatch() -> None:
    assert verify(_predicted(), _measured()) == ()


@pytest.mark.parametrize(("spoil", "seen"), _WRONG_CASES)
def test_what_is_predicted_wrong_is_named_with_both_values(
    spoil: Callable[[Facts], Facts], seen: list[tuple[str, Any, Any]]
) -> None:
    assert [
        (mismatch.what, mismatch.predicted, mismatch.measured)
        for mismatch in verify(spoil(_predicted()), _measured())
    ] == seen


@pytest.mark.parametrize(("spoil", "seen"), _WRONG_CASES)
def test_what_pytorch_does_otherwise_is_named_with_both_values(
    spoil: Callable[[Facts], Facts], seen: list[tuple[str, Any, Any]]
) -> None:
    found = verify(_predicted(), spoil(_measured()))
    assert {(mismatch.what, mismatch.measured, mismatch.predicted) for mismatch in found} == set(
        seen
    )


@pytest.mark.parametrize(("spoil", "seen"), _WRONG_CASES)
def test_a_report_with_a_wrong_prediction_does_not_agree(
    spoil: Callable[[Facts], Facts], seen: list[tuple[str, Any, Any]]
) -> None:
    report = predicted_report(_SUBJECT)
    vars(report)["predicted"] = spoil(report.predicted)
    run = _run(with_run(report))
    assert not run.agrees
    assert [(m.what, m.predicted, m.measured) for m in run.mismatches] == seen


def _run(report: LayerReport) -> Run:
    assert report.run is not None
    return report.run


@pytest.mark.parametrize("with_state", [False, True], ids=["alone", "compared without states"])
def test_a_wrong_initial_state_is_caught(with_state: bool) -> None:
    given = subject(_CONFIG, replace(_SPEC, with_state=with_state))
    wrong = _with_tensor(predict(given), "h_0", (2, 5, 2))
    assert verify(wrong, measure(given, ())) == (
        Mismatch(what="h_0", predicted=(2, 5, 2), measured=(4, 5, 2)),
    )


def test_a_wrong_formula_is_caught_by_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kind, "gates", property(lambda _kind: 4))
    run = _run(inspect(RNNConfig(kind=Kind.GRU, input_size=3, hidden_size=2), _SPEC))
    assert [(m.what, m.predicted, m.measured) for m in run.mismatches] == [
        ("weight_ih_l0", (8, 3), (6, 3)),
        ("weight_hh_l0", (8, 2), (6, 2)),
        ("bias_ih_l0", (8,), (6,)),
        ("bias_hh_l0", (8,), (6,)),
        ("parameters", 56, 42),
    ]


def test_a_wrong_layout_is_caught_by_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def batch_first_states(*arguments: Any) -> dict[str, Tensor]:
        tensors = formulas.layout(*arguments)
        layers, batch, feature = tensors["h_n"].shape
        return {**tensors, "h_n": replace(tensors["h_n"], shape=(batch, layers, feature))}

    monkeypatch.setattr("rnnshape.layer.prediction.layout", batch_first_states)
    run = _run(inspect(replace(_CONFIG, bidirectional=False), _SPEC))
    assert run.mismatches == (Mismatch(what="h_n", predicted=(5, 2, 2), measured=(2, 5, 2)),)


class _SwappedDirections(torch.nn.LSTM):
    """A PyTorch whose h_n has the reverse direction first."""

    def forward(self, *arguments: Any) -> Any:
        output, (h_n, c_n) = super().forward(*arguments)
        return output, (h_n.view(-1, 2, *h_n.shape[1:]).flip(1).view(h_n.shape), c_n)


class _OneMoreWeight(torch.nn.LSTM):
    """A PyTorch whose LSTM has a scale."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.scale = torch.nn.Parameter(torch.ones(3))


class _BatchFirstStates(torch.nn.LSTM):
    """A PyTorch whose states follow batch_first."""

    def forward(self, *arguments: Any) -> Any:
        output, (h_n, c_n) = super().forward(*arguments)
        return output, (h_n.transpose(0, 1), c_n)


class _RandomStates(torch.nn.LSTM):
    """A PyTorch whose omitted states are not zeros."""

    def forward(self, given: Any, states: Any = None) -> Any:
        if states is None:
            ones = torch.ones(4, given.shape[1], 2), torch.ones(4, given.shape[1], 4)
        return super().forward(given, states or ones)


@pytest.mark.parametrize(
    ("other_pytorch", "mismatches"),
    [
        pytest.param(
            _SwappedDirections,
            [
                ("output[-1, :, :2] == h_n[-2]", True, False),
                ("output[0, :, 2:] == h_n[-1]", True, False),
            ],
            id="directions of h_n swapped",
        ),
        pytest.param(
            _OneMoreWeight,
            [
                ("scale", None, (3,)),
                ("weights", 20, 21),
                ("parameters", _PARAMETERS, _PARAMETERS + 3),
            ],
            id="one weight more",
        ),
        pytest.param(
            _BatchFirstStates,
            [
                ("h_0", (4, 5, 2), (5, 4, 2)),  # it would be the next call's
                ("h_n", (4, 5, 2), (5, 4, 2)),
                ("output[-1, :, :2] == h_n[-2]", True, False),
                ("output[0, :, 2:] == h_n[-1]", True, False),
                ("h_n.view(2, 2, 5, 2)[-1, 0] == h_n[-2]", True, False),
                ("h_n.view(2, 2, 5, 2).sum(1).shape == (2, 5, 2)", True, False),
                ("torch.cat([h_n[0::2], h_n[1::2]], -1).shape == (2, 5, 4)", True, False),
                ("h_n.transpose(0, 1).reshape(5, -1)[0] == h_n[:, 0].flatten()", True, False),
                ("h_n.view(5, -1)[0] != h_n[:, 0].flatten()", True, False),
            ],
            id="states that follow batch_first",
        ),
        pytest.param(
            _RandomStates,
            [
                ("output == layer(input)[0]", True, False),
                ("h_n == layer(input)[1][0]", True, False),
                ("c_n == layer(input)[1][1]", True, False),
            ],
            id="omitted states that are not zeros",
        ),
    ],
)
def test_a_pytorch_that_does_otherwise_is_caught(
    other_pytorch: type[torch.nn.LSTM],
    mismatches: list[tuple[str, Any, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.nn, "LSTM", other_pytorch)
    run = _run(inspect(_CONFIG, replace(_SPEC, with_state=True)))
    assert not run.agrees
    assert [(m.what, m.predicted, m.measured) for m in run.mismatches] == mismatches


class _Zeros(torch.nn.LSTM):
    """A PyTorch whose results are zeros, as relu may give them: a state equals any other."""

    def forward(self, *arguments: Any) -> Any:
        output, states = super().forward(*arguments)
        return output * 0, tuple(state * 0 for state in states)


def test_zeros_prove_no_equality(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn, "LSTM", _Zeros)
    run = _run(inspect(_CONFIG, _SPEC))
    assert run.agrees
    assert {c.holds for c in run.claims if not isinstance(c.right, tuple)} == {None}
    assert {c.holds for c in run.claims if isinstance(c.right, tuple)} == {True}


def _claim(left: Part, right: Part) -> Claim:
    return Claim(code="last-layer", left=left, right=right)


_EACH = slice(None)
_OUTPUT_LAST = Part(tensor="output", index=(-1,))
_FORWARD_LAST = Part(tensor="output", index=(-1, _EACH, slice(None, 2)))
_REVERSE_LAST = Part(tensor="output", index=(-1, _EACH, slice(2, None)))
_REVERSE_FIRST = Part(tensor="output", index=(0, _EACH, slice(2, None)))


def _h_n(*index: int) -> Part:
    return Part(tensor="h_n", index=index)


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        pytest.param(
            _claim(_FORWARD_LAST, _h_n(-1)),
            "output[-1, :, :2] == h_n[-1]",
            id="the forward end is the last of h_n",
        ),
        pytest.param(
            _claim(_REVERSE_LAST, _h_n(-1)),
            "output[-1, :, 2:] == h_n[-1]",
            id="the reverse direction ends at the last step",
        ),
        pytest.param(
            _claim(_FORWARD_LAST, _h_n(0)),
            "output[-1, :, :2] == h_n[0]",
            id="the first layer is in output",
        ),
        pytest.param(
            _claim(Part(tensor="output", index=(0, _EACH, slice(None, 2))), _h_n(-2)),
            "output[0, :, :2] == h_n[-2]",
            id="the forward direction ends at the first step",
        ),
        pytest.param(
            _claim(_h_n(-2), Part(tensor="c_n", index=(-2, _EACH, slice(None, 2)))),
            "h_n[-2] == c_n[-2, :, :2]",
            id="h is a part of c",
        ),
        pytest.param(
            _claim(_OUTPUT_LAST, _h_n(-1)), "output[-1] == h_n[-1]", id="parts of two widths"
        ),
        pytest.param(
            _claim(_FORWARD_LAST, _h_n(4)),
            "output[-1, :, :2] == h_n[4]",
            id="an index that does not exist",
        ),
        pytest.param(
            _claim(_FORWARD_LAST, _h_n(-2, 0, 0, 0)),
            "output[-1, :, :2] == h_n[-2, 0, 0, 0]",
            id="an axis that does not exist",
        ),
        pytest.param(
            _claim(Part(tensor="h_n", view=(3, 2, 5, 2), index=(-1, 0)), _h_n(-2)),
            "h_n.view(3, 2, 5, 2)[-1, 0] == h_n[-2]",
            id="a view that does not exist",
        ),
        pytest.param(
            _claim(Part(tensor="h_n", index=(slice(9, None),)), _h_n(-2)),
            "h_n[9:] == h_n[-2]",
            id="nothing is something",
        ),
    ],
)
def test_a_false_claim_is_judged_false_and_named(claim: Claim, text: str) -> None:
    report = predicted_report(_SUBJECT)
    claims = (*report.predicted.claims, claim)
    vars(report)["predicted"] = replace(report.predicted, claims=claims)
    run = _run(with_run(report))
    assert [judged.holds for judged in run.claims[:-1]] == [True] * (len(claims) - 1)
    assert run.claims[-1].holds is False
    assert run.mismatches == (Mismatch(what=text, predicted=True, measured=False),)


def test_the_last_output_is_not_the_last_two_states_side_by_side() -> None:
    """The halves of `output[-1] == cat(h_n[-2:], -1)`: the first holds, the second does not."""
    claims = (_claim(_FORWARD_LAST, _h_n(-2)), _claim(_REVERSE_LAST, _h_n(-1)))
    judged = measure(_SUBJECT, claims).claims
    assert [claim.holds for claim in judged] == [True, False]
    one_step = measure(subject(_CONFIG, replace(_SPEC, seq_len=1)), claims).claims
    assert [claim.holds for claim in one_step] == [True, True]


@pytest.mark.parametrize(
    "empty",
    [
        pytest.param(subject(_CONFIG, replace(_SPEC, batch_size=0)), id="empty tensors"),
        pytest.param(
            subject(_CONFIG, replace(_SPEC, seq_len=2), device="meta"), id="the meta device"
        ),
    ],
)
def test_without_values_neither_a_true_nor_a_false_claim_is_judged(
    empty: Subject,
) -> None:
    claims = (_claim(_REVERSE_FIRST, _h_n(-1)), _claim(_REVERSE_LAST, _h_n(-1)))
    facts = measure(empty, claims)
    assert [claim.holds for claim in facts.claims] == [None, None]
    assert verify(replace(predict(empty), claims=claims), facts) == ()


def test_a_slice_that_does_not_exist_is_false_without_values_too() -> None:
    claims = (_claim(_FORWARD_LAST, _h_n(4)),)
    facts = measure(subject(_CONFIG, replace(_SPEC, seq_len=2), device="meta"), claims)
    assert [claim.holds for claim in facts.claims] == [False]
