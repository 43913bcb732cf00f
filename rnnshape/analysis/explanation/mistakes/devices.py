"""Tensors on different devices: the input, the states, the weights, and others around them."""

from __future__ import annotations

import re
from typing import Any, Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.conditions import Condition, both, either, holds, unless
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers
from rnnshape.analysis.explanation.tensor_types import TWO_TENSORS, tensor_types
from rnnshape.analysis.explanation.wording import Wording

_FOUND: Final = "tensors are not at the same device, found input tensor at {input:word} and"


def _device(text: str) -> str:
    """The device that old and new messages name: "cpu", "cuda", "cuda:0"."""
    text = text.strip("'\"` ").casefold()
    if re.fullmatch(r"(?:cuda|mps|xpu|meta|cpu|xla)(?::\d+)?", text):
        return text
    if "cuda" in text or text == "gpu":
        return "cuda"
    if re.fullmatch(r"\d+", text):
        return f"cuda:{text}"
    return "mps" if "mps" in text else "cpu"


def _is_cpu(device: str) -> bool:
    return device == "cpu"


# Where the message says which tensors differ


def _pair(clues: Clues) -> dict[str, Any]:
    found, other = _device(clues["input"]), _device(clues["other"])
    return {
        "input": found,
        "other": other,
        "meta": "meta" in (found, other),
        "gpus": found.startswith("cuda") and other.startswith("cuda"),
    }


def _other_on_cpu(clues: Clues) -> bool:
    return _is_cpu(clues["other"])


def _input_on_cpu(clues: Clues) -> bool:
    return _is_cpu(clues["input"]) and not _on_meta(clues)


_on_gpus: Final = holds("gpus")
_on_meta: Final = holds("meta")
_real: Final = unless(_on_meta)


def _may_be_parallel(clues: Clues) -> bool:
    return clues.parallel or _on_gpus(clues)


_META: Final = Cause(
    why="The meta device holds shapes without data: a part of the model was built there, and was"
    " never given data.",
    tell="`device='meta'` or `torch.device('meta')` where the model is built.",
    fix="model = model.to_empty(device='cpu')\nmodel.load_state_dict(weights)",
    when=_on_meta,
)

_STATE = Entry(
    mistake="device-state",
    wordings=(Wording(f"Input and hidden {_FOUND} hidden tensor at {{other:word}}", "1.0 on"),),
    read=_pair,
    meaning="The input is on {input}, but the initial state (hidden) is on {other}.",
    causes=(
        Cause(
            why="The state is made by `torch.zeros(...)`, which makes it on the CPU: `.cuda()` or"
            " `.to()` of the model does not move it.",
            tell="`device=` is missing where the state is made.",
            fix="h_0 = torch.zeros(layers, batch, hidden_size, device=x.device)",
            when=_other_on_cpu,
        ),
        Cause(
            why="The state is an attribute, such as `self.hidden`, which `.to()` of the model does"
            " not move. For an LSTM both tensors of it have to be moved.",
            tell="It is made in `__init__`, or once before training.",
            fix="hidden = hidden.to(x.device)  # GRU, RNN\n"
            "hidden = tuple(state.to(x.device) for state in hidden)  # LSTM: (h, c)",
            when=_real,
        ),
        Cause(
            why="The input was not moved to the GPU.",
            tell="`print(x.device)` shows cpu.",
            fix="x = x.to(h_0.device)",
            when=_input_on_cpu,
            likely=_input_on_cpu,
        ),
        Cause(
            why="`DataParallel` runs a copy of the model on each GPU, but the state stays on one.",
            tell="It works on one GPU. Make the state in `forward`, from the x that is there.",
            fix="h_0 = torch.zeros(layers, batch, hidden_size, device=x.device)",
            when=_may_be_parallel,
            likely=_may_be_parallel,
        ),
        _META,
    ),
    notes=("A state that is not passed is zeros on the device of x.",),
    provoked_by=(
        "nn.GRU(3, 4)(z(5, 2, 3), z(1, 2, 4, device='meta'))",
        "nn.LSTM(3, 4)(z(5, 2, 3), (z(1, 2, 4, device='meta'), z(1, 2, 4, device='meta')))",
    ),
)

_PARAMETER = Entry(
    mistake="device-input",
    wordings=(
        Wording(f"Input and parameter {_FOUND} parameter tensor at {{other:word}}", "1.0 on"),
    ),
    read=_pair,
    meaning="The input is on {input}, but the weights of {layer} are on {other}.",
    causes=(
        Cause(
            why="The input was not moved to the device of the model.",
            tell="`print(x.device)` shows {input}.",
            fix="x = x.to({other!r})",
            when=_input_on_cpu,
        ),
        Cause(
            why="`DataParallel` moves the tensors that it is called with: what is kept elsewhere,"
            " is inside another object, or is made in `forward`, stays on the CPU.",
            tell="It works without `DataParallel`.",
            fix="x = x.to(next(self.parameters()).device)  # in forward",
            when=either(_input_on_cpu, _may_be_parallel),
            likely=_may_be_parallel,
        ),
        Cause(
            why="The model was not moved to the device of the input.",
            tell="`print(next(model.parameters()).device)` shows {other}.",
            fix="model = model.to({input!r})",
            when=both(_other_on_cpu, _real),
        ),
        Cause(
            why="{layer} is in a plain Python list or dict, or is made in `forward`: then `.to()`"
            " of the model does not reach it.",
            tell="`print(model)` does not show the layer.",
            fix="self.layers = nn.ModuleList(layers)",
            when=both(_other_on_cpu, _real),
        ),
        _META,
    ),
    provoked_by=(
        "nn.GRU(3, 4)(z(5, 2, 3, device='meta'))",
        "nn.LSTM(3, 4, device='meta')(z(5, 2, 3))",
    ),
)


# Where it does not


_PLACES: Final = {
    "rnn": "in the recurrent layer ",
    "linear": "in an nn.Linear ",
    "sparse": "in an nn.Embedding ",
    "loss": "in the loss ",
    "conv": "in a convolution ",
    "batchnorm": "in a batch norm ",
    "normalization": "in a norm ",
}
_NAMED: Final = re.compile(
    r"(?:cpu|cuda|gpu|mps|xpu|meta|hip|xla)(?::\d+)?|\d+|.*(?:Tensor|Type)\]?", re.IGNORECASE
)


def _mixed(clues: Clues) -> Numbers | None:
    """Two devices of a message that says of neither tensor what it is."""
    pair = _said(clues)
    if pair is None or not all(_NAMED.fullmatch(each) for each in pair):
        return None
    first, second = map(_device, pair)
    gpus = first.startswith("cuda") and second.startswith("cuda")
    if first == second and pair != _TWO_GPUS:
        return None
    return {
        "input": first,
        "other": second if pair != _TWO_GPUS else "another GPU",
        "meta": "meta" in (first, second),
        "gpus": gpus,
        "place": _PLACES.get(clues.frame, ""),
    }


_TWO_GPUS: Final = ("cuda", "gpu")  # where the message does not say which two


def _said(clues: Clues) -> tuple[str, str] | None:
    """The two devices in the words of the message, as far as it has them."""
    if clues.get("types") is not None:
        on_gpu = {"cuda" in each for each in tensor_types(clues)}
        return ("cuda", "cpu") if len(on_gpu) == 2 else None
    if clues.get("first") is not None:
        return str(clues["first"]), str(clues["second"])
    if clues.get("expected") is not None:
        return clues["expected"], clues.get("found") or "cpu"
    return _TWO_GPUS


def _by_frame(*frames: str) -> Condition:
    return lambda clues: clues.frame in frames


def _unless_frame(*frames: str) -> Condition:
    return both(unless(_by_frame(*frames)), _real)


_MIXED_CAUSES: Final = (
    Cause(
        why="The input was not moved to the device of the model.",
        tell="`print(x.device, next(model.parameters()).device)` shows two devices.",
        fix="x = x.to(next(model.parameters()).device)",
        when=_unless_frame("loss"),
    ),
    Cause(
        why="The state, or another tensor that `forward` makes with `torch.zeros` and the like, is"
        " on the CPU.",
        tell="`device=` is missing where it is made.",
        fix="h = torch.zeros(batch, hidden_size, device=x.device)",
        when=_unless_frame("loss", "sparse"),
        likely=_by_frame("rnn"),
    ),
    Cause(
        why="The target was not moved to the device of the output.",
        tell="`print(output.device, target.device)` shows two devices.",
        fix="target = target.to(output.device)",
        when=_unless_frame("rnn", "linear", "sparse", "conv"),
        likely=_by_frame("loss"),
    ),
    Cause(
        why="`DataParallel` copies the model to each GPU, but not a tensor that is kept as an"
        " attribute, such as a state.",
        tell="It works on one GPU.",
        fix="self.register_buffer('h_0', torch.zeros(layers, 1, hidden_size))  # in __init__",
        when=_may_be_parallel,
        likely=_may_be_parallel,
    ),
    Cause(
        why="A layer is in a plain Python list or dict, which `.to()` of the model does not reach.",
        tell="`print(model)` does not show the layer.",
        fix="self.layers = nn.ModuleList(layers)",
        when=both(_by_frame("rnn", "linear", "conv"), _real),
    ),
    _META,
)
_MIXED_MEANING: Final = (
    "Two tensors of one operation {place}are on different devices, {input} and {other}."
)
_MIXED = Entry(
    mistake="device-mixed",
    wordings=(
        Wording(
            "Expected all tensors to be on the same device, but found at least two devices,"
            " {first:word} and {second:word}!",
            "1.7 on",
        ),
        Wording(
            "Expected all tensors to be on the same device, but got {argument} is on {first:word},"
            " different from other tensors on {second:word}",
            "2.8 on",
        ),
        Wording(
            "Expected object of device type {first:word} but got device type {second:word}",
            "1.4 and 1.5",
        ),
        Wording("Expected object of backend {first:word} but got backend {second:word}", "1.0 on"),
        Wording(
            "but condition is on {first:word} and x and y are on {x:word} and {second:word}"
            " respectively",
            "1.2 on",
        ),
        Wording(
            "Tensor on device {first:word} is not on the expected device {second:word}!", "2.0 on"
        ),
        Wording(
            "All input tensors must be on the same device. Received {first:word} and {second:word}",
            "1.6 on",
        ),
        Wording("but device {first:int} does not equal {second:int}", "0.4 on"),
        Wording(
            "Tensor for argument {argument} is on {first:word} but expected on {second:word}",
            "2.6 on",
        ),
        Wording("is on {found:word}, but expected it to be on {expected:word}", "1.6 to 1.8"),
        Wording("is on {found:word}, but expected them to be on {expected:word}", "1.6 to 1.8"),
        Wording("arguments are located on different GPUs", "0.2 on"),
        Wording("tensors are on different GPUs", "0.1 to 0.3"),
        Wording("tensors are located on different GPUs", "0.2 on"),
        Wording("Placeholder storage has not been allocated on {expected:word} device!", "1.12 on"),
        Wording("Passed CPU tensor to {expected:word} op", "1.12 on"),
        *TWO_TENSORS,
    ),
    read=_mixed,
    meaning=_MIXED_MEANING,
    causes=_MIXED_CAUSES,
    notes=(
        "`model.to(device)` moves its parameters and buffers, and no other tensor.",
        "`torch.cuda.FloatTensor` is on the GPU, `torch.FloatTensor` on the CPU.",
    ),
    provoked_by=("nn.LSTMCell(3, 4)(z(2, 3, device='meta'))",),
)


# The model as a whole


_META_COPY = Entry(
    mistake="device-meta",
    wordings=(Wording("Cannot copy out of meta tensor; no data!", "1.9 on"),),
    read=lambda clues: None if "copying the param" in clues.statement.message else {},
    meaning="The tensor is on the meta device, which holds shapes without data: there is nothing to"
    " copy.",
    causes=(
        Cause(
            why="The model was built on the meta device, and `.to()` cannot make up its weights.",
            tell="`device='meta'` or `with torch.device('meta'):` where it is built.",
            fix="model = model.to_empty(device='cpu')\nmodel.load_state_dict(weights)",
        ),
        Cause(
            why="The checkpoint did not hold every weight of a model that was loaded with"
            " `assign=True` or `low_cpu_mem_usage=True`.",
            tell="`print([n for n, p in model.named_parameters() if p.is_meta])` lists them.",
            fix="model = build()  # without the meta device\nmodel.load_state_dict(weights)",
        ),
    ),
    more="rnnshape lstm --device meta",
    provoked_by=("nn.LSTM(3, 4, device='meta').to('cpu')",),
)

_NO_CUDA = Entry(
    mistake="device-missing",
    wordings=(
        Wording("Torch not compiled with CUDA enabled", "0.2 on"),
        Wording("Found no NVIDIA driver on your system", "0.2 on"),
        Wording("No CUDA GPUs are available", "1.5 on"),
        Wording("no CUDA-capable device is detected"),
        Wording("CUDA error: invalid device ordinal"),
        Wording("type torch.cuda.FloatTensor not available. Torch not compiled with CUDA"),
    ),
    meaning="The code asks for a GPU that this build of torch, or this machine, does not have.",
    causes=(
        Cause(
            why="torch was installed for the CPU alone, or the driver does not fit.",
            tell="`print(torch.cuda.is_available(), torch.version.cuda)` shows False, or no"
            " version.",
            fix="device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\n"
            "model, x = model.to(device), x.to(device)",
        ),
        Cause(
            why="The code names a GPU that the machine lacks, such as `cuda:1` where there is one.",
            tell="`print(torch.cuda.device_count())` shows how many there are.",
            fix="device = torch.device('cuda:0')",
        ),
    ),
    source="torch/cuda/__init__.py",
)

ENTRIES: Final = (
    _STATE,
    _PARAMETER,
    _MIXED,
    _META_COPY,
    _NO_CUDA,
)
