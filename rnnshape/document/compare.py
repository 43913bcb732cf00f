"""The document of a comparison: layers side by side, each against the first of its group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import accumulate
from typing import Any

from rnnshape.analysis.comparison import Compared, ComparedGroup, Comparison
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
from rnnshape.document.legend import MACS, assumed, common_legend
from rnnshape.document.model import (
    Block,
    Cell,
    Code,
    Column,
    Document,
    Inline,
    Note,
    Paragraph,
    Shape,
    Table,
    Verdict,
)
from rnnshape.document.records import Record, agrees, layer_record
from rnnshape.document.sections import assembled
from rnnshape.document.verification import mismatches_of, mismatches_text, verdict_of_runs
from rnnshape.layer.formulas import read_next


def compare_document(comparison: Comparison, *, limit: int | None) -> Document:
    """The layers in their groups; no more than `limit` of them, unless it is None."""
    traps = traps_of(row.subject for row in comparison.rows)
    blocks: Mapping[str, Iterable[Block]] = {
        "header": _header(comparison),
        "compare": _compare(comparison, limit),
        "findings": (Note(trap_text(target, trap)) for target, trap in traps),
        "verification": _verification(comparison, limit),
    }
    return Document(
        sections=assembled(blocks),
        data=partial(_data, comparison, limit),
        verdicts=lambda: [_verdict(comparison)],
        records=lambda: list(_records(comparison, limit)),
    )


def _header(comparison: Comparison) -> Iterator[Block]:
    yield common_legend(comparison.subjects)
    if defaults := assumed(comparison.subjects):
        yield Paragraph(defaults)


def _compare(comparison: Comparison, limit: int | None) -> Iterator[Block]:
    groups = _cut(comparison, limit)
    totals = comparison.counted and groups == comparison.groups
    baseline = _baseline(comparison.groups[0])
    share, short = f"share of {baseline}", f"vs {baseline}"
    yield Table(
        columns=(
            Column(key="constructor", title="constructor", calls=True),
            Column(key="parameters", title="parameters", numeric=True),
            Column(key="parameters_ratio", title=share, short=short, numeric=True, rank=1),
            Column(key="macs", title="MACs", numeric=True, rank=2),
            Column(key="macs_ratio", title=share, short=short, numeric=True, rank=4),
            Column(key="output", title="output", numeric=True, rank=3),
        ),
        rows=tuple(row for group in groups for row in _rows(group, total=totals)),
        total=totals,
        breaks=frozenset(accumulate(len(group.rows) + totals for group in groups[:-1])),
    )
    itemsize = comparison.subjects[0].settings.dtype.itemsize
    size = f"Bytes: {itemsize} x parameters."
    yield Paragraph((f"{MACS}, whole input. {size}",), column="macs", short=(size,))


def _rows(group: ComparedGroup, *, total: bool) -> Iterator[tuple[Cell, ...]]:
    for row in group.rows:
        copies, constructor = row.subject.copies, row.subject.config.constructor
        yield (
            Code(constructor if copies == 1 else f"{copies} x {constructor}"),
            row.parameters,
            row.parameters_ratio,
            row.macs,
            row.macs_ratio,
            Shape.of(read_next(row.subject.tensors)),
        )
    if total:
        yield ("total", group.parameters, None, group.macs, None, None)


def _baseline(group: ComparedGroup) -> str:
    """What the ratios refer to: the baseline's kind if no other layer is of it, or `1st`."""
    name = group.baseline.config.class_name
    alike = [row for row in group.rows if row.subject.config.class_name == name]
    return name.removeprefix("nn.") if len(alike) == 1 and len(group.rows) > 1 else "1st"


def _cut(comparison: Comparison, limit: int | None) -> tuple[ComparedGroup, ...]:
    """The groups with no more than `limit` rows in all."""
    if limit is None:
        return comparison.groups
    kept: list[ComparedGroup] = []
    for group in comparison.groups:
        rows = group.rows[:limit]
        limit -= len(rows)
        if rows:
            kept.append(ComparedGroup(baseline=group.baseline, rows=rows))
    return tuple(kept)


def _verification(comparison: Comparison, limit: int | None) -> Iterator[Block]:
    yield replace(_verdict(comparison), reason=())  # the table has it
    if comparison.disagreeing:
        disputed = ((subject.config.constructor, run) for subject, run in comparison.disagreeing)
        yield from mismatches_of("constructor", disputed)
    total = len(comparison.rows)
    if limit is not None and limit < total:
        shows = comparison.subjects[0].origin.words.field("limit", total)
        yield Paragraph((f"{limit:,} of {total:,} shown; {shows} shows all",))


def _verdict(comparison: Comparison) -> Verdict:
    count, disagreeing = len(comparison.subjects), comparison.disagreeing
    every = {1: "it", 2: "both"}.get(count, f"all {count:,}")
    run = comparison.subjects[0].origin.words.field("run", value=True)
    reason: Inline = ()
    if disagreeing:
        subject, disputed = disagreeing[0]
        reason = (Code(subject.config.constructor), ": ", *mismatches_text(disputed.mismatches))
    return verdict_of_runs(
        Code(comparison.request),
        comparison.subjects,
        (comparison.runs or {}).values(),
        gives=f"{every} these parameters and shapes",
        disputed=f" on {len(disagreeing):,} of {count:,}",
        reason=reason,
        skipped=f"not run: by formula alone; {run} builds and runs {every}",
    )


def _records(comparison: Comparison, limit: int | None) -> Iterator[Record]:
    runs = comparison.runs or {}
    by_layer = {(s.config, s.input_spec): agrees(run) for s, run in runs.items()}
    for number, group in enumerate(_cut(comparison, limit), 1):
        for row in group.rows:
            yield {
                "group": number,
                "copies": row.subject.copies,
                **layer_record(row.subject),
                "baseline": group.baseline.config.constructor,
                "parameters_ratio": row.parameters_ratio,
                "macs_ratio": row.macs_ratio,
                "agrees": by_layer.get((row.subject.config, row.subject.input_spec)),
            }


def _data(comparison: Comparison, limit: int | None) -> Mapping[str, Any]:
    runs, settings = comparison.runs, comparison.subjects[0].settings
    return {
        **preamble(runs.values() if runs else ()),
        "assumed": assumed_data(comparison.subjects),
        "total": len(comparison.rows),
        "groups": [
            {
                "baseline": each.baseline.config.constructor,
                "rows": [_row(row) for row in each.rows],
                "parameters": each.parameters,
                "macs": each.macs,
            }
            for each in _cut(comparison, limit)
        ],
        "findings": traps_data(row.subject for row in comparison.rows),
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
        "copies": row.subject.copies,
        "config": config_data(row.subject),
        "input": input_data(row.subject),
        "output": list(read_next(row.subject.tensors).shape),
        **totals_data(row.subject),
        "parameters_ratio": ratio_data(row.parameters_ratio),
        "macs_ratio": ratio_data(row.macs_ratio),
    }
