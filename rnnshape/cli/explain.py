"""`rnnshape explain`: what an error of PyTorch means, and the line that fixes it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from rnnshape.analysis.explanation.explain import explain, nearest
from rnnshape.cli import exits
from rnnshape.cli.command import Help, command
from rnnshape.cli.options import OutputOptions, argument
from rnnshape.cli.output import Delivery, Plan
from rnnshape.document.explanation import explanation_document
from rnnshape.errors import RequestError, quoted

if TYPE_CHECKING:
    from typer.core import TyperCommand

_STDIN: Final = "-"
_EXAMPLE: Final = 'rnnshape explain "Expected hidden[0] size (8, 10, 40), got [8, 5, 40]"'
# Of a longer log the end is read: the last error stands there.
_MOST_BYTES: Final = 16_000_000
_MARKS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}  # PowerShell writes UTF-16


@dataclass(frozen=True, kw_only=True)
class _Text:
    """The text of an error."""

    words: list[str] | None = argument(
        "Text",
        "TEXT",
        "The message, or a file that holds it or a traceback; - or no TEXT reads stdin.",
    )


def explain_command(name: str, *, help: str) -> TyperCommand:
    """The command."""
    whole = f"{help} The usual way is a pipe: python train.py 2>&1 | rnnshape explain"
    examples = (_EXAMPLE, "rnnshape explain train.log -f markdown")
    without = ("show", "full", "caption", "label")
    return command(_explain, name=name, help=Help(whole, examples), without=without)


def _explain(text: _Text, output: OutputOptions) -> int:
    plan = Plan.of(output, sections=(), default=())
    read = _read(text.words or [_STDIN])
    explanation = explain(read)
    if explanation is None:
        _require_file(text.words or [])
        near = nearest(read)
        raise RequestError(
            "this text has no error that is known{}",
            f"; nearest known: {near}" if near else "",
            hint="give the last line of the traceback, and what print shows for the layer,"
            " for x.shape and for torch.__version__",
        )
    Delivery(plan).finish(explanation_document(explanation))
    return exits.SUCCESS


def _read(words: list[str]) -> str:
    """The text that the words give or name. Raises RequestError for an empty one."""
    text = " ".join(words)
    if text == _STDIN:
        text = _stdin()
    elif len(words) == 1 and (found := _file(text)) is not None:
        text = found
    if not text.strip():
        raise RequestError("the text is empty", hint=_EXAMPLE)
    return text


def _require_file(words: list[str]) -> None:
    """Raise RequestError for a single word that explains nothing and names no file."""
    word = words[0] if len(words) == 1 else _STDIN
    if word != _STDIN and len(word.split()) == 1 and _file(word) is None:
        raise RequestError(
            "{} is neither a file nor a known error",
            quoted(word),
            hint="name a file, or give the whole message in quotes",
        )


def _stdin() -> str:
    if sys.stdin is None or sys.stdin.isatty():
        what = "closed" if sys.stdin is None else "a terminal"
        raise RequestError(f"no TEXT is given, and stdin is {what}", hint=_EXAMPLE)
    stream: BinaryIO | None = getattr(sys.stdin, "buffer", None)
    return sys.stdin.read() if stream is None else _decoded(_end(stream))


def _file(name: str) -> str | None:
    """What a file of this name holds; None where there is none."""
    path = Path(name)
    try:
        if not path.is_file():
            return None
    except (OSError, ValueError):  # no file can have such a name
        return None
    try:
        with path.open("rb") as stream:
            return _decoded(_end(stream))
    except OSError as error:
        problem = f"cannot read {quoted(name)}: {error.strerror}"
        raise RequestError("{}", problem, hint="give the text on stdin") from error


def _end(stream: BinaryIO) -> bytes:
    """The end of a stream, and its first two bytes."""
    end = first = stream.read(2)
    while piece := stream.read(_MOST_BYTES):
        end = (end + piece)[-_MOST_BYTES:]
    return end if len(end) < _MOST_BYTES or end[:2] == first else first * (first in _MARKS) + end


def _decoded(data: bytes) -> str:
    return data.decode(_MARKS.get(data[:2], "utf-8"), errors="replace")
