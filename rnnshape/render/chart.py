"""A chart as a picture, SVG or PNG, by matplotlib: the optional extra `plot`."""

from __future__ import annotations

import io
from typing import Final

from rnnshape.document.model import Chart
from rnnshape.errors import RequestError

PICTURES: Final = (".svg", ".png")
_INCHES: Final = (8, 5)
_MOST_MARKED: Final = 40  # with more points, their markers would hide the line
_LARGEST: Final = 10**300  # larger numbers overflow the floats that matplotlib computes with
_MOST_NAMED: Final = 12  # with more lines, no reader could tell their colours apart


def render_chart(chart: Chart, suffix: str) -> bytes:
    """The picture's bytes, the same for the same chart. Raises RequestError without matplotlib."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RequestError(
            "a plot needs matplotlib, which is not installed",
            hint="pip install 'rnnshape[plot]'",
        ) from error
    if any(max(point) > _LARGEST for points in chart.lines.values() for point in points):
        raise RequestError("these numbers are too large for a plot", hint="leave --plot out")
    with rc_context({"svg.hashsalt": "rnnshape"}):
        figure = Figure(figsize=_INCHES, layout="constrained")
        axes = figure.add_subplot()
        for label, points in chart.lines.items():
            x, y = zip(*points, strict=True)
            axes.plot(x, y, label=label, marker="o" if len(x) <= _MOST_MARKED else None)
        axes.set(xlabel=chart.x, ylabel=chart.y, ylim=(0, None))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.grid(visible=True, alpha=0.3)
        if len(chart.lines) <= _MOST_NAMED:
            axes.legend(frameon=False)
        picture = io.BytesIO()
        dated = {"Date": None} if suffix == ".svg" else {}
        figure.savefig(picture, format=suffix.removeprefix("."), dpi=150, metadata=dated)
    return picture.getvalue()
