"""The chart of a comparison: one quantity over the size that varies, a line for all else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, TypeAlias

from rnnshape.analysis.comparison import Comparison
from rnnshape.errors import RequestError
from rnnshape.fields import FIELDS
from rnnshape.layer.subject import Subject

_Points: TypeAlias = Mapping[int, int]
_Key: TypeAlias = tuple[Any, ...]  # the values of the fields by which lines differ

# A legend cannot tell more lines apart than this; a page has no room for more panels.
_MOST_LINES: Final = 8
_MOST_PANELS: Final = 24

_QUANTITIES: Final[Mapping[str, Callable[[Subject], int]]] = {
    "parameters": lambda subject: subject.parameters,
    "macs": lambda subject: subject.macs,
    "bytes": lambda subject: subject.parameter_bytes,
}
QUANTITIES: Final = tuple(_QUANTITIES)
_AXES: Final = {
    "parameters": "parameters",
    "macs": "MACs of the whole input",
    "bytes": "bytes of the parameters",
}
# What the quantities depend on. Of two sizes that vary alike, the first is drawn over.
_SIZES: Final = ("hidden_size", "num_layers", "proj_size", "input_size")
_INPUT_SIZES: Final = ("seq_len", "batch_size")


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Lines of points (x, y), each by its label; the title says what they have in common."""

    title: str
    lines: Mapping[str, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Panels over the same two axes; the title says what all lines have in common."""

    title: str
    x: str
    y: str
    panels: tuple[Panel, ...]


def chart(comparison: Comparison, quantity: str) -> Chart:
    """The quantity, one of QUANTITIES, over the size of which the most values are on one line.

    More lines than a legend can name are drawn in several panels. Raises RequestError where no
    size varies, and where there are too many lines for that too.
    """
    added = next((row for row in comparison.rows if row.is_sum), None)
    if added is not None:
        raise RequestError(
            "a plot is of single layers, and {} is a sum",
            added.constructor,
            hint="leave --plot out, or compare the layers alone",
        )
    subjects = comparison.subjects
    x = _most_varied(subjects, quantity)
    fields = [name for name in _fields(quantity) if name != x]
    values = {name: {_value(each, name) for each in subjects} for name in fields}
    varied = [name for name in fields if len(values[name]) > 1]
    lines = _lines(subjects, x, varied, quantity)
    return Chart(
        title=_described(
            {name: values[name].copy().pop() for name in fields if name not in varied}
        ),
        x=x,
        y=_AXES[quantity],
        panels=tuple(_panels(varied, lines)),
    )


def _fields(quantity: str) -> tuple[str, ...]:
    """What a quantity depends on."""
    if quantity == "macs":
        return ("class_name", *_SIZES, "bidirectional", *_INPUT_SIZES, "lengths")
    return ("class_name", *_SIZES, "bidirectional", "bias")


def _value(subject: Subject, field: str) -> Any:
    spec = subject.input_spec
    if field == "lengths":
        return spec.lengths
    return getattr(spec if field in _INPUT_SIZES else subject.config, field)


def _most_varied(subjects: Sequence[Subject], quantity: str) -> str:
    """The size of which the most values are on one line."""
    fields = _fields(quantity)
    longest: dict[str, int] = {}
    for x in filter(fields.__contains__, (*_SIZES, *_INPUT_SIZES)):
        others = [name for name in fields if name != x]
        lines = _lines(subjects, x, others, quantity).values()
        longest[x] = max(map(len, lines))
    best = max(longest, key=longest.__getitem__)
    if longest[best] > 1:
        return best
    inputs = {tuple(_value(each, name) for name in _INPUT_SIZES) for each in subjects}
    if quantity != "macs" and len(inputs) > 1:
        raise RequestError(
            f"{_AXES[quantity]} do not depend on the input, and no size of the layers varies",
            hint="--plot-of macs, or a list of sizes: --hidden 32,64,128",
        )
    raise RequestError(
        "there is no line to draw: each layer has only one size",
        hint="a list of sizes, such as --hidden 32,64,128 or --layers 1..8",
    )


def _lines(
    subjects: Iterable[Subject], x: str, fields: Sequence[str], quantity: str
) -> dict[_Key, dict[int, int]]:
    """The points of each line, by the values of the fields."""
    lines: dict[_Key, dict[int, int]] = {}
    for subject in subjects:
        key = tuple(_value(subject, name) for name in fields)
        lines.setdefault(key, {})[_value(subject, x)] = _QUANTITIES[quantity](subject)
    return lines


def _panels(fields: Sequence[str], lines: Mapping[_Key, _Points]) -> Iterator[Panel]:
    for apart in _ways_apart(fields):
        panels: dict[str, dict[str, _Points]] = {}
        for key, points in lines.items():
            values = dict(zip(fields, key, strict=True))
            title = _described({name: values.pop(name) for name in apart})
            panels.setdefault(title, {})[_described(values)] = points
        labels = {label for own in panels.values() for label in own}
        if len(labels) <= _MOST_LINES and len(panels) <= _MOST_PANELS:
            yield from (Panel(title=title, lines=_merged(own)) for title, own in panels.items())
            return
    raise RequestError(
        f"a plot of {len(lines):,} lines could not be read: {_MOST_PANELS} panels of"
        f" {_MOST_LINES} lines are the most",
        hint="shorter lists of sizes",
    )


def _ways_apart(fields: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The fields that tell panels apart, as few as possible; the kinds of layer last."""
    for count in range(len(fields) + 1):
        yield from combinations(reversed(fields), count)


def _merged(lines: Mapping[str, _Points]) -> Mapping[str, tuple[tuple[int, int], ...]]:
    """The points in order; lines that would hide each other are one, which has both labels."""
    labels: dict[tuple[tuple[int, int], ...], str] = {}
    for label, points in lines.items():
        in_order = tuple(sorted(points.items()))
        labels[in_order] = f"{labels[in_order]} = {label}" if in_order in labels else label
    return {label: points for points, label in labels.items()}


def _described(values: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, (_word(name, value) for name, value in values.items())))


def _word(field: str, value: Any) -> str:
    match field, value:
        case ("class_name", _):
            return str(value)
        case ("bidirectional", _):
            return "two directions" if value else "one direction"
        case ("bias", _):
            return "" if value else "no bias"
        case ("proj_size", 0):
            return ""
        case ("lengths", _):
            return "" if value is None else f"sum(lengths)={sum(value)}"
        case _:
            assert field in FIELDS
            return f"{field}={value:,}"
