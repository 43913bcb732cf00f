"""The command line that asks for a report: what a note needs to be repeated."""

from __future__ import annotations

from collections.abc import Iterator

from rnnshape.layer.config import DType, InputSpec, RNNConfig, Settings
from rnnshape.layer.report import Report


def command_line(report: Report) -> str:
    """`rnnshape lstm --hidden 40 --layers 4 --bidir`: everything that was given, as given."""
    words = [
        "rnnshape",
        report.config.kind.value.lower(),
        *_layer(report.config, report.assumed),
        *_input(report.input_spec, report.assumed),
        *_run(report.settings),
    ]
    return " ".join(words)


def _layer(config: RNNConfig, assumed: frozenset[str]) -> Iterator[str]:
    for option, field in (
        ("--input", "input_size"),
        ("--hidden", "hidden_size"),
        ("--layers", "num_layers"),
        ("--proj", "proj_size"),
        ("--nonlinearity", "nonlinearity"),
        ("--dropout", "dropout"),
    ):
        if field not in assumed and getattr(config, field):
            yield f"{option} {getattr(config, field)}"
    if config.cell:
        yield "--cell"
    if config.bidirectional:
        yield "--bidir"
    if not config.bias:
        yield "--no-bias"
    if config.batch_first:
        yield "--batch-first"


def _input(input_spec: InputSpec, assumed: frozenset[str]) -> Iterator[str]:
    if input_spec.lengths is not None:
        yield f"--lengths {','.join(map(str, input_spec.lengths))}"
    elif not input_spec.batched:
        yield "--unbatched"
    elif "batch_size" not in assumed:
        yield f"--batch {input_spec.batch_size}"
    if "seq_len" not in assumed and input_spec.seq_len != max(input_spec.lengths or (0,)):
        yield f"--seq {input_spec.seq_len}"
    if input_spec.with_state:
        yield "--with-state"


def _run(settings: Settings) -> Iterator[str]:
    if settings.device != "cpu":
        yield f"--device {settings.device}"
    if settings.dtype is not DType.FLOAT32:
        yield f"--dtype {settings.dtype.value}"
