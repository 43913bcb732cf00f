"""A Dim is the int that it is worth, and knows the formula that made it."""

from __future__ import annotations

import copy
import math
import operator
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape.dims import (
    Dim,
    formula,
    ints,
    named,
    shape_formula,
    substituted,
    symbols,
    written_shape,
)
from tests.strategies import examples

D, H, N, L = named("D", 2), named("H_out", 40), named("N", 5), named("L", 10)
ONE, ZERO = named("one", 1), named("zero", 0)


@pytest.mark.parametrize(
    ("dim", "in_names", "in_numbers"),
    [
        pytest.param(D * H, "D*H_out", "2*40", id="product"),
        pytest.param(D + H, "D + H_out", "2 + 40", id="sum"),
        pytest.param(H - D, "H_out - D", "40 - 2", id="difference"),
        pytest.param(4 * H, "4*H_out", "4*40", id="literal on the left"),
        pytest.param(H * 4, "H_out*4", "40*4", id="literal on the right"),
        pytest.param(3 + H, "3 + H_out", "3 + 40", id="literal plus"),
        pytest.param(H - 3, "H_out - 3", "40 - 3", id="literal minus"),
        pytest.param(4 * H * N, "4*H_out*N", "4*40*5", id="three factors"),
        pytest.param(D * (H + N), "D*(H_out + N)", "2*(40 + 5)", id="sum as right factor"),
        pytest.param((H + N) * D, "(H_out + N)*D", "(40 + 5)*2", id="sum as left factor"),
        pytest.param(D * (H - N), "D*(H_out - N)", "2*(40 - 5)", id="difference as factor"),
        pytest.param(D * H + N, "D*H_out + N", "2*40 + 5", id="product in a sum"),
        pytest.param(H - D * N, "H_out - D*N", "40 - 2*5", id="product taken away"),
        pytest.param(H - (N - D), "H_out - (N - D)", "40 - (5 - 2)", id="difference taken away"),
        pytest.param(H - (N + D), "H_out - (N + D)", "40 - (5 + 2)", id="sum taken away"),
        pytest.param(H + N - D, "H_out + N - D", "40 + 5 - 2", id="taken away from a sum"),
        pytest.param(H - N - D, "H_out - N - D", "40 - 5 - 2", id="two differences"),
        pytest.param(H + (N - D), "H_out + N - D", "40 + 5 - 2", id="difference added"),
        pytest.param(D * (H * N), "D*H_out*N", "2*40*5", id="products associate"),
    ],
)
def test_a_formula_reads_as_it_was_computed(dim: Dim, in_names: str, in_numbers: str) -> None:
    assert formula(dim) == in_names
    assert substituted(dim) == in_numbers


@pytest.mark.parametrize(
    ("computed", "unchanged"),
    [
        pytest.param(H * 1, H, id="times 1"),
        pytest.param(1 * H, H, id="1 times"),
        pytest.param(H + 0, H, id="plus 0"),
        pytest.param(0 + H, H, id="0 plus"),
        pytest.param(H - 0, H, id="minus 0"),
        pytest.param(sum([H]), H, id="sum, which starts from 0"),
        pytest.param(math.prod([H]), H, id="prod, which starts from 1"),
    ],
)
def test_a_literal_0_or_1_leaves_no_trace(computed: int, unchanged: Dim) -> None:
    assert formula(computed) == formula(unchanged)
    assert computed == unchanged


@pytest.mark.parametrize(
    ("dim", "in_names", "value"),
    [
        pytest.param(ONE * H, "one*H_out", 40, id="a factor worth 1"),
        pytest.param(H * ONE, "H_out*one", 40, id="times a Dim worth 1"),
        pytest.param(H + ZERO, "H_out + zero", 40, id="a term worth 0"),
        pytest.param(ZERO + H, "zero + H_out", 40, id="a first term worth 0"),
        pytest.param(H - ZERO, "H_out - zero", 40, id="a difference of 0"),
        pytest.param(H * 0, "H_out*0", 0, id="times 0, which is not neutral"),
        pytest.param(H + 1, "H_out + 1", 41, id="plus 1, which is not neutral"),
        pytest.param(H * D**0, "H_out", 40, id="times a plain 1 that was a power"),
    ],
)
def test_a_named_1_or_0_is_kept_since_it_holds_for_other_sizes(
    dim: Dim, in_names: str, value: int
) -> None:
    assert formula(dim) == in_names
    assert dim == value


@pytest.mark.parametrize(
    "compute",
    [
        pytest.param(lambda: H // D, id="floor division"),
        pytest.param(lambda: H % 7, id="remainder"),
        pytest.param(lambda: -H, id="negation"),
        pytest.param(lambda: abs(H), id="abs"),
        pytest.param(lambda: H**D, id="power"),
        pytest.param(lambda: 100 - H, id="a plain int less a Dim"),
        pytest.param(lambda: H << 1, id="shift"),
    ],
)
def test_every_other_operation_yields_a_plain_int(compute: Callable[[], int]) -> None:
    assert type(compute()) is int
    assert formula(compute()) == str(compute())


def test_max_gives_one_of_its_arguments_with_its_own_formula() -> None:
    assert formula(max(D, H)) == "H_out"
    assert type(max(D, 100)) is int


def test_a_dim_is_an_int_wherever_an_int_is_wanted() -> None:
    assert str(D * H) == "80"
    assert f"{1000 * H:,}" == "40,000"
    assert {80: "found"}[D * H] == "found"
    assert list(range(10))[D] == 2


def test_a_plain_int_is_its_own_formula() -> None:
    assert formula(-7) == substituted(-7) == "-7"


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(copy.copy, id="copy"),
        pytest.param(copy.deepcopy, id="deepcopy"),
        pytest.param(lambda dim: pickle.loads(pickle.dumps(dim)), id="pickle"),  # noqa: S301
    ],
)
def test_a_copy_keeps_the_formula(again: Callable[[Dim], Dim]) -> None:
    dim = again(D * (H + 1))
    assert (dim, formula(dim), substituted(dim)) == (82, "D*(H_out + 1)", "2*(40 + 1)")


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        pytest.param((L, N, D * H), "(L, N, D*H_out)", id="three axes"),
        pytest.param((4 * H,), "(4*H_out,)", id="one axis keeps its comma"),
        pytest.param((L, 1, 3), "(L, 1, 3)", id="plain sizes"),
        pytest.param((), "()", id="no axes"),
    ],
)
def test_a_shape_is_written_as_a_tuple_of_formulas(shape: tuple[int, ...], text: str) -> None:
    assert shape_formula(shape) == text


@given(st.lists(st.integers(0, 10**30)))
def test_a_shape_of_ints_is_written_as_python_writes_it(sizes: list[int]) -> None:
    assert written_shape(sizes) == str(tuple(sizes))


_OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul}


@st.composite
def _combined(draw: st.DrawFn, parts: st.SearchStrategy[int]) -> int:
    operation: Callable[[int, int], int] = _OPERATIONS[draw(st.sampled_from("+-*"))]
    return operation(draw(parts), draw(parts))


_VALUES = st.integers(-3, 50)
_TREES = st.recursive(
    st.builds(named, st.sampled_from("abcdef"), _VALUES) | _VALUES, _combined, max_leaves=12
)


@examples(300)
@given(_TREES)
def test_the_substituted_formula_evaluates_to_the_number(dim: int) -> None:
    assert eval(substituted(dim)) == dim  # noqa: S307


@examples(300)
@given(st.fixed_dictionaries(dict.fromkeys("abcdef", _VALUES)), st.data())
def test_the_formula_evaluates_to_the_number(values: dict[str, int], data: st.DataObject) -> None:
    leaves = st.sampled_from([named(name, value) for name, value in values.items()])
    dim = data.draw(st.recursive(leaves | _VALUES, _combined, max_leaves=12))
    assert eval(formula(dim), dict(values)) == dim  # noqa: S307


@pytest.mark.parametrize(
    ("value", "named_in_it"),
    [
        pytest.param(H, {"H_out": 40}, id="name"),
        pytest.param(D * (H + 3), {"D": 2, "H_out": 40}, id="both sides"),
        pytest.param(H - D * H, {"H_out": 40, "D": 2}, id="name twice"),
        pytest.param(7, {}, id="literal"),
    ],
)
def test_the_symbols_of_a_formula_come_with_their_sizes(
    value: int, named_in_it: dict[str, int]
) -> None:
    assert list(symbols(value).items()) == list(named_in_it.items())


def test_a_shape_of_dims_has_a_shape_of_plain_ints() -> None:
    shape = ints((L, N, D * H))
    assert shape == (10, 5, 80)
    assert {type(size) for size in shape} == {int}
