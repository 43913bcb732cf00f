"""Check a manifest: judge what it expects of each of its modules."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, NamedTuple

from rnnshape.analysis.expectation import (
    Judgement,
    Operator,
    judge,
    module_name,
    module_referred,
    parse_expectation,
    restated,
)
from rnnshape.analysis.matching import Match, matched
from rnnshape.computed import cached_property
from rnnshape.errors import (
    PlacedError,
    RequestError,
    RequestErrors,
    gathered,
    near,
    quoted,
    word,
)
from rnnshape.layer.report import LayerReport, Runner, predicted_report
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.run import require_torch, with_run
from rnnshape.pytorch.threads import Result, side_by_side
from rnnshape.sources.manifest import Manifest, ModuleEntry
from rnnshape.sources.registry import read_target
from rnnshape.sources.subjects import chosen_settings, settings_for, subject_of
from rnnshape.sources.target import Target


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Whether a module matches another layer, and the line in the manifest that demands it."""

    match: Match
    line: int


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A judged expectation, and its line in the manifest."""

    judgement: Judgement
    line: int


@dataclass(frozen=True, kw_only=True)
class Module:
    """One module of a manifest, judged by formula; `report.run` is None until it is run."""

    line: int
    report: LayerReport
    expected: tuple[Expected, ...]
    matching: Matching | None

    @property
    def name(self) -> str:
        """What the manifest calls it."""
        return self.report.subject.name

    @cached_property
    def failed(self) -> tuple[Expected, ...]:
        """The expectations that fail."""
        return tuple(each for each in self.expected if not each.judgement.holds)

    @property
    def holding(self) -> int:
        """How many of its demands hold."""
        holds = self.matching is not None and self.matching.match.holds
        return len(self.expected) - len(self.failed) + holds

    @property
    def demands(self) -> int:
        """How many expectations it has, and one more where it must match another layer."""
        return len(self.expected) + (self.matching is not None)


@dataclass(frozen=True, kw_only=True)
class Check:
    """The modules of a manifest that are to be checked."""

    file: str
    modules: tuple[Module, ...]

    @cached_property
    def holding(self) -> int:
        """How many demands of all modules hold."""
        return sum(module.holding for module in self.modules)

    @cached_property
    def demands(self) -> int:
        """How many demands all modules have."""
        return sum(module.demands for module in self.modules)

    @cached_property
    def disagreeing(self) -> tuple[Module, ...]:
        """The modules for which PyTorch gives values other than the predicted ones."""
        return tuple(module for module in self.modules if module.report.disagrees)

    @property
    def outdated(self) -> tuple[tuple[Module, int], ...]:
        """The equalities that fail, each by its module and its index there.

        Only these can be brought up to date: a limit, or a reference to another module, records a
        decision, not a value.
        """
        return tuple(
            (module, number)
            for module in self.modules
            for number, each in enumerate(module.expected)
            if _is_outdated(each.judgement)
        )


def _is_outdated(judgement: Judgement) -> bool:
    own = judgement.other is None
    return own and not judgement.holds and judgement.expectation.operator is Operator.EQUAL


def checked(
    manifest: Manifest,
    only: Collection[str] = (),
    *,
    device: str | None = None,
    dtype: str | None = None,
) -> Check:
    """Every module, or those in `only`, judged by formula.

    `device` and `dtype` replace those of the manifest. Raises RequestErrors with all that is wrong
    with the manifest, in the order of its lines.
    """
    chosen_settings(device, dtype)  # to refuse them once, not for each module
    if not manifest.problems:  # a module may be unknown because of one
        _require_known(only, manifest)
    problems = list(manifest.problems)
    entries = [entry for entry in manifest.entries if not only or entry.name in only]
    referred = {module_referred(text) for entry in entries for text in entry.expect}
    predicted = {
        entry.name: _predicted(manifest, entry, device, dtype, problems)
        for entry in manifest.entries
        if not only or entry.name in only or module_name(entry.name) in referred
    }
    known = {module_name(name): each.report for name, each in predicted.items()}
    modules = [_module(manifest, entry, predicted, known, problems) for entry in entries]
    if problems:
        problems.sort(key=lambda problem: problem.line)
        raise RequestErrors(problems)
    return Check(
        file=manifest.document.file,
        modules=tuple(module for module in modules if module is not None),
    )


_MOST_NAMED: Final = 5  # of the modules that there are


def _require_known(only: Collection[str], manifest: Manifest) -> None:
    names = [entry.name for entry in manifest.entries]

    def require(name: str) -> None:
        if name not in names:
            alike = near(name, names)
            raise RequestError(
                "{only:name} {}: there is no such module in {}",
                quoted(name),
                manifest.document.file,
                word(alike) if alike else f"one of {', '.join(map(quoted, names[:_MOST_NAMED]))}",
                hint="{only:name} {}" if alike else "{}" if names else "leave it out",
                only=name,
            )

    gathered(require, only)


class _Predicted(NamedTuple):
    """A module by formula, before what is expected of it is judged; None for what is wrong."""

    target: Target | None
    other: Target | None  # which it must match
    report: LayerReport | None


@contextmanager
def _noted(
    manifest: Manifest, entry: ModuleEntry, problems: list[PlacedError], *keys: str | int
) -> Iterator[None]:
    """A block whose RequestError goes to `problems`, with the place of the value at `keys`."""
    try:
        yield
    except RequestError as error:
        problems.append(manifest.problem(entry, error, *keys))


def _predicted(
    manifest: Manifest,
    entry: ModuleEntry,
    device: str | None,
    dtype: str | None,
    problems: list[PlacedError],
) -> _Predicted:
    """The module by formula; what is wrong with it goes to `problems`."""
    noted = partial(_noted, manifest, entry, problems)
    target = other = report = None
    with noted("target"):
        target = _target(entry.target)
    with noted("matches"):
        other = _target(entry.matches)
    with noted():
        if target is not None:
            target = target.with_settings(entry.device, entry.dtype)
            informed = target if other is None else target.informed_by(other)
            report = predicted_report(_subject(manifest, entry, informed, device, dtype))
    return _Predicted(target, other, report)


def _module(
    manifest: Manifest,
    entry: ModuleEntry,
    predicted: Mapping[str, _Predicted],
    known: Mapping[str, LayerReport | None],
    problems: list[PlacedError],
) -> Module | None:
    """The module, or None where it cannot be judged; what is wrong with it goes to `problems`.

    `known` has the modules that an expectation may refer to, None for those that are wrong.
    """
    noted = partial(_noted, manifest, entry, problems)
    target, other, report = predicted[entry.name]
    expected: list[Expected] = []
    for number, text in enumerate(entry.expect):
        with noted("expect", number):
            module = module_referred(text)
            if report is None or (module is not None and known.get(module, report) is None):
                parse_expectation(text)
            else:
                line = manifest.line(entry, "expect", number)
                judgement = judge(text, [report], known)
                expected.append(Expected(judgement=judgement, line=line))
    if report is None or target is None:
        return None
    matching = None
    if other is not None:
        line = manifest.line(entry, "matches")
        matching = Matching(match=matched(target, other), line=line)
    line = manifest.line(entry)
    return Module(line=line, report=report, expected=tuple(expected), matching=matching)


def _target(text: str | None) -> Target | None:
    """The target, if there is one. Raises RequestError where its fields do not fit each other."""
    if text is None:
        return None
    target = read_target(text)
    _ = target.config  # computed here, so that an error stands at the line of the target
    return target


def _subject(
    manifest: Manifest,
    entry: ModuleEntry,
    target: Target,
    device: str | None,
    dtype: str | None,
) -> Subject:
    """The target with the input of its module; errors are in the words of the manifest."""
    of_target = target.origin.words
    words = entry.words._replace(layer=of_target.layer, target=of_target.target)
    request = f"rnnshape check {manifest.document.word} --only {word(entry.name)}"
    origin = replace(target.origin, words=words, request=request)
    target = target.named(entry.name, origin)
    settings = settings_for(target, device=device, dtype=dtype)
    return subject_of(target, entry.input, settings, fixed=target.fields.keys())


def run_modules(
    manifest: Manifest, check: Check, run: Runner = with_run, *, device: str | None = None
) -> Check:
    """Every module run, by `run`.

    Raises RequestErrors for those that cannot be run, once all were tried.

    `device` is the one that the command chose for all modules: if this machine lacks it, the error
    is raised once, not for each line.
    """
    require_torch()
    if device is not None:
        from rnnshape.pytorch.backend import require_device

        require_device(Settings(device=device))
    entries = {entry.name: entry for entry in manifest.entries}

    def module_run(module: Module) -> Module:
        try:
            return replace(module, report=run(module.report))
        except RequestError as error:
            raise manifest.problem(entries[module.name], error) from error

    results = side_by_side(module_run, check.modules)
    return replace(check, modules=tuple(gathered(Result.get, results)))


def updates(manifest: Manifest, check: Check) -> dict[tuple[str, int], str]:
    """What to write in place of each equality that fails, by its module and its index there."""
    entries = {entry.name: entry for entry in manifest.entries}
    return {
        (module.name, number): restated(
            entries[module.name].expect[number], module.expected[number].judgement.predicted
        )
        for module, number in check.outdated
    }
