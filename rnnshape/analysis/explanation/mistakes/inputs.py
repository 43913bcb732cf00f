"""Inputs that do not fit the layer: their features, their dimensions, and what is no tensor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from rnnshape.analysis.explanation.clues import Clues, names_of
from rnnshape.analysis.explanation.commands import LAYOUTS
from rnnshape.analysis.explanation.conditions import equals, holds, mentions
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers, compared
from rnnshape.analysis.explanation.wording import Wording
from rnnshape.errors import counted
from rnnshape.layer.config import Kind

# The number of features


def _features(clues: Clues) -> dict[str, Any]:
    """How the two numbers of features are related, and where the expected one stands in x."""
    expected, got = clues["expected"], clues["got"]
    shape = clues.input or ()
    places = [axis for axis, size in enumerate(shape[:-1]) if size == expected]
    found = bool(places) and shape[-1] == got
    return {
        "ratio": got // expected if expected > 0 else 0,
        "place": places[-1] if found else None,
        "found": found,
        "shape": tuple(shape),
        "hidden": clues.config.get("hidden_size", "hidden_size"),
        "more_or_less": abs(got - expected),
        "columns": counted(abs(got - expected), "column"),
        "sign": "more" if got > expected else "fewer",
    }


def _layer_features(clues: Clues) -> Numbers | None:
    """Accepts numbers of features, and shapes that differ in them alone."""
    expected, got = clues["expected"], clues["got"]
    if isinstance(expected, tuple):
        if len(expected) != 3 or len(got) != 3 or expected[:-1] != got[:-1]:
            return None
        clues.numbers |= {"expected": expected[-1], "got": got[-1]}
    return _features(clues)


def _cell_features(clues: Clues) -> dict[str, Any]:
    return _features(clues) | names_of(clues.kind, cell=True)


_compared: Final = compared("feature", title="x")


_in_other_axis: Final = holds("found")


def _no_features(clues: Clues) -> bool:
    """Whether one feature is expected: then the last axis of x is often the sequence."""
    return bool(clues["expected"] == 1 < clues["got"])


def _one_feature(clues: Clues) -> bool:
    return bool(clues["got"] == 1 < clues["expected"])


def _from_bidirectional(clues: Clues) -> bool:
    return bool(clues["got"] == 2 * clues["expected"] > 2)


def _from_one_direction(clues: Clues) -> bool:
    return bool(clues["expected"] == 2 * clues["got"] > 2)


def _flattened(clues: Clues) -> bool:
    ratio, expected = clues["ratio"], clues["expected"]
    return bool(ratio > 2 and expected > 1 and clues["got"] == ratio * expected)


def _nearly(clues: Clues) -> bool:
    """Whether so few features are missing or too many that columns of the data come to mind."""
    return bool(0 < clues["more_or_less"] <= max(2, clues["expected"] // 20)) and not (
        _no_features(clues) or _one_feature(clues)
    )


_TRANSPOSED: Final = Cause(
    why="The features are on another axis: x is {shape}, and {expected} stands at axis {place}.",
    fix="x = x.transpose({place}, -1)",
    when=_in_other_axis,
    certain=_in_other_axis,
)
_FEATURE_AXIS: Final = Cause(
    why="x has no axis of features: its last axis, {got}, is the sequence or the batch.",
    tell="`print(x.shape)` ends in ..., {got} and not in ..., 1.",
    fix="x = x.unsqueeze(-1)",
    when=_no_features,
    likely=_no_features,
)
_BIDIRECTIONAL: Final = Cause(
    why="x comes from a bidirectional layer: its output has 2 x {expected} features.",
    tell="The layer before it has `bidirectional=True`.",
    fix="{class_name}({got}, {hidden})  # 2 * hidden_size of the layer before",
    when=_from_bidirectional,
    likely=_from_bidirectional,
)
_ONE_DIRECTION: Final = Cause(
    why="{layer} was made for the output of a bidirectional layer, {expected} = 2 x {got}, but the"
    " layer before it has one direction.",
    tell="The layer before it has no `bidirectional=True`.",
    fix="{class_name}({got}, {hidden})  # hidden_size of the layer before",
    when=_from_one_direction,
)
_FLATTENED: Final = Cause(
    why="Steps were flattened into the features: {got} = {ratio} x {expected}.",
    tell="`print(x.shape)` shows (batch, {got}) or (batch, 1, {got}), and there are {ratio} steps.",
    fix="x = x.reshape(-1, {ratio}, {expected})  # (batch, seq, feature): batch_first=True",
    when=_flattened,
    likely=_flattened,
)
_COLUMNS: Final = Cause(
    why="The data has {columns} {sign} than input_size counts, such as a target, a"
    " time feature, or one that is listed twice.",
    tell="Count the columns that make the last dimension of x.",
    fix="{class_name}({got}, {hidden})  # or leave those columns out",
    when=_nearly,
    likely=_nearly,
)
_CONSTRUCTED: Final = Cause(
    why="input_size was set to {expected}, but the features (the embedding, the columns, or what"
    " was concatenated) are {got}.",
    tell="`print(x.shape)` shows (..., {got}).",
    fix="{class_name}({got}, {hidden})  # or make x with {expected} features",
    likely=mentions("embed", "bert", "glove", "word2vec", "fasttext"),
)
_STEPS: Final = Cause(
    why="input_size was set to the number of steps, {expected}; it is the number of features of"
    " one step, 1.",
    tell="`print(x.shape)` shows (batch, {expected}, 1).",
    fix="{class_name}(1, {hidden}, batch_first=True)",
    when=_one_feature,
)
_ORDER: Final = Cause(
    why="The axes of x are in another order: the last dimension has to be the features.",
    tell="`print(x.shape)` shows {expected} on another axis.",
    fix="x = x.transpose(1, 2)  # (batch, feature, seq) to (batch, seq, feature)",
    when=lambda clues: clues.input is None,  # _TRANSPOSED is for a known one
)

_TOKENS: Final = Cause(
    why="x holds the indices of tokens, (batch, seq), which an nn.Embedding has to turn into"
    " features.",
    tell="`print(x.dtype, x.shape)` shows integers, and 2 sizes.",
    fix="x = nn.Embedding(vocabulary_size, {expected})(x)",
    when=mentions("vocab", "token"),
)

_INPUT_SIZE = Entry(
    mistake="input-size",
    wordings=(
        Wording(
            "input.size(-1) must be equal to input_size. Expected {expected:int}, got {got:int}",
            "0.4 on",
        ),
        Wording("Expected input size {expected:shape}, got {got:shape}", "0.2 on, cuDNN"),
    ),
    read=_layer_features,
    meaning="The last dimension of x, its features, has size {got}, but input_size of {layer} is"
    " {expected}.",
    compare=_compared,
    causes=(
        _TRANSPOSED,
        _FEATURE_AXIS,
        _BIDIRECTIONAL,
        _FLATTENED,
        _COLUMNS,
        _CONSTRUCTED,
        _STEPS,
        _ONE_DIRECTION,
        _TOKENS,
        _ORDER,
    ),
    notes=(
        "In torch 2.2 an nn.LSTM without a state does not check this, and returns numbers.",
        "In torch 2.2 and 2.13 an nn.LSTM does not check this for a PackedSequence.",
    ),
    more="rnnshape {command} --input {got} --show shapes",
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 7))",
        "nn.GRU(4, 4)(z(5, 2, 8))",
        "nn.RNN(1, 4, batch_first=True)(z(5, 2, 10))",
        "torch.ao.nn.quantized.dynamic.LSTM(3, 4)(z(5, 2, 7))",
    ),
)


_NO_FN = Entry(
    mistake="input-size-before-0-4",
    wordings=(Wording("name 'fn' is not defined", "0.3"),),
    read=lambda clues: (
        {"often": "" if clues.recurrent else "Often: "} if not _elsewhere(clues) else None
    ),
    meaning="{often}torch 0.3 means that x.size(-1) is not input_size of {layer}, but a bug in its"
    " own message hides the numbers.",
    causes=(
        Cause(
            why="The last dimension of x is not the input_size that {layer} was made with.",
            tell="`print(x.size(), {command}.input_size)` shows two different numbers.",
            fix="{class_name}(input_size=x.size(-1), hidden_size=hidden_size)",
        ),
        Cause(
            why="x does not have 3 dimensions, or its axes are in another order.",
            tell="`print(x.size())` does not show (seq, batch, feature).",
            fix="x = x.transpose(1, 2)  # (batch, feature, seq) to (batch, seq, feature)",
        ),
    ),
    notes=("A newer version says `input.size(-1) must be equal to input_size`.",),
    more="rnnshape {command} --show shapes",
    source="torch/backends/cudnn/rnn.py of torch 0.3",
    generic=True,
)


def _elsewhere(clues: Clues) -> bool:
    """Whether the name is missing in other code than the recurrent layers of PyTorch."""
    return clues.has_frames and not clues.mentions("modules/rnn.py", "modules\\rnn.py")


_CELL_INPUT = Entry(
    mistake="cell-input-size",
    wordings=(
        Wording(
            "input has inconsistent input_size: got {got:int}{between}expected {expected:int}",
            "0.2 on",
        ),
    ),
    read=_cell_features,
    meaning="The last dimension of x, its features, has size {got}, but input_size of {layer} is"
    " {expected}. A cell takes (batch, feature): one step.",
    compare=_compared,
    causes=(
        _TRANSPOSED,
        _FEATURE_AXIS,
        _BIDIRECTIONAL,
        _FLATTENED,
        Cause(
            why="Parts are concatenated to x (an embedding, a context, a state), and their sizes do"
            " not add up to input_size: {got} is {more_or_less} {sign} than {expected}.",
            tell="Print the shape of each part before `torch.cat`.",
            fix="{class_name}({got}, {hidden})  # the sum of the parts",
            likely=mentions("cat(", "context", "concat"),
        ),
        Cause(
            why="x is (batch, seq, feature): torch before 1.12 took the steps for features.",
            tell="`print(x.shape)` shows 3 sizes.",
            fix="for step in x.unbind(1):\n    state = cell(step, state)",
            when=lambda clues: clues["between"].startswith(","),
        ),
        Cause(
            why="The data does not have as many features as the cell was made for: settings or"
            " observations may differ between training and evaluation.",
            tell="`print(x.shape)` shows (..., {got}).",
            fix="{class_name}({got}, {hidden})",
        ),
    ),
    more="rnnshape {command} --cell --input {got} --show shapes",
    provoked_by=(
        "nn.LSTMCell(3, 4)(z(2, 7))",
        "nn.GRUCell(3, 4)(z(2, 6))",
        "torch.ao.nn.quantized.dynamic.GRUCell(3, 4)(z(2, 7))",
    ),
)


# The number of dimensions


def _dimensions(clues: Clues) -> Numbers | None:
    """How many dimensions x has, as far as the message says."""
    told, dims = clues.get("told"), clues.get("dims")
    new = told == 5  # 1.11 and 1.12 count the axis that they have added
    numbers: dict[str, Any] = {"had": dims if dims is not None else 4 if new else told}
    if clues.get("wanted") not in (None, 3):
        return None
    numbers["spoken"] = f"{numbers['had']}-D"
    if new:
        numbers["spoken"] = "4-D (torch 1.11 and 1.12 count one too many, other versions 5-D)"
    elif told == 2:
        numbers["spoken"] = "2-D (in torch 1.11 and 1.12: 1-D)"
    if clues.get("kind") in ("LSTM", "GRU", "RNN"):
        numbers |= names_of(Kind(clues["kind"]))
    other = ", or (batch, seq, feature) with batch_first=True"
    return numbers | {
        "seq_axis": 1 - clues.batch_axis,
        "batch_axis": clues.batch_axis,
        "order": "(batch, seq, feature)" if clues.batch_first else "(seq, batch, feature)",
        "other": other if clues.batch_first is None else "",
    }


def _many(clues: Clues) -> bool:
    return bool(clues["had"] > 3)


def _few(clues: Clues) -> bool:
    return bool(clues["had"] < 3)


_INDICES: Final = Cause(
    why="x holds the indices of tokens, which an nn.Embedding has to turn into features.",
    tell="`print(x.dtype)` shows torch.int64.",
    fix="x = nn.Embedding(vocabulary_size, input_size)(x)",
)
_ONE_AXIS: Final = Cause(
    why="x is one step, or one number for each step, and lacks the other axes.",
    tell="`print(x.shape)` shows 1 size.",
    fix="x = x.reshape(1, -1, input_size)  # (batch, seq, feature): batch_first=True",
)
_DIMENSIONS = Entry(
    mistake="input-dimensions",
    wordings=(
        Wording("input must have {wanted:int} dimensions, got {told:int}", "0.4 on"),
        Wording("{kind:word}: Expected input to be 2D or 3D, got {dims:int}D", "2.1 on"),
        Wording(
            "{kind:word}: Expected input to be 2-D or 3-D but received {dims:int}-D tensor",
            "1.13 and 2.0",
        ),
    ),
    read=_dimensions,
    meaning="x is {spoken}, but {layer} takes 3 dimensions: {order}{other}; since torch 1.11 also"
    " 2, (seq, feature), without a batch.",
    causes=(
        Cause(
            why="x is (batch, feature): each sequence has one step, and its axis is missing.",
            tell="`print(x.shape)` shows (batch, feature).",
            fix="x = x.unsqueeze({seq_axis})  # unsqueeze(1) with batch_first=True, else 0",
            when=equals("had", 2),
        ),
        Cause(
            why="x is (seq, feature): one sequence, without the axis of its batch.",
            tell="`print(x.shape)` shows (seq, feature).",
            fix="x = x.unsqueeze({batch_axis})  # unsqueeze(0) with batch_first=True, else 1",
            when=equals("had", 2),
        ),
        Cause(
            why="x is (batch, seq), one number a step, and lacks the axis of its features.",
            tell="`print(x.shape)` shows (batch, seq).",
            fix="x = x.unsqueeze(-1)  # input_size is 1",
            when=equals("had", 2),
        ),
        replace(_INDICES, when=_few, likely=mentions("token", "vocab", "embed", "word")),
        replace(_ONE_AXIS, when=equals("had", 0, 1)),
        Cause(
            why="x has several axes of features, such as those of an image or a convolution.",
            tell="`print(x.shape)` shows them after the batch and the steps.",
            fix="x = x.flatten(2)  # (batch, seq, everything else)",
            when=_many,
        ),
        Cause(
            why="x has several axes of steps or batches, such as sentences of words.",
            tell="`print(x.shape)` shows two axes before (seq, feature).",
            fix="x = x.flatten(0, 1)  # (batch * groups, seq, feature)",
            when=_many,
        ),
        Cause(
            why="x has an axis of size 1 too many, such as from an unsqueeze.",
            tell="`print(x.shape)` shows a 1.",
            fix="x = x.squeeze(1)  # the axis that is 1",
            when=_many,
        ),
    ),
    more=LAYOUTS,
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 3, 1))",
        "nn.RNN(3, 4)(z(3))",
        "nn.GRU(3, 4)(z(5, 2, 3, 1, 1))",
        "torch.ao.nn.quantized.dynamic.LSTM(3, 4)(z(5, 3))",
    ),
)


def _packed(clues: Clues) -> Numbers | None:
    return {"had": clues["told"]} if clues["wanted"] == 2 else None


_PACKED_DIMENSIONS = Entry(
    mistake="packed-dimensions",
    wordings=(Wording("input must have {wanted:int} dimensions, got {told:int}", "0.4 on"),),
    read=_packed,
    meaning="The data of the PackedSequence is {had}-D, but {layer} takes it 2-D: (all steps of all"
    " sequences, feature).",
    causes=(
        Cause(
            why="What was packed did not have 3 dimensions: (batch, seq, feature) with"
            " batch_first=True, else (seq, batch, feature).",
            tell="`print(x.shape)` before pack_padded_sequence does not show 3 sizes.",
            fix="x = x.reshape(x.size(0), x.size(1), -1)\n"
            "packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)",
        ),
        Cause(
            why="The indices of tokens were packed before nn.Embedding made features of them.",
            tell="`print(packed.data.dtype)` shows torch.int64.",
            fix="packed = nn.utils.rnn.pack_padded_sequence(embedding(tokens), lengths)",
            when=equals("had", 1),
        ),
        Cause(
            why="The PackedSequence was made by hand, from data that is still padded.",
            tell="`PackedSequence(...)` is called.",
            fix="packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)",
        ),
    ),
    notes=("An nn.LSTM does not check it in torch 2.2 and 2.13: it fails later, or not at all.",),
    more="rnnshape {command} --batch 2 --seq 5 --lengths 5,4 --show shapes",
    provoked_by=(
        "nn.GRU(3, 4)(nn.utils.rnn.PackedSequence(z(9, 3, 1), torch.tensor([2, 2, 2, 2, 1])))",
    ),
)

_CELL_DIMENSIONS = Entry(
    mistake="cell-input-dimensions",
    wordings=(
        Wording(
            "{cell:word}: Expected input to be 1D or 2D, got {had:int}D instead",
            "2.1 on",
        ),
        Wording(
            "{cell:word}: Expected input to be 1-D or 2-D but received {had:int}-D tensor",
            "1.11 to 2.0",
        ),
    ),
    read=lambda clues: {
        "command": clues["cell"].removesuffix("Cell").lower(),
        "layer_name": "nn." + clues["cell"].removesuffix("Cell"),
    },
    meaning="x is {had}-D, but an nn.{cell} takes one step: (batch, feature), or (feature) without"
    " a batch.",
    causes=(
        Cause(
            why="x is a whole sequence, but a cell takes its steps one by one.",
            tell="`print(x.shape)` shows (seq, batch, feature) or (batch, seq, feature).",
            fix="for step in x:  # x is (seq, batch, feature); x.unbind(1) if batch first\n"
            "    state = cell(step, state)",
        ),
        Cause(
            why="If a layer was meant, not a cell: a layer reads the whole sequence in one call.",
            tell="No step needs the output of the one before as its input.",
            fix="{layer_name}(input_size, hidden_size)",
        ),
        Cause(
            why="x is one step, and has an axis of size 1 for it.",
            tell="`print(x.shape)` shows a 1.",
            fix="x = x.squeeze(1)  # (batch, feature)",
        ),
    ),
    more="rnnshape {command} --cell --show shapes",
    provoked_by=(
        "nn.LSTMCell(3, 4)(z(5, 2, 3))",
        "nn.GRUCell(3, 4)(z(5, 2, 3))",
        "nn.RNNCell(3, 4)(z(5, 2, 3, 1))",
    ),
)


def _one_dimension(clues: Clues) -> Numbers | None:
    """Accepts the second axis of what has one, where a layer of torch before 1.11 looked for it."""
    wanted = (clues["low"], clues["high"], clues["axis"])
    return {} if wanted == (-1, 0, 1) and clues.frame == "rnn" else None


_ONE_DIMENSION = Entry(
    mistake="input-one-dimension",
    wordings=(
        Wording(
            "Dimension out of range (expected to be in range of [{low:int}, {high:int}],"
            " but got {axis:int})",
            "0.4 to 1.10",
        ),
    ),
    read=_one_dimension,
    meaning="x is 1-D, but {layer} takes 3 dimensions: (seq, batch, feature), or (batch, seq,"
    " feature) with batch_first=True.",
    causes=(
        _ONE_AXIS,
        _INDICES,
    ),
    more=LAYOUTS,
    source="torch/nn/modules/rnn.py before torch 1.11, by its frames",
)


# Empty sequences


def _empty(clues: Clues) -> Numbers | None:
    """Accepts what names the sequence, and of other messages those that a layer raised."""
    if "sequence" not in clues.statement.message and clues.frame != "rnn":
        return None
    return {"axis": 1 - clues.batch_axis}


_EMPTY = Entry(
    mistake="input-empty",
    wordings=(
        Wording("Expected sequence length to be larger than 0 in RNN", "1.11 on"),
        Wording("stack expects a non-empty TensorList", "1.2 to 1.10"),
        Wording("expected a non-empty list of Tensors", "1.0 and 1.1"),
    ),
    read=_empty,
    meaning="x is an empty sequence: it has 0 steps, and {layer} needs 1.",
    causes=(
        Cause(
            why="A sample of the data is empty, such as a text without a known word.",
            tell="`print(x.shape)` shows a 0.",
            fix="samples = [sample for sample in samples if len(sample) > 0]",
        ),
        Cause(
            why="A slice or a window left nothing, such as x[:, n:] of at most n steps.",
            tell="`print(x.shape)` before and after the slice shows it.",
            fix="if x.size({axis}) == 0:  # axis 1 if x is batch first\n    return None",
        ),
        Cause(
            why="x is batch first, and {layer} takes its batch of 0 for the steps.",
            tell="`print(x.shape)` shows (0, seq, feature).",
            fix="{class_name}(..., batch_first=True)",
        ),
    ),
    more=LAYOUTS,
    provoked_by=(
        "nn.GRU(3, 4)(z(0, 2, 3))",
        "nn.LSTM(3, 4, batch_first=True)(z(2, 0, 3))",
    ),
)


# What is no tensor


def _size_of_array(clues: Clues) -> Numbers | None:
    return {} if clues.frame == "rnn" and clues.mentions("input.size(") else None


_ARRAY = Entry(
    mistake="input-array",
    wordings=(Wording("'int' object is not callable", "0.4 to 1.10"),),
    read=_size_of_array,
    meaning="{layer} was given a NumPy array where it takes a tensor: `size` of an array is a"
    " number, not a method.",
    causes=(
        Cause(
            why="x is a NumPy array.",
            tell="`type(x)` is numpy.ndarray.",
            fix="x = torch.from_numpy(x).float()",
        ),
    ),
    more=LAYOUTS,
    source="torch/nn/modules/rnn.py before torch 1.11, by its frames",
    generic=True,
)

_VARIABLE = Entry(
    mistake="input-variable",
    wordings=(
        Wording("must be Variable, not {type:word}", "0.3"),
        Wording("expected a Variable argument, but got {type:word}", "0.1 and 0.2"),
        Wording("expected Variable as element {place:int} in argument", "0.3"),
        Wording("'torch.{type:name}' object has no attribute 'detach'", "0.1 to 0.3"),
        Wording("'torch.{type:name}' object has no attribute 'backward'", "0.1 to 0.3"),
        Wording("'torch.{type:name}' object has no attribute 'requires_grad", "0.1 to 0.3"),
    ),
    read=lambda clues: {"type": clues.get("type") or "tensor"},
    meaning="Before torch 0.4 layers take Variables, but a {type} was given.",
    causes=(
        Cause(
            why="The input or the state is a tensor that is not wrapped.",
            tell="`print(torch.__version__)` shows 0.3 or older.",
            fix="x = torch.autograd.Variable(x)  # the state too",
        ),
        Cause(
            why="The code was written for torch 0.4 or newer.",
            tell="`print(torch.__version__)` shows an older one.",
            fix="# in a shell: pip install --upgrade torch",
        ),
    ),
    notes=("Since torch 0.4 every tensor is a Variable.",),
    source="torch 0.1 to 0.3",
)

ENTRIES: Final = (
    _INPUT_SIZE,
    _NO_FN,
    _CELL_INPUT,
    _DIMENSIONS,
    _PACKED_DIMENSIONS,
    _CELL_DIMENSIONS,
    _ONE_DIMENSION,
    _EMPTY,
    _ARRAY,
    _VARIABLE,
)
