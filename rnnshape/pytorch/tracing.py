"""One forward pass of a whole model: what each of its recurrent layers is given and returns."""

from __future__ import annotations

import copy
import inspect
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, replace
from functools import partial
from threading import RLock
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnnshape.errors import RequestError
from rnnshape.layer.calls import Call
from rnnshape.layer.config import RNNConfig
from rnnshape.layer.facts import Dims
from rnnshape.layer.formulas import final_state_names, state_names
from rnnshape.layer.input import InputSpec
from rnnshape.pytorch.importing import described, place_of, said
from rnnshape.pytorch.request import GivenTensor
from rnnshape.silence import silenced

_STATE: Final = "hx"  # what torch.nn calls the states that a layer is given


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """One call of a layer: what the call was, and the values that the layer read."""

    layer: str
    call: Call
    read: Tensor | None  # None where nothing is to be learnt from its values


def made(given: Sequence[GivenTensor], model: nn.Module) -> tuple[Tensor, ...]:
    """The tensors that are described, on the device and in the dtype of the model's weights.

    Raises RequestError where there is not enough memory for them.
    """
    like = next((p for p in model.parameters() if p.is_floating_point()), torch.zeros(0))
    random = torch.Generator().manual_seed(0)
    try:
        return tuple(_made(each, like, random) for each in given)
    except (RuntimeError, MemoryError) as error:
        raise RequestError(
            "the tensors of --forward cannot be made: {}", said(error), hint="give smaller shapes"
        ) from error


def _made(given: GivenTensor, like: Tensor, random: torch.Generator) -> Tensor:
    dtype = like.dtype if given.dtype is None else getattr(torch, given.dtype)
    if given.value is None and (dtype.is_floating_point or dtype.is_complex):
        drawn = torch.randn(given.shape, generator=random)
        return drawn.to(device=like.device, dtype=dtype)
    # A 1 is a valid index of any embedding, and a valid length.
    value = 1 if given.value is None else given.value
    return torch.full(given.shape, value, device=like.device, dtype=dtype)


def traced(
    model: nn.Module, layers: Mapping[str, tuple[nn.Module, RNNConfig]], inputs: Sequence[Any]
) -> dict[str, tuple[Call, ...]]:
    """The calls of `layers`, given by name, when the model is called once with `inputs`.

    The model runs in eval() and without gradients; afterwards it, torch's random state and `inputs`
    are as before. It runs a second time with another first row, which shows along which axis of
    each layer that row lies. Raises RequestError where the model fails.
    """
    first = _pass(model, layers, inputs)
    second: list[_Seen] = []
    if first and (changed := _with_another_row(inputs)) is not None:
        with suppress(
            RequestError
        ):  # its code depends on values; the first pass has shown the rest
            second = _pass(model, layers, changed)
    calls: dict[str, list[Call]] = {name: [] for name in layers}
    for number, seen in enumerate(first):
        again = second[number] if number < len(second) else None
        alike = again is not None and again.layer == seen.layer
        axis = _changed_axis(seen.read, again.read) if again is not None and alike else None
        _append(calls[seen.layer], replace(seen.call, first_axis=axis))
    return {name: tuple(several) for name, several in calls.items()}


def initialized(model: nn.Module, inputs: Sequence[Any]) -> nn.Module:
    """A copy of the model whose lazy modules have got their shapes from a run with `inputs`."""
    own = copy.deepcopy(model)
    with _torch_as_it_was(), torch.no_grad(), redirect_stdout(sys.stderr):
        _called(own.eval(), inputs)
    return own


def _called(model: nn.Module, inputs: Sequence[Any]) -> None:
    try:
        model(*(each.clone() if isinstance(each, Tensor) else each for each in inputs))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _failure(model, error, len(inputs)) from error


def _append(calls: list[Call], call: Call) -> None:
    if calls and replace(calls[-1], count=1) == call:
        call = replace(call, count=calls.pop().count + 1)
    calls.append(call)


def _pass(
    model: nn.Module, layers: Mapping[str, tuple[nn.Module, RNNConfig]], inputs: Sequence[Any]
) -> list[_Seen]:
    seen: list[_Seen] = []
    with ExitStack() as stack:
        stack.enter_context(_as_it_was(model))
        for name, (module, config) in layers.items():
            hook = partial(_record, seen, name, config)
            stack.callback(module.register_forward_hook(hook, with_kwargs=True).remove)
        _called(model, inputs)
    return seen


def _record(  # noqa: PLR0913, PLR0917 - the last four are those of a hook
    seen: list[_Seen],
    name: str,
    config: RNNConfig,
    module: nn.Module,
    given: tuple[Any, ...],
    named: dict[str, Any],
    returned: Any,
) -> None:
    arguments = dict(enumerate(given)) | named
    read = arguments.get(0, named.get("input"))
    own = not type(module).forward.__module__.startswith("torch.")
    states = arguments.get(_STATE, None if own else arguments.get(1))
    if not _is_readable(read, config):
        return  # the forward of a subclass may take anything
    spec = _input_spec(read, config, with_state=states is not None)
    tensors = _shapes(config, read, states, returned)
    call = Call(input_spec=spec, tensors=tensors, own_forward=own)
    values = read.clone() if isinstance(read, Tensor) and not config.cell else None
    seen.append(_Seen(layer=name, call=call, read=values))


def _is_readable(read: Any, config: RNNConfig) -> bool:
    if isinstance(read, PackedSequence):
        return not config.cell
    dims = (1, 2) if config.cell else (2, 3)
    return isinstance(read, Tensor) and read.dim() in dims


def _input_spec(read: Any, config: RNNConfig, *, with_state: bool) -> InputSpec:
    if isinstance(read, PackedSequence):
        sizes = read.batch_sizes
        lengths = (sizes > torch.arange(int(sizes[0])).unsqueeze(1)).sum(1)
        if read.unsorted_indices is not None:
            lengths = lengths[read.unsorted_indices.cpu()]
        rows = tuple(lengths.tolist())
        return InputSpec(
            batch_size=len(rows), seq_len=max(rows), lengths=rows, with_state=with_state
        )
    *sizes, _ = read.shape
    if config.cell:
        return InputSpec(
            batch_size=sizes[0] if sizes else 1, batched=bool(sizes), with_state=with_state
        )
    if len(sizes) == 1:
        return InputSpec(seq_len=sizes[0], batched=False, with_state=with_state)
    batch, steps = sizes if config.batch_first else reversed(sizes)
    return InputSpec(batch_size=batch, seq_len=steps, with_state=with_state)


def _shapes(config: RNNConfig, read: Any, states: Any, returned: Any) -> dict[str, Dims]:
    name = "data" if isinstance(read, PackedSequence) else "input"
    named = {name: read, **_by_name(state_names(config, "0"), states)}
    finals = returned
    if not config.cell:
        output, finals = returned if _is_pair(returned) else (returned, None)
        named["output"] = output
    named |= _by_name(final_state_names(config), finals)
    data = {n: v.data if isinstance(v, PackedSequence) else v for n, v in named.items()}
    return {n: tuple(v.shape) for n, v in data.items() if isinstance(v, Tensor)}


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and not isinstance(value, PackedSequence)


def _by_name(names: Sequence[str], states: Any) -> dict[str, Any]:
    each = states if isinstance(states, (tuple, list)) else (states,)
    return dict(zip(names, each, strict=False))


@contextmanager
def _as_it_was(model: nn.Module) -> Iterator[None]:
    """Inference, after which the model and torch's global state are as before."""
    with ExitStack() as stack:
        stack.enter_context(_torch_as_it_was())
        for module in model.modules():
            stack.callback(_restoring(module))
            if getattr(module, "training", False):
                module.training = False
        stack.enter_context(torch.no_grad())
        stack.enter_context(silenced)
        stack.enter_context(redirect_stdout(sys.stderr))
        if "torch._dynamo" in sys.modules:  # only then can a model be compiled
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        yield


# One model at a time: two would put back what the other has changed.
_TURN: Final = RLock()
os.register_at_fork(
    before=_TURN.acquire, after_in_parent=_TURN.release, after_in_child=_TURN.release
)


@contextmanager
def _torch_as_it_was() -> Iterator[None]:
    with _TURN, _settings_put_back():
        yield


@contextmanager
def _settings_put_back() -> Iterator[None]:
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    device = torch.empty(0).device  # torch 2.6 fails to tell a default that was set back to None
    deterministic = _deterministic()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        if torch.empty(0).device != device:
            torch.set_default_device(device)
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)
        if _deterministic() != deterministic:  # setting it imports a second's worth of modules
            mode, warn_only = deterministic
            torch.use_deterministic_algorithms(mode, warn_only=warn_only)


def _deterministic() -> tuple[bool, bool]:
    """Whether only deterministic algorithms may be used, and whether others only warn."""
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )


def _restoring(module: nn.Module) -> Callable[[], None]:
    """A function that gives the module the attributes and buffers that it has now.

    Models may keep states from one call to the next, count their calls, or compute weights anew.
    """
    if isinstance(module, torch.jit.ScriptModule):
        training = getattr(module, "training", None)
        return lambda: None if training is None else setattr(module, "training", training)
    attributes = dict(vars(module))
    contents = {name: _copied(value) for name, value in attributes.items()}
    buffers = [*attributes.get("_buffers", {}).values(), *attributes.values()]
    values = [(b, b.detach().clone()) for b in buffers if type(b) is Tensor and not b.is_meta]

    def restore() -> None:
        vars(module).clear()
        vars(module).update(attributes)
        for name, items in contents.items():
            _refill(attributes[name], items)
        with torch.no_grad():
            for buffer, value in values:
                if not torch.equal(buffer, value):
                    buffer.copy_(value)

    return restore


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, (dict, list, set, deque)) else None


def _refill(container: Any, items: Any) -> None:
    """Put the same items into a container as before."""
    if items is not None:
        container.clear()
        (container.update if isinstance(container, (dict, set)) else container.extend)(items)


def _failure(model: nn.Module, error: BaseException, given: int) -> RequestError:
    named = _argument_names(model)
    count = f"{given} {'is' if given == 1 else 'are'} given"
    return RequestError(
        f"the model's forward fails: {place_of(error)}{described(error)}",
        said(error),
        hint=f"one --forward SHAPE[:DTYPE][=VALUE] for each argument{named}; {count}",
    )


def _argument_names(model: nn.Module) -> str:
    """The arguments of forward, as part of a sentence: ` of forward(tokens, lengths)`."""
    inner = getattr(model, "_orig_mod", model)
    try:
        parameters = inspect.signature(inner.forward).parameters.values()
    except (TypeError, ValueError, AttributeError):
        return " of forward"
    names = [each.name for each in parameters if each.kind != each.VAR_KEYWORD]
    return f" of forward({', '.join(names)})"


def _with_another_row(inputs: Sequence[Any]) -> tuple[Any, ...] | None:
    """The inputs with other values in the first row of the first of them that has rows."""
    for place, value in enumerate(inputs):
        if isinstance(value, Tensor) and value.dim() > 1 and value.shape[0] > 1:
            other = value.detach().clone()
            other[0] = _other(other[0])
            return (*inputs[:place], other, *inputs[place + 1 :])
    return None


def _other(row: Tensor) -> Tensor:
    """Other values, of which each is as valid as those of the row: 0 for 1, 4 for 5."""
    if row.dtype is torch.bool:
        return ~row
    if row.dtype.is_complex:
        return row + 1
    return torch.where(row > 0, row - 1, row + 1)


def _changed_axis(one: Tensor | None, other: Tensor | None) -> int | None:
    """The axis along which two tensors differ only in their first index, if there is just one."""
    if one is None or other is None or one.shape != other.shape or one.is_meta:
        return None
    differ = one != other
    axes = [
        axis
        for axis in range(one.dim() - 1)
        if one.shape[axis] > 1
        and bool(differ.select(axis, 0).any())
        and not bool(differ.narrow(axis, 1, one.shape[axis] - 1).any())
    ]
    return axes[0] if len(axes) == 1 else None
