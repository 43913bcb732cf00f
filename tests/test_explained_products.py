"""Explanations of matrix products: which layer multiplied, and how the two sizes are related."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import rnnshape
from tests.provoked import explained, explained_text, run, said, whys

PRODUCT = "RuntimeError: mat1 and mat2 shapes cannot be multiplied ({} and {})"


@pytest.mark.parametrize(
    ("mistake", "entry"),
    [
        ("mat_linear_3d", "linear-product"),
        ("mat_linear_2d", "linear-product"),
        ("bmm_batch", "batch-product"),
        ("bmm_inner", "batch-product"),
    ],
)
def test_every_version_says_it_in_words_that_are_known(mistake: str, entry: str) -> None:
    for text in said(mistake):
        assert explained_text(text).mistake == entry, text


@pytest.mark.parametrize(
    "text",
    [
        "RuntimeError: a and b must have same reduction dim, but got [2, 8] X [4, 2].",
        "RuntimeError: linear(): input and weight.T shapes cannot be multiplied (2x8 and 4x2)",
        (
            "torch._dynamo.exc.TorchRuntimeError: RuntimeError when making fake tensor call\n"
            "  Explanation: got RuntimeError('a and b must have same reduction dim, but got [2, 8]"
            " X [4, 2].')"
        ),
    ],
)
def test_other_backends_say_it_in_other_words(text: str) -> None:
    explanation = explained_text(text)
    assert explanation.mistake == "linear-product"
    assert "2 directions x 4 = 8" in whys(explanation)[0]


def test_frames_tell_the_layer_from_a_linear_after_it() -> None:
    """The same text: 7 features where weights take 3, and 16 = 4 gates x 4 hidden."""
    packed = "nn.utils.rnn.pack_padded_sequence(z(5, 2, 7), [5, 4])"
    inside = explained(f"nn.LSTM(3, 4)({packed})")
    assert inside.mistake == "layer-product"
    assert "`hidden_size` is 4" in inside.meaning
    assert inside.causes[0].fix.startswith("nn.LSTM(7, 4)")
    after = explained("nn.Linear(3, 16)(z(9, 7))")
    assert after.mistake == "linear-product"
    assert after.meaning == "`nn.Linear(3, 16)` takes 3 features, but its input has 7."


def test_the_gates_of_the_kind_give_the_hidden_size() -> None:
    frame = 'File "/torch/nn/modules/rnn.py", line 9, in forward\n  result = _VF.gru(input, hx)\n'
    explanation = explained_text(frame + PRODUCT.format("9x7", "3x12"))
    assert "`hidden_size` is 4" in explanation.meaning  # 12 = 3 gates x 4


def test_a_file_named_rnn_is_no_kind() -> None:
    """The frames of torch 0.3, where a cell of another kind is written in rnn.py."""
    frames = (
        'File "/torch/nn/_functions/rnn.py", line 30, in LSTMCell\n'
        "  gates = F.linear(input, w_ih, b_ih) + F.linear(hx, w_hh, b_hh)\n"
        'File "/torch/nn/functional.py", line 837, in linear\n'
        "  output = input.matmul(weight.t())\n"
    )
    text = "RuntimeError: size mismatch, m1: [32 x 200], m2: [100 x 400] at /pytorch/TH.c:1434"
    explanation = explained_text(frames + text)
    assert explanation.mistake == "layer-product"
    assert explanation.causes[0].fix.startswith("nn.LSTM(200, 100)")


@pytest.mark.parametrize(
    ("left", "right", "reason", "fix"),
    [
        ("10x8", "4x2", "2 directions x 4 = 8", "nn.Linear(8, 2)"),
        ("10x4", "8x2", "2 x 4 = 8", "bidirectional=True"),
        ("2x20", "4x2", "5 steps x 4 features = 20", "output[:, -1]"),
        ("10x4", "20x2", "5 steps x 4 features = 20", "output.flatten(1)"),
        ("2x192", "128x5", "192 = 3 x 64, 128 = 2 x 64", "nn.Linear(64, 5)"),
        ("1x44", "30x64", "something of 14 features", "nn.Linear(44, 64)"),
        ("30x44", "30x64", "The axes are in another order", "transpose"),
    ],
)
def test_how_the_sizes_are_related_decides(left: str, right: str, reason: str, fix: str) -> None:
    explanation = explained_text(f"lstm\n{PRODUCT.format(left, right)}")
    assert reason in whys(explanation)[0]
    assert fix in explanation.causes[0].fix
    assert len(explanation.causes) <= 4


def test_a_printed_bidirectional_layer_proves_the_cause() -> None:
    layer = "LSTM(300, 1024, bidirectional=True)\n"
    explanation = explained_text(layer + PRODUCT.format("1600x2048", "1024x31"))
    (cause,) = explanation.causes
    assert "2 directions x 1024 = 2048" in cause.why


def test_without_a_hint_of_a_recurrent_layer_it_says_often() -> None:
    text = PRODUCT.format("10x8", "4x2")
    assert whys(explained_text(text))[0].startswith("Often this is the output")
    assert whys(explained_text(f"self.lstm\n{text}"))[0].startswith("This is the output")


def test_the_line_for_attention_multiplies() -> None:
    query, outputs = torch.randn(4, 1, 8), torch.randn(4, 9, 8)
    names = {"query": query, "encoder_outputs": outputs}
    explanation = explained("torch.bmm(query, encoder_outputs)", **names)
    cause = next(cause for cause in explanation.causes if "other order" in cause.why)
    scores, context = cause.fix.splitlines()
    weights = run(scores, **names)["scores"]
    assert weights.shape == (4, 1, 9)
    assert run(context, weights=weights, **names)["context"].shape == (4, 1, 8)


def test_a_bidirectional_encoder_is_projected() -> None:
    explanation = explained_text(
        "RuntimeError: Expected size for first two dimensions of batch2 tensor to be: [4, 256] but"
        " got: [4, 512]. "
    )
    assert "bidirectional" in whys(explanation)[0]


@pytest.mark.parametrize(
    "text",
    [
        "ValueError: shapes (3,4) and (5,6) not aligned: 4 (dim 1) != 5 (dim 0)",
        "ValueError: matmul: Input operand 1 has a mismatch in its core dimension 0",
        "sklearn: X must be a matrix",
        (
            "tensorflow.python.framework.errors_impl.InvalidArgumentError: Matrix"
            " size-incompatible: In[0]: [32,100], In[1]: [200,10]"
        ),
        "ValueError: x must be a 3D tensor",
    ],
)
def test_products_of_other_libraries_are_left_alone(text: str) -> None:
    assert rnnshape.explain(text) is None


def test_the_line_for_a_bidirectional_output_fits() -> None:
    """What the report advises takes the output of the very layer that failed."""
    output = nn.LSTM(3, 4, bidirectional=True)(torch.zeros(5, 2, 3))[0]
    explanation = explained("nn.Linear(4, 2)(output)", output=output)
    linear = run(f"linear = {explanation.causes[0].fix}")["linear"]
    assert linear(output).shape == (5, 2, 2)
