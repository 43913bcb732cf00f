"""The cell's equations step by step, in float64, compared with the layer that PyTorch runs.

Written from PyTorch's documentation over the rows that `formulas.gate_rows` names, without any
of PyTorch's recurrent kernels: where the two agree, the gates section is right.
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
from rnnshape.pytorch.backend import quiet_state, refusals
from rnnshape.pytorch.building import called, prepared
from rnnshape.pytorch.probes import bound, within

_STEPS: Final = 3
_ROWS: Final = 2
_MOST_PARAMETERS: Final = 5_000_000
# Errors of float64 stay far below, a wrong equation far above.
TOLERANCE: Final = 1e-10


def equations(subject: Subject) -> Outcome | None:
    """The largest difference of output and states from the equations; None for a large layer.

    On the CPU in float64, whatever the settings: it is the equations that are tested. The layer
    reads a few steps of a small batch, since the equations depend on no other sizes.
    """
    if subject.parameters > _MOST_PARAMETERS:
        return None
    difference = largest_difference(subject.changed(batch_first=False).config)
    return Outcome(
        value=difference,
        remark=f"the equations hold within {bound(difference)} in float64 on the CPU",
        mismatches=within("the cell's equations", difference, TOLERANCE),
    )


def largest_difference(config: RNNConfig) -> float:
    """How far output and states of a layer that is not batch_first are from the equations."""
    small = Subject(
        config=config,
        input_spec=InputSpec(batch_size=_ROWS, seq_len=_STEPS),
        settings=Settings(dtype=DType.FLOAT64),
    )
    with quiet_state(threads=1):
        with refusals(small):
            layer = prepared(small)
            returned = _flat(called(layer.module, layer.read))
        expected = _flat(_layers(config, dict(layer.module.named_parameters()), layer.padded))
        pairs = zip(returned, expected, strict=True)
        return float(torch.stack([(left - right).abs().max() for left, right in pairs]).max())


_Weights = Mapping[str, torch.Tensor]
_State = tuple[torch.Tensor, ...]  # h, and c of an LSTM


def _layers(
    config: RNNConfig, parameters: _Weights, given: torch.Tensor
) -> tuple[torch.Tensor | _State, ...]:
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
    no_bias = own["weight_ih"].new_zeros(config.kind.gates * config.hidden_size)
    b_ih, b_hh = own.get("bias_ih", no_bias), own.get("bias_hh", no_bias)

    def from_input(gate: str) -> torch.Tensor:
        rows = gate_rows(config)[gate]
        return x @ own["weight_ih"][rows].T + b_ih[rows]

    def from_hidden(gate: str) -> torch.Tensor:
        rows = gate_rows(config)[gate]
        return h @ own["weight_hh"][rows].T + b_hh[rows]

    match config.kind:
        case Kind.LSTM:
            i, f, o = (torch.sigmoid(from_input(gate) + from_hidden(gate)) for gate in "ifo")
            g = torch.tanh(from_input("g") + from_hidden("g"))
            c = f * state[1] + i * g
            h = o * torch.tanh(c)
            return (h @ own["weight_hr"].T if config.proj_size else h, c)
        case Kind.GRU:
            r, z = (torch.sigmoid(from_input(gate) + from_hidden(gate)) for gate in "rz")
            n = torch.tanh(from_input("n") + r * from_hidden("n"))
            return ((1 - z) * n + z * h,)
        case Kind.RNN:
            total = from_input("h") + from_hidden("h")
            return (torch.relu(total) if config.nonlinearity == "relu" else torch.tanh(total),)


def _zeros(config: RNNConfig) -> _State:
    h = torch.zeros(_ROWS, config.output_size, dtype=torch.float64, device="cpu")
    c = torch.zeros(_ROWS, config.hidden_size, dtype=torch.float64, device="cpu")
    return (h, c) if config.kind is Kind.LSTM else (h,)


def _flat(returned: object) -> list[torch.Tensor]:
    if isinstance(returned, torch.Tensor):
        return [returned]
    assert isinstance(returned, tuple)
    return [tensor for each in returned for tensor in _flat(each)]
