"""The file of a manifest: found and read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from rnnshape.errors import PlacedError, RequestError, quoted, word
from rnnshape.sources.manifest import Manifest, manifest_of
from rnnshape.sources.toml import TOMLText

MANIFEST: Final = "rnnshape.toml"
_PYPROJECT: Final = "pyproject.toml"
_SECTION: Final = ("tool", "rnnshape")
_NEW: Final = "rnnshape check --init lstm writes a first one"
# More than any manifest that people write: 100,000 modules take 15 MB.
_MOST_BYTES: Final = 16_000_000


def load(name: str | os.PathLike[str] | None) -> Manifest:
    """The manifest called `name`, or the nearest one here or above.

    Raises RequestError, or RequestErrors with all that is wrong with its keys.
    """
    path = Path(name) if name is not None else _nearest()
    root = _SECTION if path.name == _PYPROJECT else ()
    manifest = manifest_of(_document(path), root)
    if not (manifest.entries or manifest.problems):
        table = ".".join((*root, "modules", "encoder"))
        raise RequestError(f"{quoted(str(path))} has no modules", hint=f"[{table}] begins one")
    return manifest


def _nearest() -> Path:
    """`rnnshape.toml`, or a `pyproject.toml` with a table for rnnshape, here or above."""
    try:
        here = Path.cwd()
    except OSError as error:
        raise RequestError("the working directory is gone", hint="cd to one that exists") from error
    for folder in (here, *here.parents):
        for path in (folder / MANIFEST, folder / _PYPROJECT):
            shown = Path(os.path.relpath(path, here))
            if _is_file(path) and (path.name == MANIFEST or _has_table(shown)):
                return shown
    raise RequestError(
        f"there is no {MANIFEST}, and no {_PYPROJECT} with [{'.'.join(_SECTION)}], here or above",
        hint=_NEW,
    )


def _has_table(path: Path) -> bool:
    table: Any = _document(path).values
    for key in _SECTION:
        table = table.get(key) if isinstance(table, dict) else None
    return table is not None


def _document(path: Path) -> TOMLText:
    shown = quoted(str(path))
    if _is_folder(path):
        raise RequestError(
            f"{shown} is a folder, not a file", hint=f"rnnshape check {word(path / MANIFEST)}"
        )
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        hint = "rnnshape check" if _is_file(Path(MANIFEST)) else _NEW
        raise RequestError(f"there is no file {shown}", hint=hint) from error
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        raise RequestError(
            f"cannot read {shown}: {reason.lower()}",
            hint="rnnshape check FILE with a file that you may read",
        ) from error
    if len(content) > _MOST_BYTES:
        raise RequestError(
            f"{shown} has over {_MOST_BYTES:,} bytes", hint="split it, and check each part"
        )
    try:
        return TOMLText.of(content.decode(), str(path))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"byte {content[error.start]:#04x} is not UTF-8"
        raise PlacedError(
            RequestError(problem, hint="save it as UTF-8"), file=str(path), line=line
        ) from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # in a folder above that may not be searched
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
