"""What surrounds every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.program import LEFT_OUT


@pytest.fixture(scope="session", autouse=True)
def _no_leftovers() -> Iterator[None]:
    """Whether a person, a terminal or a CI service runs the tests makes no difference to them."""
    with pytest.MonkeyPatch.context() as environment:
        for name in LEFT_OUT:
            environment.delenv(name, raising=False)
        yield
