"""Find the file of a manifest, and read it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from rnnshape.errors import PlacedError, RequestError, near, quoted, word
from rnnshape.sources.manifest import Manifest, manifest_of
from rnnshape.sources.toml import TOMLText

MANIFEST: Final = "rnnshape.toml"
_PYPROJECT: Final = "pyproject.toml"
_SECTION: Final = ("tool", "rnnshape")
_NEW: Final = "rnnshape check --help shows how to begin one"


def load(name: str | os.PathLike[str] | None) -> Manifest:
    """The manifest in the file `name`, or in the nearest one here or in a folder above.

    Raises RequestError where there is none, or it cannot be read. What is wrong with single
    modules is among its `problems`.
    """
    path = Path(name) if name is not None else nearest()
    root = _SECTION if path.name == _PYPROJECT else ()
    manifest = manifest_of(_document(path), root)
    if not (manifest.entries or manifest.problems):
        table = ".".join((*root, "modules", "encoder"))
        raise RequestError(f"{quoted(str(path))} has no modules", hint=f"[{table}] begins one")
    return manifest


def nearest() -> Path:
    """`rnnshape.toml`, or a `pyproject.toml` with a table for rnnshape, here or above.

    Raises RequestError where there is none.
    """
    try:
        here = Path.cwd()
    except OSError as error:
        raise RequestError("the working directory is gone", hint="cd to one that exists") from error
    for folder in (here, *here.parents):
        for path in (folder / MANIFEST, folder / _PYPROJECT):
            shown = Path(os.path.relpath(path, here))
            # os.path, since a folder that may not be searched makes Path.is_file() raise
            is_file = os.path.isfile(path)  # noqa: PTH113
            if is_file and (path.name == MANIFEST or _has_table(shown)):
                return shown
    raise RequestError(
        f"there is no {MANIFEST}, and no {_PYPROJECT} with [{'.'.join(_SECTION)}], here or above",
        hint=_NEW,
    )


def _instead(path: Path) -> str:
    """What to do where there is no such file: a file or a layer may be meant."""
    from rnnshape.sources.rewording import target_meant  # only mistakes need it

    if target := target_meant(str(path)):
        return f"rnnshape inspect {word(target)}"
    try:
        names = [each.name for each in path.parent.iterdir() if each.suffix == ".toml"]
    except OSError:
        names = []
    alike = near(path.name, names)
    return f"rnnshape check {word(path.with_name(alike))}" if alike else _NEW


def _has_table(path: Path) -> bool:
    table: Any = _document(path).values
    for key in _SECTION:
        table = table.get(key) if isinstance(table, dict) else None
    return table is not None


def _document(path: Path) -> TOMLText:
    return TOMLText.of(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a file, to the last byte. Raises RequestError where it cannot be read."""
    shown = quoted(str(path))
    try:
        content = path.read_bytes()
    except IsADirectoryError as error:
        inside = path / MANIFEST
        hint = f"rnnshape check {word(inside)}" if inside.is_file() else _NEW
        raise RequestError(f"{shown} is a folder, not a file", hint=hint) from error
    except FileNotFoundError as error:
        hint = "rnnshape check" if Path(MANIFEST).is_file() else _instead(path)
        raise RequestError(f"there is no file {shown}", hint=hint) from error
    except (OSError, ValueError) as error:  # a name with a null character is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        raise RequestError(
            f"cannot read {shown}: {reason.lower()}",
            hint="rnnshape check FILE, where FILE is one that you may read",
        ) from error
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"byte {content[error.start]:#04x} is not UTF-8"
        raise PlacedError(
            RequestError(problem, hint="save it as UTF-8"), file=str(path), line=line
        ) from error
