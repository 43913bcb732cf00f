"""A chart as a picture, SVG or PNG, by matplotlib: the optional extra `plot`."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import ceil, log10, sqrt
from typing import TYPE_CHECKING, Any, Final

from rnnshape.document.chart import Chart
from rnnshape.errors import RequestError, first_line, word

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PICTURES: Final = (".svg", ".png")
_INCHES: Final = (8.0, 5.0)
_PANEL_INCHES: Final = (3.2, 2.6)
_MOST_MARKED: Final = 40  # with more points, their markers would hide the line
_LARGEST: Final = 10**300  # larger numbers overflow the floats that matplotlib computes with
_DECADES: Final = 2  # an axis over so many is logarithmic
_LETTERS: Final = 90  # of the legend, in one line below a picture of 8 inches
# Lines that are told apart by more than their colour, so that a print in grey still shows them.
_MARKERS: Final = "osD^vPX*"
_UNITS: Final = (("", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3))
_PLAIN: Final = 1e15  # larger numbers are powers of ten
_EXACT: Final = 99_999  # sizes up to this are written with all their digits
_MOST_MARKS: Final = 12  # of numbers that are marked themselves, rather than round ones
# The closest that marks of an axis may be, as a part of its length.
_CLOSEST: Final = 0.07


def render_chart(chart: Chart, suffix: str) -> bytes:
    """The picture's bytes, the same for the same chart. Raises RequestError without matplotlib."""
    # It says on stderr that it builds a cache of fonts, or has no folder for one.
    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RequestError(
            "a plot needs matplotlib, which is not installed",
            hint=f"{word(sys.executable)} -m pip install matplotlib",
        ) from error
    except Exception as error:  # it may be broken, or refuse the value of MPLBACKEND
        raise RequestError(
            "matplotlib cannot be imported: {}",
            first_line(error),
            hint="correct that, or leave --plot out",
        ) from error
    lines = [points for panel in chart.panels for points in panel.lines.values()]
    if any(max(point) > _LARGEST for points in lines for point in points):
        raise RequestError("these numbers are too large for a plot", hint="leave --plot out")
    with rc_context({"svg.hashsalt": "rnnshape", "axes.titlesize": "medium"}):
        figure = Figure(layout="constrained")
        _draw(chart, figure)
        picture = io.BytesIO()
        dated = {"Date": None} if suffix == ".svg" else {}
        figure.savefig(picture, format=suffix.removeprefix("."), dpi=150, metadata=dated)
    return picture.getvalue()


def _draw(chart: Chart, figure: Figure) -> None:
    count = len(chart.panels)
    columns = ceil(sqrt(count))
    rows = ceil(count / columns)
    width, height = _INCHES
    if columns > 1:
        width, height = max(width, _PANEL_INCHES[0] * columns), _PANEL_INCHES[1] * rows + 1
    figure.set_size_inches(width, height)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat
    labels = list(dict.fromkeys(label for panel in chart.panels for label in panel.lines))
    handles: dict[str, Any] = {}
    for number, panel in enumerate(chart.panels):
        axes = grid[number]
        axes.set(title=panel.title, ylabel=chart.y)
        axes.grid(visible=True, alpha=0.3)
        axes.label_outer()
        for label, points in panel.lines.items():
            handles[label] = _line(axes, points, labels.index(label))
        if number + columns >= count:  # there is no panel below, whose axis would serve both
            axes.set_xlabel(chart.x)
            axes.tick_params(labelbottom=True)
    for axes in grid[count:]:
        axes.remove()
    lines = [points for panel in chart.panels for points in panel.lines.values()]
    _scale(grid[0], [point for points in lines for point in points], columns)
    figure.suptitle(chart.title, fontsize="medium")
    if len(labels) > 1:
        _name(handles, figure, letters=_LETTERS * width / _INCHES[0])


def _line(axes: Axes, points: Sequence[tuple[int, int]], number: int) -> Any:
    """The line with this number, in a colour and with a marker of its own."""
    marker = _MARKERS[number % len(_MARKERS)] if len(points) <= _MOST_MARKED else None
    x, y = zip(*points, strict=True)  # numpy takes integers of 20 digits for objects
    (line,) = axes.plot(
        [*map(float, x)], [*map(float, y)], color=f"C{number}", marker=marker, markersize=5
    )
    return line


def _name(handles: Mapping[str, Any], figure: Figure, *, letters: float) -> None:
    """The legend, below the picture, where it hides no line."""
    longest = max(map(len, handles)) + 6
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=max(1, min(len(handles), int(letters / longest))),
        frameon=False,
    )


def _scale(axes: Axes, points: Sequence[tuple[int, int]], columns: int) -> None:
    """Both axes, logarithmic where the numbers need it; the panels in columns share them."""
    x, y = (sorted({*map(float, numbers)}) for numbers in zip(*points, strict=True))
    steep = _spans(y, _DECADES)
    # Powers are straight lines where both axes are logarithmic.
    wide = _spans(x, 1 if steep else _DECADES)
    axes.set(xscale="log" if wide else "linear", yscale="log" if steep else "linear")
    if not steep:
        axes.set_ylim(0, max(y) * 1.05 or 1)
    for axis, exact in ((axes.xaxis, _EXACT), (axes.yaxis, 0)):
        axis.set_major_formatter(partial(_written, exact=exact))
        axis.set_minor_formatter("")
    if len(x) <= _MOST_MARKS:
        axes.set_xticks(_apart(x, log10 if wide else float, _CLOSEST * columns))
        axes.xaxis.minorticks_off()
    elif wide and not _spans(x, 3):
        axes.locator_params(axis="x", subs=(1, 2, 5))
    elif not wide:
        axes.locator_params(axis="x", integer=True, nbins=9 // columns + 1)


def _spans(numbers: Sequence[float], decades: int) -> bool:
    """Whether the numbers, in order, span so many decades."""
    return numbers[0] > 0 and numbers[-1] >= numbers[0] * 10**decades


def _apart(
    numbers: Sequence[float], place: Callable[[float], float], closest: float
) -> list[float]:
    """Those of the numbers, in order, that have room for a mark, the first and the last of all."""
    room = closest * (place(numbers[-1]) - place(numbers[0]))
    kept = [numbers[0]]
    for number in numbers[1:-1]:
        if min(place(number) - place(kept[-1]), place(numbers[-1]) - place(number)) >= room:
            kept.append(number)
    return [*kept, *numbers[-1:]]


def _written(value: float, _: object = None, *, exact: float) -> str:
    """A number at an axis: `250`, `2.5k`, `10M`, `1e30`; in full up to `exact`."""
    unit, scale = next((each for each in _UNITS if value >= each[1]), ("", 1.0))
    if value <= exact or not unit:
        return f"{value:,.10g}" if value < _PLAIN else f"{value:.3g}".replace("e+", "e")
    return f"{value / scale:.4g}{unit}"
