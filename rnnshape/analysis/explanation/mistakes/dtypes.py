"""Tensors of different dtypes, and dtypes that an operation does not have."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import BFLOAT16, FLOAT32
from rnnshape.analysis.explanation.conditions import both, either, equals, holds, mentions, unless
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers
from rnnshape.analysis.explanation.tensor_types import (
    SMALL,
    TWO_TENSORS,
    WHOLE,
    both_names,
    dtype_of,
    tensor_types,
)
from rnnshape.analysis.explanation.wording import Wording


def _two(clues: Clues) -> tuple[str, str] | None:
    """What a message says of two tensors; those on two devices have been found before."""
    if clues.get("types") is None:
        return str(clues["first"]), str(clues["second"])
    types = tensor_types(clues)
    return (types[0], types[1]) if len(types) == 2 else None


def _dtypes(clues: Clues) -> dict[str, Any] | None:
    """The dtypes of two tensors, neither of which the message names."""
    pair = _two(clues)
    dtypes = [dtype_of(each) for each in pair or ()]
    known = [dtype for dtype in dtypes if dtype is not None]
    if len(set(known)) != 2:
        return None
    places = {"rnn": "in the recurrent layer ", "linear": "in an nn.Linear "}
    return {
        "kinds": frozenset(known),
        "a": both_names(known[0]),
        "b": both_names(known[1]),
        "plain": next((each for each in known if each in WHOLE), ""),
        "place": places.get(clues.frame, ""),
    }


def _with(*dtypes: str) -> Callable[[Clues], Numbers | None]:
    """Accepts two dtypes of which one is among these."""

    def read(clues: Clues) -> Numbers | None:
        numbers = _dtypes(clues)
        return None if numbers is None or numbers["kinds"].isdisjoint(dtypes) else numbers

    return read


def _has(*dtypes: str) -> Callable[[Clues], bool]:
    def condition(clues: Clues) -> bool:
        return not frozenset(dtypes).isdisjoint(clues["kinds"])

    return condition


_whole: Final = _has(*WHOLE)
_small: Final = _has(*SMALL)
_double: Final = _has("float64")


def _in_loss(clues: Clues) -> bool:
    return clues.frame == "loss" or clues.mentions("nll_loss", "cross_entropy", "criterion(")


def _in_backward(clues: Clues) -> bool:
    """Whether it was raised in backward, which casts no target."""
    return clues.mentions("backward(")


def _in_layer(clues: Clues) -> bool:
    return clues.frame in ("rnn", "linear")


_outside_loss: Final = unless(_in_loss)


# The message names the tensors


def _told(clues: Clues) -> Numbers | None:
    found, wanted = dtype_of(clues["found"]), dtype_of(clues["wanted"])
    if found is None or wanted is None:
        return None
    return {
        "kinds": frozenset((found, wanted)),
        "found": both_names(found),
        "wanted": both_names(wanted),
        "got_dtype": found,
        "weight_dtype": wanted,
        "whole": found in WHOLE,
    }


_whole_input: Final = holds("whole")


_NO_EMBEDDING: Final = Cause(
    why="x holds the indices of tokens, and an nn.Embedding is missing before {layer}.",
    tell="The numbers of x are positions in a vocabulary.",
    fix="x = nn.Embedding(vocabulary_size, input_size)(x)",
    likely=mentions("vocab", "token"),
)
_INPUT = Entry(
    mistake="dtype-input",
    wordings=(
        Wording(
            "RNN input dtype ({found:word}) does not match weight dtype ({wanted:word})", "2.13"
        ),
        Wording("input must have the type {wanted:word}, got type {found:word}", "2.2"),
        Wording(
            "Input and parameter tensors are not the same dtype, found input tensor with"
            " {found:word} and parameter tensor with {wanted:word}",
            "1.5 on, cuDNN",
        ),
    ),
    read=_told,
    meaning="The input is {found}, but the weights of {layer} are {wanted}.",
    causes=(
        Cause(
            why="x comes from NumPy or pandas, whose numbers are float64 (Double).",
            tell="`print(x.dtype)` shows torch.float64.",
            fix="x = x.float()  # torch.float32",
            when=_double,
        ),
        Cause(
            why="x holds whole numbers, such as a one-hot encoding, bytes or counts.",
            tell="`print(x.dtype)` shows torch.{got_dtype}.",
            fix="x = x.float()",
            when=_whole_input,
        ),
        replace(_NO_EMBEDDING, when=_whole_input),
        Cause(
            why="The model, or a part of it, was converted by `.half()`, `.bfloat16()`, `.double()`"
            " or a default dtype, and the input was not.",
            tell="`print(next(model.parameters()).dtype)` shows torch.{weight_dtype}.",
            fix="x = x.to(torch.{weight_dtype})  # or model.to(torch.{got_dtype})",
            when=unless(equals("weight_dtype", "float32")),
            likely=unless(equals("weight_dtype", "float32")),
        ),
        Cause(
            why="Autocast or mixed precision gives x as {found}, and {layer} runs outside of it.",
            tell="An operation before {layer} runs under `torch.autocast` or `.half()`.",
            fix="x = x.to(torch.{weight_dtype})",
            when=_small,
        ),
        Cause(
            why="If you want to keep the precision of x, the model needs it too.",
            fix="model = model.to(torch.{got_dtype})",
            when=unless(holds("whole")),
        ),
    ),
    notes=("torch 2.13 checks this in every layer except a cell, unless autocast is on.",),
    more=FLOAT32,
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 3).double())",
        "nn.GRU(3, 4)(z(5, 2, 3).long())",
        "nn.LSTM(3, 4).half()(z(5, 2, 3))",
        "nn.RNN(3, 4)(z(5, 2, 3).bfloat16())",
    ),
)


def _state_dtypes(clues: Clues) -> Numbers | None:
    if clues.get("found") is None:
        return {"detail": "the initial state, or the weights, have another dtype than the input"}
    found, other = clues["found"], clues["other"]
    if dtype_of(found) is None or dtype_of(other) is None:
        return None
    names = both_names(found), both_names(other)
    return {"detail": "the input is {}, but the initial state (hidden) {}".format(*names)}


_STATE = Entry(
    mistake="dtype-state",
    wordings=(
        Wording(
            "Input and hidden tensors are not the same dtype, found input tensor with {found:word}"
            " and hidden tensor with {other:word}",
            "1.5 on, cuDNN",
        ),
        Wording("get_mkldnn_dtype: unsupported data type", "2.0 on"),
    ),
    read=_state_dtypes,
    meaning="All tensors of {layer} need one dtype: {detail}.",
    causes=(
        Cause(
            why="The state was made from NumPy (float64), or with a default that x does not have,"
            " such as under autocast or `.half()`.",
            tell="`print(x.dtype, h_0.dtype)` shows two dtypes.",
            fix="h_0 = h_0.to(x.dtype)  # GRU, RNN\n"
            "h_0, c_0 = h_0.to(x.dtype), c_0.to(x.dtype)  # LSTM",
        ),
        Cause(
            why="The model is float64 or of another dtype that this path does not have.",
            tell="`print(x.dtype, next(model.parameters()).dtype)` shows them.",
            fix="model, x = model.float(), x.float()",
        ),
    ),
    notes=("Without a state {layer} makes zeros in the dtype of x.",),
    more=FLOAT32,
    provoked_by=("nn.LSTM(3, 4)(z(5, 2, 3), (z(1, 2, 4).double(), z(1, 2, 4).double()))",),
)


# The message names two dtypes alone


_MIXED: Final = (
    Wording("expected scalar type {first:word} but found {second:word}", "1.5 on"),
    Wording(
        "mat1 and mat2 must have the same dtype, but got {first:word} and {second:word}", "2.2 on"
    ),
    Wording(
        "self and mat2 must have the same dtype, but got {first:word} and {second:word}", "2.2 on"
    ),
    Wording("must have the same dtype, but got {first:word} and {second:word}", "2.0 on"),
    Wording("to have the same dtype, but got: {first:word} != {second:word}", "1.12 on"),
    Wording("have same dtype, but got {first:word} and {second:word}", "2.0 on"),
    Wording("to have same dtype, but got {first:word} and {second:word}"),
    Wording(
        "Expected object of scalar type {first:word} but got scalar type {second:word}",
        "1.0 to 1.4",
    ),
    Wording(
        "Expected object of data type {first:int} but got data type {second:int}", "1.2 and 1.3"
    ),
    *TWO_TENSORS,
)
_TURNED: Final = (
    "The order of the two names changed between versions of torch: it does not say which is which."
)

_WHOLE_NUMBERS = Entry(
    mistake="dtype-integers",
    wordings=_MIXED,
    read=_with(*WHOLE),
    meaning="Two tensors of one operation {place}have different dtypes, {a} and {b}: whole numbers"
    " met floating-point ones.",
    causes=(
        Cause(
            why="The input of {layer}, or of a Linear, holds whole numbers, such as a one-hot"
            " encoding or counts; the weights are float32.",
            tell="`print(x.dtype)` shows torch.{plain}.",
            fix="x = x.float()",
            when=_outside_loss,
        ),
        replace(_NO_EMBEDDING, when=_outside_loss),
        Cause(
            why="The target of a loss has the wrong dtype: nn.CrossEntropyLoss and nn.NLLLoss take"
            " the numbers of classes as int64 (Long).",
            tell="It is raised in the loss: `print(target.dtype)`.",
            fix="target = target.long()",
            when=unless(_in_layer),
            certain=mentions("nll_loss", "cross_entropy"),
        ),
        Cause(
            why="nn.MSELoss, nn.BCELoss and other losses compare numbers: the target has to be"
            " float32 like the output.",
            tell="It is raised in the loss: `print(target.dtype)`.",
            fix="target = target.float()",
            when=both(unless(_in_layer), unless(mentions("nll_loss", "cross_entropy"))),
            likely=either(_in_backward, mentions("mse_loss", "binary_cross", "l1_loss")),
        ),
    ),
    notes=(_TURNED,),
    more=FLOAT32,
    provoked_by=("nn.LSTMCell(3, 4)(z(2, 3).long())",),
)


_HALF = Entry(
    mistake="dtype-half",
    wordings=_MIXED,
    read=_with(*SMALL),
    meaning="Two tensors of one operation {place}have different dtypes, {a} and {b}: a part of the"
    " model runs in half precision and another does not.",
    causes=(
        Cause(
            why="Autocast casts for some operations only: before torch 1.7 not for the cells"
            " (LSTMCell, GRUCell, RNNCell); and a state stays as it was made.",
            tell="The call is under `torch.autocast` or `torch.cuda.amp.autocast`.",
            fix="with torch.autocast('cuda', enabled=False):\n"
            "    output, state = {command}(x.float())  # and a state in float32",
            likely=mentions("autocast", "amp"),
        ),
        Cause(
            why="The model was converted by `.half()` or `.bfloat16()`, and the input or the state"
            " was not.",
            tell="`print(x.dtype, next(model.parameters()).dtype)` shows two dtypes.",
            fix="x = x.to(next(model.parameters()).dtype)  # the state too",
        ),
        Cause(
            why="The input or the state is in half precision, and the model is float32.",
            tell="`print(x.dtype, next(model.parameters()).dtype)` shows two dtypes.",
            fix="x = x.float()",
        ),
    ),
    notes=(_TURNED,),
    more=BFLOAT16,
    provoked_by=(
        "nn.LSTMCell(3, 4).half()(z(2, 3))",
        "nn.GRU(3, 4).bfloat16()(z(5, 2, 3).bfloat16(), z(1, 2, 4))",
    ),
)

_DOUBLE = Entry(
    mistake="dtype-mixed",
    wordings=_MIXED,
    read=_dtypes,
    meaning="Two tensors of one operation {place}have different dtypes, {a} and {b}, but they need"
    " the same.",
    causes=(
        Cause(
            why="The input comes from NumPy or pandas, whose numbers are float64 (Double), and the"
            " weights are float32 (Float).",
            tell="`print(x.dtype, next(model.parameters()).dtype)` shows them.",
            fix="x = x.float()  # torch.float32",
            when=both(_double, _outside_loss),
        ),
        Cause(
            why="The state, or another tensor beside the input, was made from NumPy.",
            tell="`print(h_0.dtype)` shows torch.float64.",
            fix="h_0 = h_0.float()  # and c_0 likewise",
            when=both(_double, _outside_loss),
        ),
        Cause(
            why="The target of the loss comes from NumPy.",
            tell="It is raised in the loss or in backward: `print(target.dtype)`.",
            fix="target = target.float()",
            when=both(_double, unless(_in_layer)),
            likely=either(_in_loss, _in_backward),
        ),
        Cause(
            why="The model was converted by `.double()`, or `torch.set_default_dtype` was called.",
            tell="`print(next(model.parameters()).dtype)` shows torch.float64.",
            fix="x = x.to(next(model.parameters()).dtype)",
            when=_outside_loss,
        ),
    ),
    notes=(_TURNED,),
    more=FLOAT32,
    provoked_by=(
        "nn.LSTMCell(3, 4)(z(2, 3).double())",
        "nn.GRU(3, 4)(z(5, 2, 3), z(1, 2, 4).double())",
    ),
)

_UNNAMED = Entry(
    mistake="dtype-unnamed",
    wordings=(
        Wording("mat1 and mat2 must have the same dtype", "2.0"),
        Wording("self and mat2 must have the same dtype", "2.0"),
    ),
    meaning="Two tensors of one operation have different dtypes, but they need the same.",
    causes=(
        Cause(
            why="The input comes from NumPy (float64), or holds whole numbers, and the weights are"
            " float32.",
            tell="`print(x.dtype, next(model.parameters()).dtype)` shows them.",
            fix="x = x.float()",
        ),
        Cause(
            why="The model was converted by `.half()`, `.bfloat16()` or `.double()`, and the input"
            " was not.",
            tell="`print(x.dtype, next(model.parameters()).dtype)` shows them.",
            fix="x = x.to(next(model.parameters()).dtype)",
        ),
    ),
    more=FLOAT32,
    source="aten/src/ATen/native/LinearAlgebra.cpp of torch 2.0",
)

# An operation without a dtype


_OF_LOSSES: Final = re.compile(r"loss|softmax|entropy|mse_|huber|smooth_l1")


def _missing_kernel(clues: Clues) -> Numbers | None:
    """Accepts operations of layers; those of losses have entries of their own."""
    operation, name = clues["operation"].strip("\"'"), clues["dtype"]
    dtype = dtype_of(name)
    if not re.fullmatch(r"[\w.:]+", operation) or _OF_LOSSES.search(operation):
        return None
    return {
        "dtype_name": both_names(name),
        "kinds": frozenset((dtype or name,)),
        "op": operation,
        "gpu": "cuda" in operation,
    }


_on_cpu: Final = both(_has("float16"), unless(holds("gpu")))


def _other_dtype(clues: Clues) -> bool:
    return not (_on_cpu(clues) or _has("bfloat16", *WHOLE)(clues))


_NO_KERNEL = Entry(
    mistake="dtype-unsupported",
    wordings=(Wording("\"{operation}\" not implemented for '{dtype:word}'", "1.0 on"),),
    read=_missing_kernel,
    meaning="The operation `{op}` does not exist for {dtype_name} in this version of torch, on this"
    " device.",
    causes=(
        Cause(
            why="The layer runs in bfloat16, by autocast or `.bfloat16()`, and torch before 2.3 has"
            " no bfloat16 kernel for recurrent layers on this device.",
            tell="`print(torch.__version__)`, and `torch.autocast` around the call.",
            fix="with torch.autocast('cuda', enabled=False):\n"
            "    output, state = {command}(x.float())  # or float16, or a newer torch",
            when=_has("bfloat16"),
        ),
        Cause(
            why="The model is in half precision on the CPU, where old versions of torch have no"
            " kernels for it.",
            tell="`print(next(model.parameters()).device, next(model.parameters()).dtype)` shows"
            " both.",
            fix="model, x = model.float(), x.float()  # or model.cuda()",
            when=_on_cpu,
        ),
        Cause(
            why="The input holds whole numbers, such as a one-hot encoding, counts or the indices"
            " of tokens that lack an nn.Embedding.",
            tell="`print(x.dtype)` shows it.",
            fix="x = x.float()",
            when=_whole,
        ),
        Cause(
            why="This dtype is for storing numbers, or for few operations: a layer computes in"
            " another.",
            fix="model, x = model.float(), x.float()",
            when=_other_dtype,
        ),
    ),
    more=FLOAT32,
    provoked_by=(
        "nn.LSTM(3, 4, dtype=torch.float8_e4m3fn)",
        "torch.mm(torch.zeros(2, 3, dtype=torch.bool), torch.zeros(3, 2, dtype=torch.bool))",
    ),
)

_OBJECTS = Entry(
    mistake="dtype-objects",
    wordings=(Wording("can't convert np.ndarray of type numpy.object_", "0.4 on"),),
    meaning="The NumPy array holds Python objects, but a tensor can only hold numbers.",
    causes=(
        Cause(
            why="The rows have different lengths, such as sequences that are not padded.",
            tell="`print({{len(row) for row in array}})` shows several.",
            fix="rows = [torch.as_tensor(row, dtype=torch.float32) for row in array]\n"
            "x = nn.utils.rnn.pad_sequence(rows, batch_first=True)",
        ),
        Cause(
            why="Columns of text or of missing values are among the numbers.",
            tell="`print(array.dtype)` shows object.",
            fix="x = torch.from_numpy(array.astype('float32'))",
        ),
    ),
    provoked_by=("torch.from_numpy(__import__('numpy').array([[1.0], None], dtype=object))",),
)

_COMPLEX = Entry(
    mistake="dtype-complex",
    wordings=(Wording("clamp is not supported for complex types", "1.8 on"),),
    meaning="relu does not exist for complex numbers: an nn.RNN with nonlinearity='relu' takes real"
    " ones.",
    causes=(
        Cause(
            why="The input or the layer is complex, such as after an FFT.",
            tell="`print(x.dtype)` shows torch.complex64.",
            fix="x = torch.cat((x.real, x.imag), -1)  # twice the features",
        ),
    ),
    provoked_by=(
        "nn.RNN(3, 4, nonlinearity='relu', dtype=torch.cfloat)(z(5, 2, 3, dtype=torch.cfloat))",
    ),
)

ENTRIES: Final = (
    _INPUT,
    _STATE,
    _WHOLE_NUMBERS,
    _HALF,
    _DOUBLE,
    _UNNAMED,
    _NO_KERNEL,
    _OBJECTS,
    _COMPLEX,
)
