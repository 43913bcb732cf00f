"""The recurrent weights of a state dict by module, and what each is computed from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeAlias

from rnnshape.layer.facts import Dims
from rnnshape.layer.weight_names import (
    Spelling,
    WeightName,
    listed,
    quantizable_name,
    sized,
    weight_name,
)


class _Part(NamedTuple):
    label: str
    shape: Dims


_Parts: TypeAlias = dict[tuple[str, ...], _Part]


@dataclass(frozen=True, kw_only=True)
class StoredWeight:
    """One weight of a layer, or what it is computed from."""

    label: str  # in the module, of the tensor that has its shape: "weight_hh_l0_v"
    shape: Dims
    made: str = ""  # how it is computed, as the rest of a sentence: "computed by weight_norm"


@dataclass(frozen=True, kw_only=True)
class StoredLayer:
    """The tensors that belong to the recurrent layer or cell of one module."""

    name: str  # of the module
    cell: bool  # whether the names have no layer and direction, as those of a cell
    spelling: Spelling
    parts: dict[str, _Parts] = field(default_factory=dict)  # by weight: "weight_hh_l0"
    packed: dict[int, list[_Part]] = field(default_factory=dict)  # by place in _all_weight_values
    shapes: dict[str, Dims] = field(default_factory=dict)  # of all its tensors, by their full names

    def assignments(self) -> Iterator[StoredLayer]:
        """The layer with every weight by its name.

        Nothing in the names of `_all_weight_values` tells whether the second entry is the second
        layer or the reverse direction of the first: then there are two assignments.
        """
        if not self.packed:
            yield self
            return
        for directions in (1, 2) if len(self.packed) % 2 == 0 else (1,):
            parts = dict(self.parts)
            for entry, tensors in self.packed.items():
                place = f"_l{entry // directions}{'_reverse' * (entry % directions)}"
                for weight, tensor in _unpacked(tensors):
                    parts[f"{weight}{place}"] = {("packed",): tensor}
            yield replace(self, parts=parts)

    def weights(self) -> tuple[dict[str, StoredWeight], list[str]]:
        """The weights by name, and a sentence for each that its tensors do not make."""
        weights: dict[str, StoredWeight] = {}
        problems = []
        for name, parts in self.parts.items():
            weight = _computed(parts, ()) or _stacked(parts)
            if weight is None:
                problems.append(_unmade(name, parts))
            else:
                weights[name] = weight
        return weights, problems

    def spelled(self, weight: str) -> str:
        """What the layer calls a weight that it should have."""
        return quantizable_name(weight) if self.spelling == "quantizable" else weight


def stored_layers(shapes: Mapping[str, Dims]) -> list[StoredLayer]:
    """What has the names of recurrent weights, by module, in the order of the state dict."""
    found: dict[tuple[str, bool], StoredLayer] = {}
    for name, shape in shapes.items():
        parsed = weight_name(name, shape)
        if parsed is not None:
            _add(found, parsed, name, shape)
    return _joined(found)


def _add(
    found: dict[tuple[str, bool], StoredLayer], parsed: WeightName, name: str, shape: Dims
) -> None:
    cell = parsed.entry is None and "_l" not in parsed.weight
    layer = found.get((parsed.module, cell))
    if layer is None:
        layer = StoredLayer(name=parsed.module, cell=cell, spelling=parsed.spelling)
        found[parsed.module, cell] = layer
    layer.shapes[name] = shape
    part = _Part(parsed.label, shape)
    if parsed.entry is None:
        layer.parts.setdefault(parsed.weight, {}).setdefault(parsed.part, part)
    else:
        layer.packed.setdefault(parsed.entry, []).append(part)


def _joined(found: dict[tuple[str, bool], StoredLayer]) -> list[StoredLayer]:
    """The layers, each with the raw weights that a wrapper for weight drop holds in its place."""
    for (name, cell), layer in list(found.items()):
        inner = found.get((f"{name}.module" if name else "module", cell))
        raw = layer.parts and all(("raw",) in parts for parts in layer.parts.values())
        if inner is not None and raw and not layer.packed:
            for weight, parts in layer.parts.items():
                inner.parts[weight] = {**parts, **inner.parts.get(weight, {})}
            inner.shapes.update(layer.shapes)
            del found[name, cell]
    return list(found.values())


# The part that has the shape of the weight, the part that must be beside it, and how they make it.
_MADE: Final = (
    ("packed", None, "packed for quantized products"),
    ("linear", None, "those of nn.Linear modules, as in torch.ao.nn.quantizable"),
    ("orig", "mask", "pruned"),
    ("orig", "u", "computed by spectral_norm"),
    ("v", "g", "computed by weight_norm"),
    ("original1", "original0", "computed by weight_norm"),
    ("original", None, "computed by a parametrization"),
    ("raw", None, "put through dropout in training"),
)
# Parts that have the shape of the weight itself.
_WHOLE: Final = ("orig", "raw", "original")
# What the parts of a weight must be, for each set of them.
_EXPECTED: Final = {
    ("g", "v"): "weight_norm needs _v and its norm _g",
    ("original0", "original1"): "weight_norm needs original1 and its norm original0",
    ("orig", "mask", "u"): "pruning needs _orig and a _mask of its shape,"
    " spectral_norm needs _orig and _u",
    ("input", "forget", "cell", "output"): "it needs four gates of one shape",
}


def _unmade(weight: str, parts: _Parts) -> str:
    those = listed([sized(*part) for part in parts.values()])
    does = "do" if len(parts) > 1 else "does"
    last = {path[-1] for path in parts if path}
    expected = (text for known, text in _EXPECTED.items() if not last.isdisjoint(known))
    why = next(expected, "the tensor that it is computed from is missing")
    if () in parts:
        why = "they should have the same shape"
    return f"{those} {does} not make {weight}: {why}"


def _computed(parts: _Parts, path: tuple[str, ...]) -> StoredWeight | None:
    """The weight that the parts below `path` make; None where they do not make one."""
    if path in parts:
        whole = parts[path]
        again = {parts[(*path, part)].shape for part in _WHOLE if (*path, part) in parts}
        made = "held in more than one form" if again else ""
        agrees = again <= {whole.shape}
        return StoredWeight(label=whole.label, shape=whole.shape, made=made) if agrees else None
    for value, beside, made in _MADE:
        found = _below(parts, (*path, value))
        companion = None if beside is None else _below(parts, (*path, beside))
        if found is not None and (beside is None or _fits(beside, companion, found.shape)):
            return replace(found, made=f"{found.made} and {made}" if found.made else made)
    return None


def _below(parts: _Parts, path: tuple[str, ...]) -> StoredWeight | None:
    here = any(part[: len(path)] == path for part in parts)
    return _computed(parts, path) if here else None


def _fits(part: str, companion: StoredWeight | None, shape: Dims) -> bool:
    """Whether a tensor of this shape has such a mask, or such a norm over all but one dimension."""
    if companion is None or part == "u":
        return companion is not None
    if part == "mask":
        return companion.shape == shape
    kept = [size for size in companion.shape if size != 1]
    broadcast = len(companion.shape) == len(shape) and all(
        size in (1, whole) for size, whole in zip(companion.shape, shape, strict=True)
    )
    return companion.shape == () or (broadcast and len(kept) <= 1)


def _stacked(parts: _Parts) -> StoredWeight | None:
    """The weight whose gates are held one by one, in PyTorch's order."""
    gates = [parts.get((gate,)) for gate in ("input", "forget", "cell", "output")]
    first, shapes = gates[0], {gate.shape for gate in gates if gate is not None}
    if first is None or None in gates or len(shapes) > 1 or not first.shape:
        return None
    rows, *columns = first.shape
    return StoredWeight(
        label=first.label.replace("input", "*", 1),
        shape=(4 * rows, *columns),
        made="held gate by gate",
    )


def _unpacked(tensors: Sequence[_Part]) -> Iterator[tuple[str, _Part]]:
    """The weights of one direction, packed in PyTorch's order: both biases, then both matrices."""
    for kind, least in (("weight", 2), ("bias", 1)):
        alike = [tensor for tensor in tensors if min(len(tensor.shape), 2) == least]
        yield from zip((f"{kind}_ih", f"{kind}_hh"), alike, strict=False)
