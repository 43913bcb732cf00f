"""What surrounds every test."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from rnnshape.layer import formulas
from tests.program import HAS_TORCH, LEFT_OUT, WITHOUT_TORCH


class _NeedsTorch:
    """Skips a test that imports torch, and each test of a module that does."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "torch":
            pytest.skip(WITHOUT_TORCH, allow_module_level=True)


if not HAS_TORCH:
    sys.meta_path.insert(0, _NeedsTorch())


@pytest.fixture(scope="session", autouse=True)
def _no_leftovers() -> Iterator[None]:
    """Whether a person, a terminal or a CI service runs the tests makes no difference to them."""
    with pytest.MonkeyPatch.context() as environment:
        for name in LEFT_OUT:
            environment.delenv(name, raising=False)
        # A shell starts what runs in the background with this signal ignored, as its children then
        # are.
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        yield


@pytest.fixture
def disagreement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Formulas that leave out bias_hh, so that every run with biases disagrees with them."""
    real = formulas._shapes

    def without_hidden_bias(*args: Any, **kwargs: Any) -> dict[str, tuple[int, ...]]:
        shapes = real(*args, **kwargs)
        return {name: shape for name, shape in shapes.items() if name != "bias_hh"}

    monkeypatch.setattr(formulas, "_shapes", without_hidden_bias)
