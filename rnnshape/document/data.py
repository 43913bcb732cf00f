"""The data of a document: what `-f json` writes, as schemas/ describes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from rnnshape import __version__
from rnnshape.analysis.comparison import Compared, against_siblings
from rnnshape.analysis.cost import POINTWISE
from rnnshape.analysis.cost import cost as cost_of
from rnnshape.analysis.frameworks.counterparts import Counterpart, counterparts, counterparts_in
from rnnshape.analysis.frameworks.registry import framework
from rnnshape.analysis.inspection import Inspection
from rnnshape.dims import ints, shape_formula
from rnnshape.document.findings import finding_code, finding_text, trap_text, traps_of
from rnnshape.document.model import plain
from rnnshape.layer.calls import Call
from rnnshape.layer.facts import Claim, Tensor, Weight
from rnnshape.layer.findings import Finding
from rnnshape.layer.formulas import gate_rows
from rnnshape.layer.report import LayerReport
from rnnshape.layer.run import Mismatch, Observed, Run, Spread, Timing, Training
from rnnshape.layer.subject import Subject
from rnnshape.layer.verification import called
from rnnshape.layer.weights import elements
from rnnshape.pytorch.probes import PROBES

if TYPE_CHECKING:
    from rnnshape.analysis.expectation import Judgement
    from rnnshape.analysis.matching import Match

# Keys may be added within 1.x; one that is renamed or removed makes 2.0.
FORMAT_VERSION: Final = "1.0"


def report_data(*inspections: Inspection) -> Mapping[str, Any]:
    """The data of one or more layers; sizes and counts are exact integers."""
    return {
        **preamble(inspection.report.run for inspection in inspections),
        "modules": [_module(inspection) for inspection in inspections],
    }


def preamble(runs: Iterable[Run | None]) -> Mapping[str, Any]:
    """What every document begins with."""
    torch_version = next((run.torch_version for run in runs if run), None)
    return {
        "format_version": FORMAT_VERSION,
        "environment": {"rnnshape": __version__, "torch": torch_version},
    }


def _module(inspection: Inspection) -> Mapping[str, Any]:
    report, subject = inspection.report, inspection.subject
    batch_sizes = report.predicted.batch_sizes
    return {
        "name": subject.name or None,
        **_found_data(subject),
        "constructor": subject.config.constructor,
        "config": config_data(subject),
        "assumed": assumed_data([subject]),
        "input": {
            **input_data(subject),
            "batch_sizes": None if batch_sizes is None else list(batch_sizes),
        },
        "tensors": {name: _tensor(each) for name, each in report.tensors.items()},
        "calls": _calls(subject),
        "next_linear": int(report.next_linear),
        "weights": [_weight(each) for each in report.weights.listed()],
        "totals": _totals(subject),
        "gates": {
            gate: [rows.start, rows.stop] for gate, rows in gate_rows(subject.config).items()
        },
        "claims": [_claim(claim) for claim in report.claims],
        "comparison": [_compared(row) for row in against_siblings(subject)],
        "frameworks": [_counterpart(row) for row in counterparts(subject)],
        "port": None if inspection.to is None else _port(subject, inspection.to),
        "timings": [_timing(each) for each in (report.run and report.run.value("timing")) or ()],
        "training": _training(subject, report.run.value("training") if report.run else None),
        "findings": findings_data(report.findings, subject),
        "expectations": [expectation_data(each) for each in inspection.judgements],
        "matches": None if inspection.match is None else match_data(inspection.match),
        "verification": verification_data(report),
    }


def _tensor(tensor: Tensor) -> Mapping[str, Any]:
    return {
        "shape": list(ints(tensor.shape)),
        "axes": list(tensor.axes),
        "formula": shape_formula(tensor.shape),
    }


def _weight(weight: Weight) -> Mapping[str, Any]:
    return {
        "name": weight.name,
        "shape": list(ints(weight.shape)),
        "parameters": int(elements(weight.shape)),
        "formula": shape_formula(weight.shape),
    }


def _totals(subject: Subject) -> Mapping[str, Any]:
    cost = cost_of(subject)
    return {
        **totals_data(subject),
        "macs_per_step": cost.macs_per_step,
        "gradient_bytes": cost.gradients,
        "adam_bytes": cost.adam,
        "input_bytes": cost.input,
        "output_bytes": cost.output,
        "state_bytes": cost.states,
        "inference_bytes": cost.inference,
        "optimizer_bytes": cost.optimizer,
        "kept_bytes": cost.kept,
        "kept_natively_bytes": cost.kept_natively,
        "training_bytes": cost.training,
        "int8_bytes": cost.int8,
        "int4_bytes": cost.int4,
        "pointwise": {name: cost.pointwise.get(name, 0) for name in POINTWISE},
    }


def _found_data(subject: Subject) -> Mapping[str, Any]:
    """Where a layer was found, and what tells its config; null and empty for a described one."""
    found = subject.found
    if found is None:
        return {
            "origin": None,
            "evidence": [],
            "departures": [],
            "unknown": sorted(subject.unknown),
        }
    return {
        "origin": {"holder": found.holder, "format": found.format, "keys": list(found.keys)},
        "evidence": [asdict(each) for each in found.recognised.evidence],
        "departures": list(found.recognised.departures),
        "unknown": sorted(subject.unknown),
    }


def match_data(match: Match) -> Mapping[str, Any]:
    """The target to match, whether it does, and each difference."""
    return {
        "target": match.other.origin.target,
        "constructor": match.other.config.constructor,
        "holds": match.holds,
        "differences": [asdict(each) for each in match.differences],
        "undecided": list(match.undecided),
    }


def _calls(subject: Subject) -> list[Mapping[str, Any]]:
    return [_call(call, called(subject, call)) for call in subject.calls or ()]


def _call(call: Call, subject: Subject) -> Mapping[str, Any]:
    def shapes(*names: str) -> dict[str, list[int]]:
        return {name: list(call.tensors[name]) for name in names if name in call.tensors}

    return {
        "input": list(call.tensors["data" if call.packed else "input"]),
        "output": shapes("output").get("output"),
        "states": shapes("h_0", "c_0"),
        "final_states": shapes("h_n", "c_n", "h_1", "c_1"),
        "packed": call.packed,
        "lengths": input_data(subject)["lengths"],
        "count": call.count,
        "macs": subject.macs,
    }


def expectation_data(judgement: Judgement) -> Mapping[str, Any]:
    """An expectation and whether it holds."""
    return {
        "text": judgement.expectation.text,
        "name": judgement.expectation.name,
        "operator": judgement.expectation.operator.value,
        "expected": judgement.expected,
        "actual": judgement.actual,
        "holds": judgement.holds,
        "formula": judgement.formula,
    }


def findings_data(findings: Iterable[Finding], subject: Subject) -> list[Mapping[str, Any]]:
    """The code and the text of each finding."""
    words = subject.origin.words
    return [
        {"code": finding_code(finding), "message": plain(finding_text(finding, words))}
        for finding in findings
    ]


def traps_data(subjects: Iterable[Subject]) -> list[Mapping[str, Any]]:
    """The code and the text of each trap in the targets."""
    return [
        {"code": finding_code(trap), "message": plain(trap_text(target, trap))}
        for target, trap in traps_of(subjects)
    ]


def totals_data(subject: Subject) -> Mapping[str, Any]:
    """Parameters, their bytes, MACs and FLOPs; for an existing module those it holds."""
    held = subject.held
    return {
        "parameters": subject.parameters if held is None else held.elements,
        "parameter_bytes": subject.parameter_bytes,
        "macs": subject.macs,
        "flops": 2 * subject.macs,
    }


def final_states_data(subject: Subject) -> Mapping[str, list[int] | None]:
    """The shapes of h_n and c_n, or of a cell's h_1 and c_1; None for what it does not return."""
    tensors, names = subject.results, ("h_1", "c_1") if subject.config.cell else ("h_n", "c_n")
    return {name: list(tensors[name].shape) if name in tensors else None for name in names}


def assumed_data(subjects: Collection[Subject]) -> list[str]:
    """The fields that have a value here, and have their default value in any of the layers."""
    assumed = frozenset().union(*(subject.assumed for subject in subjects))
    values = [{**config_data(subject), **input_data(subject)} for subject in subjects]
    return [
        name
        for name in values[0]
        if name in assumed - _NEVER_ASSUMED and any(known[name] is not None for known in values)
    ]


# Leaving one of these out of a request assumes nothing.
_NEVER_ASSUMED: Final = frozenset({"kind", "cell", "lengths", "batched", "with_state"})


def input_data(subject: Subject) -> Mapping[str, Any]:
    """The input of a subject."""
    spec = subject.input_spec
    return {
        "batch_size": spec.batch_size if spec.batched else None,
        "seq_len": spec.seq_len,
        "lengths": None if spec.lengths is None else list(spec.lengths),
        "batched": spec.batched,
        "with_state": spec.with_state,
    }


def config_data(subject: Subject) -> Mapping[str, Any]:
    """The constructor's arguments; null where the value is unknown."""
    values = {**vars(subject.config), "kind": subject.config.kind.value}
    return {name: None if name in subject.unknown else value for name, value in values.items()}


def _claim(claim: Claim) -> Mapping[str, Any]:
    return {
        "left": claim.left_text,
        "relation": claim.relation,
        "right": claim.right_text,
        "holds": claim.holds,
    }


def _compared(row: Compared) -> Mapping[str, Any]:
    config = row.subject.config
    projection = f" proj_size={config.proj_size}" if config.proj_size else ""
    return {
        "label": f"{config.kind.value}{projection}",
        "constructor": config.constructor,
        "parameters": row.parameters,
        "macs": row.macs,
        "parameters_ratio": ratio_data(row.parameters_ratio),
        "macs_ratio": ratio_data(row.macs_ratio),
    }


def _counterpart(row: Counterpart) -> Mapping[str, Any]:
    return {
        "framework": row.title,
        "to": row.name or None,
        "layer": row.layer,
        "biases": row.biases,
        "gates": row.gates,
        "parameters": row.parameters,
        "exact": row.port is None or row.port.exact,
    }


def _port(subject: Subject, name: str) -> Mapping[str, Any]:
    """All that is known of a layer in one framework: null and empty where it has none like it."""
    found, rows = framework(name), counterparts_in(name, subject)
    return {
        "framework": found.title,
        "to": name,
        "page": found.page,
        "tested": found.runs,
        "objects": found.objects,
        "layers": [
            {
                "layer": row.layer,
                "arrays": [
                    {
                        "name": array.name,
                        "first_layer": array.layers[0],
                        "last_layer": array.layers[-1],
                        "shape": list(array.shape),
                        "count": array.count,
                        "source": array.source,
                    }
                    for array in row.arrays
                ],
            }
            for row in rows
        ],
        "tensors": [
            {"name": each.name, "shape": list(each.shape), "pytorch": each.pytorch}
            for each in (rows[0].tensors if rows else ())
        ],
        "limits": list(found.limits(subject.config)),
        "program": rows[0].program if rows else [],
    }


def ratio_data(ratio: Fraction | None) -> str | None:
    """The ratio in lowest terms: `3/4`, `1`."""
    return None if ratio is None else str(ratio)


def verification_data(report: LayerReport) -> Mapping[str, Any]:
    """What the run of a layer found, or that there was none."""
    run = report.run
    return {
        "ran": run is not None,
        "device": report.subject.settings.device if run else None,
        "dtype": report.subject.settings.dtype.value,
        "agrees": run.agrees if run else None,
        **{key: _finite(run.value(name)) if run else None for name, key in PROBES.items() if key},
        "mismatches": [mismatch_data(mismatch) for mismatch in run.mismatches] if run else [],
    }


def _finite(value: float | None) -> float | None:
    """The value; None for one that JSON cannot hold, such as NaN, which is a mismatch anyway."""
    return value if value is not None and isfinite(value) else None


def _timing(timing: Timing) -> Mapping[str, Any]:
    return {
        "constructor": timing.constructor,
        "seq_len": timing.seq_len,
        "macs": timing.macs,
        **_spread(timing),
        "runs": timing.runs,
        "threads": timing.threads,
        "mode": "inference",
    }


def _spread(seconds: Spread) -> Mapping[str, float]:
    return {
        "median_seconds": seconds.median,
        "lower_quartile_seconds": seconds.lower,
        "upper_quartile_seconds": seconds.upper,
    }


def _training(subject: Subject, training: Training | None) -> Mapping[str, Any] | None:
    if training is None:
        return None
    return {
        "optimizer": subject.settings.optimizer.value,
        "kernel": "oneDNN" if training.onednn else None,
        "kept_bytes": training.kept,
        "predicted_kept_bytes": training.predicted,
        "workspace_bytes": training.workspace,
        "gradient_bytes": training.gradients,
        "optimizer_bytes": training.optimizer,
        "peak_bytes": training.peak,
        "forward": _spread(training.forward),
        "backward": _spread(training.backward),
        "step": _spread(training.step),
        "runs": training.runs,
        "threads": training.threads,
        "mode": "train",
    }


def mismatch_data(mismatch: Mismatch) -> Mapping[str, Any]:
    """A value that the formulas and PyTorch give differently."""
    return {
        "what": mismatch.what,
        "predicted": _value(mismatch.predicted),
        "measured": _value(mismatch.measured),
    }


def _value(value: Observed) -> bool | int | list[int] | None:
    if isinstance(value, tuple):
        return list(ints(value))
    return value if value is None or isinstance(value, bool) else int(value)
