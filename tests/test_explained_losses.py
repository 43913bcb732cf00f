"""Explanations of losses: rows, axes, dtypes and values of outputs and targets."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import rnnshape
from tests.provoked import explained, explained_text, run, said, whys

BATCH = "ValueError: Expected input batch_size ({}) to match target batch_size ({})."


@pytest.mark.parametrize(
    ("mistake", "entry"), [("loss_bs", "loss-batch"), ("bce_size", "loss-shape")]
)
def test_every_version_says_it_in_words_that_are_known(mistake: str, entry: str) -> None:
    for text in said(mistake):
        assert explained_text(text).mistake == entry, text


@pytest.mark.parametrize(
    ("rows", "targets", "reason"),
    [
        (640, 64, "640 = 64 sequences x 10 steps"),
        (64, 640, "640 = 64 x 10"),
        (35, 20, "batch and sequence are swapped"),
        (128, 64, "2 layers and directions"),
    ],
)
def test_how_rows_and_targets_are_related_decides(rows: int, targets: int, reason: str) -> None:
    explanation = explained_text(BATCH.format(rows, targets))
    assert reason in whys(explanation)[0]
    assert len(explanation.causes) <= 4


def test_the_lines_for_scores_of_every_step_give_one_loss() -> None:
    """Both lines: with the classes second, and flattened."""
    scores, target = torch.randn(4, 5, 7), torch.randint(7, (4, 5))
    names = {"scores": scores, "target": target, "criterion": nn.CrossEntropyLoss()}
    explanation = explained("criterion(scores, target)", **names)
    assert explanation.mistake == "loss-axes"
    first, second = (run(line, **names)["loss"] for line in explanation.causes[0].fix.splitlines())
    assert torch.isclose(first, second)


def test_scores_that_are_sequence_first_are_permuted() -> None:
    scores, target = torch.randn(5, 4, 7), torch.randint(7, (4, 5))
    names = {"scores": scores, "target": target, "criterion": nn.CrossEntropyLoss()}
    text = "RuntimeError: Expected target size [5, 7], got [4, 5]"
    loss = run(explained_text(text).causes[0].fix, **names)["loss"]
    steps = [nn.CrossEntropyLoss()(scores[step], target[:, step]) for step in range(5)]
    assert torch.isclose(loss, torch.stack(steps).mean())


def test_one_target_for_each_sequence_takes_the_last_step() -> None:
    scores, target = torch.randn(4, 5, 7), torch.randint(7, (4,))
    names = {"scores": scores, "target": target, "criterion": nn.CrossEntropyLoss()}
    explanation = explained("criterion(scores, target)", **names)
    assert run(explanation.causes[0].fix, **names)["loss"].dim() == 0


def test_one_hot_targets_become_indices() -> None:
    """A real text: scores (16, 9 classes, 180 steps), and the targets alike."""
    text = "ValueError: Expected target size (16, 180), got torch.Size([16, 9, 180])"
    fix = explained_text(text).causes[0].fix
    scores = torch.randn(16, 9, 180)
    target = nn.functional.one_hot(torch.randint(9, (16, 180)), 9).transpose(1, 2)
    assert (
        run(fix, scores=scores, target=target, criterion=nn.CrossEntropyLoss())["loss"].dim() == 0
    )


def test_a_last_size_of_one_is_squeezed() -> None:
    names = {"output": torch.rand(5, 1), "target": torch.rand(5), "criterion": nn.BCELoss()}
    explanation = explained("criterion(output, target)", **names)
    (cause,) = explanation.causes
    assert run(cause.fix, **names)["loss"].dim() == 0


def test_a_squeezed_batch_of_one_is_told_from_a_missing_one() -> None:
    text = (
        "UserWarning: Using a target size (torch.Size([1])) that is different to the input size"
        " (torch.Size([])). This will likely lead to incorrect results due to broadcasting."
    )
    (cause,) = explained_text(text).causes
    assert "batch of 1" in cause.why


def test_a_target_past_the_classes_bounds_their_number() -> None:
    explanation = explained("nn.CrossEntropyLoss()(z(4, 3), torch.tensor([0, 1, 2, 3]))")
    assert "Target 3" in explanation.meaning
    assert "C is no more than 3" in explanation.meaning
    assert "nn.Linear(hidden_size, 4)" in explanation.causes[0].fix
    negative = explained("nn.CrossEntropyLoss()(z(4, 3), torch.tensor([0, 1, 2, -1]))")
    assert "negative" in whys(negative)[0]


@pytest.mark.parametrize(
    "text",
    [
        (
            "RuntimeError: Expected object of scalar type Long but got scalar type Float for"
            " argument #2 'target' in call to _thnn_nll_loss_forward"
        ),
        (
            "RuntimeError: Expected object of type torch.LongTensor but found type"
            " torch.FloatTensor for argument #2 'target'"
        ),
        "    loss = criterion(out, y)\nRuntimeError: expected scalar type Long but found Float",
        (
            'RuntimeError: "nll_loss_forward_reduce_cuda_kernel_2d_index" not implemented for'
            " 'Float'"
        ),
        "RuntimeError: expected target dtype to be Long or Byte, but got Float",
    ],
)
def test_targets_that_are_no_indices_are_known_in_every_wording(text: str) -> None:
    explanation = explained_text(text)
    assert explanation.mistake == "target-not-long"
    assert "float32 (Float)" in explanation.meaning


def test_a_dtype_without_a_loss_is_not_the_targets() -> None:
    text = "output = _VF.lstm(x)\nRuntimeError: expected scalar type Long but found Float"
    explanation = rnnshape.explain(text)
    assert explanation is None or explanation.mistake != "target-not-long"


def test_the_order_of_words_names_no_tensor() -> None:
    """PyTorch turned the two dtypes round between versions."""
    one = explained_text("RuntimeError: Found dtype Double but expected Float")
    other = explained_text("RuntimeError: expected dtype Float but got dtype Double")
    assert one.mistake == other.mistake == "target-not-float"
    assert "float64 (Double) and float32 (Float)" in one.meaning
    assert one.causes == other.causes


def test_ctc_gets_the_steps_first() -> None:
    output, batch = nn.GRU(3, 5, batch_first=True)(torch.zeros(2, 50, 3))[0], 2
    names = {"output": output, "batch": batch, "target": torch.ones(2, 10).long()}
    names["target_lengths"] = torch.tensor([10, 10])
    explanation = explained(
        "nn.CTCLoss()(output, target, torch.tensor([50, 50]), target_lengths)", **names
    )
    assert explanation.mistake == "ctc-lengths"
    assert run(explanation.causes[0].fix, **names)["loss"].isfinite()


@pytest.mark.parametrize(
    "text",
    [
        "ValueError: Classification metrics can't handle a mix of binary and continuous targets",
        "ValueError: multiclass-multioutput is not supported",
        "ValueError: Shapes (None, 1) and (None, 10) are incompatible",
        "ValueError: logits and labels must have the same shape ((None, 1) vs (None,))",
    ],
)
def test_losses_of_other_libraries_are_left_alone(text: str) -> None:
    assert rnnshape.explain(text) is None
