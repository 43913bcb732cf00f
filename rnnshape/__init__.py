"""Shapes, weights, parameters and compute of PyTorch's recurrent layers, predicted and proven."""

TYPE_CHECKING = False  # in place of typing's, which takes longer to import than Python to start
if TYPE_CHECKING:
    from typing import Any

    from rnnshape.api import (
        Explained,
        Report,
        Reports,
        check,
        explain,
        from_state_dict,
        inspect,
        inspect_model,
    )
    from rnnshape.errors import RequestError
    from rnnshape.layer.config import Kind, RNNConfig
    from rnnshape.layer.input import InputSpec
    from rnnshape.layer.settings import DType, Settings

__version__ = "0.2.0"

__all__ = [
    "DType",
    "Explained",
    "InputSpec",
    "Kind",
    "RNNConfig",
    "Report",
    "Reports",
    "RequestError",
    "Settings",
    "__version__",
    "check",
    "explain",
    "from_state_dict",
    "inspect",
    "inspect_model",
]

_PLACES = {
    "RequestError": "rnnshape.errors",
    "Kind": "rnnshape.layer.config",
    "RNNConfig": "rnnshape.layer.config",
    "InputSpec": "rnnshape.layer.input",
    "DType": "rnnshape.layer.settings",
    "Settings": "rnnshape.layer.settings",
    **dict.fromkeys(
        (
            *("Explained", "Report", "Reports", "check", "explain", "from_state_dict"),
            *("inspect", "inspect_model"),
        ),
        "rnnshape.api",
    ),
    "load_ipython_extension": "rnnshape.ipython",
    "unload_ipython_extension": "rnnshape.ipython",
}


def __getattr__(name: str) -> "Any":
    """Import what is exported on first use: the command line needs little of it."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    """The exported names, whether or not they have been imported yet."""
    return sorted(__all__)
