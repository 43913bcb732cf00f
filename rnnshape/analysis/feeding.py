"""Whether the final states of one layer can be the initial states of another, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rnnshape.layer.formulas import final_state_names, state_names

if TYPE_CHECKING:
    from rnnshape.layer.facts import Tensor
    from rnnshape.layer.subject import Subject


class Step(NamedTuple):
    """One change to a state: an expression in which `{}` stands for it, and what it does."""

    expression: str
    does: str


@dataclass(frozen=True, kw_only=True)
class Feed:
    """An initial state, and the final state of another layer that it is to be made of."""

    name: str  # "h_0"
    needed: Tensor
    given: Tensor | None  # None where the other layer returns none like it: zeros
    steps: tuple[Step, ...]
    linear: tuple[int, int] | None = None  # in_features and out_features, where widths differ
    clash: str = ""  # why no step can make it fit

    @property
    def fits(self) -> bool:
        """Whether the final state can be used as it is."""
        return self.given is not None and not self.steps and not self.clash

    @property
    def misread(self) -> bool:
        """Whether the shapes are equal though the rows are of other layers or directions."""
        same = self.given is not None and self.given.shape == self.needed.shape
        return same and bool(self.steps)

    @property
    def bridge(self) -> str:
        """What the program calls the nn.Linear: `h_bridge`."""
        return f"{self.name[0]}_bridge"


@dataclass(frozen=True, kw_only=True)
class Feeding:
    """Every initial state of `taker`, made of the final states of `giver`."""

    giver: Subject
    taker: Subject
    feeds: tuple[Feed, ...]

    @property
    def unread(self) -> str:
        """The final state that the taker has no place for: `c_n`, or ""."""
        names = final_state_names(self.giver.config)
        return names[1] if len(names) > len(self.feeds) else ""

    @property
    def fits(self) -> bool:
        """Whether what the giver returns can be handed on unchanged."""
        return all(feed.fits for feed in self.feeds) and not self.unread


def feeding(giver: Subject, taker: Subject) -> Feeding:
    """How the final states of one layer become the initial states of the next."""
    given = [giver.tensors[name] for name in final_state_names(giver.config)]
    needed = [taker.tensors[name] for name in state_names(taker.config, "0")]
    padded = (*given, *[None] * len(needed))
    pairs = zip(needed, padded, strict=False)
    return Feeding(
        giver=giver,
        taker=taker,
        feeds=tuple(fed(giver, source, taker, state) for state, source in pairs),
    )


def fed(giver: Subject, given: Tensor | None, taker: Subject, needed: Tensor) -> Feed:
    """How `given`, a final state of one layer, becomes `needed`, an initial state of another."""
    name = needed.name
    if given is None:
        return Feed(name=name, needed=needed, given=None, steps=())
    theirs, own = (_batch(each) for each in (given, needed))
    if theirs != own:
        clash = f"the batch is {_written(theirs)} there and {_written(own)} here"
        return Feed(name=name, needed=needed, given=given, steps=(), clash=clash)
    width, wanted = int(given.shape[-1]), int(needed.shape[-1])
    steps = [*_of_layers(giver, taker, rest=len(given.shape) - (not giver.config.cell))]
    if giver.config.directions > taker.config.directions:
        beside = width != wanted
        steps.append(_BESIDE if beside else _ADDED)
        width *= 1 + beside
    if giver.config.directions < taker.config.directions:
        steps.append(Step("{}.repeat_interleave(2, 0)", "for each direction"))
    linear = None
    if width != wanted:
        linear = (width, wanted)
        steps.append(Step(f"{name[0]}_bridge({{}})", f"nn.Linear({width}, {wanted})"))
    if taker.config.cell and not giver.config.cell:
        steps.append(Step("{}[0]", "without the axis of layers"))
    return Feed(name=name, needed=needed, given=given, steps=tuple(steps), linear=linear)


_BESIDE = Step("torch.cat([{0}[0::2], {0}[1::2]], -1)", "both directions side by side")
_ADDED = Step("{0}[0::2] + {0}[1::2]", "the sum of both directions")


def _of_layers(giver: Subject, taker: Subject, *, rest: int) -> Iterator[Step]:
    """As many layers as the taker has; `rest` counts the axes of a state beside that of layers."""
    theirs, own, rows = giver.config.num_layers, taker.config.num_layers, giver.config.directions
    if giver.config.cell and not taker.config.cell:
        yield Step("{}.unsqueeze(0)", "with an axis of layers")
    if theirs > own:
        last = "the last" if own == 1 else f"the last {own}"
        yield Step(f"{{}}[-{own * rows}:]", f"{last} of {theirs} layers")
    if theirs < own:
        whole = "{}" if theirs == 1 else f"{{}}[-{rows}:]"
        last = "the layer" if theirs == 1 else f"the last of {theirs} layers"
        ones = ", 1" * rest
        yield Step(f"{whole}.repeat({own}{ones})", f"{last}, for each of {own}")


def _batch(state: Tensor) -> int | None:
    return int(state.shape[state.axes.index("batch")]) if "batch" in state.axes else None


def _written(batch: int | None) -> str:
    return "none" if batch is None else f"{batch:,}"
