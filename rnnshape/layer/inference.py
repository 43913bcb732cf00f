"""What the names and shapes of weights show about the layer that has them, field by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, Final, NamedTuple

from rnnshape.computed import cached_property
from rnnshape.dims import written_shape
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.facts import LARGEST_SIZE, Dims, Weight
from rnnshape.layer.formulas import plain_sizes, weights
from rnnshape.layer.input import InputSpec
from rnnshape.layer.recognition import Evidence
from rnnshape.layer.weight_names import MOST_NAMED, listed, sized

_WEIGHT: Final = re.compile(
    r"(?P<stem>(?:weight|bias)_(?:ih|hh))|(?P<stem_of_layer>weight_(?:ih|hh|hr)|bias_(?:ih|hh))"
    r"_l(?P<layer>[0-9]{1,18})(?P<reverse>_reverse)?"
)
_KINDS: Final = {kind.gates: kind for kind in Kind}


@dataclass(frozen=True, kw_only=True)
class Inference:
    """What weights show about their layer, or why no layer has such weights."""

    values: Mapping[str, Any]  # by field of RNNConfig; the weights do not show the others
    evidence: tuple[Evidence, ...]  # in the order of RNNConfig
    problem: str = ""  # a sentence; "" if some layer has these weights


def infer(
    shapes: Mapping[str, Dims | None],
    *,
    complete: bool = False,
    label: Callable[[str], str] = str,
) -> Inference:
    """What the weights of one layer or cell show, given by torch's names: `weight_ih_l0`.

    A shape is None where only the name is known. If the weights are `complete`, those that are not
    there tell something too: without biases `bias` is False, and a missing weight is a problem.
    `label` turns torch's name into the one that evidence and problems show.
    """
    given = _Given(shapes, label)
    problem = _malformed(given)
    if problem:
        return Inference(values={}, evidence=(), problem=problem)
    told = {"cell": _Told(given.cell, "no _l0 in the names" if given.cell else "")}
    told |= _sizes(given)
    told |= _stack(given, told, complete=complete)
    told |= _bias(given, complete=complete)
    ordered = [each.name for each in fields(RNNConfig) if each.name in told]
    values = {name: told[name].value for name in ordered}
    return Inference(
        values=values,
        evidence=tuple(Evidence(field=n, text=told[n].why) for n in ordered if told[n].why),
        problem=_contradiction(given, values, complete=complete),
    )


class _Told(NamedTuple):
    value: Any
    why: str  # "" for what goes without saying


class _Named(NamedTuple):
    """A weight by the parts of its name."""

    name: str
    stem: str  # "weight_ih"
    layer: int
    reverse: bool
    shape: Dims  # () where only the name is known


class _Given:
    """The weights, found by the parts of their names."""

    def __init__(self, shapes: Mapping[str, Dims | None], label: Callable[[str], str]) -> None:
        self.label = label
        named = [_named(name, shape) for name, shape in shapes.items()]
        self.all = sorted(named, key=lambda each: (each.layer, each.reverse))
        self.sized = [each for each in self.all if shapes[each.name] is not None]
        self.cell = bool(shapes) and not any("_l" in each.name for each in self.all)

    def first(self, stem: str, *, upper: bool = False) -> _Named | None:
        """The first with a known shape; of the layers above the lowest one if `upper`."""
        alike = (each for each in self.sized if each.stem == stem and (each.layer or not upper))
        return next(alike, None)

    def shown(self, weight: _Named) -> str:
        return sized(self.label(weight.name), weight.shape)

    @cached_property
    def plain(self) -> bool:
        """Whether the shown names have torch's in them, with `_l0` and `_reverse`."""
        return all(each.name in self.label(each.name) for each in self.all)

    @cached_property
    def layers(self) -> int:
        return max((each.layer for each in self.all), default=0) + 1


def _named(name: str, shape: Dims | None) -> _Named:
    match = _WEIGHT.fullmatch(name)
    if match is None:
        raise ValueError(f"{name} is not the name of a weight of torch.nn")
    stem = match["stem"] or match["stem_of_layer"]
    return _Named(name, stem, int(match["layer"] or 0), bool(match["reverse"]), shape or ())


def _malformed(given: _Given) -> str:
    """What is wrong with the first shape that no weight has."""
    for weight in given.sized:
        axes = 1 if weight.stem.startswith("bias") else 2
        if len(weight.shape) != axes:
            return f"{given.shown(weight)} has {len(weight.shape):,} dimensions, not {axes}"
        if not all(0 < size <= LARGEST_SIZE for size in weight.shape):
            return f"{given.shown(weight)} has a size that is not from 1 to 2**63 - 1"
    return ""


def _sizes(given: _Given) -> dict[str, _Told]:
    """The kind and the sizes."""
    told = {}
    reads = next(
        (each for each in given.sized if each.stem == "weight_ih" and not each.layer), None
    )
    if reads is not None:
        told["input_size"] = _Told(reads.shape[1], given.shown(reads))
    recurrent, projection = given.first("weight_hh"), given.first("weight_hr")
    if projection is not None:
        told |= _projected(given, projection, recurrent)
    elif recurrent is not None:
        told |= _unprojected(given, recurrent) or _projecting(given, recurrent)
    return told


def _projected(given: _Given, projection: _Named, recurrent: _Named | None) -> dict[str, _Told]:
    proj_size, hidden_size = projection.shape
    why = f"{given.shown(projection)}, which only an LSTM has"
    if recurrent is not None and recurrent.shape[0] == 4 * hidden_size:
        both = f"{given.shown(recurrent)}, {given.shown(projection)}"
        why = f"{both}: {_rows(recurrent.shape[0], hidden_size)}"
    return {
        "kind": _Told(Kind.LSTM, why),
        "hidden_size": _Told(hidden_size, given.shown(projection)),
        "proj_size": _Told(proj_size, given.shown(projection)),
    }


def _unprojected(given: _Given, recurrent: _Named) -> dict[str, _Told]:
    rows, columns = recurrent.shape
    kind = _KINDS.get(rows // columns) if rows % columns == 0 else None
    if kind is None:
        return {}
    may_project = kind is Kind.LSTM and not given.cell
    without = ", no weight_hr, so no proj_size" if may_project else ""
    return {
        "kind": _Told(kind, f"{given.shown(recurrent)}: {_rows(rows, columns)}"),
        "hidden_size": _Told(columns, f"{given.shown(recurrent)}{without}"),
        "proj_size": _Told(0, ""),
    }


def _projecting(given: _Given, recurrent: _Named) -> dict[str, _Told]:
    """The LSTM whose weight_hr is not among the weights: only then are there over 4 x its columns.

    Without a projection there would be 1, 3 or 4 times as many rows as columns.
    """
    rows, columns = recurrent.shape
    if given.cell or rows % 4 or rows <= 4 * columns:
        return {}
    why = f"{given.shown(recurrent)}: more than 4 x {columns} rows, so an LSTM with a projection"
    return {
        "kind": _Told(Kind.LSTM, why),
        "hidden_size": _Told(rows // 4, f"{why}; {rows} / 4"),
        "proj_size": _Told(columns, why),
    }


def _rows(rows: int, hidden_size: int) -> str:
    gates = rows // hidden_size
    return f"{rows} rows / {hidden_size} = {gates} gate{'s' * (gates > 1)}"


def _stack(given: _Given, told: Mapping[str, _Told], *, complete: bool) -> dict[str, _Told]:
    """The number of layers, which only complete weights show, and the directions."""
    if given.cell:
        return {}
    directions = _directions(given, told, complete=complete)
    if not complete:
        return directions
    last = given.layers - 1
    if given.plain:
        why = f"_l0 to _l{last}" if last else "only _l0"
    else:
        why = f"layers 0 to {last}" if last else "only layer 0"
    return {"num_layers": _Told(last + 1, why), **directions}


def _directions(given: _Given, told: Mapping[str, _Told], *, complete: bool) -> dict[str, _Told]:
    reverse = sum(each.reverse for each in given.all)
    if reverse:
        names = f"name{'s' * (reverse > 1)} end{'s' * (reverse == 1)} in _reverse"
        why = names if given.plain else "weights are of the reverse direction"
        return {"bidirectional": _Told(value=True, why=f"{reverse} {why}")}
    upper = given.first("weight_ih", upper=True)
    output = told.get("proj_size") and (told["proj_size"].value or told["hidden_size"].value)
    if upper is not None and output and upper.shape[1] == 2 * output:
        why = f"{given.shown(upper)}: {upper.shape[1]} columns = 2 x {output}"
        return {"bidirectional": _Told(value=True, why=why)}
    if complete:
        why = "no name ends in _reverse" if given.plain else "no weights of a reverse direction"
        return {"bidirectional": _Told(value=False, why=why)}
    if upper is not None and upper.shape[1] == output:
        return {"bidirectional": _Told(value=False, why=f"{given.shown(upper)}: {output} columns")}
    return {}


def _bias(given: _Given, *, complete: bool) -> dict[str, _Told]:
    biases = {each.stem: each for each in reversed(given.all) if each.stem.startswith("bias")}
    if biases:
        first = [biases[stem] for stem in ("bias_ih", "bias_hh") if stem in biases]
        names = ", ".join(given.label(each.name) for each in first)
        return {
            "bias": _Told(value=True, why=sized(names, first[0].shape) if first[0].shape else names)
        }
    return {"bias": _Told(value=False, why="no bias_ih, no bias_hh")} if complete else {}


def _contradiction(given: _Given, values: Mapping[str, Any], *, complete: bool) -> str:
    """What is wrong with the weights as those of one layer."""
    recurrent, projection = given.first("weight_hh"), given.first("weight_hr")
    if projection is not None and projection.shape[0] >= projection.shape[1]:
        sizes = "{} is not smaller than hidden_size {}".format(*projection.shape)
        return f"{given.shown(projection)}: proj_size {sizes}"
    decisive = projection or recurrent
    if decisive is None:
        return _undecided(given) if complete else ""
    if "kind" not in values or (complete and values["proj_size"] and projection is None):
        return _no_kind(given, decisive)
    layer = _nearest(given, values)
    differences = _differences(given, values, layer, complete=complete)
    if not differences:
        return ""
    known = "input_size" in values
    call = layer.constructor if known else layer.constructor.replace("(1, ", "(?, ", 1)
    return f"{differences}: {given.shown(decisive)} belongs to {call}"


def _undecided(given: _Given) -> str:
    name = given.label("weight_hh" if given.cell else "weight_hh_l0")
    return f"{name} is missing: only it tells an LSTM, a GRU and an RNN apart"


def _no_kind(given: _Given, recurrent: _Named) -> str:
    rows, columns = recurrent.shape
    problem = (
        f"{given.shown(recurrent)}: {rows} rows are not 4, 3 or 1 times {columns}, as in an LSTM,"
        " a GRU or an RNN"
    )
    if not given.cell and rows % 4 == 0 and rows > 4 * columns:
        missing = sized(given.label(recurrent.name.replace("_hh", "_hr")), (columns, rows // 4))
        problem += f"; an LSTM with a projection would also have {missing}"
    return problem


def _nearest(given: _Given, values: Mapping[str, Any]) -> RNNConfig:
    """The layer that the weights should be those of; unknown fields do not matter there."""
    return RNNConfig(**{"input_size": 1, "num_layers": given.layers, "bias": False, **values})


def _differences(
    given: _Given, values: Mapping[str, Any], layer: RNNConfig, *, complete: bool
) -> str:
    """How the weights differ from those of the layer, as a part of a sentence."""
    expected = weights(plain_sizes(layer, InputSpec()))
    found = {each.name: expected.find(each.name) for each in given.all}
    wrong = [
        _wrong(given, each, found[each.name])
        for each in given.all
        if (weight := found[each.name]) is None or each.shape not in ((), weight.shape)
    ]
    parts = [listed(wrong)] if wrong else []
    missing = expected.count - sum(weight is not None for weight in found.values())
    if complete and missing:
        absent = islice((each for each in expected if each.name not in found), MOST_NAMED)
        names = [_absent(given, weight, values) for weight in absent]
        are = "are" if missing > 1 else "is"
        parts.append(f"{listed(names, missing - len(names))} {are} missing")
    return "; ".join(parts)


def _wrong(given: _Given, weight: _Named, expected: Weight | None) -> str:
    if expected is None:
        return f"{given.label(weight.name)} should not be there"
    return f"{given.shown(weight)} should be {written_shape(expected.shape)}"


def _absent(given: _Given, weight: Weight, values: Mapping[str, Any]) -> str:
    reads = weight.name.removesuffix("_reverse") in ("weight_ih", "weight_ih_l0")
    label = given.label(weight.name)
    return label if reads and "input_size" not in values else sized(label, weight.shape)
