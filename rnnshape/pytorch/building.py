"""Real layers: built in PyTorch, filled with random weights, given an input and called."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

import torch

from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import final_state_names
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.modes import without_onednn

# One block of random numbers fills all weights, since copying is many times faster than drawing.
# Each weight starts at a different place in it, so that no two are equal. Its size is a prime, so
# that the rows of one weight do not repeat.
_BLOCK: Final = 65_521
_OFFSETS: Final = 1021
_COMPLEX_GAIN: Final = 0.25


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A layer in eval mode with random weights, and its input, which is the same on every device.

    `padded` is the input as a tensor; `read`, what the layer is called with, is the same or a
    PackedSequence of it.
    """

    module: torch.nn.Module
    padded: torch.Tensor
    read: Any


def prepared(subject: Subject, module: torch.nn.Module | None = None) -> Prepared:
    """Everything that one forward pass needs except initial states.

    `module` is one that was built for this layer, with whatever input; otherwise one is built.
    """
    random = torch.Generator().manual_seed(0)
    if module is None:
        module = built_module(subject.config, subject.settings)
        if subject.settings.device_type != "meta":
            _fill(module, subject.config, random)
    padded = _random_tensor(_input_shape(subject), subject.settings, random)
    is_packed = subject.input_spec.lengths is not None and not subject.config.cell
    read = _packed_input(subject, padded) if is_packed else padded
    return Prepared(module=module, padded=padded, read=read)


def _input_shape(subject: Subject) -> tuple[int, ...]:
    """The shape of the input, without the formulas that a run is meant to prove."""
    config, spec = subject.config, subject.input_spec
    steps = () if config.cell else (spec.seq_len,)
    batch = (spec.batch_size,) if spec.batched else ()
    first = (*batch, *steps) if config.batch_first else (*steps, *batch)
    return (*first, config.input_size)


def torch_class(config: RNNConfig) -> Any:
    """The class of torch.nn that such a layer is of."""
    return getattr(torch.nn, config.class_name.removeprefix("nn."))


def built_module(config: RNNConfig, settings: Settings) -> torch.nn.Module:
    """The layer in eval mode, without PyTorch's initialization, the slowest part of building it."""
    parent = torch_class(config)
    kind = type(parent.__name__, (parent,), {"reset_parameters": lambda _self: None})
    names = ["bias"]
    if not config.cell:
        names += ["num_layers", "batch_first", "bidirectional"]
    # The kinds that lack proj_size or nonlinearity refuse the argument whatever its value.
    names += ["proj_size"] * bool(config.proj_size)
    names += ["nonlinearity"] * (config.kind is Kind.RNN)
    module = kind(
        config.input_size,
        config.hidden_size,
        **{name: getattr(config, name) for name in names},
        device=settings.device,
        dtype=_torch_dtype(settings),
    )
    if not config.cell:
        module.dropout = config.dropout  # the constructor warns of it; the report has a finding
    built: torch.nn.Module = module.eval()  # dropout would make each call different
    return built


def _fill(module: torch.nn.Module, config: RNNConfig, random: torch.Generator) -> None:
    """Fill in values that saturate no gate and are all large enough to matter.

    Each weight is scaled by how many products are summed with it; PyTorch's own range depends on
    hidden_size alone. Complex weights are smaller still: complex sigmoid and tanh have poles at
    i*pi and i*pi/2, near which values become NaN, which equals nothing.
    """
    parameters = list(module.parameters())
    like = parameters[0]
    size = min(_BLOCK, max(value.numel() for value in parameters)) + _OFFSETS
    drawn = torch.rand(size, generator=random, dtype=torch.float32, device="cpu") * 2 - 1
    gain = _COMPLEX_GAIN if like.is_complex() else 1.0
    block = (gain * drawn).to(device=like.device, dtype=like.dtype)
    for number, value in enumerate(parameters):
        start = number * 7 % _OFFSETS
        summed = value.shape[1] if value.dim() == 2 else config.hidden_size
        for piece in torch.split(value.view(-1), size - _OFFSETS):
            torch.mul(block[start : start + piece.numel()], summed**-0.5, out=piece)


def _random_tensor(
    shape: tuple[int, ...], settings: Settings, random: torch.Generator
) -> torch.Tensor:
    """Normally distributed values, drawn on the CPU to be the same on every device."""
    dtype = _torch_dtype(settings)
    if settings.device_type == "meta":
        return torch.empty(shape, device="meta", dtype=dtype)
    drawn_dtype = torch.complex64 if dtype.is_complex else torch.float32
    drawn = torch.randn(shape, generator=random, dtype=drawn_dtype, device="cpu")
    return drawn.to(device=settings.device, dtype=dtype)


def _packed_input(subject: Subject, padded: torch.Tensor) -> torch.nn.utils.rnn.PackedSequence:
    """The padded input as a PackedSequence; the lengths may be in any order."""
    sequence = torch.nn.utils.rnn.pack_padded_sequence(
        padded,
        torch.tensor(subject.input_spec.lengths, device="cpu"),
        batch_first=subject.config.batch_first,
        enforce_sorted=False,
    )
    if padded.is_meta:  # the order of the rows is then on meta too, and cannot be read back
        return torch.nn.utils.rnn.PackedSequence(sequence.data, sequence.batch_sizes)
    return sequence


def called(module: Any, read: Any, states: tuple[torch.Tensor, ...] = ()) -> Any:
    """What the module returns for an input and for initial states, if there are any."""
    arguments: tuple[Any, ...] = (read,)
    if states:
        given = states if len(states) > 1 else states[0]
        if isinstance(read, torch.nn.utils.rnn.PackedSequence):
            # An LSTM does not check its states when the input is packed; its kernel then reads
            # beyond states that are too small.
            module.check_forward_args(read.data, given, read.batch_sizes)
        arguments = (read, given)
    with without_onednn() if isinstance(module, torch.nn.LSTM) else nullcontext():
        return module.forward(*arguments)  # calling the module would run global hooks, be traced


def named_results(config: RNNConfig, returned: Any) -> dict[str, torch.Tensor]:
    """What the layer returned, by name, with a PackedSequence padded again."""
    if config.cell:
        states, output = returned, {}
    else:
        sequence, states = returned
        if isinstance(sequence, torch.nn.utils.rnn.PackedSequence):
            sequence, _ = torch.nn.utils.rnn.pad_packed_sequence(
                sequence, batch_first=config.batch_first
            )
        output = {"output": sequence}
    names = final_state_names(config)
    each = states if isinstance(states, tuple) else (states,)
    return output | dict(zip(names, each, strict=True))


def _torch_dtype(settings: Settings) -> torch.dtype:
    """PyTorch's dtype. Raises RequestError where this release does not have it yet."""
    dtype: torch.dtype | None = getattr(torch, settings.dtype.value, None)
    if dtype is None:
        raise RequestError(
            f"torch {torch.__version__} has no {settings.dtype.value}",
            hint="{dtype}, or {run} for the formulas alone",
            dtype="float32",
            run=False,
        )
    return dtype
