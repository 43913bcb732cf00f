"""A manifest's words made modules: read, held against what is expected of them, and run."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import fields, replace
from functools import partial
from itertools import islice
from typing import Final, TypeVar

from rnnshape.analysis.check import Check, Expected, Match, Module
from rnnshape.analysis.expectation import chosen, judge, parse, restated
from rnnshape.analysis.matching import differences
from rnnshape.cli.options import InputOptions, RunOptions, as_typed, spelling
from rnnshape.cli.reports import predicted
from rnnshape.cli.request import Request, request_of, settings_of
from rnnshape.cli.target import Target, read_target
from rnnshape.errors import (
    PlacedError,
    RequestError,
    RequestErrors,
    gathered,
    nearest,
    quoted,
    word,
)
from rnnshape.layer.config import DType, RNNConfig, Settings, dtype_named
from rnnshape.layer.report import Report
from rnnshape.layer.run import require_torch
from rnnshape.sources.manifest import Entry, Manifest, basic_string

Made = TypeVar("Made")

# The options that a manifest has as keys, by the word that errors name them with.
_OF_RUN: Final = ("device", "dtype")  # the command has these too
_FIELD_OF: Final = {
    f"--{spelling(field)}": field
    for field in (*(each.name for each in fields(InputOptions)), *_OF_RUN)
}
# One of them with its value, where it has one: sizes, or the name of a device or a type.
_OPTION: Final = re.compile(
    rf"({'|'.join(_FIELD_OF)})(?![\w-])"
    rf"(?: ([0-9]+(?:,[0-9]+)*|cpu|meta|{'|'.join(each.value for each in DType)})\b)?"
)
_ARRAYS: Final = ("input_shape", "lengths")


def checked(manifest: Manifest, only: Collection[str], run: RunOptions) -> Check:
    """Every module, or those in `only`, held against its formulas.

    Raises RequestErrors with all that is wrong with the manifest, in the order of its lines.
    """
    settings_of(run)  # what is wrong with the options is not told of each module
    if not manifest.problems:  # which may be the reason that a module is not known
        _require_known(only, manifest)
    readings = [
        _Reading(manifest, entry, run)
        for entry in manifest.entries
        if not only or entry.name in only
    ]
    modules = [reading.module() for reading in readings]
    problems = list(manifest.problems)
    problems += (each for reading in readings for each in reading.problems)
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
                hint=f"--only {word(nearest(name, names))}" if names else "leave it out",
            )

    gathered(require, only)


class _Reading:
    """A module being read: what is wrong with it is kept in `problems`, and the rest read on."""

    def __init__(self, manifest: Manifest, entry: Entry, run: RunOptions) -> None:
        self.problems: list[PlacedError] = []
        self._manifest = manifest
        self._entry = entry
        self._run = run

    def module(self) -> Module | None:
        """The module; None where there are problems."""
        entry = self._entry
        target = self._target("target", entry.target)
        other = self._target("matches", entry.matches)
        if target is None:
            for number, text in enumerate(entry.expect):
                self._attempt(partial(parse, text), "expect", number)
            return None
        request, settings = self._request(target), self._settings(target)
        # Where these are wrong, others do to tell what is wrong with the expectations.
        report = predicted(
            request or request_of(target.config.kind, target.fields, InputOptions()),
            settings or Settings(),
            traps=target.traps,
        )
        expected = [
            self._attempt(partial(self._expected, number, report), "expect", number)
            for number in range(len(entry.expect))
        ]
        if self.problems:
            return None
        return Module(
            name=entry.name,
            target=target.text,
            line=self._manifest.line(entry),
            report=report,
            expected=tuple(each for each in expected if each is not None),
            match=None if other is None else self._match(report.config, other),
        )

    def _target(self, key: str, text: str | None) -> Target | None:
        return None if text is None else self._attempt(partial(read_target, text), key)

    def _request(self, target: Target) -> Request | None:
        options = InputOptions(**self._entry.input)
        kind, layer = target.config.kind, target.fields
        return self._attempt(partial(request_of, kind, layer, options, fixed=target.told))

    def _settings(self, target: Target) -> Settings | None:
        device, dtype = target.device, target.dtype
        if self._entry.device is not None:
            device = self._entry.device
        if self._entry.dtype is not None:
            dtype = self._attempt(partial(dtype_named, self._entry.dtype), "dtype")
        return self._attempt(partial(settings_of, self._run, device=device, dtype=dtype))

    def _expected(self, number: int, report: Report) -> Expected:
        expectation = parse(self._entry.expect[number])
        return Expected(
            judgement=judge(expectation, chosen(expectation, {"": report})),
            line=self._manifest.line(self._entry, "expect", number),
        )

    def _match(self, config: RNNConfig, other: Target) -> Match:
        return Match(
            target=other.text,
            config=other.config,
            differences=differences(config, other.config),
            line=self._manifest.line(self._entry, "matches"),
        )

    def _attempt(self, make: Callable[[], Made], *keys: str | int) -> Made | None:
        try:
            return make()
        except RequestError as error:
            self.problems.append(_in_manifest(self._manifest, self._entry, error, *keys))
            return None


def _in_manifest(
    manifest: Manifest, entry: Entry, error: RequestError, *keys: str | int
) -> PlacedError:
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
    named = (key for key in re.findall("[a-z_]+", problem) if key in entry.keys.values())
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
