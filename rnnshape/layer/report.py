"""All that is known of one subject: what is predicted, and what a run found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rnnshape.dims import named
from rnnshape.layer.facts import Claim, Facts
from rnnshape.layer.findings import Finding, find
from rnnshape.layer.formulas import Sizes, macs, read_next, weights
from rnnshape.layer.prediction import predict
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import Weights

if TYPE_CHECKING:
    from rnnshape.layer.run import Run


@dataclass(frozen=True, kw_only=True)
class LayerReport:
    """One layer with one input. `run` is None until it was run. Sizes are Dims."""

    subject: Subject
    predicted: Facts
    run: Run | None = None

    def __hash__(self) -> int:
        return hash(self.subject)  # equal reports are of equal subjects; Facts holds a dict

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything to point out, most important first."""
        return (*self.subject.origin.traps, *find(self.subject))

    @property
    def sizes(self) -> Sizes:
        """The sizes that the formulas are written in."""
        return self.subject.named_sizes

    @cached_property
    def weights(self) -> Weights:
        """The weights as blocks of layers that are alike."""
        return weights(self.sizes)

    @property
    def parameters(self) -> int:
        """Elements of all weights; of a module, those of the parameters that it holds."""
        held = self.subject.held
        if held is None:
            return self.predicted.parameters
        return named("sum(p.numel() for p in module.parameters())", held.parameters)

    @property
    def macs(self) -> int:
        """Multiply-adds of the matrix products over the whole input."""
        return macs(self.weights, self.sizes)

    @property
    def flops(self) -> int:
        """Twice the MACs: a multiply-add is two operations."""
        return 2 * self.macs

    @property
    def parameter_bytes(self) -> int:
        """Bytes of all weights in the dtype of the settings; of a module, those that it holds."""
        held = self.subject.held
        if held is not None:
            return named("sum(p.nbytes for p in module.parameters())", held.parameter_bytes)
        return named("itemsize", self.subject.settings.dtype.itemsize) * self.parameters

    @property
    def next_linear(self) -> int:
        """The in_features of an nn.Linear that reads the output: D*H_out."""
        return read_next(self.predicted.tensors).shape[-1]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The relations, judged where there was a run."""
        return self.run.claims if self.run else self.predicted.claims

    @property
    def disagrees(self) -> bool:
        """Whether a run did something else than predicted."""
        return self.run is not None and not self.run.agrees


def predicted_report(subject: Subject) -> LayerReport:
    """The report by formula alone, at the same cost for any size."""
    return LayerReport(subject=subject, predicted=predict(subject))
