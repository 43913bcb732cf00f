"""A report with its run: what PyTorch does, compared with what is predicted.

Importing this module does not import torch, since some requests are refused without it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Final

from rnnshape.errors import RequestError, first_line, quoted
from rnnshape.layer.machine import available_memory
from rnnshape.layer.memory import (
    Need,
    need,
    out_of_memory,
    require_memory,
    require_room_for_torch,
    require_runnable,
)
from rnnshape.layer.prediction import predict
from rnnshape.layer.report import LayerReport
from rnnshape.layer.run import Run
from rnnshape.layer.subject import Subject
from rnnshape.layer.verification import verify, verify_counts
from rnnshape.pytorch.threads import in_own_thread, in_shared_thread, in_turn, use_one_thread
from rnnshape.silence import silenced

# One thread computes so many multiply-adds in about a third of a second. Several would hardly be
# faster, and many times slower where the cores are busy, since they wait for each other.
_ONE_THREAD: Final = 2_000_000_000
# Nor are they faster where each step is small, however many there are: they wait for each other at
# each.
_SMALL_STEP: Final = 10_000_000
# Finding out how much memory is left takes longer than running a layer that needs less than this.
_LITTLE: Final = 16 * 2**20


def with_run(report: LayerReport, probes: Collection[str] = ()) -> LayerReport:
    """The report with a run of the layer, and with what `probes`, given by name, find.

    Raises RequestError where no run is possible. A layer that no machine can build, or that needs
    more memory than this one has, is refused before torch is imported. The global state of torch
    (random numbers, threads, backends, default device and dtype) stays as it was, but for oneDNN,
    which is off while an LSTM runs, or a layer `with_state`; torch's modes (fake tensors, tracing,
    vmap, autocast) neither see nor change the run.
    """
    subject = report.subject
    require_runnable(subject)
    needed, small = need(subject), _is_small(subject)
    on_cpu = subject.settings.device_type == "cpu"
    takes_little = on_cpu and small and needed.total <= _LITTLE
    within = in_shared_thread if small else in_own_thread
    with nullcontext() if takes_little else in_turn():
        require_torch(for_cpu=needed if on_cpu else None)
        from rnnshape.pytorch.backend import lacks_memory

        try:
            return replace(report, run=within(partial(_run, report, probes)))
        except (MemoryError, RuntimeError) as error:
            if lacks_memory(error):
                raise out_of_memory(needed, device=subject.settings.device) from error
            raise


def _is_small(subject: Subject) -> bool:
    """Whether one thread is enough."""
    return subject.macs < max(_ONE_THREAD, _SMALL_STEP * subject.sizes.longest)


@silenced  # PyTorch warns of complex32, for example, and that oneDNN has no projection
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
    if _is_small(subject):
        use_one_thread()
    fed = fed_subject(subject)
    predicted = report.predicted if fed is subject else predict(fed)
    measured = measure(fed, report.predicted.claims)
    wanted = [name for name in PROBES if name in probes or name in ALWAYS]
    outcomes = {name: found for name in wanted if (found := probe(name)(subject))}
    return Run(
        # Without the tag of the build, "+cpu": the device is given separately.
        torch_version=torch.__version__.partition("+")[0],
        input_spec=fed.input_spec,
        claims=measured.claims,
        # What the layer does otherwise, its counts and what probes compare may rest on.
        mismatches=verify(predicted, measured)
        or (
            *verify_counts(fed.counts, measured),
            *(mismatch for outcome in outcomes.values() for mismatch in outcome.mismatches),
        ),
        outcomes=outcomes,
    )


def require_torch(*, for_cpu: Need | None = None) -> None:
    """Import torch without its warnings, such as the one about a missing numpy.

    Raises RequestError if that fails: torch may be missing, or hidden by a file called torch.py,
    which may raise anything. It is not tried where there is too little memory for it and for what a
    run on the CPU needs, unless torch is there and the run needs little, nor where the working
    directory is gone: there MKL, which torch computes with, ends the process.
    """
    if "torch" not in sys.modules or (for_cpu is not None and for_cpu.total > _LITTLE):
        available = available_memory()
        require_room_for_torch(available)
        if for_cpu is not None:
            require_memory(for_cpu, available, device="cpu")
    try:
        os.getcwd()  # noqa: PTH109 - pathlib takes a hundred times as long
    except OSError as error:
        raise RequestError(
            "the working directory is gone",
            hint="cd to one that exists, or {run} for the formulas alone",
            run=False,
        ) from error
    try:
        with silenced:
            import torch.nn  # noqa: F401 - imported for its effect: the next import finds it
    except (Exception, SystemExit) as error:
        raise RequestError(
            "torch cannot be imported: {}", first_line(error), hint=_import_hint(), run=False
        ) from error


def _import_hint() -> str:
    from importlib.machinery import PathFinder

    found = PathFinder.find_spec("torch")
    place = found.origin if found else None
    if place and not place.endswith("__init__.py"):
        return f"rename {quoted(place)}, which hides PyTorch, or {{run}} for the formulas alone"
    return "pip install torch, or {run} for the formulas alone"
