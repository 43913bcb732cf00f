"""Command lines that show more, for the entries of several subjects."""

from __future__ import annotations

from typing import Final

CODE: Final = "rnnshape {command} --show code"
WEIGHTS: Final = "rnnshape {command} --show weights"
LAYOUTS: Final = "rnnshape {command} --show layouts"
STATES: Final = "rnnshape {command} --show states"
CELL_STATES: Final = "rnnshape {command} --cell --show states"
LENGTHS: Final = "rnnshape {command} --batch 3 --lengths 10,4,2"
FLOAT32: Final = "rnnshape {command} --dtype float32"
BFLOAT16: Final = "rnnshape {command} --dtype bfloat16"
PROJECTION: Final = "rnnshape lstm --hidden 40 --proj 20"
INSPECT: Final = "rnnshape inspect weights.pt"
INSPECT_MODEL: Final = "rnnshape inspect model.pt"
