"""The manifest of `rnnshape check`: found, read, written, and its words made layers."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from rnnshape.analysis.check import Check, Expected, Match, Module
from rnnshape.analysis.expectation import chosen, judge, parse, restated
from rnnshape.analysis.matching import differences
from rnnshape.cli.layer import predicted
from rnnshape.cli.options import InputOptions, RunOptions
from rnnshape.cli.output import require_writable, write_files
from rnnshape.cli.request import request_of, settings_of
from rnnshape.cli.target import Target, read_target
from rnnshape.errors import RequestError, RequestErrors, gathered, nearest, quoted
from rnnshape.layer.config import InputSpec, dtype_named
from rnnshape.layer.report import Report, predicted_report
from rnnshape.sources.manifest import Entry, Manifest, basic_string, manifest_of
from rnnshape.sources.toml import Document

MANIFEST: Final = "rnnshape.toml"
_PYPROJECT: Final = "pyproject.toml"
_SECTION: Final = ("tool", "rnnshape")
_NEW: Final = "rnnshape check --init lstm writes a first one"
# More than any manifest that people write: 100,000 modules take 15 MB.
_MOST_BYTES: Final = 64_000_000
# What the errors of options call an option, and what a manifest calls the same.
_OPTION: Final = re.compile(
    r"--(batch|seq|input-shape|lengths|unbatched|with-state|device|dtype)\b"
)
_KEYS: Final = {"batch": "batch_size", "seq": "seq_len"}


def load(name: str | None) -> Manifest:
    """The manifest called `name`, or the nearest one upwards. Raises RequestError without one."""
    path = Path(name) if name is not None else _nearest()
    root = _SECTION if path.name == _PYPROJECT else ()
    manifest = manifest_of(_document(path), root)
    if not (manifest.entries or manifest.problems):
        table = ".".join((*root, "modules", "encoder"))
        raise RequestError(f"{quoted(str(path))} has no modules", hint=f"[{table}], or {_NEW}")
    return manifest


def _nearest() -> Path:
    """`rnnshape.toml`, or a `pyproject.toml` that speaks of rnnshape, here or above."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        for path in (folder / MANIFEST, folder / _PYPROJECT):
            shown = Path(os.path.relpath(path, here))
            if path.is_file() and (path.name == MANIFEST or _speaks_of_rnnshape(shown)):
                return shown
    raise RequestError(
        f"there is no {MANIFEST}, and no {_PYPROJECT} with [{'.'.join(_SECTION)}], here or above",
        hint=_NEW,
    )


def _speaks_of_rnnshape(path: Path) -> bool:
    tool = _document(path).values.get("tool")
    return isinstance(tool, dict) and "rnnshape" in tool


def _document(path: Path) -> Document:
    shown = quoted(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except IsADirectoryError as error:
        hint = f"rnnshape check {path / MANIFEST}"
        raise RequestError(f"{shown} is a folder", hint=hint) from error
    except FileNotFoundError as error:
        raise RequestError(f"there is no file {shown}", hint=_NEW) from error
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        hint = "rnnshape check FILE"
        raise RequestError(f"cannot read {shown}: {reason.lower()}", hint=hint) from error
    if len(content) > _MOST_BYTES:
        raise RequestError(f"{shown} has over {_MOST_BYTES:,} bytes", hint="split it")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"byte {content[error.start]:#04x} is not UTF-8"
        raise RequestError(f"{shown}:{line}: {what}", hint="save it as UTF-8") from error
    return Document.of(text, shown)


def judged(manifest: Manifest, only: Collection[str], run: RunOptions) -> Check:
    """Every module, or those in `only`, held against its formulas.

    Raises RequestErrors with all that is wrong: first the keys and types of the whole manifest,
    then the words of these modules.
    """
    if not manifest.problems:
        _require_known(only, [entry.name for entry in manifest.entries])
    entries = [entry for entry in manifest.entries if not only or entry.name in only]
    try:
        modules = gathered(lambda entry: _module(manifest, entry, run), entries)
    except RequestErrors as error:
        raise RequestErrors((*manifest.problems, error)) from error
    if manifest.problems:
        raise RequestErrors(manifest.problems)
    return Check(file=manifest.document.file, modules=tuple(modules))


def _require_known(only: Collection[str], names: Sequence[str]) -> None:
    for name in only:
        if name not in names:
            raise RequestError(
                f"--only {quoted(name)} is no module", hint=f"--only {nearest(name, names)}"
            )


def _module(manifest: Manifest, entry: Entry, run: RunOptions) -> Module:
    """The module. Raises RequestErrors with all that is wrong with it."""
    try:
        target = read_target(entry.target)
    except RequestError as error:
        raise manifest.problem(entry, error, "target") from error
    try:
        report = _report(entry, target, run)
    except RequestError as error:
        raise manifest.problem(entry, _in_keys(error)) from error

    def demanded(number: int) -> Expected:
        try:
            expectation = parse(entry.expect[number])
            judgement = judge(expectation, chosen(expectation, {"": report}))
        except RequestError as error:
            raise manifest.problem(entry, error, "expect", number) from error
        return Expected(judgement=judgement, line=manifest.line(entry, "expect", number))

    expected = gathered(demanded, range(len(entry.expect)))
    try:
        match = _match(manifest, entry, report)
    except RequestError as error:
        raise manifest.problem(entry, error, "matches") from error
    return Module(
        name=entry.name,
        target=entry.target,
        line=manifest.line(entry),
        report=report,
        expected=tuple(expected),
        match=match,
    )


def _report(entry: Entry, target: Target, run: RunOptions) -> Report:
    input_ = InputOptions(**entry.input)
    request = request_of(target.config.kind, target.fields, input_, fixed=target.told)
    settings = settings_of(
        run,
        device=entry.device or target.device,
        dtype=target.dtype if entry.dtype is None else dtype_named(entry.dtype),
    )
    return predicted(request, settings, traps=target.traps)


def _match(manifest: Manifest, entry: Entry, report: Report) -> Match | None:
    if entry.matches is None:
        return None
    other = read_target(entry.matches).config
    return Match(
        target=entry.matches,
        config=other,
        differences=differences(report.config, other),
        line=manifest.line(entry, "matches"),
    )


def _in_keys(error: RequestError) -> RequestError:
    def key(match: re.Match[str]) -> str:
        return _KEYS.get(match[1], match[1].replace("-", "_"))

    return RequestError(_OPTION.sub(key, error.problem), hint=_OPTION.sub(key, error.hint))


def updated(manifest: Manifest, check: Check) -> str:
    """The text with every unmet equality brought up to date."""
    entries = {entry.name: entry for entry in manifest.entries}
    return manifest.with_expectations(
        {
            (module.name, number): restated(
                entries[module.name].expect[number], module.expected[number].judgement.actual
            )
            for module, number in check.outdated
        }
    )


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
            yield f'  "{tensor} = {",".join(str(int(size)) for size in known.shape)}",'
    yield f'  "parameters = {int(report.parameters)}",'
    yield f'  "macs = {int(report.macs)}",'
    yield "]"


def write(path: Path, text: str) -> None:
    """Replace the manifest, when it is whole."""
    require_writable(path, "rnnshape check")
    write_files([(path, text.encode())])
