"""What a layer costs: multiply-adds of one forward pass, and bytes that training holds."""

from __future__ import annotations

from dataclasses import dataclass

from rnnshape.layer.config import DType, InputSpec, RNNConfig
from rnnshape.layer.formulas import (
    elements,
    final_state_names,
    layout,
    macs,
    plain_sizes,
    weights,
)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Counts of the whole input, and bytes in one dtype."""

    macs: int
    parameters: int  # bytes
    states: int  # bytes of the final states
    activations: int  # bytes of the input and of every layer's output
    gates: int  # bytes of all gates of every step, which the backward pass needs

    @property
    def flops(self) -> int:
        """A multiply-add is two operations."""
        return 2 * self.macs

    @property
    def gradients(self) -> int:
        """Bytes of the parameters' gradients."""
        return self.parameters

    @property
    def adam(self) -> int:
        """Bytes of Adam's two moments."""
        return 2 * self.parameters


def cost(config: RNNConfig, input_spec: InputSpec, dtype: DType) -> Cost:
    """The cost of a layer by formula."""
    sizes = plain_sizes(config, input_spec)
    own = weights(config, sizes)
    tensors = layout(config, input_spec, sizes)
    copies = sizes.num_layers * sizes.D
    return Cost(
        macs=macs(own, sizes),
        parameters=dtype.itemsize * own.parameters,
        states=dtype.itemsize
        * sum(elements(tensors[name].shape) for name in final_state_names(config)),
        activations=dtype.itemsize * sizes.steps * (sizes.H_in + copies * sizes.H_out),
        gates=dtype.itemsize * sizes.steps * copies * config.kind.gates * sizes.H_cell,
    )
