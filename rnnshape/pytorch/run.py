"""A report with its run: what PyTorch does, compared with what is predicted.

Importing this module does not import torch: what no machine can run is refused before that.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import replace
from functools import partial

from rnnshape.errors import RequestError, quoted
from rnnshape.layer.machine import available_memory
from rnnshape.layer.memory import need, require_memory, require_runnable
from rnnshape.layer.prediction import predict
from rnnshape.layer.report import LayerReport
from rnnshape.layer.run import Run
from rnnshape.layer.verification import verify


def with_run(report: LayerReport, probes: Collection[str] = ()) -> LayerReport:
    """The report with the layer built and run in PyTorch, and what `probes` find, by name.

    Raises RequestError where no run is possible; what no machine can build, and what the memory
    of this one does not hold, is refused before torch is imported. The global state of torch
    (random numbers, threads, backends, default device and dtype) is left as it was, and its modes
    (fake tensors, tracing, vmap, autocast) neither see nor change the run.
    """
    subject = report.subject
    require_runnable(subject)
    if subject.settings.device_type == "cpu":
        require_memory(need(subject), available_memory(), device="cpu")
    require_torch()
    from rnnshape.pytorch.modes import undisturbed

    return replace(report, run=undisturbed(partial(_run, report, probes)))


def _run(report: LayerReport, probes: Collection[str]) -> Run:
    import torch

    from rnnshape.pytorch.backend import free_memory, require_device
    from rnnshape.pytorch.forward import fed_subject, measure
    from rnnshape.pytorch.probes import ALWAYS, PROBES, probe

    subject = report.subject
    settings = subject.settings
    require_device(settings)
    if settings.device_type != "cpu":
        require_memory(need(subject), free_memory(settings), device=settings.device)
    fed = fed_subject(subject)
    predicted = report.predicted if fed is subject else predict(fed)
    measured = measure(fed, report.predicted.claims)
    found = {name: probe(name)(subject) for name in PROBES if name in probes or name in ALWAYS}
    outcomes = {name: outcome for name, outcome in found.items() if outcome is not None}
    return Run(
        # Without the build's tag, "+cpu": the device says as much.
        torch_version=torch.__version__.partition("+")[0],
        input_spec=fed.input_spec,
        claims=measured.claims,
        mismatches=(
            *verify(predicted, measured),
            *(mismatch for outcome in outcomes.values() for mismatch in outcome.mismatches),
        ),
        outcomes=outcomes,
    )


def require_torch() -> None:
    """Import torch without its warnings, such as the one that numpy is missing.

    Raises RequestError where that fails: torch may be absent, or hidden by a file called torch.py
    where Python looks first, which may raise anything.
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
        return f"rename {quoted(place)}, which hides PyTorch, or {{run}} for the formulas alone"
    return "pip install torch, or {run} for the formulas alone"
