"""Explanations of Embeddings: dtype, range, and asserts on a GPU."""

from __future__ import annotations

import pytest
import torch

import rnnshape
from tests.provoked import explained, explained_text, run, said, whys


def test_every_version_says_it_in_words_that_are_known() -> None:
    for text in said("embedding"):
        explanation = explained_text(text)
        assert explanation.mistake == "embedding-float", text
        assert ".long()" in explanation.causes[0].fix


@pytest.mark.parametrize(
    "text",
    [
        "IndexError: index out of range in self",
        (
            "RuntimeError: index out of range: Tried to access index 9 out of table with 8 rows. at"
            " /pytorch/aten/src/TH/generic/THTensorEvenMoreMath.cpp:418"
        ),
        (
            "RuntimeError: index out of range at"
            " /pytorch/aten/src/TH/generic/THTensorEvenMoreMath.cpp:191"
        ),
        (
            "Indexing.cu:699: indexSelectLargeIndex: block: [174,0,0] Assertion `srcIndex <"
            " srcSelectDimSize` failed."
        ),
    ],
)
def test_a_missing_row_is_known_in_every_wording(text: str) -> None:
    explanation = explained_text(text)
    assert explanation.mistake == "embedding-range"
    assert "vocabulary" in whys(explanation)[0]


def test_the_numbers_of_a_missing_row_are_named() -> None:
    text = "RuntimeError: index out of range: Tried to access index 9 out of table with 8 rows."
    assert "index 9" in explained_text(text).meaning
    assert "last index is 8" in explained_text(text).meaning


ASSERT = "RuntimeError: CUDA error: device-side assert triggered"


def test_an_assert_that_the_text_has_proves_the_cause() -> None:
    rows = explained_text(f"Assertion `srcIndex < srcSelectDimSize` failed.\n{ASSERT}")
    assert ["Embedding" in why for why in whys(rows)] == [True]
    classes = explained_text(f"Assertion `t >= 0 && t < n_classes` failed.\n{ASSERT}")
    assert ["loss" in why for why in whys(classes)] == [True]
    assert len(explained_text(ASSERT).causes) == 3


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        ("[1, 2]", "torch.as_tensor"),
        ("nn.utils.rnn.pack_sequence([z(3).long()])", "embedding(x)"),
        ("(z(3).long(),)", "words, lengths"),
        ("None", "return"),
    ],
)
def test_what_was_given_decides_the_fix(given: str, fix: str) -> None:
    explanation = explained(f"nn.Embedding(9, 3)({given})")
    assert explanation.mistake == "embedding-no-tensor"
    assert fix in explanation.causes[0].fix


def test_one_hot_vectors_are_floats_afterwards() -> None:
    x = torch.tensor([0.0, 2.0])
    explanation = explained("nn.functional.one_hot(x)", x=x)
    result = run(explanation.causes[0].fix, x=x, num_classes=3)["x"]
    assert result.tolist() == [[1, 0, 0], [0, 0, 1]]
    assert result.dtype == torch.float32


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'embedding'",
        (
            "tensorflow.python.framework.errors_impl.InvalidArgumentError: indices[0,0] = 9 is not"
            " in [0, 9)"
        ),
        "tensorflow/stream_executor/cuda: CUDA_ERROR_ASSERT: device-side assert triggered",
    ],
)
def test_indices_of_other_libraries_are_left_alone(text: str) -> None:
    assert rnnshape.explain(text) is None
