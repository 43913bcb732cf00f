"""The data of a document: what `-f json` writes, as schemas/ describes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from rnnshape import __version__
from rnnshape.analysis.comparison import Compared, siblings
from rnnshape.analysis.cost import cost as costs
from rnnshape.analysis.frameworks import counterparts
from rnnshape.dims import ints, shape_formula
from rnnshape.document.findings import finding_code, finding_text, trap_text
from rnnshape.document.model import plain
from rnnshape.layer.config import InputSpec, RNNConfig, Settings
from rnnshape.layer.facts import Claim
from rnnshape.layer.findings import Finding, Trap
from rnnshape.layer.formulas import elements, gate_rows
from rnnshape.layer.report import Report, Run, Timing
from rnnshape.layer.verification import Mismatch, Value

if TYPE_CHECKING:
    from rnnshape.analysis.expectation import Judgement

# Keys may be added within 1.x; one that is renamed or removed makes 2.0.
FORMAT_VERSION: Final = "1.0"


def layer_data(
    *reports: Report,
    judgements: Sequence[Sequence[Judgement]] = (),
    names: Sequence[str] = (),
) -> Mapping[str, Any]:
    """The document of one or more layers; numbers are integers and never rounded.

    `judgements` are those of each layer, if something was expected of them, and `names` their
    names, if they are of a model.
    """
    judged = judgements or [()] * len(reports)
    called: Sequence[str | None] = names or [None] * len(reports)
    return {
        **preamble(report.run for report in reports),
        "modules": [_module(*each) for each in zip(called, reports, judged, strict=True)],
    }


def preamble(runs: Iterable[Run | None]) -> Mapping[str, Any]:
    """What every document begins with."""
    torch_version = next((run.torch_version for run in runs if run), None)
    return {
        "format_version": FORMAT_VERSION,
        "environment": {"rnnshape": __version__, "torch": torch_version},
    }


def _module(name: str | None, report: Report, judgements: Sequence[Judgement]) -> Mapping[str, Any]:
    cost = costs(report.config, report.input_spec, report.settings.dtype)
    tensors = report.predicted.tensors
    return {
        "name": name,
        "constructor": report.config.constructor,
        "config": config_data(report.config),
        "assumed": _assumed(report),
        "input": {
            **input_data(report.input_spec),
            "batch_sizes": _list(report.predicted.batch_sizes),
        },
        "tensors": {
            name: {
                "shape": list(ints(tensor.shape)),
                "axes": list(tensor.axes),
                "formula": shape_formula(tensor.shape),
            }
            for name, tensor in tensors.items()
        },
        "next_linear": int(report.next_linear),
        "weights": [
            {
                "name": weight.name,
                "shape": list(ints(weight.shape)),
                "parameters": int(elements(weight.shape)),
                "formula": shape_formula(weight.shape),
            }
            for weight in report.weights.listed()
        ],
        "totals": {
            **totals_data(int(report.parameters), int(report.macs), report.settings),
            "gradient_bytes": cost.gradients,
            "adam_bytes": cost.adam,
            "state_bytes": cost.states,
            "activation_bytes": cost.activations,
            "gate_bytes": cost.gates,
        },
        "gates": {gate: [rows.start, rows.stop] for gate, rows in gate_rows(report.config).items()},
        "claims": [_claim(claim) for claim in report.claims],
        "comparison": _comparison(siblings(report.config, report.input_spec)),
        "frameworks": [asdict(row) for row in counterparts(report.config)],
        "timings": [_timing(timing) for timing in report.run.timings] if report.run else [],
        "findings": findings_data(report.findings),
        "expectations": _expectations(judgements),
        "verification": verification_data(report),
    }


def _expectations(judgements: Sequence[Judgement]) -> list[Mapping[str, Any]]:
    if not judgements:
        return []
    from rnnshape.document.expectations import expectation_data

    return [expectation_data(judgement) for judgement in judgements]


def findings_data(findings: Iterable[Finding]) -> list[Mapping[str, Any]]:
    """What there is to look at."""
    return [
        {"code": finding_code(finding), "message": plain(finding_text(finding))}
        for finding in findings
    ]


def traps_data(traps: Iterable[tuple[str, Trap]]) -> list[Mapping[str, Any]]:
    """What the texts of targets show."""
    return [
        {"code": finding_code(trap), "message": plain(trap_text(target, trap))}
        for target, trap in traps
    ]


def totals_data(parameters: int, macs: int, settings: Settings) -> Mapping[str, Any]:
    """What a layer weighs and computes."""
    return {
        "parameters": parameters,
        "parameter_bytes": parameters * settings.dtype.itemsize,
        "macs": macs,
        "flops": 2 * macs,
    }


def assumed_data(assumed: Collection[str]) -> list[str]:
    """The fields that were not given, in a fixed order."""
    return [field for field in _FIELDS if field in assumed]


def _assumed(report: Report) -> list[str]:
    """The fields that were not given, of those that have a value here."""
    value_of = {**config_data(report.config), **input_data(report.input_spec)}
    return [f for f in assumed_data(report.assumed) if value_of[f] is not None]


def input_data(input_spec: InputSpec) -> Mapping[str, Any]:
    """What the layer reads, as it was asked for."""
    return {
        "batch_size": input_spec.batch_size if input_spec.batched else None,
        "seq_len": input_spec.seq_len,
        "lengths": _list(input_spec.lengths),
        "batched": input_spec.batched,
        "with_state": input_spec.with_state,
    }


_FIELDS: Final = (
    "input_size",
    "hidden_size",
    "num_layers",
    "bias",
    "batch_first",
    "dropout",
    "bidirectional",
    "proj_size",
    "nonlinearity",
    "batch_size",
    "seq_len",
)


def config_data(config: RNNConfig) -> Mapping[str, Any]:
    """The constructor's arguments."""
    return {
        "kind": config.kind.value,
        "cell": config.cell,
        "input_size": config.input_size,
        "hidden_size": config.hidden_size,
        "num_layers": config.num_layers,
        "bias": config.bias,
        "batch_first": config.batch_first,
        "dropout": config.dropout,
        "bidirectional": config.bidirectional,
        "proj_size": config.proj_size,
        "nonlinearity": config.nonlinearity,
    }


def _claim(claim: Claim) -> Mapping[str, Any]:
    return {
        "left": claim.left_text,
        "relation": claim.relation,
        "right": claim.right_text,
        "holds": claim.holds,
    }


def _comparison(rows: Iterable[Compared]) -> list[Mapping[str, Any]]:
    return [
        {
            "label": row.config.kind.value
            + (f" proj_size={row.config.proj_size}" if row.config.proj_size else ""),
            "constructor": row.config.constructor,
            "parameters": row.parameters,
            "macs": row.macs,
            "parameters_ratio": ratio_data(row.parameters_ratio),
            "macs_ratio": ratio_data(row.macs_ratio),
        }
        for row in rows
    ]


def _list(sizes: tuple[int, ...] | None) -> list[int] | None:
    return None if sizes is None else list(sizes)


def ratio_data(ratio: Fraction | None) -> str | None:
    """Exact, in lowest terms: `3/4`, `1`."""
    return None if ratio is None else str(ratio)


def verification_data(report: Report) -> Mapping[str, Any]:
    """What the run of a layer found."""
    run = report.run
    return {
        "ran": run is not None,
        "device": report.settings.device if run else None,
        "dtype": report.settings.dtype.value,
        "agrees": run.agrees if run else None,
        "counted_flops": run.counted_flops if run else None,
        "equations_difference": _finite(run.equations_difference) if run else None,
        "device_difference": _finite(run.device_difference) if run else None,
        "mismatches": [mismatch_data(mismatch) for mismatch in run.mismatches] if run else [],
    }


def _finite(difference: float | None) -> float | None:
    """JSON has no number for a difference from NaN; it is among the mismatches."""
    return difference if difference is not None and isfinite(difference) else None


def _timing(timing: Timing) -> Mapping[str, Any]:
    return {
        "constructor": timing.config.constructor,
        "macs": timing.macs,
        "median_seconds": timing.median,
        "lower_quartile_seconds": timing.lower,
        "upper_quartile_seconds": timing.upper,
        "runs": timing.runs,
    }


def mismatch_data(mismatch: Mismatch) -> Mapping[str, Any]:
    """One thing that the formulas and PyTorch see differently."""
    return {
        "what": mismatch.what,
        "predicted": _value(mismatch.predicted),
        "measured": _value(mismatch.measured),
    }


def _value(value: Value) -> bool | int | list[int] | None:
    if isinstance(value, tuple):
        return list(ints(value))
    return value if value is None or isinstance(value, bool) else int(value)
