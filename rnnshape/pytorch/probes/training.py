"""What training steps take: bytes that are kept and held at the peak, and the time of each part."""

# ruff: noqa: SLF001 - PyTorch has no public way to find out which kernel runs

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import torch
from torch.autograd.graph import saved_tensors_hooks

from rnnshape.layer.allocation import has_onednn, kept_for_backward
from rnnshape.layer.memory import need_of_training, require_memory
from rnnshape.layer.run import Outcome, Training
from rnnshape.layer.settings import DType
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.backend import free_memory, refusals
from rnnshape.pytorch.building import prepared
from rnnshape.pytorch.memory import MemoryWatch
from rnnshape.pytorch.probes.timing import device_finished, spread
from rnnshape.pytorch.threads import in_own_thread

_WARM_UP: Final = 3
_RUNS: Final = 25
_MOST_SECONDS: Final = 3.0  # after the first of them


def training(subject: Subject) -> Outcome:
    """Bytes and times of training steps as a user's program would make them.

    PyTorch uses its own threads and kernels. Raises RequestError where there is not enough memory,
    or PyTorch cannot train the layer.
    """
    settings = subject.settings
    require_memory(
        need_of_training(subject),
        free_memory(settings),
        device=settings.device,
        what="a training step",
        of_it="weights, gradients and optimizer",
    )
    # The thread of the run may be limited to itself.
    found = in_own_thread(partial(_trained, subject))
    return Outcome(value=found, remark=_remark(found))


def _trained(subject: Subject) -> Training:
    device = torch.device(subject.settings.device)
    with _recorded(device), refusals(subject):
        return _measured(subject)


@contextmanager
def _recorded(device: torch.device) -> Iterator[None]:
    """Autograd records, and the random numbers that dropout draws are given back."""
    seeded = [] if device.type == "cpu" else [device.index or 0]
    of_type = "cuda" if device.type == "cpu" else device.type
    with (
        torch.random.fork_rng(devices=seeded, device_type=of_type),
        torch.inference_mode(mode=False),
        torch.enable_grad(),
    ):
        yield


@dataclass(frozen=True)
class _Trainee:
    """A layer in train mode, its input and its optimizer."""

    module: Any
    read: Any
    optimizer: Any

    @classmethod
    def of(cls, subject: Subject) -> _Trainee:
        with torch.no_grad():
            layer = prepared(subject)
        kind = getattr(torch.optim, subject.settings.optimizer.class_name)
        parameters = layer.module.parameters()
        return cls(layer.module.train(), layer.read, kind(parameters, lr=1e-3))

    def output(self) -> torch.Tensor:
        """The numbers of every step, as the layer returns them."""
        returned = self.module(self.read)
        output = returned[0] if isinstance(returned, tuple) else returned
        packed = isinstance(output, torch.nn.utils.rnn.PackedSequence)
        numbers: torch.Tensor = output.data if packed else output
        return numbers

    def timed_step(self, settings: Any) -> tuple[float, float, float]:
        """Seconds of the forward pass, of backward and of the optimizer."""
        self.optimizer.zero_grad()
        marks = [_now(settings)]
        loss = _loss(self.output())
        marks.append(_now(settings))
        torch.autograd.backward(loss)
        marks.append(_now(settings))
        self.optimizer.step()
        marks.append(_now(settings))
        return marks[1] - marks[0], marks[2] - marks[1], marks[3] - marks[2]


def _loss(output: torch.Tensor) -> torch.Tensor:
    """A scalar that depends on all of it."""
    return (torch.view_as_real(output) if output.is_complex() else output).sum()


def _now(settings: Any) -> float:
    device_finished(settings)
    return time.perf_counter()


def _measured(subject: Subject) -> Training:
    settings = subject.settings
    kept, workspace = _kept(subject)  # this also warms up, so that the next grows by data alone
    watch = MemoryWatch(settings)
    trainee = _Trainee.of(subject)
    parts = [trainee.timed_step(settings)]
    parts.append(trainee.timed_step(settings))  # with the optimizer's state
    peak = watch.grown()
    end = time.perf_counter() + _MOST_SECONDS
    while len(parts) < _WARM_UP + _RUNS and time.perf_counter() < end:
        parts.append(trainee.timed_step(settings))
    warm = parts[min(_WARM_UP, len(parts) // 2) :]
    forward, backward, step = (spread(list(each)) for each in zip(*warm, strict=True))
    onednn = _by_onednn(subject)
    weights = list(trainee.module.parameters())
    return Training(
        kept=kept,
        predicted=kept_for_backward(subject, onednn=onednn)
        if settings.device_type == "cpu"
        else None,
        workspace=workspace,
        onednn=onednn,
        gradients=sum(weight.grad.nbytes for weight in weights),
        optimizer=_state_bytes(trainee.optimizer),
        peak=peak,
        forward=forward,
        backward=backward,
        step=step,
        runs=len(warm),
        threads=torch.get_num_threads(),
    )


def _state_bytes(optimizer: Any) -> int:
    states = (value for state in optimizer.state.values() for value in state.values())
    return sum(value.nbytes for value in states if value.dim())  # a count of steps has no dimension


def _kept(subject: Subject) -> tuple[int, int]:
    """Bytes of the storages that autograd saves besides weights and input, and of raw ones alone.

    Kernels save their workspace as bytes without a type.
    """
    trainee = _Trainee.of(subject)
    storages: dict[int, torch.Tensor] = {}  # held, so that no two have the same address

    def packed(saved: torch.Tensor) -> torch.Tensor:
        storages.setdefault(saved.untyped_storage().data_ptr(), saved)
        return saved

    with saved_tensors_hooks(packed, lambda saved: saved):
        output = trainee.output()
    torch.autograd.backward(_loss(output))
    trainee.optimizer.step()
    given = getattr(trainee.read, "data", trainee.read)
    for known in (given, *trainee.module.parameters()):
        storages.pop(known.untyped_storage().data_ptr(), None)
    sizes = [(saved.untyped_storage().nbytes(), saved.dtype) for saved in storages.values()]
    raw = sum(nbytes for nbytes, dtype in sizes if dtype is torch.uint8)
    return sum(nbytes for nbytes, _ in sizes), raw


def _by_onednn(subject: Subject) -> bool:
    """Whether PyTorch takes oneDNN's kernel, here and now."""
    if not (has_onednn(subject) and torch._C._has_mkldnn and torch._C._get_mkldnn_enabled()):
        return False
    bfloat16 = subject.settings.dtype is DType.BFLOAT16
    return not bfloat16 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _remark(found: Training) -> str:
    text = f"autograd keeps {found.kept:,} bytes in a training step"
    if found.predicted is None:
        return text
    if found.predicted == found.kept:
        return f"{text}, as predicted"
    return f"{text}, {found.predicted:,} were predicted"
