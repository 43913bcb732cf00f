"""`rnnshape explain`: every entry provoked, every wording known, and nothing else explained."""

from __future__ import annotations

import ast
import inspect
import json
import linecache
import random
import re
import shlex
import string
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
import torch
from torch import nn
from torch.nn.modules import rnn as modules
from torch.nn.utils import rnn as utilities

import rnnshape
from rnnshape.analysis.explanation.entry import Entry
from rnnshape.analysis.explanation.mistakes import entries
from tests.explained import VERSIONS, missing, reported
from tests.junit import junit
from tests.program import PINNED_TORCH, TORCH, call, spawn
from tests.schemas import problems
from tests.transcripts import ROOT

ENTRIES: Final = entries()
# What torch 2.6 does not refuse, or in other words. Its own words are in `VERSIONS`.
_NEW: Final = {"export-assigned", "flag-type", "packed-by-hand", "size-zero", "weights-rows"}


def provoked_by(entry: Entry) -> tuple[str, ...]:
    """The statements that provoke an error or a warning in the torch that is installed."""
    return () if TORCH != PINNED_TORCH and entry.mistake in _NEW else entry.provoked_by


each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.mistake)
each_provoked = pytest.mark.parametrize(
    ("entry", "statement"),
    [(entry, each) for entry in ENTRIES for each in provoked_by(entry)],
    ids=lambda value: value.mistake if isinstance(value, Entry) else value,
)
each_version = pytest.mark.parametrize(
    "text",
    [
        said["text"]
        for mistake in json.loads(VERSIONS.read_text(encoding="utf-8"))
        for said in mistake["says"]
        if re.match(r"\w+(?:Error|Warning)\b", said["text"])
    ],
)


def raised(statement: str) -> str:
    """What Python prints for what a statement raises, with its frames, or warns."""
    linecache.cache["<entry>"] = (len(statement), None, [statement], "<entry>")
    names = {"torch": torch, "nn": nn, "z": torch.zeros, **vars(utilities)}
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            exec(compile(statement, "<entry>", "exec"), names)  # noqa: S102 - of the entries
        except Exception as error:  # noqa: BLE001 - whatever it raises
            return "".join(traceback.format_exception(error))
    return f"{warned[-1].category.__name__}: {warned[-1].message}"


@each_provoked
def test_what_an_entry_provokes_is_explained_as_its_mistake(entry: Entry, statement: str) -> None:
    text = raised(statement)
    explanation = rnnshape.explain(text)
    assert explanation is not None, text
    assert explanation.mistake == entry.mistake, text


@each_entry
def test_an_entry_is_provoked_or_says_where_its_error_is_raised(entry: Entry) -> None:
    assert entry.provoked_by or entry.source
    assert entry.causes
    assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", entry.mistake)


def test_mistakes_have_names_of_their_own() -> None:
    names = [entry.mistake for entry in ENTRIES]
    assert sorted(names) == sorted(set(names))


@each_version
def test_every_wording_of_every_version_is_recognised(text: str) -> None:
    assert rnnshape.explain(text) is not None


@pytest.mark.parametrize("text", reported(), ids=lambda text: str(text["id"]))
def test_an_explanation_fits_a_terminal_of_80_columns(text: dict[str, Any]) -> None:
    assert [
        line for line in str(rnnshape.explain(text["text"])).splitlines() if len(line) > 80
    ] == []


@pytest.mark.parametrize("text", reported(), ids=lambda text: str(text["id"]))
def test_a_reported_error_is_explained_with_what_must_be_said(text: dict[str, Any]) -> None:
    assert missing(text) == []


def _messages(module: ModuleType) -> Iterator[tuple[int, str]]:
    """The messages that a module raises or warns, with `1` for each place that differs."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        call_ = node.exc if isinstance(node, ast.Raise) else node
        if not isinstance(call_, ast.Call) or not call_.args:
            continue
        warns = ast.unparse(call_.func) in ("warnings.warn", "deprecated")
        if (isinstance(node, ast.Raise) or warns) and (message := _written(call_.args[0])):
            yield call_.lineno, message


def _written(node: ast.expr) -> str:
    """A message as source builds it; a part that is computed is "1"."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(map(_written, values))
        case ast.BinOp(left=left, right=right):
            return _written(left) + _written(right)
        case ast.FormattedValue():
            return "1"
        case _:
            return ""


# Guards behind code that never lets them be reached.
UNREACHABLE: Final = ("hx must not be None", "lengths is required")


@pytest.mark.parametrize("module", [modules, utilities], ids=lambda module: module.__name__)
def test_every_message_of_the_recurrent_modules_has_an_entry(module: ModuleType) -> None:
    unknown = []
    for line, message in _messages(module):
        folded = " ".join(message.replace("`", "").split()).casefold()
        anchors = [w.anchor for entry in ENTRIES for w in entry.wordings]
        words = [piece for piece in re.split(r"\{\}|1", folded) if len(piece) > 8]
        known = any(anchor in folded or any(w in anchor for w in words) for anchor in anchors)
        if not known and message not in UNREACHABLE:
            unknown.append(f"{module.__name__}:{line}: {message}")
    assert unknown == []


@each_entry
def test_what_shows_more_is_a_command_that_works(entry: Entry) -> None:
    for statement in provoked_by(entry):
        explanation = rnnshape.explain(raised(statement))
        assert explanation is not None
        if explanation.more:
            program, *words = shlex.split(explanation.more)
            assert program == "rnnshape"
            if not any(Path(word).suffix in (".pt", ".pth") for word in words):
                assert call(*words, "--no-run" if words[0] != "compare" else "-q").code in (0, 2)


FOREIGN: Final = {
    "numpy": "ValueError: operands could not be broadcast together with shapes (3,4) (5,6) ",
    "keras": 'ValueError: Input 0 of layer "lstm" is incompatible with the layer: expected ndim=3,'
    " found ndim=2. Full shape received: (None, 20)",
    "sklearn": "ValueError: Found input variables with inconsistent numbers of samples: [10, 9]",
    "pandas": "KeyError: 'date'",
    "django": "django.db.utils.OperationalError: no such table: auth_user",
    "python": "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    "import": "ModuleNotFoundError: No module named 'yaml'",
    "log": "2026-01-02 INFO epoch 3 loss 0.25 hidden size 40 batch 5",
    "tensorflow": "InvalidArgumentError: Matrix size-incompatible: In[0]: [5,20], In[1]: [40,160]",
    "unpacking": 'Traceback (most recent call last):\n  File "views.py", line 3, in get\n'
    "    name, value = line.split('=')\nValueError: too many values to unpack (expected 2)",
    "readme": (ROOT / "README.md").read_text(encoding="utf-8"),
    "contributing": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    "changelog": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    "licence": (ROOT / "LICENSE").read_text(encoding="utf-8"),
    "code": inspect.getsource(modules),
}


@pytest.mark.parametrize("text", FOREIGN.values(), ids=list(FOREIGN))
def test_other_texts_are_not_explained(text: str) -> None:
    assert rnnshape.explain(text) is None


def test_an_unknown_error_is_refused_with_what_to_include() -> None:
    result = call("explain", "OddError: the flux capacitor is full")
    assert (result.code, result.out) == (2, "")
    assert "this text has no error that is known" in result.err
    assert "torch.__version__" in result.err


def test_an_error_that_is_nearly_a_known_one_is_refused_with_that() -> None:
    result = call("explain", "RuntimeError: input must have 3 dims, got a lot of dimensions")
    assert result.code == 2
    assert "nearest known: input must have" in result.err


MESSAGE: Final = "Expected hidden[0] size (8, 10, 40), got [8, 5, 40]"
IN_CONTEXT: Final = {
    "message": MESSAGE,
    "named": f"RuntimeError: {MESSAGE}",
    "qualified": f"torch.errors.RuntimeError: {MESSAGE}",
    "coloured": f"\x1b[31mRuntimeError\x1b[0m: {MESSAGE}",
    "pytest": f">       self.lstm(x, h)\nE       RuntimeError: {MESSAGE}\n\nnet.py:9: RuntimeError",
    "logged": f"2026-01-02 10:00:00 ERROR train - RuntimeError: {MESSAGE}",
    "torchrun": f"[rank0]: Traceback (most recent call last):\n[rank0]: RuntimeError: {MESSAGE}",
    "wrapped": f"RuntimeError: {MESSAGE.replace(', got', ',' + chr(10) + '   got')}",
    "sizes": "RuntimeError: Expected hidden[0] size torch.Size([8, 10, 40]), got (8, 5, 40)",
    "chained": f"Traceback (most recent call last):\nRuntimeError: {MESSAGE}\n\nThe above exception"
    " was the direct cause of the following exception:\n\nTraceback (most recent call last):\n"
    "TrainingError: epoch 3 failed",
    "prose": f"Hello, I get this: {MESSAGE}. What does it mean?",
    "quoted": f"> RuntimeError: {MESSAGE}",
}


@pytest.mark.parametrize("text", IN_CONTEXT.values(), ids=list(IN_CONTEXT))
def test_a_message_is_found_however_it_is_shown(text: str) -> None:
    explanation = rnnshape.explain(text)
    assert explanation is not None
    assert explanation.mistake == "state-batch"
    assert explanation.comparison is not None
    assert explanation.comparison.differs == ("batch",)


def test_of_several_errors_the_last_is_explained_and_one_that_hides_it_is_named() -> None:
    first = MESSAGE.replace("8, 5, 40", "8, 7, 40")
    both = rnnshape.explain(f"RuntimeError: {first}\nRuntimeError: {MESSAGE}")
    assert both is not None
    assert "batch 5" in both.meaning
    assert both.others == ()
    chained = rnnshape.explain(IN_CONTEXT["chained"])
    assert chained is not None
    assert chained.others == ("TrainingError: epoch 3 failed",)


def test_json_follows_its_schema_and_marks_what_differs() -> None:
    result = call("explain", MESSAGE, "-f", "json")
    document = json.loads(result.out)
    assert problems(document, "explain") == []
    assert (document["recognised"], document["mistake"]) == (True, "state-batch")
    assert document["expected"] == {"layer*dir": 8, "batch": 10, "feature": 40}
    assert document["got"] == {"layer*dir": 8, "batch": 5, "feature": 40}
    assert document["differs"] == ["batch"]


def test_a_ci_service_gets_the_error_as_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    result = call("explain", MESSAGE, "-f", "junit")
    assert result.code == 0
    (failure,) = junit(result.out).iter("failure")
    assert "reads batch 10 from its input x" in (failure.text or "")
    annotation = "::error title=state-batch::h_0 has batch 5"
    assert call("explain", MESSAGE, "-f", "github").out.startswith(annotation)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert call("explain", MESSAGE).err.startswith(annotation)


def test_a_text_comes_from_words_a_file_or_stdin(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_bytes(f"RuntimeError: {MESSAGE}\n".encode("utf-16"))
    expected = call("explain", MESSAGE).out
    assert call("explain", *MESSAGE.split()).out == expected
    assert call("explain", str(path)).out == expected
    for words in ([], ["-"]):
        result = spawn("explain", *words, stdin=f"{MESSAGE}\n")
        assert (result.code, result.out) == (0, expected)


@pytest.mark.parametrize("text", ["", " \n", "\0", "\x1b[", "a" * 200_000])
def test_a_text_without_a_message_is_refused(text: str) -> None:
    result = call("explain", text)
    assert (result.code, result.out) == (2, "")


def test_no_text_ends_otherwise_than_explained_or_refused() -> None:
    generator = random.Random(10)  # noqa: S311 - a test
    texts = [each["text"] for each in reported()]
    letters = string.printable + "\x00\x1b\u2028\ufffd\ud800\u0130"
    for _ in range(1_500):
        text = generator.choice(texts)
        for _ in range(generator.randrange(1, 8)):
            place, length = generator.randrange(len(text) + 1), generator.randrange(12)
            piece = "".join(generator.choices(letters, k=length))
            if generator.random() < 0.5:
                piece = re.sub(
                    r"\d+", lambda _: str(generator.choice((0, -1, 2**63, 10**30))), text
                )
                piece = piece[place : place + 40]
            text = text[:place] + piece + text[place + length :]
        result = call("explain", "--", text)
        assert result.code in (0, 2), (text, result)
        assert "Traceback" not in result.err
        assert result.code == 0 or result.out == ""


def test_explaining_imports_no_torch() -> None:
    program = (
        "import sys, rnnshape\n"
        f"assert rnnshape.explain({MESSAGE!r})\n"
        "assert 'torch' not in sys.modules\n"
    )
    assert spawn(program=(sys.executable, "-c", program)).code == 0


class Tagger(nn.Module):
    """A model whose forward gives its layer a state of another batch."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(20, 40, 4, bidirectional=True)

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> Any:
        return self.lstm(x, (h, h))


def test_an_exception_is_explained_with_the_shapes_where_it_was_raised() -> None:
    with pytest.raises(RuntimeError) as caught:
        Tagger()(torch.zeros(5, 10, 20), torch.zeros(8, 5, 40))
    explanation = rnnshape.explain(caught.value)
    assert explanation is not None
    assert explanation.tensors == {"x": (5, 10, 20), "h": (8, 5, 40)}
    assert [cause.why for cause in explanation.causes] == [
        "x is batch first, but the LSTM is not: it reads 10 as the batch."
    ]
    assert explanation.causes[0].fix.startswith("nn.LSTM(..., batch_first=True)")


@pytest.mark.parametrize("word", ["train.log", "/no/such/file", "traceback"])
def test_a_word_that_names_no_file_is_said_to_be_none(word: str) -> None:
    refused = call("explain", word)
    assert refused.code == 2
    assert refused.err.splitlines() == [
        f"error: {word} is neither a file nor a known error",
        "hint: name a file, or give the whole message in quotes",
    ]


PYTEST_TEST: Final = """
import torch

def test_state():
    torch.nn.LSTM(3, 4)(torch.zeros(5, 2, 3), (torch.zeros(1, 9, 4), torch.zeros(1, 9, 4)))

def test_other():
    raise ValueError("something else")
"""


def test_the_plugin_adds_explanations_below_tracebacks(tmp_path: Path) -> None:
    (tmp_path / "test_net.py").write_text(PYTEST_TEST)
    program = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_net.py")
    result = spawn("-p", "rnnshape.pytest", program=program, cwd=tmp_path)
    assert result.code == 1
    assert "h_0 has batch 9, but the LSTM reads batch 2" in result.out
    assert result.out.count("rnnshape explains") == 1
    without = spawn(program=program, cwd=tmp_path)
    assert "rnnshape explains" not in without.out


def test_the_extension_adds_explanations_below_tracebacks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    testing = pytest.importorskip("IPython.testing.globalipapp")
    shell = testing.get_ipython() or testing.start_ipython()
    shell.run_line_magic("load_ext", "rnnshape")
    code = "import torch; torch.nn.GRU(3, 4)(torch.zeros(5, 2, 3), torch.zeros(1, 9, 4))"
    shell.run_cell(code)
    assert "`h_0` has batch 9" in capsys.readouterr().out.replace("h_0", "`h_0`")
    shell.run_line_magic("unload_ext", "rnnshape")
    shell.run_cell(code)
    assert "has batch 9" not in capsys.readouterr().out


def test_a_command_that_would_be_refused_is_not_advised() -> None:
    possible = rnnshape.explain("Expected hidden[0] size (8, 10, 40), got [8, 5, 40]")
    impossible = rnnshape.explain("Expected hidden[0] size (8, 0, 40), got [8, 5, 40]")
    assert possible is not None
    assert impossible is not None
    assert (bool(possible.more), impossible.more) == (True, "")
