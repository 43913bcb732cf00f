"""A plugin for pytest that explains errors of PyTorch below their tracebacks.

`pytest -p rnnshape.pytest` turns it on, as does `addopts = "-p rnnshape.pytest"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rnnshape.api import explain

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[Any]) -> Generator[None, Any]:
    """Add a section with the explanation to the report of a test that an error ended."""
    outcome = yield
    if call.excinfo is None or call.excinfo.errisinstance((pytest.skip.Exception,)):
        return
    explanation = explain(call.excinfo.value)
    if explanation is not None:
        outcome.get_result().sections.append(("rnnshape explains", str(explanation)))
