"""Explanations of gradients: carried states, changes in place, what has no gradient."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import rnnshape
from tests.provoked import explained, explained_text, run, said, whys

CHANGED = (
    "RuntimeError: one of the variables needed for gradient computation has been modified by an"
    " inplace operation: [torch.FloatTensor {}]{} is at version 2; expected version 1 instead."
)


def trained(layer: Any, *, cut: str = "", step: bool = False) -> None:
    """Two batches with a state that is carried over; `cut` is run before each."""
    optimizer = torch.optim.SGD(layer.parameters(), 0.1)
    hidden = None
    for _ in range(2):
        if cut and hidden is not None:
            hidden = run(cut, hidden=hidden)["hidden"]
        output, hidden = layer(torch.randn(5, 2, 3), hidden)
        output.sum().backward(retain_graph=step)
        if step:
            optimizer.step()


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_carried_state_is_cut_off_by_the_line_that_is_given(kind: type[nn.Module]) -> None:
    for step, mistake in ((False, "backward-twice"), (True, "changed-in-place")):
        with pytest.raises(RuntimeError) as raised:
            trained(kind(3, 4), step=step)
        text = f"layer = nn.{kind.__name__}(3, 4)\nRuntimeError: {raised.value}"
        explanation = explained_text(text)
        assert explanation.mistake == mistake
        assert "hidden state" in whys(explanation)[0]
        trained(kind(3, 4), cut=explanation.causes[0].fix, step=step)


@pytest.mark.parametrize(
    ("mistake", "entry"),
    [
        ("second_time", "backward-twice"),
        ("second_time_gru", "backward-twice"),
        ("inplace", "changed-in-place"),
        ("inplace_lstm", "changed-in-place"),
    ],
)
def test_every_version_says_it_in_words_that_are_known(mistake: str, entry: str) -> None:
    for text in said(mistake):
        explanation = explained_text(text)
        assert explanation.mistake == entry, text
        assert "detach" in explanation.causes[0].fix


@pytest.mark.parametrize(
    ("shape", "by", "of"),
    [
        ("[4, 12]", ", which is output 0 of TBackward,", "a GRU with hidden_size 4"),
        ("[4, 16]", ", which is output 0 of AsStridedBackward0,", "an LSTM with hidden_size 4"),
        ("[16, 4]", "", "an LSTM with hidden_size 4"),
    ],
)
def test_the_shape_tells_whose_weight_was_changed(shape: str, by: str, of: str) -> None:
    explanation = explained_text(CHANGED.format(shape, by))
    assert of in explanation.meaning
    assert "optimizer.step()" in whys(explanation)[0]


@pytest.mark.parametrize("by", ["TanhBackward", "CudnnRnnBackward0", "Sigmoid", "CopySlices"])
def test_an_output_that_was_changed_is_no_weight(by: str) -> None:
    explanation = explained_text(CHANGED.format("[5, 2, 4]", f", which is output 0 of {by},"))
    assert "in place" in whys(explanation)[0]


@pytest.mark.parametrize(
    "text",
    [
        "RuntimeError: the derivative for '_cudnn_rnn_backward' is not implemented",
        "RuntimeError: derivative for _cudnn_rnn_backward is not implemented",
        "RuntimeError: derivative for _thnn_fused_lstm_cell_backward is not implemented",
        "RuntimeError: CudnnRNNLegacyBackward is not differentiable twice",
    ],
)
def test_double_backward_is_known_in_every_wording(text: str) -> None:
    explanation = explained_text(text)
    assert explanation.mistake == "double-backward"
    assert "without cuDNN" in explanation.causes[0].why


def test_other_functions_without_a_second_derivative_are_left_alone() -> None:
    assert rnnshape.explain("RuntimeError: derivative for grid_sampler is not implemented") is None


def test_the_line_that_is_given_turns_cudnn_off() -> None:
    text = "NotImplementedError: the derivative for '_cudnn_rnn_backward' is not implemented."
    seen = []

    def layer(x: torch.Tensor) -> tuple[torch.Tensor, None]:
        seen.append(torch.backends.cudnn.enabled)
        return x, None

    run(explained_text(text).causes[0].fix, layer=layer, x=torch.zeros(1))
    assert seen == [False]


def test_the_forget_gate_is_filled_by_the_line_that_is_given() -> None:
    layer = nn.LSTM(3, 4)
    explanation = explained("layer.bias_ih_l0[4:8] = 1", layer=layer)
    run(explanation.causes[0].fix, layer=layer, hidden_size=4)
    assert layer.state_dict()["bias_ih_l0"][4:8].tolist() == [1] * 4
