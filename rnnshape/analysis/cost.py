"""What a layer costs: operations of one forward pass, and bytes of memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rnnshape.layer.allocation import has_onednn, kept_for_backward
from rnnshape.layer.config import Kind
from rnnshape.layer.formulas import Sizes, final_state_names
from rnnshape.layer.subject import Subject
from rnnshape.layer.weights import elements

POINTWISE: Final = ("sigmoids", "tanhs", "relus", "products")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Counts of the whole input, and bytes in the dtype of the settings."""

    macs: int
    macs_per_step: int  # of one sequence
    pointwise: Mapping[str, int]  # by POINTWISE; no MAC counts these
    parameters: int  # bytes
    int8: int  # bytes of the parameters after dynamic quantization, which leaves biases in float32
    int4: int  # bytes where two elements of a matrix share a byte
    input: int  # bytes
    output: int  # bytes of the last layer's output; a cell has none besides its states
    states: int  # bytes of the final states
    optimizer: int  # bytes of the optimizer's state
    kept: int | None  # bytes that autograd keeps by PyTorch's default kernel; None if not a CPU's
    kept_natively: int | None  # bytes, with oneDNN off
    onednn: bool  # whether the default kernel is oneDNN's

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

    @property
    def inference(self) -> int:
        """Bytes of the parameters, and of what goes in and comes out."""
        return self.parameters + self.input + self.output + self.states

    @property
    def training(self) -> int | None:
        """Bytes that are there when backward begins; None where it is unknown what is kept."""
        if self.kept is None:
            return None
        return self.parameters + self.gradients + self.optimizer + self.input + self.kept


def cost(subject: Subject) -> Cost:
    """The cost of a layer by formula."""
    tensors, settings = subject.tensors, subject.settings
    on_cpu, onednn = settings.device_type == "cpu", has_onednn(subject)
    matrices = subject.weights.matrix_elements
    biases = 4 * (subject.parameters - matrices)

    def size(*names: str) -> int:
        return settings.dtype.itemsize * sum(elements(tensors[name].shape) for name in names)

    return Cost(
        macs=subject.macs,
        macs_per_step=matrices,
        pointwise=pointwise(subject.sizes),
        parameters=subject.parameter_bytes,
        int8=matrices + biases,
        int4=-(-matrices // 2) + biases,
        input=size("input"),
        output=0 if subject.config.cell else size("output"),
        states=size(*final_state_names(subject.config)),
        optimizer=settings.optimizer.moments * subject.parameter_bytes,
        kept=kept_for_backward(subject, onednn=onednn) if on_cpu else None,
        kept_natively=kept_for_backward(subject, onednn=False) if on_cpu else None,
        onednn=onednn,
    )


def pointwise(sizes: Sizes) -> dict[str, int]:
    """How often the equations of the cell apply each function to a number, over the whole input.

    The products are those of gates and states. Sums are not counted.
    """
    config = sizes.config
    of_step = {
        Kind.LSTM: {"sigmoids": 3, "tanhs": 2, "products": 3},
        Kind.GRU: {"sigmoids": 2, "tanhs": 1, "products": 3},
        Kind.RNN: {"relus" if config.nonlinearity == "relu" else "tanhs": 1},
    }[config.kind]
    numbers = sizes.steps * sizes.D * sizes.num_layers * sizes.H_cell
    return {name: count * numbers for name, count in of_step.items()}
