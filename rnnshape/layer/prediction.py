"""What PyTorch will do, by formula alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from rnnshape.dims import named
from rnnshape.layer.config import RNNConfig
from rnnshape.layer.facts import Cat, Claim, Facts, Part, Tensor, part
from rnnshape.layer.formulas import (
    batch_sizes,
    layout,
    macs,
    read_next,
    stateless_results,
    weights,
)
from rnnshape.layer.subject import Subject


def predict(subject: Subject) -> Facts:
    """The shapes, weights and claims of one forward pass; every size is a Dim."""
    sizes, itemsize = subject.named_sizes, subject.settings.dtype.itemsize
    tensors = layout(sizes)
    layer_weights = weights(sizes)
    parameters = layer_weights.parameters
    return Facts(
        tensors=tensors,
        weights=layer_weights,
        counts={
            "parameters": parameters,
            "parameter_bytes": named("itemsize", itemsize) * parameters,
            "macs": macs(layer_weights, sizes),
            "next_linear": read_next(tensors).shape[-1],
        },
        claims=tuple(_claims(subject, tensors)),
        batch_sizes=batch_sizes(subject.input_spec.lengths or ()) if "data" in tensors else None,
    )


def _claims(subject: Subject, tensors: Mapping[str, Tensor]) -> Iterator[Claim]:
    config, spec = subject.config, subject.input_spec
    if spec.with_state:
        # States that are left out are zeros.
        for name, stateless in stateless_results(config, packed="data" in tensors).items():
            yield Claim(code="zero-state", left=Part(tensor=name), right=Part(tensor=stateless))
    if config.cell:
        return
    output, h_n = tensors["output"], tensors["h_n"]
    if spec.lengths is None:
        yield from _final_states(config, spec.seq_len, output, h_n)
    else:
        yield from _final_states_of_rows(config, spec.lengths, output, h_n)
    if config.bidirectional:
        yield from _directions(config, h_n)
    if spec.batched and spec.batch_size > 1 and h_n.shape[0] > 1:
        yield from _rows_of_sequences(spec.batch_size, h_n)


def _final_states(config: RNNConfig, seq_len: int, output: Tensor, h_n: Tensor) -> Iterator[Claim]:
    """Where h_n and output hold the same numbers, bit for bit, and where they do not."""
    last_step = {"seq": -1}
    if not config.bidirectional:
        only_layer = config.num_layers == 1
        yield Claim(
            code="all-of-h_n" if only_layer else "last-layer",
            left=part(output, last_step),
            right=part(h_n, {"layer*dir": 0 if only_layer else -1}),
        )
        return
    width = config.output_size
    forward, reverse = {"feature": slice(None, width)}, {"feature": slice(width, None)}
    last_forward, last_reverse = (part(h_n, {"layer*dir": index}) for index in (-2, -1))
    yield Claim(code="forward", left=part(output, {**last_step, **forward}), right=last_forward)
    yield Claim(code="reverse", left=part(output, {"seq": 0, **reverse}), right=last_reverse)
    if seq_len > 1:
        yield Claim(
            code="not-the-last-step",
            left=part(output, last_step),
            relation="!=",
            right=Cat(parts=(last_forward, last_reverse)),
        )


def _final_states_of_rows(
    config: RNNConfig, lengths: tuple[int, ...], output: Tensor, h_n: Tensor
) -> Iterator[Claim]:
    """The same for each row of a packed batch: it ends at its own last step, then zeros follow."""
    width = config.output_size
    forward, reverse = {"feature": slice(None, width)}, {"feature": slice(width, None)}
    if not config.bidirectional:
        forward = {}
    longest = max(lengths)
    for row, length in enumerate(lengths):
        final = part(h_n, {"layer*dir": -config.directions, "batch": row})
        ends = part(output, {"seq": length - 1, "batch": row, **forward})
        yield Claim(code="row-end", row=row, left=ends, right=final)
        if config.bidirectional:
            yield Claim(
                code="row-start",
                row=row,
                left=part(output, {"seq": 0, "batch": row, **reverse}),
                right=part(h_n, {"layer*dir": -1, "batch": row}),
            )
        if length < longest:
            padding = part(output, {"seq": -1, "batch": row, **forward})
            yield Claim(code="row-padding", row=row, left=padding, relation="!=", right=final)


def _rows_of_sequences(batch: int, h_n: Tensor) -> Iterator[Claim]:
    """How h_n becomes one row for each sequence, and how it does not."""
    rows = Part(tensor=h_n.name, view=(batch, -1), index=(0,))
    own = replace(part(h_n, {"batch": 0}), flat=True)
    yield Claim(code="sequence-row", left=replace(rows, swapped=True), right=own)
    yield Claim(code="mixed-row", left=rows, relation="!=", right=own)


def _directions(config: RNNConfig, h_n: Tensor) -> Iterator[Claim]:
    """How to split h_n by layer and direction, and how to shape it for a one-way decoder."""
    layers, width, rest = config.num_layers, config.output_size, tuple(map(int, h_n.shape[1:-1]))
    split = Part(tensor=h_n.name, view=(layers, 2, *rest, width))
    last_forward = part(h_n, {"layer*dir": -2})
    yield Claim(code="view", left=replace(split, index=(-1, 0)), right=last_forward)
    forwards, reverses = (part(h_n, {"layer*dir": slice(start, None, 2)}) for start in (0, 1))
    if layers > 1:
        half = part(h_n, {"layer*dir": slice(None, layers)})
        yield Claim(code="not-the-forwards", left=half, relation="!=", right=forwards)
    summed = replace(split, summed=1)
    yield Claim(code="decoder-sum", left=summed, right=(layers, *rest, width))
    side_by_side = Cat(parts=(forwards, reverses))
    yield Claim(code="decoder-cat", left=side_by_side, right=(layers, *rest, 2 * width))
