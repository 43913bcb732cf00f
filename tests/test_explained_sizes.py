"""Explanations of sizes that differ: sums, cat, stack, view, indices, and layers around."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import rnnshape
from tests.provoked import explained, explained_text, run, said, whys

SUM = (
    "RuntimeError: The size of tensor a ({}) must match the size of tensor b ({}) at non-singleton"
    " dimension {}"
)


@pytest.mark.parametrize(
    ("mistake", "entry"),
    [
        ("add", "sizes-differ"),
        ("cat", "cat-sizes"),
        ("view_size", "view-size"),
        ("view_stride", "view-stride"),
        ("index", "too-many-indices"),
    ],
)
def test_every_version_says_it_in_words_that_are_known(mistake: str, entry: str) -> None:
    for text in said(mistake):
        assert explained_text(text).mistake == entry, text


def test_no_steps_were_an_empty_stack_until_torch_1_7() -> None:
    for text in said("seq0")[:2]:
        explanation = explained_text(text)
        assert explanation.mistake == "no-tensors"
        assert "a sequence has length 0" in whys(explanation)[0]


def test_frames_tell_a_state_from_a_sum_of_the_user() -> None:
    packed = "nn.utils.rnn.pack_padded_sequence(z(5, 2, 3), [5, 4])"
    explanation = explained(f"nn.LSTM(3, 4)({packed}, (z(1, 9, 4), z(1, 9, 4)))")
    assert explanation.mistake == "state-size-unchecked"
    assert "batch 9" in whys(explanation)[0]
    assert "batch 2" in whys(explanation)[0]
    assert explained("nn.utils.rnn.pad_sequence([z(5, 3), z(4, 2)])").mistake == "pad-features"
    assert explained("z(9, 4) + z(2, 4)").mistake == "sizes-differ"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SUM.format(768, 512, 2) + " gru", "768 = 3 x 256"),
        (SUM.format(200, 100, 2) + " gru", "2 x 100 = 200"),
        (SUM.format(3, 5, 1) + " h_n", "h_n is (layer*dir, batch, hidden)"),
        (SUM.format(32, 20, 0) + " lstm", "The last batch"),
        ("x = x.masked_fill(mask == 0, 0)\n" + SUM.format(20, 16, 1), "padded output is shorter"),
        ("loss = F.mse_loss(out, y)\n" + SUM.format(2, 5, 1), "target has a dimension less"),
    ],
)
def test_what_stands_around_decides_between_sums(text: str, reason: str) -> None:
    explanation = explained_text(text)
    assert reason in whys(explanation)[0]
    assert len(explanation.causes) <= 4


def test_the_lines_for_a_state_beside_the_output_add() -> None:
    output, h_n = nn.GRU(3, 4, batch_first=True)(torch.zeros(2, 5, 3))
    explanation = explained("h_n + output", output=output, h_n=h_n.expand(2, 2, 4))
    cause = next(cause for cause in explanation.causes if "h_n is" in cause.why)
    line = cause.fix.splitlines()[0]
    assert run(line, output=output, h_n=h_n)["energy"].shape == (2, 5, 4)


def test_a_state_of_several_layers_is_joined_to_one_step() -> None:
    embedded, h_n = torch.zeros(1, 2, 3), nn.GRU(3, 4, 2)(torch.zeros(5, 2, 3))[1]
    names = {"embedded": embedded, "h_n": h_n}
    explanation = explained("torch.cat((embedded, h_n), 2)", **names)
    assert "first size is 2, not 1" in whys(explanation)[0]
    joined = run(f"joined = {explanation.causes[0].fix}", **names)["joined"]
    assert joined.shape == (1, 2, 7)


def test_sequences_of_different_lengths_are_padded() -> None:
    samples = [(torch.zeros(3, 2), torch.zeros(1)), (torch.zeros(5, 2), torch.zeros(1))]
    explanation = explained("torch.utils.data.default_collate(samples)", samples=samples)
    collate = run(
        explanation.causes[0].fix, DataLoader=torch.utils.data.DataLoader, dataset=samples
    )["collate"]
    x, lengths, _ = collate(samples)
    assert x.shape == (2, 5, 2)
    assert lengths.tolist() == [3, 5]


def test_the_numbers_of_a_view_are_multiplied() -> None:
    explanation = explained("z(2, 3, 5).view(2, 2, 3, 5)")
    assert "2 x 2 x 3 x 5 = 60" in explanation.meaning
    assert "2 times more than the tensor" in whys(explanation)[0]


def test_the_last_step_of_each_sequence_is_gathered() -> None:
    output, lengths = torch.randn(4, 9, 8), torch.tensor([9, 3, 1, 5])
    names = {"output": output, "lengths": lengths}
    expected = torch.stack([row[length - 1] for row, length in zip(output, lengths, strict=True)])
    gathered = explained("output.gather(1, lengths)", **names)
    assert torch.equal(run(gathered.causes[0].fix, **names)["last"], expected)
    indexed = explained("output[0, lengths]", **names)
    cause = next(cause for cause in indexed.causes if "lengths - 1" in cause.why)
    assert torch.equal(run(cause.fix, **names)["last"], expected)


def test_an_unbatched_input_gives_an_output_of_two_dimensions() -> None:
    explanation = explained("nn.LSTM(3, 4)(z(5, 3))[0][:, -1, :]")
    assert explanation.mistake == "too-many-indices"
    assert "no batch dimension" in whys(explanation)[0]


@pytest.mark.parametrize("layer", ["nn.BatchNorm1d(4)", "nn.Conv1d(4, 2, 1)"])
def test_layers_that_take_the_features_second_get_them_there(layer: str) -> None:
    output = nn.LSTM(3, 4, batch_first=True)(torch.zeros(5, 2, 3))[0]
    explanation = explained(f"{layer}(output)", output=output)
    module = eval(layer)  # noqa: S307
    names = {"output": output, "x": output, "norm": module, "conv": module}
    result = run(explanation.causes[0].fix.splitlines()[0], **names)
    assert result.get("y", result["output"]).shape[:2] == (5, 2)


def test_the_version_without_numbers_blames_the_state_in_the_layers_frames() -> None:
    frames = 'File "/torch/nn/_functions/rnn.py", line 227, in forward\n  nexth, output = func()\n'
    text = "RuntimeError: inconsistent tensor sizes at /pytorch/torch/lib/TH/generic/THTensorMath.c"
    assert "initial state" in whys(explained_text(frames + text))[0]
    assert "initial state" not in whys(explained_text(text))[0]


@pytest.mark.parametrize(
    "text",
    [
        "ValueError: operands could not be broadcast together with shapes (3,) (5,)",
        "ValueError: cannot reshape array of size 30 into shape (2,2)",
        "IndexError: index 5 is out of bounds for axis 0 with size 3",
        "IndexError: too many indices for array: array is 2-dimensional, but 3 were indexed",
        (
            "ValueError: all the input array dimensions except for the concatenation axis must"
            " match exactly, but along dimension 0, the array at index 0 has size 1"
        ),
        "ValueError: The truth value of an array with more than one element is ambiguous.",
        "ValueError: Found input variables with inconsistent numbers of samples: [3, 5]",
        "ValueError: Expected 2D array, got 1D array instead",
        "TypeError: iteration over a 0-d array",
    ],
)
def test_sizes_of_other_libraries_are_left_alone(text: str) -> None:
    assert rnnshape.explain(text) is None
