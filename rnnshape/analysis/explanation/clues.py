"""What a text shows besides its message: which layer it is about, and what the code around says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from rnnshape.analysis.explanation.records import Known
from rnnshape.analysis.explanation.statements import Statement, Text
from rnnshape.computed import cached_property
from rnnshape.layer.config import Kind

# "RNN" alone stands for all kinds: in rnn.py, `self.rnn`, `class RNN` and many messages.
_KIND: Final = re.compile(
    r"(?<![A-Za-z])(?i:(LSTM|GRU)(?:Cell)?)(?![A-Za-z])"
    r"|nn\.(RNN)\b|^(RNN): |: (RNN)\(|(?<![A-Za-z])(RNN)Cell|(?i:(rnn)_(?:tanh|relu))"
)
_RECURRENT: Final = re.compile(
    r"(?<![A-Za-z])(?:lstm|gru|rnn)s?(?![a-z])|_VF\b|(?:LSTM|GRU|RNN)[A-Z(_]|[a-z](?:LSTM|GRU|RNN)"
    r"|nn[/\\]modules[/\\]rnn|pack(?:ed)?_?(?:padded_?)?sequence|weight_[ih]h|h_n\b|hidden",
    re.IGNORECASE,
)
_TORCH: Final = re.compile(r"torch|\bnn\.|\bcuda\b|\btensors?\b", re.IGNORECASE)
_OTHERS: Final = re.compile(r"keras|tensorflow|\bjax\b|paddle|mxnet", re.IGNORECASE)
# Other libraries, and what is done with texts, files and tables.
_FOREIGN: Final = re.compile(
    rf"{_OTHERS.pattern}|\.(?:split|items|readline|groupby)\("
    r"|\b(?:np|pd|plt|cv2|tf|jnp|numpy|pandas|sklearn|scipy|matplotlib|django|flask|sqlalchemy|json)"
    r"\.\w",
    re.IGNORECASE,
)
# A line of code that a traceback shows, of Python or of IPython.
_CODE: Final = re.compile(
    r'^ *File "[^"\n]+", line \d+.*\n *(\S.*)|^-+> *\d+ +(\S.*)', re.MULTILINE
)
_FRAMES: Final = re.compile(r'^\s*File "|^Traceback|^[\w./-]+\.py:\d+', re.MULTILINE)
_MODULE: Final = re.compile(r"\bnn[/\\]modules[/\\](?!module\b|container\b)(\w+)\.py")
_CALL: Final = re.compile(r"(?<![A-Za-z])(LSTM|GRU|RNN)(?:Cell)?\(([^()\n]{1,200})\)")
_SHAPE: Final = re.compile(
    r"\b([A-Za-z_][\w.]*?)(?:\.shape|\.size\(\))\s*(?:[:=]|==|is|->)*\s*(?:torch\.Size\()?"
    r"[\[(]((?:[0-9]{1,18}(?![0-9])[, ]*)+)[\])]"
)
_ORDER: Final = ("input_size", "hidden_size", "num_layers", "bias", "batch_first")


class Clues:
    """A statement that an entry recognises, and everything that tells its causes apart."""

    def __init__(self, statement: Statement, text: Text, known: Known) -> None:
        self.statement = statement
        self._text = text
        self._known = known
        self.numbers: dict[str, Any] = {}  # what the message holds, and what follows from it

    @cached_property
    def around(self) -> str:
        """The lines about the statement, with those of the statement itself."""
        return self._text.around(self.statement)

    def __getitem__(self, name: str) -> Any:
        return self.numbers[name]

    def get(self, name: str) -> Any:
        """A number, or None where the message does not have it."""
        return self.numbers.get(name)

    def mentions(self, *words: str) -> bool:
        """Whether the text has one of these words, or parts of words, in any case."""
        return any(word.casefold() in self._folded for word in words)

    def innermost(self, places: Mapping[str, str]) -> str:
        """The place, of these with their patterns, that the text names last; "" if it has none."""
        ends = {
            place: found.end()
            for place, pattern in places.items()
            for found in re.finditer(pattern, self.around)
        }
        return max(ends, key=ends.__getitem__, default="")

    @cached_property
    def _folded(self) -> str:
        return f"{self.statement.name}: {self.statement.message}\n{self.around}".casefold()

    @cached_property
    def kind(self) -> Kind | None:
        """The kind of the layer, where one kind alone is mentioned, first of all by the message."""
        if "kind" in self._known.layer:
            return Kind(self._known.layer["kind"])
        for text in (self.statement.message, *reversed(self.around.splitlines())):
            found = {"".join(groups).upper() for groups in _KIND.findall(text)}
            if len(found) == 1:
                return Kind(found.pop())
        return None

    @property
    def names(self) -> Mapping[str, str]:
        """What texts call the layer: in a sentence, in code, on a command line.

        "often" begins a sentence that is certain only where the text speaks of a recurrent layer,
        and "some_layer" names none where it does not.
        """
        names = names_of(self.kind)
        return {
            **names,
            "some_layer": names["layer"] if self.recurrent else "a recurrent layer",
            "often": "" if self.recurrent else "often ",
        }

    @cached_property
    def recurrent(self) -> bool:
        """Whether anything in the text speaks of a recurrent layer."""
        return bool(self._known.layer or _RECURRENT.search(self._folded))

    @cached_property
    def of_torch(self) -> bool:
        """Whether a message that any library may raise is likely to come from PyTorch."""
        if _OTHERS.search(self._folded) and "torch" not in self._folded:
            return False
        return self.recurrent or bool(_TORCH.search(self._folded))

    @cached_property
    def foreign(self) -> bool:
        """Whether the text names other libraries, or code without a tensor, and not PyTorch."""
        return not self.of_torch and bool(self.has_frames or _FOREIGN.search(self._folded))

    @cached_property
    def has_frames(self) -> bool:
        """Whether the text has more of a traceback than its last line."""
        return bool(_FRAMES.search(self.around))

    @cached_property
    def code(self) -> str:
        """The line of code that raised, or the whole text where it has no traceback."""
        lines = _CODE.findall(self.around)
        return "".join(lines[-1]) if lines else self.around

    @cached_property
    def frame(self) -> str:
        """The innermost module of torch.nn in the traceback, "rnn" or "linear"; "" without one."""
        found = _MODULE.findall(self.around)
        return found[-1] if found else ""

    @cached_property
    def parallel(self) -> bool:
        """Whether the model was wrapped to run on several devices."""
        return self.mentions(
            *("DataParallel", "data_parallel", "parallel_apply", "in replica "),
            *("multi-GPU", "multi GPU", "multiple GPU", "several GPU", "GPUs"),
        )

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """Fields of the layer that the text constructs or prints, or that are known."""
        if self._known.layer:
            return self._known.layer
        calls = _CALL.findall(self.around)
        return _fields(calls[-1][1]) if calls else {}

    @property
    def batch_first(self) -> bool | None:
        """Whether the input of the layer has its batch first; None where it is not known."""
        return self.config.get("batch_first")

    @property
    def batch_axis(self) -> int:
        """The axis of the batch in an input of 3 dimensions; the other of 0 and 1 has the steps."""
        return 0 if self.batch_first else 1

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of tensors by name, as the text prints them (`x.shape: ...`), or as known."""
        printed = {
            name.rpartition(".")[2]: tuple(map(int, re.findall(r"\d+", sizes)))
            for name, sizes in _SHAPE.findall(self.around)
        }
        return {**printed, **self._known.shapes}

    @property
    def input(self) -> tuple[int, ...] | None:
        """The shape of the layer's input, where it is known."""
        names = ("input", "x", "inputs", "inp", "embedded", "emb", "data", "X")
        return next((self.shapes[name] for name in names if name in self.shapes), None)


def names_of(kind: Kind | None, *, cell: bool = False) -> dict[str, str]:
    """What texts call a layer of this kind, or a cell: in a sentence, in code, on a command line.

    Where the kind is not known, code has the commonest, an LSTM.
    """
    what, code = "Cell" if cell else "", (kind or Kind.LSTM).value
    unknown = "the cell" if cell else "the layer"
    return {
        "layer": unknown if kind is None else f"the {code}{what}",
        "class_name": f"nn.{code}{what}",
        "command": code.lower(),
    }


def _fields(arguments: str) -> dict[str, Any]:
    """The literal arguments of a constructor, by field."""
    fields: dict[str, Any] = {}
    for number, argument in enumerate(arguments.split(",")):
        name, equals, value = argument.rpartition("=")
        if not equals and number >= len(_ORDER):
            break
        field, value = name.strip() if equals else _ORDER[number], value.strip()
        if value in ("True", "False"):
            fields[field] = value == "True"
        elif value.isdecimal() and len(value) < 19:
            fields[field] = int(value)
    return fields
