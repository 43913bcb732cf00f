"""The layers that a row of a comparison adds up, each joined with the input that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from rnnshape.errors import RequestError
from rnnshape.layer.findings import NotAChain
from rnnshape.layer.formulas import read_next
from rnnshape.layer.stateless import Embedding, Linear
from rnnshape.layer.subject import Subject

if TYPE_CHECKING:
    from rnnshape.layer.facts import Tensor
    from rnnshape.sources.sums import Sum, Term

Layer: TypeAlias = Subject | Linear | Embedding


@dataclass(frozen=True, kw_only=True)
class Summand:
    """A layer, as often as it is counted; counts are of all copies."""

    layer: Layer
    copies: int = 1
    merged: bool = False  # whether its two directions are added before the next layer reads them

    @property
    def constructor(self) -> str:
        """The call that builds it, with the number of copies."""
        constructor = self.layer.constructor
        return constructor if self.copies == 1 else f"{self.copies} x {constructor}"

    @property
    def parameters(self) -> int:
        """Elements of all weights of all copies."""
        return self.copies * self.layer.parameters

    @property
    def macs(self) -> int:
        """Multiply-adds of the matrix products over the whole input, of all copies."""
        return self.copies * self.layer.macs

    @property
    def gives(self) -> int:
        """The features of what the next layer reads."""
        return self.layer.gives // (1 + self.merged)


Summands: TypeAlias = tuple[Summand, ...]  # with at least one recurrent layer


def alone(subject: Subject) -> Summands:
    """One layer that nothing is added to."""
    return (Summand(layer=subject),)


def joined(sums: Sequence[Sum], subjects: Sequence[Subject]) -> list[Summands]:
    """The sums with their recurrent layers as subjects, in order.

    Raises RequestError where directions are to be merged and no layer has two.
    """
    left = iter(subjects)
    rows = [_summands(each, left) for each in sums]
    _require_directions(sums, subjects)
    return rows


def recurrent(summands: Summands) -> list[Subject]:
    """The recurrent layers, in order."""
    return [each.layer for each in summands if isinstance(each.layer, Subject)]


def stateless(summands: Summands) -> list[Linear | Embedding]:
    """The other layers, in order."""
    return [each.layer for each in summands if not isinstance(each.layer, Subject)]


def written(summands: Summands) -> str:
    """The calls that build all: `nn.LSTM(20, 40) + nn.Linear(40, 20)`."""
    return " + ".join(each.constructor for each in summands)


def output_of(summand: Summand, subject: Subject) -> Tensor:
    """What a summand gives, where `subject` has the axes of the input."""
    tensor = read_next(subject.results)
    if tensor.shape[-1] == summand.gives:
        return tensor
    return replace(tensor, shape=(*tensor.shape[:-1], summand.gives))


def breaks(summands: Summands) -> Iterator[NotAChain]:
    """Where a sum is no chain, in which each layer reads what the one before gives."""
    if len(summands) == 1:
        return
    copies = ((each, each) for each in summands if each.copies > 1)
    for first, second in (*pairwise(summands), *copies):
        if first.gives != second.layer.reads:
            yield NotAChain(
                first=first.layer.constructor,
                gives=first.gives,
                second=second.layer.constructor,
                reads=second.layer.reads,
            )


def _summands(added: Sum, subjects: Iterator[Subject]) -> Summands:
    if len(added.terms) == 1:
        return _stacked(next(subjects), added.terms[0])
    layers: list[tuple[Term, Layer]] = [
        (term, term.layer if isinstance(term.layer, (Linear, Embedding)) else next(subjects))
        for term in added.terms
    ]
    steps = next(each.sizes.steps for _, each in layers if isinstance(each, Subject))
    found: list[Summand] = []
    for term, layer in layers:
        if isinstance(layer, Subject):
            found += _stacked(layer, term)
        else:
            found.append(Summand(layer=replace(layer, steps=steps), copies=term.copies or 1))
    return tuple(found)


def _stacked(subject: Subject, term: Term) -> Summands:
    """The layer; where its directions are added, each of its layers for itself."""
    config, copies = subject.config, term.copies or 1
    if term.merge != "sum" or not config.bidirectional:
        return (Summand(layer=subject, copies=copies),)
    first = subject.changed(num_layers=1, dropout=0.0)
    merged = Summand(layer=first, copies=copies, merged=True)
    if config.num_layers == 1:
        return (merged,)
    upper = replace(
        first.changed(input_size=config.output_size), given=first.given | {"input_size"}
    )
    return (merged, Summand(layer=upper, copies=copies * (config.num_layers - 1), merged=True))


def _require_directions(sums: Sequence[Sum], subjects: Sequence[Subject]) -> None:
    merging = any(term.merge == "sum" for each in sums for term in each.terms)
    if merging and not any(each.config.bidirectional for each in subjects):
        raise RequestError(
            "--merge sum changes nothing: no layer has two directions",
            hint="add --bidir, or leave --merge sum out",
        )
