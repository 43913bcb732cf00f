"""Tuples, lists and PackedSequences where a tensor belongs, and what is unpacked wrongly."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import CODE, LENGTHS, STATES
from rnnshape.analysis.explanation.conditions import both, either, equals, mentions, unless
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers
from rnnshape.analysis.explanation.wording import Wording
from rnnshape.layer.config import Kind


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Attributes of a tensor that code around recurrent layers asks for.
_OF_TENSORS: Final = _words(
    "T abs add argmax argmin backward bfloat16 bmm chunk clamp clone contiguous cpu cuda data"
    " data_ptr detach detach_ device dim div double dtype element_size eq exp expand expand_as"
    " fill_ flatten float gather get_device grad grad_fn half is_contiguous is_cuda"
    " is_floating_point is_sparse item log log_softmax long masked_fill masked_fill_ matmul max"
    " mean min mm mul narrow ndim ndimension nelement new new_zeros numel numpy permute pow relu"
    " repeat requires_grad requires_grad_ reshape retain_grad select shape sigmoid size softmax"
    " split sqrt squeeze std storage stride sub sum t tanh to tolist topk transpose transpose_"
    " type type_as unbind unsqueeze unsqueeze_ view view_as zero_"
)
# Names that other things have too: they say nothing without a hint of torch.
_COMMON: Final = _words(
    "T abs add div exp expand item log max mean min mul new pow select split std sub sum t type"
)
_OF_ARRAYS: Final = _COMMON | _words("device dtype ndim shape size to tolist transpose view")
# Those that move or cut a carried state: of an LSTM it is a tuple.
_OF_STATES: Final = _words(
    "backward clone cpu cuda data detach detach_ device double float half requires_grad"
    " requires_grad_ to zero_ new fill_ type dtype"
)
# Calls of these need parentheses and an argument in the line that we suggest.
_TAKE: Final = {
    "to": "to(device)",
    "data": "detach()",
    "detach_": "detach()",
    "backward": "detach()",
    "device": "to(device)",
    "dtype": "to(x.dtype)",
    "type": "to(x.dtype)",
    "requires_grad": "requires_grad_()",
    "fill_": "fill_(0)",
    "new": "clone()",
}

_SUMMARY: Final = ("torchsummary", "torchsummaryX", "pytorch_model_summary", "visualtorch")
_HOOKS: Final = (*_SUMMARY, "captum", "forward_hook", "_hook(", "in register_hook", "thop")


def _is_lstm(clues: Clues) -> bool:
    return clues.kind is Kind.LSTM


def _is_not_lstm(clues: Clues) -> bool:
    return clues.kind in (Kind.GRU, Kind.RNN)


_may_be_lstm: Final = unless(_is_not_lstm)


def _returned(clues: Clues) -> dict[str, Any]:
    """What a recurrent layer returns, and how it is taken apart."""
    state = {Kind.LSTM: "(h_n, c_n)"}.get(clues.kind, "h_n") if clues.kind else "state"
    return {
        "state": state,
        "returns": f"(output, {state})",
        "whose": (
            f"{clues.names['layer']} returns (output, {state})"
            if clues.kind
            else "often it is what a recurrent layer returns, (output, state)"
        ),
        "taken": f"out, {state}" if clues.kind else "out, _",
    }


_in_sequential: Final = mentions("container.py", "nn.Sequential(", "Sequential.forward")
_in_cell: Final = mentions("LSTMCell", "GRUCell", "RNNCell")


_TAKE_OUTPUT: Final = Cause(
    why="A recurrent layer returns (output, state), and the whole tuple was passed on.",
    tell="`print(type(x))` before this line shows a tuple.",
    fix="{taken} = self.{command}(x)  # then use out",
)
_SEQUENTIAL: Final = Cause(
    why="In `nn.Sequential` the next module gets all that the layer returns: (output, state).",
    tell="The traceback goes through container.py.",
    fix="class Output(nn.Module):\n"
    "    def forward(self, result):\n"
    "        return result[0]\n\n"
    "lstm = {class_name}(input_size, hidden_size)\n"
    "model = nn.Sequential(lstm, Output(), nn.Linear(hidden_size, 1))",
    likely=_in_sequential,
)


def _attribute(clues: Clues) -> Numbers | None:
    attribute = clues["attribute"]
    if attribute not in _OF_TENSORS or (attribute in _COMMON and not clues.of_torch):
        return None
    call = _TAKE.get(attribute, f"{attribute}()")
    return {**_returned(clues), "call": call}


def _of_states(clues: Clues) -> bool:
    return clues["attribute"] in _OF_STATES


_may_be_pair: Final = both(_of_states, _may_be_lstm)


def _pair_given(clues: Clues) -> bool:
    """Whether a GRU or RNN asked its state for its dimensions."""
    return (
        clues["attribute"] in ("dim", "size")
        and _is_not_lstm(clues)
        and clues.mentions("hx.dim()", "hx.size()", "check_hidden_size")
    )


_ATTRIBUTE = Entry(
    mistake="tuple-attribute",
    wordings=(Wording("'tuple' object has no attribute '{attribute:word}'", "0.2 on"),),
    read=_attribute,
    generic=True,
    meaning="`{attribute}` was looked up on a tuple where a tensor is needed: {whose}.",
    causes=(
        Cause(
            why="The state of {layer} is one tensor; (h, c) is the state of an LSTM.",
            tell="`print(type(hidden))` shows a tuple.",
            fix="output, h_n = self.{command}(x, hidden[0])  # or build an nn.LSTM",
            when=both(equals("attribute", "dim", "size"), _is_not_lstm),
            certain=_pair_given,
        ),
        Cause(
            why="The state of an LSTM is a tuple, (h, c): each of the two is a tensor.",
            tell="`print(type(hidden))` shows a tuple.",
            fix="hidden = tuple(h.{call} for h in hidden)",
            when=_may_be_pair,
            likely=_may_be_pair,
        ),
        _TAKE_OUTPUT,
        _SEQUENTIAL,
        Cause(
            why="A tool that hooks into modules, such as torchsummary, takes what the layer"
            " returns for one tensor. Your model may be right.",
            tell="The traceback goes through the tool, and the model runs without it.",
            fix="from torchinfo import summary  # knows recurrent layers",
            when=either(equals("attribute", "size", "shape", "clone"), mentions(*_HOOKS)),
            likely=mentions(*_HOOKS),
            certain=mentions(*_SUMMARY),
        ),
    ),
    more=STATES,
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 3)).size()",
        "nn.LSTM(3, 4)(z(5, 2, 3))[1].cuda()",
        "nn.Sequential(nn.LSTM(3, 4), nn.LSTM(4, 4))(z(5, 2, 3))",
        "nn.functional.log_softmax(nn.LSTM(3, 4)(z(5, 2, 3)), 1)",
    ),
)

_NOT_PACKED = Entry(
    mistake="pad-not-packed",
    wordings=(
        Wording("'tuple' object has no attribute 'batch_sizes'", "1.1 on"),
        Wording("'Tensor' object has no attribute 'batch_sizes'", "1.1 on"),
        Wording("'list' object has no attribute 'batch_sizes'", "1.1 on"),
        Wording(
            "pad_packed_sequence expects sequence to be a PackedSequence, but got an object of type"
            " {given}",
            "0.3",
        ),
    ),
    read=_returned,
    meaning="`pad_packed_sequence` takes a PackedSequence, but it was given something else.",
    causes=(
        Cause(
            why="It was given all that {layer} returns; the PackedSequence is the first of it.",
            tell="The message names a tuple.",
            fix="packed_output, state = self.{command}(packed)\n"
            "output, lengths = pad_packed_sequence(packed_output)",
            when=lambda clues: "'tuple'" in clues.statement.message,
        ),
        Cause(
            why="A list of data and lengths is not a PackedSequence: pack_padded_sequence makes one"
            " of them.",
            tell="The message names a list.",
            fix="packed = pack_padded_sequence(x, lengths, enforce_sorted=False)",
            when=lambda clues: "'list'" in clues.statement.message,
        ),
        Cause(
            why="The input of {layer} was not packed, so its output is a padded tensor already.",
            tell="The message names a tensor.",
            fix="packed = pack_padded_sequence(x, lengths, enforce_sorted=False)",
            when=lambda clues: "Tensor" in clues.statement.message,
        ),
    ),
    more=LENGTHS,
    provoked_by=(
        "torch.nn.utils.rnn.pad_packed_sequence(nn.LSTM(3, 4)(z(5, 2, 3)))",
        "torch.nn.utils.rnn.pad_packed_sequence(z(5, 2, 3))",
    ),
)

_PACKED_CAUSES: Final = (
    Cause(
        why="The output of {layer} is packed where its input is: unpack it for what follows.",
        tell="`print(type(x))` shows PackedSequence.",
        fix="x, lengths = pad_packed_sequence(x, batch_first=True)  # as in packing",
    ),
    Cause(
        why="What works on each step alone, such as `nn.Linear` or a loss, can have the data of"
        " all steps, (sum of lengths, feature), without padding.",
        tell="Scores and targets were packed in the same way.",
        fix="scores = pack_padded_sequence(scores, lengths, enforce_sorted=False).data\n"
        "targets = pack_padded_sequence(targets, lengths, enforce_sorted=False).data",
    ),
    Cause(
        why="The line was `scores, _ = pack_padded_sequence(...)`, for torch 1.0 and older;"
        " without the `_`, the whole PackedSequence was passed on.",
        tell="The line is like `scores = pack_padded_sequence(...)`.",
        fix="scores = pack_padded_sequence(scores, lengths, batch_first=True).data",
        when=mentions("scores", "targets", "pack_padded_sequence(", "size", "log_softmax"),
    ),
    Cause(
        why="A tool that hooks into modules, such as torchsummary, asks a PackedSequence for what"
        " only a tensor has.",
        tell="The model runs without the tool.",
        fix="from torchinfo import summary  # or give the tool a padded tensor",
        when=mentions(*_HOOKS),
        certain=mentions(*_SUMMARY),
    ),
)


def _packed(clues: Clues) -> Numbers | None:
    given = clues.get("given") or "PackedSequence"
    if given.rpartition(".")[2] != "PackedSequence" or clues.get("function") == "embedding":
        return None
    asked = clues.get("attribute") or clues.get("function")
    return {"asked": "An operation on tensors" if asked is None else f"`{asked}`"}


_PACKED = Entry(
    mistake="packed-as-tensor",
    wordings=(
        Wording("'PackedSequence' object has no attribute '{attribute:word}'", "0.2 on"),
        Wording(
            "{function:word}(): argument '{argument:word}' (position {position:int}) must be"
            " Tensor, not {given:name}",
            "0.4 on",
        ),
        Wording("{function:word}(): argument '{argument:word}' must be Tensor, not {given:name}"),
        Wording(
            "expected Tensor as element {element:int} in argument {argument:int}, but got"
            " {given:name}",
            "1.0 on",
        ),
        Wording("unsupported operand type(s) for {sign}: 'PackedSequence' and", ""),
        Wording('can only concatenate tuple (not "PackedSequence") to tuple', ""),
    ),
    read=_packed,
    meaning="{asked} needs a tensor, but it was given a PackedSequence: the data of all steps"
    " with their `batch_sizes`.",
    causes=_PACKED_CAUSES,
    notes=("`packed + packed` and `2 * packed` raise no error: they join fields, as tuples do.",),
    more=LENGTHS,
    provoked_by=(
        "torch.nn.utils.rnn.pack_padded_sequence(z(5, 2, 3), [5, 4]).size(0)",
        "nn.Linear(3, 4)(torch.nn.utils.rnn.pack_padded_sequence(z(5, 2, 3), [5, 4]))",
        "torch.cat([torch.nn.utils.rnn.pack_padded_sequence(z(5, 2, 3), [5, 4])])",
    ),
)

# What messages of other mistakes name: sizes, flags, tensors of another type.
_LAYERS_OWN: Final = frozenset({"Tensor", "Parameter", "FloatTensor", "PackedSequence", "dtype"})
# Functions that take sizes, no tensors; and embedding, which takes indices.
_OTHERS: Final = _words(
    "embedding new empty zeros ones full rand randn normal tensor lstm gru rnn_tanh rnn_relu"
)
_KINDS_OF_GIVEN: Final = {
    "tuple": "a tuple",
    "list": "a list",
    "dict": "a dict",
    "str": "a text",
    "int": "an int",
    "float": "a float",
    "NoneType": "None",
    "numpy.ndarray": "a NumPy array",
    "method": "a method",
    "function": "a function",
    "builtin_function_or_method": "a method",
    "LSTM": "the layer itself",
    "GRU": "the layer itself",
    "RNN": "the layer itself",
    "Embedding": "the nn.Embedding itself",
    "Linear": "the nn.Linear itself",
}


def _given(clues: Clues) -> Numbers | None:
    given = clues["given"].rpartition(".")[2]
    given = "numpy.ndarray" if given == "ndarray" else given
    if given in _LAYERS_OWN or (clues.get("function") or "").casefold() in _OTHERS:
        return None
    known = _KINDS_OF_GIVEN.get(given, f"a {given}")
    called = clues.get("function")
    if called is None and (given == "NoneType" or clues.get("argument") != 0):
        return None  # a weight of the layer, which was deleted or replaced
    asks = f"`{called}` needs" if called else "The list of tensors may hold only tensors; it needs"
    return {**_returned(clues), "asks": asks, "what": known, "kind_of_given": given}


def _joins(clues: Clues) -> bool:
    """Whether a list of tensors was asked for, as in `torch.cat`."""
    return clues.get("element") is not None


_KEYS_OF_DICT: Final = Cause(
    why="A model of transformers 4 returns a dict, and unpacking it gives its keys, which are"
    " texts.",
    tell="`print(x)` shows a name such as 'last_hidden_state'.",
    fix="hidden = self.bert(ids, attention_mask=mask).last_hidden_state"
    "  # or bert(..., return_dict=False)",
    when=equals("kind_of_given", "str", "dict"),
)
_LIST_OF_TENSORS: Final = Cause(
    why="It is a list of tensors, one for each step or each sequence.",
    tell="`print(type(x[0]))` shows a tensor.",
    fix="x = torch.stack(x)  # or pad_sequence(x) where the lengths differ",
    when=equals("kind_of_given", "list"),
)
_NO_RETURN: Final = Cause(
    why="A forward method, or a function of yours, has no `return`.",
    tell="`print(x)` shows None.",
    fix="return output  # as the last line of forward",
    when=equals("kind_of_given", "NoneType"),
)
_TENSOR = Entry(
    mistake="not-a-tensor",
    wordings=(
        Wording(
            "{function:word}(): argument '{argument:word}' (position {position:int}) must be"
            " Tensor, not {given:name}",
            "0.4 on",
        ),
        Wording("{function:word}(): argument '{argument:word}' must be Tensor, not {given:name}"),
        Wording(
            "{function:word}(): argument '{argument:word}' (position {position:int}) must be"
            " Variable, not {given:name}",
            "0.2 and 0.3",
        ),
        Wording(
            "expected Tensor as element {element:int} in argument {argument:int}, but got"
            " {given:name}",
            "1.0 on",
        ),
        Wording(
            "{function:word}() received an invalid combination of arguments - got ({given:name},",
            "0.2 on",
        ),
    ),
    read=lambda clues: (
        _given(clues) if clues["given"].rpartition(".")[2] not in _LAYERS_OWN else None
    ),
    meaning="{asks} a tensor, but it was given {what}.",
    causes=(
        Cause(
            why="The tuple is (h, c), the state of an LSTM: join its tensors one by one.",
            tell="`print([type(each) for each in states])` shows tuples.",
            fix="h_n, c_n = state\nstate = torch.cat((h_n[-2], h_n[-1]), dim=-1)",
            when=both(equals("kind_of_given", "tuple"), _joins),
        ),
        replace(_TAKE_OUTPUT, when=equals("kind_of_given", "tuple")),
        replace(_SEQUENTIAL, when=both(equals("kind_of_given", "tuple"), unless(_joins))),
        _KEYS_OF_DICT,
        Cause(
            why="The data never became a tensor.",
            tell="`print(type(x))` shows {what}.",
            fix="x = torch.as_tensor(x)  # .float() for a layer, .long() for an embedding",
            when=equals("kind_of_given", "list", "int", "float", "numpy.ndarray"),
        ),
        _LIST_OF_TENSORS,
        Cause(
            why="The sequences to pad are lists of numbers.",
            tell="`print(type(sequences[0]))` shows a list.",
            fix="x = pad_sequence([torch.as_tensor(sequence) for sequence in sequences])",
            when=both(equals("kind_of_given", "list", "numpy.ndarray"), _joins),
            likely=mentions("pad_sequence"),
        ),
        _NO_RETURN,
        Cause(
            why="A method was not called, or a layer was given in place of its output.",
            tell="`print(x)` shows it.",
            fix="out, _ = self.{command}(x)  # with parentheses",
            when=equals(
                "kind_of_given",
                "method",
                "function",
                "builtin_function_or_method",
                "LSTM",
                "GRU",
                "RNN",
            ),
        ),
    ),
    more=STATES,
    provoked_by=(
        "nn.Sequential(nn.LSTM(3, 4), nn.Linear(4, 2))(z(5, 2, 3))",
        "nn.Dropout(.5)(nn.LSTM(3, 4)(z(5, 2, 3)))",
        "torch.cat([nn.LSTM(3, 4)(z(5, 2, 3))[1]])",
        "torch.nn.utils.rnn.pad_sequence([[1, 2], [3]])",
        "nn.Linear(3, 4)([z(5, 3)])",
        "nn.Conv1d(2, 2, 1)(nn.LSTM(3, 4)(z(5, 2, 3)))",
    ),
)


def _no_tensor(clues: Clues) -> Numbers | None:
    given, attribute = clues["given"].rpartition(".")[2], clues["attribute"]
    own = _OWN.get(given)
    if own is None or attribute not in _OF_TENSORS or attribute in own:
        return None
    if attribute in _OF_ARRAYS and not clues.of_torch:
        return None
    return {"kind_of_given": given, "what": _KINDS_OF_GIVEN.get(given, "a NumPy array")}


# Attributes that such an object has itself, so that it was not asked for them in vain.
_OWN: Final = {
    "list": frozenset[str](),
    "ndarray": frozenset({"shape", "size", "dtype", "ndim", "T", "data", "device"}),
    "NoneType": frozenset({"data", "shape", "grad"}),
    "int": frozenset({"data"}),
    "float": frozenset({"data"}),
    "str": frozenset({"data", "split", "to"}),
    **dict.fromkeys(
        ("LSTM", "GRU", "RNN", "Embedding", "Linear"),
        _words("T add bfloat16 cpu cuda double float half requires_grad_ to type apply"),
    ),
}

_NO_TENSOR = Entry(
    mistake="not-a-tensor-attribute",
    wordings=(Wording("'{given:name}' object has no attribute '{attribute:word}'", "0.2 on"),),
    read=_no_tensor,
    generic=True,
    meaning="`{attribute}` was looked up on {what} where a tensor is needed.",
    causes=(
        _LIST_OF_TENSORS,
        Cause(
            why="The data never became a tensor.",
            tell="`print(type(x))` shows it.",
            fix="x = torch.as_tensor(x).float()",
            when=equals("kind_of_given", "list", "ndarray", "int", "float"),
        ),
        Cause(
            why="The state is a list [h, c], such as after appending, or from several layers.",
            tell="`print(len(hidden))` shows 2.",
            fix="hidden = tuple(h.to(device) for h in hidden)",
            when=both(equals("kind_of_given", "list"), _of_states),
            likely=mentions("hidden", "state"),
        ),
        _NO_RETURN,
        Cause(
            why="The state was never made: it is None before the first step.",
            tell="`print(hidden)` shows None.",
            fix="if hidden is not None:\n    hidden = tuple(h.detach() for h in hidden)",
            when=both(
                equals("kind_of_given", "NoneType"),
                equals("attribute", "size", "dim", *_OF_STATES),
            ),
        ),
        _KEYS_OF_DICT,
        Cause(
            why="The layer was given in place of what it returns: it was not called.",
            tell="`print(x)` shows the layer.",
            fix="out, _ = self.{command}(x)  # with its input in parentheses",
            when=equals("kind_of_given", "LSTM", "GRU", "RNN"),
        ),
        Cause(
            why="The module was given in place of what it returns: it was not called.",
            tell="`print(x)` shows the module.",
            fix="x = self.embedding(x)  # with its input in parentheses",
            when=equals("kind_of_given", "Embedding", "Linear"),
        ),
    ),
    provoked_by=(
        "nn.LSTM(3, 4)([z(5, 3)])",
        "nn.LSTM(3, 4)(None)",
        "nn.LSTM(3, 4)('last_hidden_state')",
        "nn.LSTM(3, 4)(nn.Embedding(5, 3))",
    ),
)


def _unpacked(clues: Clues) -> Numbers | None:
    """How many values were expected; what fits three and more names is not this mistake."""
    expected, got = clues.get("expected"), clues.get("got")
    if got is not None:
        count = f"{got} came" if got != 1 else "one came"
    else:
        count = "more came" if clues.get("more") is None else f"{clues['more']} came"
    wanted = (got or 1) + 1 if expected is None else expected  # Python 2 does not say how many
    return {**_returned(clues), "wanted": wanted, "came": count}


def _in_layer(clues: Clues) -> bool:
    """Whether PyTorch's own code, of torch 0.1 to 0.3, takes the state of an LSTM apart."""
    return clues.mentions("_functions/rnn.py", "_functions\\rnn.py", "hx, cx = hidden")


_SIZES: Final = re.compile(r"=\s*[\w.\[\]]+\.(?:shape\b|size\(\))")


def _reads_shape(clues: Clues) -> bool:
    return bool(_SIZES.search(clues.code))


def _takes_state_apart(clues: Clues) -> bool:
    """Whether the code names h and c."""
    return bool(re.search(r"\(\s*(?:h\w*|hidden\w*|_)\s*,\s*(?:c\w*|_)\s*\)", clues.code))


def _takes_pack_apart(clues: Clues) -> bool:
    return bool(re.search(r"= *(?:[\w.]+\.)?pack_|batch_sizes\s*=", clues.code))


def _reads_batch(clues: Clues) -> bool:
    return bool(re.search(r"= *batch\.|text_lengths", clues.code))


def _two_of_many(clues: Clues) -> bool:
    """Whether two names stand before a longer thing."""
    return bool(clues["wanted"] == 2 and clues.get("got") is None)


_unpacks_state: Final = equals("wanted", 2)


_UNPACKED = Entry(
    mistake="unpack",
    wordings=(
        Wording("too many values to unpack (expected {expected:int}, got {more:int})", ""),
        Wording("too many values to unpack (expected {expected:int})", "0.2 on"),
        Wording("not enough values to unpack (expected {expected:int}, got {got:int})", "0.2 on"),
        Wording("too many values to unpack", "0.2 on"),
        Wording("need more than {got:int} value", "Python 2"),
    ),
    read=_unpacked,
    generic=True,
    meaning="The line unpacks {wanted} values, but {came}.",
    causes=(
        Cause(
            why="A PackedSequence is not a pair: from torch 1.1 on it has four fields.",
            tell="The line is like `scores, _ = pack_padded_sequence(...)`.",
            fix="scores = pack_padded_sequence(scores, lengths, batch_first=True).data\n"
            "data, batch_sizes, sorted_indices, unsorted_indices = packed  # all four",
            when=_two_of_many,
            certain=_takes_pack_apart,
            likely=mentions("pack_", "packed"),
        ),
        Cause(
            why="torchtext gives (text, lengths) only with include_lengths; without it, the batch"
            " itself is unpacked, row by row.",
            tell="The line is like `text, lengths = batch.text`.",
            fix="TEXT = Field(include_lengths=True)",
            when=_two_of_many,
            certain=_reads_batch,
        ),
        Cause(
            why="A GRU or an RNN returns (output, h_n): one state, not a pair. Unpacking it as"
            " (h, c) takes its layers for h and c: too many with several layers, not enough with"
            " one.",
            tell="The line is like `out, (h, c) = self.gru(x)`.",
            fix="output, h_n = self.gru(x)  # a GRU has no c",
            when=both(_unpacks_state, unless(_is_lstm)),
            likely=either(_is_not_lstm, _takes_state_apart),
        ),
        Cause(
            why="An `nn.LSTM` returns two values, (output, (h_n, c_n)), and the second is a pair.",
            tell="The line names three values: `out, h, c = self.lstm(x)`.",
            fix="output, (h_n, c_n) = self.lstm(x)",
            when=both(equals("wanted", 3, 4), _may_be_lstm),
        ),
        Cause(
            why="A cell returns no output besides its state: `nn.LSTMCell` (h, c), the others h.",
            tell="The line is like `out, (h, c) = cell(x)`.",
            fix="h, c = lstm_cell(x, (h, c))\nh = gru_cell(x, h)",
            when=either(_in_cell, mentions("cell(")),
            likely=unless(_in_layer),
        ),
        Cause(
            why="The line does not have one name for each dimension of the tensor.",
            tell="`print(x.shape)` shows it.",
            fix="seq_len, batch, features = x.shape",
            when=lambda clues: _reads_shape(clues) or not clues.has_frames,
            certain=_reads_shape,
        ),
        Cause(
            why="The state of an LSTM must be a pair (h, c), but one tensor was given: it was"
            " unpacked along its layers.",
            tell="`print(type(hidden))` shows a tensor.",
            fix="output, hidden = self.lstm(x, (h_0, c_0))",
            when=both(either(_is_lstm, _in_layer), _unpacks_state),
            likely=_in_layer,
        ),
    ),
    more=STATES,
    provoked_by=(
        "a, (b, c) = nn.GRU(3, 4)(z(5, 2, 3))",
        "a, (b, c) = nn.GRU(3, 4, 3)(z(5, 2, 3))",
        "a, b, c = nn.LSTM(3, 4)(z(5, 2, 3))",
        "a, b = torch.nn.utils.rnn.pack_padded_sequence(z(5, 2, 3), [5, 4])",
    ),
)


def _nothing(clues: Clues) -> Numbers | None:
    given = clues["given"]
    if given in ("LSTM", "GRU", "RNN"):
        return {"given": given}
    return {"given": given} if given == "NoneType" and clues.of_torch else None


_UNPACKED_NONE = Entry(
    mistake="unpack-nothing",
    wordings=(
        Wording("cannot unpack non-iterable {given:name} object", ""),
        Wording("'{given:name}' object is not iterable", ""),
    ),
    read=_nothing,
    generic=True,
    meaning="The line unpacks several values, but the right-hand side is {given}.",
    causes=(
        Cause(
            why="A forward method, or a function that makes the first state, has no `return`.",
            tell="`print(x)` before the line shows None.",
            fix="return output, state  # as the last line of forward",
            when=equals("given", "NoneType"),
        ),
        Cause(
            why="The layer was not called.",
            tell="The parentheses with the input are missing.",
            fix="output, state = self.lstm(x)",
            when=equals("given", "LSTM", "GRU", "RNN"),
        ),
        Cause(
            why="The state is None at the first step.",
            tell="`print(hidden)` shows None.",
            fix="output, hidden = self.lstm(x, hidden)  # None is taken: the states are then zeros",
            when=equals("given", "NoneType"),
        ),
    ),
    provoked_by=("a, b = nn.LSTM(3, 4)",),
)

_INDEXED = Entry(
    mistake="tuple-index",
    wordings=(
        Wording("tuple indices must be integers or slices, not tuple", "0.2 on"),
        Wording("tuple indices must be integers, not tuple", "0.2 on"),
    ),
    read=_returned,
    generic=True,
    meaning="A tuple is indexed like a tensor, with several indices: {whose}.",
    causes=(
        Cause(
            why="A recurrent layer returns (output, state), and the tuple itself is indexed.",
            tell="The line is like `out[:, -1, :]`.",
            fix="{taken} = self.{command}(x)\nlast = out[:, -1, :]  # out[-1] without batch_first",
        ),
        Cause(
            why="The state of an LSTM is a tuple (h, c), and the tuple itself is indexed.",
            tell="The line is like `hidden[-1, :, :]`.",
            fix="h_n, c_n = hidden\nlast = h_n[-1]  # (batch, feature)",
            when=_may_be_lstm,
        ),
        Cause(
            why="It is a PackedSequence, which is a tuple too: unpack it first.",
            tell="`print(type(out))` shows PackedSequence.",
            fix="out, lengths = pad_packed_sequence(out, batch_first=True)",
            likely=mentions("packed"),
        ),
    ),
    more=STATES,
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 3))[:, -1, :]",
        "torch.nn.utils.rnn.pack_padded_sequence(z(5, 2, 3), [5, 4])[:, -1, :]",
    ),
)

_LIST_INDEXED = Entry(
    mistake="list-index",
    wordings=(
        Wording("list indices must be integers or slices, not tuple", "0.2 on"),
        Wording("list indices must be integers, not tuple", "0.2 on"),
    ),
    read=lambda clues: {} if clues.of_torch else None,
    generic=True,
    meaning="A list is indexed like a tensor, with several indices.",
    causes=(
        Cause(
            why="The outputs of the steps were collected in a list.",
            tell="`print(type(outputs))` shows a list.",
            fix="outputs = torch.stack(outputs)  # (seq, batch, feature)",
        ),
    ),
    source="Python itself, not torch",
)


def _computes(clues: Clues) -> Numbers | None:
    other = clues["other"]
    if other != "Tensor" and not clues.recurrent:
        return None
    return {**_returned(clues), "sign": clues.get("sign") or "*"}


_COMPUTED = Entry(
    mistake="tuple-arithmetic",
    wordings=(
        Wording(
            "unsupported operand type(s) for {sign:rest}: 'tuple' and '{other:word}'", "0.2 on"
        ),
        Wording(
            "unsupported operand type(s) for {sign:rest}: '{other:word}' and 'tuple'", "0.2 on"
        ),
        Wording('can only concatenate tuple (not "{other:word}") to tuple', "0.2 on"),
        Wording("can't multiply sequence by non-int of type '{other:word}'", "0.2 on"),
    ),
    read=_computes,
    generic=True,
    meaning="A tuple is used in arithmetic where a tensor is needed: {whose}.",
    causes=(
        _TAKE_OUTPUT,
        Cause(
            why="The state of an LSTM is a tuple (h, c), and the tuple itself is in the formula.",
            tell="`print(type(hidden))` shows a tuple.",
            fix="h_n, c_n = hidden",
            when=_may_be_lstm,
        ),
    ),
    more=STATES,
    provoked_by=("nn.LSTM(3, 4)(z(5, 2, 3)) - z(5, 2, 4)",),
)


def _layer_call(clues: Clues) -> Numbers | None:
    """Accepts calls of the layers of torch, whose messages name no more than the class, if that."""
    named = clues.get("named")
    if named is None and not clues.recurrent:
        return None
    if named not in (None, "LSTM", "GRU", "RNN"):
        return None
    pair = "(h_0, c_0)" if clues.kind in (None, Kind.LSTM) else "h_0"
    return {"given_state": pair}


_CALLED = Entry(
    mistake="call-arguments",
    wordings=(
        Wording(
            "{named:word}.forward() takes from 2 to 3 positional arguments but {count:int} were"
            " given",
            "",
        ),
        Wording("forward() takes from 2 to 3 positional arguments but {count:int} were given", ""),
        Wording("{named:word}.forward() got an unexpected keyword argument '{keyword:word}'", ""),
        Wording("forward() got an unexpected keyword argument '{keyword:word}'", ""),
        Wording("{named:word}.forward() missing 1 required positional argument: 'input'", ""),
    ),
    read=_layer_call,
    meaning="{layer} takes an input and one further argument, `hx`: its state.",
    causes=(
        Cause(
            why="h and c were given one by one; they belong in one tuple.",
            fix="output, (h_n, c_n) = self.lstm(x, (h_0, c_0))",
            when=equals("count", 4),
        ),
        Cause(
            why="The lengths were given beside the input; a layer takes them only in a"
            " PackedSequence.",
            fix="packed = pack_padded_sequence(x, lengths, enforce_sorted=False)\n"
            "output, state = self.{command}(packed)",
            when=lambda clues: (
                clues.get("count") is not None
                or clues.get("keyword") in ("lengths", "mask", "seq_len", "batch_sizes")
            ),
        ),
        Cause(
            why="`{keyword}` is not an argument of the call: the state is called `hx`, and"
            " everything else belongs to the constructor.",
            fix="output, state = self.{command}(x, {given_state})",
            when=lambda clues: clues.get("keyword") is not None,
        ),
        Cause(
            why="The layer was called without its input.",
            fix="output, state = self.{command}(x)",
            when=lambda clues: clues.get("count") is None and clues.get("keyword") is None,
        ),
    ),
    more=CODE,
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 3), z(1, 2, 4), z(1, 2, 4))",
        "nn.LSTM(3, 4)(z(5, 2, 3), hidden=None)",
        "nn.GRU(3, 4)()",
    ),
)


def _sequential(clues: Clues) -> Numbers | None:
    given = clues["given"].rpartition(".")[2]
    return {**_returned(clues), "what": given}


_NO_MODULE = Entry(
    mistake="sequential-entry",
    wordings=(Wording("{given:name} is not a Module subclass", "0.2 on"),),
    read=_sequential,
    meaning="`nn.Sequential` and `nn.ModuleList` take modules; a {what} is not one.",
    causes=(
        Cause(
            why="The layer was called where it should only be built; a call returns (output,"
            " state).",
            fix="layers = nn.ModuleList([{class_name}(input_size, hidden_size)])",
            when=equals("what", "tuple"),
        ),
        Cause(
            why="The class was given; parentheses with the sizes make it a layer.",
            fix="layers = nn.ModuleList([{class_name}(input_size, hidden_size)])",
            when=equals("what", "type", "LSTM", "GRU", "RNN"),
        ),
        Cause(
            why="A list was given; its entries are needed one by one.",
            fix="model = nn.Sequential(*layers)",
            when=equals("what", "list", "generator"),
        ),
        Cause(
            why="A function is not a module.",
            fix="model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())  # not torch.relu",
            when=lambda clues: "function" in clues["what"] or clues["what"] == "method",
        ),
    ),
    provoked_by=(
        "nn.Sequential(nn.LSTM(3, 4)(z(5, 2, 3)))",
        "nn.Sequential(nn.LSTM)",
    ),
)

_SUBSCRIPT = Entry(
    mistake="layer-index",
    wordings=(
        Wording("'LSTM' object is not subscriptable", ""),
        Wording("'GRU' object is not subscriptable", ""),
        Wording("'RNN' object is not subscriptable", ""),
        Wording("'LSTM' object does not support indexing", ""),
        Wording("'GRU' object does not support indexing", ""),
        Wording("'Tensor' object is not callable", "0.4 on"),
    ),
    read=lambda clues: (
        {}
        if "callable" not in clues.statement.message or clues.mentions("batch_sizes", "lengths")
        else None
    ),
    meaning="The layer is indexed, or a tensor is called: one of them stands where the other"
    " belongs.",
    causes=(
        Cause(
            why="The layer itself is indexed, not what it returns.",
            fix="output, state = self.{command}(x)\nlast = output[-1]",
            when=lambda clues: "callable" not in clues.statement.message,
        ),
        Cause(
            why="`batch_sizes` is a tensor, not a method: it says how many sequences each step"
            " has.",
            fix="batch = int(packed.batch_sizes[0])",
            when=lambda clues: "callable" in clues.statement.message,
        ),
    ),
    more=STATES,
    provoked_by=("nn.LSTM(3, 4)[0]",),
)

ENTRIES: Final = (
    *(_NOT_PACKED, _PACKED, _TENSOR, _ATTRIBUTE, _NO_TENSOR, _UNPACKED, _UNPACKED_NONE),
    *(_INDEXED, _LIST_INDEXED, _COMPUTED, _CALLED, _NO_MODULE, _SUBSCRIPT),
)
