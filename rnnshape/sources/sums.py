"""Read what a target of a comparison adds up: `6 x lstm`, `nn.LSTM(20, 40) + nn.Linear(40, 20)`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rnnshape.errors import RequestError, quoted
from rnnshape.layer.stateless import Embedding, Linear
from rnnshape.sources import values
from rnnshape.sources.options import looks_like_options
from rnnshape.sources.registry import added, counted_copies, read_target
from rnnshape.sources.stateless import looks_like_stateless, read_stateless
from rnnshape.sources.target import Target, UnknownTargetError

# What a layer may do with its directions before the next one reads them; torch.nn's concatenate.
MERGES: Final = ("concat", "sum")
# What torch.nn has beside the layers that can be counted.
_OTHER: Final = re.compile(r"\s*(?:torch\.)?nn\.(?!(?:LSTM|GRU|RNN)(?:Cell)?\b)(\w+)\s*\(")
_MERGE: Final = re.compile(r"\s--merge(?:\s+|=)(\S+)|\s--merge\s*\Z")


@dataclass(frozen=True, kw_only=True)
class Term:
    """A layer, as often as it is counted."""

    layer: Target | Linear | Embedding
    written: str  # the layer as it is typed
    copies: int | None = None  # None where no number is given, which counts one
    merge: str | None = None  # one of MERGES, if it is given

    @property
    def text(self) -> str:
        """The term as it is typed."""
        merge = "" if self.merge is None else f" --merge {self.merge}"
        return f"{'' if self.copies is None else f'{self.copies} x '}{self.written}{merge}"


@dataclass(frozen=True, kw_only=True)
class Sum:
    """What one target of a comparison counts together."""

    terms: tuple[Term, ...]

    @property
    def text(self) -> str:
        """The sum as it is typed."""
        return " + ".join(term.text for term in self.terms)

    @property
    def targets(self) -> list[Target]:
        """The recurrent layers, of which there is at least one."""
        return [term.layer for term in self.terms if isinstance(term.layer, Target)]


def read_sum(text: str) -> Sum:
    """The layers that a text adds up. Raises RequestError, also where none of them is recurrent."""
    texts = added(text)
    if len(texts) > 1 and not all(texts):
        raise UnknownTargetError(
            f"{quoted(text)} has no layer on one side of +",
            hint='write a sum as one argument, in quotes: "nn.LSTM(20, 40) + nn.Linear(40, 20)"',
        )
    found = Sum(terms=tuple(_term(each, beside=len(texts) > 1) for each in texts))
    if not found.targets:
        raise RequestError(
            f"{quoted(text)} has no recurrent layer, which a comparison is about",
            hint=f'add one: "nn.LSTM(20, 40) + {found.text}"',
        )
    return found


def merging(sums: Sequence[Sum], merge: str | None) -> list[Sum]:
    """The sums, with `merge` for each layer that does not name its own. Raises RequestError."""
    if merge is None:
        return [*sums]
    chosen = values.one_of(merge, "--merge", MERGES)
    return [
        replace(each, terms=tuple(replace(t, merge=t.merge or chosen) for t in each.terms))
        for each in sums
    ]


def _term(text: str, *, beside: bool) -> Term:
    """One term, which may stand `beside` others."""
    copies, layer = counted_copies(text)
    if looks_like_stateless(layer):
        stateless = read_stateless(layer)
        return Term(layer=stateless, written=stateless.constructor, copies=copies)
    if beside and (other := _OTHER.match(layer)):
        raise RequestError(
            f"nn.{other[1]} is not counted: a sum has recurrent layers, nn.Linear, nn.Embedding",
            hint=f"leave nn.{other[1]} out, which is right if it has no parameters",
        )
    found = _MERGE.search(layer) if looks_like_options(layer) else None
    merge = found and values.one_of(found[1] or "", "--merge", MERGES)
    target = read_target(_MERGE.sub("", layer, count=1) if found else layer)
    return Term(layer=target, written=target.origin.target or "", copies=copies, merge=merge)
