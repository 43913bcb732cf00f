"""How recurrent layers differ between a checkpoint and a model, in the terms of constructors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rnnshape.analysis.explanation.loading import Loading
from rnnshape.analysis.explanation.records import Comparison
from rnnshape.layer.config import Kind
from rnnshape.layer.facts import Dims
from rnnshape.layer.inference import infer
from rnnshape.layer.weight_names import listed, weight_name

Values = dict[str, Any]  # by field of RNNConfig; what is not known is not there

# Parts that have the shape of their weight.
_WHOLE: Final = ((), ("raw",), ("v",), ("orig",), ("original",), ("original1",))
_PLACE: Final = re.compile(
    r"(?P<stem>\w+?_(?:ih|hh|hr))(?:_l(?P<layer>\d+)(?P<reverse>_reverse)?)?"
)
_FIELDS: Final = ("input_size", "hidden_size", "num_layers", "bias", "bidirectional", "proj_size")
_DEFAULTS: Final = {"num_layers": 1, "bias": True, "bidirectional": False, "proj_size": 0}


@dataclass(kw_only=True)
class Module:
    """A recurrent layer or cell of which the text names weights, by torch's names for them."""

    name: str
    cell: bool
    spoken: Kind | None = None  # the kind that the rest of the text speaks of
    missing: set[str] = field(default_factory=set)
    unexpected: set[str] = field(default_factory=set)
    sizes: dict[str, tuple[Dims, Dims]] = field(default_factory=dict)

    @property
    def absent(self) -> bool:
        """Whether one of the two sides lacks the module."""
        first = "weight_hh" if self.cell else "weight_hh_l0"
        return not self.sizes and first in self.missing | self.unexpected

    @property
    def told(self) -> Kind | None:
        """The kind that its name or the rest of the text tells."""
        return Kind.LSTM if self.projected else _kind_in(self.name) or self.spoken

    @property
    def projected(self) -> bool:
        """Whether it has a projection, as only an LSTM can, on either side."""
        return any("weight_hr" in name for name in self.missing | self.unexpected | {*self.sizes})


def _kind_in(text: str) -> Kind | None:
    """The kind that alone is named in a text; `rnn` may be any kind."""
    kinds = [kind for kind in (Kind.LSTM, Kind.GRU) if kind.value in text.upper()]
    return kinds[0] if len(kinds) == 1 else None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way in which the weights that the text names make a layer on either side."""

    module: Module
    checkpoint: Values
    model: Values

    @property
    def differing(self) -> tuple[str, ...]:
        """The fields that are known on both sides and differ."""
        ours, theirs = self.checkpoint, self.model
        known = (name for name in ("kind", *_FIELDS) if name in ours and name in theirs)
        return tuple(name for name in known if ours[name] != theirs[name])

    @property
    def call(self) -> str:
        """The constructor that fits the checkpoint, with `...` for what is not known."""
        values, cell = self.checkpoint, self.module.cell
        sizes = [name for name in _FIELDS[:2] if name in values]
        positional = [str(values[name]) for name in sizes] if len(sizes) == 2 else []
        named = [*([] if positional else sizes), *filter(self._shown, _FIELDS[2:])]
        keywords = [f"{name}={values[name]}" for name in named]
        unknown = [] if cell and positional and "bias" in values else ["..."]
        kind: Kind = values.get("kind") or self.module.told or Kind.LSTM
        arguments = ", ".join([*positional, *unknown, *keywords])
        return f"nn.{kind.value}{'Cell' * cell}({arguments})"

    def _shown(self, name: str) -> bool:
        value = self.checkpoint.get(name)
        return value is not None and (name in self.differing or value != _DEFAULTS[name])


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How one module differs, for each kind that it may be."""

    readings: tuple[Reading, ...]
    told: bool  # whether the kind is taken from names, among several that it may be

    @property
    def name(self) -> str:
        """That of the module."""
        return self.readings[0].module.name

    @property
    def open(self) -> bool:
        """Whether the text leaves the kind open."""
        return len(self.readings) > 1

    @property
    def sentence(self) -> str:
        """What differs, in the fields of constructors."""
        first = self.readings[0]
        if "kind" in first.differing:
            sides = (self._of_kind(values) for values in (first.checkpoint, first.model))
            has = "is"
        else:
            sides = (self._fields(values) for values in (first.checkpoint, first.model))
            has = "has"
        ours, theirs = sides
        return f"{self._subject()} {has} {ours} in the checkpoint, but {theirs} in the model."

    def _subject(self) -> str:
        first = self.readings[0]
        kind = first.checkpoint.get("kind")
        named = kind is not None and not self.open and "kind" not in first.differing
        noun = kind.value if kind is not None and named else "layer"
        noun += "Cell" if first.module.cell and named else ""
        return f"The {noun} `{self.name}`" if self.name else f"The {noun}"

    def _fields(self, values: Values) -> str:
        first = self.readings[0]
        names = first.differing
        if self.open and "hidden_size" in names:
            rows = values["hidden_size"] * values["kind"].gates
            others = [_written(name, values[name]) for name in names if name != "hidden_size"]
            return listed([*others, f"weights of {rows} rows"])
        if len(names) == 1 and values is first.model and not isinstance(values[names[0]], bool):
            return str(values[names[0]])
        return listed([_written(name, values[name]) for name in names], 0)

    def _of_kind(self, values: Values) -> str:
        kind, names = values["kind"].value, self.readings[0].differing[1:]
        fields = f" with {listed([_written(n, values[n]) for n in names], 0)}" if names else ""
        return f"{with_article(kind)}{fields}"

    @property
    def on_kinds(self) -> str:
        """A note on what the layer may be; "" where its weights show its kind."""
        if self.told:
            kind = with_article(self.readings[0].checkpoint["kind"].value)
            return f"That it is {kind} is taken from the names: these weights do not show it."
        if not self.open:
            return ""
        first = self.readings[0]
        rows = (
            side["hidden_size"] * side["kind"].gates for side in (first.checkpoint, first.model)
        )
        told = "; ".join(
            f"{each} rows are those of {alternatives(each)}" for each in dict.fromkeys(rows)
        )
        return f"These weights leave the kind open: {told}."

    @property
    def calls(self) -> str:
        """The constructors that fit the checkpoint, a line for each kind that it may be."""
        name, first = self.name or "the layer", self.readings[0]
        if not self.open:
            known = "kind" in first.checkpoint or first.module.told
            cell = "Cell" * first.module.cell
            others = "" if known else f", or nn.GRU{cell}, nn.RNN{cell}"
            return f"{first.call}  # {name}{others}"
        kinds = (each.checkpoint["kind"].value for each in self.readings)
        calls = zip(self.readings, kinds, strict=True)
        return "\n".join(
            f"{each.call}  # {name}, if it is {with_article(kind)}" for each, kind in calls
        )

    @property
    def comparison(self) -> Comparison:
        """The fields that are known of either side, and the same for each kind it may be."""
        first = self.readings[0]
        ours, theirs = dict(first.checkpoint), dict(first.model)
        if self.open:
            for side in (ours, theirs):
                side["rows"] = side.pop("hidden_size") * side.pop("kind").gates
        always = ("kind", "input_size", "hidden_size", "rows", "num_layers", "bidirectional")
        known = [
            name
            for name in ("kind", "input_size", "hidden_size", "rows", *_FIELDS[2:])
            if (name in ours or name in theirs) and (name in always or name in first.differing)
        ]
        expected, got = (tuple(_cell(side.get(name)) for name in known) for side in (ours, theirs))
        return Comparison(
            title="",
            places=tuple(known),
            expected=expected,
            got=got,
            labels=("checkpoint", "model"),
        )


def _written(name: str, value: Any) -> str:
    return f"`{name}={value}`" if isinstance(value, bool) else f"{name} {value}"


def with_article(kind: str) -> str:
    """A kind of layer as a text says it: "an LSTM", "a GRU"."""
    return f"a {kind}" if kind == "GRU" else f"an {kind}"


def alternatives(rows: int) -> str:
    """Every layer whose weights have so many rows."""
    kinds = [kind for kind in Kind if rows % kind.gates == 0]
    several = [
        f"{with_article(kind.value)} with hidden_size {rows // kind.gates}" for kind in kinds
    ]
    return " or ".join(filter(None, (", ".join(several[:-1]), several[-1])))


def _cell(value: Any) -> int | str | None:
    if isinstance(value, Kind):
        return value.value
    return str(value) if isinstance(value, bool) else value


def differences(said: Loading, *around: str) -> list[Difference]:
    """The recurrent modules that both sides have, and that differ."""
    found = (_difference(each) for each in modules(said, *around) if not each.absent)
    return [each for each in found if each is not None]


def modules(said: Loading, *around: str) -> list[Module]:
    """The recurrent modules of which the text names weights; `around` may tell their kind."""
    found: dict[tuple[str, bool], Module] = {}
    names = (*said.sizes, *said.missing, *said.unexpected)
    spoken = next(filter(None, map(_kind_in, (said.into, *around))), None) if names else None
    for name in names:
        shape = said.sizes[name][0] if name in said.sizes else ()
        parsed = weight_name(name, shape)
        if parsed is None or not parsed.weight or parsed.part not in _WHOLE:
            continue
        cell = "_l" not in parsed.weight
        module = found.setdefault(
            (parsed.module, cell), Module(name=parsed.module, cell=cell, spoken=spoken)
        )
        if name in said.sizes:
            module.sizes[parsed.weight] = said.sizes[name]
        else:
            (module.missing if name in said.missing else module.unexpected).add(parsed.weight)
    return list(found.values())


def _difference(module: Module) -> Difference | None:
    """How the two sides of a module differ, if they do, in each way to read its weights."""
    extra, lacking = (_named(module.unexpected), _named(module.missing))
    checkpoint = [{**each, **extra[0], **lacking[1]} for each in _possible(module, 0)]
    model = [{**each, **lacking[0], **extra[1]} for each in _possible(module, 1)]
    pairs = [
        Reading(module=module, checkpoint=ours, model=theirs)
        for ours in checkpoint
        for theirs in model
    ]
    alike = [each for each in pairs if each.checkpoint.get("kind") is each.model.get("kind")]
    chosen = [each for each in alike or pairs[:1] if each.differing]
    if not chosen:
        return None
    told = [each for each in chosen if each.checkpoint.get("kind") is module.told is not None]
    return Difference(readings=tuple(told or chosen), told=bool(told) and len(chosen) > 1)


def _named(extra: set[str]) -> tuple[Values, Values]:
    """What names that only one side has tell about it, and about the other side."""
    ours: Values = {}
    theirs: Values = {}
    parts = [match for name in sorted(extra) if (match := _PLACE.fullmatch(name))]
    matrices = _places(parts, "weight_ih") | _places(parts, "weight_hh")
    forward = {layer for layer, reverse in matrices if not reverse}
    backward = {layer for layer, reverse in matrices if reverse}
    if forward and min(forward) > 0:
        ours["num_layers"], theirs["num_layers"] = max(forward | backward) + 1, min(forward)
    if backward - forward:
        ours["bidirectional"], theirs["bidirectional"] = True, False
    elif backward and 0 not in forward:
        ours["bidirectional"] = theirs["bidirectional"] = True
    if (_places(parts, "bias_ih") | _places(parts, "bias_hh")) - matrices:
        ours["bias"], theirs["bias"] = True, False
    return ours, theirs


def _places(parts: list[re.Match[str]], stem: str) -> set[tuple[int, bool]]:
    """The layers and directions of which there is such a tensor."""
    those = (part for part in parts if part["stem"] == stem)
    return {(int(part["layer"] or 0), bool(part["reverse"])) for part in those}


def _possible(module: Module, side: int) -> list[Values]:
    """What the shapes of one side show, for each kind that has such shapes."""
    shapes: dict[str, Dims | None] = {name: both[side] for name, both in module.sizes.items()}
    known = infer(shapes)
    if known.problem:
        return [{}]
    if "kind" in known.values or not shapes:
        return [dict(known.values)]
    return list(_of_each_kind(module, shapes)) or [dict(known.values)]


def _of_each_kind(module: Module, shapes: Mapping[str, Dims | None]) -> Iterator[Values]:
    """The layer for each kind, as if its recurrent weight were known: its rows are."""
    recurrent = "weight_hh" if module.cell else "weight_hh_l0"
    rows = next(iter(shape[0] for shape in shapes.values() if shape), 0)
    for kind in (Kind.LSTM,) if module.projected else Kind:
        hidden_size, rest = divmod(rows, kind.gates)
        if rest or not hidden_size:
            continue
        assumed = infer({recurrent: (rows, hidden_size), **shapes})
        if not assumed.problem:
            yield {name: v for name, v in assumed.values.items() if name != "proj_size"}
