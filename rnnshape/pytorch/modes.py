"""Keeping a run away from what the caller's program has set in PyTorch, and the program from ours.

Modes, such as autocast, belong to the thread that switched them on. oneDNN is the whole process's.
"""

# ruff: noqa: SLF001 - PyTorch has no public way to find out whether a mode is on

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import torch

from rnnshape.pytorch.threads import in_own_thread
from rnnshape.shared_change import SharedChange

_Made = TypeVar("_Made")


def undisturbed(function: Callable[[], _Made]) -> _Made:
    """What the function returns; no mode of the caller sees, records or changes its work.

    Fake tensors, tracing, vmap, autocast and a default device each belong to the thread that
    switched them on. If one is on here, the function runs in a thread of its own.
    """
    return in_own_thread(function) if _in_a_mode() else function()


@contextmanager
def _onednn_off() -> Iterator[None]:
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = before


# Off in the whole process, since oneDNN's LSTM does not check the shapes of weights.
without_onednn: Final = SharedChange(_onednn_off)


def _in_a_mode() -> bool:
    return (
        torch._C._len_torch_dispatch_stack() > 0
        or torch._C._len_torch_function_stack() > 0
        or torch._C._functorch.peek_interpreter_stack() is not None
        or torch._C._get_tracing_state() is not None
        or any(map(torch.is_autocast_enabled, ("cpu", "cuda", "mps", "xpu")))
    )
