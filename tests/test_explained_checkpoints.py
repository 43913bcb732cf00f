"""Explanations of checkpoints that do not fit: what they say is what PyTorch's layers are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import assume, given
from torch import nn

from rnnshape import Kind, RNNConfig
from rnnshape.analysis.explanation.explain import explain
from rnnshape.analysis.explanation.records import Explanation
from tests.explained import missing, reported
from tests.provoked import run
from tests.reference import built as torch_layer
from tests.strategies import configs, examples

_FIELDS = ("input_size", "hidden_size", "num_layers", "bidirectional", "bias")
_SUBJECTS = ("sd-", "old-01", "old-03", "wd-")
_STRICT = "`strict=False` does not help here: it ignores names that differ, but never sizes."
_WRONG_WAY = "PyTorch 0.4 wrote the two shapes the wrong way round: above they are the right way."
_FIRST_ONLY = "PyTorch before 0.4 names the first difference only."


def explained(text: str) -> Explanation:
    found = explain(text)
    assert found is not None, text
    return found


def refused(model: nn.Module, state: dict[str, Any]) -> str:
    """What load_state_dict says."""
    with pytest.raises(RuntimeError) as caught:
        model.load_state_dict(state)
    return f"RuntimeError: {caught.value}"


def mismatch(name: str, checkpoint: tuple[int, ...], model: tuple[int, ...]) -> str:
    """A line of torch 1.0 and later."""
    return (
        f"size mismatch for {name}: copying a param with shape torch.Size({list(checkpoint)}) from"
        f" checkpoint, the shape in current model is torch.Size({list(model)})."
    )


def sides(explanation: Explanation) -> dict[str, tuple[object, object]]:
    """The value of each field in the checkpoint and in the model."""
    compared = explanation.comparison
    assert compared is not None
    assert compared.labels == ("checkpoint", "model")
    values = zip(compared.expected, compared.got, strict=True)
    return dict(zip(compared.places, values, strict=True))


def mended(explanation: Explanation, model: nn.Module, state_dict: dict[str, Any]) -> None:
    """Run the first fix, which is to load the weights into the model."""
    names: dict[str, Any] = {
        "model": model,
        "state_dict": dict(state_dict),
        "nn": nn,
        "torch": torch,
    }
    exec(explanation.causes[0].fix, names)  # noqa: S102 - the fix is what is tested
    model.load_state_dict(names["state_dict"], strict=False)


def same_weights(model: nn.Module, state: dict[str, Any]) -> bool:
    """Whether the model has all weights of a state dict, in any order and by any names."""
    mine = sorted(each.sum().item() for each in model.state_dict().values())
    return mine == sorted(each.sum().item() for each in state.values())


def written(config: RNNConfig, name: str) -> object:
    value = getattr(config, name)
    if isinstance(value, Kind):
        return value.value
    return str(value) if isinstance(value, bool) else value


@examples(150)
@given(configs(), configs())
def test_both_configs_are_those_of_the_layers(saved: RNNConfig, built: RNNConfig) -> None:
    text = ""
    try:
        torch_layer(built).load_state_dict(torch_layer(saved).state_dict())
    except RuntimeError as error:
        text = f"RuntimeError: {error}"
    assume(text)
    found = explained(text)
    assert found.mistake == "checkpoint-layer"
    values = sides(found)
    if "rows" in values:  # the kind is open: only the names of reverse weights, for example
        return
    for name, (ours, theirs) in values.items():
        assert ours in (None, written(saved, name))
        assert theirs in (None, written(built, name))
    for name in _FIELDS:
        if getattr(saved, name) != getattr(built, name):
            assert values[name] == (written(saved, name), written(built, name))


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        (320, ["nn.LSTM(40, 80, ...)", "nn.RNN(40, 320, ...)"]),
        (240, ["nn.LSTM(40, 60, ...)", "nn.GRU(40, 80, ...)", "nn.RNN(40, 240, ...)"]),
        (30, ["nn.GRU(40, 10, ...)", "nn.RNN(40, 30, ...)"]),
    ],
)
def test_one_weight_leaves_the_kind_open(rows: int, kinds: list[str]) -> None:
    found = explained(mismatch("rnn.weight_ih_l0", (rows, 40), (rows, 50)))
    calls = found.causes[0].fix.splitlines()
    assert [call.partition("  #")[0] for call in calls] == kinds
    assert any("leave the kind open" in note for note in found.notes)


def test_a_name_tells_the_kind_and_the_explanation_says_so() -> None:
    found = explained(mismatch("lstm.weight_ih_l0", (320, 40), (320, 50)))
    assert found.causes[0].fix.startswith("nn.LSTM(40, 80, ...)")
    assert any("taken from the names" in note for note in found.notes)


def test_a_recurrent_weight_shows_the_kind_whatever_the_name() -> None:
    found = explained(mismatch("lstm.weight_hh_l0", (240, 80), (360, 120)))
    assert (
        found.meaning
        == "The GRU `lstm` has hidden_size 80 in the checkpoint, but 120 in the model."
    )


def test_weights_of_no_layer_of_pytorch_are_shown_by_their_shapes() -> None:
    found = explained(mismatch("lstm.weight_hh_l0", (240, 80), (240, 110)))
    assert found.mistake == "checkpoint-sizes"
    assert "(240, 80)" in found.meaning


def test_a_wider_upper_layer_is_above_a_bidirectional_one() -> None:
    found = explained(mismatch("encoder.rnn.weight_ih_l1", (2048, 512), (2048, 1024)))
    assert sides(found)["bidirectional"] == ("False", "True")
    assert any("`strict=False`" in note and "_reverse" in note for note in found.notes)


def test_pytorch_04_wrote_the_shapes_the_wrong_way_round() -> None:
    found = explained(
        "RuntimeError: Error(s) in loading state_dict for Net:\n\tsize mismatch for"
        " rnn.weight_hh_l0: copying a param of torch.Size([320, 80]) from checkpoint, where the"
        " shape is torch.Size([640, 160]) in current model."
    )
    assert sides(found)["hidden_size"] == (160, 80)


def test_pytorch_03_printed_what_it_could_not_copy() -> None:
    found = explained(
        "While copying the parameter named rnn.weight_hh_l0, whose dimensions in the model are"
        " torch.Size([2400, 800]) and whose dimensions in the checkpoint are torch.Size([1600,"
        " 400]), ...\nTraceback (most recent call last):\n"
        '  File "train.py", line 163, in main\n'
        "    model.load_state_dict(package['state_dict'])\n"
        "RuntimeError: invalid argument 2: sizes do not match at /tmp/THCTensorCopy.c:95"
    )
    assert sides(found)["kind"] == ("LSTM", "GRU")
    assert sides(found)["hidden_size"] == (400, 800)


def test_lines_without_the_name_of_an_exception_are_read_together() -> None:
    lines = [
        mismatch("lstm.weight_ih_l0", (64, 3), (32, 3)),
        mismatch("lstm.weight_hh_l0", (64, 16), (32, 8)),
    ]
    found = explained("\n\t".join(lines))
    assert sides(found)["hidden_size"] == (16, 8)


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
            nn.LSTM(3, 4),
            nn.DataParallel(nn.LSTM(3, 4)),
            "The names in the checkpoint begin with `module.`, those of the model do not.",
        ),
        (
            _Parts("lstm"),
            _Parts("_orig_mod.lstm"),
            "The names in the checkpoint begin with `_orig_mod.`, those of the model do not.",
        ),
        (
            nn.DataParallel(nn.LSTM(3, 4)),
            nn.LSTM(3, 4),
            "The names of the model begin with `module.`, those in the checkpoint do not.",
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
    ids=["parallel", "compiled", "not parallel", "part", "whole", "no identifier", "renamed"],
)
def test_the_fix_of_a_prefix_loads_the_weights(
    model: nn.Module, checkpoint: nn.Module, sentence: str
) -> None:
    state_dict = checkpoint.state_dict()
    explanation = explained(refused(model, state_dict))
    assert explanation.mistake == "checkpoint-prefix"
    assert explanation.meaning == sentence
    assert any(not torch.equal(*pair) for pair in _pairs(model, checkpoint))
    mended(explanation, model, state_dict)
    assert all(torch.equal(*pair) for pair in _pairs(model, checkpoint))


def _pairs(model: nn.Module, checkpoint: nn.Module) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The weights of a model with those of a checkpoint in the same order, as far as both go."""
    return list(zip(model.parameters(), checkpoint.parameters(), strict=False))


def test_what_differs_apart_from_a_prefix_is_said() -> None:
    found = explained(refused(nn.GRU(3, 4), nn.DataParallel(nn.GRU(3, 4, 2)).state_dict()))
    assert found.mistake == "checkpoint-prefix"
    assert any("num_layers 2 in the checkpoint, but 1" in note for note in found.notes)


def test_the_prefix_of_data_parallel_in_both_is_no_mistake() -> None:
    found = explained(
        refused(nn.DataParallel(nn.GRU(3, 4)), nn.DataParallel(nn.GRU(3, 4, 3)).state_dict())
    )
    assert found.mistake == "checkpoint-layer"
    assert sides(found)["num_layers"] == (3, 1)


@pytest.mark.parametrize(
    ("saved", "model"),
    [
        ({"gru": nn.GRUCell(3, 4)}, {"gru": nn.GRU(3, 4)}),
        ({"b": nn.GRUCell(3, 4), "f": nn.GRUCell(3, 4)}, {"gru": nn.GRU(3, 4, bidirectional=True)}),
        ({"gru": nn.GRU(3, 4, bidirectional=True)}, {"f": nn.GRUCell(3, 4), "b": nn.GRUCell(3, 4)}),
    ],
)
def test_the_fix_for_cells_in_place_of_layers_loads_the_weights(
    saved: dict[str, nn.Module], model: dict[str, nn.Module]
) -> None:
    state, into = nn.ModuleDict(saved).state_dict(), nn.ModuleDict(model)
    found = explained(refused(into, state))
    assert found.mistake == "checkpoint-cells"
    mended(found, into, state)
    assert same_weights(into, state)
    backward = into.state_dict().get("gru.weight_hh_l0_reverse")
    if backward is not None:
        assert torch.equal(backward, state["b.weight_hh"])


def test_a_dict_around_the_weights() -> None:
    state = nn.LSTM(3, 4).state_dict()
    text = refused(nn.LSTM(3, 4), {"epoch": 1, "optimizer_state": {}, "net_state": state})
    found = explained(text)
    assert found.mistake == "checkpoint-wrapped"
    assert 'checkpoint["net_state"]' in found.causes[0].fix


@pytest.mark.parametrize(
    ("name", "noun"),
    [
        ("word_embeddings.weight", "nn.Embedding(20, 200)"),
        ("hidden2tag.weight", "nn.Linear(200, 20)"),
    ],
)
def test_layers_that_are_not_recurrent(name: str, noun: str) -> None:
    found = explained(mismatch(name, (20, 200), (22, 200)))
    assert found.mistake == "checkpoint-sizes"
    assert noun in "\n".join(cause.fix for cause in found.causes)


def test_a_linear_layer_of_twice_the_features_reads_a_bidirectional_layer() -> None:
    found = explained(refused(nn.Linear(8, 2), nn.Linear(4, 2).state_dict()))
    assert "bidirectional" in found.causes[0].why


@pytest.mark.parametrize("text", [t for t in reported() if t["id"].startswith(_SUBJECTS)])
def test_reported_texts_are_explained_with_all_they_must_say(text: dict[str, Any]) -> None:
    assert missing(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'state'",
        "AttributeError: 'Series' object has no attribute 'copy'",
        "AttributeError: 'dict' object has no attribute 'to'",
        "AttributeError: 'Model' object has no attribute 'items'",
        "EOFError: Ran out of input",
        "ModuleNotFoundError: No module named 'pandas'",
        "TypeError: missing keys in the config: 'a.b'",
        "ValueError: cannot reshape array of size 30 into shape (2, 2)",
    ],
)
def test_errors_of_other_libraries_are_not_explained(text: str) -> None:
    assert explain(text) is None


def test_a_projection_is_never_a_gru() -> None:
    saved = nn.LSTM(1, 3, 2, bias=False, proj_size=2)
    built = nn.LSTM(1, 3, 2, bias=False, proj_size=2, bidirectional=True)
    with pytest.raises(RuntimeError) as caught:
        built.load_state_dict(saved.state_dict())
    found = sides(explained(f"RuntimeError: {caught.value}"))
    assert found == {"bidirectional": ("False", "True")}


def _lstm(name: str, theirs: int, ours: int) -> list[str]:
    """What is said of an LSTM with another hidden_size, which reads 3 features."""
    return [
        mismatch(f"{name}.weight_ih_l0", (4 * theirs, 3), (4 * ours, 3)),
        mismatch(f"{name}.weight_hh_l0", (4 * theirs, theirs), (4 * ours, ours)),
        mismatch(f"{name}.bias_ih_l0", (4 * theirs,), (4 * ours,)),
        mismatch(f"{name}.bias_hh_l0", (4 * theirs,), (4 * ours,)),
    ]


def _notes(*lines: str) -> tuple[str, ...]:
    text = "\n\t".join(("Error(s) in loading state_dict for Net:", *lines))
    return tuple(explained(f"RuntimeError: {text}").notes)


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
        mismatch("fc.weight", (2, 4), (2, 5)),
        mismatch("out.weight", (2, 4), (2, 5)),
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
    assert _FIRST_ONLY in explained(f"RuntimeError: {copying}").notes
    unexpected = "KeyError: 'unexpected key \"lstm.weight_ih_l1\" in state_dict'"
    assert _FIRST_ONLY in explained(unexpected).notes
    assert _FIRST_ONLY not in _notes(copying)
    assert _FIRST_ONLY not in _notes(*_lstm("a", 4, 5))


def test_a_wide_second_layer_shows_two_directions_where_strict_hides_names() -> None:
    wide = mismatch("a.weight_ih_l1", (16, 8), (16, 4))
    assert any("one direction of the layer below, or both" in note for note in _notes(wide))
    reverse = 'Missing key(s) in state_dict: "a.weight_ih_l0_reverse". '
    assert not any("layer below, or both" in note for note in _notes(wide, reverse))


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
    explanation = explained(
        refused(nn.ModuleDict({name: built}), nn.ModuleDict({name: saved}).state_dict())
    )
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
    whole = nn.ModuleDict({name: layer, "fc": nn.Linear(2, 2)})
    without = nn.ModuleDict({"fc": nn.Linear(2, 2)})
    model, saved = (whole, without) if side == "model" else (without, whole)
    explanation = explained(refused(model, saved.state_dict()))
    assert f"`{name}`, which only the {side} has, is {what}." in explanation.notes


# Weights that are made by others


def old_norm(layer: nn.Module) -> nn.Module:
    return nn.utils.weight_norm(layer, "weight_hh_l0")


def new_norm(layer: nn.Module) -> nn.Module:
    made: nn.Module = nn.utils.parametrizations.weight_norm(layer, "weight_hh_l0")
    return made


def holding(layer: nn.Module) -> nn.Module:
    return nn.ModuleDict({"rnn": layer})


def test_a_weight_that_was_made_before_saving_is_made_before_loading() -> None:
    model, saved = nn.GRU(3, 4), new_norm(nn.GRU(3, 4))
    found = explained(refused(model, saved.state_dict()))
    assert found.mistake == "checkpoint-parts"
    assert found.meaning == (
        "In the checkpoint `weight_hh_l0` is made by parametrizations.weight_norm, in the model it"
        " is held whole: hence the name `parametrizations.weight_hh_l0.original0`."
    )
    mended(found, model, saved.state_dict())
    assert same_weights(model, saved.state_dict())


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
def test_a_weight_that_was_saved_whole_is_loaded_before_it_is_made() -> None:
    model, saved = holding(old_norm(nn.GRU(3, 4))), holding(nn.GRU(3, 4))
    found = explained(refused(model, saved.state_dict()))
    assert found.meaning == (
        "In the checkpoint `weight_hh_l0` is held whole, in the model it is made by weight_norm:"
        " hence the name `rnn.weight_hh_l0_g`."
    )
    plain = holding(nn.GRU(3, 4))
    mended(found, plain, saved.state_dict())
    assert plain.state_dict()["rnn.weight_hh_l0_g"].shape == (12, 1)


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
def test_a_weight_that_the_model_makes_the_old_way_is_made_the_new_way() -> None:
    model, saved = holding(old_norm(nn.GRU(3, 4))), holding(new_norm(nn.GRU(3, 4)))
    found = explained(refused(model, saved.state_dict()))
    assert found.mistake == "checkpoint-parts"
    assert len(found.causes) == 1
    mended(found, model, saved.state_dict())
    assert same_weights(model, saved.state_dict())


@pytest.mark.parametrize(
    ("names", "how"),
    [
        (("weight_hh_l0_orig", "weight_hh_l0_mask"), "pruning or spectral_norm"),
        (("weight_hh_l0_u", "weight_hh_l0_v"), "spectral_norm"),
        (("_all_weight_values.0.param",), "quantization"),
        (("parametrizations.weight_hh_l0.original",), "a parametrization"),
    ],
)
def test_how_a_weight_is_made_is_told_by_its_name(names: tuple[str, ...], how: str) -> None:
    listed = ", ".join(f'"rnn.{name}"' for name in names)
    text = (
        "RuntimeError: Error(s) in loading state_dict for Net:\n"
        f'\tMissing key(s) in state_dict: "rnn.weight_hh_l0".\n\tUnexpected key(s): {listed}.'
    )
    found = explained(text.replace("Unexpected key(s):", "Unexpected key(s) in state_dict:"))
    assert found.mistake == "checkpoint-parts"
    assert found.meaning == (
        f"In the checkpoint `weight_hh_l0` is made by {how}, in the model it is held whole: hence"
        f" the name `rnn.{names[0]}`."
    )


@pytest.mark.parametrize(
    ("heading", "has", "lacks"),
    [("Missing", "model", "checkpoint"), ("Unexpected", "checkpoint", "model")],
)
def test_recurrent_weights_alone_are_those_that_weight_drop_replaces(
    heading: str, has: str, lacks: str
) -> None:
    found = explained(
        "RuntimeError: Error(s) in loading state_dict for Net:\n"
        f'\t{heading} key(s) in state_dict: "rnn.weight_hh_l0", "rnn.weight_hh_l1".'
    )
    assert found.mistake == "checkpoint-weight-drop"
    assert f"that the {has} has and the {lacks} lacks are weight_hh" in found.meaning
    assert len(found.causes) == 1
    assert ("if k in model.state_dict()" in found.causes[0].fix) == (has == "checkpoint")


def test_other_weights_beside_recurrent_ones_were_not_replaced() -> None:
    found = explained(
        "RuntimeError: Error(s) in loading state_dict for Net:\n"
        '\tMissing key(s) in state_dict: "rnn.weight_hh_l0", "rnn.weight_ih_l0".'
    )
    assert found.mistake != "checkpoint-weight-drop"


# Prefixes


def test_what_only_one_side_has_apart_from_a_prefix_is_named() -> None:
    both = {"rnn": nn.GRU(3, 4), "fc": nn.Linear(4, 2)}
    more = nn.ModuleDict({**both, "head": nn.Linear(4, 1)})
    less = nn.ModuleDict(both)
    saved = explained(refused(less, nn.DataParallel(more).state_dict()))
    assert saved.notes[0] == (
        "Apart from that, only the checkpoint has `head.weight` and `head.bias`."
    )
    built = explained(refused(more, nn.DataParallel(less).state_dict()))
    assert built.notes[0] == "Apart from that, only the model has `head.weight` and `head.bias`."
    same = explained(refused(less, nn.DataParallel(less).state_dict()))
    assert len(same.notes) == 1


def test_a_difference_apart_from_a_prefix_begins_with_a_small_letter() -> None:
    found = explained(refused(nn.GRU(3, 4), nn.DataParallel(nn.GRU(3, 4, 2)).state_dict()))
    assert found.notes[0].startswith("Apart from the names, the layer ")


@pytest.mark.parametrize(
    ("model", "checkpoint", "begins"),
    [
        (
            nn.GRU(3, 4),
            nn.DataParallel(nn.GRU(3, 4)),
            ["It was saved from a model in DataParallel", "Or save the model without its wrapper."],
        ),
        (nn.DataParallel(nn.GRU(3, 4)), nn.GRU(3, 4), ["The model is in DataParallel"]),
        (nn.GRU(3, 4), holding(nn.GRU(3, 4)), ["A larger model was saved"]),
        (holding(nn.GRU(3, 4)), nn.GRU(3, 4), ["The part `rnn` of this model was saved alone"]),
        (_Parts("encoder"), _Parts("enc"), ["Attributes were renamed"]),
    ],
    ids=["parallel", "not parallel", "part", "whole", "renamed"],
)
def test_the_causes_of_a_prefix_are_those_of_its_kind(
    model: nn.Module, checkpoint: nn.Module, begins: list[str]
) -> None:
    found = explained(refused(model, checkpoint.state_dict()))
    assert len(found.causes) == len(begins)
    assert all(c.why.startswith(begin) for c, begin in zip(found.causes, begins, strict=True))


def test_a_wrapper_is_known_where_only_unexpected_names_are_listed() -> None:
    def text(*names: str) -> str:
        listed = ", ".join(f'"{name}"' for name in names)
        return (
            "RuntimeError: Error(s) in loading state_dict for Net:\n"
            f"\tUnexpected key(s) in state_dict: {listed}."
        )

    assert explained(text("module.rnn.weight_ih_l0")).mistake == "checkpoint-prefix"
    assert explained(text("net.rnn.weight_ih_l0")).mistake != "checkpoint-prefix"
    two = explained(text("module.rnn.weight_ih_l0", "_orig_mod.rnn.weight_ih_l0"))
    assert two.mistake != "checkpoint-prefix"


# A dict around the weights


@pytest.mark.parametrize(
    ("keys", "holder"),
    [
        (("epoch", "weights", "model_state", "best"), "model_state"),
        (("epoch", "weights"), "weights"),
        (("optimizer_state", "net"), "net"),
        (("epoch", "optimizer"), "state_dict"),
    ],
)
def test_the_entry_of_the_weights_is_the_likeliest(keys: tuple[str, ...], holder: str) -> None:
    found = explained(refused(nn.LSTM(3, 4), dict.fromkeys(keys, torch.zeros(1))))
    assert found.mistake == "checkpoint-wrapped"
    assert f'checkpoint["{holder}"]' in found.causes[0].fix
    assert all(f"`{key}`" in found.meaning for key in keys[:3])


def test_weights_among_the_entries_are_no_dict_around_them() -> None:
    keys = ("epoch", "weight_ih_l0", "state")
    found = explained(refused(nn.Linear(3, 4), dict.fromkeys(keys, torch.zeros(1))))
    assert found.mistake != "checkpoint-wrapped"


# Cells


@pytest.mark.parametrize(
    ("saved", "model", "meaning"),
    [
        (
            {"a": nn.GRUCell(3, 4)},
            {"a": nn.GRU(3, 4)},
            "The checkpoint has 1 cell (`a`), the model has 1 layer (`a`) instead.",
        ),
        (
            {"rnn": nn.LSTM(3, 4, bidirectional=True)},
            {"f": nn.LSTMCell(3, 4), "b": nn.LSTMCell(3, 4)},
            (
                "The checkpoint has 1 bidirectional layer (`rnn`), the model has 2 cells"
                " (`f` and `b`) instead."
            ),
        ),
        (
            {"gru_f": nn.GRUCell(3, 4), "gru_b": nn.GRUCell(3, 4)},
            {"gru": nn.GRU(3, 4, bidirectional=True)},
            (
                "The checkpoint has 2 GRUCells (`gru_f` and `gru_b`), the model has 1 bidirectional"
                " GRU layer (`gru`) instead."
            ),
        ),
    ],
)
def test_cells_and_layers_are_described(
    saved: dict[str, nn.Module], model: dict[str, nn.Module], meaning: str
) -> None:
    found = explained(refused(nn.ModuleDict(model), nn.ModuleDict(saved).state_dict()))
    assert found.mistake == "checkpoint-cells"
    assert found.meaning == meaning
    several = max(len(saved), len(model)) > 1
    assert ("which cell runs backwards" in found.causes[0].tell) == several


def test_cells_beside_layers_on_one_side_are_no_replacement() -> None:
    saved = nn.ModuleDict({"a": nn.GRUCell(3, 4), "b": nn.GRU(3, 4)})
    model = nn.ModuleDict({"c": nn.GRU(5, 6), "d": nn.Linear(3, 4)})
    found = explained(refused(model, saved.state_dict()))
    assert found.mistake != "checkpoint-cells"


# Other layers


@pytest.mark.parametrize(
    ("name", "saved", "built", "meaning", "places"),
    [
        (
            "word_emb.weight",
            (20, 8),
            (20, 16),
            "The embedding `word_emb` has embedding_dim 8 in the checkpoint, but 16 in the model.",
            ("num_embeddings", "embedding_dim"),
        ),
        (
            "fc.weight",
            (5, 8),
            (7, 8),
            "The linear layer `fc` has out_features 5 in the checkpoint, but 7 in the model.",
            ("out_features", "in_features"),
        ),
        (
            "conv.weight",
            (5, 8, 3),
            (5, 8, 5),
            (
                "The weight `conv.weight` has shape (5, 8, 3) in the checkpoint, but (5, 8, 5) in"
                " the model."
            ),
            ("dim 0", "dim 1", "dim 2"),
        ),
        (
            "weight",
            (5, 8),
            (5, 9),
            "The linear layer has in_features 8 in the checkpoint, but 9 in the model.",
            ("out_features", "in_features"),
        ),
    ],
)
def test_the_field_of_another_layer_is_named(
    name: str, saved: tuple[int, ...], built: tuple[int, ...], meaning: str, places: tuple[str, ...]
) -> None:
    found = explained(f"RuntimeError: {mismatch(name, saved, built)}")
    assert (found.mistake, found.meaning) == ("checkpoint-sizes", meaning)
    assert found.comparison is not None
    assert (found.comparison.places, found.comparison.title) == (places, name)
    assert (found.comparison.expected, found.comparison.got) == (saved, built)


def test_of_several_sizes_the_matrix_is_shown_and_the_rest_named() -> None:
    lines = [
        mismatch("fc.bias", (5,), (7,)),
        mismatch("fc.weight", (5, 8), (7, 8)),
        mismatch("emb.weight", (9, 3), (8, 3)),
    ]
    found = explained("RuntimeError: Error(s) in loading:\n\t" + "\n\t".join(lines))
    assert found.meaning.startswith("The linear layer `fc` has out_features 5")
    assert found.notes[0] == "Other sizes also differ: `fc.bias` and `emb.weight`."


def test_a_bias_shows_that_a_layer_of_words_is_no_embedding() -> None:
    lines = [mismatch("word.weight", (5, 8), (7, 8)), mismatch("word.bias", (5,), (7,))]
    found = explained("RuntimeError: Error(s) in loading:\n\t" + "\n\t".join(lines))
    assert found.meaning.startswith("The linear layer `word` has out_features 5")


@pytest.mark.parametrize(("heading", "causes"), [("Missing", 3), ("Unexpected", 2)])
def test_another_entry_may_hold_what_is_missing(heading: str, causes: int) -> None:
    found = explained(
        "RuntimeError: Error(s) in loading state_dict for Net:\n"
        f'\t{heading} key(s) in state_dict: "fc.weight", "fc.bias".'
    )
    assert found.mistake == "checkpoint-names"
    assert len(found.causes) == causes
    verb = "lacks" if heading == "Missing" else "has"
    assert f"{verb} `fc.weight` and `fc.bias`" in found.meaning


def test_two_layers_that_one_side_lacks_are_described() -> None:
    model = nn.ModuleDict({name: nn.GRU(3, 4) for name in "abc"})
    found = explained(refused(model, {"fc.weight": torch.zeros(1)}))
    assert found.notes[0].count("which only the model has") == 2
    assert "which the model lacks" in found.meaning
