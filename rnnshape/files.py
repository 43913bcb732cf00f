"""Files are replaced once their content is complete, all of them or none."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from rnnshape.errors import RequestError, quoted

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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


def require_apart(paths: Iterable[Path], read: Iterable[str | Path], option: str) -> None:
    """Raise RequestError where one of `paths`, links followed, is a file that is read."""
    kept = {}
    for each in read:
        with suppress(ValueError):  # of a null character, which reading the file refuses
            kept[os.path.realpath(each)] = str(each)
    for path in paths:
        if (real := os.path.realpath(path)) in kept:
            raise RequestError(
                f"{option} {quoted(str(path))} would replace {quoted(kept[real])}, which is read",
                hint=f"{option} with another file",
            )


def create_file(path: Path, content: bytes, option: str) -> None:
    """Write a file that must not be there yet, whoever else creates it at the same time.

    Raises FileExistsError if it is there, and RequestError where it cannot be written.
    """
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        raise
    except OSError as error:
        raise _refusal(path, option, error) from error
    try:
        write_files([(path, content)], option)
    except RequestError:
        path.unlink()
        raise


def write_files(contents: Sequence[tuple[Path, bytes]], option: str) -> Callable[[], None]:
    """Replace every file, or none: all are written under other names before one is moved.

    `option` is what asks for them. Raises RequestError where that is not possible. Returns a
    function that puts back what was there before.
    """
    replaced: list[tuple[Path, bytes | None]] = []

    def put_back() -> None:
        for target, before in reversed(replaced):
            with suppress(OSError):
                if before is None:
                    target.unlink()
                else:
                    _write_beside(target, before).replace(target)

    with _signals_wait():
        written: list[tuple[Path, Path, Path]] = []
        try:
            for path, content in contents:
                with _writing(path, option):
                    target = Path(os.path.realpath(path))
                    written.append((path, _write_beside(target, content), target))
            for path, beside, target in written:
                with _writing(path, option):
                    before = target.read_bytes() if target.exists() else None
                    beside.replace(target)
                    replaced.append((target, before))
        except RequestError:
            put_back()
            raise
        finally:
            for _, beside, _ in written:
                with suppress(OSError):
                    beside.unlink(missing_ok=True)
    return put_back


def _write_beside(target: Path, content: bytes) -> Path:
    """A file with the content and the target's mode, in the same folder and safe on the disk."""
    beside = target.with_name(f".rnnshape-{os.urandom(8).hex()}")
    try:
        beside.write_bytes(content)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, beside)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    return beside


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Let signals that end the process wait, so that none leaves a file of another name.

    Blocking them would not do: where there are other threads, one of those gets them. Only the main
    thread can make them wait, so what another thread writes is not protected.
    """
    import signal  # only writing needs these
    from threading import current_thread, main_thread

    if current_thread() is not main_thread():
        yield
        return
    came: list[int] = []
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.signal(each, lambda number, _: came.append(number)) for each in ending}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        for number in dict.fromkeys(came):
            signal.raise_signal(number)


@contextmanager
def _writing(path: Path, option: str) -> Iterator[None]:
    """Turn an error of the system in writing `path` into a RequestError."""
    try:
        yield
    except OSError as error:
        raise _refusal(path, option, error) from error
    except ValueError as error:  # of a null character, and of half a character
        raise RequestError(
            f"cannot write {quoted(str(path))}: no file can have such a name",
            hint=f"{option} with another name",
        ) from error


def _refusal(path: Path, option: str, error: OSError) -> RequestError:
    elsewhere = f"{option} with a file in a folder that you may write to"
    if error.errno in _FULL:
        elsewhere = f"free some space, or {option} with a file on another disk"
    return RequestError(
        f"cannot write {quoted(str(path))}: {error.strerror or error}", hint=elsewhere
    )
