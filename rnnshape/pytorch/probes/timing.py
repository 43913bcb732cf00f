"""How long a forward pass takes, which no formula gives."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from statistics import median, quantiles
from typing import Final

import torch

from rnnshape.layer.memory import need_of_timing, require_memory
from rnnshape.layer.run import Outcome, Spread, Timing
from rnnshape.layer.settings import Settings
from rnnshape.layer.siblings import timed_beside
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.backend import free_memory, refusals
from rnnshape.pytorch.building import Prepared, prepared
from rnnshape.pytorch.threads import in_own_thread

# The layers run in blocks, since a layer that runs between others finds the caches and the threads
# of oneDNN as these left them, which costs an LSTM up to a third of its time.
_BLOCKS: Final = 3
_PASSES: Final = 25  # at most, in a block
_BLOCK_SECONDS: Final = 0.25
# A round is one pass of each layer. Where it would take much longer, the layers read fewer steps.
_ROUND_SECONDS: Final = 0.25
_FEW_MACS: Final = 200_000_000  # a round of no more than these takes less


def timing(subject: Subject) -> Outcome:
    """The times of the layer and of each other kind at its sizes."""
    # The thread of the run may be limited to itself.
    return Outcome(value=in_own_thread(partial(timed, timed_beside(subject))))


def timed(subjects: Sequence[Subject]) -> tuple[Timing, ...]:
    """The time of each layer's forward pass, as a user's program would run it.

    PyTorch uses its own threads and kernels. The layers run in blocks, in turn, each pass until the
    device has finished. All of it takes a few seconds. Raises RequestError where there is not
    enough memory for all layers at once, or PyTorch cannot run one of them. The subjects have the
    same input and settings.
    """
    settings = subjects[0].settings
    require_memory(need_of_timing(*subjects), free_memory(settings), device=settings.device)
    with torch.inference_mode():
        subjects, layers = _begun(subjects)
        seconds: list[list[float]] = [[] for _ in subjects]
        end = time.perf_counter() + _BLOCKS * _BLOCK_SECONDS * len(subjects)
        while not all(seconds) or (
            time.perf_counter() < end and len(seconds[0]) < _BLOCKS * _PASSES
        ):
            for own, subject, layer in zip(seconds, subjects, layers, strict=True):
                own.extend(_block(subject, layer))
    return tuple(map(_summary, subjects, seconds))


def _block(subject: Subject, layer: Prepared) -> list[float]:
    """The seconds of several passes, but not of a first one."""
    end = time.perf_counter() + _BLOCK_SECONDS
    seconds = [_pass(subject, layer) for _ in range(2)]
    while len(seconds) <= _PASSES and time.perf_counter() < end:
        seconds.append(_pass(subject, layer))
    return seconds[1:]


def _begun(
    subjects: Sequence[Subject],
) -> tuple[Sequence[Subject], Sequence[Prepared]]:
    """The subjects with as many steps as there is time for, and their layers, warmed up.

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
        seconds = min(sum(map(_pass, shorter, layers)) for _ in range(2))
        if steps == whole or seconds > _ROUND_SECONDS:
            return shorter, layers
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


def _pass(subject: Subject, layer: Prepared) -> float:
    """The seconds that one forward pass takes."""
    with refusals(subject):
        device_finished(subject.settings)
        start = time.perf_counter()
        layer.module(layer.read)
        device_finished(subject.settings)
        return time.perf_counter() - start


def _summary(subject: Subject, seconds: list[float]) -> Timing:
    return Timing(
        **vars(spread(seconds)),
        constructor=subject.config.constructor,
        seq_len=subject.input_spec.seq_len,
        macs=subject.macs,
        runs=len(seconds),
        threads=torch.get_num_threads(),
    )


def spread(seconds: list[float]) -> Spread:
    """The median and the quartiles."""
    several = seconds * 2 if len(seconds) == 1 else seconds  # a single one has no quartiles
    lower, _, upper = quantiles(several, n=4, method="inclusive")
    return Spread(median=median(seconds), lower=lower, upper=upper)


def device_finished(settings: Settings) -> None:
    """Wait until the device has finished, which it may not have when a call returns."""
    if settings.device_type != "cpu":
        torch.accelerator.synchronize(torch.device(settings.device))
