"""A plot is drawn over the size that varies, and names every line that it has."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from rnnshape.analysis.comparison import Comparison, group
from rnnshape.analysis.summands import alone
from rnnshape.document.chart import Chart, chart
from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.input import InputSpec
from rnnshape.layer.subject import Subject
from tests.program import call

LSTM, GRU, RNN = Kind.LSTM, Kind.GRU, Kind.RNN


def _chart(*subjects: Subject, of: str = "parameters") -> Chart:
    return chart(Comparison(groups=(group([*map(alone, subjects)]),), request=""), of)


def _layer(kind: Kind = LSTM, *, seq: int = 10, batch: int = 5, **sizes: int | bool) -> Subject:
    config = RNNConfig(kind=kind, **sizes)  # type: ignore[arg-type]
    return Subject(config=config, input_spec=InputSpec(seq_len=seq, batch_size=batch))


@pytest.mark.parametrize("size", ["hidden_size", "num_layers", "input_size", "proj_size"])
@pytest.mark.parametrize("quantity", ["parameters", "macs", "bytes"])
def test_a_plot_is_drawn_over_the_size_that_varies(size: str, quantity: str) -> None:
    layers = [_layer(LSTM, **{size: value}) for value in (2, 4, 8)]
    drawn = _chart(*layers, of=quantity)
    (panel,) = drawn.panels
    (points,) = panel.lines.values()
    value = {"parameters": "parameters", "macs": "macs", "bytes": "parameter_bytes"}[quantity]
    assert drawn.x == size
    assert points == tuple(zip((2, 4, 8), (getattr(each, value) for each in layers), strict=True))


@pytest.mark.parametrize(("name", "size"), [("seq", "seq_len"), ("batch", "batch_size")])
def test_macs_are_drawn_over_a_size_of_the_input(name: str, size: str) -> None:
    layers = [_layer(LSTM, hidden_size=3, input_size=2, **{name: value}) for value in (1, 10)]
    drawn = _chart(*layers, of="macs")
    (points,) = drawn.panels[0].lines.values()
    other = {"seq": 5, "batch": 10}[name]
    assert drawn.x == size
    assert points == tuple((value, value * other * 4 * 3 * (2 + 3)) for value in (1, 10))


def test_parameters_are_not_drawn_over_the_input() -> None:
    with pytest.raises(RequestError, match="do not depend on the input") as error:
        _chart(_layer(seq=5), _layer(seq=10))
    assert error.value.hint.startswith("--plot-of macs")


@pytest.mark.parametrize("of", ["parameters", "macs", "bytes"])
def test_layers_of_one_size_are_refused(of: str) -> None:
    with pytest.raises(RequestError, match="each layer has only one size"):
        _chart(_layer(LSTM), _layer(GRU), _layer(RNN), of=of)
    with pytest.raises(RequestError, match="each layer has only one size"):
        _chart(_layer(LSTM, hidden_size=8), _layer(GRU, hidden_size=9), of=of)


def test_the_size_with_the_most_values_is_the_axis_and_the_other_names_the_lines() -> None:
    layers = [_layer(hidden_size=h, num_layers=n) for h in (8, 16) for n in (1, 2, 3)]
    drawn = _chart(*layers)
    assert drawn.x == "num_layers"
    assert list(drawn.panels[0].lines) == ["hidden_size=8", "hidden_size=16"]
    assert drawn.title == "nn.LSTM, input_size=20, one direction"


def test_a_label_says_in_what_the_lines_differ_and_nothing_else() -> None:
    kinds = [_layer(kind, hidden_size=h) for kind in (LSTM, GRU) for h in (8, 16)]
    assert list(_chart(*kinds).panels[0].lines) == ["nn.LSTM", "nn.GRU"]
    sides = [_layer(hidden_size=h, bidirectional=b) for b in (False, True) for h in (8, 16)]
    assert list(_chart(*sides).panels[0].lines) == ["one direction", "two directions"]
    assert _chart(_layer(hidden_size=8), _layer(hidden_size=16)).panels[0].lines.keys() == {""}


def test_lines_that_would_hide_each_other_are_one_with_both_labels() -> None:
    layers = [
        _layer(hidden_size=h, seq=seq, batch=batch)
        for seq, batch in ((4, 6), (6, 4), (6, 6))
        for h in (8, 16, 32)
    ]
    (panel,) = _chart(*layers, of="macs").panels
    assert list(panel.lines) == [
        "seq_len=4, batch_size=6 = seq_len=6, batch_size=4",
        "seq_len=6, batch_size=6",
    ]


def test_a_legend_names_at_most_eight_lines_and_more_lines_are_in_panels() -> None:
    layers = [
        _layer(kind, hidden_size=hidden, num_layers=layers)
        for kind in (LSTM, GRU, RNN)
        for layers in range(1, 7)
        for hidden in range(1, 9)
    ]
    drawn = _chart(*layers)
    assert [panel.title for panel in drawn.panels] == [f"num_layers={n}" for n in range(1, 7)]
    assert all(list(p.lines) == ["nn.LSTM", "nn.GRU", "nn.RNN"] for p in drawn.panels)
    assert sum(len(points) for p in drawn.panels for points in p.lines.values()) == len(layers)


def test_more_lines_than_panels_can_hold_are_refused() -> None:
    layers = [
        _layer(hidden_size=hidden, input_size=size, num_layers=layers)
        for hidden in range(1, 42)
        for size in range(1, 26)
        for layers in range(1, 26)
    ]
    with pytest.raises(RequestError, match="a plot of 625 lines could not be read"):
        _chart(*layers)


@pytest.mark.parametrize(
    ("hidden", "scales"),
    [
        ((32, 64), ("linear", "linear")),
        ((10, 1000), ("log", "log")),
        ((1, 2, 3), ("linear", "linear")),
        (range(1, 10), ("linear", "linear")),
        ((1, 99), ("log", "log")),  # x has over one decade, and y over two
        ((99, 100), ("linear", "linear")),
        ((1, 8), ("linear", "linear")),
    ],
    ids=str,
)
def test_an_axis_over_two_decades_is_logarithmic(
    hidden: tuple[int, ...], scales: tuple[str, str]
) -> None:
    figures = pytest.importorskip("matplotlib.figure")
    from rnnshape.render.chart import _draw

    figure = figures.Figure()
    _draw(_chart(*(_layer(input_size=200, hidden_size=h) for h in hidden)), figure)
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == scales
    if scales[1] == "linear":
        assert axes.get_ylim()[0] == 0


@pytest.mark.parametrize("panels", [1, 5])
@pytest.mark.parametrize("hidden", [(127, 128, 129, 1024, 4096), range(64, 1025, 64), (1, 10**30)])
def test_marks_of_an_axis_do_not_overlap(hidden: tuple[int, ...], panels: int) -> None:
    figures = pytest.importorskip("matplotlib.figure")
    from rnnshape.render.chart import _draw

    layers = [
        _layer(kind, hidden_size=size, num_layers=1 + number)
        for number in range(panels)
        for kind in (LSTM, GRU)
        for size in hidden
    ]
    figure = figures.Figure(layout="constrained")
    _draw(_chart(*layers), figure)
    figure.draw_without_rendering()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        shown = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        boxes = [tick.label1.get_window_extent() for tick in shown if tick.label1.get_visible()]
        assert not any(first.overlaps(second) for first, second in pairwise(boxes))


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0"),
        (250, "250"),
        (2_500, "2.5k"),
        (10_000_000, "10M"),
        (1e9, "1G"),
        (1e12, "1T"),
        (1e30, "1e30"),
    ],
)
def test_a_number_at_an_axis_is_short(number: float, written: str) -> None:
    pytest.importorskip("matplotlib")
    from rnnshape.render.chart import _written

    assert _written(number, exact=0) == written
    assert _written(1_024, exact=99_999) == "1,024"


def test_what_a_plot_is_of_is_asked_for_with_it(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "a.svg"
    words = ("compare", "lstm", "--hidden", "8,9", "--plot-of", "macs")
    assert call(*words, "--plot", str(file)).code == 0
    assert file.exists()
    assert call(*words).err == (
        "error: --plot-of says what --plot draws, but --plot is not given\n"
        "hint: leave --plot-of out, or add --plot with a file\n"
    )
