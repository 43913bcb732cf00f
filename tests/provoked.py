"""Errors that PyTorch really raises, and what its earlier versions said, for `rnnshape explain`."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import nn

import rnnshape
from rnnshape.api import Explained
from tests.explained import VERSIONS

NAMES: dict[str, Any] = {"torch": torch, "nn": nn, "F": nn.functional, "z": torch.zeros}


def explained(statement: str, **names: Any) -> Explained:
    """The explanation of the error that a statement raises, with its frames."""
    with pytest.raises(Exception) as raised:  # noqa: PT011
        exec(statement, {**NAMES, **names})  # noqa: S102
    explanation = rnnshape.explain(raised.value)
    assert explanation is not None, raised.value
    return explanation


def explained_text(text: str) -> Explained:
    """The explanation of a text."""
    explanation = rnnshape.explain(text)
    assert explanation is not None, text
    return explanation


def whys(explanation: Explained) -> list[str]:
    """Why it may have happened, each cause in its order."""
    return [cause.why for cause in explanation.causes]


def said(mistake: str) -> list[str]:
    """Every wording that versions of PyTorch have for a mistake of versions.json."""
    mistakes = json.loads(VERSIONS.read_text(encoding="utf-8"))
    each = next(each for each in mistakes if each["mistake"] == mistake)
    return [says["text"] for says in each["says"] if says["text"] != "(no error): "]


def run(fix: str, **names: Any) -> dict[str, Any]:
    """The names after a fix was run as it stands."""
    namespace = {**NAMES, **names}
    exec(fix, namespace)  # noqa: S102
    return namespace
