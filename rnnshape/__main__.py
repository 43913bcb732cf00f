"""`rnnshape`, and `python -m rnnshape`: where the process begins.

Nothing but `os` is imported here before an interruption can be caught: until then Ctrl-C ends in
a traceback.
"""

import os

TYPE_CHECKING = False  # typing's own, without importing it
if TYPE_CHECKING:
    from typing import NoReturn

_INTERRUPTED = 130  # as rnnshape.cli.exits has it


def entry() -> "NoReturn":
    """Run the command line of this process and end it."""
    try:
        from rnnshape.cli.main import entry as run

        run()
    except KeyboardInterrupt:
        os._exit(_INTERRUPTED)


if __name__ == "__main__":
    entry()
