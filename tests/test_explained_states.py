"""Which states an error speaks of, where several could be meant."""

from __future__ import annotations

import pytest

import rnnshape
from tests.provoked import explained_text

_IN_RNN = '  File "torch/nn/modules/rnn.py", line 892, in forward\n    {}\n'
_IN_LINEAR = '  File "torch/nn/modules/linear.py", line 125, in forward\n    {}\n'


def _mistake(text: str) -> str:
    explanation = rnnshape.explain(text)
    return "" if explanation is None else explanation.mistake


@pytest.mark.parametrize(
    ("types", "is_one"),
    [
        ("Tensor, Tensor, list, bool, int, float, bool, bool, bool", True),
        ("Tensor, tuple, list, bool, int, float, bool, bool, bool", False),
        ("Tensor, list, bool, int, float, bool, bool, bool", False),
        ("Tensor, Tensor, bool, int, float, bool, bool, bool", False),
        ("Tensor, Tensor, list, bool, int, float, int, bool, bool", False),
    ],
)
def test_one_tensor_stands_before_the_weights_where_the_state_is_one(
    types: str, is_one: bool
) -> None:
    text = f"TypeError: lstm() received an invalid combination of arguments - got ({types})"
    assert (_mistake(text) == "state-one-tensor") is is_one


def test_an_index_alone_is_often_a_state_that_is_one_tensor() -> None:
    error = "IndexError: index 1 is out of bounds for dimension 0 with size 1"
    assert explained_text(error).meaning.startswith("Often it is this: an LSTM takes a tuple (h, c")
    said = explained_text(f"out = lstm(x, h)\n{error}").meaning
    assert said.startswith("An LSTM takes a tuple (h, c)")


@pytest.mark.parametrize(
    ("wanted", "mistake"), [("batched 3", "state-dimensions"), ("unbatched 2", "state-unbatched")]
)
def test_states_need_the_dimensions_of_the_input(wanted: str, mistake: str) -> None:
    wanted_dims = wanted[-1]
    said = (
        f"For {wanted}-D input, hx and cx should also be {wanted_dims}-D but got ({{}}-D, {{}}-D)"
    )
    for given in ("22", "23", "32", "33"):
        fits = given == 2 * wanted_dims
        assert _mistake(said.format(*given) + " tensors") == ("" if fits else mistake)


@pytest.mark.parametrize(
    ("frame", "name", "is_state"),
    [
        (_IN_RNN.format("batch = hx.size(1)"), "size", True),
        (_IN_RNN.format("if hx.dim() != 2:"), "dim", True),
        (_IN_RNN.format("batch = hx.size(1)"), "shape", False),
        (_IN_LINEAR.format("return hx.size(1)"), "size", False),
        (_IN_RNN.format("batch = input.size(1)"), "size", False),
    ],
)
def test_a_tuple_is_a_state_where_the_layer_asks_it_for_its_size(
    frame: str, name: str, is_state: bool
) -> None:
    text = f"{frame}AttributeError: 'tuple' object has no attribute '{name}'"
    assert (_mistake(text) == "state-tuple") is is_state


@pytest.mark.parametrize(
    ("before", "is_state"),
    [
        ("h, c = self.lstm_cell(x, state)\n", True),
        (_IN_RNN.format("hx[0]"), True),
        (_IN_LINEAR.format("hx[0]"), False),
    ],
)
def test_none_is_a_state_where_a_cell_looks_into_it(before: str, is_state: bool) -> None:
    text = f"{before}TypeError: 'NoneType' object is not subscriptable"
    assert (_mistake(text) == "cell-state-none") is is_state


@pytest.mark.parametrize(("entry", "state"), [("hx", "h_0"), ("cx", "c_0")])
def test_cudnn_names_the_state_that_is_not_contiguous(entry: str, state: str) -> None:
    meaning = explained_text(f"RuntimeError: rnn: {entry} is not contiguous").meaning
    assert meaning.startswith(f"`{state}` is a view")


@pytest.mark.parametrize(
    ("text", "meaning", "both"),
    [
        (
            "LSTMCell: Input batch size 2 doesn't match hidden[0] batch size 5",
            "`h` has batch 5",
            True,
        ),
        (
            "LSTMCell: Input batch size 2 doesn't match hidden[1] batch size 5",
            "`c` has batch 5",
            True,
        ),
        ("GRUCell: Input batch size 2 doesn't match hidden batch size 5", "`h` has batch 5", False),
        ("RNNCell: Input batch size 2 doesn't match hidden batch size 5", "`h` has batch 5", False),
    ],
)
def test_a_cell_has_c_only_where_it_is_of_an_lstm(text: str, meaning: str, both: bool) -> None:
    explanation = explained_text(f"RuntimeError: {text}")
    assert explanation.meaning.startswith(meaning)
    assert f"the {text.partition(':')[0]}" in explanation.meaning
    (made,) = (each.fix for each in explanation.causes if "torch.zeros" in each.fix)
    assert made.endswith("# and c likewise") is both


def test_one_tensor_for_both_states_of_a_cell_is_no_cause_of_another_c() -> None:
    said = "LSTMCell: Input batch size 1 doesn't match hidden[{}] batch size 5"
    first = [explained_text(said.format(place)).causes[0].why[:10] for place in range(2)]
    assert first == ["One tensor", "The state "]


@pytest.mark.parametrize(
    ("which", "state"), [("hidden", "h"), ("hx[0]", "h"), ("hx[1]", "c"), ("hx[2]", "h")]
)
def test_a_cell_names_the_state_with_too_many_dimensions(which: str, state: str) -> None:
    text = f"LSTMCell: Expected {which} to be 1D or 2D, got 3D instead"
    assert explained_text(text).meaning.startswith(f"`{state}` has 3 dimensions")
