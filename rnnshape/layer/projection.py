"""When an LSTM's projection saves parameters: arithmetic over sizes alone."""

from __future__ import annotations


def largest_saving_projection(hidden_size: int, num_layers: int, directions: int) -> int:
    """The largest `proj_size` that saves parameters, or 0 if none does.

    A projection saves parameters below H*4c/(4c + K), c = 1 + (K - 1)*(D + 1), for K layers and
    D directions; neither `input_size` nor the biases matter.
    """
    numerator, denominator = _break_even(hidden_size, num_layers, directions)
    return (numerator - 1) // denominator


def break_even_projection(hidden_size: int, num_layers: int, directions: int) -> int | None:
    """The `proj_size` that neither saves nor adds parameters, if there is such an integer."""
    numerator, denominator = _break_even(hidden_size, num_layers, directions)
    return numerator // denominator if numerator % denominator == 0 else None


def _break_even(hidden_size: int, num_layers: int, directions: int) -> tuple[int, int]:
    uses = 1 + (num_layers - 1) * (directions + 1)
    return hidden_size * 4 * uses, 4 * uses + num_layers
