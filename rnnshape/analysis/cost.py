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
    macs_per_step: int  # of one sequence
    parameters: int  # bytes
    input: int  # bytes
    output: int  # bytes of the last layer's output; a cell has none besides its states
    states: int  # bytes of the final states

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
    tensors, itemsize = subject.tensors, subject.settings.dtype.itemsize

    def size(*names: str) -> int:
        return itemsize * sum(elements(tensors[name].shape) for name in names)

    return Cost(
        macs=subject.macs,
        macs_per_step=subject.weights.matrix_elements,
        parameters=subject.parameter_bytes,
        input=size("input"),
        output=0 if subject.config.cell else size("output"),
        states=size(*final_state_names(subject.config)),
    )
