"""The layer next to LSTM, GRU and RNN at the same sizes, and what a projection saves."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from rnnshape.analysis.comparison import against_siblings
from rnnshape.analysis.inspection import Inspection
from rnnshape.document.legend import MACS
from rnnshape.document.model import Block, Column, Paragraph, Table
from rnnshape.layer.config import Kind
from rnnshape.layer.findings import extra_parameters
from rnnshape.layer.projection import break_even_projection, largest_saving_projection
from rnnshape.layer.subject import Subject


def compare(inspection: Inspection) -> Iterator[Block]:
    """Parameters and MACs of each with their ratios."""
    subject = inspection.subject
    yield Table(
        columns=(
            Column(key="layer", title="layer", headed=False),
            Column(key="parameters", title="parameters", numeric=True),
            Column(
                key="parameters_ratio", title="share of LSTM", short="vs LSTM", numeric=True, rank=1
            ),
            Column(key="macs", title="MACs", numeric=True, rank=2),
            Column(key="macs_ratio", title="share of LSTM", short="vs LSTM", numeric=True, rank=3),
        ),
        rows=tuple(
            (
                f"{each.subject.config.kind.value:4}  {_note(subject, each.subject)}".rstrip(),
                each.parameters,
                each.parameters_ratio,
                each.macs,
                each.macs_ratio,
            )
            for each in against_siblings(subject)
        ),
    )


def compare_in_detail(inspection: Inspection) -> Iterator[Block]:
    """The same, what MACs are, and notes on time or on the projection."""
    yield from compare(inspection)
    yield from _projection_notes(inspection.subject)


def _note(subject: Subject, compared: Subject) -> str:
    if compared is subject:
        return "(this)"
    words = subject.origin.words
    if compared.config.proj_size:
        return words.field("proj_size", compared.config.proj_size)
    return f"no {words.name('proj_size')}" if subject.config.proj_size else ""


def _projection_notes(subject: Subject) -> Iterator[Paragraph]:
    config, name = subject.config, subject.origin.words.name("proj_size")
    if config.kind is not Kind.LSTM or config.cell:
        ratio = Fraction(config.kind.gates, Kind.LSTM.gates)
        words = subject.origin.words
        by_command = f"{subject.request} {words.field('time', value=True)} measures it"
        measures = by_command if words.run == "option" else "measure it"
        time = f" Time is not {ratio} of an LSTM's; {measures}" if ratio < 1 else ""
        yield Paragraph((f"{MACS}.{time}",), column="macs", short=(time.strip(),))
        return
    sizes = (config.hidden_size, config.num_layers, config.directions)
    saving, even = largest_saving_projection(*sizes), break_even_projection(*sizes)
    saves = f"{name} saves parameters up to {saving}" if saving else f"no {name} saves parameters"
    if not config.proj_size:
        yield Paragraph((f"{saves}. {MACS}.",), column="macs", short=(saves,))
        return
    widest = subject.changed(proj_size=config.hidden_size - 1)
    extra = extra_parameters(widest)
    others = [] if even is None else [f"{even} equals no projection"]
    others += [f"{widest.config.proj_size} adds {extra:,}"] if extra > 0 else []
    yield Paragraph(("; ".join(filter(None, [saves, ", ".join(others)])),))
    yield Paragraph((MACS,), column="macs")
