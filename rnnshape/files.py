"""Files are replaced once their content is complete, all of them or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rnnshape.errors import RequestError, quoted


def require_writable(path: Path, option: str) -> Path:
    """The file that `path` leads to, links followed; `option` is what asks for it.

    Raises RequestError where it could not be replaced.
    """
    with _writing(path, option):
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            raise OSError("it is a folder" if target.is_dir() else "it is not a regular file")
        if not target.parent.is_dir():
            raise OSError(f"there is no folder {quoted(str(target.parent))}")
        for needed in {target.parent, target if target.exists() else target.parent}:
            if not os.access(needed, os.W_OK):
                raise OSError("permission denied")
    return target


def write_files(contents: Sequence[tuple[Path, bytes]], option: str) -> None:
    """Replace every file, or none: all are written under other names before one is moved.

    `option` is what asks for them. Raises RequestError where that is not possible.
    """
    written: list[tuple[Path, Path, Path]] = []
    try:
        for path, content in contents:
            with _writing(path, option):
                target = Path(os.path.realpath(path))
                beside = target.with_name(f".rnnshape-{os.urandom(8).hex()}")
                written.append((path, beside, target))
                beside.write_bytes(content)
                if target.exists():
                    shutil.copymode(target, beside)
        for path, beside, target in written:
            with _writing(path, option):
                beside.replace(target)
    finally:
        for _, beside, _ in written:
            with suppress(OSError):
                beside.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path, option: str) -> Iterator[None]:
    """Turn an error of the system in writing `path` into a RequestError."""
    try:
        yield
    except OSError as error:
        raise RequestError(
            f"cannot write {quoted(str(path))}: {error.strerror or error}",
            hint=f"{option} with a file in a folder that you may write to",
        ) from error
