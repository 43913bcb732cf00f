"""What is said of a checkpoint that does not fit: the notes, and what renames its weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from rnnshape.api import Explained
from tests.provoked import explained, explained_text, run

_STRICT = "`strict=False` does not help here: it ignores names that differ, but never sizes."
_WRONG_WAY = "PyTorch 0.4 wrote the two shapes the wrong way round: above they are the right way."
_FIRST_ONLY = "PyTorch before 0.4 names the first difference only."


def _mismatch(name: str, theirs: list[int], ours: list[int]) -> str:
    return (
        f"size mismatch for {name}: copying a param with shape torch.Size({theirs}) from"
        f" checkpoint, the shape in current model is torch.Size({ours})."
    )


def _lstm(name: str, theirs: int, ours: int) -> list[str]:
    """What is said of an LSTM with another hidden_size, which reads 3 features."""
    return [
        _mismatch(f"{name}.weight_ih_l0", [4 * theirs, 3], [4 * ours, 3]),
        _mismatch(f"{name}.weight_hh_l0", [4 * theirs, theirs], [4 * ours, ours]),
        _mismatch(f"{name}.bias_ih_l0", [4 * theirs], [4 * ours]),
        _mismatch(f"{name}.bias_hh_l0", [4 * theirs], [4 * ours]),
    ]


def _notes(*lines: str) -> tuple[str, ...]:
    text = "\n\t".join(("Error(s) in loading state_dict for Net:", *lines))
    return tuple(explained_text(f"RuntimeError: {text}").notes)


def _differs(name: str, ours: int) -> str:
    return f"The LSTM `{name}` has hidden_size 4 in the checkpoint, but {ours} in the model."


def test_a_single_layer_that_differs_is_all() -> None:
    assert _notes(*_lstm("a", 4, 5)) == (_STRICT,)


def test_layers_that_differ_alike_are_named_together() -> None:
    others = [line for name in "bc" for line in _lstm(name, 4, 5)]
    assert _notes(*_lstm("a", 4, 5), *others) == ("The same holds for `b` and `c`.", _STRICT)


@pytest.mark.parametrize(
    ("layers", "rest"),
    [
        ("ab", ""),
        ("abcd", ""),
        ("abcde", " 1 more layer differs."),
        ("abcdef", " 2 more layers differ."),
    ],
)
def test_three_other_layers_are_shown_and_the_rest_counted(layers: str, rest: str) -> None:
    lines = [line for ours, name in enumerate(layers, 5) for line in _lstm(name, 4, ours)]
    shown = [_differs(name, ours) for ours, name in enumerate(layers[1:4], 6)]
    assert _notes(*lines) == (" ".join(shown) + rest, _STRICT)


def test_what_is_no_recurrent_weight_is_named_apart() -> None:
    besides = _notes(
        *_lstm("a", 4, 5),
        _mismatch("fc.weight", [2, 4], [2, 5]),
        _mismatch("out.weight", [2, 4], [2, 5]),
        'Missing key(s) in state_dict: "fc.bias". ',
        'Unexpected key(s) in state_dict: "norm.weight". ',
    )
    sizes = "Other sizes also differ: `fc.weight` and `out.weight`."
    assert besides == (f"{sizes} Only one side has `fc.bias` and `norm.weight`.", _STRICT)


def test_where_only_names_differ_strict_would_help() -> None:
    stems = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    missing = ", ".join(f'"a.{stem}_l1"' for stem in stems)
    assert _notes(f"Missing key(s) in state_dict: {missing}. ") == ()


def test_the_shapes_of_torch_0_4_are_put_right() -> None:
    said = (
        "size mismatch for a.weight_ih_l0: copying a param of torch.Size([16, 3]) from checkpoint,"
        " where the shape is torch.Size([20, 3]) in current model."
    )
    assert _WRONG_WAY in _notes(said)
    assert _WRONG_WAY not in _notes(*_lstm("a", 4, 5))


def test_before_torch_0_4_only_one_difference_is_named() -> None:
    copying = (
        "While copying the parameter named a.weight_ih_l0, whose dimensions in the model are"
        " torch.Size([16, 3]) and whose dimensions in the checkpoint are torch.Size([20, 3])."
    )
    assert _FIRST_ONLY in explained_text(f"RuntimeError: {copying}").notes
    unexpected = "KeyError: 'unexpected key \"lstm.weight_ih_l1\" in state_dict'"
    assert _FIRST_ONLY in explained_text(unexpected).notes
    assert _FIRST_ONLY not in _notes(copying)
    assert _FIRST_ONLY not in _notes(*_lstm("a", 4, 5))


def test_a_wide_second_layer_shows_two_directions_where_strict_hides_names() -> None:
    wide = _mismatch("a.weight_ih_l1", [16, 8], [16, 4])
    assert any("one direction of the layer below, or both" in note for note in _notes(wide))
    reverse = 'Missing key(s) in state_dict: "a.weight_ih_l0_reverse". '
    assert not any("layer below, or both" in note for note in _notes(wide, reverse))


class _Parts(nn.Module):
    """Layers under the given names, each a path of its own."""

    def __init__(self, *paths: str) -> None:
        super().__init__()
        for path in paths:
            holder: nn.Module = self
            *outer, last = path.split(".")
            for name in outer:
                if name not in holder._modules:
                    holder.add_module(name, nn.Module())
                holder = holder.get_submodule(name)
            holder.add_module(last, nn.LSTM(3, 4))


@pytest.mark.parametrize(
    ("model", "checkpoint", "sentence"),
    [
        (
            _Parts("lstm"),
            _Parts("module.lstm"),
            "The names in the checkpoint begin with `module.`, those of the model do not.",
        ),
        (
            _Parts("lstm"),
            _Parts("_orig_mod.lstm"),
            "The names in the checkpoint begin with `_orig_mod.`, those of the model do not.",
        ),
        (
            nn.LSTM(3, 4),
            _Parts("net.encoder", "net.decoder.0"),
            "The names in the checkpoint begin with `net.encoder.`, those of the model do not.",
        ),
        (
            _Parts("encoder"),
            nn.LSTM(3, 4),
            "The names of the model begin with `encoder.`, those in the checkpoint do not.",
        ),
        (
            _Parts("layers.0"),
            nn.LSTM(3, 4),
            "The names of the model begin with `layers.0.`, those in the checkpoint do not.",
        ),
        (
            _Parts("encoder", "decoder"),
            _Parts("enc", "dec"),
            (
                "The same weights have different names: the checkpoint's `enc.` is `encoder.` and"
                " `dec.` is `decoder.` in the model."
            ),
        ),
    ],
    ids=["parallel", "compiled", "part", "whole", "no identifier", "renamed"],
)
def test_weights_under_other_names_are_loaded_by_the_fix(
    model: nn.Module, checkpoint: nn.Module, sentence: str
) -> None:
    state_dict = checkpoint.state_dict()
    explanation = explained("model.load_state_dict(state_dict)", model=model, state_dict=state_dict)
    assert explanation.mistake == "checkpoint-prefix"
    assert explanation.meaning == sentence
    assert any(not torch.equal(*pair) for pair in _pairs(model, checkpoint))
    run(explanation.causes[0].fix, model=model, state_dict=state_dict)
    assert all(torch.equal(*pair) for pair in _pairs(model, checkpoint))


def _pairs(model: nn.Module, checkpoint: nn.Module) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The weights of a model with those of a checkpoint in the same order, as far as both go."""
    return list(zip(model.parameters(), checkpoint.parameters(), strict=False))


def _holding(**parts: nn.Module) -> nn.Module:
    whole = nn.Module()
    for name, part in parts.items():
        whole.add_module(name, part)
    return whole


def _loading(model: nn.Module, checkpoint: nn.Module) -> Explained:
    state_dict = checkpoint.state_dict()
    return explained("model.load_state_dict(state_dict)", model=model, state_dict=state_dict)


@pytest.mark.parametrize(
    ("name", "saved", "built", "field"),
    [
        ("emb", nn.Embedding(12, 4), nn.Embedding(10, 4), "num_embeddings 12"),
        ("emb", nn.Embedding(12, 4), nn.Embedding(12, 5), "embedding_dim 4"),
        ("fc", nn.Linear(4, 3), nn.Linear(4, 5), "out_features 3"),
        ("fc", nn.Linear(4, 3), nn.Linear(7, 3), "in_features 4"),
        ("fc", nn.Linear(4, 3), nn.Linear(8, 3), "in_features 4"),
        ("fc", nn.Linear(4, 3, bias=False), nn.Linear(4, 5, bias=False), "out_features 3"),
        ("x", nn.Linear(4, 3), nn.Linear(4, 5), "out_features 3"),
        ("x", nn.Embedding(12, 4), nn.Embedding(10, 4), "num_embeddings 12"),
    ],
)
def test_a_layer_of_another_size_is_built_as_it_was_saved(
    name: str, saved: Any, built: nn.Module, field: str
) -> None:
    explanation = _loading(_holding(**{name: built}), _holding(**{name: saved}))
    assert f"`{name}` has {field} in the checkpoint" in explanation.meaning
    fixes = "\n".join(cause.fix for cause in explanation.causes)
    call = f"nn.{type(saved).__name__}("
    (line,) = (line for line in fixes.splitlines() if line.startswith(call))
    assert run(f"layer = {line}")["layer"].weight.shape == saved.weight.shape
    directions = any("bidirectional" in cause.why for cause in explanation.causes)
    assert directions is (field == "in_features 4" and built.in_features == 8)


@pytest.mark.parametrize(
    ("name", "layer", "what"),
    [
        ("lstm", nn.LSTM(3, 4, 2, bidirectional=True), "an LSTM with 2 layers in both directions"),
        ("gru", nn.GRU(3, 4), "a GRU with 1 layer"),
        ("rnn", nn.RNN(3, 4), "a recurrent layer with 1 layer"),
        ("lstm_cell", nn.LSTMCell(3, 4), "an LSTMCell"),
        ("cell", nn.GRUCell(3, 4), "a recurrent cell"),
    ],
)
@pytest.mark.parametrize("side", ["model", "checkpoint"])
def test_a_layer_that_one_side_lacks_is_described(
    name: str, layer: nn.Module, what: str, side: str
) -> None:
    whole, without = _holding(**{name: layer, "fc": nn.Linear(2, 2)}), _holding(fc=nn.Linear(2, 2))
    explanation = _loading(*((whole, without) if side == "model" else (without, whole)))
    assert f"`{name}`, which only the {side} has, is {what}." in explanation.notes
