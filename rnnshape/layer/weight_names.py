"""Which names in a state dict are those of recurrent weights, in every spelling that PyTorch has.

Each weight is called here as torch.nn calls it, `weight_hh_l0`, however it is spelled there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from rnnshape.dims import written_shape
from rnnshape.layer.facts import LARGEST_SIZE, Dims

Spelling: TypeAlias = Literal["plain", "quantizable", "packed"]

MOST_NAMED: Final = 3

# No layer has 10^18 layers below it, and Python refuses to read much longer numbers.
_NUMBER: Final = r"(?:0|[1-9][0-9]{0,17})"
_STEM: Final = r"(?:weight_(?:ih|hh|hr)|bias_(?:ih|hh))"
_WEIGHT: Final = rf"(?:{_STEM}_l{_NUMBER}(?:_reverse)?|(?:weight|bias)_(?:ih|hh))"
_PARTS: Final = r"(?:_(?:g|v|u|orig|mask|raw)){0,2}"
# How a reader numbers the tensors inside a packed weight: `.0`, `.0.1`.
_MEMBER: Final = r"(?:\.[A-Za-z0-9_]{1,40}){0,12}"

# Nearly every tensor of a large model fails this test, and needs no other.
_HINT: Final = re.compile(r"weight_|bias_|[ih]gates\.")
_NAME: Final = re.compile(
    rf"""(?:\A|(?<=\.))(?:
      (?P<weight>{_WEIGHT})(?P<parts>{_PARTS})
    | parametrizations\.(?P<parametrized>{_WEIGHT})
      \.(?:(?P<original>original[01]?)(?P<of_original>{_PARTS})|[0-9]{{1,9}}{_MEMBER})
    | (?:layers\.(?P<layer>{_NUMBER})\.layer_(?P<direction>fw|bw)\.cell\.)?
      (?P<reads>[ih])gates\.(?:(?P<gate>input|forget|cell|output)\.)?
      (?:(?P<linear>weight|bias)|_packed_params\._packed_params{_MEMBER})
    | _packed_weight_(?P<packed>ih|hh){_MEMBER}
    | _all_weight_values\.(?P<entry>{_NUMBER})\.param{_MEMBER}
    )\Z""",
    re.VERBOSE,
)
_IN_TORCH: Final = re.compile(
    r"(?P<kind>weight|bias)_(?P<reads>[ih])h(?:_l(?P<layer>[0-9]+)(?P<reverse>_reverse)?)?"
)


class WeightName(NamedTuple):
    """What the name of a tensor in a state dict says."""

    module: str  # "encoder.lstm"
    label: str  # the name in its module: "parametrizations.weight_hh_l0.original0"
    weight: str  # that it belongs to, as torch.nn calls it: "weight_hh_l0"; "" if it has an entry
    part: tuple[str, ...]  # of that weight: ("original0",); () is the weight itself
    spelling: Spelling
    entry: int | None = None  # in `_all_weight_values`, one for each layer and direction


def weight_name(name: str, shape: Dims) -> WeightName | None:
    """What a name says, if it is that of a recurrent weight or of a part of one.

    The shape tells the matrix and the bias of a packed weight apart.
    """
    match = _NAME.search(name) if _HINT.search(name) else None
    if match is None:
        return None
    module, label = name[: match.start()].removesuffix("."), match[0]
    if match["entry"]:
        return WeightName(module, label, "", (), "packed", int(match["entry"]))
    kind = "weight" if len(shape) > 1 else "bias"
    if match["packed"]:
        return WeightName(module, label, f"{kind}_{match['packed']}", ("packed",), "packed")
    if match["reads"]:
        weight, part = _of_linear(match, kind)
        return WeightName(module, label, weight, part, "quantizable")
    if match["parametrized"]:
        more = (match["of_original"] or "").split("_")[1:]
        parts = (match["original"] or "buffer", *more)
        return WeightName(module, label, match["parametrized"], parts, "plain")
    parts = tuple(match["parts"].split("_")[1:])
    return WeightName(module, label, match["weight"], parts, "plain")


def _of_linear(match: re.Match[str], kind: str) -> tuple[str, tuple[str, ...]]:
    place = ""
    if match["layer"]:
        place = f"_l{match['layer']}{'_reverse' * (match['direction'] == 'bw')}"
    part = match["gate"] or ("linear" if match["linear"] else "packed")
    return f"{match['linear'] or kind}_{match['reads']}h{place}", (part,)


def quantizable_name(weight: str) -> str:
    """How torch.ao.nn.quantizable spells a weight."""
    match = _IN_TORCH.fullmatch(weight)
    if match is None:
        return weight
    linear = f"{match['reads']}gates.{match['kind']}"
    if match["layer"] is None:
        return linear
    return f"layers.{match['layer']}.layer_{'bw' if match['reverse'] else 'fw'}.cell.{linear}"


def sized(label: str, shape: Dims) -> str:
    """A tensor with its shape, `weight_hh_l0 (160, 40)`, unless no tensor has such a shape."""
    if len(shape) > 8 or not all(0 <= size <= LARGEST_SIZE for size in shape):
        return label
    return f"{label} {written_shape(shape)}"


def listed(texts: Sequence[str], more: int | None = None) -> str:
    """The first texts as part of a sentence: `a`, `a and b`, `a, b, c and 4 more`.

    `more` is how many are left out, if `texts` does not have them.
    """
    rest = len(texts[MOST_NAMED:]) if more is None else more
    shown = [*texts[:MOST_NAMED], *([f"{rest:,} more"] if rest else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
