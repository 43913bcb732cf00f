"""A report with its run: what is measured, held against what is predicted.

The first of the modules that import torch, and the one that refuses what no machine can run
before it does.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

from rnnshape.errors import RequestError, quoted
from rnnshape.layer.capacity import available_memory, need, require_memory, require_runnable
from rnnshape.layer.config import RNNConfig
from rnnshape.layer.prediction import predict
from rnnshape.layer.report import Report, Run
from rnnshape.layer.verification import verify, verify_differences, verify_flops


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
    require_torch()
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
            *verify_flops(predicted=report.flops, counted=counted),
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


def require_torch() -> None:
    """Import torch, silently: without numpy it warns of something that is not used here.

    Raises RequestError where there is none. A file called torch.py where Python looks first is
    imported in its place, and may do anything.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import torch.nn  # noqa: F401 - so that what imports it next finds it
    except (Exception, SystemExit) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        problem = f"torch cannot be imported: {reason}"
        raise RequestError(problem, hint=_import_hint(), run=False) from error


def _import_hint() -> str:
    from importlib.machinery import PathFinder

    found = PathFinder.find_spec("torch")
    place = found.origin if found else None
    if place and not place.endswith("__init__.py"):
        # The advice is a template, which braces in a name would break.
        shown = quoted(place).replace("{", "{{").replace("}", "}}")
        return f"rename {shown}, which hides PyTorch, or {{run}} for the formulas alone"
    return "pip install torch, or {run} for the formulas alone"
