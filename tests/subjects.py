"""A layer, what it reads and where it runs, put together as most tests need it."""

from __future__ import annotations

from typing import Any

from rnnshape.layer.config import RNNConfig
from rnnshape.layer.input import InputSpec
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import Subject


def subject(config: RNNConfig, input_spec: InputSpec | None = None, **settings: Any) -> Subject:
    """The layer with an input, or the default one; the rest are fields of Settings."""
    return Subject(
        config=config, input_spec=input_spec or InputSpec(), settings=Settings(**settings)
    )
