"""How long a forward pass takes, which no formula gives."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from statistics import median, quantiles
from typing import Final

import torch

from rnnshape.layer.memory import need, require_memory
from rnnshape.layer.run import Outcome, Timing
from rnnshape.layer.settings import Settings
from rnnshape.layer.siblings import timed_beside
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.backend import free_memory, refusals
from rnnshape.pytorch.building import Prepared, prepared

_WARM_UP: Final = 3
_RUNS: Final = 25
_MOST_SECONDS: Final = 2.0  # for all layers together, after the first rounds
# A round is one pass of each layer. Where it would take much longer, the layers read fewer steps.
_ROUND_SECONDS: Final = 0.25
_FEW_MACS: Final = 200_000_000  # a round of no more than these takes less


def timing(subject: Subject) -> Outcome:
    """The times of the layer and of each other kind at its sizes."""
    return Outcome(value=timed(timed_beside(subject)))


def timed(subjects: Sequence[Subject]) -> tuple[Timing, ...]:
    """The time of each layer's forward pass, as a user's program would run it.

    PyTorch uses its own threads and kernels. The layers run in turn, each until the device has
    finished; the first rounds are a warm-up. All of it takes a few seconds. Raises RequestError
    where there is not enough memory for all layers at once, or PyTorch cannot run one of them. The
    subjects have the same input and settings.
    """
    settings = subjects[0].settings
    require_memory(need(*subjects), free_memory(settings), device=settings.device)
    # PyTorch warns that oneDNN has no projection, which changes nothing here.
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        subjects, layers, rounds = _begun(subjects)
        end = time.perf_counter() + _MOST_SECONDS
        while len(rounds) < _WARM_UP + _RUNS and time.perf_counter() + sum(rounds[-1]) < end:
            rounds.append(_round(subjects, layers))
    warm = rounds[min(_WARM_UP, len(rounds) // 2) :]
    return tuple(map(_summary, subjects, map(list, zip(*warm, strict=True))))


def _begun(
    subjects: Sequence[Subject],
) -> tuple[Sequence[Subject], Sequence[Prepared], list[list[float]]]:
    """The subjects with as many steps as there is time for, their layers, and the first rounds.

    Some of the time does not depend on the steps, so with twice as many a round takes at most about
    twice as long.
    """
    macs = sum(each.macs for each in subjects)
    whole = 1 if subjects[0].config.cell else subjects[0].input_spec.seq_len
    steps = max(1, min(whole, whole * _FEW_MACS // max(macs, 1)))
    modules: list[torch.nn.Module | None] = [None for _ in subjects]
    while True:
        shorter = subjects if steps == whole else [_with_steps(each, steps) for each in subjects]
        layers = list(map(_prepared, shorter, modules))
        rounds = [_round(shorter, layers) for _ in range(2)]
        seconds = min(map(sum, rounds))
        if steps == whole or seconds > _ROUND_SECONDS:
            return shorter, layers, rounds
        steps *= max(2, int(_ROUND_SECONDS / seconds))
        steps = whole if whole <= 2 * steps else steps
        modules = [each.module for each in layers]


def _prepared(subject: Subject, module: torch.nn.Module | None) -> Prepared:
    with refusals(subject):
        return prepared(subject, module)


def _with_steps(subject: Subject, steps: int) -> Subject:
    spec = subject.input_spec
    lengths = spec.lengths and tuple(min(length, steps) for length in spec.lengths)
    return replace(subject, input_spec=replace(spec, seq_len=steps, lengths=lengths))


def _round(subjects: Sequence[Subject], layers: Sequence[Prepared]) -> list[float]:
    """The seconds that a pass of each layer takes."""
    seconds = []
    for subject, layer in zip(subjects, layers, strict=True):
        with refusals(subject):
            _wait(subject.settings)
            start = time.perf_counter()
            layer.module(layer.read)
            _wait(subject.settings)
            seconds.append(time.perf_counter() - start)
    return seconds


def _summary(subject: Subject, seconds: list[float]) -> Timing:
    several = seconds * 2 if len(seconds) == 1 else seconds  # a single one has no quartiles
    lower, _, upper = quantiles(several, n=4, method="inclusive")
    return Timing(
        constructor=subject.config.constructor,
        seq_len=subject.input_spec.seq_len,
        macs=subject.macs,
        median=median(seconds),
        lower=lower,
        upper=upper,
        runs=len(seconds),
    )


def _wait(settings: Settings) -> None:
    """Wait until the device has finished, which it may not have when a call returns."""
    if settings.device_type != "cpu":
        torch.accelerator.synchronize(torch.device(settings.device))
