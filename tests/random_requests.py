"""Random requests: command lines with the files and the text on stdin that they read.

A request follows from a seed and its number alone. Most are right, or wrong in one place; the
others are wrong in several, or noise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Final

import torch

from rnnshape import synonyms
from rnnshape.analysis.explanation.mistakes import entries
from rnnshape.document.sections import SECTIONS
from rnnshape.fields import FIELDS, Field, fields_of, spelled
from rnnshape.render import Format
from tests import checkpoints, filing, mutations, onnx_models
from tests.explained import REPORTED, reported
from tests.transcripts import ROOT

KINDS: Final = ("lstm", "gru", "rnn")
# What may stand where another text is meant: numbers written oddly, text that a shell, a terminal,
# a format or a CI service reads as something else, and nothing at all.
ODD: Final = (
    *("", " ", "0", "-1", "+3", "1.5", "1e3", "0x10", "1_000", "007", "nan", "inf", "-inf", "true"),
    *("None", "10^5", "2**70", "1k", "5M", "4MiB", "1..4", "4..1", "1..9..3", "1..", "..", "1,2"),
    *("1,,2", ",", "1..1000000000", "10,5,20", "(10, 5, 20)", "10x5x20", "3x", "50%", "1/2"),
    *(str(2**31), str(2**63), str(2**64), "9" * 600, "9" * 5000, "1" + "0" * 18),
    *("\u0663", "\uff19", "\u00b2", "\u00bd", "\u2166", "e\u0301", "\u5c42", "\U0001f600"),
    *("a\nb", "a\rb", "\t", "\0", "\x1b[31m", "\x9b2J", "\x7f", "\u2028", "\u202e", "\ud800"),
    *("\udcff", "\ufeff", "'", '"', "`", "\\", "{", "}", "{}", "{hidden_size}", "{0}", "%s", "%"),
    *("$(id)", "$HOME", ";", "|", "<b>", "&amp;", "]]>", "##[error]x", "::error::x", "a" * 5000),
    *("--", "-", "--hidden", "-x", "=", "lstm", "nn.LSTM(20, 40)", "nn.LSTM(", "[1]", "[", "()"),
)
_NAMES: Final = (
    *(
        "output",
        "h_n",
        "c_n",
        "h_1",
        "input",
        "data",
        "next_linear",
        "params",
        "parameters",
        "macs",
    ),
    *("flops", "parameter_bytes", "weight_ih_l0", "bias_hh_l0", "weight_hh_l0"),
    *("params", "macs", "h_n", "output", "outptu"),
)
_DAMAGED: Final = ("damaged", "damaged.pt", "damaged.onnx", "damaged.json", "damaged.h5")
_CAPTIONS: Final = ("--caption", "--label")
_OTHER_SECTIONS: Final = ("evidence", "load", "calls", "matches")  # not of every layer
_FORMATS: Final = [each.value for each in Format]
_PLACES: Final = re.compile(r"(\{\w+(?::\w+)?\})")
_OTHER_DIGITS: Final = str.maketrans("0123456789", "9081726354")
# The other names of each option of a layer or its input.
_SYNONYMS: Final = {
    row.alias: [name for name, meant in synonyms._OF_FIELDS.items() if meant == row.name]
    for row in fields_of("layer", "input")
}
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789-_=,.:;/()[]{}<> \"'\\\n\u00e9\u5c42"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A command line, and what it reads."""

    words: tuple[str, ...]
    stdin: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=dict)
    given: tuple[tuple[str, str], ...] = ()  # fields with values, where all of the line is right
    before: tuple[str, ...] = ()  # the words before an option or the command got a wrong name


def request(seed: int, number: int) -> Request:
    """Request `number` of a seed."""
    random = Random(f"{seed}/{number}")  # noqa: S311 - reproducible, not secret
    return _Maker(random).request()


def stored() -> dict[str, bytes]:
    """Files that every request finds in its folder, whole."""
    torch.manual_seed(0)
    state = checkpoints.saved(checkpoints.model_state())
    tensors = {"lstm.weight_ih_l0": (16, 3), "lstm.weight_hh_l0": (16, 4)}
    lines, end = {}, 0
    for name, (rows, columns) in tensors.items():
        size = 4 * rows * columns
        lines[name] = {
            "dtype": "F32",
            "shape": [rows, columns],
            "data_offsets": [end, end + size],
        }
        end += size
    return {
        "model.pt": state,
        "model.safetensors": filing.safetensors(lines, bytes(end)),
        "rnnshape.toml": b'[modules.a]\ntarget = "lstm"\nexpect = ["output = 10,5,40"]\n',
        "train.log": b"RuntimeError: Expected hidden[0] size (8, 10, 40), got [8, 5, 40]\n",
        "net.py": b"from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n"
        b"        super().__init__()\n        self.rnn = nn.GRU(3, 4)\n\n"
        b"    def forward(self, x):\n        return self.rnn(x)[0]\n",
    }


@cache
def _whole_files() -> list[bytes]:
    """Files that are damaged; those of older formats would differ from process to process."""
    weights = [
        onnx_models.tensor("W", (1, 16, 3)),
        onnx_models.tensor("R", (1, 16, 4)),
    ]
    lstm = onnx_models.node("LSTM", ["X", "W", "R"], ["Y"], hidden_size=4)
    graph = onnx_models.Graph([lstm], weights, {"X": (5, 2, 3)}, ["Y"])
    keras = {"class_name": "LSTM", "config": {"units": 6, "return_sequences": True}}
    model = {"class_name": "Sequential", "config": {"layers": [keras]}}
    config = {"metadata.json": "{}", "config.json": json.dumps(model)}
    whole = [stored()["model.safetensors"], onnx_models.model(graph), filing.zipped(config)]
    torch.manual_seed(0)  # a process may have run layers before
    net = checkpoints.Net()
    traced = checkpoints.scripted(net, torch.zeros(2, 5, 3))
    whole += [stored()["model.pt"], checkpoints.saved(net), traced]
    return [*whole, checkpoints.saved(checkpoints.quantized(net))]


@cache
def _error_texts() -> list[str]:
    return [each["text"] for each in reported(REPORTED)]


@cache
def _wordings() -> list[str]:
    return [wording.template for entry in entries() for wording in entry.wordings]


@cache
def _manifests() -> list[str]:
    example = (ROOT / "examples" / "rnnshape.toml").read_text(encoding="utf-8")
    return [example, stored()["rnnshape.toml"].decode()]


class _Maker:
    """What makes one request; `given`, `files` and `stdin` fill while its words are chosen."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.files: dict[str, bytes] = {}
        self.stdin = b""
        self.given: list[tuple[str, str]] = []
        self.small = random.random() < 0.01  # layers that are run
        self.misnamed = False

    def request(self) -> Request:
        random = self.random
        makers: dict[Callable[[], list[str]], int] = {
            self._layer: 34,
            self._inspect: 22,
            self._compare: 12,
            self._budget: 10,
            self._check: 10,
            self._explain: 9,
            self._noise: 2,
        }
        (make,) = random.choices(list(makers), list(makers.values()))
        whole = words = make()
        faults = random.choice((0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 5))
        for _ in range(faults):
            words = self._spoiled(words)
        return Request(
            words=self._unrun(words),
            stdin=self.stdin,
            files=self.files,
            given=() if faults else tuple(self.given),
            before=self._unrun(whole) if faults == 1 and self.misnamed else (),
        )

    def _unrun(self, words: Sequence[str]) -> tuple[str, ...]:
        """The words with --no-run where no other option can take it for its value."""
        if not words or words[0] in ("compare", "explain") or self.small:
            return tuple(words)
        return (words[0], "--no-run", *words[1:])

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # Commands

    def _layer(self) -> list[str]:
        kind = self.random.choice(KINDS)
        spelled = self.random.choice((kind, kind, kind, kind.upper(), f"nn.{kind.upper()}"))
        options = [*self._fields(kind), *self._run(), *self._expectations(), *self._output()]
        return [spelled, *self._shuffled(options)]

    def _inspect(self) -> list[str]:
        options = [*self._run(), *self._expectations(), *self._output()]
        if self.chance(0.3):
            options += self._input()
        if self.chance(0.1):
            options.append(["--matches", self._target()])
        if self.chance(0.03):
            options.append(["--forward", self.random.choice(("5,2,3", "5,2:int64", *ODD))])
        targets = [[self._target()] for _ in range(self.random.choice((1, 1, 1, 1, 2, 3)))]
        if self.chance(0.1):
            lines = (target for (target,) in targets)
            self.stdin = self._encoded("\n".join(lines))
            targets = [["-"]] if self.chance(0.5) else []
        bare = self.chance(0.2) and len(targets) == 1 and " " in targets[0][0]
        words = self._shuffled([*targets, *options])
        if bare and not self.small and "-" not in words:
            return [targets[0][0], *(word for word in words if word != targets[0][0])]
        return ["inspect", *words]

    def _compare(self) -> list[str]:
        targets = [[self._compared()] for _ in range(self.random.choice((1, 2, 2, 3)))]
        options = self._output(sections=False)
        names = self.random.sample(("hidden", "layers", "input", "seq", "batch"), 2)
        for name in names[: self.random.choice((0, 1, 1, 2))]:
            sizes = self.random.choice(("8,16", "8,16,32", "1..4", "4..1", "1..9..3", "7"))
            options.append([f"--{name}", sizes])
        for option, values in {
            "--sort": ("parameters", "macs", "name", "params"),
            "--limit": ("1", "2", "10", "0"),
            "--plot": ("plot.svg",),
            "--plot-of": ("macs", "bytes"),
        }.items():
            if self.chance(0.07):
                options.append([option, self.random.choice(values)])
        return ["compare", *self._shuffled([*targets, *options])]

    def _budget(self) -> list[str]:
        kind = self.random.choice(KINDS)
        options = self._output(sections=False)
        solved = self.random.choice(("hidden", "hidden", "hidden", "proj"))
        if solved == "proj":
            options.append(["--solve", "proj"])
        limit = self.random.choice(("params", "params", "macs", "bytes", "match"))
        amounts = ("10k", "1M", "136960", "4MiB", "1.5M", "1", "10^9", str(10**30))
        value = self._target() if limit == "match" else self.random.choice(amounts)
        options.append([f"--{limit}", value])
        fields = self._fields(kind)
        sought = "hidden" if solved == "hidden" else "proj"
        kept = [each for each in fields if sought not in each[0] and "proj" not in each[0]]
        options += kept if self.chance(0.7) else fields
        self.given.clear()  # what is sought is another value
        return ["budget", *self._shuffled([[kind], *options, *self._run()])]

    def _check(self) -> list[str]:
        options = [*self._output(sections=False), *self._run()]
        name = self.random.choice(("rnnshape.toml", "rnnshape.toml", "own.toml", "pyproject.toml"))
        if self.chance(0.9):
            self.files[name] = self._encoded(self._manifest(name))
        if self.chance(0.5):
            options = self._run()
        flags = ("--update", "--quiet", "--exit-zero", "--init", "-q")
        options += [[flag] for flag in flags if self.chance(0.08)]
        if self.chance(0.1):
            options.append(["--only", self.random.choice(("a", "encoder", "encodr", *ODD))])
        if name == "own.toml" or self.chance(0.3):
            options.append([name])
        if ["--init"] in options:
            options += [[self._target()], [self._target()]]
        return ["check", *self._shuffled(options)]

    def _explain(self) -> list[str]:
        text = self._error_text()
        options = [each for each in self._output(sections=False) if each[0] not in _CAPTIONS]
        where = self.random.random()
        if where < 0.3:
            self.stdin = self._encoded(text)
            return ["explain", *self._shuffled([*options, *self.random.choice(([], [["-"]]))])]
        if where < 0.6:
            self.files["own.log"] = self._encoded(text)
            text = "own.log"
        return ["explain", *self._shuffled([*options, [text]])]

    def _noise(self) -> list[str]:
        options = [row.option for row in fields_of("layer", "input")]
        commands = [*KINDS, "inspect", "compare", "check", "explain", "--help", "-h", "--version"]
        pool = [*ODD, *commands, *options]
        return [self._garbled(self.random.choice(pool)) for _ in range(self.random.randrange(9))]

    # Options

    def _shuffled(self, options: Sequence[Sequence[str]]) -> list[str]:
        return [w for each in self.random.sample(options, len(options)) for w in each]

    def _size(self) -> str:
        largest = self.random.choice((3, 9)) if self.small else self.random.choice((9, 99, 5000))
        return str(self.random.randint(1, largest))

    def _fields(self, kind: str) -> list[list[str]]:
        cell = self.chance(0.15)
        return self._of_layer(kind, cell=cell) + self._input(cell=cell)

    def _of_layer(self, kind: str, *, cell: bool) -> list[list[str]]:
        options = []
        hidden = int(self._size()) + 1
        values = {
            "input_size": self._size(),
            "hidden_size": str(hidden),
            "cell": "" if cell else None,
            "bias": "" if self.chance(0.2) else None,
        }
        if kind == "rnn":
            values["nonlinearity"] = self.random.choice(("tanh", "relu"))
        if not cell:
            values |= {
                "num_layers": str(self.random.randint(1, 4)),
                "bidirectional": "",
                "batch_first": "",
                "dropout": self.random.choice(("0", "0.25", "1", "0.5")),
            }
        if kind == "lstm" and not cell:
            values["proj_size"] = str(self.random.randint(1, min(hidden, 40) - 1))
        for name, value in values.items():
            if value is not None and (name == "cell" or self.chance(0.35)):
                options.append(self._option(FIELDS[name], value))
        return options

    def _input(self, *, cell: bool = False) -> list[list[str]]:
        options: list[list[str]] = []
        if self.chance(0.4):
            return options
        if self.chance(0.2) and not cell:
            lengths = [self._size() for _ in range(self.random.randint(1, 4))]
            options.append(self._option(FIELDS["lengths"], ",".join(lengths)))
        else:
            unbatched = self.chance(0.2)
            if unbatched:
                options.append(self._option(FIELDS["unbatched"], ""))
            elif self.chance(0.5):
                options.append(self._option(FIELDS["batch_size"], self._size()))
            if self.chance(0.4) and not cell:
                options.append(self._option(FIELDS["seq_len"], self._size()))
        if self.chance(0.2):
            options.append(self._option(FIELDS["with_state"], ""))
        if self.chance(0.05):
            options.append(["--input-shape", self.random.choice(("10,5,20", "5,20", "20", "a"))])
        return options

    def _option(self, row: Field, value: str) -> list[str]:
        """A field in one of its spellings."""
        if row.takes in ("flag", "switch"):
            off = row.takes == "switch"
            self.given.append((row.name, "false" if off else "true"))
            return [f"--no-{row.alias}" if off else row.option]
        self.given.append((row.name, value))
        names = (row.alias, row.alias, row.name, row.name.replace("_", "-"), *row.spellings)
        name = self.random.choice(names)
        return [f"--{name}={value}"] if self.chance(0.3) else [f"--{name}", value]

    def _run(self) -> list[list[str]]:
        options = []
        if self.chance(0.15):
            names = ("float32", "float64", "bfloat16", "float16", "half", "complex64", "int8")
            (name,) = self.random.choices(names, (9, 9, 9, 9, 9, 1, 1))
            options.append(["--dtype", name])
        if self.chance(0.05):
            options.append(["--device", self.random.choice(("cpu", "meta", "cuda", "cuda:7"))])
        return options

    def _expectations(self) -> list[list[str]]:
        if self.chance(0.8):
            return []
        return [["--expect", self._expectation()] for _ in range(self.random.choice((1, 1, 2)))]

    def _expectation(self) -> str:
        operator = self.random.choice(("=", "<=", "<=", "<=", ">=", "<", ">", "==", "!="))
        blank = self.random.choice(("", " ", "  "))
        name = self.random.choice(_NAMES) if self.chance(0.95) else self._odd()
        shape = name in ("output", "h_n", "c_n", "h_1", "input", "data") or name[-2:] == "l0"
        values = ("10,5,40", "10x5x40", "(8, 5, 40)") if shape else ("150k", "1M", "4MiB", "160")
        value = self.random.choice(values) if self.chance(0.95) else self._odd()
        return f"{name}{blank}{'=' if shape else operator}{blank}{value}"

    def _output(self, *, sections: bool = True) -> list[list[str]]:
        options = []
        if self.chance(0.7):
            (name,) = self.random.choices(_FORMATS, [4 if f == "json" else 1 for f in _FORMATS])
            options.append(self.random.choice((["-f", name], [f"--format={name}"], [f"-f{name}"])))
        if self.chance(0.1):
            file = self.random.choice(
                ("out.md", "out.json", "out.xml", "out.svg", "out.csv", "new")
            )
            options.append(["-o", file])
        if self.chance(0.03):
            options.append(["--color", self.random.choice(("always", "never", "auto"))])
        if sections and self.chance(0.3):
            names = (
                "default",
                "all",
                *(name for name in SECTIONS if name not in (*_OTHER_SECTIONS, "time")),
            )
            names = _OTHER_SECTIONS if self.chance(0.05) else names
            shown = self.random.sample(names, self.random.choice((1, 1, 2, 3)))
            options.append(["--show", ",".join(shown)])
        if sections and self.chance(0.1):
            options.append(["--full"])
        if self.chance(0.03):
            options = [["-f", "latex"], ["--caption", self.random.choice(("A layer", *ODD))]]
            options += [["--label", "tab:a"]] * self.chance(0.5)
        return options

    # Texts

    def _target(self) -> str:
        kind = self.random.random()
        if kind < 0.35:
            return self._call()
        if kind < 0.6:
            return " ".join(self._described())
        if kind < 0.8:
            named = ("model.pt", "model.pt:encoder", "model.pt:decoder", "model.safetensors")
            others = ("model.pt:encodr", f"model.pt:{self._odd()}", "rnnshape.toml", ".", "model.p")
            return self.random.choice(named if self.chance(0.9) else others)
        if kind < 0.94:
            name = self.random.choice(_DAMAGED)
            whole = self.random.sample(_whole_files(), 1)
            self.files[name] = next(mutations.mutations(whole, self.random))
            return name
        if kind < 0.95:
            return self.random.choice(("net.py:Net", "net.py:Nets", "net.py", "torch.nn:GRU(3, 4)"))
        return self._odd()

    def _compared(self) -> str:
        copies = f"{self.random.randint(0, 9)} x " if self.chance(0.1) else ""
        described = self.random.choice(KINDS) if self.chance(0.5) else self._target()
        return copies + described

    def _described(self) -> list[str]:
        kind = self.random.choice(KINDS)
        kept = list(self.given)
        words = [kind, *self._shuffled(self._of_layer(kind, cell=self.chance(0.15)))]
        self.given = kept
        return words

    def _call(self) -> str:
        name = self.random.choice(KINDS).upper() + "Cell" * self.chance(0.15)
        arguments = [self._size(), self._size()]
        more = {
            "num_layers": ("2", "3"),
            "bias": ("True", "False"),
            "batch_first": ("True",),
            "dropout": ("0.5", "0", "2"),
            "bidirectional": ("True", "1"),
            "proj_size": ("1", "2"),
            "device": ("'cpu'", "None"),
            "dtype": ("torch.float64",),
        }
        chosen = self.random.sample(list(more), self.random.choice((0, 0, 1, 2)))
        arguments += [f"{name}={self.random.choice(more[name])}" for name in chosen]
        call = f"nn.{name}({', '.join(arguments)})"
        call = self.random.choice(("", "", "", "rnn = ", "torch.", "self.rnn = ")) + call
        if self.chance(0.1):
            return self._garbled(call)
        return call

    def _manifest(self, name: str) -> str:
        if self.chance(0.3):
            text = self.random.choice(_manifests())
        else:
            names = self.random.sample(
                ("a", "b", "c.d", "e", *ODD), self.random.choice((1, 1, 2, 5))
            )
            text = "\n".join(map(self._module, names))
        if self.chance(0.3):
            text = self._garbled(text)
        return text.replace("[modules", "[tool.rnnshape.modules") if "pyproject" in name else text

    def _module(self, name: str) -> str:
        target = json.dumps(self._target(), ensure_ascii=self.chance(0.5))
        lines = [f"[modules.{json.dumps(name)}]"]
        lines.append(f"target = {target}")
        if self.chance(0.6):
            expected = [self._expectation() for _ in range(self.random.choice((1, 2)))]
            lines.append(f"expect = {json.dumps(expected)}")
        values = ("3", '"x"', "[10, 5, 20]", "true", "0", "-1", "1.5", "[]", "{}", str(2**70))
        keys = (
            *("batch_size", "batch", "seq_len", "lengths", "unbatched", "with_state", "dtype"),
            *("input_shape", "device", "matches", "expct"),
        )
        lines += [
            f"{self.random.choice(keys)} = {self.random.choice(values)}"
            for _ in range(self.random.choice((0, 0, 1, 2)))
        ]
        return "\n".join([*lines, ""])

    def _error_text(self) -> str:
        if self.chance(0.5):
            text = self.random.choice(_error_texts())
        else:
            text = self._filled(self.random.choice(_wordings()))
        for _ in range(self.random.choice((0, 0, 0, 1, 1, 4))):
            text = self._disturbed(text)
        if self.chance(0.3):
            text = f'Traceback (most recent call last):\n  File "a.py", line 3, in f\n{text}'
        if self.chance(0.1):
            text = f"{text}\n\n{self.random.choice(_error_texts())}"
        if self.chance(0.1):
            text = "\n".join(f"[rank0]: {line}" for line in text.splitlines())
        return text

    def _filled(self, template: str) -> str:
        """A message in which each place holds something of its type, or of another."""
        parts = []
        for part in _PLACES.split(template):
            kind = part[1:-1].partition(":")[2] if part.startswith("{") else None
            parts.append(part if kind is None else self._filling(kind))
        return "".join(parts)

    def _filling(self, kind: str) -> str:
        def number() -> str:
            return str(self.random.choice((0, 1, 2, 3, 5, 8, 10, 40, 160, -1, 2**31, 10**18)))

        sizes = [number() for _ in range(self.random.randrange(5))]
        fillings = {
            "int": number(),
            "number": self.random.choice((number(), "0.5", "1e-5")),
            "shape": f"[{', '.join(sizes)}]",
            "matrix": f"{number()}x{number()}",
            "word": self.random.choice(("float32", "cuda:0", "Float", "torch.LongTensor")),
            "name": self.random.choice(
                ("lstm.weight_ih_l0", "weight_hh_l1_reverse", "x", "fc.bias")
            ),
        }
        return fillings[kind] if kind in fillings and self.chance(0.97) else self._odd()

    # Faults

    def _odd(self) -> str:
        return self.random.choice(ODD)

    def _encoded(self, text: str) -> bytes:
        data = text.encode("utf-8", errors="surrogatepass")
        return mutations.damaged(data, self.random) if self.chance(0.1) else data

    def _garbled(self, text: str, *, odd: bool = True) -> str:
        """The text with one letter changed, or, if it may be `odd`, with more."""
        at = self.random.randrange(len(text) + 1)
        letter = self.random.choice(_ALPHABET)
        match self.random.randrange(6):
            case 0:
                return text[:at] + letter + text[at:]
            case 1:
                return text[:at] + text[at + 1 :]
            case 2:
                return text[:at] + letter + text[at + 1 :]
            case 3:
                return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
            case 4 if odd:
                return text[:at] + self._odd() + text[at:]
            case _:
                return text.swapcase()

    def _disturbed(self, text: str) -> str:
        lines = text.splitlines() or [""]
        at = self.random.randrange(len(lines))
        match self.random.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, self._odd())
            case 2:
                lines[at] = f"\x1b[31m{lines[at]}\x1b[0m"
            case 3:
                lines[at] = lines[at].translate(_OTHER_DIGITS)
            case _:
                lines[at] = self._garbled(lines[at])
        return "\n".join(lines)

    def _spoiled(self, words: list[str]) -> list[str]:
        """The words with one more fault."""
        at = self.random.randrange(1, len(words) + 1) if words else 0
        match self.random.randrange(10):
            case 0 if at < len(words):
                return [*words[:at], self._garbled(words[at]), *words[at + 1 :]]
            case 1 if at < len(words):
                return [*words[:at], self._odd(), *words[at + 1 :]]
            case 2:
                return [*words[:at], self._odd(), *words[at:]]
            case 3 if at < len(words):
                return [*words[:at], *words[at + 1 :]]
            case 4:
                return [*words[:at], *words[at : at + 2], *words[at:]]
            case 5:
                row = self.random.choice(fields_of("layer", "input"))
                return [*words[:at], row.option, self._odd(), *words[at:]]
            case 6:
                other = self.random.choice(("--units", "--hidden-dim", "--bs", "--relu", "--gpu"))
                return [*words[:at], other, *words[at:]]
            case 7 if words:
                self.misnamed = True
                return [self._garbled(words[0], odd=False), *words[1:]]
            case _:
                return self._misnamed(words)
        return words

    def _misnamed(self, words: list[str]) -> list[str]:
        """The words with an option by another name, or with one letter of it changed."""
        places = [place for place, word in enumerate(words) if word.startswith("--")]
        if not places:
            return [*words, self._odd()]
        self.misnamed = True
        place = self.random.choice(places)
        name, equals, value = words[place].partition("=")
        others = _SYNONYMS.get(spelled(name[2:]))
        if others and self.chance(0.6):
            name = f"--{self.random.choice(others)}"
        else:
            name = f"--{self._garbled(name[2:], odd=False).replace('=', '')}"
        return [*words[:place], f"{name}{equals}{value}", *words[place + 1 :]]
