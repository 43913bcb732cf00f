"""An import path of a model: `package.module:attribute`, `net.py:Tagger(vocab=5000)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from rnnshape.errors import RequestError, quoted
from rnnshape.pytorch.request import ImportPath
from rnnshape.silence import expression_of, module_of

_NAME: Final = r"[^\W\d]\w*"
_MOST_NAMED: Final = 6
_PATH: Final = re.compile(
    rf"(?P<place>(?:{_NAME}\.)*{_NAME}|[^:]*(?::[\\/][^:]*)?\.py):"
    rf"(?P<attribute>{_NAME}(?:\.{_NAME})*)\s*(?P<call>\(.*\))?(?::(?P<layer>[^\s:()]+))?",
    re.DOTALL,
)


_FILE: Final = re.compile(r"[^:(]*(?::[\\/][^:(]*)?\.py(?=:|\Z)")


def looks_like_import_path(text: str) -> bool:
    """Whether a target has the form of an import path, or is only the file of one."""
    return names_code(text) or _PATH.fullmatch(text.strip()) is not None


def names_code(text: str) -> bool:
    """Whether a target names a file of Python code."""
    return _FILE.match(text.strip()) is not None


def read_import_path(text: str) -> tuple[ImportPath, str | None]:
    """The import path that `text` is, and the layer that it picks, `net.py:Tagger:encoder.lstm`.

    Raises RequestError where an argument is not a literal.
    """
    match = _PATH.fullmatch(text.strip())
    if match is None:
        raise _malformed(text.strip())
    place, attribute, call = match["place"], match["attribute"], match["call"]
    if call is None:
        return ImportPath(place=place, attribute=attribute), match["layer"]
    try:
        arguments, keywords = _literals(call)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as bad:
        raise RequestError(
            "the arguments in {} must be literals, such as 5000, True or 'gru'",
            quoted(text),
            hint="write a function without arguments that returns the model, and name that",
        ) from bad
    path = ImportPath(
        place=place, attribute=attribute, arguments=arguments, keywords=keywords, called=True
    )
    return path, match["layer"]


def _malformed(text: str) -> RequestError:
    file = _FILE.match(text)
    if file is None or file[0] != text.removesuffix(":"):
        return RequestError(
            "{} is not the import path of a model",
            quoted(text),
            hint='such as net.py:Tagger, "net.py:Tagger(vocab=5000)" or package.module:model',
        )
    names = list(_classes(file[0]))
    return RequestError(
        "{} names no model in that file",
        quoted(text),
        ", ".join(f"{file[0]}:{name}" for name in names[:_MOST_NAMED]) or f"{file[0]}:Tagger",
        hint="add its class, or a function that returns it: {}",
    )


def _classes(file: str) -> Iterator[str]:
    """The names of the classes in a file, of which nothing is run."""
    try:
        tree = module_of(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from (node.name for node in tree.body if isinstance(node, ast.ClassDef))


def _literals(call: str) -> tuple[tuple[Any, ...], tuple[tuple[str, Any], ...]]:
    """The arguments in parentheses. Raises one of several errors where one is not a literal."""
    parsed = expression_of(f"f{call}")
    if not (isinstance(parsed, ast.Call) and isinstance(parsed.func, ast.Name)):
        raise TypeError(call)  # `(1)(2)`
    if any(keyword.arg is None for keyword in parsed.keywords):
        raise TypeError(call)  # `(**settings)`
    arguments = tuple(map(ast.literal_eval, parsed.args))
    return arguments, tuple((str(k.arg), ast.literal_eval(k.value)) for k in parsed.keywords)
