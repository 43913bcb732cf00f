"""The manifest of `rnnshape check`: found, read, written, and its words made layers."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import fields, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

from rnnshape.analysis.check import Check, Expected, Match, Module
from rnnshape.analysis.expectation import chosen, judge, parse, restated
from rnnshape.analysis.matching import differences
from rnnshape.analysis.value import TensorShape
from rnnshape.cli.layer import predicted
from rnnshape.cli.options import InputOptions, RunOptions, as_typed, spelling
from rnnshape.cli.output import require_writable, write_files
from rnnshape.cli.request import request_of, settings_of
from rnnshape.cli.target import Target, read_target
from rnnshape.errors import RequestError, RequestErrors, gathered, nearest, quoted
from rnnshape.layer.config import DType, InputSpec, dtype_named
from rnnshape.layer.report import Report, predicted_report
from rnnshape.layer.run import require_torch
from rnnshape.sources.manifest import Entry, Manifest, ManifestError, basic_string, manifest_of
from rnnshape.sources.toml import Document

Made = TypeVar("Made")

MANIFEST: Final = "rnnshape.toml"
_PYPROJECT: Final = "pyproject.toml"
_SECTION: Final = ("tool", "rnnshape")
_NEW: Final = "rnnshape check --init lstm writes a first one"
# More than any manifest that people write: 100,000 modules take 15 MB.
_MOST_BYTES: Final = 64_000_000
# The options that a manifest has as keys, by the word that errors name them with.
_OF_RUN: Final = ("device", "dtype")  # the command has these too
_FIELD_OF: Final = {
    f"--{spelling(field)}": field
    for field in (*(each.name for each in fields(InputOptions)), *_OF_RUN)
}
# One of them with its value, where it has one: sizes, or the name of a device or a type.
_OPTION: Final = re.compile(
    rf"({'|'.join(_FIELD_OF)})(?![\w-])"
    rf"(?: ([0-9]+(?:,[0-9]+)*|cpu|meta|{'|'.join(each.value for each in DType)}))?"
)
_ARRAYS: Final = ("input_shape", "lengths")


def load(name: str | None) -> Manifest:
    """The manifest called `name`, or the nearest upwards.

    Raises RequestError, or RequestErrors with all that is wrong with its keys.
    """
    path = Path(name) if name is not None else _nearest()
    root = _SECTION if path.name == _PYPROJECT else ()
    manifest = manifest_of(_document(path), root)
    if not (manifest.entries or manifest.problems):
        table = ".".join((*root, "modules", "encoder"))
        hint = f"[{table}] begins one" + (f"; {_NEW}" if not root else "")
        raise RequestError(f"{quoted(str(path))} has no modules", hint=hint)
    return manifest


def _nearest() -> Path:
    """`rnnshape.toml`, or a `pyproject.toml` that speaks of rnnshape, here or above."""
    try:
        here = Path.cwd()
    except OSError as error:
        raise RequestError(
            "the working directory is gone", hint="cd to one that there is"
        ) from error
    for folder in (here, *here.parents):
        for path in (folder / MANIFEST, folder / _PYPROJECT):
            shown = Path(os.path.relpath(path, here))
            if _is_file(path) and (path.name == MANIFEST or _speaks_of_rnnshape(shown)):
                return shown
    raise RequestError(
        f"there is no {MANIFEST}, and no {_PYPROJECT} with [{'.'.join(_SECTION)}], here or above",
        hint=_NEW,
    )


def _speaks_of_rnnshape(path: Path) -> bool:
    table: Any = _document(path).values
    for key in _SECTION:
        table = table.get(key) if isinstance(table, dict) else None
    return table is not None


def _document(path: Path) -> Document:
    shown = quoted(str(path))
    if _is_folder(path):
        raise RequestError(
            f"{shown} is a folder, not a file", hint=f"rnnshape check {_word(path / MANIFEST)}"
        )
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise RequestError(f"there is no file {shown}", hint=_NEW) from error
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
        return Document.of(content.decode(), str(path))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RequestError(
            f"{path}:{line}: byte {content[error.start]:#04x} is not UTF-8",
            hint="save it as UTF-8",
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


def _word(path: Path) -> str:
    """A path as a word of a command."""
    return quoted(shlex.quote(str(path)))


def judged(manifest: Manifest, only: Collection[str], run: RunOptions) -> Check:
    """Every module, or those in `only`, held against its formulas.

    Raises RequestErrors with all that is wrong with the manifest, in the order of its lines.
    """
    settings_of(run)  # what is wrong with the options is not told of each module
    if not manifest.problems:  # which may be the reason that a module is not known
        _require_known(only, manifest)
    entries = [entry for entry in manifest.entries if not only or entry.name in only]
    problems = list(manifest.problems)
    modules = [_module(manifest, entry, run, problems) for entry in entries]
    if problems:
        problems.sort(key=lambda problem: problem.line)
        raise RequestErrors(problems)
    return Check(
        file=manifest.document.file,
        modules=tuple(module for module in modules if module is not None),
    )


def _require_known(only: Collection[str], manifest: Manifest) -> None:
    names = [entry.name for entry in manifest.entries]

    def require(name: str) -> None:
        if name not in names:
            raise RequestError(
                f"--only {quoted(name)}: there is no such module in {manifest.document.file}",
                hint=f"--only {shlex.quote(nearest(name, names))}" if names else "leave it out",
            )

    gathered(require, only)


def _module(
    manifest: Manifest, entry: Entry, run: RunOptions, problems: list[ManifestError]
) -> Module | None:
    """The module, or None where something is wrong with it, which is added to `problems`."""

    def attempt(make: Callable[[], Made], *keys: str | int) -> Made | None:
        try:
            return make()
        except RequestError as error:
            problems.append(_in_manifest(manifest, entry, error, *keys))
            return None

    def expected(number: int) -> Expected | None:
        expectation = parse(entry.expect[number])
        if report is None:
            return None
        return Expected(
            judgement=judge(expectation, chosen(expectation, {"": report})),
            line=manifest.line(entry, "expect", number),
        )

    target = attempt(partial(_target, entry.target), "target")
    other = attempt(partial(_target, entry.matches), "matches")
    report = None if target is None else attempt(partial(_report, entry, target, run))
    judgements = [
        attempt(partial(expected, number), "expect", number) for number in range(len(entry.expect))
    ]
    if target is None or report is None or None in judgements:
        return None
    return Module(
        name=entry.name,
        target=target.text,
        line=manifest.line(entry),
        report=report,
        expected=tuple(each for each in judgements if each is not None),
        match=None if other is None else _match(report, other, manifest.line(entry, "matches")),
    )


def _target(text: str | None) -> Target | None:
    return None if text is None else read_target(text)


def _report(entry: Entry, target: Target, run: RunOptions) -> Report:
    input_ = InputOptions(**entry.input)
    request = request_of(target.config.kind, target.fields, input_, fixed=target.told)
    settings = settings_of(
        run,
        device=target.device if entry.device is None else entry.device,
        dtype=target.dtype if entry.dtype is None else dtype_named(entry.dtype),
    )
    return predicted(request, settings, traps=target.traps)


def _match(report: Report, other: Target, line: int) -> Match:
    return Match(
        target=other.text,
        config=other.config,
        differences=differences(report.config, other.config),
        line=line,
    )


def _in_manifest(
    manifest: Manifest, entry: Entry, error: RequestError, *keys: str | int
) -> ManifestError:
    """What is wrong with a module, in the words of a manifest and at its place.

    Without `keys` that is the line of the first key that the error names.
    """

    def written(match: re.Match[str]) -> str:
        option, value = match.groups()
        field = _FIELD_OF[option]
        if field in _OF_RUN and field not in entry.keys:
            return match[0]
        key = entry.keys.get(field, field)
        return key if value is None else f"{key} = {_toml(field, value)}"

    problem = error.problem if keys else _OPTION.sub(written, error.problem)
    named = (word for word in re.findall("[a-z_]+", problem) if word in entry.keys.values())
    place = keys or tuple(islice(named, 1))
    hint = error.hint_as(as_typed, between=" ")
    told = RequestError(problem, hint=_OPTION.sub(written, hint))
    return manifest.problem(entry, told, *place)


def _toml(field: str, value: str) -> str:
    """The value of an option as a manifest has it."""
    if field in _ARRAYS:
        return f"[{value.replace(',', ', ')}]"
    return basic_string(value) if field in _OF_RUN else value


def run_all(manifest: Manifest, check: Check, run: RunOptions) -> Check:
    """Every module run. Raises RequestErrors with each that cannot be, when all were tried."""
    require_torch()
    entries = {entry.name: entry for entry in manifest.entries}

    def module_run(module: Module) -> Module:
        try:
            return module.run()
        except RequestError as error:
            raise _in_manifest(manifest, entries[module.name], error) from error

    try:
        return replace(check, modules=tuple(gathered(module_run, check.modules)))
    except RequestErrors as errors:
        told_by_command = run.device is not None or run.dtype is not None
        alike = len({str(each.__cause__) for each in errors.errors}) == 1
        if told_by_command and alike and len(errors.errors) == len(check.modules):
            check.modules[0].run()  # once, in the words of the command
        raise


def updates(manifest: Manifest, check: Check) -> dict[tuple[str, int], str]:
    """What to write in place of each unmet equality, by its module and its number there."""
    entries = {entry.name: entry for entry in manifest.entries}
    return {
        (module.name, number): restated(
            entries[module.name].expect[number], module.expected[number].judgement.predicted
        )
        for module, number in check.outdated
    }


def first_manifest(targets: Sequence[str]) -> str:
    """A manifest of these targets, expecting of each what it is today.

    Raises RequestErrors with every target that is none.
    """
    names: set[str] = set()
    tables = []
    for text, target in zip(targets, gathered(read_target, targets), strict=True):
        name = _free_name(target, names)
        names.add(name)
        tables.append("\n".join(_table(name, text, target)) + "\n")
    return "\n".join(tables)


def _free_name(target: Target, taken: Collection[str]) -> str:
    stem = target.config.class_name.removeprefix("nn.").lower()
    count = 1
    while (name := stem if count == 1 else f"{stem}{count}") in taken:
        count += 1
    return name


def _table(name: str, text: str, target: Target) -> Iterator[str]:
    report = predicted_report(target.config, InputSpec(), settings_of(RunOptions()))
    tensors = report.predicted.tensors
    yield f"[modules.{name}]"
    yield f"target = {basic_string(text)}"
    yield f"input_shape = [{', '.join(str(int(size)) for size in tensors['input'].shape)}]"
    yield "expect = ["
    for tensor, known in tensors.items():
        if tensor in ("output", "h_n", "h_1"):
            yield f'  "{tensor} = {TensorShape(known.shape).typed}",'
    yield f'  "parameters = {int(report.parameters)}",'
    yield f'  "macs = {int(report.macs)}",'
    yield "]"


def write(path: Path, text: str) -> None:
    """Replace the manifest, when it is whole."""
    require_writable(path, "rnnshape check")
    write_files([(path, text.encode())], "rnnshape check")
