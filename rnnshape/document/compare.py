"""The document of a comparison: layers side by side, each against the first of its group."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import accumulate, islice
from typing import Any

from rnnshape.analysis.comparison import Compared, ComparedGroup, Comparison
from rnnshape.analysis.feeding import Feeding
from rnnshape.analysis.summands import Layer, output_of, recurrent, written
from rnnshape.document.data import (
    assumed_data,
    config_data,
    final_states_data,
    input_data,
    mismatch_data,
    preamble,
    ratio_data,
    totals_data,
    traps_data,
)
from rnnshape.document.feeds import feed_sections, feeds_data
from rnnshape.document.final_states import state_cells, state_columns, state_titles
from rnnshape.document.findings import chain_text, finding_code, trap_text, traps_of
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
    plain,
)
from rnnshape.document.records import Record, layer_record
from rnnshape.document.sections import assembled
from rnnshape.document.sums import broken_chains, parts_of
from rnnshape.document.verification import mismatches_of, mismatches_text, verdict_of_runs
from rnnshape.layer.subject import Subject


def compare_document(comparison: Comparison, *, limit: int | None) -> Document:
    """The layers in their groups; no more than `limit` of them, unless it is None."""
    blocks: Mapping[str, Iterable[Block]] = {
        "header": _header(comparison),
        "compare": _compare(comparison, limit),
        "parts": parts_of(row for group in _cut(comparison, limit) for row in group.rows),
        **feed_sections(_feedings(comparison, limit)),
        "findings": _findings(comparison),
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
    if defaults := assumed(comparison.every):
        yield Paragraph(defaults)


def _compare(comparison: Comparison, limit: int | None) -> Iterator[Block]:
    groups = _cut(comparison, limit)
    totals = comparison.counted and groups == comparison.groups
    baseline = _baseline(comparison.groups[0])
    share, short = f"share of {baseline}", f"vs {baseline}"
    states = state_titles(comparison.subjects)
    yield Table(
        columns=(
            Column(key="constructor", title="constructor", calls=True),
            Column(key="parameters", title="parameters", numeric=True),
            Column(key="parameters_ratio", title=share, short=short, numeric=True, rank=1),
            Column(key="macs", title="MACs", numeric=True, rank=2),
            Column(key="macs_ratio", title=share, short=short, numeric=True, rank=4),
            Column(key="output", title="output", numeric=True, rank=3),
            *state_columns(states),
        ),
        rows=tuple(row for group in groups for row in _rows(group, states, total=totals)),
        total=totals,
        breaks=frozenset(accumulate(len(group.rows) + totals for group in groups[:-1])),
    )
    itemsize = comparison.subjects[0].settings.dtype.itemsize
    size = f"Bytes: {itemsize} x parameters."
    yield Paragraph((f"{MACS}, whole input. {size}",), column="macs", short=(size,))


def _rows(
    group: ComparedGroup, states: Collection[str], *, total: bool
) -> Iterator[tuple[Cell, ...]]:
    for row in group.rows:
        yield (
            Code(row.constructor),
            row.parameters,
            row.parameters_ratio,
            row.macs,
            row.macs_ratio,
            Shape.of(row.output),
            *state_cells([] if row.is_sum else [row.subject], states),
        )
    if total:
        yield ("total", group.parameters, None, group.macs, None, *([None] * (1 + len(states))))


def _feedings(comparison: Comparison, limit: int | None) -> Iterator[tuple[int, Feeding]]:
    """What the rows hand to each other, if that is asked, each with the number of its first row."""
    row = 1
    for group in _cut(comparison, limit) if comparison.feeds else ():
        yield from enumerate(group.feedings, row)
        row += len(group.rows)


def _findings(comparison: Comparison) -> Iterator[Block]:
    for target, trap in traps_of(comparison.every):
        yield Note(trap_text(target, trap))
    for added, broken in broken_chains(comparison.rows):
        yield Note((Code(added), ": ", *chain_text(broken)))


def _baseline(group: ComparedGroup) -> str:
    """What the ratios refer to: the baseline's kind if no other layer is of it, or `1st`."""
    baseline = group.baseline
    name = "" if len(baseline) > 1 else recurrent(baseline)[0].config.class_name
    rows = (row for row in group.rows if not row.is_sum)
    alike = [*islice((row for row in rows if row.subject.config.class_name == name), 2)]
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
        disputed = ((layer.constructor, run) for layer, run in comparison.disagreeing)
        yield from mismatches_of("constructor", disputed)
    total = len(comparison.rows)
    if limit is not None and limit < total:
        shows = comparison.subjects[0].origin.words.field("limit", total)
        yield Paragraph((f"{limit:,} of {total:,} shown; {shows} shows all",))


def _verdict(comparison: Comparison) -> Verdict:
    count = len(comparison.subjects) + len(comparison.stateless)
    disagreeing = comparison.disagreeing
    every = {1: "it", 2: "both"}.get(count, f"all {count:,}")
    run = comparison.subjects[0].origin.words.field("run", value=True)
    reason: Inline = ()
    if disagreeing:
        layer, disputed = disagreeing[0]
        reason = (Code(layer.constructor), ": ", *mismatches_text(disputed.mismatches))
    return verdict_of_runs(
        Code(comparison.request),
        comparison.subjects,
        (comparison.runs or {}).values(),
        gives=f"{every} these parameters and shapes{_on_meta(comparison)}",
        disputed=f" on {len(disagreeing):,} of {count:,}",
        reason=reason,
        skipped=f"not run: by formula alone; {run} builds and runs {every}",
    )


def _on_meta(comparison: Comparison) -> str:
    """Which layers are run on the meta device alone, where a shape costs nothing."""
    names = dict.fromkeys(each.class_name for each in comparison.stateless)
    return f", {' and '.join(names)} on meta" if names else ""


def _records(comparison: Comparison, limit: int | None) -> Iterator[Record]:
    runs = comparison.runs or {}
    agreeing = {_key(layer): run.agrees for layer, run in runs.items()}
    for number, group in enumerate(_cut(comparison, limit), 1):
        for row in group.rows:
            yield {
                "group": number,
                "copies": _copies(row),
                **_record(row),
                "baseline": written(group.baseline),
                "parameters_ratio": row.parameters_ratio,
                "macs_ratio": row.macs_ratio,
                "agrees": str(all(agreeing[_key(each.layer)] for each in row.summands))
                if agreeing
                else None,
            }


def _data(comparison: Comparison, limit: int | None) -> Mapping[str, Any]:
    runs, settings = comparison.runs, comparison.subjects[0].settings
    return {
        **preamble(runs.values() if runs else ()),
        "assumed": assumed_data(comparison.subjects),
        "total": len(comparison.rows),
        "groups": [
            {
                "baseline": written(each.baseline),
                "rows": [_row(row) for row in each.rows],
                "feeds": feeds_data(each.feedings) if comparison.feeds else None,
                "parameters": each.parameters,
                "macs": each.macs,
            }
            for each in _cut(comparison, limit)
        ],
        "findings": [
            *traps_data(comparison.every),
            *(
                {"code": finding_code(each), "message": plain((added, ": ", *chain_text(each)))}
                for added, each in broken_chains(comparison.rows)
            ),
        ],
        "verification": {
            "ran": runs is not None,
            "device": settings.device if runs else None,
            "dtype": settings.dtype.value,
            "agrees": not comparison.disagreeing if runs else None,
            "mismatches": [
                {"constructor": layer.constructor, **mismatch_data(mismatch)}
                for layer, run in comparison.disagreeing
                for mismatch in run.mismatches
            ],
        },
    }


def _row(row: Compared) -> Mapping[str, Any]:
    return {
        "constructor": row.constructor if row.is_sum else row.subject.constructor,
        "copies": _copies(row),
        "config": None if row.is_sum else config_data(row.subject),
        "input": input_data(row.subject),
        "output": list(row.output.shape),
        "final_states": None if row.is_sum else final_states_data(row.subject),
        "parts": [
            {
                "constructor": each.layer.constructor,
                "copies": each.copies,
                "parameters": each.parameters,
                "macs": each.macs,
                "output": list(output_of(each, row.subject).shape),
            }
            for each in row.summands
        ],
        **_totals(row),
        "parameters_ratio": ratio_data(row.parameters_ratio),
        "macs_ratio": ratio_data(row.macs_ratio),
    }


def _copies(row: Compared) -> int:
    """How many like the layer are counted; a sum is counted once."""
    return 1 if row.is_sum else row.summands[0].copies


def _totals(row: Compared) -> Mapping[str, Any]:
    """The totals of one copy of a layer, or of a sum."""
    if not row.is_sum:
        return totals_data(row.subject)
    itemsize = row.subject.settings.dtype.itemsize
    return {
        "parameters": row.parameters,
        "parameter_bytes": row.parameters * itemsize,
        "macs": row.macs,
        "flops": 2 * row.macs,
    }


def _record(row: Compared) -> Record:
    """The layer; of a sum, what it has as a whole, and the input."""
    whole = layer_record(row.subject)
    if not row.is_sum:
        return whole
    own = {"constructor": row.constructor, "output": Shape.of(row.output), **_totals(row)}
    kept = {*own, *input_data(row.subject)}
    return {key: own.get(key, whole[key] if key in kept else None) for key in whole}


def _key(layer: Layer) -> object:
    """What tells layers apart that are run: not where they were described."""
    return (layer.config, layer.input_spec) if isinstance(layer, Subject) else layer
