"""The table of all fields of a layer, its input and its run, and what front ends call them."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias

FieldGroup: TypeAlias = Literal["layer", "input", "run"]
# A size is at least 1, a count at least 0. A flag can only be turned on, a switch also off.
Takes: TypeAlias = Literal[
    "size", "count", "shape", "lengths", "flag", "switch", "probability", "choice", "name"
]


class Field(NamedTuple):
    """One field. Its name is PyTorch's, and the key in TOML and JSON."""

    name: str
    group: FieldGroup
    takes: Takes
    option: str  # the spelling that help shows
    help: str
    default: Any = None
    metavar: str = ""
    spellings: tuple[str, ...] = ()  # other names of the option, without dashes
    symbol: str = ""  # in formulas
    short: str = ""  # what the legend calls it
    kind: str = ""  # the only kind of layer that has it

    @property
    def alias(self) -> str:
        """The option without its dashes: `batch`."""
        return self.option.removeprefix("--")


# fmt: off
_TABLE: Final = (
    Field("input_size", "layer", "size", "--input", "Features of each input step, input_size.",
          default=20, metavar="N", symbol="H_in", short="input"),
    Field("hidden_size", "layer", "size", "--hidden", "Features of the hidden state, hidden_size.",
          default=40, metavar="N", symbol="H_cell", short="hidden"),
    Field("num_layers", "layer", "size", "--layers", "Stacked layers, num_layers.",
          default=1, metavar="N", symbol="num_layers"),
    Field("cell", "layer", "flag", "--cell", "The cell, which takes one step: {cell}.",
          default=False),
    Field("bidirectional", "layer", "flag", "--bidir", "Read in both directions.", default=False),
    Field("proj_size", "layer", "size", "--proj", "Project h to N features, proj_size.",
          default=0, metavar="N", symbol="H_out", short="proj", kind="LSTM"),
    Field("nonlinearity", "layer", "choice", "--nonlinearity", "The activation.",
          default="tanh", metavar="tanh|relu", kind="RNN"),
    Field("bias", "layer", "switch", "--bias", "Use the two bias vectors.", default=True),
    Field("batch_first", "layer", "flag", "--batch-first",
          "Input and output are (batch, seq, feature).", default=False),
    Field("dropout", "layer", "probability", "--dropout", "Dropout between layers, 0 to 1.",
          default=0.0, metavar="P"),
    Field("batch_size", "input", "count", "--batch", "Sequences in the batch.",
          default=5, metavar="N", symbol="N", short="batch"),
    Field("seq_len", "input", "size", "--seq", "Steps of each sequence.",
          default=10, metavar="L", symbol="L", short="seq", spellings=("seq-length",)),
    Field("input_shape", "input", "shape", "--input-shape",
          "The shape of the input, instead of its sizes: 10,5,20.", metavar="L,N,H_in"),
    Field("lengths", "input", "lengths", "--lengths", "Steps of each row: a PackedSequence.",
          metavar="N,N,..."),
    Field("unbatched", "input", "flag", "--unbatched", "One sequence, no batch axis.",
          default=False),
    Field("with_state", "input", "flag", "--with-state",
          "Compare with a call without initial states.", default=False),
    Field("device", "run", "name", "--device", "cpu, cuda, cuda:1, mps, xpu or meta.",
          default="cpu", metavar="NAME"),
    Field("dtype", "run", "name", "--dtype", "float32, bfloat16, complex64, ...",
          default="float32", metavar="NAME"),
    Field("optimizer", "run", "choice", "--optimizer", "For --train: sgd, adam or adamw.",
          default="adam", metavar="NAME"),
    Field("run", "run", "switch", "--run", "Run it, or only use formulas, without torch.",
          default=True),
)
# fmt: on

FIELDS: Final = {field.name: field for field in _TABLE}


@cache
def fields_of(*groups: FieldGroup) -> tuple[Field, ...]:
    """The fields of these groups, in the order in which help and JSON list them."""
    return tuple(field for field in _TABLE if field.group in groups)


def spelled(name: str) -> str:
    """The option, without dashes, that a spelling such as `hidden_size` or `hidden-size` means."""
    dashed = name.replace("_", "-")
    return _SPELLINGS.get(dashed, dashed)


_SPELLINGS: Final = {
    spelling: field.alias
    for field in _TABLE
    for spelling in (field.name.replace("_", "-"), *field.spellings)
}
