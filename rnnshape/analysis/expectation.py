"""What is expected of a layer, `NAME OP VALUE`, and whether the formulas agree.

One grammar for the command line, for TOML and for Python: `output = 10,5,80`, `params <= 150k`,
`encoder.lstm/h_n = (8, 5, 40)`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from rnnshape.analysis.value import Number, TensorShape, Value, value_of
from rnnshape.dims import symbols
from rnnshape.errors import RequestError, quoted
from rnnshape.layer.facts import Dims
from rnnshape.layer.report import LayerReport
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import folded
from rnnshape.sources.amounts import parsed_amount


class Operator(Enum):
    """How a value is compared; the value is how it is written."""

    EQUAL = "="
    AT_MOST = "<="
    AT_LEAST = ">="
    LESS = "<"
    MORE = ">"


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """One thing that should hold of a layer."""

    text: str  # as it was given, each run of blanks as one
    module: str | None  # of the layer in its model: "encoder.lstm"
    name: str  # of a tensor, a weight or a quantity: "output", "weight_ih_l0", "parameters"
    operator: Operator
    value: Value


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """An expectation held against the prediction."""

    expectation: Expectation
    subject: Subject  # the layer that it is about
    holds: bool
    predicted: Value  # of Dims, which remember how they were computed

    @property
    def expected(self) -> int | Dims:
        """The value that the actual one was compared with."""
        return self.expectation.value.plain

    @property
    def actual(self) -> int | Dims:
        """The predicted value in plain numbers."""
        return self.predicted.plain

    @property
    def formula(self) -> str:
        """How the actual value comes about: `(L, N, D*H_out)`."""
        return self.predicted.formula

    @property
    def symbols(self) -> Mapping[str, int]:
        """The symbols of the formula and their values: `{"D": 2, "H_out": 40}`.

        Where some of as many sizes differ from those expected, only the symbols of these.
        """
        sizes, expected = self.predicted.sizes, self.expectation.value.sizes
        if len(sizes) == len(expected):
            pairs = zip(sizes, expected, strict=True)
            sizes = tuple(own for own, other in pairs if own != other) or sizes
        return {name: value for size in sizes for name, value in symbols(size).items()}


# Numbers that a report tells, each a Dim, which remembers its formula.
_QUANTITIES: Final = ("parameters", "macs", "flops", "parameter_bytes", "next_linear")
_ALIASES: Final = {"params": "parameters"}

_COMPARISONS: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQUAL: operator.eq,
    Operator.AT_MOST: operator.le,
    Operator.AT_LEAST: operator.ge,
    Operator.LESS: operator.lt,
    Operator.MORE: operator.gt,
}
_OPERATORS: Final = {"==": Operator.EQUAL, **{each.value: each for each in Operator}}
_MEANT: Final = {"=>": ">=", "=<": "<=", "===": "="}

_PARTS: Final = re.compile(r"([^<>=!]*)([<>=!]+)(.*)", re.DOTALL)
_GROUPED_BY_COMMAS: Final = re.compile(r"(?<![0-9,])[0-9]{1,3}(,[0-9]{3})+$")

_EXAMPLE: Final = '"params <= 150k"'


def parse_expectation(text: str) -> Expectation:
    """Read `NAME OP VALUE`. Raises RequestError; a hint in quotes is an expectation to use."""
    words = " ".join(text.split())
    match = _PARTS.fullmatch(words)
    if match is None:
        problem = "has no operator" if words else "is empty"
        raise RequestError(f"{_echo(words)} {problem}", hint=_EXAMPLE)
    place, sign, value = (part.strip() for part in match.groups())
    if sign not in _OPERATORS:
        raise _unknown_operator(words, sign)
    module, slash, name = place.rpartition("/")
    for part, what in ((name, "name before"), (value, "value after")):
        if not part:
            raise RequestError(f"{_echo(words)} has no {what} {sign}", hint=_EXAMPLE)
    name = _canonical(name.strip())
    return Expectation(
        text=words,
        module=module.strip() if slash else None,
        name=name,
        operator=_OPERATORS[sign],
        value=_value(value, words, in_bytes=name == "parameter_bytes"),
    )


def judge(text: str, reports: Sequence[LayerReport]) -> Judgement:
    """Hold an expectation against the one of these reports that it is about.

    Raises RequestError for a text that is not an expectation, where it does not say which report
    it is about, for a name that the layer does not have, where a shape would be compared with a
    number, and where shapes would be ordered.
    """
    expectation = parse_expectation(text)
    report = _chosen(expectation, reports)
    actual = _actual(expectation, report)
    _require_comparable(expectation, actual)
    holds = _COMPARISONS[expectation.operator](actual.plain, expectation.value.plain)
    return Judgement(expectation=expectation, holds=holds, predicted=actual, subject=report.subject)


def _chosen(expectation: Expectation, reports: Sequence[LayerReport]) -> LayerReport:
    """The report that an expectation names, or the only one where it names none."""
    module = expectation.module
    by_name = {" ".join(report.subject.name.split()): report for report in reports}
    if module is None and len(by_name) == 1:
        return reports[0]
    if module is not None and module in by_name:
        return by_name[module]
    problem = (
        f"is about one of {len(by_name)} modules"
        if module is None
        else f"is about {quoted(module)}, which is not here"
    )
    known = list(by_name)
    nearest = _most_like(module or "", known) or next(iter(known), None)
    raise RequestError(
        f"{_echo(expectation.text)} {problem}",
        hint="there is no recurrent layer"
        if nearest is None
        else _changed(expectation, module=nearest if len(known) > 1 else None),
    )


def restated(text: str, actual: Value) -> str:
    """An expectation of equality with the actual value in place of its own, written alike.

    `output = 10x5x80` becomes `output = 10x5x96`, `params = 136_960` `params = 164_352`.
    """
    match = _PARTS.fullmatch(text)
    assert match is not None
    before, old = text[: match.start(3)], match[3]
    blank = old[: len(old) - len(old.lstrip())]
    return f"{before}{blank}{actual.written_like(old.strip())}"


def _unknown_operator(words: str, sign: str) -> RequestError:
    meant = _MEANT.get(sign)
    return RequestError(
        f"{_echo(words)} has the unknown operator {sign[:4]}",
        hint=_typed(words.replace(sign, meant, 1)) if meant else f"one of {' '.join(_OPERATORS)}",
    )


def _canonical(name: str) -> str:
    """The one name of a quantity, which may be written in any case: `MACs`."""
    quantity = _ALIASES.get(name.lower(), name.lower())
    return quantity if quantity in _QUANTITIES else name


def _value(text: str, words: str, *, in_bytes: bool) -> Value:
    try:
        return value_of(text, in_bytes=in_bytes)
    except RequestError as error:
        mended = f"{words.removesuffix(text)}{error.hint}" if parsed_amount(text) else ""
        raise RequestError(
            f"{_echo(words)}: {error.problem}",
            hint=_typed(mended)
            if mended
            else "a number like 136960, 150k or 2MiB, or a shape like 10,5,80",
        ) from error


def _actual(expectation: Expectation, report: LayerReport) -> Value:
    name = expectation.name
    if name in _QUANTITIES:
        return Number(getattr(report, name))
    known = report.predicted.tensors.get(name) or report.weights.find(name)
    if known is None:
        raise _unknown_name(expectation, report)
    return TensorShape(known.shape)


def _unknown_name(expectation: Expectation, report: LayerReport) -> RequestError:
    nearest = _most_like(expectation.name, _names(report))
    meant = "" if nearest is None else f"{_about(expectation, nearest, report)}; "
    weights = (weight.name for weight in folded(report.weights))
    name, constructor = quoted(expectation.name), report.subject.config.constructor
    return RequestError(
        f"{_echo(expectation.text)}: {constructor} has no {name}",
        hint=f"{meant}it has {', '.join((*report.predicted.tensors, *_QUANTITIES, *weights))}",
    )


def _about(expectation: Expectation, name: str, report: LayerReport) -> str:
    """The expectation with another name, and a value that can be compared with what it names."""
    other = replace(expectation, name=name)
    actual = _actual(other, report)
    if actual.kind == other.value.kind:
        return _changed(other, operator=_meant(other, actual))
    return _changed(other, operator=Operator.EQUAL, value=actual)


def _names(report: LayerReport) -> Iterator[str]:
    """Every name that may be meant; of alike layers only the last one's weights."""
    yield from report.predicted.tensors
    yield from _QUANTITIES
    for block in report.weights.blocks:
        last = block.first + int(block.layers) - 1
        for stem in block.shapes:
            for suffix in ("", "_reverse")[: block.directions]:
                yield stem if report.subject.config.cell else f"{stem}_l{last}{suffix}"


def _require_comparable(expectation: Expectation, actual: Value) -> None:
    value, meant = expectation.value, _meant(expectation, actual)
    if actual.kind != value.kind:
        problem = f"{actual.kind}, and {quoted(str(value))} is {value.kind}"
        grouped = _GROUPED_BY_COMMAS.search(expectation.text)
        actual = Number(int(grouped[0].replace(",", ""))) if grouped else actual
    elif meant is not expectation.operator:
        problem = f"{actual.kind}, and shapes are compared with = only"
    else:
        return
    raise RequestError(
        f"{_echo(expectation.text)}: {expectation.name} is {problem}",
        hint=_changed(expectation, operator=meant, value=actual),
    )


def _meant(expectation: Expectation, actual: Value) -> Operator:
    """How it may be compared with the actual value."""
    return expectation.operator if actual.ordered else Operator.EQUAL


def _most_like(name: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(known), n=1)), None)


def _changed(expectation: Expectation, **changes: Any) -> str:
    """An expectation that may be meant instead, as it is typed."""
    other = replace(expectation, **changes)
    module = "" if other.module is None else f"{other.module}/"
    return _typed(f"{module}{other.name} {other.operator.value} {other.value.typed}")


def _typed(text: str) -> str:
    """An expectation to take, whole and between quotes."""
    return f'"{text}"' if text.isprintable() and '"' not in text else _echo(text)


def _echo(text: str) -> str:
    """An expectation as it was given, between quotes and not too long."""
    shown = quoted(text) if text else ""
    return shown if shown.startswith(("'", '"')) else f'"{shown}"'
