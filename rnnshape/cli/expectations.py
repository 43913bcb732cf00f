"""`--expect`: read, and held against the prediction before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rnnshape.cli.options import ExpectOptions
from rnnshape.errors import RequestError

if TYPE_CHECKING:
    from rnnshape.analysis.expectation import Judgement
    from rnnshape.layer.report import Report

_QUOTE: Final = "quote it, or the shell takes < and > : "
EXAMPLE: Final = f'{_QUOTE}--expect "params <= 150k"'


def judged(options: ExpectOptions, report: Report) -> tuple[Judgement, ...]:
    """Every expectation, judged. Raises RequestError for the first that cannot be."""
    return tuple(_judged(text, report) for text in options.expect or ())


def _judged(text: str, report: Report) -> Judgement:
    from rnnshape.analysis.expectation import chosen, judge, parse

    try:
        expectation = parse(text)
        return judge(expectation, chosen(expectation, {"": report}))
    except RequestError as error:
        raise RequestError(f"--expect {error.problem}", hint=_hint(text, error.hint)) from error


def unquoted(text: str) -> bool:
    """Whether an expectation has lost its operator, as it does to the shell."""
    return not any(sign in text for sign in "<>=")


def _hint(text: str, hint: str) -> str:
    """The hint as it is typed."""
    command = f"--expect {hint}" if hint.startswith('"') else hint
    return f"{_QUOTE}{command}" if unquoted(text) else command
