"""What PyTorch will do, by formula alone: nothing here imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from rnnshape.layer.config import InputSpec, RNNConfig
from rnnshape.layer.facts import Claim, Facts, Part, Tensor, part
from rnnshape.layer.formulas import layout, named_sizes, stateless_results, weights


def predict(config: RNNConfig, input_spec: InputSpec) -> Facts:
    """The shapes, weights and equalities of one forward pass; every size is a Dim."""
    sizes = named_sizes(config, input_spec)
    tensors = layout(config, input_spec, sizes)
    layer_weights = weights(config, sizes)
    return Facts(
        tensors=tensors,
        weights=layer_weights,
        parameters=layer_weights.parameters,
        claims=(
            *_final_states(config, tensors),
            *(_zero_states(config) if input_spec.with_state else ()),
        ),
    )


def _zero_states(config: RNNConfig) -> Iterator[Claim]:
    """States left out are zeros."""
    for name, stateless in stateless_results(config).items():
        yield Claim(code="zero-state", left=Part(tensor=name), right=Part(tensor=stateless))


def _final_states(config: RNNConfig, tensors: Mapping[str, Tensor]) -> Iterator[Claim]:
    """Where h_n and output hold the same numbers; on every device bit by bit."""
    output, h_n = tensors["output"], tensors["h_n"]
    last_step = {"seq": -1}
    if not config.bidirectional:
        only_layer = config.num_layers == 1
        yield Claim(
            code="all-of-h_n" if only_layer else "last-layer",
            left=part(output, last_step),
            right=part(h_n, {"layer*dir": 0 if only_layer else -1}),
        )
        return
    width = int(config.output_size)
    forward, reverse = {"feature": slice(None, width)}, {"feature": slice(width, None)}
    last_forward = part(h_n, {"layer*dir": -2})
    yield Claim(code="forward", left=part(output, {**last_step, **forward}), right=last_forward)
    yield Claim(
        code="reverse",
        left=part(output, {"seq": 0, **reverse}),
        right=part(h_n, {"layer*dir": -1}),
    )
    by_layer = (config.num_layers, config.directions, *map(int, h_n.shape[1:]))
    viewed = replace(part(h_n, {}), view=by_layer, index=(-1, 0))
    yield Claim(code="view", left=viewed, right=last_forward)
