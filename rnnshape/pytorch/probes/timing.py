"""How long a forward pass takes: measured, since no formula gives it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Final

import torch

from rnnshape.layer.memory import Need, need, require_memory
from rnnshape.layer.run import Outcome, Timing
from rnnshape.layer.settings import Settings
from rnnshape.layer.siblings import timed_beside
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.backend import free_memory, refusals
from rnnshape.pytorch.building import Prepared, prepared

_WARM_UP: Final = 3
_RUNS: Final = 25
_MOST_SECONDS: Final = 10.0  # for all together, but for a warm-up and two runs of each


def timing(subject: Subject) -> Outcome:
    """The times of the layer and of each other kind at its sizes, which JSON lists as `timings`."""
    return Outcome(value=timed(timed_beside(subject)))


def timed(subjects: Sequence[Subject]) -> tuple[Timing, ...]:
    """The forward pass of each layer as a user's program would run it.

    With PyTorch's own threads and kernels, after a warm-up, the layers in turn, each waited for.
    Raises RequestError when there is no memory for all of them at once, and where PyTorch does not
    run one of them.
    """
    needs = [need(subject) for subject in subjects]
    together = Need(
        parameters=sum(each.parameters for each in needs),
        activations=sum(each.activations for each in needs),
    )
    settings = subjects[0].settings
    require_memory(together, free_memory(settings), device=settings.device)
    # PyTorch warns that oneDNN has no projection, which changes nothing here.
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        end = time.perf_counter() + _MOST_SECONDS
        layers = []
        for subject in subjects:
            with refusals(subject):
                layers.append(prepared(subject))
                for _ in range(_WARM_UP):
                    _seconds(layers[-1], settings)
                    if time.perf_counter() > end:
                        break
        seconds: list[list[float]] = [[] for _ in subjects]
        while len(seconds[0]) < _RUNS and (len(seconds[0]) < 2 or time.perf_counter() < end):
            for own, layer in zip(seconds, layers, strict=True):
                own.append(_seconds(layer, settings))
    return tuple(_timing(*each) for each in zip(subjects, seconds, strict=True))


def _timing(subject: Subject, seconds: list[float]) -> Timing:
    lower, _, upper = quantiles(seconds, n=4, method="inclusive")
    return Timing(
        constructor=subject.config.constructor,
        macs=subject.macs,
        median=median(seconds),
        lower=lower,
        upper=upper,
        runs=len(seconds),
    )


def _seconds(layer: Prepared, settings: Settings) -> float:
    _wait(settings)
    start = time.perf_counter()
    layer.module(layer.read)
    _wait(settings)
    return time.perf_counter() - start


def _wait(settings: Settings) -> None:
    """Until the device has done what it was given: only the CPU does it at once."""
    if settings.device_type != "cpu":
        torch.accelerator.synchronize(torch.device(settings.device))
