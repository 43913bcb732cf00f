"""`--expect`: read, and judged by the prediction before anything runs."""

from __future__ import annotations

from typing import Final

from rnnshape.analysis.inspection import Inspection
from rnnshape.cli.options import ExpectOptions
from rnnshape.errors import RequestError
from rnnshape.layer.report import LayerReport

_QUOTE: Final = "quote it, or the shell takes < and > : "
EXAMPLE: Final = f'{_QUOTE}--expect "params <= 150k"'


def judged(options: ExpectOptions, report: LayerReport) -> Inspection:
    """The report with every expectation judged. Raises RequestError for the first that cannot be.

    The grammar of expectations is imported where there is one.
    """
    if not options.expect:
        return Inspection(report=report)
    from rnnshape.analysis.expectation import Judgement, judge

    def judgement(text: str) -> Judgement:
        try:
            return judge(text, [report])
        except RequestError as error:
            problem = f"--expect {error.problem}"
            raise RequestError(problem, hint=_hint(text, error.hint)) from error

    return Inspection(report=report, judgements=tuple(map(judgement, options.expect)))


def unquoted(text: str) -> bool:
    """Whether an expectation has lost its operator, as it does to the shell."""
    return not any(sign in text for sign in "<>=")


def _hint(text: str, hint: str) -> str:
    """The hint as it is typed."""
    command = f"--expect {hint}" if hint.startswith('"') else hint
    return f"{_QUOTE}{command}" if unquoted(text) else command
