"""The mistakes that are known, one module for each subject; a module has a tuple ENTRIES.

Where two entries have the same wording, the first whose `read` accepts the text is taken.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rnnshape.analysis.explanation.entry import Entry

SUBJECTS: Final = (
    *("parallel", "quantized", "losses", "states", "inputs", "devices", "dtypes", "kernels"),
    *("packing", "tuples", "constructors", "export"),
    *("checkpoints", "state_dicts", "old_pickles"),
    *("embeddings", "products", "sizes", "autograd"),
)


@cache
def entries() -> tuple[Entry, ...]:
    """Every entry, in the order of the subjects."""
    modules = (import_module(f"{__name__}.{subject}") for subject in SUBJECTS)
    return tuple(entry for module in modules for entry in module.ENTRIES)
