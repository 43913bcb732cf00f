"""What is said of the states that one layer hands to the next: the fit, and a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rnnshape.analysis.feeding import Feed, Feeding
from rnnshape.dims import ints, written_shape
from rnnshape.document.model import Block, Code, Inline, Listing, Paragraph, Picture, plain
from rnnshape.document.sections.code import broken, settings_arguments
from rnnshape.layer.formulas import final_state_names
from rnnshape.layer.subject import Subject


def feed_sections(feedings: Iterable[tuple[int, Feeding]]) -> dict[str, Iterable[Block]]:
    """A section for each pair of layers, with the number of the row of the first."""
    return {f"feeds {row} -> {row + 1}": _blocks(each) for row, each in feedings}


def _blocks(feeding: Feeding) -> Iterator[Block]:
    """Whether the states fit and, if not, the program that makes them."""
    yield Paragraph((Code(feeding.giver.constructor), " -> ", Code(feeding.taker.constructor)))
    yield Listing(tuple(_items(feeding)))
    if not feeding.fits and not any(feed.clash for feed in feeding.feeds):
        yield Picture(tuple(_program(feeding)), language="python")


def feed_text(feed: Feed) -> Inline:
    """What makes a state fit: `the last of 2 layers, nn.Linear(40, 64)`."""
    if feed.clash:
        return (feed.clash,)
    if feed.given is None:
        return ("zeros",)
    does = [Code(step.does) if step.does.startswith("nn.") else step.does for step in feed.steps]
    misread = "equal shapes, but rows of other layers or directions: " * feed.misread
    joined = tuple(piece for each in does for piece in (", ", each))[1:]
    return (misread, *joined) if does else ("fits",)


def feeds_data(feedings: Iterable[Feeding]) -> list[Mapping[str, Any]]:
    """The data of each pair of layers."""
    return [
        {
            "from": each.giver.constructor,
            "to": each.taker.constructor,
            "fits": each.fits,
            "states": [
                {
                    "name": feed.name,
                    "shape": list(ints(feed.needed.shape)),
                    "from": feed.given and feed.given.name,
                    "from_shape": feed.given and list(ints(feed.given.shape)),
                    "fits": feed.fits,
                    "by": plain(feed_text(feed)),
                    "linear": feed.linear and list(feed.linear),
                }
                for feed in each.feeds
            ],
            "unread": each.unread or None,
            "program": None if each.fits else "\n".join(_program(each)),
        }
        for each in feedings
    ]


def _items(feeding: Feeding) -> Iterator[tuple[Code | str, Inline]]:
    for feed in feeding.feeds:
        needed = f"{feed.name} {written_shape(feed.needed.shape)}"
        given = feed.given and f"{feed.given.name} {written_shape(feed.given.shape)}"
        yield Code(f"{given} -> {needed}" if given else needed), feed_text(feed)
    if feeding.unread:
        yield Code(feeding.unread), (Code(feeding.taker.config.class_name), " has no place for it")


def _program(feeding: Feeding) -> list[str]:
    return [short for line in _lines(feeding) for short in broken(line)]


def _lines(feeding: Feeding) -> Iterator[str]:
    """Both layers, each called once, with what lies between."""
    yield "import torch"
    yield "from torch import nn"
    for name, subject in (("encoder", feeding.giver), ("decoder", feeding.taker)):
        constructor = subject.constructor.removesuffix(")")
        yield f"{name} = {constructor}{settings_arguments(subject.settings)})"
    settings = settings_arguments(feeding.taker.settings)
    for feed in feeding.feeds:
        if feed.linear:
            sizes = ", ".join(map(str, feed.linear))
            yield f"{feed.bridge} = nn.Linear({sizes}{settings})"
    returned = _returned(feeding.giver)
    yield f"{returned} = encoder({_input(feeding.giver)})"
    states = []
    for feed in feeding.feeds:
        states.append(feed.name if feed.steps or feed.given is None else feed.given.name)
        yield from _made(feed, states[0])
    handed = states[0] if len(states) == 1 else f"({', '.join(states)})"
    yield f"{_returned(feeding.taker)} = decoder({_input(feeding.taker)}, {handed})"


def _made(feed: Feed, beside: str) -> Iterator[str]:
    """The lines that make a state; `beside` is the name of one that is there already."""
    if feed.given is None:
        sizes = ", ".join(map(str, ints(feed.needed.shape)))
        yield f"{feed.name} = {beside}.new_zeros({sizes})  # the encoder returns none"
        return
    state = feed.given.name
    for step in feed.steps:
        yield f"{feed.name} = {step.expression.format(state)}  # {step.does}"
        state = feed.name


def _returned(subject: Subject) -> str:
    """What a call returns, by name: `output, (h_n, c_n)`."""
    names = final_state_names(subject.config)
    if subject.config.cell:
        return ", ".join(names)
    return f"output, {names[0]}" if len(names) == 1 else f"output, ({', '.join(names)})"


def _input(subject: Subject) -> str:
    sizes = ", ".join(map(str, ints(subject.tensors["input"].shape)))
    return f"torch.randn({sizes}{settings_arguments(subject.settings)})"
