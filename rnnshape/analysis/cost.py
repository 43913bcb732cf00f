"""What a layer costs: multiply-adds of one forward pass, and bytes of memory."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape.layer.formulas import final_state_names
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import elements


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Counts of the whole input, and bytes in the dtype of the settings."""

    macs: int
    parameters: int  # bytes
    states: int  # bytes of the final states
    activations: int  # bytes of the input and of every layer's output

    @property
    def flops(self) -> int:
        """Twice the MACs: a multiply-add is two operations."""
        return 2 * self.macs

    @property
    def gradients(self) -> int:
        """Bytes of the parameters' gradients."""
        return self.parameters

    @property
    def adam(self) -> int:
        """Bytes of Adam's two moments."""
        return 2 * self.parameters


def cost(subject: Subject) -> Cost:
    """The cost of a layer by formula."""
    sizes, itemsize = subject.sizes, subject.settings.dtype.itemsize
    finals = final_state_names(subject.config)
    outputs = sizes.num_layers * sizes.D * sizes.H_out
    return Cost(
        macs=subject.macs,
        parameters=subject.parameter_bytes,
        states=itemsize * sum(elements(subject.tensors[name].shape) for name in finals),
        activations=itemsize * sizes.steps * (sizes.H_in + outputs),
    )
