"""Layers side by side: parameters, MACs and their exact ratios to a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, TypeAlias

from rnnshape.errors import RequestError
from rnnshape.layer.config import InputSpec, Kind, RNNConfig, Settings
from rnnshape.layer.formulas import macs, plain_sizes, weights
from rnnshape.layer.report import Run, predicted_report
from rnnshape.layer.run import with_run


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One layer against the baseline. A ratio is None where the baseline has nothing."""

    config: RNNConfig
    input_spec: InputSpec
    parameters: int
    macs: int
    parameters_ratio: Fraction | None
    macs_ratio: Fraction | None


Asked: TypeAlias = tuple[RNNConfig, InputSpec]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Layers against one baseline, which is among them."""

    baseline: RNNConfig
    rows: tuple[Compared, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Groups of layers; `runs` is None until they were run."""

    groups: tuple[Group, ...]
    settings: Settings
    assumed: frozenset[str]  # fields of configs and inputs that were not given
    runs: Mapping[Asked, Run] | None = None

    @cached_property
    def rows(self) -> tuple[Compared, ...]:
        """The layers of all groups."""
        return tuple(row for group in self.groups for row in group.rows)

    @cached_property
    def asked(self) -> dict[Asked, None]:
        """The different layers and inputs, in order."""
        return {(row.config, row.input_spec): None for row in self.rows}

    @property
    def disagreeing(self) -> list[tuple[RNNConfig, Run]]:
        """The layers that PyTorch sees differently."""
        runs = self.runs or {}
        return [(config, run) for (config, _), run in runs.items() if not run.agrees]


def group(asked: Sequence[Asked]) -> Group:
    """These layers, the first of them the baseline."""
    config, input_spec = asked[0]
    baseline = _counts(config, input_spec)
    return Group(baseline=config, rows=tuple(_against(baseline, *each) for each in asked))


ORDERS: Final[Mapping[str, Callable[[Compared], Any]]] = {
    "parameters": lambda row: row.parameters,
    "macs": lambda row: row.macs,
    "name": lambda row: (
        row.config.class_name,
        row.config.input_size,
        row.config.hidden_size,
        row.config.constructor,
    ),
}


def ordered(comparison: Comparison, order: str) -> Comparison:
    """Each group by `order`, one of ORDERS; rows that are equal in it stay as they are."""
    groups = (
        replace(each, rows=tuple(sorted(each.rows, key=ORDERS[order])))
        for each in comparison.groups
    )
    return replace(comparison, groups=tuple(groups))


def run_all(comparison: Comparison) -> Comparison:
    """Build and run each different layer once. Raises RequestError that says which cannot be."""
    runs = {each: _run(*each, comparison.settings) for each in comparison.asked}
    return replace(comparison, runs=runs)


def _run(config: RNNConfig, input_spec: InputSpec, settings: Settings) -> Run:
    try:
        run = with_run(predicted_report(config, input_spec, settings)).run
    except RequestError as error:
        raise error.retold(f"{config.constructor}: {error.problem}") from error
    assert run is not None
    return run


def siblings(config: RNNConfig, input_spec: InputSpec) -> tuple[Compared, ...]:
    """LSTM, GRU and RNN at the sizes of `config`, against the LSTM without projection.

    An LSTM is also shown with the projection switched: off where it is on, on at half of
    hidden_size where it is off.
    """
    baseline = _counts(_of_kind(config, Kind.LSTM), input_spec)
    return tuple(_against(baseline, sibling, input_spec) for sibling in _sibling_configs(config))


def timed_configs(config: RNNConfig) -> tuple[RNNConfig, ...]:
    """LSTM, GRU and RNN at the sizes of `config`, and `config` itself if it has a projection."""
    kinds = (config if config.kind is kind else _of_kind(config, kind) for kind in Kind)
    plain = tuple(replace(each, proj_size=0) for each in kinds)
    return (*plain, config) if config.proj_size else plain


def _sibling_configs(config: RNNConfig) -> Iterator[RNNConfig]:
    if config.proj_size:
        yield config
    for kind in Kind:
        yield config if config.kind is kind and not config.proj_size else _of_kind(config, kind)
    can_project = config.kind is Kind.LSTM and not config.cell and config.hidden_size > 1
    if can_project and not config.proj_size:
        yield replace(config, proj_size=config.hidden_size // 2)


def _of_kind(config: RNNConfig, kind: Kind) -> RNNConfig:
    return replace(config, kind=kind, proj_size=0, nonlinearity=None)


def _counts(config: RNNConfig, input_spec: InputSpec) -> tuple[int, int]:
    sizes = plain_sizes(config, input_spec)
    layer_weights = weights(config, sizes)
    return layer_weights.parameters, macs(layer_weights, sizes)


def _against(baseline: tuple[int, int], config: RNNConfig, input_spec: InputSpec) -> Compared:
    counts = _counts(config, input_spec)
    parameters_ratio, macs_ratio = (
        Fraction(own, other) if other else None for own, other in zip(counts, baseline, strict=True)
    )
    return Compared(
        config=config,
        input_spec=input_spec,
        parameters=counts[0],
        macs=counts[1],
        parameters_ratio=parameters_ratio,
        macs_ratio=macs_ratio,
    )
