"""By how much a process grows while it runs a layer, each in a process of its own.

`python -m tests.peaks` prints the estimate and the measured peak of each layer in `LAYERS`. Linux
alone tells the peak.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.input import InputSpec
from rnnshape.layer.memory import need
from rnnshape.layer.report import predicted_report
from rnnshape.layer.settings import DType
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.run import with_run
from tests.subjects import subject

_LONG: Final = InputSpec(batch_size=1, seq_len=100_000)
_WIDE: Final = InputSpec(batch_size=20, seq_len=400)
_STEP: Final = InputSpec(batch_size=20_000, seq_len=1)
_NARROW: Final = RNNConfig(kind=Kind.RNN, input_size=1, hidden_size=1)
_LSTM: Final = RNNConfig(kind=Kind.LSTM, input_size=64, hidden_size=400)
_GRU: Final = replace(_LSTM, kind=Kind.GRU)
_RNN: Final = replace(_LSTM, kind=Kind.RNN)

LAYERS: Final = {
    "many steps": subject(_NARROW, _LONG),
    "many steps both ways": subject(
        RNNConfig(kind=Kind.LSTM, input_size=1, hidden_size=1, bidirectional=True),
        replace(_LONG, seq_len=50_000),
    ),
    "LSTM": subject(_LSTM, _WIDE),
    "LSTM both ways": subject(replace(_LSTM, bidirectional=True), _WIDE),
    "GRU both ways": subject(replace(_GRU, bidirectional=True), _WIDE),
    "RNN both ways": subject(replace(_RNN, bidirectional=True), _WIDE),
    "projection": subject(replace(_LSTM, proj_size=50), _WIDE),
    "wide input in 16 bits": subject(
        replace(_RNN, input_size=4096, hidden_size=16), _WIDE, dtype=DType.BFLOAT16
    ),
    "many weights": subject(
        RNNConfig(kind=Kind.LSTM, input_size=1024, hidden_size=1024, num_layers=4),
        InputSpec(batch_size=1, seq_len=2),
    ),
    "large steps": subject(
        replace(_LSTM, hidden_size=1000), replace(_WIDE, batch_size=400, seq_len=20)
    ),
    "large steps both ways": subject(
        replace(_RNN, hidden_size=500, bidirectional=True),
        replace(_WIDE, batch_size=400, seq_len=20),
    ),
    "heavy states": subject(
        replace(_LSTM, hidden_size=256, num_layers=10), replace(_STEP, batch_size=2000)
    ),
    "cell": subject(replace(_GRU, input_size=256, hidden_size=256, cell=True), _STEP),
    "packed": subject(
        replace(_LSTM, hidden_size=300, bidirectional=True),
        InputSpec(batch_size=64, seq_len=200, lengths=tuple(range(200, 136, -1))),
    ),
}


def estimated(layer: Subject) -> int:
    """Bytes that a run needs by the formulas."""
    return need(layer).total


def measured(layer: Subject) -> int:
    """Bytes by which a process grows in a run, after a small one like it."""
    lengths = (3, 1) if layer.input_spec.lengths else None
    spec = replace(layer.input_spec, batch_size=2, seq_len=3, lengths=lengths)
    projected = min(layer.config.proj_size, 2)
    config = replace(layer.config, input_size=3, hidden_size=4, num_layers=1, proj_size=projected)
    like = replace(layer, config=config, input_spec=spec)
    # Where the heap has holes depends on the addresses that the system happens to give.
    return min(_in_child(lambda: _growth(like, layer)) for _ in range(3))


def _growth(first: Subject, then: Subject) -> int:
    with_run(predicted_report(first))
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    with_run(predicted_report(then))
    return _status("VmHWM") - before


def _status(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def _in_child(function: Callable[[], int]) -> int:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, str(function()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return int(text)


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    for name, each in LAYERS.items():
        sys.stdout.write(f"{name}\t{estimated(each)}\t{measured(each)}\n")
        sys.stdout.flush()  # before the next fork
