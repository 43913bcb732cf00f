"""All that is known of one request: what was asked, what is predicted, what a run found."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnnshape.errors import RequestError, quoted
from rnnshape.layer.capacity import (
    available_memory,
    need,
    require_memory,
    require_runnable,
)
from rnnshape.layer.config import InputSpec, RNNConfig, Settings
from rnnshape.layer.facts import Claim, Facts
from rnnshape.layer.findings import Finding, find
from rnnshape.layer.formulas import Sizes, Weights, macs, named_sizes, weights
from rnnshape.layer.prediction import predict
from rnnshape.layer.verification import Mismatch, verify, verify_differences, verify_flops

if TYPE_CHECKING:
    from rnnshape.layer.timing import Timing


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of the layer, held against the prediction."""

    torch_version: str
    input_spec: InputSpec  # what was fed
    claims: tuple[Claim, ...]  # judged
    mismatches: tuple[Mismatch, ...]
    counted_flops: int | None = None  # by PyTorch's own counter
    equations_difference: float | None = None  # from the cell's equations in float64, at most
    device_difference: float | None = None  # from the CPU's values, at most
    timings: tuple[Timing, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether PyTorch does what was predicted."""
        return not self.mismatches


@dataclass(frozen=True, kw_only=True)
class Report:
    """One layer with one input. `run` is None until it was run."""

    config: RNNConfig
    input_spec: InputSpec
    settings: Settings
    assumed: frozenset[str]  # fields of config and input that were not given
    predicted: Facts
    findings: tuple[Finding, ...]
    run: Run | None = None

    @property
    def sizes(self) -> Sizes:
        """The sizes that the formulas are written in, as Dims."""
        return named_sizes(self.config, self.input_spec)

    @property
    def weights(self) -> Weights:
        """The weights as blocks of alike layers."""
        return weights(self.config, self.sizes)

    @property
    def parameters(self) -> int:
        """Elements of all weights."""
        return self.predicted.parameters

    @property
    def macs(self) -> int:
        """Multiply-adds of the matrix products over the whole input."""
        return macs(self.weights, self.sizes)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The equalities, judged where there was a run."""
        return self.run.claims if self.run else self.predicted.claims


def predicted_report(
    config: RNNConfig,
    input_spec: InputSpec,
    settings: Settings,
    *,
    assumed: AbstractSet[str] = frozenset(),
    from_input_shape: bool = False,
) -> Report:
    """The report by formula alone, at the same cost for any size."""
    return Report(
        config=config,
        input_spec=input_spec,
        settings=settings,
        assumed=frozenset(assumed),
        predicted=predict(config, input_spec),
        findings=find(config, input_spec, assumed=assumed, from_input_shape=from_input_shape),
    )


def with_run(
    report: Report,
    *,
    equations: bool = False,
    flops: bool = False,
    time: Sequence[RNNConfig] = (),
) -> Report:
    """The report with the layer built and run in PyTorch.

    `equations` also holds the cell's equations against it, `flops` PyTorch's own counter, and
    `time` measures the forward passes of these layers. Raises RequestError where no run is
    possible; what no machine can build is refused before torch is imported. The global state of
    torch (random numbers, threads, backends, default device and dtype) is left as it was.
    """
    config, spec, settings = report.config, report.input_spec, report.settings
    require_runnable(config, spec, settings)
    if settings.device_type == "cpu":  # refused at once: the other devices need torch to tell
        require_memory(need(config, spec, settings), available_memory(), device=settings.device)
    _import_torch()
    from rnnshape.layer.measurement import counted_flops, difference_from_cpu, measure
    from rnnshape.layer.stepwise import largest_difference
    from rnnshape.layer.timing import timed

    measured = measure(config, spec, settings, report.predicted.claims)
    shortened = measured.input_spec != spec
    predicted = predict(config, measured.input_spec) if shortened else report.predicted
    difference = largest_difference(config) if equations else None
    on_cpu = settings.device_type == "cpu"
    counted = counted_flops(config, spec, settings) if flops and on_cpu else None
    elsewhere = settings.device_type not in ("cpu", "meta")
    device_difference = difference_from_cpu(config, spec, settings) if elsewhere else None
    run = Run(
        torch_version=measured.torch_version,
        input_spec=measured.input_spec,
        claims=measured.facts.claims,
        mismatches=(
            *verify(predicted, measured.facts),
            *verify_flops(predicted=2 * report.macs, counted=counted),
            *verify_differences(
                equations=difference, device=device_difference, dtype=settings.dtype
            ),
        ),
        counted_flops=counted,
        equations_difference=difference,
        device_difference=device_difference,
        timings=timed(time, spec, settings) if time else (),
    )
    return replace(report, run=run)


def _import_torch() -> None:
    """Import torch, silently: without numpy it warns of something that is not used here.

    A file called torch.py where Python looks first is imported in its place, and may do anything.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import torch.nn  # noqa: F401 - so that what imports it next finds it
    except (Exception, SystemExit) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise RequestError(f"torch cannot be imported: {reason}", hint=_import_hint()) from error


def _import_hint() -> str:
    from importlib.machinery import PathFinder

    found = PathFinder.find_spec("torch")
    place = found.origin if found else None
    if place and not place.endswith("__init__.py"):
        return f"rename {quoted(place)}, which hides PyTorch, or --no-run for the formulas alone"
    return "pip install torch, or --no-run for the formulas alone"
