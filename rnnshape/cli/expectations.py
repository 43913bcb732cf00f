"""`--expect`: read and judge expectations, by the prediction, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rnnshape.analysis.inspection import Inspection
from rnnshape.cli.options import ExpectOptions
from rnnshape.errors import RequestError, quoted
from rnnshape.layer.report import LayerReport

_QUOTE: Final = "quote it, or the shell interprets < and >: "


def judged(options: ExpectOptions, report: LayerReport) -> Inspection:
    """The report with every expectation judged. Raises RequestError for a bad expectation."""
    if not options.expect:
        return Inspection(report=report)
    from rnnshape.analysis.expectation import judge  # few requests expect anything

    judgements = []
    for text in options.expect:
        try:
            judgements.append(judge(text, [report]))
        except RequestError as error:  # noqa: PERF203 - the hint depends on the text
            command = f"--expect {error.hint}" if error.hint.startswith('"') else error.hint
            hint = f"{_QUOTE}{command}" if _has_no_operator(text) else command
            raise RequestError(f"--expect {error.problem}", hint=hint) from error
    return Inspection(report=report, judgements=tuple(judgements))


def require_quoted(expectations: Sequence[str], extra: str) -> None:
    """Raise RequestError where the shell has divided one of these and left `extra` over."""
    if any(map(_has_no_operator, expectations)):
        hint = f'{_QUOTE}--expect "params <= 150k"'
        raise RequestError(f"unexpected {quoted(extra)} after --expect", hint=hint)


def _has_no_operator(text: str) -> bool:
    """Whether the text lacks every sign of an operator, the one letter for <= or >= included."""
    return not any(sign in text for sign in "<>=\u2264\u2265")
