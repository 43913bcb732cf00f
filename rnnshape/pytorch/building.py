"""Real layers: built in PyTorch, filled with random weights, given an input and called."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import torch

from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.formulas import final_state_names
from rnnshape.layer.memory import scale_power
from rnnshape.layer.settings import Settings
from rnnshape.layer.subject import Subject
from rnnshape.pytorch.modes import without_onednn

# One block of random numbers fills all weights, since copying is many times faster than drawing.
# Its size is a prime, so that the rows of one weight do not repeat.
_DRAWN: Final = 65_521
# Each weight starts at a place of its own in it, so that no two of 256 in a row are equal. Kernels
# read fastest where the places are this many numbers apart, 64 bytes in float32.
_PLACES: Final = 256
_APART: Final = 16
# With this seed few small relu layers return nothing but zeros, which prove nothing.
_SEED: Final = 24
_COMPLEX_GAIN: Final = 0.25
# So many numbers are kept for the next layer.
_KEPT: Final = 2**20


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A layer in eval mode with random weights, and its input, which is the same on every device.

    `padded` is the input as a tensor; `read`, what the layer is called with, is the same or a
    PackedSequence of it.
    """

    module: torch.nn.Module
    padded: torch.Tensor
    read: Any


def prepared(
    subject: Subject, module: torch.nn.Module | None = None, *, shared: bool = False
) -> Prepared:
    """Everything that one forward pass needs except initial states.

    `module` is one that was built for this layer, with whatever input; otherwise one is built. With
    `shared`, weights of the same scale overlap in the memory of a CPU, which a pass that only reads
    them cannot tell: it takes the memory of the largest, and a fraction of the time.
    """
    if module is None:
        module = _filled(subject, shared=shared)
    random = torch.Generator().manual_seed(0)
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


def _filled(subject: Subject, *, shared: bool) -> torch.nn.Module:
    """The layer with random weights."""
    config, settings = subject.config, subject.settings
    if settings.device_type == "meta":
        return built_module(config, settings)
    shared = shared and settings.device_type == "cpu"
    module = built_module(config, replace(settings, device="meta") if shared else settings)
    weights, dtype = dict(module.named_parameters()), _torch_dtype(settings)
    powers = [scale_power(weight.shape, config.hidden_size) for weight in weights.values()]
    largest: dict[int, int] = {}
    for power, weight in zip(powers, weights.values(), strict=True):
        largest[power] = max(largest.get(power, 0), weight.numel())
    blocks = {
        power: _block(count if shared else min(count, _DRAWN), power, dtype).to(settings.device)
        for power, count in largest.items()
    }
    for number, (name, weight) in enumerate(weights.items()):
        values = blocks[powers[number]][number % _PLACES * _APART :]
        if shared:
            part = values[: weight.numel()].view(weight.shape)
            setattr(module, name, torch.nn.Parameter(part, requires_grad=False))
        else:
            _copy(values, weight)
    return module


@torch.no_grad()
def _copy(values: torch.Tensor, weight: torch.Tensor) -> None:
    """Fill a weight with the values, again and again."""
    for piece in torch.split(weight.view(-1), _DRAWN):
        piece.copy_(values[: piece.numel()])


def _block(count: int, power: int, dtype: torch.dtype) -> torch.Tensor:
    """Random numbers on the CPU: at least so many after the last place where a weight starts.

    They saturate no gate, and are large enough to matter, whatever the weight: see `scale_power`.
    Complex ones are smaller still, since complex sigmoid and tanh have poles at i*pi and i*pi/2,
    near which values become NaN, which equals nothing.
    """
    if count <= _KEPT:
        return _kept_block(1 << (count - 1).bit_length(), power, dtype)
    return _new_block(count, power, dtype)


def _new_block(count: int, power: int, dtype: torch.dtype) -> torch.Tensor:
    """Exactly so many after that place."""
    size = count + _PLACES * _APART
    most = 0.5 ** (power / 2) * (_COMPLEX_GAIN if dtype.is_complex else 1.0)
    random = torch.Generator().manual_seed(_SEED)  # other numbers than the input
    drawn = torch.rand(min(size, _DRAWN), generator=random, dtype=torch.float32, device="cpu")
    scaled: torch.Tensor = ((2 * drawn - 1) * most).to(dtype)
    return scaled.repeat(-(-size // _DRAWN))[:size]


_kept_block = lru_cache(maxsize=8)(_new_block)


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
    with without_onednn if isinstance(module, torch.nn.LSTM) else nullcontext():
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
