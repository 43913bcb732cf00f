"""Combine the fields of an input, and check them against the layer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rnnshape.computed import cached_property
from rnnshape.errors import RequestError
from rnnshape.fields import FIELDS

# The axes that an input may have.
_AXES: Final = ("seq_len", "batch_size", "input_size")


def read_input(
    given: Mapping[str, Any], layer: Mapping[str, Any], *, fixed: Collection[str] = ()
) -> dict[str, Any]:
    """The fields of InputSpec, and input_size where the input shape gives it.

    `layer` holds the given fields of the layer; those in `fixed` cannot be changed. Raises
    RequestError where fields contradict each other.
    """
    _require_compatible(given, cell=bool(layer.get("cell")))
    read = {name: given[name] for name in ("batch_size", "seq_len", "with_state") if name in given}
    if given.get("unbatched"):
        read["batched"] = False
    if "lengths" in given:
        read |= _rows(given["lengths"], read)
    if "input_shape" in given:
        read |= _Shape(given["input_shape"], layer, read, fixed).fields()
    if "lengths" in read:
        read.setdefault("seq_len", max(1, *read["lengths"]))
    return read


def _require_compatible(given: Mapping[str, Any], *, cell: bool) -> None:
    """Raise RequestError for two fields that cannot be combined."""
    for other in ("batch_size", "lengths"):
        if given.get("unbatched") and other in given:
            raise RequestError(
                f"{{unbatched}} is one sequence without a batch, but {{{other}}} is given",
                hint=f"leave out {{unbatched:name}} or {{{other}:name}}",
                unbatched=True,
                **{other: given[other]},
            )
    for name in ("seq_len", "lengths"):
        if cell and name in given:
            raise RequestError(
                f"a cell takes one step, but {{{name}}} is given",
                hint=f"leave {{{name}:name}} out, or ask for the layer instead of its cell",
                **{name: given[name]},
            )


def _rows(lengths: tuple[int, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that lengths give: their number is the batch."""
    batch = given.get("batch_size", len(lengths))
    if batch != len(lengths):
        there = "is 1 length" if len(lengths) == 1 else f"are {len(lengths)} lengths"
        raise RequestError(
            f"there {there}, but {{batch_size:name}} is {batch}",
            hint="leave {batch_size:name} out, or give {batch_size}",
            batch_size=len(lengths),
        )
    return {"lengths": lengths, "batch_size": len(lengths)}


@dataclass(frozen=True)
class _Shape:
    """An input shape, together with the other fields that are given."""

    sizes: tuple[int, ...]
    layer: Mapping[str, Any]
    given: Mapping[str, Any]  # of the input, read so far
    fixed: Collection[str]

    @property
    def unbatched(self) -> bool:
        """Whether the input is said to have no batch axis."""
        return self.given.get("batched") is False

    @cached_property
    def batched(self) -> tuple[str, ...]:
        """The axes with a batch, in the layer's order."""
        if self.layer.get("cell"):
            return ("batch_size", "input_size")
        first = self.layer.get("batch_first")
        return ("batch_size", "seq_len", "input_size") if first else _AXES

    @cached_property
    def single(self) -> tuple[str, ...]:
        """The axes without a batch."""
        return tuple(name for name in self.batched if name != "batch_size")

    @cached_property
    def known(self) -> dict[str, int]:
        """The sizes of axes that other fields give."""
        return {name: size for name, size in {**self.layer, **self.given}.items() if name in _AXES}

    def fields(self) -> dict[str, Any]:
        """The fields that the shape gives. Raises RequestError where it contradicts another."""
        axes = self._axes()
        shape = dict(zip(axes, self.sizes, strict=True))
        for name, size in shape.items():
            if not size and name != "batch_size":
                raise self._refused(f"has {name} 0, which must be 1 or more", axes, shape)
        if self.unbatched and axes == self.batched:
            raise RequestError(
                "{unbatched} is one sequence without a batch, but"
                f" {{input_shape:name}} {_listed(self.sizes)} has a batch axis",
                hint="{input_shape}, or leave {unbatched:name} out",
                unbatched=True,
                input_shape=self.likely(self.single, shape),
            )
        for name, size in shape.items():
            if self.known.get(name, size) != size:
                raise self._clash(name, shape)
        return shape if axes == self.batched else {**shape, "batched": False}

    def likely(self, axes: Collection[str], shape: Mapping[str, int] = {}) -> tuple[int, ...]:
        """A valid shape: the sizes that are known, else those in `shape`, else the defaults."""
        sizes = {**shape, **self.known}
        return tuple(
            max(sizes.get(name, FIELDS[name].default), int(name != "batch_size")) for name in axes
        )

    def _axes(self) -> tuple[str, ...]:
        """The axes whose sizes these are. Raises RequestError for a wrong number of sizes."""
        if len(self.sizes) == len(self.batched):
            return self.batched
        meant = {}
        if len(self.sizes) == len(self.single):
            if "batch_size" not in self.given:
                return self.single
            meant = dict(zip(self.single, self.sizes, strict=True))
        wanted = self.single if self.unbatched else self.batched
        needed = f"{len(wanted)} size{'s' * (len(wanted) > 1)}"
        if self.unbatched or "batch_size" in self.given:
            needed += f", {','.join(FIELDS[name].symbol for name in wanted)}"
        else:
            needed += f", or {len(self.single)} without a batch"
        raise self._refused(
            f"has {needed}; {_listed(self.sizes)} has {len(self.sizes)}", wanted, meant
        )

    def _clash(self, name: str, shape: Mapping[str, int]) -> RequestError:
        """The error for a size that the target, the lengths or another field contradicts."""
        size, known = shape[name], self.known[name]
        if name in self.fixed:
            return self._refused(f"has {name} {size}, but the target has {known}", shape, shape)
        if name != "batch_size" or "lengths" not in self.given:
            return RequestError(
                f"{{input_shape:name}} has {name} {size}, but {{{name}:name}} is {known}",
                hint=f"leave {{{name}:name}} out, or give {{{name}}}",
                input_shape=self.sizes,
                **{name: size},
            )
        there = "is 1 length" if known == 1 else f"are {known} lengths"
        problem = f"has batch_size {size}, but there {there}"
        enough = {**shape, "seq_len": max(shape["seq_len"], *self.given["lengths"])}
        if self.sizes[0] == known and "batch_first" not in self.layer:
            return RequestError(
                f"{{input_shape:name}} {problem}",
                hint=f"{{batch_first}} makes {known} the batch, or {{input_shape}}",
                batch_first=True,
                input_shape=self.likely(shape, enough),
            )
        return self._refused(problem, shape, enough)

    def _refused(
        self, problem: str, axes: Collection[str], shape: Mapping[str, int]
    ) -> RequestError:
        """The error for a shape, with one that fits as its hint."""
        fitting = self.likely(axes, shape)
        return RequestError(
            f"{{input_shape:name}} {problem}", hint="{input_shape}", input_shape=fitting
        )


def _listed(sizes: Collection[int]) -> str:
    return ",".join(map(str, sizes))
