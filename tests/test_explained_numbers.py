"""What explanations compute and read of a message: multiples, dtypes, conditions."""

from __future__ import annotations

from typing import Final

import pytest
import torch

from rnnshape.analysis.explanation import conditions
from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.multiples import multiple
from rnnshape.analysis.explanation.records import Known
from rnnshape.analysis.explanation.statements import Statement, Text
from rnnshape.analysis.explanation.tensor_types import both_names, dtype_of, tensor_types


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


@pytest.mark.filterwarnings("ignore:ComplexHalf support")
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
