"""What load_state_dict says: the names and sizes in which a checkpoint and a model differ."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.wording import Wording, normalised
from rnnshape.layer.facts import Dims
from rnnshape.layer.weight_names import weight_name

SIZES: Final = (
    Wording(
        "size mismatch for {key:name}: copying a param with shape {checkpoint:shape} from"
        " checkpoint, the shape in current model is {model:shape}",
        "1.0 on",
    ),
    # PyTorch 0.4 writes the two shapes the wrong way round.
    Wording(
        "size mismatch for {key:name}: copying a param of {model:shape} from checkpoint,"
        " where the shape is {checkpoint:shape} in current model",
        "0.4",
    ),
    Wording(
        "While copying the parameter named {key:name}, whose dimensions in the model are"
        " {model:shape} and whose dimensions in the checkpoint are {checkpoint:shape}",
        "0.2 on",
    ),
)
_HEADING: Final = re.compile(
    r"(missing|unexpected)[ _]keys?(?:\(s\))?(?: in (?:source )?state_dict)?:?=? ?", re.IGNORECASE
)
_NAME: Final = re.compile(r"""[\s,.\[({"'\\]{0,8}["']([^"'\s,\\]+)\\?["']""")
_QUOTED: Final = re.compile(r"""["']([A-Za-z_][\w-]*(?:\.[\w-]+)+)["']""")
# A name of the checkpoint that could be more of the model's names than this is left alone.
_MOST_MEANT: Final = 8
_INTO: Final = re.compile(r"in loading state_dict for ([\w.]+)")


@dataclass(frozen=True, kw_only=True)
class Loading:
    """How a checkpoint and a model differ, by the full names of their tensors."""

    into: str  # the class of the model; "" where the text does not have it
    missing: tuple[str, ...]  # in the model only
    unexpected: tuple[str, ...]  # in the checkpoint only
    sizes: Mapping[str, tuple[Dims, Dims]]  # in both: of the checkpoint, of the model
    unsorted: tuple[str, ...] = ()  # names of which the text does not say where they are

    @property
    def wrapped(self) -> bool:
        """Whether the model is one that DataParallel holds."""
        return self.into in ("DataParallel", "DistributedDataParallel")


class Rename(NamedTuple):
    """How names of the checkpoint and of the model differ: in what stands before the rest."""

    checkpoint: str  # "module."
    model: str  # ""

    @property
    def alike(self) -> float:
        """How much of both is the same, from 0 to 1."""
        from difflib import SequenceMatcher  # only what goes by several names needs it

        return SequenceMatcher(None, self.checkpoint, self.model).ratio()

    def applied(self, name: str) -> str:
        """A name of the checkpoint as the model has it."""
        return self.model + name.removeprefix(self.checkpoint)


def loading(clues: Clues) -> Loading:
    """All that a text says; a message that names no exception is found line by line in it."""
    said = _read(clues.statement.message)
    bare = clues.statement.bare
    if bare or not (said.missing or said.unexpected or said.sizes or said.unsorted):
        return _read_raw(clues.around)
    return said


@lru_cache(maxsize=2)
def _read_raw(text: str) -> Loading:
    return _read(normalised(text))


@lru_cache(maxsize=4)
def _read(text: str) -> Loading:
    keys: dict[str, list[str]] = {"missing": [], "unexpected": []}
    for heading in _HEADING.finditer(text):
        keys[heading[1].lower()] += _names(text, heading.end())
    sizes = {
        numbers["key"]: (numbers["checkpoint"], numbers["model"])
        for wording in SIZES
        for numbers in wording.all(text)
        if numbers["checkpoint"] != numbers["model"]
    }
    into = _INTO.search(text)
    known = any((*keys.values(), sizes))
    return Loading(
        into=into[1] if into else "",
        missing=tuple(dict.fromkeys(keys["missing"])),
        unexpected=tuple(dict.fromkeys(keys["unexpected"])),
        sizes=sizes,
        unsorted=() if known or not into else tuple(_QUOTED.findall(text)),
    )


def _names(text: str, start: int) -> Iterator[str]:
    while (found := _NAME.match(text, start)) is not None:
        yield found[1]
        start = found.end()


def renames(said: Loading) -> list[Rename]:
    """What stands before names that are the same apart from it, the commonest first.

    Each name has one counterpart; where several could be meant, those that are most alike are.
    """
    begins: dict[str, list[str]] = {}  # of the model's names, by what follows
    for name in said.missing:
        for end in _ends(name):
            begins.setdefault(end, []).append(name.removesuffix(end))
    pairs: defaultdict[Rename, list[tuple[str, str]]] = defaultdict(list)
    for name in said.unexpected:
        known = next((end for end in _ends(name) if end in begins), "")
        meant = begins.get(known, [])
        for begin in meant if len(meant) <= _MOST_MEANT else ():
            pairs[Rename(name.removesuffix(known), begin)].append((name, begin + known))
    # One name among many may agree by chance.
    least = 2 if len(said.missing) > 1 and len(said.unexpected) > 1 else 1
    found: list[Rename] = []
    paired: set[str] = set()
    for rename in sorted(pairs, key=lambda each: (len(pairs[each]), each.alike), reverse=True):
        left = [pair for pair in pairs[rename] if paired.isdisjoint(pair)]
        if len(left) >= least:
            found.append(rename)
            paired.update(chain.from_iterable(left))
    return found


def _ends(name: str) -> Iterator[str]:
    """Ends of a name that say what it is the name of, the longest first."""
    parts = name.split(".")
    for start in range(len(parts)):
        end = ".".join(parts[start:])
        if start < len(parts) - 1 or weight_name(end, ()) is not None:
            yield end


def renamed(said: Loading, names: list[Rename]) -> Loading:
    """What still differs once the checkpoint's names are those of the model."""
    unexpected = []
    missing = dict.fromkeys(said.missing)
    for name in said.unexpected:
        fits = (each for each in names if name.startswith(each.checkpoint))
        rename = next(fits, None)
        meant = rename.applied(name) if rename else name
        if meant in missing:
            del missing[meant]
        else:
            unexpected.append(meant)
    return Loading(
        into=said.into, missing=tuple(missing), unexpected=tuple(unexpected), sizes=said.sizes
    )
