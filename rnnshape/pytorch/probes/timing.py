"""How long a forward pass takes, which no formula gives."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
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
_MOST_SECONDS: Final = 10.0  # for all layers; each is warmed up and run twice in any case


def timing(subject: Subject) -> Outcome:
    """The times of the layer and of each other kind at its sizes."""
    return Outcome(value=timed(timed_beside(subject)))


def timed(subjects: Sequence[Subject]) -> tuple[Timing, ...]:
    """The time of each layer's forward pass, as a user's program would run it.

    PyTorch uses its own threads and kernels. After a warm-up the layers run in turn, each until the
    device has finished. Raises RequestError where there is not enough memory for all of them at
    once, or PyTorch cannot run one of them. The subjects have the same settings.
    """
    settings = subjects[0].settings
    require_memory(need(*subjects), free_memory(settings), device=settings.device)
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
    return tuple(_summary(*each) for each in zip(subjects, seconds, strict=True))


def _summary(subject: Subject, seconds: list[float]) -> Timing:
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
    """Wait until the device has finished, which it may not have when a call returns."""
    if settings.device_type != "cpu":
        torch.accelerator.synchronize(torch.device(settings.device))
