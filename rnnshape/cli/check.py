"""`rnnshape check`: judge what a manifest expects of its modules."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rnnshape.analysis.check import Check, checked, run_modules, updates
from rnnshape.cli import exits
from rnnshape.cli.actions import summarise
from rnnshape.cli.command import Help, command, words_of
from rnnshape.cli.first_manifest import first_manifest
from rnnshape.cli.options import OutputOptions, RunOptions, argument, option
from rnnshape.cli.output import Delivery, Plan
from rnnshape.cli.progress import progress
from rnnshape.cli.streams import disarmed, write_stdout
from rnnshape.document.check import check_document, failed_text
from rnnshape.document.model import Code
from rnnshape.document.refusal import refusal_document
from rnnshape.errors import RequestError, quoted, word
from rnnshape.files import create_file, require_writable, write_files
from rnnshape.render.cells import cell_text
from rnnshape.sources.manifest import Manifest
from rnnshape.sources.manifest_file import MANIFEST, load, nearest, read_text

if TYPE_CHECKING:
    from typer.core import TyperCommand

_CHECK: Final = "Manifest"
_TITLE: Final = "rnnshape check"
_TARGETS: Final = 'lstm, "gru --hidden 40", "nn.RNN(20, 40)"'


@dataclass(frozen=True, kw_only=True)
class _CheckOptions:
    """Which manifest, which of its modules, and whether to write it."""

    words: list[str] | None = argument(
        _CHECK,
        "FILE",
        f"The manifest, or targets with --init. [default: {MANIFEST}, or"
        " [tool.rnnshape] in pyproject.toml, here or above]",
    )
    only: list[str] | None = option(_CHECK, "--only", "NAME", "Check only this module. Repeatable.")
    update: bool = option(
        _CHECK,
        "--update",
        "",
        "Bring the values after = up to date, never limits; show the difference.",
        default=False,
    )
    init: bool = option(
        _CHECK, "--init", "", f"Write a first {MANIFEST} for the TARGETs.", default=False
    )
    quiet: bool = option(
        _CHECK,
        "--quiet -q",
        "",
        "Print only failures, and nothing if there are none.",
        default=False,
    )
    exit_zero: bool = option(
        _CHECK,
        "--exit-zero",
        "",
        "Exit with 0 even if something fails; a wrong request still exits with 2.",
        default=False,
    )


def check_command(name: str, *, help: str) -> TyperCommand:
    """The command."""
    whole = (
        f"{help} -o junit.xml also writes a JUnit file. Exit code 1 if an expectation fails."
        f" --init writes a first {MANIFEST}."
    )
    examples = (
        'rnnshape check --init "lstm --hidden 40" "nn.GRU(40, 80)"',
        "rnnshape check -o junit.xml",
    )
    without = ("time", "train", "optimizer", "show", "full")
    return command(_check, name=name, help=Help(whole, examples), without=without)


def _check(check: _CheckOptions, run: RunOptions, output: OutputOptions) -> int:
    _require_one_task(check, run, output)
    words = check.words or []
    if check.init:
        return _init(words)
    if len(words) > 1:
        raise RequestError(
            f"{len(words)} files are given, but only one can be checked at a time",
            hint=f"rnnshape check {word(Path(words[0]))}",
        )
    plan = Plan.of(output, sections=(), default=())
    delivery = Delivery(plan)
    with _delivering_refusals(delivery):
        path = Path(words[0]) if words else nearest()
    plan.keep([path])
    with _delivering_refusals(delivery):
        if check.update and path.is_relative_to("/dev"):
            raise RequestError(
                f"--update writes the manifest, and {quoted(str(path))} is not a file to write",
                hint="rnnshape check FILE --update",
            )
        manifest = load(path)
        predicted = _checked(manifest, check, run)
        if check.update:
            return _update(manifest, predicted, check, run)
        return _report(manifest, predicted, check, run, delivery)


@contextmanager
def _delivering_refusals(delivery: Delivery) -> Iterator[None]:
    try:
        yield
    except RequestError as error:
        refusal = refusal_document(error.errors)
        delivery.refuse(refusal)
        summarise(refusal, _TITLE)
        raise


def _report(
    manifest: Manifest, predicted: Check, check: _CheckOptions, run: RunOptions, delivery: Delivery
) -> int:
    proposed = replace(check, update=True, quiet=False, exit_zero=False)
    file = [word(Path(each)) for each in check.words or ()]
    options = map(shlex.quote, words_of(replace(proposed, words=None), run))
    update = " ".join(["rnnshape", "check", *file, *options])
    delivery.begin(partial(check_document, predicted, update=update, quiet=check.quiet))
    ran = _ran(manifest, predicted, check, run)
    return _deliver(ran, check, delivery, update=update)


def _checked(manifest: Manifest, check: _CheckOptions, run: RunOptions) -> Check:
    return checked(manifest, check.only or (), device=run.device, dtype=run.dtype)


def _ran(manifest: Manifest, predicted: Check, check: _CheckOptions, run: RunOptions) -> Check:
    if not run.run:
        return predicted
    failed = failed_text(predicted)
    known = f"FAILED: {failed}" if failed else ""
    with progress(len(predicted.modules), known=known, hidden=check.quiet) as runs:
        return run_modules(manifest, predicted, runs.run, device=run.device)


def _require_one_task(check: _CheckOptions, run: RunOptions, output: OutputOptions) -> None:
    """Raise RequestError for an option that means nothing with --update, --init or --quiet."""
    if check.quiet and output.format != "table":
        raise RequestError(
            "--quiet works only with text, but -f is given", hint="leave --quiet or -f out"
        )
    if not (check.update or check.init):
        return
    writing = "--init" if check.init else "--update"
    options = ["-o"] * bool(output.files) + ["-f"] * (output.format != "table")
    options += ["--caption"] * (output.caption is not None)
    options += ["--label"] * (output.label is not None)
    options += ["--quiet"] * check.quiet
    if check.init:  # it writes what the formulas say, whether or not there is a run
        options += words_of(replace(check, words=None, init=False), replace(run, run=True))
    if options:
        raise RequestError(
            f"{options[0]} cannot be combined with {writing}", hint=f"leave {options[0]} out"
        )
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        raise RequestError(
            f"{writing} writes the manifest, and CI is set: a CI job only checks",
            hint=f"rnnshape check {writing} on your own machine, then commit the file",
        )


def _deliver(
    result: Check, check: _CheckOptions, delivery: Delivery, *, update: str | None = None
) -> int:
    document = check_document(result, update=update)
    quiet = check_document(result, quiet=True) if check.quiet else None
    delivery.finish(document, on_stdout=quiet)
    summarise(document, _TITLE)
    if check.exit_zero:
        return exits.SUCCESS
    return exits.verdict(agrees=not result.disagreeing, holds=result.holding == result.demands)


def _update(manifest: Manifest, predicted: Check, check: _CheckOptions, run: RunOptions) -> int:
    """Rewrite the manifest, unless PyTorch disagrees with what would be written."""
    plain = Delivery(Plan.of(OutputOptions(), sections=(), default=()))
    ran = _ran(manifest, predicted, check, run)
    if ran.disagreeing:
        return _deliver(ran, check, plain)
    file, changes = manifest.document.file, updates(manifest, predicted)
    left = ran
    if changes:
        _replace(manifest, manifest.with_expectations(changes))
        write_stdout(disarmed("".join(_changed(manifest, changes))))
        reports = {module.name: module.report for module in ran.modules}
        again = _checked(load(file), check, run)
        modules = [replace(module, report=reports[module.name]) for module in again.modules]
        left = replace(again, modules=tuple(modules))
    else:
        write_stdout(disarmed(f"{cell_text(file)}: every value after = is up to date\n"))
    if left.holding == left.demands:
        return exits.SUCCESS
    write_stdout("\n")
    return _deliver(left, check, plain)


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


def _init(targets: list[str]) -> int:
    if not targets:
        raise RequestError("--init needs a TARGET", hint=f"name one after it: {_TARGETS}")
    path = Path(MANIFEST)
    there = RequestError(
        f"{MANIFEST} already exists", hint=f"rnnshape check, or remove {MANIFEST} first"
    )
    if path.exists():
        raise there
    text = first_manifest(targets)
    try:
        create_file(path, text.encode(), "rnnshape check")
    except FileExistsError as error:
        raise there from error
    write_stdout(f"{text}\nwrote {MANIFEST}; rnnshape check judges each module by it\n")
    return exits.SUCCESS


def _replace(manifest: Manifest, text: str) -> None:
    """Replace the text of the manifest, unless it has become another since it was read."""
    path = Path(manifest.document.file)
    require_writable(path, "rnnshape check")
    if read_text(path) != manifest.document.text:
        raise RequestError(
            f"{quoted(str(path))} was changed in the meantime, and is left as it is",
            hint=f"rnnshape check {manifest.document.word} --update",
        )
    write_files([(path, text.encode())], "rnnshape check")
