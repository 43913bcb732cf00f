"""A manifest checked: what was expected of each of its modules, and what each is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TypeVar

from rnnshape.analysis.expectation import (
    Judgement,
    Operator,
    judge,
    parse_expectation,
    restated,
)
from rnnshape.analysis.matching import Difference, differences
from rnnshape.errors import (
    PlacedError,
    RequestError,
    RequestErrors,
    gathered,
    nearest,
    quoted,
    word,
)
from rnnshape.layer.report import LayerReport, predicted_report
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.run import require_torch, with_run
from rnnshape.sources.manifest import Entry, Manifest
from rnnshape.sources.registry import read_target
from rnnshape.sources.subjects import chosen_settings, subject_of
from rnnshape.sources.target import Target

Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True)
class Match:
    """Another layer that a module must match, and where it does not."""

    other: Subject
    differences: tuple[Difference, ...]
    line: int  # of the manifest

    @property
    def holds(self) -> bool:
        """Whether the two match."""
        return not self.differences


@dataclass(frozen=True, kw_only=True)
class Expected:
    """An expectation, judged, and its line in the manifest."""

    judgement: Judgement
    line: int


@dataclass(frozen=True, kw_only=True)
class Module:
    """One module of a manifest, judged by formula; `report.run` is None until it was run."""

    line: int
    report: LayerReport
    expected: tuple[Expected, ...]
    match: Match | None

    @property
    def name(self) -> str:
        """What the manifest calls it."""
        return self.report.subject.name

    @cached_property
    def failed(self) -> tuple[Expected, ...]:
        """The expectations that fail."""
        return tuple(each for each in self.expected if not each.judgement.holds)

    @property
    def held(self) -> int:
        """How many of its demands hold."""
        matched = self.match is not None and self.match.holds
        return len(self.expected) - len(self.failed) + matched

    @property
    def demands(self) -> int:
        """How many expectations there are, and one more where it must match another layer."""
        return len(self.expected) + (self.match is not None)


@dataclass(frozen=True, kw_only=True)
class Check:
    """Every module of a manifest that was asked for."""

    file: str
    modules: tuple[Module, ...]

    @property
    def held(self) -> int:
        """Demands that hold, over all modules."""
        return sum(module.held for module in self.modules)

    @property
    def demands(self) -> int:
        """Demands of all modules."""
        return sum(module.demands for module in self.modules)

    @property
    def disagreeing(self) -> tuple[Module, ...]:
        """The modules whose run found something else than was predicted."""
        return tuple(module for module in self.modules if module.report.disagrees)

    @property
    def outdated(self) -> tuple[tuple[Module, int], ...]:
        """The equalities that fail, each by its module and its number there.

        They can be brought up to date; a limit that is exceeded is a decision, not a record.
        """
        return tuple(
            (module, number)
            for module in self.modules
            for number, each in enumerate(module.expected)
            if not each.judgement.holds and each.judgement.expectation.operator is Operator.EQUAL
        )


def checked(
    manifest: Manifest,
    only: Collection[str] = (),
    *,
    device: str | None = None,
    dtype: str | None = None,
) -> Check:
    """Every module, or those in `only`, judged by formula.

    `device` and `dtype` are for all of them, whatever the manifest says. Raises RequestErrors with
    all that is wrong with the manifest, in the order of its lines.
    """
    chosen_settings(device, dtype)  # refused once, not for each module
    if not manifest.problems:  # which may be the reason why a module is not known
        _require_known(only, manifest)
    readings = [
        _Reading(manifest, entry, device, dtype)
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
            file = manifest.document.file
            raise RequestError(
                "{only:name} {}: there is no such module in {}",
                quoted(name),
                file,
                word(nearest(name, names)) if names else "",
                hint="{only:name} {}" if names else "leave it out",
                only=name,
            )

    gathered(require, only)


class _Reading:
    """A module being read: what is wrong with it goes to `problems`, and reading goes on."""

    def __init__(
        self, manifest: Manifest, entry: Entry, device: str | None, dtype: str | None
    ) -> None:
        self.problems: list[PlacedError] = []
        self._manifest = manifest
        self._entry = entry
        self._device = device
        self._dtype = dtype

    def module(self) -> Module | None:
        """The module; None where there are problems."""
        entry = self._entry
        target = self._target("target", entry.target)
        other = self._target("matches", entry.matches)
        if target is None:
            for number, text in enumerate(entry.expect):
                self._attempt(partial(parse_expectation, text), "expect", number)
            return None
        report = predicted_report(self._subject(target))
        expected = [
            self._attempt(partial(self._expected, number, report), "expect", number)
            for number in range(len(entry.expect))
        ]
        if self.problems:
            return None
        return Module(
            line=self._manifest.line(entry),
            report=report,
            expected=tuple(each for each in expected if each is not None),
            match=None if other is None else self._match(report.subject, target, other),
        )

    def _target(self, key: str, text: str | None) -> Target | None:
        return None if text is None else self._attempt(partial(_whole_target, text), key)

    def _subject(self, target: Target) -> Subject:
        """The subject; where its input or settings are wrong, one with defaults in their place.

        So that what is wrong with the expectations is found as well.
        """
        of_target = target.origin.words
        words = self._entry.words._replace(layer=of_target.layer, target=of_target.target)
        origin = replace(target.origin, words=words)
        target = replace(target, name=self._entry.name, origin=origin)
        make = partial(subject_of, target, settings=self._settings(target))
        whole = partial(make, self._entry.input, fixed=target.fields.keys())
        return self._attempt(whole) or make({})

    def _settings(self, target: Target) -> Settings:
        """Where it runs and in what type; a wrong device does not hide a wrong dtype."""
        device = self._entry.device if self._device is None else self._device
        dtype = self._entry.dtype if self._dtype is None else self._dtype
        there = self._attempt(
            partial(chosen_settings, target.device if device is None else device, None)
        )
        typed = self._attempt(
            partial(chosen_settings, None, target.dtype if dtype is None else dtype)
        )
        return replace(there or Settings(), dtype=(typed or Settings()).dtype)

    def _expected(self, number: int, report: LayerReport) -> Expected:
        return Expected(
            judgement=judge(self._entry.expect[number], [report]),
            line=self._manifest.line(self._entry, "expect", number),
        )

    def _match(self, subject: Subject, target: Target, other: Target) -> Match:
        return Match(
            other=subject_of(other, {}, Settings()),
            differences=differences(subject.config, other.config, target.place, other.place),
            line=self._manifest.line(self._entry, "matches"),
        )

    def _attempt(self, make: Callable[[], Made], *keys: str | int) -> Made | None:
        try:
            return make()
        except RequestError as error:
            self.problems.append(self._manifest.problem(self._entry, error, *keys))
            return None


def _whole_target(text: str) -> Target:
    """A target that nothing else completes. Raises RequestError where its fields do not fit."""
    target = read_target(text)
    _ = target.config  # read here, so that what is wrong is told at the line of the target
    return target


def run_modules(manifest: Manifest, check: Check, *, shared: bool) -> Check:
    """Every module run. Raises RequestErrors with each that cannot be, when all were tried.

    `shared` settings are those of the command: one reason why no module can be run in them is told
    once, not at each line.
    """
    require_torch()
    entries = {entry.name: entry for entry in manifest.entries}

    def module_run(module: Module) -> Module:
        try:
            return replace(module, report=with_run(module.report))
        except RequestError as error:
            raise manifest.problem(entries[module.name], error) from error

    try:
        return replace(check, modules=tuple(gathered(module_run, check.modules)))
    except RequestErrors as errors:
        causes = {str(each.__cause__): each.__cause__ for each in errors.errors}
        if shared and len(causes) == 1 and len(errors.errors) == len(check.modules):
            raise next(iter(causes.values())) from errors  # type: ignore[misc]
        raise


def updates(manifest: Manifest, check: Check) -> dict[tuple[str, int], str]:
    """What to write in place of each equality that fails, by its module and its number there."""
    entries = {entry.name: entry for entry in manifest.entries}
    return {
        (module.name, number): restated(
            entries[module.name].expect[number], module.expected[number].judgement.predicted
        )
        for module, number in check.outdated
    }
