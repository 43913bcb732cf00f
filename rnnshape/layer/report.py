"""All that is known of one request: what was asked, what is predicted, what a run found."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from rnnshape.dims import named
from rnnshape.layer.config import InputSpec, RNNConfig, Settings
from rnnshape.layer.facts import Claim, Facts
from rnnshape.layer.findings import Finding, Trap, find
from rnnshape.layer.formulas import Sizes, Weights, macs, named_sizes, read_next, weights
from rnnshape.layer.prediction import predict
from rnnshape.layer.verification import Mismatch


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The time of one forward pass in inference, over repeated runs."""

    config: RNNConfig
    macs: int
    median: float  # seconds
    lower: float  # the quartile below, seconds
    upper: float  # the quartile above, seconds
    runs: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of the layer, held against the prediction."""

    torch_version: str
    input_spec: InputSpec  # what was fed
    claims: tuple[Claim, ...]  # judged
    mismatches: tuple[Mismatch, ...]
    counted_flops: int | None = None  # by PyTorch's own counter
    equations_difference: float | None = None  # from the cell's equations in float64, absolute
    device_difference: float | None = None  # from the CPU's values, relative to their largest
    timings: tuple[Timing, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether PyTorch does what was predicted."""
        return not self.mismatches


@dataclass(frozen=True, kw_only=True)
class Report:
    """One layer with one input. `run` is None until it was run."""

    config: RNNConfig
    input_spec: InputSpec
    settings: Settings
    assumed: frozenset[str]  # fields of config and input that were not given
    from_input_shape: bool  # whether batch and sequence were told by their positions alone
    predicted: Facts
    traps: tuple[Trap, ...] = ()  # what only the text of the request shows
    run: Run | None = None

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything to point out, most important first."""
        found = find(
            self.config,
            self.input_spec,
            assumed=self.assumed,
            from_input_shape=self.from_input_shape,
        )
        return (*self.traps, *found)

    @cached_property
    def sizes(self) -> Sizes:
        """The sizes that the formulas are written in, as Dims."""
        return named_sizes(self.config, self.input_spec)

    @cached_property
    def weights(self) -> Weights:
        """The weights as blocks of alike layers."""
        return weights(self.config, self.sizes)

    @property
    def parameters(self) -> int:
        """Elements of all weights."""
        return self.predicted.parameters

    @property
    def macs(self) -> int:
        """Multiply-adds of the matrix products over the whole input."""
        return macs(self.weights, self.sizes)

    @property
    def flops(self) -> int:
        """Two a multiply-add: a multiplication and an addition."""
        return 2 * self.macs

    @property
    def parameter_bytes(self) -> int:
        """Bytes of all weights in the dtype asked for."""
        return named("itemsize", self.settings.dtype.itemsize) * self.parameters

    @property
    def next_linear(self) -> int:
        """Features of what comes next, D*H_out: the in_features of an nn.Linear."""
        return read_next(self.predicted.tensors).shape[-1]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The equalities, judged where there was a run."""
        return self.run.claims if self.run else self.predicted.claims

    @property
    def disagrees(self) -> bool:
        """Whether a run did otherwise than predicted."""
        return self.run is not None and not self.run.agrees


def predicted_report(
    config: RNNConfig,
    input_spec: InputSpec,
    settings: Settings,
    *,
    assumed: AbstractSet[str] = frozenset(),
    from_input_shape: bool = False,
) -> Report:
    """The report by formula alone, at the same cost for any size."""
    return Report(
        config=config,
        input_spec=input_spec,
        settings=settings,
        assumed=frozenset(assumed),
        from_input_shape=from_input_shape,
        predicted=predict(config, input_spec),
    )
