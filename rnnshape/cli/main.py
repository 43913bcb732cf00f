"""`rnnshape`: run a command, report its failure, and exit."""

from __future__ import annotations

import errno
import gc
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import RawIOBase
from typing import NoReturn

from rnnshape.cli import exits
from rnnshape.cli.streams import disarmed, wants_colour, write_stderr
from rnnshape.errors import RequestError, counted, printable, quoted

# How many problems are reported at once.
_MOST_ERRORS = 100


# They make libraries of torch write to stdout, which gets only the report.
_VERBOSE = ("MKL_VERBOSE", "ONEDNN_VERBOSE", "DNNL_VERBOSE")


def entry() -> NoReturn:
    """Run the command line of this process and end it.

    Without garbage collection, which would take a tenth of `import torch` and find nothing, and
    without tearing torch down, which would take a quarter of a second.
    """
    code = exits.INTERRUPTED
    with suppress(KeyboardInterrupt):
        for name in _VERBOSE:
            os.environ.pop(name, None)
        gc.disable()
        _settle_stdout()
        code = main(sys.argv[1:])
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
    os._exit(code)


def _settle_stdout() -> None:
    """Let stdout wait for its reader, and give it a buffer where it has none (PYTHONUNBUFFERED).

    Without a buffer Python silently drops what a single write does not take, so that a broken pipe
    or a full disk would look like success.
    """
    with suppress(AttributeError, OSError, ValueError):  # it may be closed
        if not os.get_blocking(sys.stdout.fileno()):
            os.set_blocking(sys.stdout.fileno(), True)
    if isinstance(getattr(sys.stdout, "buffer", None), RawIOBase):
        sys.stdout = open(  # noqa: SIM115 - it lives as long as the process
            sys.stdout.fileno(),
            "w",
            encoding=sys.stdout.encoding,
            errors=sys.stdout.errors,
            closefd=False,
        )


def main(arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name, and return the exit code. Raises nothing."""
    colour = wants_colour(sys.stderr, _chosen_colour(arguments))
    try:
        return _dispatch(list(arguments))
    except RequestError as error:
        from rnnshape.cli.actions import annotate
        from rnnshape.document.refusal import refusal_document
        from rnnshape.words import COMMAND

        for each in error.errors[:_MOST_ERRORS]:
            _complain(*each.message(COMMAND), colour=colour)
        if (more := len(error.errors) - _MOST_ERRORS) > 0:
            rest = f"and {counted(more, 'more problem')}"
            _complain(rest, "fix these first", colour=colour)
        annotate(refusal_document(error.errors[:_MOST_ERRORS]))
        return exits.REFUSED
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except SystemExit as end:  # how Typer ends once it has answered the shell's completion
        return exits.REFUSED if end.code else exits.SUCCESS
    except OSError as error:
        return _failed_stream(error, colour=colour)
    except MemoryError:
        hint = "ask for less at once, such as a shorter range, or allow the process more"
        _complain("there is not enough memory for this request", hint, colour=colour)
        return exits.REFUSED
    except Exception as error:  # noqa: BLE001 - a bug is reported in two lines
        return _unforeseen(error, colour=colour)


_STDOUT_ERRORS = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT, errno.EFBIG)


def _dispatch(arguments: list[str]) -> int:
    if sys.stdout is None:
        raise RequestError("stdout is closed", hint="redirect it to a file or to /dev/null")
    import typer
    from typer.exceptions import TyperException

    from rnnshape.cli.command import target_problem, usage_problem
    from rnnshape.cli.commands import application
    from rnnshape.cli.completion import rejoin, require_shell, require_understood
    from rnnshape.sources.target import UnknownTargetError

    group = application()
    require_shell(arguments)
    if os.environ.get("_RNNSHAPE_COMPLETE"):  # the shell asks for completions
        require_understood(os.environ)
        rejoin(os.environ)
        group.main(arguments, prog_name="rnnshape")
    try:
        with group.make_context("rnnshape", [*arguments] or ["--help"]) as context:
            code = group.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except TyperException as error:
        raise usage_problem(error, arguments) from error
    except UnknownTargetError as error:
        raise target_problem(error, arguments) from error
    except OSError as error:
        if "--install-completion" not in arguments or error.filename is None:
            raise
        raise RequestError(
            f"cannot write {quoted(str(error.filename))}: {error.strerror}",
            hint="rnnshape --show-completion prints the script, for a file that your shell reads",
        ) from error
    return int(code or exits.SUCCESS)


_COLOUR_OPTION = re.compile(r"--color[=\0](auto|always|never)")


def _chosen_colour(arguments: Sequence[str]) -> str:
    """The value of --color, which holds for errors too, also where other words are wrong."""
    given: list[str] = _COLOUR_OPTION.findall("\0".join(arguments))
    return given[-1] if given else "auto"


def _complain(problem: str, hint: str, *, colour: bool) -> None:
    """Write two lines to stderr, which `grep` finds by `error:` and `hint:`."""
    error, advice = (
        ("\x1b[31merror:\x1b[0m", "\x1b[36mhint:\x1b[0m") if colour else ("error:", "hint:")
    )
    write_stderr(disarmed(f"{error} {printable(problem)}\n{advice} {printable(hint)}\n"))


def _failed_stream(error: OSError, *, colour: bool) -> int:
    """The exit code for a stdout that cannot be written to; any other OSError is a bug."""
    if isinstance(error, BrokenPipeError):
        _drop_stdout()
        return exits.BROKEN_PIPE
    if error.filename is not None or error.errno not in _STDOUT_ERRORS:
        return _unforeseen(error, colour=colour)
    _drop_stdout()
    problem = f"cannot write to stdout: {error.strerror}"
    _complain(
        problem, "free some space, or send stdout to /dev/null and use -o FILE", colour=colour
    )
    return exits.REFUSED


def _unforeseen(error: Exception, *, colour: bool) -> int:
    if os.environ.get("RNNSHAPE_TRACEBACK"):
        import traceback

        with suppress(Exception):
            traceback.print_exc()
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    _complain(
        f"a bug in rnnshape: {what}",
        "RNNSHAPE_TRACEBACK=1 shows where; please report it where you got rnnshape",
        colour=colour,
    )
    return exits.BUG


def _drop_stdout() -> None:
    """Discard what is still buffered, so that no later flush fails again."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
