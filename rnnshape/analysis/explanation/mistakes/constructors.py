"""What constructors refuse or warn of, and what goes wrong between `__init__` and the weights."""

from __future__ import annotations

import re
from typing import Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import CODE, PROJECTION, WEIGHTS
from rnnshape.analysis.explanation.conditions import both, either, equals, holds, mentions, unless
from rnnshape.analysis.explanation.differences import alternatives
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers
from rnnshape.analysis.explanation.wording import Wording
from rnnshape.layer.config import Kind

_MODULE: Final = "type('N', (nn.Module,), {{'__init__': lambda self: {}}})()"
# Arguments of torch.lstm and its like, from the list of weights on.
_AFTER_WEIGHTS: Final = (
    "bias",
    "num_layers",
    "dropout",
    "training",
    "bidirectional",
    "batch_first",
)
_RIGHT: Final = {
    "bias": ("bool",),
    "num_layers": ("int",),
    "dropout": ("float", "int"),
    "training": ("bool",),
    "bidirectional": ("bool",),
    "batch_first": ("bool",),
}
_FLAGS: Final = ("bias", "training", "bidirectional", "batch_first")


def _types(message: str) -> list[str]:
    """The types of the arguments that torch.lstm got, as far as the message lists them."""
    lists = re.findall(r"got \((.*?)\)(?:,| but|$)", message)
    lists += re.findall(r"invalid types: \((.*?)\)(?: \*|$| \()", message)
    for each in lists:
        bare = re.sub(r" of [(\[][^)\]]*[)\]]", "", each).replace("!", "")
        types = [part.strip() for part in bare.split(",")]
        if "list" in types or "tuple" in types[2:]:
            return types
    return []


def _wrong_arguments(clues: Clues) -> dict[str, str]:
    """The arguments of a wrong type, by name: from the message, or from the constructor's call."""
    types = _types(clues.statement.message)
    if types:
        weights = max(place for place, name in enumerate(types) if name in ("list", "tuple"))
        named = dict(zip(_AFTER_WEIGHTS, types[weights + 1 :], strict=False))
        wrong = {name: given for name, given in named.items() if given not in _RIGHT[name]}
        state = types[weights - 1]
        pair = clues["function"].casefold() == "lstm"
        if (state == "Tensor") is pair and weights > 1:
            wrong["hx"] = state
        return wrong
    config = clues.config
    return {
        flag: type(config[flag]).__name__
        for flag in _FLAGS
        if flag in config and not isinstance(config[flag], bool)
    }


def _call(clues: Clues) -> Numbers | None:
    function = clues["function"].casefold()
    if function not in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
        return None
    wrong = _wrong_arguments(clues)
    flags = [name for name in wrong if name in _FLAGS]
    kind = {"lstm": "LSTM", "gru": "GRU"}.get(function, "RNN")
    return {
        "wrong": wrong,
        "flags": " and ".join(f"`{name}`" for name in flags) or "`bidirectional`",
        "given": ", ".join(dict.fromkeys(wrong[name] for name in flags)) or "int",
        "bools": ", ".join(f"{name}=bool({name})" for name in flags)
        or "bidirectional=bool(bidirectional)",
        "flag": flags[0] if flags else "bidirectional",
        "made": f"nn.{kind}",
        "other": ", ".join(name for name in wrong if name not in _FLAGS),
        "problem": _problem(wrong, flags),
    }


def _problem(wrong: dict[str, str], flags: list[str]) -> str:
    if flags:
        names = " and ".join(f"`{name}`" for name in flags)
        given = ", ".join(dict.fromkeys(wrong[name] for name in flags))
        return f"{names} must be a bool, but is of type {given}"
    if "hx" in wrong:
        return f"the state, `hx`, is of type {wrong['hx']}"
    if wrong:
        return ", ".join(f"`{name}` is of type {given}" for name, given in wrong.items())
    return "an argument has the wrong type, which `!` marks in the whole message"


def _flag_wrong(clues: Clues) -> bool:
    return any(name in _FLAGS for name in clues["wrong"])


def _state_wrong(clues: Clues) -> bool:
    return "hx" in clues["wrong"]


_nothing_known: Final = unless(holds("wrong"))


_CALLED = Entry(
    mistake="flag-type-in-call",
    wordings=(Wording("{function:word}() received an invalid combination of arguments", "1.0 on"),),
    read=_call,
    meaning="In the call of `{function}`, {problem}.",
    causes=(
        Cause(
            why="{flags} came as {given}, from a command line or a file, and the constructor keeps"
            " it as it is: only the first forward pass finds it.",
            tell="`print(layer)` shows 1 or a text in place of True.",
            fix="{made}(..., {bools})",
            when=either(_flag_wrong, _nothing_known),
            certain=_flag_wrong,
        ),
        Cause(
            why="The state of an LSTM is a tuple, (h, c), but one tensor was given.",
            tell="`print(type(hidden))` shows a tensor.",
            fix="output, (h_n, c_n) = lstm(x, (h_0, c_0))",
            when=lambda clues: (
                clues["function"].casefold() == "lstm"
                and (_state_wrong(clues) or _nothing_known(clues))
            ),
            certain=_state_wrong,
        ),
        Cause(
            why="The state of a GRU or an RNN is one tensor, but a tuple was given.",
            tell="`print(type(hidden))` shows a tuple.",
            fix="output, h_n = {command}(x, h_0)",
            when=lambda clues: clues["function"].casefold() != "lstm" and _state_wrong(clues),
            certain=_state_wrong,
        ),
        Cause(
            why="`{other}` came as a text or a float, from a command line or a file.",
            tell="`print(layer)` shows it.",
            fix="{made}(..., num_layers=int(num_layers), dropout=float(dropout))",
            when=both(holds("other"), unless(_state_wrong)),
            certain=both(holds("other"), unless(_state_wrong)),
        ),
    ),
    notes=("With argparse, `type=bool` turns every text but the empty one into True.",),
    more=CODE,
    provoked_by=(
        "nn.LSTM(3, 4, bidirectional=1)(z(5, 2, 3))",
        "nn.GRU(3, 4, bidirectional=1)(pack_padded_sequence(z(5, 2, 3), [5, 4]))",
    ),
)

_BOOL = Entry(
    mistake="flag-type",
    wordings=(
        Wording("bias should be of type bool, got: {given:word}", "2.3 on"),
        Wording("batch_first should be of type bool, got: {given:word}", "2.0 on"),
    ),
    read=lambda clues: {
        "flag": "bias" if "bias" in clues.statement.message.split()[0] else "batch_first"
    },
    meaning="`{flag}` must be True or False, but a value of type {given} was given.",
    causes=(
        Cause(
            why="A positional argument is not in its place: the order is input_size, hidden_size,"
            " num_layers, bias, batch_first, dropout, bidirectional. `bias` is the fourth.",
            tell="The call has more than three arguments without a name.",
            fix="{class_name}(\n"
            "    input_size, hidden_size, num_layers=2, batch_first=True, bidirectional=True\n)",
        ),
        Cause(
            why="The value comes from a command line or a file, as 1, 0 or a text.",
            tell="`print(type({flag}))` shows {given}.",
            fix="{class_name}(..., {flag}=bool({flag}))",
            when=unless(equals("given", "NoneType")),
        ),
        Cause(
            why="The value is None, as from a setting that is missing.",
            tell="`print({flag})` shows None.",
            fix="{class_name}(..., {flag}=bool({flag}))",
            certain=equals("given", "NoneType"),
            when=equals("given", "NoneType"),
        ),
    ),
    notes=("torch 2.2 and older accepted an int for `bias` without an error.",),
    more='rnnshape inspect "nn.LSTM(20, 40, 4, True)"',
    provoked_by=("nn.LSTM(3, 4, 1, 2)", "nn.LSTM(3, 4, batch_first=1)", "nn.GRU(3, 4, 1, 'tanh')"),
)


def _size_type(clues: Clues) -> Numbers | None:
    field = clues.get("field")
    if field is None:
        return {"which": "A size of a layer", "given": clues.get("given") or "float"}
    if field not in ("input_size", "hidden_size", "num_layers", "proj_size"):
        return None
    return {"which": f"`{field}`"}


_SIZE = Entry(
    mistake="size-type",
    wordings=(
        Wording("{field:word} should be of type int, got: {given:word}", "2.0 on"),
        Wording("new() received an invalid combination of arguments - got ({given:word}, int)", ""),
        Wording("new() received an invalid combination of arguments - got (int, {given:word})", ""),
        Wording(
            "empty() received an invalid combination of arguments - got (tuple,", "1.8 to 1.12"
        ),
        Wording(
            "empty(): argument 'size' failed to unpack the object at pos {place:int} with error"
            ' "type must be tuple of ints,but got {given:word}"',
            "1.13 on",
        ),
        Wording("empty(): argument 'size' (position 1) must be tuple of ints, not tuple", "1.0 on"),
        Wording(
            "empty(): argument 'size' (position 1) must be tuple of ints, but found element of type"
            " {given:word} at pos {place:int}",
            "1.13 on",
        ),
        Wording(
            "empty(): argument 'size' must be tuple of ints, but found element of type {given:word}"
            " at pos {place:int}",
            "1.12 on",
        ),
    ),
    read=_size_type,
    meaning="{which} must be an int, but is of type {given}.",
    causes=(
        Cause(
            why="`/` always gives a float in Python 3, as in `hidden_size / 2`.",
            tell="The size is computed with `/`, or with a rate such as 0.5.",
            fix="{class_name}(input_size, hidden_size // 2)",
            when=equals("given", "float"),
        ),
        Cause(
            why="The size comes from a command line or a file, as a text.",
            tell="`print(repr(hidden_size))` shows quotes.",
            fix="{class_name}(int(input_size), int(hidden_size))",
            when=equals("given", "str", "float"),
        ),
        Cause(
            why="The size comes from NumPy or from a tensor.",
            tell="`print(type(hidden_size))` shows it.",
            fix="{class_name}(int(input_size), int(hidden_size))",
            when=equals("given", "int64", "int32", "Tensor", "float64", "float32", "ndarray"),
        ),
        Cause(
            why="A shape was given in place of its last size.",
            tell="`print(input_size)` shows several numbers.",
            fix="{class_name}(x.shape[-1], hidden_size)",
            when=equals("given", "tuple", "Size", "torch.Size", "list"),
        ),
        Cause(
            why="The size is None: a setting is missing, or a function does not return it.",
            tell="`print(input_size, hidden_size)` shows None.",
            when=equals("given", "NoneType"),
        ),
        Cause(
            why="The arguments are not in their place: the sizes come first.",
            tell="The call names no arguments.",
            fix="{class_name}(input_size=20, hidden_size=40)",
            when=equals("given", "bool", "Tensor", "Embedding", "LSTM", "dict"),
        ),
    ),
    more=CODE,
    provoked_by=(
        "nn.LSTM(3, 8 / 2)",
        "nn.LSTM('3', 4)",
        "nn.LSTM((5, 3), 4)",
        "nn.LSTM(3, None)",
        "nn.LSTMCell(3.0, 4)",
    ),
)


def _zero(clues: Clues) -> Numbers | None:
    field = clues.get("field")
    if field is None:  # Python's own message
        if clues.has_frames and not clues.mentions("reset_parameters", "rnn.py"):
            return None
        field = "hidden_size"
    return {"name": field} if field in ("input_size", "hidden_size", "num_layers") else None


_ZERO = Entry(
    mistake="size-zero",
    wordings=(
        Wording("{field:word} must be greater than zero", "2.0 on"),
        Wording("float division by zero", "0.2 to 1.7"),
    ),
    read=_zero,
    generic=True,
    meaning="`{name}` must be at least 1, but 0 or less was given.",
    causes=(
        Cause(
            why="The number is computed, and rounded down to 0, as in `hidden_size // heads` or"
            " `int(0.5 * size)`.",
            tell="`print({name})` before the constructor shows 0.",
            fix="{name} = max(1, {name})",
        ),
        Cause(
            why="The number comes from data, such as `x.shape[-1]` of an empty table or the size of"
            " a vocabulary that was not built.",
            tell="`print({name})` before the constructor shows 0.",
        ),
        Cause(
            why="The number is a difference, such as `features - dropped`, that is below 0.",
            tell="`print({name})` before the constructor shows a negative number.",
            when=unless(mentions("division")),
        ),
        Cause(
            why="It has nothing to do with a layer: any division by 0.0 raises this error.",
            tell="The traceback does not go through torch/nn/modules/rnn.py.",
            when=lambda clues: clues.get("field") is None and not clues.recurrent,
        ),
    ),
    more=CODE,
    provoked_by=("nn.LSTM(0, 4)", "nn.LSTM(3, 0)", "nn.LSTM(3, 4, 0)", "nn.GRU(-3, 4)"),
)


def _negative(clues: Clues) -> Numbers:
    shape: tuple[int, ...] = clues.get("shape") or ()
    size: int = clues.get("size") or 0
    gates = clues.kind.gates if clues.kind else 0
    of_view = clues.get("axis") is not None
    is_weight = len(shape) == 2 and size < 0 and not of_view
    of_rows = is_weight and shape[0] == size
    known = of_rows and gates > 0 and size % gates == 0
    return {
        "given": f": {size} in {shape}" if size < 0 else "",
        "columns": is_weight and shape[1] == size,
        "rows": of_rows and not known,
        "layers": alternatives(size) if of_rows else "",
        "hidden_size": size // gates if known else 0,
        "gates": gates,
        "size": size,
        "view": of_view,
    }


_NEGATIVE = Entry(
    mistake="size-negative",
    wordings=(
        Wording("Trying to create tensor with negative dimension {size:int}: {shape:shape}"),
        Wording("invalid shape dimension {size:int} at index {axis:int} of shape {shape:shape}"),
        Wording("{function:word}: Dimension size must be non-negative"),
    ),
    read=_negative,
    meaning="A tensor cannot have a size below 0{given}.",
    causes=(
        Cause(
            why="It is the weight of a layer, which has a column for each feature that the layer"
            " reads: input_size, or in_features, is {size}.",
            tell="The traceback goes through `__init__`, and `print(input_size)` before it shows"
            " {size}.",
            when=holds("columns"),
        ),
        Cause(
            why="It is a weight of {layer}, which has {gates} x hidden_size rows: hidden_size is"
            " {hidden_size}.",
            tell="The traceback goes through `__init__`, and `print(hidden_size)` before it shows"
            " {hidden_size}.",
            when=holds("hidden_size"),
        ),
        Cause(
            why="It is the weight of a layer: {layers}, a Linear with out_features {size}, or an"
            " Embedding with num_embeddings {size}.",
            tell="The traceback goes through `__init__`; print its arguments before it.",
            when=holds("rows"),
        ),
        Cause(
            why="In `view` and `reshape`, -1 stands for whatever size is left; where a tensor is"
            " made, it does not.",
            tell="The line that raised the error has a -1.",
            fix="h_0 = torch.zeros(num_layers, x.size(1), hidden_size)  # x.size(0) if batch_first",
            when=both(equals("size", -1, 0), unless(holds("view"))),
        ),
        Cause(
            why="The size is a difference, such as the padding that a sequence longer than max_len"
            " would need.",
            tell="`print(max_len, len(x))` before the line shows it.",
            fix="x = x[:max_len]\npadding = max_len - len(x)",
        ),
    ),
    more=CODE,
    provoked_by=(
        "nn.LSTMCell(-3, 4)",
        "nn.GRUCell(3, -4)",
        "nn.Linear(3, -4)",
        "torch.zeros(2, -1, 3)",
        "torch.randn(2, -5)",
        "z(3, 4).view(-3, 4)",
    ),
)

_NO_LAYERS = Entry(
    mistake="no-layers",
    wordings=(Wording("list index out of range", "0.2 to 1.12"),),
    read=lambda clues: (
        {} if not clues.has_frames or clues.mentions("_flat_weights", "all_weights") else None
    ),
    generic=True,
    meaning="A list is shorter than an index. In old versions of torch, the list of a layer's"
    " weights is empty with num_layers=0, or a list of sequences is.",
    causes=(
        Cause(
            why="The list given to `pad_sequence` or `pack_sequence` is empty, with torch 1.7 or"
            " older.",
            tell="The traceback goes through torch/nn/utils/rnn.py.",
            fix="if not sequences:\n    continue  # skip this batch",
            when=lambda clues: not clues.has_frames,
        ),
        Cause(
            why="The layer was built with num_layers=0, with torch 1.12 or older.",
            tell="`print(layer)` shows num_layers=0.",
            fix="{class_name}(input_size, hidden_size, num_layers=max(1, num_layers))",
        ),
        Cause(
            why="It has nothing to do with a layer: any list raises this error.",
            tell="The traceback does not go through torch.",
            when=lambda clues: not clues.recurrent,
        ),
    ),
    source="torch/nn/modules/rnn.py of torch 1.12 and older",
)


def _rate(clues: Clues) -> Numbers:
    return {"given": f", not {clues['got']}" if clues.get("got") else ""}


_DROPOUT = Entry(
    mistake="dropout-range",
    wordings=(
        Wording(
            "dropout should be a number in range [0, 1] representing the probability of an element"
            " being zeroed",
            "0.4 on",
        ),
        Wording("dropout probability has to be between 0 and 1, but got {got:number}", "0.2 on"),
    ),
    read=_rate,
    meaning="`dropout` is a probability, a number from 0 to 1{given}.",
    causes=(
        Cause(
            why="It was given in percent, or it is a number of units.",
            tell="`print(dropout)` shows a number above 1.",
            fix="{class_name}(..., dropout=0.5)  # not 50",
        ),
        Cause(
            why="It is a text or a bool: a text comes from a command line or a file, True from a"
            " positional argument that is not in its place, since `dropout` is the sixth.",
            tell="`print(repr(dropout))` shows quotes or True.",
            fix="{class_name}(..., dropout=float(dropout), bidirectional=True)",
        ),
    ),
    notes=("It is the probability to drop, as in all of PyTorch, not the one to keep.",),
    more="rnnshape {command} --layers 2 --dropout 0.5",
    provoked_by=("nn.LSTM(3, 4, 2, dropout=1.5)", "nn.LSTM(3, 4, 2, dropout='0.5')"),
)

_ONE_LAYER = Entry(
    mistake="dropout-one-layer",
    wordings=(
        Wording(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout"
            " expects num_layers greater than 1, but got dropout={dropout:number} and"
            " num_layers={layers:int}",
            "0.4 on",
        ),
    ),
    meaning="dropout={dropout} has no effect with num_layers={layers}: it acts only between"
    " layers. This is a warning; the layer works.",
    causes=(
        Cause(
            why="Dropout on the output of the layer takes a module of its own.",
            fix="self.dropout = nn.Dropout({dropout})  # and self.dropout(output) in forward",
        ),
        Cause(
            why="With more than one layer, dropout acts between them.",
            fix="{class_name}(..., num_layers=2, dropout={dropout})",
        ),
        Cause(
            why="To be rid of the warning, set dropout only where there are several layers.",
            fix="{class_name}(..., dropout={dropout} if num_layers > 1 else 0.0)",
        ),
    ),
    more="rnnshape {command} --dropout {dropout} --show findings",
    provoked_by=("nn.LSTM(3, 4, dropout=0.5)",),
)

_PROJECTION_KIND = Entry(
    mistake="proj-size-kind",
    wordings=(Wording("proj_size argument is only supported for LSTM, not RNN or GRU", "1.8 on"),),
    meaning="Only `nn.LSTM` can project its state; `nn.GRU` and `nn.RNN` have no proj_size.",
    causes=(
        Cause(
            why="A linear layer after the output gives it that size; the state keeps its own.",
            fix="self.proj = nn.Linear(hidden_size, proj_size)  # and self.proj(output) in forward",
        ),
        Cause(
            why="Code that can build each kind of layer passes it to all.",
            fix='options = {{"proj_size": proj_size}} if kind == "LSTM" else {{}}',
        ),
    ),
    more=PROJECTION,
    provoked_by=("nn.GRU(3, 4, proj_size=2)", "nn.RNN(3, 4, proj_size=2)"),
)

_PROJECTION_SIZE = Entry(
    mistake="proj-size-range",
    wordings=(
        Wording("proj_size has to be smaller than hidden_size", "1.8 on"),
        Wording("proj_size should be a positive integer or zero to disable projections", "1.8 on"),
    ),
    meaning="proj_size must be from 1 to hidden_size - 1, or 0 for no projection.",
    causes=(
        Cause(
            why="The two sizes were exchanged: hidden_size is the larger one, of the cell;"
            " proj_size that of h and of the output.",
            tell="`print(hidden_size, proj_size)` shows it.",
            fix="nn.LSTM(input_size, hidden_size=40, proj_size=20)",
        ),
        Cause(
            why="No projection is wanted, as where both sizes are equal: leave proj_size out.",
            fix="nn.LSTM(input_size, hidden_size)",
        ),
        Cause(
            why="hidden_size is 0, which torch 1.8 to 2.0 report with these words.",
            tell="`print(hidden_size)` shows 0.",
            fix="hidden_size = max(1, hidden_size)",
            when=mentions("smaller than"),
        ),
    ),
    more=PROJECTION,
    provoked_by=("nn.LSTM(3, 4, proj_size=4)", "nn.LSTM(3, 4, proj_size=-1)"),
)


def _nonlinearity(clues: Clues) -> Numbers | None:
    given = clues["given"].strip("'\".")
    return {"given": given.partition(". Select")[0].partition("'. ")[0]}


_is_bool: Final = equals("given", "True", "False")


_NONLINEARITY = Entry(
    mistake="nonlinearity",
    wordings=(
        Wording("Unknown nonlinearity '{given}'", "0.2 on"),
        Wording("Unknown nonlinearity: {given:rest}", "0.4 on"),
        Wording("mode must be RNN_TANH or RNN_RELU, got {given:rest}", ""),
    ),
    read=_nonlinearity,
    meaning="The nonlinearity of `nn.RNN` is 'tanh' or 'relu', not '{given}'.",
    causes=(
        Cause(
            why="The fourth positional argument of `nn.RNN` is the nonlinearity; of the other"
            " layers it is `bias`.",
            fix="nn.RNN(input_size, hidden_size, num_layers=1, bias={given})",
            when=_is_bool,
            certain=_is_bool,
        ),
        Cause(
            why="If you want another activation for the output, not for each step inside, apply it"
            " after the layer.",
            fix="output = torch.sigmoid(output)  # after the layer",
        ),
        Cause(
            why="A function was given, or a name with a capital.",
            tell="It is not one of the two texts.",
            fix="nn.RNN(input_size, hidden_size, nonlinearity='relu')",
        ),
    ),
    more="rnnshape rnn --nonlinearity relu",
    provoked_by=(
        "nn.RNN(3, 4, nonlinearity='sigmoid')",
        "nn.RNN(3, 4, 1, True)",
        "nn.RNNCell(3, 4, nonlinearity='foo')(z(2, 3))",
    ),
)

_MODE = Entry(
    mistake="rnn-mode",
    wordings=(Wording("Unrecognized RNN mode: {given:rest}", "0.2 on"),),
    meaning="`nn.RNNBase` knows LSTM, GRU, RNN_TANH and RNN_RELU, not {given}.",
    causes=(
        Cause(
            why="RNNBase is the common base; the layers have classes of their own.",
            fix="nn.LSTM(input_size, hidden_size)  # or nn.GRU, nn.RNN",
        ),
        Cause(
            why="The kind comes from a setting, in upper or lower case, or under another name.",
            fix='kinds = {{"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}}\n'
            "layer = kinds[kind.lower()](input_size, hidden_size)",
        ),
    ),
    more=CODE,
    provoked_by=("nn.RNNBase('FOO', 3, 4)",),
)

# Classes whose constructors are meant by "RNNBase.__init__() got ...".
_OURS: Final = frozenset(
    {"RNNBase", "LSTM", "GRU", "RNN", "RNNCellBase", "LSTMCell", "GRUCell", "RNNCell"}
)
_SINCE: Final = {"proj_size": "1.8", "device": "1.9", "dtype": "1.9"}
# What Keras and others have, and what does the same here.
_ELSEWHERE: Final = {
    "return_sequences": "output holds every step; output[-1] is the last, with batch_first"
    " output[:, -1]",
    "return_state": "the states are always returned: output, state = layer(x)",
    "stateful": "pass the state on: output, state = layer(x, state)",
    "go_backwards": "x.flip(0) reads backwards, x.flip(1) with batch_first",
    "recurrent_dropout": "there is none; dropout acts between layers",
    "input_shape": "input_size is the last of these numbers",
    "batch_input_shape": "input_size is the last of these numbers",
    "batch_size": "the batch follows from the input, not from the layer",
    "seq_len": "the number of steps follows from the input",
    "seq_length": "the number of steps follows from the input",
    "kernel_initializer": "nn.init.xavier_uniform_(layer.weight_ih_l0)",
    "recurrent_initializer": "nn.init.orthogonal_(layer.weight_hh_l0)",
    "activation": "only nn.RNN has a choice, nonlinearity='tanh' or 'relu'",
    "nonlinearity": "only nn.RNN has a choice, nonlinearity='tanh' or 'relu'",
    "output_size": "hidden_size is the size of the output; nn.Linear after it makes another",
    "output_dim": "hidden_size is the size of the output; nn.Linear after it makes another",
}
_WHERE_CELL: Final = frozenset({"num_layers", "batch_first", "bidirectional", "dropout"})


def _keyword(clues: Clues) -> Numbers | None:
    keyword, named = clues["keyword"], clues.get("named")
    owner = (named or "").rpartition(".")[2]
    if named is None:
        known = keyword == "proj_size" or clues.mentions("nn.LSTM(", "nn.GRU(", "nn.RNN(")
    else:
        known = owner in _OURS
    if not known:
        return None
    return {
        "advice": _ELSEWHERE.get(keyword, ""),
        "field": _field(keyword),
        "since": _SINCE.get(keyword, ""),
        "cell": "Cell" in owner and keyword in _WHERE_CELL,
    }


def _field(keyword: str) -> str:
    from rnnshape.synonyms import meant_field, misspelt_field  # only for an unknown word

    meant = meant_field(keyword)
    field = meant.field if meant is not None else misspelt_field(keyword)
    return field.name if field is not None and field.group == "layer" else ""


_KEYWORD = Entry(
    mistake="constructor-keyword",
    wordings=(
        Wording(
            "{named:word}.__init__() got an unexpected keyword argument '{keyword:word}'", "2.0 on"
        ),
        Wording("__init__() got an unexpected keyword argument '{keyword:word}'", "0.2 to 1.13"),
    ),
    read=_keyword,
    meaning="The constructor of {layer} has no argument `{keyword}`.",
    causes=(
        Cause(
            why="`{keyword}` came with torch {since}; your torch is older.",
            tell="`print(torch.__version__)` shows it.",
            fix="# in a shell: pip install --upgrade torch",
            when=holds("since"),
            certain=holds("since"),
        ),
        Cause(
            why="A cell takes one step of one layer: `{keyword}` belongs to `nn.LSTM`, `nn.GRU` and"
            " `nn.RNN`.",
            fix="nn.LSTM(input_size, hidden_size, {keyword}={keyword})",
            when=holds("cell"),
            certain=holds("cell"),
        ),
        Cause(
            why="PyTorch has this in another form: {advice}.",
            when=holds("advice"),
            certain=holds("advice"),
        ),
        Cause(
            why="PyTorch calls it `{field}`.",
            fix="{class_name}(..., {field}={keyword})",
            when=holds("field"),
            certain=holds("field"),
        ),
        Cause(
            why="These are all its arguments: input_size, hidden_size, num_layers, bias,"
            " batch_first, dropout, bidirectional, proj_size, device, dtype; nn.RNN has"
            " nonlinearity too.",
        ),
    ),
    more=CODE,
    provoked_by=(
        "nn.LSTM(units=4)",
        "nn.LSTM(3, 4, return_sequences=True)",
        "nn.GRU(3, 4, bidirectionnal=True)",
        "nn.LSTMCell(3, 4, num_layers=2)",
        "nn.GRU(3, 4, nonlinearity='relu')",
    ),
)


def _arguments(clues: Clues) -> Numbers | None:
    named = (clues.get("named") or "").rpartition(".")[2]
    if named and named not in _OURS:
        return None
    names = clues.get("names") or clues.get("name") or ""
    if not named and not re.search(r"input_size|hidden_size", names) and names:
        return None
    if not named and not names:
        return None
    return {"names": names}


_MISSING = Entry(
    mistake="constructor-arguments",
    wordings=(
        Wording(
            "{named:word}.__init__() missing {count:int} required positional argument{names:rest}",
            "",
        ),
        Wording("__init__() missing {count:int} required positional argument{names:rest}", ""),
        Wording(
            "{named:word}.__init__() takes from {least:int} to {most:int} positional arguments but"
            " {count:int} were given",
            "",
        ),
        Wording("{named:word}.__init__() got multiple values for argument '{name:word}'", ""),
        Wording("__init__() got multiple values for argument '{name:word}'", ""),
        Wording("__init__() got multiple values for keyword argument '{name:word}'", ""),
    ),
    read=_arguments,
    meaning="The constructor of a recurrent layer takes input_size and hidden_size, and then"
    " options by name.",
    causes=(
        Cause(
            why="hidden_size is missing: unlike Keras, PyTorch needs both sizes.",
            fix="{class_name}(input_size, hidden_size)",
            when=mentions("missing"),
        ),
        Cause(
            why="Your class is derived from {class_name}, and does not pass the sizes on.",
            tell="The traceback goes through `super().__init__()`.",
            fix="super().__init__(input_size, hidden_size)",
            when=mentions("missing"),
        ),
        Cause(
            why="A positional argument stands in the place of one that is also given by name.",
            fix="{class_name}(input_size, hidden_size, num_layers=2, batch_first=True)",
            when=unless(mentions("missing")),
        ),
    ),
    more=CODE,
    provoked_by=("nn.LSTM(3)", "nn.GRU()", "nn.LSTM(3, 4, input_size=3)"),
)

_BEFORE_INIT = Entry(
    mistake="before-init",
    wordings=(
        Wording("cannot assign module before Module.__init__() call", "0.2 on"),
        Wording("cannot assign parameters before Module.__init__() call", "0.2 on"),
        Wording("cannot assign parameter before Module.__init__() call", "0.2 on"),
        Wording("cannot assign buffer before Module.__init__() call", "0.2 on"),
        Wording("cannot assign buffers before Module.__init__() call", "0.2 on"),
        Wording("object has no attribute '_modules'", "0.2 on"),
        Wording("object has no attribute '_backward_hooks'", "0.2 on"),
        Wording("object has no attribute '_forward_pre_hooks'", "0.2 on"),
        Wording("object has no attribute '_backward_pre_hooks'", "2.0 on"),
    ),
    meaning="Your module is used before `nn.Module.__init__` has run, which prepares it for layers"
    " and weights.",
    causes=(
        Cause(
            why="`super().__init__()` is missing, or stands below the first layer.",
            tell="It must be the first line of `__init__`.",
            fix="def __init__(self):\n"
            "    super().__init__()\n"
            "    self.lstm = nn.LSTM(input_size, hidden_size)",
        ),
        Cause(
            why="The method is misspelled, or its parentheses are missing: `def _init_`, `def"
            " init`, `super().__init__` alone.",
            tell="Read that line letter by letter: the name needs two underscores on each side.",
        ),
        Cause(
            why="`super(Other, self).__init__()` names another class, so `nn.Module.__init__` is"
            " skipped.",
            tell="The name in `super(...)` is not that of the class.",
            fix="super().__init__()",
            when=lambda clues: not clues.has_frames or clues.mentions("super("),
        ),
    ),
    provoked_by=(
        _MODULE.format("setattr(self, 'lstm', nn.LSTM(3, 4))"),
        _MODULE.format("setattr(self, 'w', nn.Parameter(z(1)))"),
        _MODULE.format("None") + "(z(1))",
    ),
)


def _assigned(clues: Clues) -> Numbers:
    given = clues["given"]
    return {
        "what": "a tensor" if "Tensor" in given else f"a {given.rpartition('.')[2]}",
        "parameter": clues["name"],
    }


_PARAMETER = Entry(
    mistake="assign-parameter",
    wordings=(
        Wording(
            "cannot assign '{given:word}' as parameter '{name:name}' (torch.nn.Parameter or None"
            " expected)",
            "0.2 on",
        ),
        Wording("cannot assign '{given:word}' object to parameter '{name:name}'", "1.13 to 2.0"),
    ),
    read=_assigned,
    meaning="`{parameter}` is a weight of the layer, so it takes an `nn.Parameter`; {what} was"
    " assigned.",
    causes=(
        Cause(
            why="To give the weight other values, write them into it.",
            fix="with torch.no_grad():\n"
            "    layer.{parameter}.copy_(value)  # keeps the optimizer's reference",
        ),
        Cause(
            why="To replace the weight, assign a parameter; then make a new optimizer, and on a GPU"
            " call `flatten_parameters()`.",
            fix="layer.{parameter} = nn.Parameter(value)",
        ),
        Cause(
            why="To compute the weight anew at each step, as in weight drop or weight norm,"
            " parametrize it.",
            fix="drop = nn.Dropout(0.5)\n"
            'nn.utils.parametrize.register_parametrization(layer, "{parameter}", drop)',
        ),
    ),
    notes=(
        "On a CPU, torch 2.13 runs an LSTM with a weight_hh of a wrong shape without an error.",
    ),
    more=WEIGHTS,
    provoked_by=(
        "l = nn.LSTM(3, 4); l.weight_hh_l0 = l.weight_hh_l0 * .5",
        "nn.LSTM(3, 4).weight_hh_l0 = 3.0",
    ),
)

_CHILD = Entry(
    mistake="assign-module",
    wordings=(
        Wording(
            "cannot assign '{given:word}' as child module '{name:name}' (torch.nn.Module or None"
            " expected)",
            "0.2 on",
        ),
    ),
    meaning="`{name}` is a layer of the module; something of type {given} was assigned to it.",
    causes=(
        Cause(
            why="An output or a state is kept under the name of a layer, as in `self.hidden ="
            " ...`, where `self.hidden` is an `nn.Linear`.",
            tell="`__init__` assigns a layer to the same name.",
            fix="self.state = state  # under a name of its own",
        ),
        Cause(
            why="To replace a layer, assign another layer.",
            fix="self.{name} = {class_name}(input_size, hidden_size)",
        ),
    ),
    provoked_by=("setattr(nn.Sequential(nn.LSTM(3, 4)), '0', z(2))",),
)

_NO_CLASS = Entry(
    mistake="no-such-layer",
    wordings=(Wording("module 'torch.nn' has no attribute '{name:word}'", "0.4 on"),),
    read=lambda clues: _named_class(clues["name"]),
    meaning="`torch.nn` has no `{name}`.",
    causes=(
        Cause(
            why="The layer has another name in PyTorch.",
            fix="{right}",
        ),
    ),
    more=CODE,
    provoked_by=("nn.lstm(3, 4)", "nn.BiLSTM(3, 4)", "nn.BiGRU(3, 4)"),
)


def _named_class(name: str) -> Numbers | None:
    """The constructor that people mean by a name that torch.nn does not have."""
    found = re.fullmatch(r"(bi|bidirectional)?_?(lstm|gru|rnn)_?(cell)?", name, re.IGNORECASE)
    if found is None:
        return None
    both, kind, cell = found.groups(default="")
    options = ", bidirectional=True" if both and not cell else ""
    return {"right": f"nn.{Kind(kind.upper()).value}{'Cell' if cell else ''}"
                     f"(input_size, hidden_size{options})"}  # fmt: skip


ENTRIES: Final = (
    *(_CALLED, _BOOL, _SIZE, _ZERO, _NEGATIVE, _NO_LAYERS, _DROPOUT, _ONE_LAYER, _PROJECTION_KIND),
    *(_PROJECTION_SIZE, _NONLINEARITY, _MODE, _KEYWORD, _MISSING, _BEFORE_INIT, _PARAMETER),
    *(_CHILD, _NO_CLASS),
)
