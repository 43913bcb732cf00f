"""What some weights of a layer show of it, and the words of the evidence."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rnnshape.layer.config import Kind
from rnnshape.layer.facts import Dims
from rnnshape.layer.inference import infer


def evidence(shapes: Mapping[str, Dims | None], *, complete: bool = False) -> dict[str, str]:
    found = infer(shapes, complete=complete)
    assert found.problem == ""
    return {each.field: each.text for each in found.evidence}


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        (
            {"weight_hh_l0": (160, 40)},
            {
                "kind": "weight_hh_l0 (160, 40): 160 rows / 40 = 4 gates",
                "hidden_size": "weight_hh_l0 (160, 40), no weight_hr, so no proj_size",
            },
        ),
        (
            {"weight_hh_l0": (120, 40)},
            {
                "kind": "weight_hh_l0 (120, 40): 120 rows / 40 = 3 gates",
                "hidden_size": "weight_hh_l0 (120, 40)",
            },
        ),
        (
            {"weight_hh_l0": (40, 40)},
            {
                "kind": "weight_hh_l0 (40, 40): 40 rows / 40 = 1 gate",
                "hidden_size": "weight_hh_l0 (40, 40)",
            },
        ),
        (
            {"weight_hh": (160, 40)},
            {
                "kind": "weight_hh (160, 40): 160 rows / 40 = 4 gates",
                "cell": "no _l0 in the names",
                "hidden_size": "weight_hh (160, 40)",
            },
        ),
        (
            {"weight_hh_l0": (20, 2), "weight_hr_l0": (2, 5)},
            {
                "kind": "weight_hh_l0 (20, 2), weight_hr_l0 (2, 5): 20 rows / 5 = 4 gates",
                "hidden_size": "weight_hr_l0 (2, 5)",
                "proj_size": "weight_hr_l0 (2, 5)",
            },
        ),
        (
            {"weight_hr_l0": (2, 5)},
            {
                "kind": "weight_hr_l0 (2, 5), which only an LSTM has",
                "hidden_size": "weight_hr_l0 (2, 5)",
                "proj_size": "weight_hr_l0 (2, 5)",
            },
        ),
        ({"weight_ih_l0": (160, 20)}, {"input_size": "weight_ih_l0 (160, 20)"}),
        (
            {"bias_ih_l0": (160,), "bias_hh_l0": None},
            {"bias": "bias_ih_l0, bias_hh_l0 (160,)"},
        ),
        ({"weight_ih_l0_reverse": None}, {"bidirectional": "1 name ends in _reverse"}),
        (
            {"weight_ih_l0_reverse": None, "weight_hh_l0_reverse": None},
            {"bidirectional": "2 names end in _reverse"},
        ),
    ],
)
def test_the_evidence_names_the_weights_that_show_a_field(
    shapes: Mapping[str, Dims | None], told: dict[str, str]
) -> None:
    assert evidence(shapes) == told


@pytest.mark.parametrize(
    ("shapes", "layers"),
    [
        ({"weight_ih_l0": (40, 20), "weight_hh_l0": (40, 40)}, "only _l0"),
        (
            {
                "weight_ih_l0": (40, 20),
                "weight_hh_l0": (40, 40),
                "weight_ih_l1": (40, 40),
                "weight_hh_l1": (40, 40),
            },
            "_l0 to _l1",
        ),
    ],
)
def test_complete_weights_tell_the_layers_by_name(
    shapes: Mapping[str, Dims | None], layers: str
) -> None:
    told = evidence(shapes, complete=True)
    assert told["num_layers"] == layers
    assert told["bidirectional"] == "no name ends in _reverse"
    other = infer(shapes, complete=True, label=lambda name: f"w{name[-1]}{name[:9]}")
    told = {each.field: each.text for each in other.evidence}
    numbers = layers.replace("only _l0", "only layer 0").replace("_l0 to _l", "layers 0 to ")
    assert told["num_layers"] == numbers
    assert told["bidirectional"] == "no weights of a reverse direction"


@pytest.mark.parametrize(
    ("columns", "bidirectional", "why"),
    [
        (80, True, "weight_ih_l1 (160, 80): 80 columns = 2 x 40"),
        (40, False, "weight_ih_l1 (160, 40): 40 columns"),
    ],
)
def test_an_upper_layer_shows_how_many_directions_are_below(
    columns: int, bidirectional: bool, why: str
) -> None:
    shapes = {"weight_hh_l0": (160, 40), "weight_ih_l1": (160, columns)}
    assert infer(shapes).values["bidirectional"] is bidirectional
    assert evidence(shapes)["bidirectional"] == why


def test_an_upper_layer_of_other_columns_shows_nothing() -> None:
    shapes = {"weight_hh_l0": (160, 40), "weight_ih_l1": (160, 50)}
    assert "bidirectional" not in infer(shapes).values


@pytest.mark.parametrize(
    ("rows", "columns", "hidden_size"),
    [(24, 4, 6), (32, 7, 8), (16, 5, None), (25, 4, None), (8, 4, None)],
)
def test_more_than_four_times_as_many_rows_as_columns_are_a_projection(
    rows: int, columns: int, hidden_size: int | None
) -> None:
    shapes = {"weight_hh_l0": (rows, columns)}
    some, whole = infer(shapes), infer(shapes, complete=True)
    told = (some.values.get("kind"), some.values.get("hidden_size"), some.values.get("proj_size"))
    needed = f"weight_hr_l0 ({columns}, {hidden_size})"
    if hidden_size is None:
        assert told == (None, None, None)
        assert "would also have" not in whole.problem
    else:
        assert told == (Kind.LSTM, hidden_size, columns)
        assert whole.problem.endswith(f"an LSTM with a projection would also have {needed}")
    assert f"{rows} rows are not 4, 3 or 1 times {columns}" in whole.problem


@pytest.mark.parametrize(
    ("size", "right"), [(0, False), (1, True), (2**63 - 1, True), (2**63, False)]
)
def test_a_size_is_one_that_pytorch_can_have(size: int, right: bool) -> None:
    assert (infer({"weight_ih_l0": (4, size)}).problem == "") is right


def test_a_projection_of_a_gru_should_not_be_there() -> None:
    found = infer({"weight_hh_l0": (120, 40), "weight_hr_l0": None})
    assert found.problem.startswith("weight_hr_l0 should not be there: weight_hh_l0 (120, 40)")


def test_another_name_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="weight is not the name of a weight"):
        infer({"weight": (3, 4)})
