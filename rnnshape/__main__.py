"""`rnnshape`, and `python -m rnnshape`: where the process begins.

Ctrl-C ends the process from here on. An exception would not always get through: imports and
finalizers turn it into another, or pass over it. Only what is built in is imported before; until
then, while Python itself starts, Ctrl-C ends in its traceback.
"""

import _signal  # type: ignore[import-not-found] # of `signal`, which takes longer to import
import os

TYPE_CHECKING = False  # typing's own, without importing it
if TYPE_CHECKING:
    from typing import NoReturn

_INTERRUPTED = 130  # as rnnshape.cli.exits has it


def entry() -> "NoReturn":
    """Run the command line of this process and end it."""
    try:
        if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
            _signal.signal(_signal.SIGINT, _end)
        from rnnshape.cli.main import entry as run

        run()
    except KeyboardInterrupt:
        os._exit(_INTERRUPTED)


def _end(*_: object) -> "NoReturn":
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    entry()
