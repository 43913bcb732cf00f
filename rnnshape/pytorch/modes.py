"""Keeping a run away from PyTorch's modes, which change every operation of a thread."""

# ruff: noqa: SLF001 - PyTorch has no public way to find out whether a mode is on

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

_Made = TypeVar("_Made")


def undisturbed(function: Callable[[], _Made]) -> _Made:
    """What the function returns; no mode of the caller sees, records or changes its work.

    Fake tensors, tracing, vmap, autocast and a default device each belong to the thread that
    switched them on. If one is on here, the function runs in a thread of its own.
    """
    if not _in_a_mode():
        return function()
    from concurrent.futures import ThreadPoolExecutor  # only this needs it

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function).result()


def _in_a_mode() -> bool:
    return (
        torch._C._len_torch_dispatch_stack() > 0
        or torch._C._len_torch_function_stack() > 0
        or torch._C._functorch.peek_interpreter_stack() is not None
        or torch._C._get_tracing_state() is not None
        or any(map(torch.is_autocast_enabled, ("cpu", "cuda", "mps", "xpu")))
    )
