"""What is loaded is no state dict, or cannot be loaded here: torch.load, optimizers, devices."""

from __future__ import annotations

import re
from typing import Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import INSPECT, INSPECT_MODEL
from rnnshape.analysis.explanation.conditions import equals, holds, mentions, unless
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers
from rnnshape.analysis.explanation.wording import Wording
from rnnshape.layer.weight_names import weight_name


def _of_class(clues: Clues) -> Numbers | None:
    name = str(clues["given"]).rpartition(".")[2]
    if name == "str":
        return {
            "given": "str",
            "what": "a path",
            "fix": 'model.load_state_dict(torch.load("weights.pt"))',
        }
    module = name[:1].isupper() and "Dict" not in name
    what = "a module" if module else "no state dict"
    return {
        "given": name,
        "what": what,
        "fix": "model.load_state_dict(loaded.state_dict())  # or use `loaded` as it is"
        if module
        else "print(type(loaded))",
    }


def _by_attribute(clues: Clues) -> Numbers | None:
    """Whether a class without `copy` or `items` was given to load_state_dict."""
    name = str(clues["given"])
    known = re.search(r"LSTM|GRU|RNN|DataParallel|(?:Net|Encoder|Decoder)\Z", name)
    loads = clues.mentions("load_state_dict")
    return _of_class(clues) if loads or known else None


_NOT_A_DICT: Final = Entry(
    mistake="checkpoint-not-a-dict",
    wordings=(
        Wording("Expected state_dict to be dict-like, got <class '{given:name}'>", "1.12 on"),
    ),
    read=_of_class,
    meaning="load_state_dict takes a state dict, but was given {what} ({given}).",
    causes=(
        Cause(
            why="The whole model was saved with `torch.save(model, ...)`, so torch.load gives the"
            " model, not its state_dict.",
            tell="`print(type(torch.load(...)))` shows a class.",
            fix="{fix}",
            when=equals("what", "a module"),
        ),
        Cause(
            why="The name of the file was given in place of what it holds.",
            fix="{fix}",
            when=equals("what", "a path"),
        ),
        Cause(
            why="The file holds something else.",
            tell="Look at its type.",
            fix="{fix}",
            when=equals("what", "no state dict"),
        ),
    ),
    more=INSPECT,
    provoked_by=(
        "nn.LSTM(3, 4).load_state_dict(nn.LSTM(3, 4))",
        "nn.LSTM(3, 4).load_state_dict('weights.pt')",
    ),
)
_NOT_A_DICT_BEFORE: Final = Entry(
    mistake="checkpoint-is-module",
    wordings=(
        Wording("'{given:word}' object has no attribute 'copy'", "0.4 to 1.11"),
        Wording("'{given:word}' object has no attribute 'items'", "0.2 to 0.3"),
        Wording("'{given:word}' object has no attribute '_metadata'", "0.4 to 1.11"),
    ),
    read=_by_attribute,
    meaning=_NOT_A_DICT.meaning,
    causes=_NOT_A_DICT.causes,
    more=INSPECT,
    source="torch/nn/modules/module.py, Module.load_state_dict before 1.12",
    generic=True,
)


def _of_state_dict(clues: Clues) -> Numbers | None:
    of_any = ("cuda", "to", "cpu", "forward", "half", "float", "modules", "module", "children")
    uses = ("eval", "train", "parameters", "named_parameters", "load_state_dict", "state_dict")
    ordered = clues.mentions("OrderedDict", "torch.load", "state_dict")
    if clues.get("wanted") is None:
        return {}  # it was called
    return {} if clues["wanted"] in (*uses, *(of_any if ordered else ())) else None


_STATE_DICT_AS_MODEL: Final = Entry(
    mistake="checkpoint-as-model",
    wordings=(
        Wording("OrderedDict' object has no attribute '{wanted:word}'", "0.2 on"),
        Wording("OrderedDict' object is not callable", "0.2 on"),
        Wording("'dict' object has no attribute '{wanted:word}'", "0.2 on"),
    ),
    read=_of_state_dict,
    meaning="The file holds a state dict (weights by name), which is used as if it were the model.",
    causes=(
        Cause(
            why="It was saved with `torch.save(model.state_dict(), ...)`: build the model as it"
            " was, then load its weights.",
            fix='model.load_state_dict(torch.load("weights.pt", map_location="cpu"))\nmodel.eval()',
        ),
    ),
    more=INSPECT,
    provoked_by=("nn.LSTM(3, 4).state_dict().eval()",),
    generic=True,
)
_RESULT_AS_MODEL: Final = Entry(
    mistake="checkpoint-result-as-model",
    wordings=(
        Wording("IncompatibleKeys' object has no attribute '{wanted:word}'", "1.1 on"),
        Wording("IncompatibleKeys' object is not callable", "1.1 on"),
    ),
    meaning="load_state_dict loads in place and returns which names did not match, not the model.",
    causes=(
        Cause(
            why="Its result was assigned to the model, as in `model = model.load_state_dict(...)`.",
            fix='model.load_state_dict(torch.load("weights.pt"))  # without "model ="',
        ),
    ),
    provoked_by=("nn.LSTM(3, 4).load_state_dict(nn.LSTM(3, 4).state_dict()).eval()",),
)
_NOT_A_TENSOR: Final = Entry(
    mistake="checkpoint-not-a-tensor",
    wordings=(
        Wording(
            "While copying the parameter named {name:name}, expected torch.Tensor or Tensor-like"
            " object from checkpoint but received {given:rest}",
            "1.10 on",
        ),
    ),
    meaning="`{name}` in the checkpoint is not a tensor, but {given}.",
    causes=(
        Cause(
            why="The state dict was changed after it was saved, or was read from a format that has"
            " arrays or lists.",
            fix="state_dict = {{k: torch.as_tensor(v) for k, v in state_dict.items()}}\n"
            "model.load_state_dict(state_dict)",
        ),
        Cause(
            why="It holds the weights of another model as an entry of this name.",
            tell="`print(state_dict.keys())` shows its entries.",
        ),
    ),
    more=INSPECT,
    provoked_by=(
        "nn.LSTM(3, 4).load_state_dict(dict(nn.LSTM(3, 4).state_dict(), weight_ih_l0=[1]))",
    ),
)
_COPY: Final = Entry(
    mistake="checkpoint-copy",
    wordings=(
        Wording(
            "the parameter named {name:name}, whose dimensions in the model are {model:shape} and"
            " whose dimensions in the checkpoint are {checkpoint:shape}, an exception occurred",
            "1.1 on",
        ),
        Wording(
            "for {name:name}: copying from a non-meta parameter in the checkpoint to a meta",
            "2.1 on",
        ),
    ),
    meaning="The sizes of `{name}` agree, but it could not be copied into the model.",
    causes=(
        Cause(
            why="One side is on the device `meta`, which has sizes and no values.",
            tell="`print({{p.device for p in model.parameters()}})` shows meta.",
            fix='model.to_empty(device="cpu")\nmodel.load_state_dict(state_dict)'
            "  # or load_state_dict(state_dict, assign=True)",
            likely=mentions("meta"),
        ),
        Cause(
            why="The memory of the device is full, or a kernel before it has failed.",
            tell="The text after `an exception occurred` says so.",
            fix='state_dict = torch.load("weights.pt", map_location="cpu")',
            likely=mentions("cuda"),
        ),
        Cause(
            why="A weight of the model shares memory with itself (expand), or is not writable.",
            fix='print(dict(model.named_parameters())["{name}"].stride())',
        ),
    ),
    provoked_by=("nn.LSTM(3, 4).load_state_dict(nn.LSTM(3, 4, device='meta').state_dict())",),
)


# --- before and beside load_state_dict

_OPTIMIZER: Final = Entry(
    mistake="optimizer-state",
    wordings=(
        Wording(
            "loaded state dict contains a parameter group that doesn't match the size of"
            " optimizer's group",
            "0.2 on",
        ),
        Wording("loaded state dict has a different number of parameter groups", "0.2 on"),
    ),
    meaning="The optimizer that was saved had other parameters than this one: it knows them by"
    " their order and number alone, not by name.",
    causes=(
        Cause(
            why="The model has more or fewer layers, directions or biases than when it was saved,"
            " each of which adds weights.",
            tell="`print(len(list(model.parameters())))` and the number in the file differ.",
            fix='print([len(g["params"]) for g in checkpoint["optimizer"]["param_groups"]])\n'
            'print([len(g["params"]) for g in optimizer.param_groups])',
        ),
        Cause(
            why="The optimizer was given only some of the parameters (frozen ones left out), or"
            " other groups, or the loss has parameters too.",
            fix="optimizer = torch.optim.Adam(model.parameters())  # as when it was saved",
        ),
        Cause(
            why="Only the weights are wanted, as for inference or for new training: do not load the"
            " state of the optimizer.",
            fix='model.load_state_dict(checkpoint["state_dict"])',
        ),
    ),
    more=INSPECT,
    provoked_by=(
        (
            "saved = torch.optim.Adam(nn.LSTM(3, 4, 2).parameters()).state_dict()\n"
            "torch.optim.Adam(nn.LSTM(3, 4).parameters()).load_state_dict(saved)"
        ),
    ),
)


def _refused(clues: Clues) -> Numbers:
    found = re.search(
        r"Unsupported (?:global|class|operand)\S*(?: GLOBAL)? ([\w.]+)", clues.statement.message
    )
    name = found[1] if found else ""
    return {
        "refused": f"`{name}`" if name else "something other than tensors",
        "short": name.rpartition(".")[2] or "Net",
        "whole": ".nn." in f".{name}" or name.startswith("__main__"),
    }


_WEIGHTS_ONLY: Final = Entry(
    mistake="load-weights-only",
    wordings=(
        Wording("Weights only load failed", "2.0 on"),
        Wording("WeightsUnpickler error: {what}", "2.0 on"),
        Wording("Unsupported global: GLOBAL {what:name} was not an allowed global", "2.4 on"),
        Wording("Unsupported class {what:name}", "1.13 to 2.3"),
    ),
    read=_refused,
    meaning="Since PyTorch 2.6, torch.load reads only tensors by default, but the file also holds"
    " {refused}.",
    causes=(
        Cause(
            why="The whole model was saved, not its state_dict. If the file is from a source you"
            " trust, load it and save its weights.",
            fix='model = torch.load("model.pt", weights_only=False)\n'
            'torch.save(model.state_dict(), "weights.pt")',
            likely=holds("whole"),
        ),
        Cause(
            why="The checkpoint holds other objects beside its weights. If it is from a source you"
            " trust, let torch.load make them.",
            fix='torch.load("weights.pt", weights_only=False)',
        ),
        Cause(
            why="Or allow that class alone.",
            fix="torch.serialization.add_safe_globals([{short}])",
        ),
    ),
    notes=("rnnshape reads the layers of such a file without running anything in it.",),
    more=INSPECT_MODEL,
    source="torch/serialization.py, load, for a file with other objects than tensors",
)
_DEVICE: Final = Entry(
    mistake="load-device",
    wordings=(
        Wording("Attempting to deserialize object on a CUDA device but", "0.4 on"),
        Wording("Attempting to deserialize object on CUDA device {device:int} but", "0.4 on"),
        Wording("Attempting to deserialize object on a {device:word} device but", "2.1 on"),
        Wording("cuda runtime error (35) : CUDA driver version is insufficient", "0.2 to 0.3"),
    ),
    meaning="The file was saved from a GPU that this machine does not have, and torch.load puts"
    " each tensor where it was.",
    causes=(
        Cause(
            why="Load it to the CPU, then move the model.",
            fix='state_dict = torch.load("weights.pt", map_location="cpu")\n'
            "model.load_state_dict(state_dict)",
        ),
        Cause(
            why="The machine has a GPU, but this PyTorch does not see it, or sees fewer of them.",
            tell="`print(torch.version.cuda, torch.cuda.device_count())` shows None or 0.",
            fix='state_dict = torch.load("weights.pt", map_location="cuda:0")',
        ),
    ),
    more=INSPECT,
    source="torch/serialization.py, _validate_device, on a machine without the GPU",
)


def _lacking(clues: Clues) -> Numbers | None:
    key = str(clues["key"])
    if weight_name(key, ()) is None and not re.search(r"state_?dict|model_state", key):
        return None
    return {"weight": weight_name(key, ()) is not None}


_NO_ENTRY: Final = Entry(
    mistake="checkpoint-no-entry",
    wordings=(Wording("KeyError: {key:name}"),),
    read=_lacking,
    meaning="What was loaded has no entry `{key}`.",
    causes=(
        Cause(
            why="The file holds the weights themselves, without a dict around them, or under"
            " another name.",
            tell="`print(checkpoint.keys())` shows its entries.",
            fix="model.load_state_dict(checkpoint)",
            when=unless(holds("weight")),
        ),
        Cause(
            why="The names have a prefix (`module.`), or a dict is around the weights, or the layer"
            " is another one.",
            tell="`print(state_dict.keys())` shows the names.",
            fix='state_dict = {{k.removeprefix("module."): v for k, v in state_dict.items()}}',
            when=holds("weight"),
        ),
    ),
    more=INSPECT,
    provoked_by=("nn.LSTM(3, 4).state_dict()['weight_ih_l1']",),
)

ENTRIES: Final = (
    _NOT_A_DICT,
    _NOT_A_DICT_BEFORE,
    _STATE_DICT_AS_MODEL,
    _RESULT_AS_MODEL,
    _NOT_A_TENSOR,
    _COPY,
    _OPTIMIZER,
    _WEIGHTS_ONLY,
    _DEVICE,
    _NO_ENTRY,
)
