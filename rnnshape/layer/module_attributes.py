"""What a pickled module or a TorchScript archive says about a recurrent module; it may be false."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rnnshape.computed import cached_property
from rnnshape.layer.config import Kind

_SCRIPTED: Final = re.compile(r"\b__torch__\.|\b___torch_mangle_[0-9]+\.")
_OF_TORCH: Final = re.compile(r"torch\.(?:\w+\.)*rnn\.(?:(LSTM|GRU|RNN)(Cell)?|RNNBase)", re.ASCII)
_MODES: Final = {
    "LSTM": (Kind.LSTM, None),
    "GRU": (Kind.GRU, None),
    "RNN_TANH": (Kind.RNN, "tanh"),
    "RNN_RELU": (Kind.RNN, "relu"),
}
_SIZES: Final = ("input_size", "hidden_size", "num_layers", "proj_size")
_FLAGS: Final = ("bias", "batch_first", "bidirectional")


@dataclass(frozen=True, kw_only=True)
class ModuleAttributes:
    """The attributes of one module, by their names, and its class as "class"."""

    values: Mapping[str, Any]

    @cached_property
    def class_name(self) -> str:
        """The class without what TorchScript adds; "" if it is not known."""
        name = self.values.get("class")
        return _SCRIPTED.sub("", name) if isinstance(name, str) else ""

    @property
    def is_of_torch(self) -> bool:
        """Whether it is one of PyTorch's recurrent classes, rather than a subclass of one."""
        return _OF_TORCH.fullmatch(self.class_name) is not None

    @property
    def is_quantized(self) -> bool:
        """Whether its weights are packed, so that a file may not show them."""
        return self.is_of_torch and ".quantized." in self.class_name

    @cached_property
    def told(self) -> dict[str, Any]:
        """The fields of RNNConfig that it tells; none, if it is not recurrent.

        A value of a type that PyTorch never sets there tells nothing.
        """
        told = self._kind()
        if not told:
            return {}
        for name in _SIZES:
            value = self.values.get(name)
            if isinstance(value, int):
                told[name] = int(value)  # PyTorch takes True for 1
        for name in _FLAGS:
            value = self.values.get(name)
            if isinstance(value, (bool, int)):
                told[name] = bool(value)
        dropout = self.values.get("dropout")
        if (
            isinstance(dropout, (int, float))
            and not isinstance(dropout, bool)
            and 0 <= dropout <= 1
        ):
            told["dropout"] = float(dropout)
        if told["kind"] is Kind.RNN and self.values.get("nonlinearity") in ("tanh", "relu"):
            told["nonlinearity"] = self.values["nonlinearity"]
        return told

    def _kind(self) -> dict[str, Any]:
        mode, match = self.values.get("mode"), _OF_TORCH.fullmatch(self.class_name)
        if isinstance(mode, str) and mode in _MODES:
            kind, nonlinearity = _MODES[mode]
            known = {"nonlinearity": nonlinearity} if nonlinearity else {}
            return {"kind": kind, "cell": False, **known}
        if match is not None and match[1]:
            return {"kind": Kind(match[1]), "cell": match[2] is not None}
        return {}
