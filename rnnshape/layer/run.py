"""What a run of a layer found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rnnshape.layer.facts import Claim, Dims
from rnnshape.layer.input import InputSpec

Observed: TypeAlias = "int | bool | Dims | None"  # None: there is no such tensor or weight


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """Something for which the formulas and PyTorch give different values."""

    what: str  # a tensor's or a weight's name, "parameters", or a claim
    predicted: Observed
    measured: Observed


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one probe found."""

    value: Any  # what JSON shows, or records for a section
    remark: str = ""  # what the verdict adds: "PyTorch counts 13,440,000 FLOPs"
    mismatches: tuple[Mismatch, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of the layer, compared with the prediction."""

    torch_version: str
    input_spec: InputSpec  # on the meta device it may have fewer steps than the subject's
    claims: tuple[Claim, ...]  # judged
    mismatches: tuple[Mismatch, ...]  # of the forward pass and of every probe
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)  # by the name of the probe

    @property
    def agrees(self) -> bool:
        """Whether PyTorch does what was predicted."""
        return not self.mismatches

    def value(self, probe: str) -> Any:
        """What a probe found; None if it did not run or does not apply."""
        outcome = self.outcomes.get(probe)
        return None if outcome is None else outcome.value


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Seconds that something took, over repeated runs."""

    median: float
    lower: float  # the lower quartile
    upper: float  # the upper quartile


@dataclass(frozen=True, kw_only=True)
class Timing(Spread):
    """How long one forward pass took in inference, over repeated runs."""

    constructor: str
    seq_len: int  # fewer steps than the input has, where all of them would take too long
    macs: int  # of these steps
    runs: int
    threads: int  # of PyTorch, on the CPU


@dataclass(frozen=True, kw_only=True)
class Training:
    """What training steps took: forward in train mode, a scalar loss, backward, the optimizer."""

    kept: int  # bytes of what autograd keeps for backward, besides the weights and the input
    predicted: int | None  # bytes by formula; None on a device whose kernels have none
    workspace: int  # bytes, among those kept, of oneDNN's workspace or cuDNN's reserve
    onednn: bool  # whether the prediction is of oneDNN's kernel
    gradients: int  # bytes
    optimizer: int  # bytes of the optimizer's state
    peak: int | None  # bytes, at most, by which memory in use grew; None where that is unknown
    forward: Spread
    backward: Spread
    step: Spread  # of the optimizer
    runs: int
    threads: int  # of PyTorch, on the CPU
