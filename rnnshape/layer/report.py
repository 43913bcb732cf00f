"""The report of a subject: what is predicted, and what a run found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from rnnshape.computed import cached_property
from rnnshape.dims import named
from rnnshape.layer.facts import Claim, Facts, Tensor
from rnnshape.layer.findings import Finding, find
from rnnshape.layer.formulas import Sizes, layout, macs, read_next, weights
from rnnshape.layer.prediction import predict
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import Weights

if TYPE_CHECKING:
    from rnnshape.layer.run import Mismatch, Run


@dataclass(frozen=True, kw_only=True)
class LayerReport:
    """Everything known of one subject. Sizes are Dims; `run` is None until there has been a run."""

    subject: Subject
    run: Run | None = None

    def __hash__(self) -> int:
        return hash(self.subject)  # a run holds a dict, but equal reports have equal subjects

    @cached_property
    def predicted(self) -> Facts:
        """What the formulas give, as a run measures it; a shape or a count alone needs less."""
        return predict(self.subject)

    @cached_property
    def tensors(self) -> Mapping[str, Tensor]:
        """The tensors of a forward pass, by name."""
        return layout(self.sizes)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything to point out, the most important first."""
        return (*self.subject.origin.traps, *find(self.subject))

    @property
    def sizes(self) -> Sizes:
        """The sizes from which everything is computed."""
        return self.subject.named_sizes

    @cached_property
    def weights(self) -> Weights:
        """The weights, as blocks of layers that are alike."""
        return weights(self.sizes)

    @property
    def parameters(self) -> int:
        """Elements of all weights, or of the parameters that an existing module holds."""
        held = self.subject.held
        if held is None:
            return self.weights.parameters
        return named("sum(p.numel() for p in module.parameters())", held.elements)

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
        """Bytes of all weights in the dtype of the settings, or of what a module holds."""
        held = self.subject.held
        if held is None:
            return named("itemsize", self.subject.settings.dtype.itemsize) * self.parameters
        return named("sum(p.nbytes for p in module.parameters())", held.nbytes)

    @property
    def next_linear(self) -> int:
        """The in_features that an nn.Linear needs to read the output: D*H_out."""
        return read_next(self.tensors).shape[-1]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims, judged if there was a run."""
        return self.run.claims if self.run else self.predicted.claims

    @property
    def disagrees(self) -> bool:
        """Whether a run, or the forward pass of its model, gave something other than predicted."""
        return bool(self.mismatches)

    @cached_property
    def mismatches(self) -> tuple[Mismatch, ...]:
        """Everything that was measured and is not as predicted."""
        of_run = self.run.mismatches if self.run else ()
        if not self.subject.calls:
            return of_run
        from rnnshape.layer.verification import verify_calls  # few layers have calls

        return (*verify_calls(self.subject), *of_run)


Runner: TypeAlias = Callable[[LayerReport], LayerReport]  # adds a run, or raises RequestError


def predicted_report(subject: Subject) -> LayerReport:
    """The report by formula alone, at the same cost for any size."""
    return LayerReport(subject=subject)
