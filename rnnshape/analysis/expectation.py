"""Read an expectation, `NAME OP VALUE`, and judge it by the formulas.

One grammar for the command line, for TOML and for Python: `output = 10,5,80`, `params <= 150k`,
`encoder.lstm/h_n = (8, 5, 40)`. The value may be one of another layer: `h_0 = encoder/h_n`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Final

from rnnshape.analysis.value import Number, TensorShape, Value, value_of
from rnnshape.computed import cached_property
from rnnshape.dims import symbols
from rnnshape.errors import RequestError, near, quoted
from rnnshape.layer.facts import Dims
from rnnshape.layer.report import LayerReport
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import folded
from rnnshape.sources.amounts import parsed_amount


class Operator(Enum):
    """A comparison, as it is written."""

    EQUAL = "="
    AT_MOST = "<="
    AT_LEAST = ">="
    LESS = "<"
    MORE = ">"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A value that another layer has: `encoder/h_n`."""

    kind: ClassVar[str] = "a value of another layer"

    module: str
    name: str

    @property
    def typed(self) -> str:
        """As it is typed."""
        return f"{self.module}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """A demand on a layer."""

    text: str  # as it was given, with single blanks
    module: str | None  # of the layer in its model: "encoder.lstm"
    name: str  # of a tensor, a weight or a quantity: "output", "weight_ih_l0", "parameters"
    operator: Operator
    value: Value | Reference


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Whether the prediction meets an expectation."""

    expectation: Expectation
    report: LayerReport  # of the layer that it is about
    holds: bool
    required: Value  # the value of the expectation, or what it refers to
    other: Subject | None = None  # the layer that it refers to

    @property
    def subject(self) -> Subject:
        """The layer that it is about."""
        return self.report.subject

    @cached_property
    def predicted(self) -> Value:
        """The value that is predicted, of Dims, which remember their formulas."""
        return _actual(self.expectation, self.report)

    @property
    def expected(self) -> int | Dims:
        """The value that is expected, in plain numbers."""
        return self.required.plain

    @property
    def actual(self) -> int | Dims:
        """The value that is predicted, in plain numbers."""
        return self.predicted.plain

    @property
    def formula(self) -> str:
        """The formula of the predicted value: `(L, N, D*H_out)`."""
        return self.predicted.formula

    @property
    def symbols(self) -> Mapping[str, int]:
        """The symbols of the formula and their values: `{"D": 2, "H_out": 40}`.

        For a shape with as many sizes as expected, only the symbols of the sizes that differ.
        """
        sizes, expected = self.predicted.sizes, self.required.sizes
        if len(sizes) == len(expected):
            pairs = zip(sizes, expected, strict=True)
            sizes = tuple(own for own, other in pairs if own != other) or sizes
        return {name: value for size in sizes for name, value in symbols(size).items()}


# The numbers in a report that an expectation may name; each is a Dim.
_QUANTITIES: Final = ("parameters", "macs", "flops", "parameter_bytes", "next_linear")
_ALIASES: Final = {"params": "parameters", "bytes": "parameter_bytes"}  # as budget has them

_COMPARISONS: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQUAL: operator.eq,
    Operator.AT_MOST: operator.le,
    Operator.AT_LEAST: operator.ge,
    Operator.LESS: operator.lt,
    Operator.MORE: operator.gt,
}
_OPERATORS: Final = {"==": Operator.EQUAL, **{each.value: each for each in Operator}}
_MEANT: Final = {"=>": ">=", "=<": "<=", "===": "="}

# Of layers and cells; another name with a slash may be a number and its unit.
_TENSORS: Final = ("input", "data", "output", *(f"{s}_{time}" for s in "hc" for time in "0n1"))
_NAME: Final = re.compile(r"[A-Za-z]\w*")
_PARTS: Final = re.compile(r"([^<>=!]*)([<>=!]+)(.*)", re.DOTALL)
_GROUPED_BY_COMMAS: Final = re.compile(r"(?<![0-9,])[0-9]{1,3}(,[0-9]{3})+$")

_LIKE_A_TENSOR, _LIKE_A_WORD = 0.6, 0.8  # of difflib's ratio

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
        value=_value(value, words, in_bytes=_in_bytes(name, value)),
    )


def judge(
    text: str,
    reports: Sequence[LayerReport],
    others: Mapping[str, LayerReport | None] = MappingProxyType({}),
) -> Judgement:
    """Judge an expectation by the one of these reports that it is about.

    Its value may refer to any of these or, where there are `others` by `module_name`, any of those.
    Raises RequestError for a text that is not an expectation, for a module or a name that does not
    exist, where a shape would be compared with a number, and where shapes would be ordered.
    """
    expectation = parse_expectation(text)
    report = _chosen(expectation, reports)
    # Formulas, which few expectations are asked for, take as long as the rest of a check.
    tensor, value, other = report.subject.tensor(expectation.name), expectation.value, None
    actual = _actual(expectation, report) if tensor is None else TensorShape(tensor.shape)
    if isinstance(value, Reference):
        value, other = _referred(expectation, value, others or _by_name(reports))
    _require_comparable(expectation, value, actual)
    return Judgement(
        expectation=expectation,
        report=report,
        holds=_COMPARISONS[expectation.operator](actual.plain, value.plain),
        required=value,
        other=other,
    )


def module_referred(text: str) -> str | None:
    """The module that the value of an expectation refers to; None if there is none."""
    match = _PARTS.fullmatch(" ".join(text.split()))
    reference = _reference(match[3].strip()) if match else None
    return reference.module if reference else None


def _chosen(expectation: Expectation, reports: Sequence[LayerReport]) -> LayerReport:
    """The report of the module that an expectation names, or the only report."""
    module, by_name = expectation.module, _by_name(reports)
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
    meant = (near(module or "", known) or known[0]) if len(known) > 1 else None
    hint = _changed(expectation, module=meant) if known else "there is no recurrent layer"
    raise RequestError(f"{_echo(expectation.text)} {problem}", hint=hint)


def module_name(name: str) -> str:
    """The name of a module as an expectation writes it, with single blanks."""
    return " ".join(name.split())


def _by_name(reports: Sequence[LayerReport]) -> dict[str, LayerReport]:
    return {module_name(report.subject.name): report for report in reports}


def _referred(
    expectation: Expectation, reference: Reference, by_name: Mapping[str, LayerReport | None]
) -> tuple[Value, Subject]:
    """The value that is referred to, and the layer that has it."""
    report = by_name.get(reference.module)
    if report is None:
        meant = near(reference.module, by_name) or next(filter(None, by_name), None)
        hint = "give a value, or name the layers in a manifest: rnnshape check"
        if meant is not None:
            hint = _changed(expectation, value=replace(reference, module=meant))
        problem = f"refers to {quoted(reference.module)}, which is not here"
        raise RequestError(f"{_echo(expectation.text)} {problem}", hint=hint)
    try:
        return _actual(replace(expectation, name=reference.name), report), report.subject
    except RequestError as error:
        names = [*report.tensors, *_QUANTITIES]
        meant = near(reference.name, names) or near(f"{reference.name[:1]}_n", names) or names[0]
        hint = _changed(expectation, value=replace(reference, name=meant))
        lacking = f"{report.subject.constructor} has no {quoted(reference.name)}"
        raise RequestError(
            "{}",
            f"{_echo(expectation.text)}: {lacking}",
            f"{hint}; it has {', '.join(names)}",
            hint="{}",
        ) from error


def restated(text: str, actual: Value) -> str:
    """An expectation of equality with the actual value, written as its own value was.

    `output = 10x5x80` becomes `output = 10x5x96`; `params = 136_960` becomes `params = 164_352`.
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
    """The name of a quantity that may be abbreviated, or written in any case: `MACs`."""
    quantity = _ALIASES.get(name.lower(), name.lower())
    return quantity if quantity in _QUANTITIES else name


def _in_bytes(name: str, value: str) -> bool:
    """Whether bytes are meant, by a name that is known or one of those that people use instead."""
    amount = parsed_amount(value)
    if name == "parameter_bytes" or amount is None or not amount.in_bytes:
        return name == "parameter_bytes"
    from rnnshape import synonyms  # only mistakes need it

    return synonyms.QUANTITIES.get(synonyms.squeezed(name)) == "parameter_bytes"


def _reference(text: str) -> Reference | None:
    """The value of another layer that a text names; None for a number such as `150k/s`."""
    module, slash, name = (part.strip() for part in text.rpartition("/"))
    known = name in _TENSORS or _canonical(name) in _QUANTITIES
    if slash and module and _NAME.fullmatch(name) and (known or parsed_amount(module) is None):
        return Reference(module=module, name=_canonical(name))
    return None


def _value(text: str, words: str, *, in_bytes: bool) -> Value | Reference:
    reference = _reference(text)
    if reference is not None:
        return reference
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
    known = report.tensors.get(name) or report.weights.find(name)
    if known is None:
        raise _unknown_name(expectation, report)
    return TensorShape(known.shape)


def _unknown_name(expectation: Expectation, report: LayerReport) -> RequestError:
    from rnnshape import synonyms  # only mistakes need it

    names = list(_names(report))
    alike = synonyms.one_of(expectation.name, names, synonyms.QUANTITIES)
    if alike is None:
        of_tensor = "_" in expectation.name  # `c_n` of a GRU, `h_n` of a cell
        like = _LIKE_A_TENSOR if of_tensor else _LIKE_A_WORD
        nearly = near(expectation.name, [*names, *_ALIASES], alike=like)
        alike = _ALIASES.get(nearly or "", nearly)
    meant = f"{_about(expectation, alike, report)}; " if alike else ""
    weights = (weight.name for weight in folded(report.weights))
    name, constructor = quoted(expectation.name), report.subject.config.constructor
    return RequestError(
        f"{_echo(expectation.text)}: {constructor} has no {name}",
        hint=f"{meant}it has {', '.join((*report.tensors, *_QUANTITIES, *weights))}",
    )


def _about(expectation: Expectation, name: str, report: LayerReport) -> str:
    """The expectation with another name, and a value that can be compared with it."""
    other = replace(expectation, name=name)
    actual = _actual(other, report)
    if other.value.kind in (actual.kind, Reference.kind):
        if _meant(other, actual) is other.operator:  # the value stays as it is written, `1MB`
            return _typed(_renamed(expectation, name))
        return _changed(other, operator=_meant(other, actual))
    return _changed(other, operator=Operator.EQUAL, value=actual)


def _renamed(expectation: Expectation, name: str) -> str:
    """The text with another name of what is expected; a module, or the value, may have the word."""
    match = _PARTS.fullmatch(expectation.text)
    assert match is not None
    module, slash, own = match[1].rpartition("/")
    own = own.replace(expectation.name, name, 1)
    return f"{module}{slash}{own}{expectation.text[match.end(1) :]}"


def _names(report: LayerReport) -> Iterator[str]:
    """Every name that may be meant; of layers that are alike, only the last one's weights."""
    yield from report.tensors
    yield from _QUANTITIES
    for block in report.weights.blocks:
        last = block.first + int(block.layers) - 1
        for stem in block.shapes:
            for suffix in ("", "_reverse")[: block.directions]:
                yield stem if report.subject.config.cell else f"{stem}_l{last}{suffix}"


def _require_comparable(expectation: Expectation, value: Value, actual: Value) -> None:
    meant = _meant(expectation, actual)
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
    """The operator, or = where the actual value has no order."""
    return expectation.operator if actual.ordered else Operator.EQUAL


def _changed(expectation: Expectation, **changes: Any) -> str:
    """The expectation with changes, as it is typed."""
    other = replace(expectation, **changes)
    module = "" if other.module is None else f"{other.module}/"
    return _typed(f"{module}{other.name} {other.operator.value} {other.value.typed}")


def _typed(text: str) -> str:
    """An expectation to copy, whole and in quotes."""
    return f'"{text}"' if text.isprintable() and '"' not in text else _echo(text)


def _echo(text: str) -> str:
    """An expectation as it was given, in quotes and cut short."""
    shown = quoted(text) if text else ""
    return shown if shown.startswith(("'", '"')) else f'"{shown}"'
