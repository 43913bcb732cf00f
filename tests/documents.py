"""One set of documents for every format: layers of all sorts, and hostile names in all places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Final

from rnnshape.analysis.budget import Budget, Quantity, solve
from rnnshape.analysis.check import Check, Expected, Matching, Module
from rnnshape.analysis.comparison import Comparison, group
from rnnshape.analysis.expectation import judge
from rnnshape.analysis.inspection import Inspection
from rnnshape.analysis.matching import Match, differences
from rnnshape.analysis.summands import alone
from rnnshape.document.budget import budget_document
from rnnshape.document.check import check_document
from rnnshape.document.compare import compare_document
from rnnshape.document.model import (
    Cell,
    Code,
    Column,
    Diagram,
    Document,
    Equations,
    Formula,
    Heading,
    Inline,
    Legend,
    Listing,
    Node,
    Note,
    Paragraph,
    Picture,
    Place,
    Seconds,
    Section,
    Shape,
    Slot,
    Symbol,
    Table,
    Times,
    Verdict,
)
from rnnshape.document.report import report_document
from rnnshape.document.sections import DEFAULT_SECTIONS, SECTIONS
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.input import InputSpec
from rnnshape.layer.report import LayerReport, predicted_report
from rnnshape.layer.run import Mismatch, Outcome, Run, Timing
from rnnshape.layer.subject import ALL_FIELDS, Origin, Subject
from rnnshape.words import COMMAND

# What some format, or a spreadsheet or terminal behind it, takes for something else than a name.
HOSTILE: Final = (
    "a|b",
    "a\\|b",
    "<script>alert(1)</script>",
    "&lt;",
    "]]>",
    "%&_$#{}~^\\",
    "\\end{verbatim}\\input{/etc/passwd}",
    "two\nlines\r\nor\u2028three",
    "`tick` ``two`` ```",
    "`",
    "```",
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\x1b[2J\x07",
    "\ud800",
    "__init__",
    "*bold* _it_ ~~no~~",
    "![x](y) [z](w)",
    "- item",
    "1. item",
    "---",
    "# title",
    "[fwd",
    "*",
    "\"quoted\", 'single'",
    "name,with,commas",
    "``--,,''",
    "\u5c42\u202e\u00e9",
    "",
    " spaced ",
)


def tables(document: Document) -> Iterator[Table]:
    """Every table."""
    for section in document.sections:
        yield from (block for block in section.blocks if isinstance(block, Table))


def diagrams(document: Document) -> Iterator[Diagram]:
    """Every diagram."""
    for section in document.sections:
        yield from (block for block in section.blocks if isinstance(block, Diagram))


def _report(
    config: RNNConfig,
    spec: InputSpec | None = None,
    *,
    name: str = "",
    assumed: frozenset[str] = frozenset(),
) -> LayerReport:
    subject = Subject(
        config=config,
        input_spec=spec or InputSpec(),
        name=name,
        origin=Origin(words=COMMAND),
        given=ALL_FIELDS - assumed,
    )
    return predicted_report(subject)


def _ran(
    report: LayerReport, *mismatches: Mismatch, outcomes: Mapping[str, Outcome] | None = None
) -> LayerReport:
    """The report as if a run had found just what is predicted, but for the mismatches."""
    run = Run(
        torch_version="2.13.0",
        input_spec=report.subject.input_spec,
        claims=tuple(replace(claim, holds=True) for claim in report.predicted.claims),
        mismatches=mismatches,
        outcomes=outcomes or {},
    )
    return replace(report, run=run)


def _all(report: LayerReport, *, full: bool = False) -> Document:
    return report_document(Inspection(report=report), show=tuple(SECTIONS), full=full)


def _default(report: LayerReport) -> Document:
    return report_document(Inspection(report=report), show=DEFAULT_SECTIONS)


_STACK: Final = RNNConfig(kind=Kind.LSTM, num_layers=4, bidirectional=True)
_HUGE: Final = RNNConfig(
    kind=Kind.LSTM,
    input_size=10**100,
    hidden_size=10**100,
    num_layers=1000,
    bidirectional=True,
    proj_size=10**99,
)
_MISMATCHES: Final = (
    Mismatch(what="h_n", predicted=(8, 5, 40), measured=(4, 5, 40)),
    Mismatch(what="parameters", predicted=136_960, measured=49_280),
    Mismatch(what="c_n", predicted=(8, 5, 40), measured=None),
    Mismatch(what="output[-1] == h_n[0]", predicted=True, measured=False),
)


def _timings() -> tuple[Timing, ...]:
    seconds = {Kind.LSTM: 1.25e-3, Kind.GRU: 0.9e-6, Kind.RNN: 2.5}
    return tuple(
        Timing(
            constructor=RNNConfig(kind=kind).constructor,
            seq_len=10,
            macs=kind.gates * 120_000,
            median=median,
            lower=median / 2,
            upper=median * 2,
            runs=25,
            threads=2,
        )
        for kind, median in seconds.items()
    )


def _hostile_document() -> Document:
    """Every block with every hostile text in every place."""
    return Document(
        sections=tuple(
            section for number, text in enumerate(HOSTILE) for section in _hostile(text, number)
        ),
        data=lambda: {"names": list(HOSTILE)},
        verdicts=lambda: [
            verdict
            for number, text in enumerate(HOSTILE)
            for verdict in _verdicts(text, _prose(text, number))
        ],
    )


def _prose(text: str, number: int) -> Inline:
    code, formula = Code(text), Formula(text)
    return (text, " is ", code, " and ", formula, " with ", Shape((number, 7)), number)


def _verdicts(text: str, prose: Inline) -> tuple[Verdict, ...]:
    code, place = Code(text), Place(file=text, line=7)
    return (
        Verdict(status="ok", text=prose, subject=code),
        Verdict(status="mismatch", text=(text,), subject=code, what=text),
        Verdict(status="skipped", text=(text,), subject=code, what=text, place=place),
        Verdict(status="failed", text=prose, subject=code, reason=prose, place=place),
    )


def _hostile(text: str, number: int) -> Iterator[Section]:
    code, formula = Code(text), Formula(text)
    prose = _prose(text, number)
    cells: tuple[Cell, ...] = (code, text, formula, -number, Fraction(-1, 3), None)
    columns = tuple(
        Column(key=f"key{place}", title=text if place % 2 else "", numeric=place > 2)
        for place in range(len(cells))
    )
    more = (text, code, code, Times(3), Seconds(0.25), Shape((5,)))
    slot = Slot(name=code, shape=Shape((5, 40)))
    node = Node(name=text, shape=Shape((3, 4)), operation=True, slots=(slot, slot))
    symbol = Symbol(symbols=("H", "J"), value=40, meaning=text, assumed=True)
    yield Section(key="header", blocks=(Heading(Code(text or "none")),), titled=False)
    yield Section(
        key="hostile",
        blocks=(
            Table(columns=columns, rows=(cells, more, cells), total=True, breaks=frozenset({1})),
            Table(columns=columns, rows=(more,)),
            Legend((symbol, symbol)),
            Paragraph((text,)),
            Paragraph(prose),
            Listing(((code, prose), (text, (text,)), (code, (formula,)))),
            Picture((text, f"  {text}")),
            Equations((text, f"  {text}")),
            Diagram(((node,), (node, node), (Node(name=text),))),
        ),
    )
    yield Section(key="findings", blocks=(Note(prose), Note((text,))), titled=False)
    yield Section(key="verification", blocks=_verdicts(text, prose), titled=False)


def _comparison() -> Document:
    """Two groups of three layers, which each format sets apart."""
    given = ALL_FIELDS - {"num_layers"}
    groups = tuple(
        group(
            [
                alone(Subject(config=RNNConfig(kind=kind, hidden_size=size), given=given))
                for kind in Kind
            ]
        )
        for size in (32, 64)
    )
    comparison = Comparison(groups=groups, request="rnnshape compare lstm gru rnn")
    return compare_document(comparison, limit=None)


def _budget() -> Document:
    """What is left is negative for a layer that does not fit."""
    budget = Budget(quantity=Quantity.PARAMETERS, allowed=1_000_000)
    subject = Subject(config=RNNConfig(kind=Kind.LSTM))
    solution = solve(subject, budget=budget, sought="hidden_size")
    request = "rnnshape budget lstm --params 1M"
    return budget_document(solution, predicted_report(solution.found.subject), request=request)


def _module(name: str, *expected: str, mismatches: tuple[Mismatch, ...] | None = None) -> Module:
    """An encoder that must be an nn.GRU; `mismatches` are those of its run, if there was one."""
    report = _report(_STACK, name=name)
    if mismatches is not None:
        report = _ran(report, *mismatches)
    other = Subject(config=RNNConfig(kind=Kind.GRU), origin=Origin(target=name))
    return Module(
        line=2,
        report=report,
        expected=tuple(
            Expected(judgement=judge(text, [report]), line=line)
            for line, text in enumerate(expected, 5)
        ),
        matching=Matching(
            match=Match(other=other, differences=differences(_STACK, other.config)), line=9
        ),
    )


def _check(*modules: Module) -> Document:
    check = Check(file="rnnshape.toml", modules=modules)
    return check_document(check, update="rnnshape check --update")


DOCUMENTS: Final[Mapping[str, Document]] = {
    "one-layer": _default(_ran(_report(RNNConfig(kind=Kind.GRU), assumed=frozenset({"bias"})))),
    "stack": _all(_ran(_report(_STACK), outcomes={"equations": Outcome(value=1e-16)})),
    "stack-full": _all(_report(_STACK), full=True),
    "many-layers": _all(_report(replace(_STACK, num_layers=70))),
    "batch-first": _all(_report(replace(_STACK, batch_first=True, bias=False))),
    "projection": _all(_report(RNNConfig(kind=Kind.LSTM, proj_size=39, dropout=0.5))),
    "lstm-cell": _all(_ran(_report(RNNConfig(kind=Kind.LSTM, cell=True)))),
    "gru-cell-unbatched": _all(
        _report(RNNConfig(kind=Kind.GRU, cell=True), InputSpec(batched=False))
    ),
    "unbatched": _all(_report(RNNConfig(kind=Kind.RNN, num_layers=2), InputSpec(batched=False))),
    "no-batch": _all(_report(RNNConfig(kind=Kind.RNN), InputSpec(batch_size=0))),
    "packed": _all(
        _report(_STACK, InputSpec(batch_size=3, seq_len=9, lengths=(7, 3, 2), with_state=True))
    ),
    "packed-many-rows": _all(
        _report(
            RNNConfig(kind=Kind.GRU),
            InputSpec(batch_size=20, seq_len=20, lengths=tuple(range(20, 0, -1))),
        )
    ),
    "packed-one-step": _all(
        _report(RNNConfig(kind=Kind.GRU), InputSpec(batch_size=1, seq_len=1, lengths=(1,)))
    ),
    "findings": _default(
        _report(RNNConfig(kind=Kind.LSTM, dropout=0.1, hidden_size=20), InputSpec(seq_len=20))
    ),
    "mismatch": _all(_ran(_report(_STACK), *_MISMATCHES)),
    "timed": _all(
        _ran(_report(RNNConfig(kind=Kind.LSTM)), outcomes={"timing": Outcome(value=_timings())})
    ),
    "huge": _all(_report(_HUGE, InputSpec(batch_size=10**30, seq_len=10**20))),
    "comparison": _comparison(),
    "budget": _budget(),
    "check": _check(
        replace(_module("decoder", "output = 10,5,80", mismatches=()), matching=None),
        _module("encoder", "output = 10,5,96", "macs <= 1M", "h_n = 8,5,40", mismatches=()),
    ),
    "check-held": _check(replace(_module("encoder", "output = 10,5,80"), matching=None)),
    "check-nothing": _check(replace(_module("encoder"), matching=None)),
    "check-many": _check(*(_module(f"encoder{n}", f"params = {n}") for n in range(30))),
    "check-mismatch": _check(_module("encoder", "params > 1", mismatches=_MISMATCHES)),
    "check-hostile": _check(*(_module(text, "params = 1") for text in HOSTILE)),
    "hostile": _hostile_document(),
}
