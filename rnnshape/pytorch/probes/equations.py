"""The cell's equations step by step, in float64, compared with the layer that PyTorch runs.

They are written from PyTorch's documentation over the rows that `formulas.gate_rows` names, without
any of PyTorch's recurrent kernels. Where the two agree, the gates section is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch

from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import gate_rows
from rnnshape.layer.input import InputSpec
from rnnshape.layer.run import Outcome
from rnnshape.layer.settings import DType, Settings
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.backend import refusals
from rnnshape.pytorch.building import called, named_results, prepared
from rnnshape.pytorch.probes import power_above, within

_STEPS: Final = 3
_ROWS: Final = 2
_MOST_PARAMETERS: Final = 5_000_000
# Rounding in float64 stays far below this; a wrong equation goes far beyond it.
TOLERANCE: Final = 1e-10


def equations(subject: Subject) -> Outcome | None:
    """The largest difference between the results and the equations'; None for a large layer.

    It is measured on the CPU in float64 whatever the settings, since the equations are the same
    everywhere, and with a few steps of a small batch.
    """
    if subject.parameters > _MOST_PARAMETERS:
        return None
    difference = largest_difference(subject.changed(batch_first=False).config)
    return Outcome(
        value=difference,
        remark=f"the equations hold within {power_above(difference)} in float64 on the CPU",
        mismatches=within("the cell's equations", difference, TOLERANCE),
    )


def largest_difference(config: RNNConfig) -> float:
    """How far output and states differ from the equations; `config` is not batch_first."""
    small = Subject(
        config=config,
        input_spec=InputSpec(batch_size=_ROWS, seq_len=_STEPS),
        settings=Settings(dtype=DType.FLOAT64),
    )
    with torch.inference_mode():
        with refusals(small):
            layer = prepared(small)
            returned = named_results(config, called(layer.module, layer.read))
        parameters = dict(layer.module.named_parameters())
        expected = named_results(config, _all_steps(config, parameters, layer.padded))
        each = [(returned[name] - expected[name]).abs().max() for name in returned]
        return float(torch.stack(each).max())


_Weights = Mapping[str, torch.Tensor]
_State = tuple[torch.Tensor, ...]  # h, and c of an LSTM


def _all_steps(
    config: RNNConfig, parameters: _Weights, given: torch.Tensor
) -> tuple[torch.Tensor | _State, ...]:
    """What the whole layer returns, stacked layers and directions included."""
    if config.cell:
        return _step(config, parameters, given, _zeros(config))
    stems = {name.removesuffix("_l0") for name in parameters if name.endswith("_l0")}
    below, finals = given, []
    for layer in range(config.num_layers):
        halves = []
        for suffix in ("", "_reverse")[: config.directions]:
            own = {stem: parameters[f"{stem}_l{layer}{suffix}"] for stem in stems}
            half, final = _direction(config, own, below, reverse=bool(suffix))
            halves.append(half)
            finals.append(final)
        below = torch.cat(halves, -1)
    return below, tuple(torch.stack(each) for each in zip(*finals, strict=True))


def _direction(
    config: RNNConfig, own: _Weights, given: torch.Tensor, *, reverse: bool
) -> tuple[torch.Tensor, _State]:
    state, outputs = _zeros(config), []
    for step in reversed(given) if reverse else given:
        state = _step(config, own, step, state)
        outputs.append(state[0])
    return torch.stack(outputs[::-1] if reverse else outputs), state


def _step(config: RNNConfig, own: _Weights, x: torch.Tensor, state: _State) -> _State:
    """One step of one layer in one direction, gate by gate."""
    h = state[0]
    x_part, h_part = x @ own["weight_ih"].T, h @ own["weight_hh"].T
    if config.bias:
        x_part, h_part = x_part + own["bias_ih"], h_part + own["bias_hh"]
    rows = gate_rows(config)
    from_x = {gate: x_part[:, rows[gate]] for gate in rows}
    from_h = {gate: h_part[:, rows[gate]] for gate in rows}
    match config.kind:
        case Kind.LSTM:
            i, f, o = (torch.sigmoid(from_x[gate] + from_h[gate]) for gate in "ifo")
            g = torch.tanh(from_x["g"] + from_h["g"])
            c = f * state[1] + i * g
            h = o * torch.tanh(c)
            return (h @ own["weight_hr"].T if config.proj_size else h, c)
        case Kind.GRU:
            r, z = (torch.sigmoid(from_x[gate] + from_h[gate]) for gate in "rz")
            n = torch.tanh(from_x["n"] + r * from_h["n"])
            return ((1 - z) * n + z * h,)
        case Kind.RNN:
            total = from_x["h"] + from_h["h"]
            return (torch.relu(total) if config.nonlinearity == "relu" else torch.tanh(total),)


def _zeros(config: RNNConfig) -> _State:
    h = torch.zeros(_ROWS, config.output_size, dtype=torch.float64, device="cpu")
    c = torch.zeros(_ROWS, config.hidden_size, dtype=torch.float64, device="cpu")
    return (h, c) if config.kind is Kind.LSTM else (h,)
