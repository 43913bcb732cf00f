"""Whole modules pickled by another version of PyTorch, and modules whose weights were replaced."""

from __future__ import annotations

import re
from typing import Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import INSPECT, INSPECT_MODEL, WEIGHTS
from rnnshape.analysis.explanation.conditions import both, equals, holds, mentions, unless
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers
from rnnshape.analysis.explanation.wording import Wording
from rnnshape.layer.config import Kind
from rnnshape.layer.weight_names import weight_name

# The attributes that later versions of PyTorch gave to recurrent layers, and since when.
_OF_LAYERS: Final = {
    "proj_size": "1.8",
    "_flat_weights": "1.4",
    "_flat_weights_names": "1.4",
    "_flat_weight_refs": "2.1",
    "_data_ptrs": "",
    "_param_buf_size": "",
    "_all_weights": "",
    "bias": "",
    "batch_first": "",
    "bidirectional": "",
    "mode": "",
    "nonlinearity": "",
    "num_layers": "",
    "dropout": "",
    "dropout_state": "",
}
# Those that they gave to every module.
_OF_MODULES: Final = {
    "_non_persistent_buffers_set": "1.5",
    "_is_full_backward_hook": "1.8",
    "_load_state_dict_post_hooks": "1.13",
    "_backward_pre_hooks": "2.0",
    "_forward_hooks_with_kwargs": "2.0",
    "_forward_pre_hooks_with_kwargs": "2.0",
    "_forward_hooks_always_called": "2.1",
    "_state_dict_hooks": "",
    "_state_dict_pre_hooks": "2.0",
    "_load_state_dict_pre_hooks": "0.4",
}
_CLASS: Final = re.compile(r"(?:Quantized)?(?:LSTM|GRU|RNN)(?:Cell|Base|CellBase)?")
_NO_ATTRIBUTE: Final = (
    Wording("'{given:word}' object has no attribute '{wanted:word}'", "0.2 on"),
)
_STATE_DICT: Final = Cause(
    why="The whole module was pickled. A state_dict holds the weights alone, which every version"
    " reads: take it out with the old version, and load it into a newly built module.",
    fix='torch.save(model.state_dict(), "weights.pt")  # with the PyTorch that saved it\n'
    'model = Net(...)\nmodel.load_state_dict(torch.load("weights.pt"))  # with the new one',
)


def _of_new_version(clues: Clues) -> Numbers | None:
    given, wanted = clues["given"], clues["wanted"]
    layer = _CLASS.fullmatch(given) is not None
    known = {**_OF_MODULES, **(_OF_LAYERS if layer or wanted.startswith("_flat") else {})}
    if wanted not in known:
        return None
    since = known[wanted]
    return {
        "since": f"PyTorch {since} and later give" if since else "its own version of PyTorch gives",
        "value": {"proj_size": "0", "bias": "True"}.get(wanted, ""),
        "flat": wanted == "_flat_weights",
    }


_OLD: Final = Entry(
    mistake="old-pickle",
    wordings=_NO_ATTRIBUTE,
    read=_of_new_version,
    meaning="This {given} has no `{wanted}`, which {since} it in `__init__`: most likely it was"
    " pickled as a whole by another version, since unpickling runs no `__init__`.",
    causes=(
        _STATE_DICT,
        Cause(
            why="Or give the attribute its default to every such module, right after torch.load.",
            fix="for m in model.modules():\n"
            "    if isinstance(m, {class_name}):\n"
            "        m.{wanted} = {value}",
            when=holds("value"),
        ),
        Cause(
            why="Or install the version that saved it.",
            tell="`print(torch.__version__)` where it was saved; it is also in its"
            " requirements.txt.",
        ),
        Cause(
            why="Weights were replaced or deleted (weight drop), which PyTorch before 1.4 reports"
            " in this way.",
            tell="The module was not unpickled: torch.load is not in the traceback.",
            fix='nn.utils.parametrize.register_parametrization(lstm, "weight_hh_l0", drop)',
            when=holds("flat"),
            likely=mentions("weight_drop", "weightdrop", "wdrop", "weight drop"),
        ),
    ),
    notes=("rnnshape reads the layers and weights of such a file without unpickling it.",),
    more=INSPECT_MODEL,
    provoked_by=(
        "m = nn.LSTM(3, 4); del m.proj_size; m.flatten_parameters(); m(z(5, 2, 3))",
        "m = nn.GRU(3, 4); del m._flat_weights_names; m.to('cpu'); m._init_flat_weights()",
    ),
)


def _initialised(clues: Clues) -> Numbers | None:
    given, wanted = clues["given"], clues["wanted"]
    if _CLASS.fullmatch(given) is None:
        return None
    of_cell = wanted in ("weight_ih", "weight_hh", "bias_ih", "bias_hh") and "Cell" not in given
    return {"of_cell": of_cell} if of_cell or wanted in ("weight", "weights", "bias") else None


_NO_WEIGHT: Final = Entry(
    mistake="recurrent-weight-names",
    wordings=_NO_ATTRIBUTE,
    read=_initialised,
    meaning="{given} has no parameter `{wanted}`: its weights are `weight_ih_l0`, `weight_hh_l0`"
    " and so on, for each layer and direction.",
    causes=(
        Cause(
            why="Code for nn.Linear, such as a function that initialises all modules, was applied"
            " to a recurrent layer.",
            fix="for name, p in m.named_parameters():\n"
            '    if "weight" in name:\n'
            "        nn.init.orthogonal_(p)\n"
            "    else:\n"
            "        nn.init.zeros_(p)",
            when=unless(holds("of_cell")),
        ),
        Cause(
            why="Without the number of a layer it is the name in a cell, such as nn.LSTMCell.",
            fix="layer.{wanted}_l0  # of the first layer; {wanted}_l0_reverse: its other direction",
            when=holds("of_cell"),
        ),
    ),
    more=WEIGHTS,
    provoked_by=("nn.init.xavier_uniform_(nn.GRU(3, 4).weight)", "nn.LSTM(3, 4).weight_ih"),
)


def _of_weight(clues: Clues) -> Numbers | None:
    parsed = weight_name(clues["wanted"], ())
    known = parsed is not None and not parsed.module
    if clues["wanted"] == "all_weights":
        return {"looks": "looks for all its weights (`all_weights`), and one"}
    return {"looks": f"looks for its parameter `{clues['wanted']}`, which"} if known else None


_PARAMETRIZE: Final = Cause(
    why="A wrapper (weight drop, weight_norm, pruning) deleted the parameter or put a tensor in its"
    " place. PyTorch 1.4 and later keep a list of the weights, `_flat_weights`, which it must"
    " change, too.",
    tell="The code has `del module._parameters[...]` or `setattr(module, name, w)`.",
    fix='nn.utils.parametrize.register_parametrization(lstm, "weight_hh_l0", drop)'
    "  # drop: an nn.Module",
)
_OLD_VERSION: Final = Cause(
    why="Or run that code with the version of PyTorch that it was written for.",
    tell="AWD-LSTM's weight drop was written for PyTorch 0.4.",
)
_REPLACED: Final = Entry(
    mistake="replaced-weight",
    wordings=_NO_ATTRIBUTE,
    read=_of_weight,
    meaning="{given} {looks} was removed or replaced.",
    causes=(_PARAMETRIZE, _OLD_VERSION),
    provoked_by=("m = nn.LSTM(3, 4); del m.weight_hh_l0; m.weight_hh_l0",),
)
_NO_FLATTEN: Final = Entry(
    mistake="no-flatten-parameters",
    wordings=(Wording("'{given:word}' object has no attribute 'flatten_parameters'", ""),),
    read=lambda clues: {} if _CLASS.fullmatch(clues["given"]) else None,
    meaning="This {given} is not the layer of torch.nn: only that one has flatten_parameters.",
    causes=(
        Cause(
            why="The layer was quantized or scripted: its weights are packed already.",
            tell="`print(type(layer).__module__)` is not torch.nn.modules.rnn.",
            fix='if hasattr(layer, "flatten_parameters"):\n    layer.flatten_parameters()',
        ),
        Cause(
            why="{given} is a class of your own, or of another library, with the same name.",
            tell="Look for `class {given}` and for what is imported as {given}.",
            fix="layer = torch.{class_name}(input_size, hidden_size)",
        ),
    ),
    provoked_by=("torch.ao.nn.quantized.dynamic.LSTM(3, 4).flatten_parameters()",),
)
_NONE_IN_WEIGHTS: Final = Entry(
    mistake="weight-is-none",
    wordings=(
        Wording(
            "expected Tensor as element {place:int} in argument {argument:int}, but got NoneType",
            "1.5 on",
        ),
    ),
    read=lambda clues: None if clues["argument"] != 2 and not clues.recurrent else {},
    meaning="A weight of {layer} is None: it was removed or replaced.",
    causes=(
        _PARAMETRIZE,
        _OLD_VERSION,
        Cause(
            why="Without a recurrent layer: a list of tensors has a None in it, as for torch.cat.",
            tell="`print([type(t) for t in tensors])` shows NoneType.",
            when=lambda clues: not clues.recurrent,
        ),
    ),
    provoked_by=(
        (
            "m = nn.LSTM(3, 4); del m._parameters['weight_hh_l0']\n"
            "m._init_flat_weights(); m(z(5, 2, 3))"
        ),
    ),
)
_TRANSPOSED: Final = Entry(
    mistake="weight-is-no-matrix",
    wordings=(Wording("t() expects a 2D tensor, but self is 1D", "0.4 to 1.0"),),
    meaning="A matrix product was given a vector in place of a weight matrix.",
    causes=(
        Cause(
            why="A weight of a recurrent layer was deleted or replaced (weight drop): the next one,"
            " a bias, is then taken in its place.",
            tell="`print([w.shape for w in lstm._parameters.values()])` shows which is missing.",
            fix='nn.utils.parametrize.register_parametrization(lstm, "weight_hh_l0", drop)',
            likely=lambda clues: clues.recurrent,
        ),
        Cause(
            why="`.t()` or `F.linear` was called with a tensor that is not a matrix.",
            tell="`print(w.shape)` shows its dimensions.",
            fix="w.transpose(-2, -1)  # the last two axes of any number",
        ),
    ),
    source="aten/src/ATen/native/RNN.cpp of PyTorch 1.0, for a layer without one of its weights",
)


def _flattened(clues: Clues) -> Numbers | None:
    """Whether a weight is to have the size of another one: rows of a bias by its columns."""
    shape, size = clues["shape"], clues["size"]
    if len(shape) != 2 or shape[1] != 1 or size < 1 or shape[0] % size or shape[0] == size:
        return None
    columns = shape[0] // size
    kinds = [kind for kind in Kind if size == kind.gates * columns]
    if not kinds and not clues.recurrent:
        return None
    matrix = f"({size}, {columns})"
    kind = f"weight_hh_l0 of {kinds[0].value} with hidden_size {columns}" if kinds else "a weight"
    return {"matrix": matrix, "which": kind, "columns": columns, "wanted": shape[0]}


_FLATTENED: Final = Entry(
    mistake="flattened-weight",
    wordings=(Wording("shape '{shape:shape}' is invalid for input of size {size:int}", "0.4 on"),),
    read=_flattened,
    meaning="flatten_parameters takes a tensor of {size} elements, as a bias has, for a weight of"
    " {wanted} = {size} x {columns}, such as {which}.",
    causes=(
        Cause(
            why="Weight drop replaced or deleted the weight, so the list of weights that cuDNN gets"
            " is one short. Do not let flatten_parameters run on such a layer.",
            tell="`print([tuple(w.shape) for w in lstm._parameters.values()])` lacks {matrix}.",
            fix="lstm.flatten_parameters = lambda: None  # before .cuda() and .to()",
        ),
        _PARAMETRIZE,
        _OLD_VERSION,
    ),
    source="torch/backends/cudnn/rnn.py of PyTorch 1.0, on a GPU",
)


_loads: Final = mentions("torch.load", "torch/serialization", "torch\\serialization")


def _in_load(clues: Clues) -> Numbers | None:
    return {"top": str(clues["wanted"]).partition(".")[0]} if _loads(clues) else None


_CLASS_IS_GONE: Final = Entry(
    mistake="pickle-without-class",
    wordings=(
        Wording("Can't get attribute '{wanted:word}' on <module '{top:word}'", "0.2 on"),
        Wording("No module named '{wanted:word}'", "0.2 on"),
        Wording("No module named {wanted:word}", "0.2 on"),
    ),
    read=_in_load,
    meaning="The file holds a whole model, and its class `{wanted}` cannot be imported here: a"
    " pickle has the name of the class, not its code.",
    causes=(
        Cause(
            why="Define or import the class under the same name before torch.load, in the same"
            " module as when it was saved.",
            fix="from {top} import *  # where the class is; put its folder on PYTHONPATH\n"
            'model = torch.load("model.pt", weights_only=False)',
            when=unless(mentions("__main__")),
        ),
        Cause(
            why="It was saved by a script that defined the class itself (`__main__`): define or"
            " import it in the script that loads, too.",
            fix="from net import {wanted}  # the file that defines it",
            when=mentions("__main__"),
        ),
        _STATE_DICT,
    ),
    notes=("rnnshape reads the layers and weights of such a file without its classes.",),
    more=INSPECT_MODEL,
    source="pickle, called by torch/serialization.py",
)


def _damage(clues: Clues) -> Numbers | None:
    if clues.mentions("Ran out of input", "data was truncated") and not clues.of_torch:
        return None  # of any pickle
    return {"key": clues.get("key") or ""}


_POINTER: Final = "the file is a pointer of Git LFS, a text that stands for the real file"
_NOT_A_FILE: Final = Entry(
    mistake="not-a-checkpoint",
    wordings=(
        Wording("invalid load key, '{key}'.", "0.2 on"),
        Wording("Invalid magic number; corrupt file?", "0.2 on"),
        Wording("PytorchStreamReader failed", "1.2 on"),
        Wording(
            "unexpected EOF, expected {bytes:int} more bytes. The file might be corrupted", "0.4 on"
        ),
        Wording("Ran out of input", "0.2 on"),
        Wording("pickle data was truncated", "0.2 on"),
        Wording("storage has wrong size: expected {wanted:int} got {size:int}", "0.2 on"),
    ),
    read=_damage,
    meaning="The file is not what torch.save writes, or a part of it is missing.",
    causes=(
        Cause(
            why=f"It begins with `v` (version https://git-lfs...): {_POINTER}.",
            tell="The file has fewer than 200 bytes.",
            fix='import subprocess\nsubprocess.run(["git", "lfs", "pull"])',
            when=equals("key", "v", ""),
            likely=equals("key", "v"),
        ),
        Cause(
            why="It begins with `<`: a web page was saved in place of the file (a login, a quota).",
            tell='`print(open("weights.pt", "rb").read(80))` shows HTML.',
            when=equals("key", "<", ""),
            likely=equals("key", "<"),
        ),
        Cause(
            why="The download or the saving was cut off: the disk was full, or it was still being"
            " written. Get it again.",
            tell='`import os; print(os.path.getsize("weights.pt"))` is less than at its source.',
        ),
        Cause(
            why="PyTorch 1.6 and later write zip files, which PyTorch before 1.6 does not read.",
            tell='`print(open("weights.pt", "rb").read(2))` shows PK.',
            fix='torch.save(state_dict, "weights.pt", _use_new_zipfile_serialization=False)',
            when=both(unless(equals("key", "<")), unless(equals("key", "v"))),
        ),
    ),
    notes=("rnnshape names the format of a file, whatever its suffix.",),
    more=INSPECT,
    source="torch/serialization.py, for a file that is not its own",
    generic=True,
)
_NEWER: Final = Entry(
    mistake="newer-format",
    wordings=(
        Wording(
            "Attempted to read a PyTorch file with version {version:int}, but the maximum", "1.3 on"
        ),
        Wording("version_ <= kMaxSupportedFileFormatVersion", "1.3 to 1.5"),
        Wording("is a zip archive (did you mean to use torch.jit.load()?)", "1.1 to 1.5"),
    ),
    meaning="The file was written by a newer PyTorch than this one, in a format that it does not"
    " read.",
    causes=(
        Cause(
            why="Install a newer PyTorch: 1.6 on reads the zip format.",
            tell="`print(torch.__version__)`.",
        ),
        Cause(
            why="Or write the weights again with the newer one, in the old format.",
            fix='torch.save(state_dict, "weights.pt", _use_new_zipfile_serialization=False)',
        ),
    ),
    more=INSPECT,
    source="torch/serialization.py and caffe2/serialize of PyTorch before 1.6",
)

ENTRIES: Final = (
    _OLD,
    _NO_WEIGHT,
    _REPLACED,
    _NO_FLATTEN,
    _NONE_IN_WEIGHTS,
    _TRANSPOSED,
    _FLATTENED,
    _CLASS_IS_GONE,
    _NOT_A_FILE,
    _NEWER,
)
