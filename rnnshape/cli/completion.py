"""What a shell offers as the value of an option; it is looked up only when a shell asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Final, TypeAlias

from rnnshape.errors import RequestError, quoted

_Complete: TypeAlias = Callable[[Any, str], list[str]]

_ASKED: Final = re.compile("(complete|source)_(bash|zsh|fish|powershell|pwsh)")


def completing(option: str) -> _Complete | None:
    """The function from a context and the beginning of a value to whole values, if there is one.

    The values of `--show` may be a list: after `shapes,` each is offered with that before it.
    """
    if option not in _VALUES:
        return None

    def complete(ctx: Any, incomplete: str) -> list[str]:
        before, comma, _ = incomplete.rpartition(",") if option == "--show" else ("", "", "")
        return [f"{before}{comma}{value}" for value in _VALUES[option](ctx)]

    return complete


def require_understood(environment: Mapping[str, str]) -> None:
    """Raise RequestError for variables that none of Typer's scripts for shells sets."""
    asked = environment["_RNNSHAPE_COMPLETE"]
    current = environment.get("COMP_CWORD") or "0"
    if not (_ASKED.fullmatch(asked) and current.isdecimal()):
        raise RequestError(
            f"_RNNSHAPE_COMPLETE={quoted(asked)} with COMP_CWORD={quoted(current)} is not one"
            " that a shell sets to complete a line",
            hint="unset _RNNSHAPE_COMPLETE",
        )


def require_shell(arguments: Sequence[str]) -> None:
    """Raise RequestError if a script for the shell is asked for, and nobody knows which this is."""
    asked = {"--install-completion", "--show-completion"} & {*arguments}
    if not asked:
        return
    import shellingham

    try:
        shellingham.detect_shell()
    except (shellingham.ShellDetectionFailure, RuntimeError) as error:
        raise RequestError(
            f"{min(asked)} was not run from a shell",
            hint="run it in bash, zsh, fish or PowerShell, for which there are scripts",
        ) from error


def rejoin(environment: MutableMapping[str, str]) -> None:
    """Undo that bash divides `--show=grid` into three words, of which Typer expects two."""
    words = environment.get("COMP_WORDS", "").split("\n")
    current = int(environment.get("COMP_CWORD") or 0)
    signs = [place for place, word in enumerate(words) if word == "="]
    before = sum(place < current for place in signs)
    kept = ["" if place == current else word for place, word in enumerate(words)]
    kept = kept if current in signs else words
    kept = [word for place, word in enumerate(kept) if place not in signs or place == current]
    environment["COMP_WORDS"] = "\n".join(kept)
    environment["COMP_CWORD"] = str(current - before)


def _sections(_: Any) -> Iterable[str]:
    from rnnshape.document.sections import SECTIONS

    return ("default", "all", *SECTIONS)


def _formats(_: Any) -> Iterable[str]:
    from rnnshape.render import Format

    return (each.value for each in Format)


def _frameworks(_: Any) -> Iterable[str]:
    from rnnshape.analysis.frameworks.registry import NAMES

    return NAMES


def _dtypes(_: Any) -> Iterable[str]:
    from rnnshape.layer.settings import DType

    return (each.value for each in DType)


def _modules(context: Any) -> Iterable[str]:
    """The modules of the manifest that the line names, or else of the one that is found."""
    from rnnshape.sources.manifest_file import load

    try:
        manifest = load(next(iter(context.params.get("words") or context.args), None))
    except RequestError:  # an error would be written into the line
        return ()
    return (entry.name for entry in manifest.entries)


def _listed(*values: str) -> Callable[[Any], Iterable[str]]:
    return lambda _: values


_KINDS: Final = _listed("lstm", "gru", "rnn")
# By option, or by the metavar of an argument.
_VALUES: Final[Mapping[str, Callable[[Any], Iterable[str]]]] = {
    "--show": _sections,
    "--to": _frameworks,
    "--format": _formats,
    "--dtype": _dtypes,
    "--optimizer": _listed("sgd", "adam", "adamw"),
    "--device": _listed("cpu", "cuda", "mps", "xpu", "meta"),
    "--nonlinearity": _listed("tanh", "relu"),
    "--color": _listed("auto", "always", "never"),
    "--merge": _listed("concat", "sum"),
    "--sort": _listed("parameters", "macs", "name"),
    "--solve": _listed("hidden", "proj"),
    "--only": _modules,
    "--match": _KINDS,
    "KIND": _KINDS,
    "TARGET": _KINDS,
}
