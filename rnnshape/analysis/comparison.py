"""Layers of the same sizes side by side: parameters, MACs and their exact ratios."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from rnnshape.layer.config import InputSpec, Kind, RNNConfig
from rnnshape.layer.formulas import macs, plain_sizes, weights


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One layer against the baseline. A ratio is None where the baseline has nothing."""

    config: RNNConfig
    parameters: int
    macs: int
    parameters_ratio: Fraction | None
    macs_ratio: Fraction | None


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
        parameters=counts[0],
        macs=counts[1],
        parameters_ratio=parameters_ratio,
        macs_ratio=macs_ratio,
    )
