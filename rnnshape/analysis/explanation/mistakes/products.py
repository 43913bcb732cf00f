"""Matrix products that do not fit: in a Linear after the layer, in the layer, in attention."""

from __future__ import annotations

from dataclasses import replace
from math import gcd
from typing import Any, Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import LAYOUTS
from rnnshape.analysis.explanation.conditions import both, equals, unless
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers, compared
from rnnshape.analysis.explanation.multiples import multiple
from rnnshape.analysis.explanation.records import Comparison
from rnnshape.analysis.explanation.wording import Wording
from rnnshape.layer.config import Kind

_PLACES: Final = {
    "recurrent": r"_VF\.(?:lstm|gru|rnn)|[/\\](?:modules|_functions)[/\\]rnn\b",
    "linear": r"[/\\]modules[/\\]linear\b",
}
_GATES: Final = {Kind.LSTM: 4, Kind.GRU: 3, Kind.RNN: 1}
# Two sizes that share a factor below this may do so by chance.
_LEAST_COMMON: Final = 8

# What PyTorch calls the arguments of a product; None: the wording names none.
_MATRICES: Final = (None, "self", "mat1", "mat2", "mat")

_PRODUCT: Final = (
    Wording(
        "mat1 and mat2 shapes cannot be multiplied ({left:matrix} and {right:matrix})", "1.7 on"
    ),
    Wording("size mismatch, m1: {left:matrix}, m2: {right:matrix}", "0.1 to 1.6"),
    Wording("a and b must have same reduction dim, but got {left:shape} X {right:shape}", "2.0 on"),
    Wording(
        "linear(): input and weight.T shapes cannot be multiplied ({left:matrix} and"
        " {right:matrix})",
        "2.1 on, MPS",
    ),
)


def _product(clues: Clues) -> dict[str, Any] | None:
    """The sizes of both matrices: x of a Linear, and its transposed weight."""
    if len(clues["left"]) != 2 or len(clues["right"]) != 2:
        return None
    (rows, features), (wanted, out) = clues["left"], clues["right"]
    if features == wanted:
        return None
    return {"rows": rows, "features": features, "wanted": wanted, "out": out}


_compared: Final = compared("features", "wanted", "features", title="last dimension")


# The layer's own weights


def _in_layer(clues: Clues) -> Numbers | None:
    """What the layer's weight says, where the layer itself multiplies."""
    numbers, kind = _product(clues), clues.kind
    if numbers is None or kind is None or clues.innermost(_PLACES) != "recurrent":
        return None
    gates = _GATES[kind]
    hidden, rest = divmod(numbers["out"], gates)
    return None if rest else {**numbers, "gates": gates, "hidden": hidden}


def _may_be_state(clues: Clues) -> bool:
    return bool(clues["wanted"] == clues["hidden"])


_LAYER = Entry(
    mistake="layer-product",
    wordings=_PRODUCT,
    read=_in_layer,
    meaning="{layer} got {features} features, but its weights take {wanted}: they are"
    " ({gates}*{hidden}, {wanted}), so `hidden_size` is {hidden}.",
    compare=_compared,
    causes=(
        Cause(
            why="The last dimension of x, {features}, is not the layer's `input_size`, {wanted}.",
            tell="`print(x.shape)`, or `print(x.data.shape)` of a PackedSequence, ends in"
            " {features}.",
            fix="{class_name}({features}, {hidden})  # or give it {wanted} features",
        ),
        Cause(
            why="The axes of x are in another order: the features are not the last one.",
            tell="`print(x.shape)` shows {wanted} before the end.",
            fix="x = x.transpose(1, 2)  # (batch, {wanted}, seq) becomes (batch, seq, {wanted})",
        ),
        Cause(
            why="x has no axis of features: its last axis, {features}, is the sequence.",
            tell="Each step is one number, and `print(x.shape)` does not end in 1.",
            fix="x = x.unsqueeze(-1)",
            when=equals("wanted", 1),
            likely=equals("wanted", 1),
        ),
        Cause(
            why="The initial state has {features} features, but `hidden_size` is {hidden}.",
            tell="`print(h_0.shape)` ends in {features}.",
            fix="output, state = layer(x)  # no state: zeros of the right shape",
            when=_may_be_state,
        ),
    ),
    notes=(
        (
            "From torch 2.2 on an LSTM does not check a PackedSequence: this is then the message,"
            " and where all lengths are equal torch 2.13 runs without any."
        ),
    ),
    more="rnnshape {command} --input {wanted} --hidden {hidden} --show weights",
    provoked_by=(
        "nn.LSTM(3, 4)(nn.utils.rnn.pack_padded_sequence(z(5, 2, 7), [5, 4]))",
        "nn.LSTM(3, 4)(nn.utils.rnn.pack_sequence([z(5, 7), z(4, 7)]))",
    ),
)


# A Linear after the layer


def _linear(clues: Clues) -> Numbers | None:
    """How the features and those that the Linear takes are related."""
    numbers = _product(clues)
    if numbers is None:
        return None
    features, wanted = numbers["features"], numbers["wanted"]
    common = gcd(features, wanted)  # the two differ, so it is not 0
    numbers |= {
        "common": common,
        "times": features // common,
        "wanted_times": wanted // common,
        "difference": abs(features - wanted),
        "linear": f"`nn.Linear({wanted}, {numbers['out']})`",
        "more": LAYOUTS.format_map(clues.names),
    }
    if {numbers["times"], numbers["wanted_times"]} == {1, 2}:
        layer = f"rnnshape {clues.names['command']} --hidden {common}"
        numbers["more"] = f"{layer} --bidir --show states"
    return {**numbers, "which": _which(clues, numbers)}


def _which(clues: Clues, numbers: Numbers) -> str:
    """What the matrices are: certain only where the text names a Linear."""
    features, wanted, linear = numbers["features"], numbers["wanted"], numbers["linear"]
    if clues.innermost(_PLACES) == "linear" or clues.mentions("nn.linear", "f.linear"):
        return f"{linear} takes {wanted} features, but its input has {features}."
    return (
        f"A matrix of {features} columns meets one of {wanted} rows, often the weight of {linear},"
        f" which takes {wanted} features."
    )


def _ratio(clues: Clues) -> tuple[int, int]:
    return clues["times"], clues["wanted_times"]


def _twice(clues: Clues) -> bool:
    return _ratio(clues) == (2, 1)


def _bidirectional(clues: Clues) -> bool:
    """Whether the text prints a bidirectional layer of this size."""
    config = clues.config
    return (
        _twice(clues)
        and config.get("bidirectional") is True
        and config.get("hidden_size") == clues["wanted"]
    )


def _half(clues: Clues) -> bool:
    return _ratio(clues) == (1, 2)


def _flattened(clues: Clues) -> bool:
    times, wanted = _ratio(clues)
    return wanted == 1 and times > 2


def _not_flattened(clues: Clues) -> bool:
    times, wanted = _ratio(clues)
    return times == 1 and wanted > 2


def _both_multiples(clues: Clues) -> bool:
    return min(_ratio(clues)) > 1 and clues["common"] >= _LEAST_COMMON


def _transposed(clues: Clues) -> bool:
    return bool(clues["rows"] == clues["wanted"])


def _unrelated(clues: Clues) -> bool:
    return min(_ratio(clues)) != 1


def _may_be_layer(clues: Clues) -> bool:
    """Whether the matrix on the right may be the weight of an LSTM or a GRU."""
    out = clues["out"]
    return clues.innermost(_PLACES) != "linear" and (out % 4 == 0 or out % 3 == 0)


_LINEAR = Entry(
    mistake="linear-product",
    wordings=_PRODUCT,
    read=_linear,
    meaning="{which}",
    compare=_compared,
    causes=(
        Cause(
            why="{often}this is the output of a bidirectional layer: 2 directions x {wanted} ="
            " {features} features, while the Linear takes one direction.",
            tell="`print(layer)` shows bidirectional=True and `hidden_size` {wanted}.",
            fix="nn.Linear({features}, {out})  # 2 * hidden_size",
            when=_twice,
            certain=_bidirectional,
        ),
        Cause(
            why="Or two tensors of {wanted} features were joined, such as a state and a context or"
            " the last states of 2 layers.",
            tell="The code calls `torch.cat`, `view` or `reshape` before the Linear.",
            fix="nn.Linear({features}, {out})  # or give it only one of the two",
            when=_twice,
        ),
        Cause(
            why="{often}the Linear was made for a bidirectional layer, 2 x {features} = {wanted}"
            " features, but the layer has one direction.",
            tell="`print(layer)` shows no bidirectional=True.",
            fix="{class_name}(..., bidirectional=True)  # or nn.Linear({features}, {out})",
            when=_half,
        ),
        Cause(
            why="The layer is bidirectional, and only one direction is passed: `h_n[-1]` has"
            " {features} features, both directions {wanted}.",
            tell="The code takes `h_n[-1]`.",
            fix="linear(torch.cat((h_n[-2], h_n[-1]), dim=-1))",
            when=_half,
        ),
        Cause(
            why="{often}the whole sequence was flattened: {times} steps x {wanted} features ="
            " {features}, while the Linear takes one step.",
            tell="`print(output.shape)` before `view` or `reshape` shows {times} steps of"
            " {wanted} features.",
            fix="linear(output[:, -1])  # the last step, batch first; output[-1] otherwise\n"
            "nn.Linear({features}, {out})  # or all {times} steps at once, always as many",
            when=_flattened,
        ),
        Cause(
            why="Or the states of {times} layers and directions were joined: {times} x {wanted} ="
            " {features}.",
            tell="`print(h_n.shape)` shows ({times}, batch, {wanted}).",
            fix="linear(h_n[-1])  # the last layer",
            when=_flattened,
        ),
        Cause(
            why="The Linear was made for {wanted_times} steps x {features} features = {wanted},"
            " flattened, but gets each step by itself.",
            tell="`print(output.shape)` shows {wanted_times} steps of {features} features.",
            fix="linear(output.flatten(1))  # batch first\n"
            "nn.Linear({features}, {out})  # or one step at a time",
            when=_not_flattened,
        ),
        Cause(
            why="Both are multiples of {common}: {features} = {times} x {common}, {wanted} ="
            " {wanted_times} x {common}. If that is `hidden_size`, the Linear was made for"
            " {wanted_times} steps, directions or joined states, and gets {times}.",
            tell="`print(output.shape)` before `view`, `reshape` or `torch.cat` shows how many.",
            fix="linear(output[:, -1])  # with nn.Linear({common}, {out}): any number of steps",
            when=_both_multiples,
        ),
        Cause(
            why="The axes are in another order: there are {wanted} rows, as many as the Linear"
            " takes features.",
            tell="`print(x.shape)` shows ({wanted}, {features}).",
            fix="x = x.transpose(-1, -2)",
            when=_transposed,
            likely=_transposed,
        ),
        Cause(
            why="The Linear was not made for the size of the output, hidden_size or proj_size"
            " times the directions, or something of {difference} features was joined to it or left"
            " out.",
            tell="`print(layer)` shows `hidden_size`, `print(x.shape)` what reaches the Linear.",
            fix="nn.Linear({features}, {out})  # or give the layer hidden_size {wanted}",
            when=_unrelated,
        ),
        Cause(
            why="If the traceback ends in `_VF.lstm`, `_VF.gru` or a cell, these are the layer's"
            " own weights, and its `input_size` is {wanted}.",
            tell="`print(x.shape)` of the layer's input ends in {features}.",
            fix="{class_name}({features}, ...)  # or give it {wanted} features",
            when=_may_be_layer,
        ),
    ),
    more="{more}",
    provoked_by=(
        "nn.Linear(4, 2)(nn.LSTM(3, 4, bidirectional=True)(z(5, 2, 3))[0])",
        "nn.Linear(8, 2)(nn.LSTM(3, 4)(z(5, 2, 3))[0][-1])",
        "nn.Linear(4, 2)(nn.GRU(3, 4, batch_first=True)(z(2, 5, 3))[0].reshape(2, -1))",
    ),
)


def _in_recurrent(clues: Clues) -> bool:
    """Whether the traceback, or the line of code, is that of a recurrent layer itself."""
    if clues.mentions("w_ih", "w_hh", "weight_ih", "weight_hh"):
        return True
    return clues.innermost(_PLACES) == "recurrent"


_NO_NUMBERS = Entry(
    mistake="product-sizes",
    wordings=(
        Wording("mat1 dim 1 must match mat2 dim 0", "1.6 to 1.8, CUDA"),
        Wording("size mismatch at {file}TH", "0.1 to 0.3"),
    ),
    meaning="The last dimension of a tensor is not the one that a Linear or a weight takes; this"
    " message does not say which sizes met.",
    causes=(
        Cause(
            why="{often}the output of a bidirectional layer, which has 2 * hidden_size features,"
            " was passed to a Linear that takes hidden_size.",
            tell="`print(x.shape, linear.weight.shape)` just before the line that fails: the last"
            " sizes must be equal.",
            fix="nn.Linear(2 * hidden_size, ...)",
            when=unless(_in_recurrent),
        ),
        Cause(
            why="The last dimension of x is not the layer's `input_size`, or that of the state is"
            " not its `hidden_size`.",
            tell="`print(x.shape, h_0.shape)` just before the layer is called, and `print(layer)`.",
            fix="{class_name}(x.size(-1), hidden_size)  # in __init__, by its number",
            when=lambda clues: _in_recurrent(clues) or not clues.has_frames,
            likely=_in_recurrent,
        ),
        Cause(
            why="The sequence was flattened to seq * hidden_size features, and now has another"
            " length.",
            tell="The code calls `view` or `reshape` before the Linear.",
            fix="linear(output[:, -1])  # one step",
            when=unless(_in_recurrent),
        ),
        Cause(
            why="To see the sizes, run the line on the CPU.",
            fix="model.cpu()(x.cpu())",
        ),
    ),
    source="aten/src/ATen/native/cuda/Blas.cpp",
)


_CUBLAS = Entry(
    mistake="product-refused",
    wordings=(Wording("CUBLAS_STATUS_INVALID_VALUE", "1.5 on, CUDA"),),
    read=lambda clues: None if clues.mentions("tensorflow", "xla") else {},
    meaning="cuBLAS refused a matrix product: often the sizes do not fit, which torch 1.7 and 1.8"
    " did not check on a GPU.",
    causes=(
        *_NO_NUMBERS.causes[:1],
        Cause(
            why="To see the sizes, run the line on the CPU.",
            fix="model.cpu()(x.cpu())",
        ),
        Cause(
            why="The cuBLAS that is loaded is not the one that PyTorch brings: LD_LIBRARY_PATH"
            " names another.",
            tell="It works after `unset LD_LIBRARY_PATH`.",
            fix="unset LD_LIBRARY_PATH",
        ),
    ),
    source="aten/src/ATen/cuda/CUDABlas.cpp",
)


# Batches of matrices


def _batches(clues: Clues) -> Numbers | None:
    expected, got = clues["expected"], clues["got"]
    if len(expected) != 2 or len(got) != 2:
        return None
    names = ("batch", "inner", "got_batch", "got_inner")
    return dict(zip(names, (*expected, *got), strict=True))


def _one_size(clues: Clues) -> Numbers | None:
    """The wording before 1.8 has only the size that differs."""
    dim, size, got = clues["dim"], clues["size"], clues["got_size"]
    if clues["argument"] != "batch2" or dim > 1:
        return None
    names = ("inner", "got_inner") if dim else ("batch", "got_batch")
    numbers: dict[str, Any] = dict.fromkeys(("batch", "inner", "got_batch", "got_inner"))
    return {**numbers, **dict(zip(names, (size, got), strict=True))}


def _read_batches(clues: Clues) -> Numbers | None:
    numbers = _batches(clues) if clues.get("dim") is None else _one_size(clues)
    if numbers is None:
        return None
    differ = []
    if numbers["batch"] != numbers["got_batch"]:
        differ.append(f"batch {numbers['got_batch']} instead of {numbers['batch']}")
    if numbers["inner"] != numbers["got_inner"]:
        differ.append(f"{numbers['got_inner']} rows instead of {numbers['inner']}")
    return {**numbers, "differ": " and ".join(differ)} if differ else None


def _compared_batches(clues: Clues) -> Comparison:
    return Comparison(
        title="second argument",
        places=("batch", "rows"),
        expected=(clues["batch"], clues["inner"]),
        got=(clues["got_batch"], clues["got_inner"]),
    )


def _other_batch(clues: Clues) -> bool:
    return bool(clues["batch"] != clues["got_batch"])


def _other_inner(clues: Clues) -> bool:
    return bool(clues["inner"] != clues["got_inner"])


def _two_directions(clues: Clues) -> bool:
    return _other_inner(clues) and multiple(clues["inner"], clues["got_inner"])["times"] == 2


_ONE_SEQUENCE_FIRST: Final = Cause(
    why="{often}one of the two is sequence first and the other batch first, such as encoder"
    " outputs (seq, batch, hidden) in an attention.",
    tell="`print(query.shape, encoder_outputs.shape)`: both must begin with the batch.",
    fix="encoder_outputs = encoder_outputs.transpose(0, 1)  # (batch, seq, hidden)\n"
    "query = h_n[-1].unsqueeze(1)  # (batch, 1, hidden): h_n is never batch first",
)
_BMM = Entry(
    mistake="batch-product",
    wordings=(
        Wording(
            "Expected size for first two dimensions of batch2 tensor to be: {expected:shape} but"
            " got: {got:shape}",
            "1.8 on",
        ),
        Wording(
            "Expected tensor to have size {size:int} at dimension {dim:int}, but got size"
            " {got_size:int} for argument #{number:int} '{argument:word}' (while checking arguments"
            " for {call:word}bmm)",
            "0.4 to 1.7",
        ),
        Wording(
            "Expected tensor to have size {size:int} at dimension {dim:int}, but got size"
            " {got_size:int} for argument #{number:int} '{argument:word}' (while checking arguments"
            " for bmm)",
            "0.4 to 1.7",
        ),
    ),
    read=_read_batches,
    meaning="`torch.bmm` or `@` multiplies (batch, n, k) by (batch, k, m), but its second argument"
    " has {differ}.",
    compare=_compared_batches,
    causes=(
        replace(_ONE_SEQUENCE_FIRST, when=_other_batch),
        Cause(
            why="{often}the encoder is bidirectional and the decoder is not: of {inner} and"
            " {got_inner} one is twice the other.",
            tell="`print(encoder)` shows bidirectional=True.",
            fix="encoder_outputs = linear(encoder_outputs)  # nn.Linear(2 * hidden, hidden)",
            when=_two_directions,
            likely=_two_directions,
        ),
        Cause(
            why="The last two dimensions of the second argument are in the other order.",
            tell="`print(encoder_outputs.shape)` shows (batch, seq, hidden): scores need"
            " (batch, hidden, seq).",
            fix="scores = torch.bmm(query, encoder_outputs.transpose(1, 2))\n"
            "context = torch.bmm(weights, encoder_outputs)  # weights: (batch, 1, seq)",
            when=_other_inner,
        ),
        Cause(
            why="{often}the two have different features, such as two hidden sizes: {inner} and"
            " {got_inner}.",
            tell="`print(query.shape, encoder_outputs.shape)` shows them at the end.",
            fix="query = linear(query)  # nn.Linear({inner}, {got_inner})",
            when=both(_other_inner, unless(_two_directions)),
        ),
        Cause(
            why="The last batch of the data is smaller than the one that a state or a mask was made"
            " for.",
            tell="It fails in the last batch of an epoch only.",
            fix="DataLoader(..., drop_last=True)",
            when=_other_batch,
        ),
    ),
    provoked_by=(
        "torch.bmm(z(4, 1, 8), z(5, 8, 9))",
        "torch.bmm(z(4, 1, 8), z(4, 9, 8))",
        "torch.matmul(z(4, 1, 8), z(4, 9, 8))",
    ),
)

_BMM_PAIR = Entry(
    mistake="batch-product-pair",
    wordings=(
        Wording("Incompatible matrix sizes for bmm ({left:matrix} and {right:matrix})", "1.8 on"),
        Wording("wrong matrix size, batch1: {left:matrix}, batch2: {right:matrix}", "0.2 to 1.0"),
        Wording(
            "batch1 and batch2 must have same number of batches, got {left:int} and {right:int}",
            "1.8 on",
        ),
        Wording("equal number of batches expected, got {left:int}, {right:int}", "0.2 to 1.0"),
        Wording("invalid argument {number:int}: wrong matrix size at ", "0.1 to 1.4, CUDA"),
    ),
    read=lambda clues: {
        "sizes": f"{clues['left']} and {clues['right']}"
        if "left" in clues.numbers
        else "two whose sizes do not fit"
    },
    meaning="`torch.bmm` multiplies (batch, n, k) by (batch, k, m), but got {sizes}.",
    causes=(
        _ONE_SEQUENCE_FIRST,
        Cause(
            why="The last two dimensions of the second argument are in the other order, or have"
            " the features of both directions.",
            tell="`print(encoder_outputs.shape)` shows (batch, seq, hidden): scores need"
            " (batch, hidden, seq).",
            fix="scores = torch.bmm(query, encoder_outputs.transpose(1, 2))",
        ),
    ),
    source="aten/src/ATen/native/cuda/Blas.cpp",
)

_BATCH_DIMENSIONS = Entry(
    mistake="batch-product-dimensions",
    wordings=(
        Wording("{argument:word} must be a 3D tensor", "1.8 on"),
        Wording(
            "Expected {wanted:int}-dimensional tensor, but got {got:int}-dimensional tensor for"
            " argument #{number:int} '{argument:word}' (while checking arguments for"
            " {call:word}bmm)",
            "0.4 to 1.7",
        ),
        Wording(
            "Expected {wanted:int}-dimensional tensor, but got {got:int}-dimensional tensor for"
            " argument #{number:int} '{argument:word}' (while checking arguments for bmm)",
            "0.4 to 1.7",
        ),
    ),
    read=lambda clues: {} if clues["argument"].startswith("batch") else None,
    meaning="`torch.bmm` takes two 3-D tensors, (batch, n, k) and (batch, k, m), but `{argument}`"
    " has another number of dimensions.",
    causes=(
        Cause(
            why="{often}a state was passed without an axis of steps: `h_n[-1]` is (batch, hidden),"
            " and so is one step of the output.",
            tell="`print(query.shape)` shows 2 dimensions.",
            fix="query = h_n[-1].unsqueeze(1)  # (batch, 1, hidden)",
        ),
        Cause(
            why="The input of the layer has no batch dimension, so its output has none.",
            tell="`print(output.shape)` shows (seq, hidden).",
            fix="output = output.unsqueeze(0)  # (1, seq, hidden); or use torch.matmul",
        ),
    ),
    provoked_by=("torch.bmm(z(4, 8), z(4, 8, 9))", "torch.bmm(z(4, 1, 8), z(4, 8))"),
)


def _has_vector(clues: Clues) -> bool:
    return 1 in (clues.get("first"), clues.get("got"))


_MATRIX = Entry(
    mistake="product-dimensions",
    wordings=(
        Wording("{argument:word} must be a matrix, got {got:int}-D tensor", "1.8 on"),
        Wording("{argument:word} must be a matrix", "1.8 on"),
        Wording("matrices expected, got {first:int}D, {second:int}D tensors", "0.1 to 1.7"),
        Wording("tensors must be 2-D", "1.6 to 1.8, CUDA"),
        Wording("vector + matrix @ vector expected, got {first:int}, {second:int}", "0.4 on"),
        Wording("1D tensors expected, but got {first:int}D and {second:int}D tensors", "1.0 on"),
        Wording(
            "both arguments to matmul need to be at least 1D, but they are {first:int}D and"
            " {second:int}D",
            "0.2 on",
        ),
    ),
    read=lambda clues: {} if clues.get("argument") in _MATRICES else None,
    meaning="`torch.mm`, `addmm`, `mv` and `dot` take matrices and vectors of exactly 2 and 1"
    " dimensions; a batch or a sequence has one more.",
    causes=(
        Cause(
            why="{often}this is the output of {some_layer}, which is 3-D, (seq, batch, features).",
            tell="`print(output.shape)` shows 3 dimensions.",
            fix="torch.matmul(output, weight)  # takes any number of dimensions before the last"
            " two",
        ),
        Cause(
            why="If you want one step only, take it before the product.",
            fix="torch.mm(output[:, -1], weight)  # batch first; output[-1] otherwise",
        ),
        Cause(
            why="In torch 0.1, nn.Linear takes 2-D inputs only.",
            tell="The traceback ends in `F.linear`.",
            fix="linear(output.contiguous().view(-1, output.size(-1)))",
            when=equals("first", 3),
            likely=equals("first", 3),
        ),
        Cause(
            why="A vector lacks its batch: a matrix of one row was meant.",
            tell="`print(x.shape)` shows one size.",
            fix="x = x.unsqueeze(0)  # (1, features)",
            when=_has_vector,
            likely=_has_vector,
        ),
    ),
    provoked_by=(
        "torch.mm(z(2, 3, 4), z(4, 5))",
        "torch.mm(z(3, 4), z(2, 4, 5))",
        "torch.addmm(z(3, 5), z(3, 4, 1), z(4, 5))",
        "torch.mv(z(3, 4, 2), z(5))",
        "torch.dot(z(3), z(2, 3))",
        "torch.matmul(z(()), z(4, 9, 8))",
    ),
)


def _fits_transposed(clues: Clues) -> bool:
    return bool(clues["rows"] == clues["size"])


_VECTOR = Entry(
    mistake="vector-product",
    wordings=(
        Wording(
            "size mismatch, got {out:int}, {rows:int}x{columns:int},{size:int}",
            "1.5 to 1.13",
        ),
        Wording("size mismatch, get {out:int}, {rows:int}x{columns:int},{size:int}", "1.5 to 1.7"),
        Wording(
            "size mismatch, got input ({out:int}), mat ({rows:int}x{columns:int}), vec"
            " ({size:int})",
            "2.0 on",
        ),
        Wording("size mismatch, [{rows:int} x {columns:int}], [{size:int}]", "0.1 to 1.4"),
    ),
    meaning="A matrix of {rows} rows and {columns} columns is multiplied by a vector of {size}"
    " entries: these two, {columns} and {size}, must be equal.",
    causes=(
        Cause(
            why="{often}an unbatched tensor, such as a state or an embedding of one token, met a"
            " weight that was made for another size.",
            tell="`print(a.shape, b.shape)` just before the line that fails shows them.",
            fix="weight = torch.zeros({rows}, {size})  # as many columns as the vector has entries",
        ),
        Cause(
            why="The matrix is in the other order.",
            tell="It has {rows} rows, the vector {size} entries.",
            fix="matrix.t() @ vector",
            when=_fits_transposed,
            likely=_fits_transposed,
        ),
    ),
    provoked_by=("z(3, 4) @ z(5)", "torch.addmv(z(3), z(3, 4), z(5))"),
)

_EINSUM = Entry(
    mistake="einsum-size",
    wordings=(
        Wording(
            "einsum(): subscript {axis:word} has size {got:int} for operand {operand:int} which"
            " does not broadcast with previously seen size {seen:int}",
            "1.8 on",
        ),
    ),
    meaning="The axis `{axis}` of operand {operand} has size {got}, but {seen} in an earlier"
    " operand: one letter is one size.",
    causes=(
        Cause(
            why="{often}one of the two is sequence first and the other batch first, or the states"
            " of a bidirectional layer have twice the features.",
            tell="`print(a.shape, b.shape)` just before the line that fails: {seen} and {got} are"
            " the sizes that meet at `{axis}`.",
            fix="encoder_outputs = encoder_outputs.transpose(0, 1)  # (batch, seq, hidden)",
        ),
        Cause(
            why="The letters of the equation are not in the order of the axes.",
            fix='scores = torch.einsum("bh,bsh->bs", h_n[-1], encoder_outputs)',
        ),
    ),
    provoked_by=("torch.einsum('ij,jk->ik', z(3, 4), z(5, 6))",),
)

_EINSUM_DIMENSIONS = Entry(
    mistake="einsum-dimensions",
    wordings=(
        Wording(
            "einsum(): the number of subscripts in the equation ({letters:int}) does not match the"
            " number of dimensions ({dims:int}) for operand {operand:int} and no ellipsis was"
            " given",
            "1.8 on",
        ),
        Wording(
            "dimension mismatch for operand {operand:int}: equation {letters:int} tensor"
            " {dims:int}",
            "0.4 to 1.4",
        ),
    ),
    meaning="Operand {operand} of the equation has {letters} letters, but its tensor has {dims}"
    " dimensions.",
    causes=(
        Cause(
            why="{often}a state was passed with its axis of layers: h_n is (layer*dir, batch,"
            " hidden), one layer of it (batch, hidden).",
            tell="`print(h_n.shape)` shows 3 dimensions.",
            fix='scores = torch.einsum("bh,bsh->bs", h_n[-1], encoder_outputs)',
        ),
        Cause(
            why="The batch or the sequence is not in the equation.",
            fix='torch.einsum("...i,ij->...j", output, weight)  # any dimensions before the last',
        ),
    ),
    provoked_by=("torch.einsum('bi,bj->b', z(3, 4), z(1, 2, 3))",),
)

_IN_PLACE = Entry(
    mistake="product-in-place",
    wordings=(
        Wording(
            "Bad in-place call: input tensor size {got:shape} and output tensor size"
            " {expected:shape} should match",
            "1.8 on",
        ),
    ),
    meaning="`addmm_` writes a product of shape {expected} into a tensor of shape {got}.",
    causes=(
        Cause(
            why="A product cannot change the shape of the tensor that it is added to in place.",
            tell="`print(a.shape, b.shape, c.shape)` just before the line that fails shows them.",
            fix="result = torch.addmm(bias, a, b)  # not in place; bias is broadcast",
        ),
    ),
    provoked_by=("z(3, 6).addmm_(z(3, 4), z(4, 5))",),
)

_BILINEAR = Entry(
    mistake="bilinear-features",
    wordings=(
        Wording(
            "bilinear(): input{number:int} size does not match weight size: got {got:int} but"
            " expected {expected:int}",
            "1.0 on",
        ),
    ),
    meaning="Argument {number} of the Bilinear has {got} features, but it was made for {expected}.",
    compare=compared("features", title="last dimension"),
    causes=(
        Cause(
            why="{often}this is the output of a bidirectional layer, which has 2 * hidden_size"
            " features, or the Bilinear was made for another hidden_size.",
            tell="`print(x.shape)` ends in {got}.",
            fix="nn.Bilinear(x1.size(-1), x2.size(-1), out_features)",
        ),
    ),
    provoked_by=("nn.Bilinear(3, 4, 5)(z(2, 3), z(2, 7))",),
)

_DOT = Entry(
    mistake="dot-product",
    wordings=(
        Wording(
            "inconsistent tensor size, expected tensor {left:shape} and src {right:shape} to have"
            " the same number of elements, but got {first:int} and {second:int} elements"
            " respectively",
            "0.1 on",
        ),
    ),
    meaning="The two tensors have {first} and {second} elements, but must have equally many.",
    causes=(
        Cause(
            why="{often}two states have different sizes: those of both directions together are"
            " twice hidden_size.",
            tell="`print(a.shape, b.shape)` shows {left} and {right}.",
            fix="a = linear(a)  # nn.Linear({first}, {second})",
        ),
        Cause(
            why="One of the two lacks a dimension or has one too many.",
            fix="a = a.unsqueeze(0)  # or squeeze(0)",
        ),
    ),
    provoked_by=("z(4) @ z(5)",),
)

ENTRIES: Final = (
    _LAYER,
    _LINEAR,
    _BMM,
    _BMM_PAIR,
    _BATCH_DIMENSIONS,
    _MATRIX,
    _VECTOR,
    _EINSUM,
    _EINSUM_DIMENSIONS,
    _IN_PLACE,
    _BILINEAR,
    _DOT,
    _NO_NUMBERS,
    _CUBLAS,
)
