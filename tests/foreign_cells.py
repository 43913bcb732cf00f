"""One step of the layers of other frameworks, as their documentation gives the equations.

They stand for libraries that the tests cannot install, and read arrays by the names that they have
there. Each function takes the arrays of one layer and direction, an input (N, I) and the states
(N, H), and returns the new states; that of an LSTM ends in c.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from rnnshape.layer.config import Kind, RNNConfig

Arrays: TypeAlias = Mapping[str, Any]
Step: TypeAlias = Callable[[Arrays, Any, Sequence[Any], Any], Sequence[Any]]


def sigmoid(value: Any) -> Any:
    return 1 / (1 + np.exp(-value))


def relu(value: Any) -> Any:
    return np.maximum(value, 0)


def _lstm(i: Any, f: Any, g: Any, o: Any, c: Any) -> Sequence[Any]:
    """The states of an LSTM, of the sums that its gates are made of."""
    after = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(after), after


def _gru(r: Any, z: Any, h: Any, x_n: Any, h_n: Any) -> Sequence[Any]:
    """The state of a GRU whose reset gate multiplies the product."""
    z = sigmoid(z)
    return ((1 - z) * np.tanh(x_n + sigmoid(r) * h_n) + z * h,)


def _tf1_lstm(w: Arrays, x: Any, states: Sequence[Any], _: Any) -> Sequence[Any]:
    h, c = states
    i, j, f, o = np.split(np.concatenate([x, h], 1) @ w["kernel"] + w["bias"], 4, axis=1)
    h, c = _lstm(i, f, j, o, c)
    return (h @ w["projection/kernel"] if "projection/kernel" in w else h), c


def _tf1_gru(w: Arrays, x: Any, states: Sequence[Any], _: Any) -> Sequence[Any]:
    (h,) = states
    r, u = np.split(np.concatenate([x, h], 1) @ w["gates/kernel"] + w["gates/bias"], 2, axis=1)
    given, hidden = (f"candidate/{side}_projection" for side in ("input", "hidden"))
    x_n = x @ w[f"{given}/kernel"] + w[f"{given}/bias"]
    return _gru(r, u, h, x_n, h @ w[f"{hidden}/kernel"] + w[f"{hidden}/bias"])


def _tf1_rnn(w: Arrays, x: Any, states: Sequence[Any], activation: Any) -> Sequence[Any]:
    return (activation(np.concatenate([x, states[0]], 1) @ w["kernel"] + w["bias"]),)


def _mxnet(w: Arrays, x: Any, states: Sequence[Any], activation: Any) -> Sequence[Any]:
    h = states[0]
    i2h = x @ w["i2h_weight"].T + w["i2h_bias"]
    h2h = h @ w["h2h_weight"].T + w["h2h_bias"]
    gates = w["h2h_bias"].size // states[-1].shape[1]
    if gates == 4:
        i, f, g, o = np.split(i2h + h2h, 4, axis=1)
        h, c = _lstm(i, f, g, o, states[1])
        return (h @ w["h2r_weight"].T if "h2r_weight" in w else h), c
    if gates == 3:
        (r, z, x_n), (h_r, h_z, h_n) = (np.split(each, 3, axis=1) for each in (i2h, h2h))
        return _gru(r + h_r, z + h_z, h, x_n, h_n)
    return (activation(i2h + h2h),)


def _tensorrt(w: Arrays, x: Any, states: Sequence[Any], activation: Any) -> Sequence[Any]:
    h = states[0]

    def given(gate: str) -> Any:
        return x @ w[f"W[{gate}]"].T + w[f"Wb[{gate}]"]

    def hidden(gate: str) -> Any:
        return h @ w[f"R[{gate}]"].T + w[f"Rb[{gate}]"]

    if "W[CELL]" in w:
        i, f, g, o = (given(g) + hidden(g) for g in ("INPUT", "FORGET", "CELL", "OUTPUT"))
        return _lstm(i, f, g, o, states[1])
    if "W[RESET]" in w:
        r, z = (given(gate) + hidden(gate) for gate in ("RESET", "UPDATE"))
        return _gru(r, z, h, given("HIDDEN"), hidden("HIDDEN"))
    return (activation(given("INPUT") + hidden("INPUT")),)


def _coreml(w: Arrays, x: Any, states: Sequence[Any], activation: Any) -> Sequence[Any]:
    h = states[0]
    given, hidden = x @ w["weight_ih"].T + w.get("bias", 0), h @ w["weight_hh"].T
    gates = w["weight_hh"].shape[0] // h.shape[1]
    if gates == 4:
        i, f, o, z = np.split(given + hidden, 4, axis=1)
        return _lstm(i, f, z, o, states[1])
    if gates == 3:
        (r, x_n, z), (h_r, h_n, h_z) = (np.split(each, 3, axis=1) for each in (given, hidden))
        return _gru(r + h_r, z + h_z, h, x_n, h_n)
    return (activation(given + hidden),)


def _onednn(w: Arrays, x: Any, states: Sequence[Any], activation: Any) -> Sequence[Any]:
    h = states[0]
    given = np.einsum("ni,igo->gno", x, w["weights_layer"])
    hidden = np.einsum("ni,igo->gno", h, w["weights_iter"])
    gates = len(given)
    bias = w.get("bias", np.zeros((4, given.shape[-1])))[:, None]
    if gates == 4:
        i, f, g, o = given + hidden + bias
        h, c = _lstm(i, f, g, o, states[1])
        return (h @ w["weights_projection"] if "weights_projection" in w else h), c
    if gates == 3:
        u, r = given[:2] + hidden[:2] + bias[:2]
        return _gru(r, u, h, given[2] + bias[2], hidden[2] + bias[3])
    return (activation(given[0] + hidden[0] + bias[0]),)


def _cudnn(w: Arrays, x: Any, states: Sequence[Any], activation: Any) -> Sequence[Any]:
    names = {"i2h_weight": "weight_ih", "h2h_weight": "weight_hh", "h2r_weight": "weight_hr"}
    renamed = {name: w[own] for name, own in names.items() if own in w}
    for name, own in (("i2h_bias", "bias_ih"), ("h2h_bias", "bias_hh")):
        renamed[name] = w.get(own, np.zeros(len(w["weight_ih"])))
    return _mxnet(renamed, x, states, activation)


def _step(name: str, kind: Kind) -> Step:
    if name == "tf1":
        return {Kind.LSTM: _tf1_lstm, Kind.GRU: _tf1_gru, Kind.RNN: _tf1_rnn}[kind]
    return {
        "mxnet": _mxnet,
        "tensorrt": _tensorrt,
        "coreml": _coreml,
        "onednn": _onednn,
        "cudnn": _cudnn,
    }[name]


def output(name: str, config: RNNConfig, layers: Sequence[Sequence[Arrays]], x: Any) -> Any:
    """The output (L, N, D*H) of a stack in one framework for an input (L, N, I)."""
    step = _step(name, config.kind)
    activation = relu if config.nonlinearity == "relu" else np.tanh
    for directions in layers:
        ways = []
        for direction, arrays in enumerate(directions):
            states: Sequence[Any] = [np.zeros((x.shape[1], config.output_size))]
            if config.kind is Kind.LSTM:
                states = [*states, np.zeros((x.shape[1], config.hidden_size))]
            outputs = []
            for at in x[::-1] if direction else x:
                states = step(arrays, at, states, activation)
                outputs.append(states[0])
            ways.append(np.stack(outputs[::-1] if direction else outputs))
        x = np.concatenate(ways, axis=-1)
    return x
