"""What a layer is given and returns when the model that holds it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rnnshape.layer.facts import Dims
from rnnshape.layer.input import InputSpec


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a recurrent layer in a model's forward pass, or several equal ones in a row."""

    input_spec: InputSpec
    # What went in and came out, by the names of `formulas.layout`. Of a packed layer: `data`, and
    # as `output` the steps that it returns, since neither is padded.
    tensors: Mapping[str, Dims] = field(hash=False)
    # The axis of the layer's input along which the first axis of the model's first input lies;
    # None where the values do not show it.
    first_axis: int | None = None
    own_forward: bool = False  # of a subclass, which may do otherwise than torch.nn
    count: int = 1

    @property
    def packed(self) -> bool:
        """Whether the layer read a PackedSequence."""
        return "data" in self.tensors
