"""An extension for IPython and Jupyter that explains errors of PyTorch below their tracebacks.

`%load_ext rnnshape` turns it on for the session, `%unload_ext rnnshape` off.
"""

from __future__ import annotations

from typing import Any

from rnnshape.api import explain


def load_ipython_extension(shell: Any) -> None:
    """Show each traceback as before, and below it what the error means where it is known."""

    def explained(
        shell: Any,
        kind: type[BaseException],
        error: BaseException,
        trace: Any,
        tb_offset: Any = None,
    ) -> None:
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        explanation = explain(error)
        if explanation is not None:
            print(f"\n{explanation}")  # noqa: T201 - where the traceback is shown

    shell.set_custom_exc((Exception,), explained)


def unload_ipython_extension(shell: Any) -> None:
    """Show tracebacks alone again."""
    shell.set_custom_exc((), None)
