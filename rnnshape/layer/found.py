"""Where a layer was found: in which file or model, and the evidence for its config."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from rnnshape.layer.calls import Call
from rnnshape.layer.recognition import Recognised

STATE_DICT: Final = "state dict"  # the format of one that is in memory, in no file


@dataclass(frozen=True, kw_only=True)
class Loading:
    """How Python gets the state dict that holds the weights."""

    imports: tuple[str, ...]  # the lines that it needs: "import safetensors.torch"
    state: str  # an expression: `torch.load("weights.pt", map_location="cpu")["model"]`


@dataclass(frozen=True, kw_only=True)
class Found:
    """A layer in a file or a model."""

    holder: str  # the file or the model, as it was given: "weights.pt", "net.py:Tagger"
    format: str  # "PyTorch checkpoint", "ONNX model", "model"
    recognised: Recognised = field(hash=False)
    keys: tuple[str | int, ...] = ()  # those that lead to its state dict in the file
    from_file: bool = True  # the file is the measurement, so that no run is needed
    loading: Loading | None = None  # where PyTorch can load its weights
    code_ran: bool = False  # of the user, which made the model
    # Those in the model's forward pass, in their order; None where it did not run, or where they
    # cannot be seen.
    calls: tuple[Call, ...] | None = None

    @property
    def in_memory(self) -> bool:
        """Whether it was found in a state dict of Python, and no file was read."""
        return self.format == STATE_DICT
