"""The document of one layer: its sections, in order, and their words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rnnshape.analysis.comparison import Compared, siblings
from rnnshape.dims import formula, ints, shape_formula, substituted, written_shape
from rnnshape.document.command import command_line
from rnnshape.document.findings import finding_text
from rnnshape.document.grid import grid
from rnnshape.document.legend import MACS, legend
from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Column,
    Document,
    Formula,
    Heading,
    Inline,
    Listing,
    Note,
    Paragraph,
    Section,
    Shape,
    Table,
    Times,
    Verdict,
)
from rnnshape.document.verification import run_verdict, verification
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.facts import ClaimCode, Part, Tensor
from rnnshape.layer.findings import extra_parameters
from rnnshape.layer.formulas import Block as WeightBlock
from rnnshape.layer.formulas import elements, folded, layout, plain_sizes
from rnnshape.layer.projection import break_even_projection, largest_saving_projection
from rnnshape.layer.report import Report

if TYPE_CHECKING:
    from rnnshape.analysis.expectation import Judgement

_FINAL_STATES: Final[Mapping[ClaimCode, str]] = {
    "all-of-h_n": "this is all of h_n: one layer, one direction",
    "last-layer": "last layer; the layers below are in h_n alone",
    "forward": "last layer, forward: it ends at the last step",
    "reverse": "last layer, reverse: it ends at the first step",
}
_ZERO_STATES: Final[Mapping[ClaimCode, str]] = {
    "zero-state": "as without h_0 and c_0: left out, they are zeros"
}
_FALSE_FRIENDS: Final[Mapping[ClaimCode, str]] = {
    "not-the-last-step": "its reverse half: one step",
}
_LAYERS_FIRST: Final[Mapping[ClaimCode, str]] = {
    "not-the-forwards": "every second one is forward",
}
_DECODER: Final[Mapping[ClaimCode, str]] = {
    "decoder-sum": "for a decoder: sum",
    "decoder-cat": "or side by side",
}
# Rows and steps of a packed batch that a person still reads; JSON has all of them.
_MOST_ROWS: Final = 6
_MOST_STEPS: Final = 12


def layer_document(
    *reports: Report,
    show: Collection[str],
    full: bool,
    judgements: Sequence[Sequence[Judgement]] = (),
    names: Sequence[str] = (),
) -> Document:
    """The sections named in `show`, in their own order; `full` names every weight.

    Findings appear where there are any; expectations and the verification always when they
    failed. Several layers follow one another; `judgements` and `names` are those of each, the names
    in the model that the layers are of.
    """
    judged, called = judgements or [()] * len(reports), names or [""] * len(reports)
    return Document(
        sections=tuple(
            section
            for report, own, name in zip(reports, judged, called, strict=True)
            for section in _sections(report, show=show, full=full, judgements=own, name=name)
        )
        or (() if reports else _NONE),
        data=partial(_data, *reports, judgements=judged, names=names),
        verdicts=lambda: [
            verdict
            for report, own in zip(reports, judged, strict=True)
            for verdict in _verdicts(report, own)
        ],
    )


def _data(*reports: Report, **of_each: Any) -> Mapping[str, Any]:
    from rnnshape.document.data import layer_data

    return layer_data(*reports, **of_each)


_NO_LAYER: Final = Paragraph(("there is no recurrent layer",))
_NONE: Final = (Section(key="header", blocks=(_NO_LAYER,), titled=False),)


def _verdicts(report: Report, judgements: Sequence[Judgement]) -> Iterator[Verdict]:
    """All that is known to hold or not, whether or not a section shows it."""
    subject = Code(command_line(report))
    if judgements:
        from rnnshape.document.expectations import expectation_verdict

        yield from (expectation_verdict(each, report, subject=subject) for each in judgements)
    yield run_verdict(report, subject)


def _sections(
    report: Report,
    *,
    show: Collection[str],
    full: bool,
    judgements: Sequence[Judgement],
    name: str,
) -> tuple[Section, ...]:
    failed = set()
    if not all(judgement.holds for judgement in judgements):
        failed.add("expectations")
    if report.disagrees:
        failed.add("verification")
    builders: dict[str, Callable[[Report], Iterator[Block]]]
    builders = {
        **SECTIONS,
        "header": partial(_header, name=name),
        "expectations": partial(_expectations, judgements=judgements),
    }
    if set(show) == {"findings"}:
        builders["findings"] = _findings_or_none
    if full:
        builders["weights"] = _weights_by_name
    sections = (
        Section(
            key=key,
            blocks=tuple(build(report)),
            titled=key not in _UNTITLED,
            needs_run=key in _OF_THE_RUN,
        )
        for key, build in builders.items()
        if key in show or key in failed
    )
    return tuple(section for section in sections if section.blocks)


def _header(report: Report, name: str = "") -> Iterator[Block]:
    constructor = report.config.constructor
    yield Heading(Code(f"{name}: {constructor}" if name else constructor))


def _shapes(report: Report) -> Iterator[Block]:
    tensors = report.predicted.tensors
    yield Table(
        columns=(
            Column(key="tensor", title="tensor", headed=False),
            Column(key="shape", title="shape", numeric=True, headed=False),
            Column(key="formula", title="formula", headed=False, rank=2),
            Column(key="axes", title="axes", rank=1),
        ),
        rows=tuple(
            (
                Code(names),
                Shape(ints(tensor.shape)),
                Formula(shape_formula(tensor.shape)),
                ", ".join(tensor.axes),
            )
            for names, tensor in _named_together(tensors)
        ),
    )
    width = report.next_linear
    yield Paragraph(
        ("next ", Code("nn.Linear"), ": in_features = ", Formula(formula(width)), " = ", width)
    )
    yield legend(report)
    if report.predicted.batch_sizes is not None:
        yield Paragraph(_packed(report, report.predicted.batch_sizes))


def _named_together(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The tensors, each final state in one row with the initial state of the same shape."""
    for names in ("input", "data", "output", "h_n, h_0", "c_n, c_0", "h_1, h_0", "c_1, c_0"):
        first = names.split(", ")[0]
        if first in tensors:
            yield names, tensors[first]


def _packed(report: Report, batch_sizes: tuple[int, ...]) -> Inline:
    sizes = report.sizes
    rows = (*batch_sizes[:_MOST_STEPS], "...") if len(batch_sizes) > _MOST_STEPS else batch_sizes
    known = f"sum(lengths)={int(sizes.steps)}, max(lengths)={int(sizes.longest)}"
    return (f"{known}, batch_sizes={written_shape(rows)}",)


def _states(report: Report) -> Iterator[Block]:
    if report.config.cell:
        yield Paragraph(("one step: the next one takes these states as its initial ones",))
    yield from _listed(report, _FINAL_STATES)
    yield from _row_ends(report)
    yield from _listed(report, _FALSE_FRIENDS)
    yield from _index_of_h_n(report)
    yield from _listed(report, _LAYERS_FIRST)
    yield from _listed(report, _DECODER)
    yield from _listed(report, _ZERO_STATES)
    if report.config.kind is Kind.LSTM and not report.config.cell:
        yield Paragraph((Code("c_n"), " is indexed like ", Code("h_n"), "; output never holds it"))
    missing = _not_returned(report.config)
    if missing:
        yield Paragraph((f"not returned: {missing} of every step; cells in a loop give them",))


def _listed(report: Report, words: Mapping[ClaimCode, str]) -> Iterator[Listing]:
    items = [(c, words[c.code]) for c in report.predicted.claims if c.code in words]
    if items:
        yield Listing(tuple((Code(str(claim)), (text,)) for claim, text in items))


def _row_ends(report: Report) -> Iterator[Block]:
    """For each row of a packed batch where it ends, and that the last step is not its end."""
    lengths = report.input_spec.lengths
    if lengths is None:
        return
    words: Mapping[ClaimCode, str] = {
        "row-end": "row {row} ends at its step {last}",
        "row-start": "row {row}, reverse: ends at the first step",
        "row-padding": "row {row} is padding there",
    }
    items = [
        (Code(str(claim)), (words[claim.code].format(row=claim.row, last=lengths[claim.row] - 1),))
        for claim in report.predicted.claims
        if claim.row is not None and claim.row < _MOST_ROWS
    ]
    yield Listing(tuple(items))
    if len(lengths) > _MOST_ROWS:
        yield Paragraph((f"and so on for {len(lengths) - _MOST_ROWS} more rows",))


def _index_of_h_n(report: Report) -> Iterator[Block]:
    config = report.config
    for claim in report.predicted.claims:
        if claim.code == "view" and isinstance(claim.left, Part):
            viewed = Code(f"{replace(claim.left, index=())}[layer, dir]")
            order = ", dir 0 forward, 1 reverse: "
            yield Paragraph((Code("h_n[2*layer + dir]"), order, viewed))
    if config.num_layers > 1 and not config.bidirectional:
        yield Paragraph((Code("h_n[layer]"), ": the last step of each layer"))


def _not_returned(config: RNNConfig) -> str:
    if config.cell:
        return ""
    c_t = ["c_t"] if config.kind is Kind.LSTM else []
    h_t = ["lower layers' h_t"] if config.num_layers > 1 else []
    return " and ".join(c_t + h_t)


def _grid(report: Report) -> Iterator[Block]:
    if not report.config.cell:
        packed = report.input_spec.lengths is not None
        yield grid(report.config, int(report.sizes.longest), packed=packed)


def _diagram(report: Report) -> Iterator[Block]:
    from rnnshape.document.diagram import diagram

    yield diagram(report)


_WEIGHT: Final = Column(key="weight", title="weight", headed=False)
_SHAPE: Final = Column(key="shape", title="shape", numeric=True, headed=False)
_COUNT: Final = Column(key="count", title="count", numeric=True, rank=1)
_PARAMETERS: Final = Column(key="parameters", title="parameters", numeric=True)
_FORMULA: Final = Column(key="formula", title="formula", headed=False, rank=2)


def _weights(report: Report) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = [
        (
            Code(weight.name),
            Shape(ints(weight.shape)),
            Times(int(weight.count)),
            int(weight.parameters),
            Formula(shape_formula(weight.shape)),
        )
        for weight in folded(report.weights)
    ]
    rows.append(("total", None, int(report.weights.count), int(report.parameters), None))
    columns = (_WEIGHT, _SHAPE, _COUNT, _PARAMETERS, _FORMULA)
    yield Table(columns=columns, rows=tuple(rows), total=True)
    yield from _weight_notes(report, _copies(report.config))


def _weights_by_name(report: Report) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = [
        (
            Code(weight.name),
            Shape(ints(weight.shape)),
            int(elements(weight.shape)),
            Formula(shape_formula(weight.shape)),
        )
        for weight in report.weights.listed()
    ]
    rows.append(("total", None, int(report.parameters), None))
    columns = (_WEIGHT, _SHAPE, _PARAMETERS, _FORMULA)
    yield Table(columns=columns, rows=tuple(rows), total=True)
    yield from _weight_notes(report, "")


def _weight_notes(report: Report, copies: str) -> Iterator[Block]:
    hidden, proj = report.config.hidden_size, report.config.proj_size
    notes = (
        copies,
        _stacked_gates(report.config.kind),
        f"weight_hr projects h from {hidden} to {proj}, c stays {hidden}" if proj else "",
    )
    text = "; ".join(note for note in notes if note)
    if text:
        yield Paragraph((text,))


def _copies(config: RNNConfig) -> str:
    if config.bidirectional:
        return "count = layers x directions (also NAME_reverse)"
    return "count = layers" if config.num_layers > 1 else ""


def _stacked_gates(kind: Kind) -> str:
    return "" if kind is Kind.RNN else f"{kind.gates} = gates {' '.join(kind.gate_names)}, stacked"


def _compare(report: Report) -> Iterator[Block]:
    yield Table(
        columns=(
            Column(key="layer", title="layer", headed=False),
            Column(key="parameters", title="parameters", numeric=True),
            Column(key="parameters_ratio", title="of LSTM", numeric=True, rank=1),
            Column(key="macs", title="MACs", numeric=True, rank=2),
            Column(key="macs_ratio", title="of LSTM", numeric=True, rank=3),
        ),
        rows=tuple(
            (
                f"{compared.config.kind.value:4}  {_compared_note(report, compared)}".rstrip(),
                compared.parameters,
                compared.parameters_ratio,
                compared.macs,
                compared.macs_ratio,
            )
            for compared in siblings(report.config, report.input_spec)
        ),
    )
    yield from _projection_notes(report)


def _compared_note(report: Report, compared: Compared) -> str:
    if compared.config == report.config:
        return "(this)"
    if compared.config.proj_size:
        return f"--proj {compared.config.proj_size}"
    return "no --proj" if report.config.proj_size else ""


def _projection_notes(report: Report) -> Iterator[Paragraph]:
    config = report.config
    if config.kind is not Kind.LSTM or config.cell:
        kind, ratio = config.kind.value.lower(), Fraction(config.kind.gates, Kind.LSTM.gates)
        less = f" Time is not {ratio}: rnnshape {kind} --time" if ratio < 1 else ""
        yield Paragraph((f"{MACS}.{less}",))
        return
    sizes = (config.hidden_size, config.num_layers, config.directions)
    saving, even = largest_saving_projection(*sizes), break_even_projection(*sizes)
    saves = f"--proj saves parameters up to {saving}" if saving else "no --proj saves parameters"
    if not config.proj_size:
        yield Paragraph((f"{saves}. {MACS}.",))
        return
    equal = [] if even is None else [f"{even} equals no projection"]
    widest = replace(config, proj_size=config.hidden_size - 1)
    extra = extra_parameters(widest, report.input_spec)
    adds = [f"{widest.proj_size} adds {extra:,}"] if extra > 0 else []
    yield Paragraph(("; ".join([saves, ", ".join(equal + adds)]).removesuffix("; "),))
    yield Paragraph((MACS,))


def _findings(report: Report) -> Iterator[Block]:
    for finding in report.findings:
        yield Note(finding_text(finding))


def _findings_or_none(report: Report) -> Iterator[Block]:
    """The findings as all there is to show: a document is never empty."""
    yield from _findings(report)
    if not report.findings:
        yield Paragraph((Code(report.config.constructor), ": nothing to point out"))


def _arithmetic(report: Report) -> Iterator[Block]:
    sizes = report.sizes
    blocks = report.weights.blocks
    steps = sizes.steps
    parameters = [(b, b.copies, sum(map(elements, b.shapes.values()))) for b in blocks]
    multiply_adds = [
        (b, steps * b.copies if b.copies > 1 else steps, sum(map(elements, b.matrices)))
        for b in blocks
    ]
    yield Listing(tuple(_summed("parameters", parameters)))
    yield Listing(tuple(_summed("MACs", multiply_adds)))


def _summed(what: str, terms: list[tuple[WeightBlock, int, int]]) -> Iterator[tuple[str, Inline]]:
    """A line a term, each with its numbers substituted, and their sum where there are two."""
    products = [factor * each if factor != 1 else each for _, factor, each in terms]
    if len(terms) > 1:
        for (block, _, _), product in zip(terms, products, strict=True):
            yield _layers(block), (Formula(substituted(product)), f" = {product:,}")
        sums = " + ".join(f"{product:,}" for product in products)
    else:
        sums = substituted(products[0])
    yield what, (Formula(sums), f" = {sum(products):,}")


def _layers(block: WeightBlock) -> str:
    last = block.first + int(block.layers) - 1
    return f"layer {last}" if block.first == last else f"layers {block.first}..{last}"


def _layouts(report: Report) -> Iterator[Block]:
    if report.config.cell:
        return
    spec = report.input_spec
    layouts = []
    for batch_first in (False, True):
        config = replace(report.config, batch_first=batch_first)
        layouts.append(layout(config, spec, plain_sizes(config, spec)))
    this = report.config.batch_first
    titles = [f"batch_first={on}" + " (this)" * (on is this) for on in (False, True)]
    yield Table(
        columns=(
            Column(key="tensor", title="tensor", headed=False),
            Column(key="seq_first", title=titles[0], numeric=True),
            Column(key="batch_first", title=titles[1], numeric=True),
        ),
        rows=tuple(
            (Code(names), Shape(tensor.shape), Shape(layouts[1][tensor.name].shape))
            for names, tensor in _named_together(layouts[0])
        ),
    )
    yield Paragraph(
        ("batch_first moves input and output, never h and c: (layer*dir, batch, feature)",)
        if spec.batched
        else ("without a batch axis batch_first is ignored",)
    )


def _verification(report: Report) -> Iterator[Block]:
    yield from verification(report, Code(command_line(report)))


def _gates(report: Report) -> Iterator[Block]:
    from rnnshape.document.gates import gates

    yield from gates(report)


def _cost(report: Report) -> Iterator[Block]:
    from rnnshape.document.cost import cost

    yield from cost(report)


def _time(report: Report) -> Iterator[Block]:
    from rnnshape.document.cost import time

    yield from time(report)


def _frameworks(report: Report) -> Iterator[Block]:
    from rnnshape.document.frameworks import frameworks

    yield from frameworks(report)


def _expectations(report: Report, judgements: Sequence[Judgement] = ()) -> Iterator[Block]:
    if not judgements:
        return
    from rnnshape.document.expectations import expectations

    yield from expectations(report, judgements, subject=Code(command_line(report)))


SECTIONS: Final[Mapping[str, Callable[[Report], Iterator[Block]]]] = {
    "header": _header,
    "shapes": _shapes,
    "states": _states,
    "grid": _grid,
    "diagram": _diagram,
    "weights": _weights,
    "arithmetic": _arithmetic,
    "gates": _gates,
    "layouts": _layouts,
    "compare": _compare,
    "cost": _cost,
    "frameworks": _frameworks,
    "findings": _findings,
    "expectations": _expectations,
    "time": _time,
    "verification": _verification,
}

# They say themselves what they are.
_UNTITLED: Final = ("header", "findings", "expectations", "verification")

# Not known before the run, and shown behind what is.
_OF_THE_RUN: Final = ("time", "verification")

DEFAULT_SECTIONS: Final = frozenset(
    (
        "header",
        "shapes",
        "states",
        "weights",
        "compare",
        "findings",
        "expectations",
        "verification",
    )
)
