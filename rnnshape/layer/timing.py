"""How long a forward pass takes: measured, since no formula tells it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from statistics import median, quantiles
from typing import Final

import torch

from rnnshape.layer.capacity import Need, need, require_memory
from rnnshape.layer.config import InputSpec, RNNConfig, Settings
from rnnshape.layer.formulas import macs, plain_sizes, weights
from rnnshape.layer.modules import Prepared, free_memory, prepared, refusals
from rnnshape.layer.report import Timing

_WARM_UP: Final = 3
_RUNS: Final = 25
_MOST_SECONDS: Final = 10.0  # for all together, but for a warm-up and two runs of each


def timed(
    configs: Sequence[RNNConfig], input_spec: InputSpec, settings: Settings
) -> tuple[Timing, ...]:
    """The forward pass of each layer as a user's program would run it.

    With PyTorch's own threads and kernels, after a warm-up, the layers in turn, each waited for.
    Raises RequestError when there is no memory for all of them at once, and where PyTorch does not
    run one of them.
    """
    needs = [need(config, input_spec, settings) for config in configs]
    together = Need(
        parameters=sum(each.parameters for each in needs),
        activations=sum(each.activations for each in needs),
    )
    require_memory(together, free_memory(settings), device=settings.device)
    # That a projection is not for oneDNN is no news to whoever times it.
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        end = time.perf_counter() + _MOST_SECONDS
        layers = []
        for config in configs:
            with refusals(config, input_spec, settings):
                layers.append(prepared(config, input_spec, settings))
                for _ in range(_WARM_UP):
                    _seconds(layers[-1], settings)
                    if time.perf_counter() > end:
                        break
        seconds: list[list[float]] = [[] for _ in configs]
        while len(seconds[0]) < _RUNS and (len(seconds[0]) < 2 or time.perf_counter() < end):
            for own, layer in zip(seconds, layers, strict=True):
                own.append(_seconds(layer, settings))
    return tuple(
        _timing(config, input_spec, own) for config, own in zip(configs, seconds, strict=True)
    )


def _timing(config: RNNConfig, input_spec: InputSpec, seconds: list[float]) -> Timing:
    lower, _, upper = quantiles(seconds, n=4, method="inclusive")
    sizes = plain_sizes(config, input_spec)
    return Timing(
        config=config,
        macs=macs(weights(config, sizes), sizes),
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
