"""Give a recurrent layer to one of rnnshape's peers: `python benchmarks/one_peer.py PEER CASE`.

The peer prints what it prints. The last line is JSON: the parameters and the MACs that it counts,
each null where it counts none.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

HIDDEN_SIZE: Final = 40
NUM_LAYERS: Final = 4


@dataclass(frozen=True, kw_only=True)
class Case:
    """A layer, in both directions, and its input."""

    kind: str = "LSTM"
    proj_size: int = 0
    shape: tuple[int, ...] = (10, 5, 20)  # of the input: seq, batch unless unbatched, feature
    lengths: tuple[int, ...] = ()  # of the sequences, when they are packed


CASES: Final[Mapping[str, Case]] = {
    "LSTM": Case(),
    "projected": Case(proj_size=10),
    "unbatched": Case(shape=(10, 20)),
    "packed": Case(lengths=(10, 8, 6, 4, 2)),
    "GRU": Case(kind="GRU"),
}


class Model(nn.Module):
    """The layer of a case in a module that packs the input if the case says so.

    Some peers count nothing for a layer that is no part of a module, and some take no packed
    sequence as input.
    """

    def __init__(self, case: Case) -> None:
        super().__init__()
        options = {"proj_size": case.proj_size} if case.proj_size else {}
        self.rnn = getattr(nn, case.kind)(
            case.shape[-1], HIDDEN_SIZE, NUM_LAYERS, bidirectional=True, **options
        )
        self.lengths = case.lengths

    def forward(self, x: torch.Tensor) -> Any:
        """What the layer returns for `x`, of the shape of the case."""
        return self.rnn(pack_padded_sequence(x, [*self.lengths]) if self.lengths else x)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What a peer counts; None of what it does not count."""

    parameters: int | None
    macs: int | None  # multiply-adds


def true_counts(case: Case) -> tuple[int, int]:
    """The parameters, and the MACs: each step of each sequence meets every matrix once."""
    steps = sum(case.lengths) or math.prod(case.shape[:-1])
    weights = [*Model(case).parameters()]
    elements = sum(weight.numel() for weight in weights if weight.ndim == 2)
    return sum(weight.numel() for weight in weights), steps * elements


def _torchinfo(case: Case) -> Counts:
    from torchinfo import summary

    found = summary(Model(case), input_data=[torch.randn(case.shape)], verbose=1)
    return Counts(parameters=found.total_params, macs=found.total_mult_adds)


def _fvcore(case: Case) -> Counts:
    from fvcore.nn import FlopCountAnalysis, flop_count_table, parameter_count

    model = Model(case)
    flops = FlopCountAnalysis(model, (torch.randn(case.shape),))
    print(flop_count_table(flops))
    # A multiply-add is one of its FLOPs.
    return Counts(parameters=parameter_count(model)[""], macs=flops.total())


def _thop(case: Case) -> Counts:
    import thop

    macs, parameters = thop.profile(Model(case), inputs=(torch.randn(case.shape),))
    print(macs, parameters)
    return Counts(parameters=int(parameters), macs=int(macs))


def _ptflops(case: Case) -> Counts:
    from ptflops import get_model_complexity_info

    # It adds the axis of the batch itself, unless it is given the input.
    macs, parameters = get_model_complexity_info(
        Model(case),
        case.shape,
        input_constructor=lambda shape: {"x": torch.randn(shape)},
        as_strings=False,
    )
    if macs is None:
        raise SystemExit(1)  # it has printed the error that it caught
    return Counts(parameters=parameters, macs=macs)


def _calflops(case: Case) -> Counts:
    from calflops import calculate_flops

    # Its MACs are always 0.
    flops, _, parameters = calculate_flops(
        Model(case), args=[torch.randn(case.shape)], output_as_string=False
    )
    return Counts(parameters=parameters, macs=flops // 2)


def _torchlens(case: Case) -> Counts:
    import torchlens

    trace = torchlens.trace(Model(case), torch.randn(case.shape))
    print(trace.summary())
    unknown = bool(trace.unknown_flop_ops)
    return Counts(parameters=trace.num_params, macs=None if unknown else int(trace.total_macs))


def _flop_counter_mode(case: Case) -> Counts:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode() as counter:
        Model(case)(torch.randn(case.shape))
    return Counts(parameters=None, macs=counter.get_total_flops() // 2)


def _keras(case: Case) -> Counts:
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    options = {"proj_size": case.proj_size} if case.proj_size else {}
    kind = getattr(keras.layers, case.kind)
    model = keras.Sequential([keras.Input(batch_shape=(*case.shape[-2::-1], case.shape[-1]))])
    if case.lengths:
        model.add(keras.layers.Masking())
    for _ in range(NUM_LAYERS):
        layer = kind(HIDDEN_SIZE, return_sequences=True, **options)
        model.add(keras.layers.Bidirectional(layer))
    model.summary()
    return Counts(parameters=model.count_params(), macs=None)


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Another program for the same work."""

    module: str  # which a process imports to use it
    count: Callable[[Case], Counts]  # and print what the peer prints


PEERS: Final[Mapping[str, Peer]] = {
    "torchinfo": Peer(module="torchinfo", count=_torchinfo),
    "fvcore": Peer(module="fvcore", count=_fvcore),
    "thop": Peer(module="thop", count=_thop),
    "ptflops": Peer(module="ptflops", count=_ptflops),
    "calflops": Peer(module="calflops", count=_calflops),
    "torchlens": Peer(module="torchlens", count=_torchlens),
    "FlopCounterMode": Peer(module="torch", count=_flop_counter_mode),
    "Keras summary": Peer(module="keras", count=_keras),
}


def main(peer: str, case: str) -> None:
    """Print what the peer prints, and its counts."""
    counts = PEERS[peer].count(CASES[case])
    print(json.dumps({"parameters": counts.parameters, "macs": counts.macs}))


if __name__ == "__main__":
    main(*sys.argv[1:])
