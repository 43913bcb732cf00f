"""What explanations compute and read of a message: multiples, dtypes, conditions."""

from __future__ import annotations

import re
from itertools import product
from math import gcd, prod
from typing import Any, Final

import pytest
import torch

from rnnshape.analysis.explanation import conditions
from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.explain import explain
from rnnshape.analysis.explanation.multiples import multiple
from rnnshape.analysis.explanation.records import Known
from rnnshape.analysis.explanation.statements import Statement, Text
from rnnshape.analysis.explanation.tensor_types import both_names, dtype_of, tensor_types
from tests.provoked import explained


@pytest.mark.parametrize(
    ("a", "b", "small", "large", "times"),
    [
        (3, 12, 3, 12, 4),
        (12, 3, 3, 12, 4),
        (7, 7, 7, 7, 1),
        (1, 5, 1, 5, 5),
        (5, 13, 5, 13, 0),  # 13 = 2 x 5 + 3
        (4, 6, 4, 6, 0),
        (0, 5, 0, 5, 0),  # an empty dimension has no multiples
        (0, 0, 0, 0, 0),
    ],
)
def test_a_multiple_is_whole_and_of_a_size_that_is_not_0(
    a: int, b: int, small: int, large: int, times: int
) -> None:
    assert multiple(a, b) == {"small": small, "large": large, "times": times}


# The order of `ScalarType` in c10/core/ScalarType.h, by which torch 1.2 names a dtype.
NUMBERED: Final = (
    *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float16, torch.float32, torch.float64),
    *(torch.complex32, torch.complex64, torch.complex128, torch.bool),
)


def name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


@pytest.mark.parametrize("dtype", [*NUMBERED, torch.bfloat16], ids=name_of)
def test_a_dtype_is_known_by_each_of_its_names(dtype: torch.dtype) -> None:
    of_tensor = torch.zeros(1, dtype=dtype).type()  # "torch.DoubleTensor"
    scalar = of_tensor.removeprefix("torch.").removesuffix("Tensor")
    for text in (str(dtype), name_of(dtype), scalar, of_tensor, f"'{of_tensor}'"):
        assert dtype_of(text) == name_of(dtype), text
    assert dtype_of(of_tensor.replace("torch.", "torch.cuda.")) == name_of(dtype)
    for text in (f"CPU{scalar}Type", f"Variable[CUDA{scalar}Type]", f"c10::{scalar}"):
        assert dtype_of(text) == name_of(dtype), text


@pytest.mark.parametrize(("number", "dtype"), [*enumerate(NUMBERED)])
def test_a_dtype_is_known_by_its_number(number: int, dtype: torch.dtype) -> None:
    assert dtype_of(str(number)) == name_of(dtype)


@pytest.mark.parametrize("text", ["12", "999", "Tensor", "list", ""])
def test_what_names_no_dtype_is_none(text: str) -> None:
    assert dtype_of(text) is None
    assert both_names(text) == text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Double", "float64 (Double)"),
        ("torch.float64", "float64 (Double)"),
        ("6", "float32 (Float)"),
        ("torch.cuda.HalfTensor", "float16 (Half)"),
        ("BFloat16", "bfloat16"),
        ("torch.bool", "bool"),
    ],
)
def test_a_dtype_is_said_by_both_of_its_names(text: str, names: str) -> None:
    assert both_names(text) == names


def clues(text: str = "RuntimeError: a message", **numbers: object) -> Clues:
    """The clues of the last line of a text, whose message holds these numbers."""
    name, _, message = text.splitlines()[-1].rpartition(": ")
    statement = Statement(name=name, message=message, number=text.count("\n"))
    found = Clues(statement, Text(text), Known())
    found.numbers = dict(numbers)
    return found


@pytest.mark.parametrize(
    ("larger", "smaller", "holding"),
    [(8, 4, True), (2, 1, True), (4, 8, False), (4, 4, False), (9, 4, False), (0, 0, False)],
)
def test_twice_is_twice_a_number_that_is_not_0(larger: int, smaller: int, holding: bool) -> None:
    condition = conditions.twice("larger", "smaller")
    assert condition(clues(larger=larger, smaller=smaller)) is holding


@pytest.mark.parametrize(
    ("number", "holding"), [(1, True), (-1, True), (0, False), ((), False), (None, False)]
)
def test_a_number_holds_unless_it_is_nothing(number: object, holding: bool) -> None:
    assert conditions.holds("number")(clues(number=number)) is holding
    assert conditions.holds("other")(clues(number=number)) is False


def test_a_number_equals_one_of_several() -> None:
    condition = conditions.equals("number", 3, 5)
    assert [n for n in range(7) if condition(clues(number=n))] == [3, 5]
    assert condition(clues()) is False


@pytest.mark.parametrize("a", [False, True])
@pytest.mark.parametrize("b", [False, True])
def test_conditions_are_joined_as_python_joins_them(a: bool, b: bool) -> None:
    of_a, of_b = (conditions.always if each else conditions.never for each in (a, b))
    assert (of_a(clues()), of_b(clues())) == (a, b)
    assert conditions.both(of_a, of_b)(clues()) is (a and b)
    assert conditions.either(of_a, of_b)(clues()) is (a or b)
    assert conditions.unless(of_a)(clues()) is (not a)


def test_each_type_of_tensor_is_counted_once() -> None:
    """The arguments are those of torch 0.3, whose dtype or device differs."""
    types = "int, torch.cuda.FloatTensor, int, torch.DoubleTensor, torch.cuda.FloatTensor, list"
    expected = ("torch.cuda.FloatTensor", "torch.DoubleTensor")
    assert tensor_types(clues(types=types)) == expected


def test_words_are_mentioned_in_any_case() -> None:
    text = "out = nn.DataParallel(lstm)(x)\nRuntimeError: sizes differ"
    assert conditions.mentions("sizes", "never")(clues(text)) is True
    assert conditions.mentions("dataparallel")(clues(text)) is True
    assert conditions.mentions("gru")(clues(text)) is False
    assert conditions.in_parallel(clues(text)) is True
    assert conditions.in_parallel(clues()) is False


SIZES: Final = (*range(1, 10), 15, 16, 20, 24, 30, 32, 40, 42, 48, 64, 80)
PAIRS: Final = [(a, b) for a in SIZES for b in SIZES if a != b]


def reasons(text: str) -> str:
    """Every reason that is given, one on a line; each equation in them holds."""
    explanation = explain(text)
    assert explanation is not None, text
    said = "\n".join(cause.why for cause in explanation.causes)
    for whole, of in re.findall(r"(\d+) = (\d+ x \d+)", said):
        assert int(whole) == prod(map(int, of.split(" x "))), said
    for one, other, whole in re.findall(r"(\d+)[a-z ]* x (\d+)[a-z ]* = (\d+)", said):
        assert int(one) * int(other) == int(whole), said
    return said


def given(said: str, **reason: bool) -> None:
    """Check that each of these reasons, `_` for a blank, is given just where it is true."""
    folded = said.casefold()
    found = {words: words.replace("_", " ").casefold() in folded for words in reason}
    assert found == reason, said


def test_the_features_of_an_input_are_related_as_the_numbers_are() -> None:
    for wanted, got in PAIRS:
        message = f"input.size(-1) must be equal to input_size. Expected {wanted}, got {got}"
        said = reasons(f"RuntimeError: {message}")
        alone = 1 in (wanted, got)
        given(
            said,
            no_axis_of_features=wanted == 1,
            comes_from_a_bidirectional_layer=got == 2 * wanted > 2,
            Steps_were_flattened=wanted > 1 and got in range(3 * wanted, 81, wanted),
            The_data_has=not alone and abs(got - wanted) <= 2,
            the_number_of_steps=got == 1,
            made_for_the_output_of_a_bidirectional_layer=wanted == 2 * got > 2,
        )


@pytest.mark.parametrize(
    ("wanted", "got", "columns"),
    [
        (100, 101, "1 column more"),
        (100, 95, "5 columns fewer"),
        (100, 94, ""),  # over one in twenty
        (119, 124, "5 columns more"),
        (119, 125, ""),
        (40, 42, "2 columns more"),
        (10, 12, "2 columns more"),
        (10, 13, ""),
    ],
)
def test_a_few_columns_are_one_in_twenty_or_two(wanted: int, got: int, columns: str) -> None:
    message = f"input.size(-1) must be equal to input_size. Expected {wanted}, got {got}"
    said = reasons(f"RuntimeError: {message}")
    assert ("The data has" in said) is bool(columns)
    assert columns in said


@pytest.mark.parametrize("dim", [0, 1, 2, 3])
def test_the_sizes_of_a_sum_are_related_as_the_numbers_are(dim: int) -> None:
    for a, b in PAIRS:
        said = reasons(
            f"RuntimeError: The size of tensor a ({a}) must match the size of tensor b ({b}) at"
            f" non-singleton dimension {dim} in nn.GRU"
        )
        small, large = min(a, b), max(a, b)
        given(
            said,
            has_all_gates_side_by_side=dim > 0
            and small >= 16
            and large in (1.5 * small, 3 * small, 4 * small),
            the_layer_is_bidirectional=dim > 0 and large == 2 * small,
            a_batch_axis_met_a_sequence_axis=dim < 2,
            the_padded_output_is_shorter=dim < 2,
            The_last_batch_of_the_data_is_smaller=dim < 2,
            The_features_differ=dim > 1,
        )


@pytest.mark.parametrize(
    ("a", "b", "gates"),
    [
        (16, 48, "48 = 3 x 16 or 4 x 12"),
        (16, 24, "24 = 3 x 8 or 4 x 6"),
        (64, 16, "64 = 4 x 16"),
        (30, 20, "30 = 3 x 10"),
        (90, 30, "90 = 3 x 30"),
    ],
)
def test_gates_side_by_side_are_three_or_four(a: int, b: int, gates: str) -> None:
    said = reasons(
        f"RuntimeError: The size of tensor a ({a}) must match the size of tensor b ({b}) at"
        " non-singleton dimension 1 in nn.GRU"
    )
    assert f"all gates side by side, {gates}, and the other, {min(a, b)}," in said


@pytest.mark.parametrize(("rows", "out"), [(7, 5), (24, 9), (3, 8)])
def test_the_sizes_of_a_product_are_related_as_the_numbers_are(rows: int, out: int) -> None:
    for got, wanted in PAIRS:
        text = (
            f"lstm\nRuntimeError: mat1 and mat2 shapes cannot be multiplied ({rows}x{got} and"
            f" {wanted}x{out})"
        )
        said, explanation = reasons(text), explain(text)
        assert explanation is not None
        of_two_directions = f"rnnshape lstm --hidden {min(got, wanted)} --bidir --show states"
        shown = explanation.more == of_two_directions
        assert shown is (max(got, wanted) == 2 * min(got, wanted))
        multiple_of = max(got, wanted) % min(got, wanted) == 0
        given(
            said,
            is_the_output_of_a_bidirectional_layer=got == 2 * wanted,
            two_tensors_of=got == 2 * wanted,
            was_made_for_a_bidirectional_layer=wanted == 2 * got,
            only_one_direction_is_passed=wanted == 2 * got,
            but_gets_each_step_by_itself=wanted > 2 * got and multiple_of,
            the_whole_sequence_was_flattened=got > 2 * wanted and multiple_of,
            layers_and_directions_were_joined=got > 2 * wanted and multiple_of,
            Both_are_multiples_of=not multiple_of and gcd(got, wanted) >= 8,
            The_axes_are_in_another_order=rows == wanted,
            was_not_made_for_the_size_of_the_output=not multiple_of,
            own_weights=out in (8, 9),
        )
        if not multiple_of:
            assert f"something of {abs(got - wanted)} feature" in said


STATES: Final = [*product((1, 2, 4), (1, 4, 6), (4, 8, 12))]  # layers x directions, batch, features
AXES: Final = ("state-layers", "state-batch", "state-features")


def mistake_of(expected: tuple[int, ...], got: tuple[int, ...]) -> str:
    """What is wrong with a state, told again from its two shapes."""
    (layers, batch, features), (got_layers, got_batch, got_features) = expected, got
    differ = [axis for axis in range(3) if expected[axis] != got[axis]]
    if len(differ) == 1:
        return AXES[differ[0]]
    if sorted(expected) == sorted(got):
        return "state-transposed"
    joined = (got_layers, features) == (2 * layers, 2 * got_features)
    apart = (layers, got_features) == (2 * got_layers, 2 * features)
    return "state-directions" if batch == got_batch and (joined or apart) else "state-shape"


@pytest.mark.parametrize("expected", STATES)
def test_the_sizes_of_a_state_are_related_as_the_numbers_are(expected: tuple[int, ...]) -> None:
    layers, batch, features = expected
    for got in STATES:
        if got == expected:
            continue
        text = f"RuntimeError: Expected hidden size {expected}, got {[*got]}"
        explanation, said = explain(text), reasons(text)
        assert explanation is not None
        assert explanation.mistake == mistake_of(expected, got), text
        got_layers, got_batch, got_features = got
        match explanation.mistake:
            case "state-batch":
                given(
                    said,
                    lacks_its_axis_of_steps=batch == 1,
                    The_last_batch_of_the_data_is_smaller=1 < batch < got_batch,
                    is_of_a_single_sequence=got_batch == 1,
                    kept_from_a_smaller_one=1 < got_batch < batch,
                    DataParallel=False,
                )
            case "state-layers":
                given(
                    said,
                    comes_from_a_bidirectional_layer=got_layers == 2 * layers,
                    such_as_all_those_of_an_encoder=got_layers > layers,
                    was_made_for_one_direction=layers == 2 * got_layers,
                    a_layer_with_fewer_layers=got_layers < layers,
                )
            case "state-features":
                given(
                    said,
                    two_directions_of_a_bidirectional_layer=got_features == 2 * features,
                    two_directions_of_an_encoder=features == 2 * got_features,
                    has_a_projection=False,
                )
            case "state-shape":
                gpus = layers // got_layers
                split = got == (layers // gpus, batch * gpus, features) if gpus > 1 else False
                given(said, DataParallel=split)
            case _:  # the line that is given makes a state that fits
                names = {"h_0": torch.zeros(got)}
                exec(explanation.causes[0].fix, names)  # noqa: S102
                assert names["h_0"].shape == expected
                if explanation.mistake == "state-transposed":
                    axes = [str(axis) for axis in range(3) if expected[axis] != got[axis]]
                    swap = f"h_0 = h_0.transpose({', '.join(axes)})"
                    assert explanation.causes[0].fix.startswith(swap) is (len(axes) == 2)


@pytest.mark.parametrize(
    ("batch", "got", "split"),
    [
        (2, 4, True),
        (1, 2, False),
        (5, 10, True),
        (5, 15, True),
        (5, 20, True),
        (5, 40, True),
        (5, 25, False),
        (5, 7, False),
    ],
)
def test_a_batch_for_2_3_4_or_8_gpus_may_have_been_split(batch: int, got: int, split: bool) -> None:
    said = reasons(f"RuntimeError: Expected hidden size (1, {batch}, 4), got [1, {got}, 4]")
    given(said, DataParallel=split)


def test_the_sizes_of_tensors_that_are_joined_are_related_as_the_numbers_are() -> None:
    for one, other in PAIRS:
        said = reasons(
            "RuntimeError: Sizes of tensors must match except in dimension 2. Expected size"
            f" {one} but got size {other} for tensor number 1 in the list."
        )
        small, large = min(one, other), max(one, other)
        given(
            said,
            so_its_first_size_is=small == 1 and large <= 8,
            A_tensor_of_one_step=small == 1,
            The_sequences_have_different_lengths=small != 1,
        )


@pytest.mark.parametrize(
    ("shape", "size", "needs", "times"),
    [
        ("[2, 3, 5]", 60, "2 x 3 x 5 = 30", "2 times less"),
        ("[2, 3, 5]", 15, "2 x 3 x 5 = 30", "2 times more"),
        ("[8, 5]", 5, "8 x 5 = 40", "8 times more"),
        ("[9, 5]", 5, "9 x 5 = 45", ""),
        ("[4, 5]", 15, "4 x 5 = 20", ""),
        ("[6]", 3, "6 = 6", "2 times more"),
        ("[-1, 3]", 10, "a multiple of 3", ""),
        ("[2, -1, 3]", 9, "a multiple of 6", ""),
    ],
)
def test_the_sizes_of_a_view_are_multiplied(shape: str, size: int, needs: str, times: str) -> None:
    text = f"RuntimeError: shape '{shape}' is invalid for input of size {size}"
    explanation, said = explain(text), reasons(text)
    assert explanation is not None
    assert f"needs {needs}, but there are {size} elements" in explanation.meaning
    given(said, counted_wrongly=bool(times))
    assert times in said


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (
            "index 5 is out of bounds for dimension 0 with size 3",
            "dimension 0 has size 3, so the last index is 2.",
        ),
        (
            "select(): index 5 out of range for tensor of size [3, 4] at dimension 1",
            "dimension 1 has size 4, so the last index is 3.",
        ),
        (
            "select(): index 5 out of range for tensor of size [3, 4] at dimension 0",
            "dimension 0 has size 3, so the last index is 2.",
        ),
        (
            "select(): index 5 out of range for tensor of size [3, 4] at dimension -2",
            "dimension -2 has size 3, so the last index is 2.",
        ),
        (
            "index 2 is out of bounds for dimension 0 with size 0",
            "dimension 0 is empty: its size is 0.",
        ),
        (
            "INDICES element is out of DATA bounds, id=7 axis_dim=7",
            "the dimension has size 7, so the last index is 6.",
        ),
    ],
)
def test_the_last_index_is_one_less_than_the_size(text: str, meaning: str) -> None:
    explanation = explain(f"IndexError: {text}\nin nn.LSTM, torch")
    assert explanation is not None
    assert explanation.meaning.endswith(meaning)
    empty = "its size is 0" in meaning
    last = re.search(r"last index is (\d+)", meaning)
    told = " ".join(cause.tell for cause in explanation.causes)
    assert last is None or f"output.shape)` shows more than {last[1]}." in told
    given(
        "\n".join(cause.why for cause in explanation.causes),
        a_loop_runs_over_more_steps=not empty,
        The_tensor_has_no_steps=empty,
        count_from_1=not empty,
        has_fewer_layers=not empty and "dimension 0" in text,
        A_word_or_a_class_has_no_place=not empty and "dimension 0" not in text,
    )


@pytest.mark.parametrize("dim", [2, -3])
def test_no_dimension_that_a_tensor_lacks_has_a_last_index(dim: int) -> None:
    text = f"select(): index 5 out of range for tensor of size [3, 4] at dimension {dim}"
    explanation = explain(f"IndexError: {text}\nin nn.LSTM, torch")
    assert explanation is None or explanation.mistake != "index-range"


@pytest.mark.parametrize(
    ("lowest", "highest", "dim", "has", "needed"),
    [
        *((-2, 1, 2, 2, 3), (-1, 0, 1, 1, 2), (-2, 1, -3, 2, 3), (-3, 2, 5, 3, 6)),
        *((0, -1, -1, 0, 1), (0, -1, 0, 0, 1)),
    ],
)
def test_a_dimension_that_is_lacking_needs_a_tensor_of_more(
    lowest: int, highest: int, dim: int, has: int, needed: int
) -> None:
    assert len(range(lowest, highest + 1)) == 2 * has
    explanation = explain(
        f"IndexError: Dimension out of range (expected to be in range of [{lowest}, {highest}],"
        f" but got {dim}) in torch"
    )
    assert explanation is not None
    assert explanation.meaning == (
        f"Dimension {dim} of a {has}-D tensor was requested: the tensor would have to be"
        f" {needed}-D or more."
    )


def batches(expected: tuple[int, int], got: tuple[int, int]) -> dict[str, bool]:
    """What the batches and the inner sizes of two stacks of matrices allow for."""
    (batch, inner), (got_batch, got_inner) = expected, got
    twice = max(inner, got_inner) == 2 * min(inner, got_inner)
    return {
        "one_of_the_two_is_sequence_first": batch != got_batch,
        "one_is_twice_the_other": twice,
        "are_in_the_other_order": inner != got_inner,
        "the_two_have_different_features": inner != got_inner and not twice,
        "The_last_batch_of_the_data_is_smaller": batch != got_batch,
    }


def test_the_sizes_of_two_batches_are_related_as_the_numbers_are() -> None:
    stacks = [*product((2, 4), (4, 8, 12))]
    for expected, got in product(stacks, stacks):
        if expected == got:
            continue
        text = (
            "RuntimeError: Expected size for first two dimensions of batch2 tensor to be:"
            f" {[*expected]} but got: {[*got]}."
        )
        explanation = explain(text)
        assert explanation is not None
        given(reasons(text), **batches(expected, got))
        for place, words in ((0, "batch {} instead of {}"), (1, "{} rows instead of {}")):
            differ = expected[place] != got[place]
            assert (words.format(got[place], expected[place]) in explanation.meaning) is differ


@pytest.mark.parametrize(("size", "got"), [(4, 5), (4, 8), (8, 4)])
def test_before_torch_1_8_only_the_size_that_differs_is_known(size: int, got: int) -> None:
    text = (
        f"RuntimeError: Expected tensor to have size {size} at dimension {{}}, but got size {got}"
        " for argument #2 'batch2' (while checking arguments for bmm)"
    )
    first, second = text.format(0), text.format(1)
    given(reasons(first), **batches((size, 1), (got, 1)))
    given(reasons(second), **batches((1, size), (1, got)))
    for text_of, words in ((first, f"batch {got}"), (second, f"{got} rows")):
        explanation = explain(text_of)
        assert explanation is not None
        assert explanation.meaning.endswith(f"has {words} instead of {size}.")
        assert explanation.comparison is not None
        assert sorted(map(str, explanation.comparison.expected)) == [str(size), "None"]
        assert sorted(map(str, explanation.comparison.got)) == [str(got), "None"]
    for other in (text.format(2), first.replace("batch2", "batch1")):
        explanation = explain(other)
        assert explanation is None or explanation.mistake != "batch-product"


@pytest.mark.parametrize(
    ("left", "right"), [("[2, 3, 4]", "[5, 6]"), ("[2, 3]", "[4, 5, 6]"), ("[2, 3]", "[3, 5]")]
)
def test_only_two_matrices_that_do_not_fit_are_the_product_of_a_linear(
    left: str, right: str
) -> None:
    text = f"RuntimeError: a and b must have same reduction dim, but got {left} X {right}."
    assert explain(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("torch.cuda.DoubleTensor", "torch.FloatTensor"),
        ("torch.FloatTensor", "torch.cuda.DoubleTensor"),
    ],
)
def test_types_that_differ_in_both_are_on_two_devices_first(one: str, other: str) -> None:
    types = f"type {one} but found type {other}"
    explanation = explain(f"RuntimeError: Expected object of {types} for argument #4 'mat1'")
    assert explanation is not None
    assert explanation.mistake == "device-mixed"


@pytest.mark.parametrize(
    ("one", "other", "names", "whole"),
    [
        ("Long", "Double", "int64 (Long) and float64 (Double)", "int64"),
        ("Float", "Byte", "float32 (Float) and uint8 (Byte)", "uint8"),
        ("torch.int32", "torch.float32", "int32 (Int) and float32 (Float)", "int32"),
    ],
)
def test_both_dtypes_are_named_in_their_order(one: str, other: str, names: str, whole: str) -> None:
    explanation = explain(f"RuntimeError: expected scalar type {one} but found {other}")
    assert explanation is not None
    assert f"different dtypes, {names}" in explanation.meaning
    assert explanation.causes[0].tell == f"`print(x.dtype)` shows torch.{whole}."


@pytest.mark.parametrize(
    ("kind", "gates", "reads", "hidden", "state"),
    [("lstm", 4, 4, 4, True), ("lstm", 4, 3, 4, False), ("gru", 3, 5, 5, True)],
)
def test_a_state_is_to_blame_where_weights_are_as_wide_as_it(
    kind: str, gates: int, reads: int, hidden: int, state: bool
) -> None:
    text = (
        'File "/torch/nn/modules/rnn.py", line 9, in forward\n'
        f"  result = _VF.{kind}(input, hx)\n"
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied"
        f" (9x7 and {reads}x{gates * hidden})"
    )
    explanation = explain(text)
    assert explanation is not None
    assert f"({gates}*{hidden}, {reads}), so `hidden_size` is {hidden}" in explanation.meaning
    given(reasons(text), The_initial_state_has_7_features=state)


def test_a_product_is_that_of_a_linear_where_the_text_says_so() -> None:
    text = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (9x7 and 3x16)"
    frame = '  File "/torch/nn/modules/linear.py", line 134, in forward\n'
    for before in (frame, "    self.fc = nn.Linear(3, 16)\n", "    return F.linear(x, w)\n"):
        explanation = explain(before + text)
        assert explanation is not None
        assert explanation.meaning == "`nn.Linear(3, 16)` takes 3 features, but its input has 7."
    explanation = explain(text)
    assert explanation is not None
    assert explanation.meaning.startswith("A matrix of 7 columns meets one of 3 rows, often")


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("gates = F.linear(input, w_ih, b_ih)", "The last dimension of x is not"),
        ("result = _VF.lstm(input, hx)", "The last dimension of x is not"),
        ("return self.fc(lstm_out)", "The output of a bidirectional layer"),
    ],
)
def test_weights_of_the_layer_in_the_code_tell_its_product_from_others(
    code: str, first: str
) -> None:
    frame = f'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    {code}\n'
    said = reasons(f"{frame}RuntimeError: size mismatch at /pytorch/aten/src/TH/THMath.cpp:9")
    assert said.startswith(first)


@pytest.mark.parametrize(
    ("found", "wanted", "model", "whole"),
    [
        ("torch.int64", "torch.float32", "", True),
        ("torch.float64", "torch.float32", "float64", False),
        ("torch.float32", "torch.float16", "float32", False),
    ],
)
def test_an_input_keeps_its_precision_only_where_it_has_one(
    found: str, wanted: str, model: str, whole: bool
) -> None:
    explanation = explain(
        f"RuntimeError: RNN input dtype ({found}) does not match weight dtype ({wanted})"
    )
    assert explanation is not None
    fixes = [cause.fix for cause in explanation.causes]
    assert (f"model = model.to(torch.{model})" in fixes) is not whole
    given("\n".join(cause.why for cause in explanation.causes), holds_whole_numbers=whole)


def test_what_is_no_dtype_is_no_dtype_of_an_input_or_a_state() -> None:
    for one, other in (("Spam", "Float"), ("Float", "Spam")):
        for text in (
            f"RNN input dtype ({one}) does not match weight dtype ({other})",
            (
                "Input and hidden tensors are not the same dtype, found input tensor with"
                f" {one} and hidden tensor with {other}"
            ),
        ):
            explanation = explain(f"RuntimeError: {text}")
            assert explanation is None or not explanation.mistake.startswith("dtype-")


def test_the_dtype_of_the_state_is_told_from_that_of_the_input() -> None:
    explanation = explain(
        "RuntimeError: Input and hidden tensors are not the same dtype, found input tensor with"
        " Double and hidden tensor with Float"
    )
    assert explanation is not None
    assert explanation.mistake == "dtype-state"
    assert "the input is float64 (Double), but the initial state (hidden) float32 (Float)" in (
        explanation.meaning
    )


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ("    loss = criterion(out, y)\n", "target = target.float()"),
        ('  File "/torch/nn/modules/loss.py", line 9, in f\n', "target = target.float()"),
        ("    loss.backward()\n", "target = target.float()"),
        ("    out = a @ b\n", "x = x.float()"),
    ],
)
def test_a_target_is_to_blame_in_a_loss_or_its_backward(before: str, first: str) -> None:
    explanation = explain(f"{before}RuntimeError: expected scalar type Double but found Float")
    assert explanation is not None
    assert explanation.causes[0].fix.splitlines()[0].partition("  #")[0] == first


def test_a_kernel_that_a_loss_lacks_is_a_matter_of_its_target() -> None:
    for operation in ("mse_cpu", "smooth_l1_cpu", "nll_loss_forward"):
        explanation = explain(f"RuntimeError: \"{operation}\" not implemented for 'Long'")
        assert explanation is None or explanation.mistake != "dtype-unsupported"


@pytest.mark.parametrize(
    ("operation", "dtype", "reason"),
    [
        ("addmm_impl_cpu_", "Half", "in half precision on the CPU"),
        ("addmm_cuda", "Half", "for storing numbers"),
        ("_thnn_fused_lstm_cell_cuda", "BFloat16", "runs in bfloat16"),
        ("addmm_impl_cpu_", "Bool", "holds whole numbers"),
        ("addmm_impl_cpu_", "ComplexFloat", "for storing numbers"),
        ("addmm_impl_cpu_", "Float8_e4m3fn", "for storing numbers"),
    ],
)
def test_the_dtype_and_the_device_tell_why_a_kernel_is_missing(
    operation: str, dtype: str, reason: str
) -> None:
    explanation = explain(f"RuntimeError: \"{operation}\" not implemented for '{dtype}'")
    assert explanation is not None
    assert explanation.mistake == "dtype-unsupported"
    (cause,) = explanation.causes
    assert reason in cause.why


@pytest.mark.parametrize("operation", ["a sentence", "smooth_l1_cpu"])
def test_what_is_no_operation_of_a_layer_lacks_no_kernel_of_it(operation: str) -> None:
    explanation = explain(f"RuntimeError: \"{operation}\" not implemented for 'Half'")
    assert explanation is None or explanation.mistake != "dtype-unsupported"


@pytest.mark.parametrize(("expected", "got"), [("[4, 8, 2]", "[4, 8]"), ("[4, 8]", "[4]")])
def test_two_batches_have_two_sizes_each(expected: str, got: str) -> None:
    text = (
        f"Expected size for first two dimensions of batch2 tensor to be: {expected} but got: {got}."
    )
    explanation = explain(f"RuntimeError: {text}")
    assert explanation is None or explanation.mistake != "batch-product"


@pytest.mark.parametrize(
    ("printed", "first"), [(True, "is bidirectional"), (False, "splits every")]
)
def test_a_printed_layer_of_two_directions_says_more_than_several_gpus(
    printed: bool, first: str
) -> None:
    layer = f"LSTM(3, 4, bidirectional={printed})"
    said = reasons(
        f"model = nn.DataParallel(net)\n{layer}\n"
        "RuntimeError: Expected hidden[0] size (2, 5, 4), got [1, 5, 4]"
    )
    assert first in said.splitlines()[0]


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("nn.LSTM(i, h, proj_size=p)", "The LSTM has a projection"),
        ("LSTM(9, 4)", "The state was made with input_size (9)"),
        ("LSTM(7, 4)", "hidden_size is 4 in the LSTM and 9"),
        ("nn.LSTM(i, h)", "hidden_size is 4 in the LSTM and 9"),
    ],
)
def test_the_constructor_tells_where_the_features_of_a_state_come_from(
    code: str, first: str
) -> None:
    said = reasons(f"{code}\nRuntimeError: Expected hidden[0] size (1, 2, 4), got [1, 2, 9]")
    assert said.startswith(first)


def test_no_size_is_twice_0() -> None:
    explanation = explain("RuntimeError: Expected hidden size (0, 2, 8), got [0, 2, 4]")
    assert explanation is not None
    assert explanation.mistake == "state-features"
    explanation = explain("RuntimeError: Expected hidden size (1, 2, 0), got [2, 2, 0]")
    assert explanation is not None
    assert explanation.mistake == "state-layers"


@pytest.mark.parametrize(
    ("text", "layer", "fixes"),
    [
        ("Expected hidden[0] size {}, got {}", "`h_0` has batch 1, but the LSTM", "h and c"),
        ("Expected hidden[1] size {}, got {}", "`c_0` has batch 1, but the LSTM", "c"),
        ("Expected cell size {}, got {}", "`c_0` has batch 1, but the LSTM", "c"),
        ("LSTM: Expected hidden size {}, got {}", "`h_0` has batch 1, but the LSTM", "h and c"),
        ("GRU: Expected hidden size {}, got {}", "`h_0` has batch 1, but the GRU", "h"),
        ("Expected hidden size {}, got {}", "`h_0` has batch 1, but the layer", "h"),
    ],
)
def test_the_message_tells_which_state_of_which_layer_it_is(
    text: str, layer: str, fixes: str
) -> None:
    explanation = explain(f"RuntimeError: {text.format((1, 5, 4), (1, 1, 4))}")
    assert explanation is not None
    assert explanation.meaning.startswith(layer)
    (fix,) = (cause.fix for cause in explanation.causes if "expand" in cause.fix)
    assert ("# and c_0 likewise" in fix) is (fixes == "h and c")
    made = next(cause.fix for cause in explanation.causes if "torch.zeros(" in cause.fix)
    assert ("c_0 = torch.zeros_like(h_0)" in made) is ("LSTM" in layer)
    module = next(cause.fix for cause in explanation.causes if "batch_first=True)" in cause.fix)
    assert module.startswith("nn.LSTM(" if "LSTM" in layer else "nn.GRU(")


def test_a_message_without_sizes_blames_the_input_unless_the_code_is_not_the_layers() -> None:
    message = "RuntimeError: size mismatch at /pytorch/aten/src/TH/THMath.cpp:9"
    given(reasons(message), The_last_dimension_of_x_is_not=True, bidirectional_layer=True)
    frame = 'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    lstm_fc(x)\n'
    given(reasons(frame + message), The_last_dimension_of_x_is_not=False, bidirectional_layer=True)
    frame = frame.replace("a.py", "/torch/nn/modules/rnn.py")
    given(reasons(frame + message), The_last_dimension_of_x_is_not=True, bidirectional_layer=False)


def test_a_product_that_cublas_refuses_is_one_of_pytorch() -> None:
    text = "RuntimeError: CUDA error: CUBLAS_STATUS_INVALID_VALUE when calling cublasSgemm"
    explanation = explain(text)
    assert explanation is not None
    assert explanation.mistake == "product-refused"
    other = explain(f"{text} in tensorflow")
    assert other is None or other.mistake != "product-refused"


@pytest.mark.parametrize("size", [3, 5])
def test_a_matrix_is_turned_where_the_vector_has_as_many_entries_as_it_has_rows(size: int) -> None:
    matrix, vector = torch.randn(3, 4), torch.randn(size)
    with pytest.raises(RuntimeError) as raised:
        matrix @ vector
    explanation = explain(f"RuntimeError: {raised.value}")
    assert explanation is not None
    fixes = [cause.fix for cause in explanation.causes]
    assert ("matrix.t() @ vector" in fixes) is (size == 3)
    if size == 3:
        assert (matrix.t() @ vector).shape == (4,)


def test_before_torch_0_4_the_number_of_dimensions_stands_in_the_message() -> None:
    explanation = explain(
        "RuntimeError: dimension 2 out of range of 2D tensor at /b/torch/lib/TH/THTensor.c:24"
    )
    assert explanation is not None
    assert explanation.meaning.startswith("Dimension 2 of a 2-D tensor was requested")
    assert explanation.meaning.endswith("to be 3-D or more.")


@pytest.mark.parametrize(
    ("shape", "place"), [("[3, 2, 5]", 0), ("[2, 3, 5]", 1), ("[3, 3, 5]", 1), ("[2, 5, 3]", None)]
)
def test_features_are_found_on_another_axis(shape: str, place: int | None) -> None:
    message = "RuntimeError: input.size(-1) must be equal to input_size. Expected 3, got 5"
    explanation = explain(f"{message}\nx.shape: torch.Size({shape})")
    assert explanation is not None
    fixes = [cause.fix for cause in explanation.causes]
    assert (fixes == [f"x = x.transpose({place}, -1)"]) is (place is not None)


def test_a_layer_of_no_features_is_explained_too() -> None:
    said = reasons("RuntimeError: input.size(-1) must be equal to input_size. Expected 0, got 5")
    given(said, Steps_were_flattened=False, The_axes_of_x_are_in_another_order=True)


@pytest.mark.parametrize(
    ("message", "where"),
    [
        ("Expected size 3 but got size 4 for tensor number 1 in the list.", "another dimension"),
        ("Got 3 and 4 in dimension 0", "dimension 0"),
        ("Got 3 and 4 in dimension 1", "dimension 1"),
        ("Got 3 and 4", "another dimension"),
    ],
)
def test_the_dimension_in_which_joined_tensors_differ_is_told_if_known(
    message: str, where: str
) -> None:
    explanation = explain(
        f"RuntimeError: Sizes of tensors must match except in dimension 2. {message}"
    )
    assert explanation is not None
    assert explanation.meaning.endswith(f"but in {where} they have 3 and 4.")


@pytest.mark.parametrize("statement", ["x.permute(0, 1)", "x.t()"])
def test_permute_is_told_how_many_dimensions_there_are(statement: str) -> None:
    with pytest.raises(RuntimeError) as raised:
        eval(statement, {"x": torch.zeros(2, 3, 4)})  # noqa: S307
    explanation = explain(f"RuntimeError: {raised.value}")
    assert explanation is not None
    shown = ": 2 instead of 3" if "permute" in statement else ", 3"
    assert explanation.meaning.endswith(f"dimensions that the tensor has{shown}.")


def test_old_versions_do_not_say_how_many_dimensions_there_are() -> None:
    explanation = explain("RuntimeError: number of dims don't match in permute, in lstm")
    assert explanation is not None
    assert explanation.meaning.endswith("dimensions that the tensor has.")


@pytest.mark.parametrize(
    ("got", "features"), [("[5, 2, 7]", True), ("[5, 9, 7]", False), ("[9, 2, 7]", False)]
)
def test_cudnn_names_whole_shapes_of_which_the_features_differ(got: str, features: bool) -> None:
    explanation = explain(f"RuntimeError: Expected input size (5, 2, 3), got {got}")
    told = explanation is not None and "has size 7, but input_size of the layer is 3." in (
        explanation.meaning
    )
    assert told is features


@pytest.mark.parametrize(("got", "smaller"), [(1, False), (2, True), (4, True), (6, False)])
def test_a_state_of_a_smaller_batch_was_kept_from_the_last(got: int, smaller: bool) -> None:
    said = reasons(f"RuntimeError: Expected hidden size (1, 5, 4), got [1, {got}, 4]")
    given(said, kept_from_a_smaller_one=smaller)


def test_the_batch_of_x_is_read_where_batch_first_says_it_is() -> None:
    text = "RuntimeError: Expected hidden size (1, 5, 4), got [1, 2, 4]"
    for printed, size in (
        ("", "x.size(1), 4, device=x.device)  # x.size(0) if batch first"),
        ("GRU(3, 4, batch_first=True)\n", "x.size(0), 4, device=x.device)"),
        ("GRU(3, 4, batch_first=False)\n", "x.size(1), 4, device=x.device)"),
    ):
        explanation = explain(printed + text)
        assert explanation is not None
        assert f"h_0 = torch.zeros(1, {size}" in [cause.fix for cause in explanation.causes]


@pytest.mark.parametrize(
    ("got", "order"),
    [
        ((5, 2, 4), "(batch, layer*dir, feature)"),
        ((2, 4, 5), "(layer*dir, feature, batch)"),
        ((4, 2, 5), "(feature, layer*dir, batch)"),
    ],
)
def test_the_axes_of_a_transposed_state_are_told_in_their_order(
    got: tuple[int, ...], order: str
) -> None:
    explanation = explain(f"RuntimeError: Expected hidden[0] size (2, 5, 4), got {[*got]}")
    assert explanation is not None
    assert explanation.meaning.endswith(f"but in the order {order}.")
    compared = explanation.comparison
    assert compared is not None
    assert (compared.title, compared.expected, compared.got) == ("h_0", (2, 5, 4), got)


def test_a_state_of_no_layers_was_not_split() -> None:
    said = reasons("RuntimeError: Expected hidden size (2, 2, 4), got [0, 4, 4]")
    given(said, DataParallel=False)


@pytest.mark.parametrize(
    ("text", "mistake", "said", "first"),
    [
        ("3 dimensions, got 2", "input-dimensions", "2-D (in torch 1.11", "x is (batch, feature)"),
        ("3 dimensions, got 1", "input-dimensions", "1-D, but", "x holds the indices"),
        ("3 dimensions, got 4", "input-dimensions", "4-D, but", "x has several axes of features"),
        ("3 dimensions, got 5", "input-dimensions", "4-D (torch", "x has several axes of features"),
        ("2 dimensions, got 3", "packed-dimensions", "3-D, but", "What was packed"),
        ("2 dimensions, got 1", "packed-dimensions", "1-D, but", "What was packed"),
    ],
)
def test_the_dimensions_of_an_input_decide_between_its_causes(
    text: str, mistake: str, said: str, first: str
) -> None:
    explanation = explain(f"RuntimeError: input must have {text}")
    assert explanation is not None
    assert explanation.mistake == mistake
    assert said in explanation.meaning
    assert explanation.causes[0].why.startswith(first)


def test_three_dimensions_are_as_many_as_an_input_needs() -> None:
    assert explain("RuntimeError: input must have 3 dimensions, got 3") is None


def test_a_layer_is_named_where_the_text_speaks_of_one() -> None:
    text = "RuntimeError: mat1 must be a matrix, got 3-D tensor"
    assert "the output of a recurrent layer" in reasons(text)
    assert "the output of the GRU" in reasons(f"self.gru(x)\n{text}")


def test_the_line_that_raised_is_the_last_of_the_traceback() -> None:
    frames = "".join(
        f'  File "{name}.py", line 3, in f\n    {code}\n'
        for name, code in (("a", "first(x)"), ("b", "second(x)"))
    )
    assert clues(f"Traceback (most recent call last):\n{frames}ValueError: no").code == "second(x)"
    whole = "x = third(x)\nValueError: no"
    assert "third(x)" in clues(whole).code


def test_a_name_that_torch_0_3_lacks_is_a_mistake_of_its_own_layers_only() -> None:
    message = "NameError: name 'fn' is not defined"
    for file, known in (("torch/nn/modules/rnn.py", True), ("a.py", False)):
        frame = (
            f'Traceback (most recent call last):\n  File "{file}", line 3, in f\n    fn(torch.x)\n'
        )
        explanation = explain(frame + message)
        found = explanation is not None and explanation.mistake == "input-size-before-0-4"
        assert found is known


@pytest.mark.parametrize(
    ("code", "index", "first"),
    [
        ("last = h[-2]", -2, "The layer has fewer layers"),
        ("last = h_n[2]", 2, "The layer has fewer layers"),
        ("step = x[2]", 2, "The batch and the sequence are in the other order"),
    ],
)
def test_an_index_from_the_end_or_of_h_n_is_one_of_layers(
    code: str, index: int, first: str
) -> None:
    said = reasons(
        f"    {code}  # of nn.LSTM\n"
        f"IndexError: index {index} is out of bounds for dimension 0 with size 1"
    )
    assert said.startswith(first)
    given(said, a_loop_runs_over_more_steps=index > 0)


def test_the_bug_of_torch_0_3_is_certain_only_beside_a_layer() -> None:
    for text, begins in (("name 'fn' is not defined", "Often"), ("self.lstm(x)\n{}", "Torch 0.3")):
        explanation = explain(text.format("NameError: name 'fn' is not defined"))
        assert explanation is not None
        assert explanation.meaning.startswith(begins)


def test_a_cell_is_called_one() -> None:
    text = "RuntimeError: input has inconsistent input_size: got 7, expected 3"
    explanation = explain(f"gru_cell = nn.GRUCell(3, 4)\n{text}")
    assert explanation is not None
    assert "has size 7, but input_size of the GRUCell is 3" in explanation.meaning


def test_the_kind_before_the_colon_is_that_of_the_layer() -> None:
    text = "ValueError: GRU: Expected input to be 2D or 3D, got 4D instead\nThe LSTM is unharmed."
    explanation = explain(text)
    assert explanation is not None
    assert "but the GRU takes 3 dimensions" in explanation.meaning


@pytest.mark.parametrize(
    ("printed", "order", "step", "sequence"),
    [
        ("", "(seq, batch, feature), or (batch, seq, feature) with batch_first=True;", 0, 1),
        ("GRU(3, 4, batch_first=True)\n", "(batch, seq, feature);", 1, 0),
        ("GRU(3, 4, batch_first=False)\n", "(seq, batch, feature);", 0, 1),
    ],
)
def test_the_axes_that_lack_are_put_where_the_layer_takes_them(
    printed: str, order: str, step: int, sequence: int
) -> None:
    explanation = explain(f"{printed}RuntimeError: input must have 3 dimensions, got 2")
    assert explanation is not None
    assert f"takes 3 dimensions: {order}" in explanation.meaning
    lines = [cause.fix.partition("  #")[0] for cause in explanation.causes]
    assert lines[:2] == [f"x = x.unsqueeze({step})", f"x = x.unsqueeze({sequence})"]
    layer = torch.nn.GRU(3, 4, batch_first="batch_first=True" in printed)
    one_step, one_sequence = torch.zeros(5, 3), torch.zeros(6, 3)
    assert layer(one_step.unsqueeze(step))[1].shape == (1, 5, 4)  # the state of 5 sequences
    assert layer(one_sequence.unsqueeze(sequence))[1].shape == (1, 1, 4)


def test_the_innermost_module_is_the_last_of_the_traceback() -> None:
    frames = "".join(
        f'  File "torch/nn/modules/{name}.py", line 3, in f\n    g(x)\n'
        for name in ("module", "rnn", "container", "linear", "module")
    )
    assert clues(f"Traceback (most recent call last):\n{frames}ValueError: no").frame == "linear"


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("LSTM(3, 4)\nGRU(5, 6, batch_first=True)", (5, 6, None, None, True, None)),
        ("LSTM(3, 4, 2, True, False, 0.5, True)", (3, 4, 2, True, False, None)),
        ("LSTM(3, 4, 2, True, False, bidirectional=True)", (3, 4, 2, True, False, True)),
        ("LSTM(3, n, bias=False)", (3, None, None, False, None, None)),
        (f"LSTM({10**18 - 1}, {10**18})", (10**18 - 1, None, None, None, None, None)),
    ],
)
def test_the_last_constructor_is_read_as_python_reads_its_arguments(
    code: str, fields: tuple[object, ...]
) -> None:
    names = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "bidirectional")
    config = clues(f"{code}\nRuntimeError: a message").config
    assert tuple(config.get(name) for name in names) == fields


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("start (2) + length (5) exceeds dimension size (3).", "5 entries, from entry 2 on"),
        ("start (0) + length (5) exceeds dimension size (3).", "5 entries, from entry 0 on"),
        (
            "maximum size for tensor at dimension 0 is 3 but size is 5",
            "5 entries, from entry 0 on",
        ),
    ],
)
def test_a_slice_is_told_from_where_it_begins(text: str, begins: str) -> None:
    explanation = explain(f"RuntimeError: {text}")
    assert explanation is not None
    assert explanation.meaning.startswith(begins)


@pytest.mark.parametrize(
    ("wanted", "got", "directions"),
    [
        ("[4]", "[5, 2, 8]", "2 x 4 = 8"),
        ("[3, 4]", "[5, 3, 8]", "2 x 4 = 8"),
        ("[4]", "[5, 7]", ""),
    ],
)
def test_a_layer_norm_meets_the_features_of_two_directions(
    wanted: str, got: str, directions: str
) -> None:
    said = reasons(
        f"RuntimeError: Given normalized_shape={wanted}, expected input with shape [*, 4], but got"
        f" input of size{got}"
    )
    given(said, a_bidirectional_layer=bool(directions))
    assert directions in said


def test_a_layer_norm_of_no_sizes_is_not_explained_by_them() -> None:
    explanation = explain(
        "RuntimeError: Given normalized_shape=[4], expected input with shape [*, 4], but got input"
        " of size[]"
    )
    assert explanation is None or explanation.mistake != "layer-norm-features"


@pytest.mark.parametrize("dims", [1, 3, 4])
def test_a_convolution_lacks_a_dimension_only_if_it_has_fewer(dims: int) -> None:
    x, layer = torch.zeros(3, *(4,) * (dims - 1)), torch.nn.Conv1d(4, 2, 1)
    if dims == 3:
        x = torch.zeros(3, 5, 2)
    with pytest.raises(RuntimeError) as raised:
        layer(x)
    explanation = explain(f"RuntimeError: {raised.value} in lstm")
    assert explanation is not None
    fixes = [cause.fix for cause in explanation.causes]
    assert ("x = x.unsqueeze(1)  # (batch, 1, ...)" in fixes) is (dims == 1)
    if dims != 3:
        assert explanation.meaning == f"A layer that takes 3-D input got {dims}-D."


def test_a_batch_norm_of_as_many_dimensions_as_it_takes_lacks_none() -> None:
    explanation = explain("ValueError: expected 2D or 3D input (got 3D input) in torch")
    assert explanation is not None
    assert not any("unsqueeze" in cause.fix for cause in explanation.causes)


@pytest.mark.parametrize("count", [2, 3])
def test_a_tensor_of_several_values_is_told_with_their_number(count: int) -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.zeros(count).item()
    explanation = explain(f"RuntimeError: {raised.value}")
    assert explanation is not None
    assert f" {count} " in explanation.meaning


def fixes_of(text: str) -> list[str]:
    explanation = explain(text)
    assert explanation is not None, text
    return [cause.fix.partition("  #")[0] for cause in explanation.causes]


def test_a_state_of_the_other_order_is_that_of_batch_first() -> None:
    text = "RuntimeError: Expected hidden size (1, 5, 4), got [1, 7, 4]"
    for printed, order in (("True", "x is sequence first"), ("False", "x is batch first")):
        said = reasons(f"GRU(3, 4, batch_first={printed})\n{text}")
        given(
            said,
            x_is_sequence_first=order == "x is sequence first",
            x_is_batch_first=order == "x is batch first",
        )


def test_a_state_of_two_gpus_has_half_the_layers_and_twice_the_batch() -> None:
    text = "RuntimeError: Expected hidden size (2, 5, 4), got [1, {}, 4]"
    assert "over 2 GPUs" in reasons(text.format(10))
    assert "GPUs" not in reasons(text.format(11))


@pytest.mark.parametrize(("got", "turned"), [("[2, 7, 4]", True), ("[2, 6, 4]", False)])
def test_a_state_with_the_batch_first_has_the_layers_second(got: str, turned: bool) -> None:
    fixes = fixes_of(f"RuntimeError: Expected hidden size (7, 3, 4), got {got}")
    assert ("h_0 = h_0.transpose(0, 1).contiguous()" in fixes) is turned


SHAPES: Final = [(1, 5, 4), (2, 5, 4), (2, 1, 4), (1, 1, 4), (2, 5, 1), (1, 5, 1)]


@pytest.mark.parametrize("expected", SHAPES)
def test_before_torch_1_11_the_axes_that_lack_or_are_too_many_are_told(
    expected: tuple[int, ...],
) -> None:
    """The fix, run on a state of that shape, makes the one that the layer takes."""
    longer = {(*expected[:at], 1, *expected[at:]) for at in range(4)}
    shorter = {
        (*expected[:at], *expected[at + 1 :]) for at, size in enumerate(expected) if size == 1
    }
    ones = {tuple(size for size in expected if size > 1)} - shorter - {expected}
    for got in longer | shorter | ones:
        text = f"RuntimeError: Expected hidden size {expected}, got {[*got]}"
        names: dict[str, Any] = {"h_0": torch.zeros(got)}
        fix = fixes_of(text)[0]
        exec(fix, names)  # noqa: S102
        assert names["h_0"].shape == expected, text
        how = "squeeze" if got in longer else "unsqueeze" if got in shorter else "view"
        assert fix.startswith(f"h_0 = h_0.{how}("), text
    for got in ((7, 4), (2, 7, 1, 4)):
        (fix,) = fixes_of(f"RuntimeError: Expected hidden size {expected}, got {[*got]}")
        names = {"x": torch.zeros(9, expected[1], 3), "torch": torch}
        exec(fix, names)  # noqa: S102
        assert names["h_0"].shape == expected


@pytest.mark.parametrize(
    ("entry", "got", "fits"),
    [(0, (5, 4), True), (0, (7, 4), False), (0, (1, 2, 5, 4), None), (1, (5, 4), None)],
)
def test_before_torch_1_11_one_tensor_for_two_lacks_the_first_axis(
    entry: int, got: tuple[int, ...], fits: bool | None
) -> None:
    said = reasons(f"RuntimeError: Expected hidden[{entry}] size (2, 5, 4), got {[*got]}")
    given(said, One_tensor_was_given_as_the_state=fits is not None)
    text = f"RuntimeError: Expected hidden[{entry}] size (1, 5, 4), got {[*got]}"
    first = reasons(text).splitlines()[0]
    assert first.startswith("One tensor") is (fits is not None)


def test_states_of_two_axes_are_not_those_of_old_versions() -> None:
    explanation = explain("RuntimeError: Expected hidden size (5, 4), got [1, 5, 4]")
    assert explanation is None or explanation.mistake != "state-dimensions-before-1-11"


def raised_by(call: str, **names: object) -> str:
    with pytest.raises(RuntimeError) as raised:
        eval(call, names)  # noqa: S307
    return f"RuntimeError: {raised.value}"


ONE_FOR_TWO: Final = "output, (h_n, c_n) = lstm(x, (h_0, torch.zeros_like(h_0)))"


def test_a_known_state_of_three_axes_proves_that_it_was_taken_apart() -> None:
    text = (
        "RuntimeError: For batched 3-D input, hx and cx should also be 3-D but got (2-D, 2-D)"
        " tensors"
    )
    assert fixes_of(f"hidden.shape: (2, 5, 4)\n{text}") == [ONE_FOR_TWO]
    assert len(fixes_of(f"hidden.shape: (5, 4)\n{text}")) == 2


@pytest.mark.parametrize(
    ("shape", "dims", "fix"),
    [
        ((2, 4), "2-D", "h_0 = h_0.unsqueeze(0)"),
        ((1, 2, 1, 4), "4-D", "h_0 = h_0.squeeze(2)"),
        ((4,), "1-D", "h_0 = torch.zeros(1, x.size(1), 4)"),
        ((), "0-D", "h_0 = torch.zeros(1, x.size(1), 4)"),
    ],
)
def test_states_of_another_number_of_dimensions_are_mended(
    shape: tuple[int, ...], dims: str, fix: str
) -> None:
    h_0, x = torch.zeros(shape), torch.zeros(5, 2, 3)
    for layer, states, call in (
        (torch.nn.GRU(3, 4), "`h_0` is", "layer(x, h_0)"),
        (torch.nn.LSTM(3, 4), "`h_0 and c_0` are", "layer(x, (h_0, h_0))"),
    ):
        text = raised_by(call, layer=layer, x=x, h_0=h_0)
        explanation = explain(f"{layer}\n{text}")
        assert explanation is not None
        assert explanation.meaning == (
            f"{states} {dims}, but a 3-D input needs 3-D states: (layer*dir, batch, feature)."
        )
        names = {"h_0": h_0, "x": x, "torch": torch}
        assert fixes_of(f"{layer}\n{text}")[0] == fix
        pair = isinstance(layer, torch.nn.LSTM) and len(shape) == 2
        assert len(explanation.causes) == 1 + pair
        assert (explanation.causes[-1].fix == ONE_FOR_TWO) is pair
        likewise = "# and c_0 likewise" in explanation.causes[0].fix
        assert likewise is isinstance(layer, torch.nn.LSTM)
        exec(fix, names)  # noqa: S102
        eval(call, names | {"layer": layer})  # noqa: S307


def test_states_that_differ_in_their_dimensions_are_both_told() -> None:
    explanation = explain(
        "RuntimeError: For batched 3-D input, hx and cx should also be 3-D but got (2-D, 3-D)"
        " tensors"
    )
    assert explanation is not None
    assert explanation.meaning.startswith("`h_0 and c_0` are 2-D and 3-D, but")
    assert [cause.fix for cause in explanation.causes] == [
        "h_0 = h_0.unsqueeze(0)  # and c_0 likewise"
    ]


@pytest.mark.parametrize("name", ["hidden", "h_0", "h0"])
@pytest.mark.parametrize(
    ("shape", "axis"), [((1, 1, 2, 4), 1), ((1, 2, 4, 1), 3), ((1, 2, 3, 4), 0)]
)
def test_a_known_state_shows_which_axis_to_spare(
    name: str, shape: tuple[int, ...], axis: int
) -> None:
    text = "For batched 3-D input, hx should also be 3-D but got 4-D tensor"
    printed = f"{name}.shape: torch.Size({[*shape]})"
    assert f"h_0 = h_0.squeeze({axis})" in fixes_of(f"{printed}\nRuntimeError: {text}")


def test_layers_of_a_state_are_those_of_the_printed_layer() -> None:
    text = "RuntimeError: For batched 3-D input, hx should also be 3-D but got 1-D tensor"
    for printed, layers in (
        ("GRU(3, 4)", 1),
        ("GRU(3, 4, num_layers=3)", 3),
        ("GRU(3, 4, num_layers=3, bidirectional=True)", 6),
    ):
        fixes = fixes_of(f"{printed}\n{text}")
        assert f"h_0 = torch.zeros({layers}, x.size(1), 4)" in fixes
    assert "h_0 = torch.zeros(1, x.size(1), hidden_size)" in fixes_of(text)


@pytest.mark.parametrize("pair", [False, True])
def test_an_unbatched_input_is_made_one_of_a_batch_where_the_states_have_one(pair: bool) -> None:
    h_0, x = torch.zeros(1, 1, 4), torch.zeros(5, 3)
    layer = torch.nn.LSTM(3, 4) if pair else torch.nn.GRU(3, 4)
    call = "layer(x, (h_0, h_0))" if pair else "layer(x, h_0)"
    text = raised_by(call, layer=layer, x=x, h_0=h_0)
    for printed, step, sequence in (
        (f"{layer}\n", 0, 1),
        (f"{str(layer)[:-1]}, batch_first=True)\n", 1, 0),
    ):
        fixes = fixes_of(f"{printed}{text}")
        assert fixes[:2] == [f"x = x.unsqueeze({sequence})", f"x = x.unsqueeze({step})"]
        assert "h_0 = h_0.squeeze(1)" in fixes
        assert "h_0 = h_0.unsqueeze(0)" not in fixes
    explanation = explain(f"nn.LSTM(3, 4)\n{text}")  # no LSTM has one state alone
    assert explanation is not None
    assert ("so the LSTM takes it" if pair else "so the layer takes it") in explanation.meaning
    explanation = explain(f"nn.RNN(3, 4)\n{text}")
    assert explanation is not None
    assert ("so the LSTM takes it" if pair else "so the RNN takes it") in explanation.meaning
    one = text.replace("3-D tensor", "1-D tensor").replace("(3-D, 3-D)", "(1-D, 1-D)")
    assert fixes_of(one) == ["h_0 = h_0.unsqueeze(0)"]


@pytest.mark.parametrize(
    ("low", "high", "axis", "file", "input_"),
    [
        *((-1, 0, 1, "rnn", True), (-1, 0, 2, "rnn", False), (-1, 0, 1, "linear", False)),
        *((-2, 1, 1, "rnn", False), (-1, 1, 1, "rnn", False)),
    ],
)
def test_the_second_axis_of_an_input_of_one_was_looked_for_by_a_layer(
    low: int, high: int, axis: int, file: str, input_: bool
) -> None:
    explanation = explain(
        f'Traceback (most recent call last):\n  File "torch/nn/modules/{file}.py", line 3, in f\n'
        f"    g(x)\nIndexError: Dimension out of range (expected to be in range of [{low}, {high}],"
        f" but got {axis})"
    )
    assert explanation is not None
    assert (explanation.mistake == "input-one-dimension") is input_


def test_an_empty_sequence_is_looked_for_on_the_axis_of_the_steps() -> None:
    text = "RuntimeError: Expected sequence length to be larger than 0 in RNN"
    for printed, axis in (("", 0), ("GRU(3, 4, batch_first=True)\n", 1)):
        assert any(f"if x.size({axis}) == 0:" in fix for fix in fixes_of(printed + text))


@pytest.mark.parametrize(
    ("file", "code", "array"),
    [
        ("rnn", "batch = input.size(0)", True),
        ("linear", "batch = input.size(0)", False),
        ("rnn", "batch = count(0)", False),
    ],
)
def test_an_array_is_known_by_the_size_that_the_layer_calls(
    file: str, code: str, array: bool
) -> None:
    explanation = explain(
        f'Traceback (most recent call last):\n  File "torch/nn/modules/{file}.py", line 3, in f\n'
        f"    {code}\nTypeError: 'int' object is not callable"
    )
    assert (explanation is not None and explanation.mistake == "input-array") is array


@pytest.mark.parametrize(
    ("text", "given_"),
    [
        ("argument 0 must be Variable, not FloatTensor", "a FloatTensor was given"),
        ("expected Variable as element 0 in argument 0", "a tensor was given"),
    ],
)
def test_before_torch_0_4_what_is_no_variable_is_named(text: str, given_: str) -> None:
    explanation = explain(f"TypeError: {text} of torch's LSTM")
    assert explanation is not None
    assert given_ in explanation.meaning


def test_an_input_of_two_axes_may_hold_tokens() -> None:
    said = reasons("RuntimeError: input must have 3 dimensions, got 2")
    given(said, holds_the_indices_of_tokens=True)


@pytest.mark.parametrize(
    ("code", "first"),
    [("out = self.decoder(x, h)", "x is (batch, feature)"), ("out = net(x, h)", "x is (seq, feat")],
)
def test_a_decoder_is_given_one_step(code: str, first: str) -> None:
    text = "RuntimeError: For unbatched 2-D input, hx should also be 2-D but got 3-D tensor"
    assert reasons(f"{code}\n{text}").startswith(first)


def test_more_digits_than_python_reads_are_no_number() -> None:
    number = "9" * 5000
    assert explain(f"x.shape = ({number}, 3)\ninput must have 3 dimensions, got 2") is not None
    assert dtype_of(number) is None


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("nn.LSTMCell(-3, 4)", "input_size, or in_features, is -3"),
        ("nn.GRUCell(3, -4)", "which has 3 x hidden_size rows: hidden_size is -4"),
        (
            "nn.Linear(3, -4)",
            "an LSTM with hidden_size -1 or an RNN with hidden_size -4, a Linear with out_",
        ),
        ("nn.Embedding(-3, 4)", "a GRU with hidden_size -1 or an RNN with hidden_size -3,"),
        ("nn.Linear(3, -5)", "layer: an RNN with hidden_size -5, a Linear"),
        ("torch.zeros(2, -1, 3)", "-1 stands for whatever size is left"),
        ("torch.zeros(3, 4).view(-3, 4)", "The size is a difference"),
    ],
)
def test_a_negative_size_is_named_as_it_was_given(statement: str, reason: str) -> None:
    assert reason in explained(statement).causes[0].why
