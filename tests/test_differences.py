"""How a recurrent layer differs between a checkpoint and a model, from what an error says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import pytest

from rnnshape.analysis.explanation.differences import Difference, differences
from rnnshape.analysis.explanation.loading import Loading
from rnnshape.layer.facts import Dims

Sizes: TypeAlias = Mapping[str, tuple[Dims, Dims]]  # of the checkpoint, of the model

# 160 = 4 * 40 and 240 = 4 * 60 rows: an LSTM, where the recurrent weight has 40 and 60 columns.
LSTM: Sizes = {"weight_ih_l0": ((160, 20), (240, 20)), "weight_hh_l0": ((160, 40), (240, 60))}
CELL: Sizes = {"weight_ih": ((160, 20), (240, 20)), "weight_hh": ((160, 40), (240, 60))}
BIASES: Sizes = {"bias_ih": ((160,), (240,)), "bias_hh": ((160,), (240,))}
# 320 rows may be 4 * 80 or 320; 240 rows may be 4 * 60, 3 * 80 or 240.
OPEN: Sizes = {"weight_ih_l0": ((320, 40), (240, 40))}


def only(
    sizes: Sizes | None = None,
    *around: str,
    name: str = "rnn",
    missing: Sequence[str] = (),
    unexpected: Sequence[str] = (),
    into: str = "",
) -> Difference:
    """The difference of a module of this name, whose weights are named."""
    before = f"{name}." if name else ""
    said = Loading(
        into=into,
        missing=tuple(f"{before}{each}" for each in missing),
        unexpected=tuple(f"{before}{each}" for each in unexpected),
        sizes={f"{before}{weight}": shapes for weight, shapes in (sizes or {}).items()},
    )
    (found,) = differences(said, *around)
    return found


def sides(difference: Difference) -> dict[str, tuple[object, object]]:
    compared = difference.comparison
    assert len({*compared.places}) == len(compared.places)
    return {
        name: (ours, theirs)
        for name, ours, theirs in zip(compared.places, compared.expected, compared.got, strict=True)
    }


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        (LSTM, "The LSTM `rnn` has hidden_size 40 in the checkpoint, but 60 in the model."),
        (CELL, "The LSTMCell `rnn` has hidden_size 40 in the checkpoint, but 60 in the model."),
        (
            {"weight_hh_l0": ((160, 40), (120, 40))},
            "The layer `rnn` is an LSTM in the checkpoint, but a GRU in the model.",
        ),
        (
            {"weight_hh_l0": ((120, 40), (40, 40))},
            "The layer `rnn` is a GRU in the checkpoint, but an RNN in the model.",
        ),
        (
            {"weight_hh": ((160, 40), (180, 60))},
            (
                "The layer `rnn` is an LSTM with hidden_size 40 in the checkpoint, but a GRU with"
                " hidden_size 60 in the model."
            ),
        ),
        (
            {"weight_hh_l0": ((160, 40), (180, 60)), "weight_ih_l0": ((160, 20), (180, 30))},
            (
                "The layer `rnn` is an LSTM with input_size 20 and hidden_size 40 in the"
                " checkpoint, but a GRU with input_size 30 and hidden_size 60 in the model."
            ),
        ),
        (
            {"weight_ih_l0": ((160, 20), (240, 30)), "weight_hh_l0": ((160, 40), (240, 60))},
            (
                "The LSTM `rnn` has input_size 20 and hidden_size 40 in the checkpoint, but"
                " input_size 30 and hidden_size 60 in the model."
            ),
        ),
        (
            OPEN,
            (
                "The layer `rnn` has weights of 320 rows in the checkpoint, but weights of 240 rows"
                " in the model."
            ),
        ),
        (
            {"weight_ih_l0": ((320, 40), (240, 50))},
            (
                "The layer `rnn` has input_size 40 and weights of 320 rows in the checkpoint, but"
                " input_size 50 and weights of 240 rows in the model."
            ),
        ),
        (
            {"weight_ih_l0": ((240, 40), (240, 50))},
            "The layer `rnn` has input_size 40 in the checkpoint, but 50 in the model.",
        ),
        # 7 rows are those of an RNN alone.
        (
            {"weight_ih_l0": ((7, 40), (240, 40))},
            "The RNN `rnn` has hidden_size 7 in the checkpoint, but 240 in the model.",
        ),
    ],
)
def test_shapes_tell_what_differs(sizes: Sizes, sentence: str) -> None:
    assert only(sizes).sentence == sentence


def weights(place: str, *stems: str) -> list[str]:
    return [f"{stem}_{place}" for stem in stems or ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


@pytest.mark.parametrize(
    ("extra", "field", "more", "fewer", "call"),
    [
        (weights("l1"), "num_layers", 2, 1, "nn.LSTM(..., num_layers={})"),
        ([*weights("l1"), *weights("l2")], "num_layers", 3, 1, "nn.LSTM(..., num_layers={})"),
        (weights("l3"), "num_layers", 4, 3, "nn.LSTM(..., num_layers={})"),
        (weights("l0_reverse"), "bidirectional", True, False, "nn.LSTM(..., bidirectional={})"),
        (weights("l1_reverse"), "bidirectional", True, False, "nn.LSTM(..., bidirectional={})"),
        (weights("l0", "bias_ih"), "bias", True, False, "nn.LSTM(..., bias={})"),
        (weights("l0", "bias_hh"), "bias", True, False, "nn.LSTM(..., bias={})"),
        (["bias_ih", "bias_hh"], "bias", True, False, "nn.LSTMCell(..., bias={})"),
    ],
)
def test_names_that_one_side_lacks_tell_what_it_is(
    extra: Sequence[str], field: str, more: object, fewer: object, call: str
) -> None:
    for difference, ours, theirs in (
        (only(unexpected=extra), more, fewer),
        (only(missing=extra), fewer, more),
    ):
        if isinstance(ours, bool):
            has, but = f"`{field}={ours}`", f"`{field}={theirs}`"
            assert sides(difference) == {field: (str(ours), str(theirs))}
        else:
            has, but = f"{field} {ours}", f"{theirs}"
            assert sides(difference) == {field: (ours, theirs)}
        assert difference.sentence == (
            f"The layer `rnn` has {has} in the checkpoint, but {but} in the model."
        )
        cell = "Cell" * ("Cell" in call)
        others = f"rnn, or nn.GRU{cell}, nn.RNN{cell}"
        assert difference.calls == f"{call.format(ours)}  # {others}"
        assert difference.on_kinds == ""


def test_an_upper_layer_of_both_directions_is_above_one_of_both() -> None:
    extra = ["weight_ih_l1", "weight_ih_l1_reverse"]
    difference = only(unexpected=extra)
    assert sides(difference) == {"num_layers": (2, 1), "bidirectional": ("True", "True")}
    assert difference.calls.startswith("nn.LSTM(..., num_layers=2, bidirectional=True)")


@pytest.mark.parametrize(
    ("sizes", "extra", "lacking"),
    [
        ({"weight_hh_l0": ((160, 40), (240, 60))}, ["weight_ih_l0"], "num_layers"),
        ({"weight_hh": ((160, 40), (240, 60))}, ["weight_ih"], "num_layers"),
        (
            {"bias_ih_l0": ((160,), (240,))},
            ["weight_hh_l0", "weight_hh_l0_reverse"],
            "bidirectional",
        ),
    ],
)
def test_lacking_weights_of_the_first_layer_tell_nothing_of_others(
    sizes: Sizes, extra: Sequence[str], lacking: str
) -> None:
    assert lacking not in sides(only(sizes, unexpected=extra))


def test_what_only_one_side_tells_is_compared_with_nothing() -> None:
    no_layer = {"weight_hh_l0": ((160, 40), (7, 9))}
    assert sides(only(no_layer, unexpected=weights("l1"))) == {
        "kind": ("LSTM", None),
        "hidden_size": (40, None),
        "num_layers": (2, 1),
    }


def test_a_projection_is_more_than_a_smaller_state() -> None:
    difference = only({"weight_hh_l0": ((160, 20), (160, 40))}, unexpected=["weight_hr_l0"])
    assert sides(difference)["proj_size"] == (20, 0)
    assert difference.calls == "nn.LSTM(..., hidden_size=40, proj_size=20)  # rnn"


@pytest.mark.parametrize(
    ("made", "calls"),
    [
        (lambda: only(LSTM), "nn.LSTM(20, 40, ...)  # rnn"),
        (lambda: only(LSTM, name=""), "nn.LSTM(20, 40, ...)  # the layer"),
        (lambda: only(CELL), "nn.LSTMCell(20, 40, ...)  # rnn"),
        (lambda: only({**CELL, **BIASES}), "nn.LSTMCell(20, 40)  # rnn"),
        (
            lambda: only({"weight_hh_l0": ((160, 40), (240, 60))}),
            "nn.LSTM(..., hidden_size=40)  # rnn",
        ),
        (lambda: only(OPEN, name="lstm"), "nn.LSTM(40, 80, ...)  # lstm"),
        (lambda: only(unexpected=weights("l1"), into="MyGRU"), "nn.GRU(..., num_layers=2)  # rnn"),
        (lambda: only(unexpected=weights("l1"), name="gru"), "nn.GRU(..., num_layers=2)  # gru"),
        (
            # 8 rows are no GRU's, though 8 // 3 is 2, and 8 rows of 2 columns are an LSTM's.
            lambda: only({"weight_ih_l0": ((8, 40), (8, 50))}),
            (
                "nn.LSTM(40, 2, ...)  # rnn, if it is an LSTM\n"
                "nn.RNN(40, 8, ...)  # rnn, if it is an RNN"
            ),
        ),
        (
            lambda: only({"weight_ih": ((240, 40), (240, 50))}),
            (
                "nn.LSTMCell(40, 60, ...)  # rnn, if it is an LSTM\n"
                "nn.GRUCell(40, 80, ...)  # rnn, if it is a GRU\n"
                "nn.RNNCell(40, 240, ...)  # rnn, if it is an RNN"
            ),
        ),
    ],
)
def test_the_calls_fit_the_checkpoint(made: Callable[[], Difference], calls: str) -> None:
    difference = made()
    assert difference.calls == calls


def test_without_a_name_it_is_the_layer() -> None:
    text = "The LSTM has hidden_size 40 in the checkpoint, but 60 in the model."
    assert only(LSTM, name="").sentence == text


def test_a_kind_that_is_open_is_listed_with_its_sizes() -> None:
    difference = only(OPEN)
    assert difference.open
    assert difference.on_kinds == (
        "These weights leave the kind open: 320 rows are those of an LSTM with hidden_size 80 or an"
        " RNN with hidden_size 320; 240 rows are those of an LSTM with hidden_size 60, a GRU with"
        " hidden_size 80 or an RNN with hidden_size 240."
    )
    assert sides(difference) == {"input_size": (40, 40), "rows": (320, 240)}


@pytest.mark.parametrize(
    ("made", "kind", "sizes"),
    [
        (lambda: only(OPEN, "lstm = nn.LSTM(40, 60)"), "an LSTM", (80, 60)),
        (lambda: only(OPEN, name="my_lstm"), "an LSTM", (80, 60)),
        (lambda: only({"weight_ih_l0": ((240, 40), (180, 40))}, "GRU(40, 60)"), "a GRU", (80, 60)),
    ],
)
def test_a_kind_that_only_names_tell_is_noted(
    made: Callable[[], Difference], kind: str, sizes: tuple[int, int]
) -> None:
    difference = made()
    assert difference.on_kinds == (
        f"That it is {kind} is taken from the names: these weights do not show it."
    )
    assert not difference.open
    assert sides(difference)["hidden_size"] == sizes


def test_two_kinds_in_the_text_tell_none() -> None:
    assert only(OPEN, "nn.LSTM or nn.GRU").open


def test_a_kind_that_shapes_show_needs_no_note() -> None:
    assert only(LSTM, "nn.LSTM").on_kinds == ""
    assert sides(only(LSTM)) == {
        "kind": ("LSTM", "LSTM"),
        "input_size": (20, 20),
        "hidden_size": (40, 60),
    }


@pytest.mark.parametrize(
    "said",
    [
        Loading(into="GRU", missing=(), unexpected=(), sizes={}),
        Loading(into="", missing=(), unexpected=(), sizes={"fc.weight": ((2, 3), (2, 4))}),
        Loading(into="", missing=(), unexpected=("rnn.weight_hr_l0",), sizes={}),
        # The model has no such layer at all, or the checkpoint has none.
        Loading(into="", missing=(), unexpected=("rnn.weight_hh_l0", "rnn.weight_ih_l0"), sizes={}),
        Loading(into="", missing=("cell.weight_hh", "cell.weight_ih"), unexpected=(), sizes={}),
    ],
)
def test_where_no_layer_of_both_differs_there_is_nothing_to_say(said: Loading) -> None:
    assert differences(said, "nn.LSTM") == []
