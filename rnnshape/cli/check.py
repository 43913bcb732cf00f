"""`rnnshape check`: what a manifest expects, held against its modules."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rnnshape.analysis.check import Check, checked, run_modules, updates
from rnnshape.cli import exits
from rnnshape.cli.actions import summarise
from rnnshape.cli.command import command, words_of
from rnnshape.cli.first_manifest import first_manifest
from rnnshape.cli.options import OutputOptions, RunOptions, argument, option
from rnnshape.cli.output import Delivery, Plan, require_writable, write_files
from rnnshape.cli.streams import disarmed, write_stdout
from rnnshape.document.check import check_document
from rnnshape.document.model import Code
from rnnshape.errors import RequestError, word
from rnnshape.render.cells import cell_text
from rnnshape.sources.manifest import Manifest
from rnnshape.sources.manifest_file import MANIFEST, load

if TYPE_CHECKING:
    from typer.core import TyperCommand

_CHECK: Final = "Manifest"


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """Which manifest, which of its modules, and whether it is written."""

    words: list[str] | None = argument(
        _CHECK,
        "FILE",
        f"The manifest; with --init TARGETs. [default: {MANIFEST}, or"
        " [tool.rnnshape] in pyproject.toml, here or above]",
    )
    only: list[str] | None = option(_CHECK, "--only", "NAME", "This module alone. Repeatable.")
    update: bool = option(
        _CHECK,
        "--update",
        "",
        "Bring the values after = up to date, never limits; show the difference.",
        default=False,
    )
    init: bool = option(
        _CHECK, "--init", "", f"Write a first {MANIFEST} of the TARGETs given.", default=False
    )


def check_command(name: str, *, help: str) -> TyperCommand:
    """The command."""
    return command(_check, name=name, help=help, without=("time", "show", "full"))


def _check(check: CheckOptions, run: RunOptions, output: OutputOptions) -> int:
    _require_one_task(check, run, output)
    words = check.words or []
    if check.init:
        return _init(words)
    if len(words) > 1:
        raise RequestError(
            f"{len(words)} files are given, and one is checked at a time",
            hint=f"rnnshape check {word(Path(words[0]))}",
        )
    plan = Plan.of(output, sections=(), default=())
    manifest = load(words[0] if words else None)
    predicted = _checked(manifest, check, run)
    if check.update:
        return _update(manifest, predicted, check, run)
    update = shlex.join(["rnnshape", "check", *words_of(replace(check, update=True), run)])
    delivery = Delivery(plan)
    if plan.streams:
        delivery.begin(check_document(predicted, update=update))
    return _deliver(_ran(manifest, predicted, run), delivery, update=update)


def _checked(manifest: Manifest, check: CheckOptions, run: RunOptions) -> Check:
    return checked(manifest, check.only or (), device=run.device, dtype=run.dtype)


def _ran(manifest: Manifest, predicted: Check, run: RunOptions) -> Check:
    if not run.run:
        return predicted
    shared = run.device is not None or run.dtype is not None
    return run_modules(manifest, predicted, shared=shared)


def _require_one_task(check: CheckOptions, run: RunOptions, output: OutputOptions) -> None:
    writing = "--update" if check.update else "--init"
    if not (check.update or check.init):
        return
    if check.update and check.init:
        raise RequestError("--update and --init are given", hint="leave out --update or --init")
    if check.init and check.only:
        raise RequestError(
            "--init has no modules yet, and --only names one", hint="leave --only out"
        )
    if check.init and replace(run, run=True) != RunOptions():
        option = next(words_of(replace(run, run=True)))
        raise RequestError(
            f"--init writes what the formulas say of each TARGET, and {option} is given",
            hint=f"leave {option} out",
        )
    if output.files or output.format != "table":
        option = "-o" if output.files else "-f"
        raise RequestError(
            f"{writing} writes the manifest and shows text, and {option} is given",
            hint=f"leave {option} out",
        )
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        raise RequestError(
            f"{writing} writes the manifest, and a CI job only checks: CI is set",
            hint=f"rnnshape check {writing} on your own machine, then commit the file",
        )


def _deliver(check: Check, delivery: Delivery, *, update: str | None = None) -> int:
    document = check_document(check, update=update)
    delivery.finish(document)
    summarise(document, "rnnshape check")
    return exits.verdict(agrees=not check.disagreeing, holds=check.held == check.demands)


def _update(manifest: Manifest, predicted: Check, check: CheckOptions, run: RunOptions) -> int:
    """Rewrite the manifest, unless PyTorch disagrees with what would be written."""
    plain = Delivery(Plan.of(OutputOptions(), sections=(), default=()))
    ran = _ran(manifest, predicted, run)
    if ran.disagreeing:
        return _deliver(ran, plain)
    file, changes = manifest.document.file, updates(manifest, predicted)
    if not changes:
        write_stdout(disarmed(f"{cell_text(file)}: every = value is up to date\n"))
        return exits.SUCCESS if ran.held == ran.demands else _deliver_below(ran, plain)
    _write(Path(file), manifest.with_expectations(changes))
    write_stdout(disarmed("".join(_changed(manifest, changes))))
    left = _checked(load(file), check, run)
    if left.held == left.demands:
        return exits.SUCCESS
    reports = {module.name: module.report for module in ran.modules}
    modules = (replace(module, report=reports[module.name]) for module in left.modules)
    return _deliver_below(replace(left, modules=tuple(modules)), plain)


def _changed(manifest: Manifest, changes: Mapping[tuple[str, int], str]) -> Iterator[str]:
    """`rnnshape.toml:9: encoder: output = 10,5,80 -> output = 10,5,96`."""
    for entry in manifest.entries:
        for number, old in enumerate(entry.expect):
            if (entry.name, number) in changes:
                place = f"{manifest.document.file}:{manifest.line(entry, 'expect', number)}"
                change = " -> ".join(
                    " ".join(text.split()) for text in (old, changes[entry.name, number])
                )
                yield f"{cell_text(place)}: {cell_text(Code(entry.name))}: {change}\n"


def _deliver_below(check: Check, delivery: Delivery) -> int:
    write_stdout("\n")
    return _deliver(check, delivery)


def _init(targets: list[str]) -> int:
    if not targets:
        raise RequestError("--init has no TARGET", hint='rnnshape check --init "lstm --hidden 40"')
    path = Path(MANIFEST)
    if path.exists():
        raise RequestError(
            f"there is a {MANIFEST} already", hint=f"rnnshape check, or remove {MANIFEST} first"
        )
    text = first_manifest(targets)
    _write(path, text)
    write_stdout(f"{text}\nwrote {MANIFEST}; rnnshape check holds each module against it\n")
    return exits.SUCCESS


def _write(path: Path, text: str) -> None:
    """Replace the manifest, when it is whole."""
    require_writable(path, "rnnshape check")
    write_files([(path, text.encode())], "rnnshape check")
