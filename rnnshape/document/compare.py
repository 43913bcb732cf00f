"""The document of a comparison: layers side by side, against the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from rnnshape.analysis.comparison import Compared, Comparison, Group
from rnnshape.dims import ints
from rnnshape.document.data import (
    assumed_data,
    config_data,
    input_data,
    mismatch_data,
    preamble,
    ratio_data,
    totals_data,
    traps_data,
)
from rnnshape.document.findings import trap_text, traps_of
from rnnshape.document.legend import MACS, common_legend
from rnnshape.document.model import (
    Block,
    Chart,
    Code,
    Column,
    Document,
    Inline,
    Line,
    Note,
    Paragraph,
    Section,
    Shape,
    Table,
    Verdict,
)
from rnnshape.document.verification import mismatches_of, mismatches_text, written_place
from rnnshape.layer.facts import Dims
from rnnshape.layer.formulas import read_next


def compare_document(comparison: Comparison, *, limit: int | None) -> Document:
    """The layers in groups, the first `limit` of them."""
    sections = (
        Section(key="header", blocks=(common_legend(comparison.subjects),), titled=False),
        Section(key="compare", blocks=tuple(_compare(comparison, limit))),
        Section(key="findings", blocks=tuple(_traps(comparison)), titled=False),
        Section(
            key="verification",
            blocks=tuple(_verification(comparison, limit)),
            titled=False,
            needs_run=True,
        ),
    )
    return Document(
        sections=tuple(section for section in sections if section.blocks),
        data=partial(_data, comparison, limit),
        verdicts=lambda: [_verdict(comparison)],
    )


def _traps(comparison: Comparison) -> Iterator[Block]:
    for target, trap in traps_of(comparison.subjects):
        yield Note(trap_text(target, trap))


def _compare(comparison: Comparison, limit: int | None) -> Iterator[Block]:
    groups = _cut(comparison, limit)
    of = f"of {_baseline(comparison.groups[0])}"
    starts, row = set(), 0
    for group in groups:
        starts.add(row)
        row += len(group.rows)
    yield Table(
        columns=(
            Column(key="constructor", title="constructor", calls=True),
            Column(key="parameters", title="parameters", numeric=True),
            Column(key="parameters_ratio", title=of, numeric=True, rank=1),
            Column(key="macs", title="MACs", numeric=True, rank=2),
            Column(key="macs_ratio", title=of, numeric=True, rank=4),
            Column(key="output", title="output", numeric=True, rank=3),
        ),
        rows=tuple(
            (
                Code(row.subject.config.constructor),
                row.parameters,
                row.parameters_ratio,
                row.macs,
                row.macs_ratio,
                Shape(_output(row)),
            )
            for group in groups
            for row in group.rows
        ),
        breaks=frozenset(starts - {0}),
    )
    itemsize = comparison.subjects[0].settings.dtype.itemsize
    yield Paragraph((f"{MACS}, whole input. Bytes: {itemsize} x parameters.",))


def _baseline(group: Group) -> str:
    """What the ratios are to: its kind, where no other layer of the group is of that kind."""
    name = group.baseline.config.class_name
    alike = [row for row in group.rows if row.subject.config.class_name == name]
    return name.removeprefix("nn.") if len(alike) == 1 and len(group.rows) > 1 else "1st"


def _output(row: Compared) -> Dims:
    return read_next(row.subject.tensors).shape


def _cut(comparison: Comparison, limit: int | None) -> tuple[Group, ...]:
    """The groups with no more than `limit` rows in all."""
    if limit is None:
        return comparison.groups
    kept: list[Group] = []
    for group in comparison.groups:
        rows = group.rows[:limit]
        limit -= len(rows)
        if rows:
            kept.append(Group(baseline=group.baseline, rows=rows))
    return tuple(kept)


def _verification(comparison: Comparison, limit: int | None) -> Iterator[Block]:
    yield replace(_verdict(comparison), reason=())  # the table has it
    if comparison.disagreeing:
        disputed = ((subject.config.constructor, run) for subject, run in comparison.disagreeing)
        yield from mismatches_of("constructor", disputed)
    total = len(comparison.rows)
    if limit is not None and limit < total:
        yield Paragraph((f"{limit:,} of {total:,} shown; --limit {total} shows all",))


def _verdict(comparison: Comparison) -> Verdict:
    subject, runs = Code(comparison.request), comparison.runs
    count = len(comparison.subjects)
    every = f"all {count:,}" if count > 1 else "it"
    if runs is None:
        text = f"formulas only; --run builds and runs {every}"
        return Verdict(status="skipped", text=(text,), subject=subject)
    version = next(iter(runs.values())).torch_version
    place = written_place(comparison.subjects[0].settings)
    if not comparison.disagreeing:
        text = f"torch {version} on {place}, gives {every} these parameters and shapes"
        return Verdict(status="ok", text=(text,), subject=subject)
    text = (
        f"PyTorch {version} on {place}, disagrees with the"
        f" formulas on {len(comparison.disagreeing):,} of {count:,}"
    )
    disputed, run = comparison.disagreeing[0]
    first: Inline = (Code(disputed.config.constructor), ": ", *mismatches_text(run.mismatches))
    return Verdict(status="mismatch", text=(text,), subject=subject, reason=first)


def chart(comparison: Comparison) -> Chart:
    """Parameters over hidden_size, one line for layers that differ in nothing else."""
    lines: dict[str, dict[int, int]] = {}
    for row in comparison.rows:
        size = row.subject.config.hidden_size
        # The second argument of every constructor is hidden_size.
        label = row.subject.config.constructor.replace(f", {size}", ", hidden_size", 1)
        lines.setdefault(label, {})[size] = row.parameters
    return Chart(
        x="hidden_size",
        y="parameters",
        lines=tuple(
            Line(label=label, points=tuple(sorted(points.items())))
            for label, points in lines.items()
        ),
    )


def _data(comparison: Comparison, limit: int | None) -> Mapping[str, Any]:
    runs, settings = comparison.runs, comparison.subjects[0].settings
    return {
        **preamble(runs.values() if runs else ()),
        "assumed": assumed_data(comparison.subjects),
        "total": len(comparison.rows),
        "groups": [
            {
                "baseline": group.baseline.config.constructor,
                "rows": [_row(row) for row in group.rows],
            }
            for group in _cut(comparison, limit)
        ],
        "findings": traps_data(comparison.subjects),
        "verification": {
            "ran": runs is not None,
            "device": settings.device if runs else None,
            "dtype": settings.dtype.value,
            "agrees": not comparison.disagreeing if runs else None,
            "mismatches": [
                {"constructor": subject.config.constructor, **mismatch_data(mismatch)}
                for subject, run in comparison.disagreeing
                for mismatch in run.mismatches
            ],
        },
    }


def _row(row: Compared) -> Mapping[str, Any]:
    return {
        "constructor": row.subject.config.constructor,
        "config": config_data(row.subject),
        "input": input_data(row.subject),
        "output": list(ints(_output(row))),
        **totals_data(row.subject),
        "parameters_ratio": ratio_data(row.parameters_ratio),
        "macs_ratio": ratio_data(row.macs_ratio),
    }
