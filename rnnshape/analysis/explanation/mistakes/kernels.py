"""What kernels say: cuDNN, cuBLAS, oneDNN, MPS, quantized layers; and what memory they need."""

from __future__ import annotations

import re
from typing import Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import BFLOAT16
from rnnshape.analysis.explanation.conditions import equals, holds, in_parallel, mentions, unless
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers
from rnnshape.analysis.explanation.wording import Wording

_OTHERS: Final = ("tensorflow", "keras", "paddle", "mxnet", "caffe", "theano", "jax", "onnxruntime")
_NO_CUDNN: Final = "with torch.backends.cudnn.flags(enabled=False):\n"
_TRUE_ERROR: Final = Cause(
    why="The true error is another one and came earlier, such as an index that an nn.Embedding or a"
    " loss does not have: the GPU reports errors late.",
    tell="Run it once on the CPU, or set CUDA_LAUNCH_BLOCKING=1 before python starts.",
    fix="model, x = model.cpu(), x.cpu()",
)


def _of_torch(clues: Clues) -> Numbers | None:
    """Accepts what no other framework said."""
    return None if clues.mentions(*_OTHERS) else {}


# cuDNN and cuBLAS

_STATUS_NAME: Final = re.compile(r"(CUDNN|CUBLAS)_STATUS_([A-Z_]+)")


def _status(clues: Clues) -> Numbers | None:
    found = _STATUS_NAME.search(clues.statement.message or clues.statement.name)
    if _of_torch(clues) is None or found is None:
        return None
    return {
        "full": found[0],
        "short": found[2],
        "library_name": {"CUDNN": "cuDNN", "CUBLAS": "cuBLAS"}[found[1]],
        "where": "of a recurrent layer" if clues.recurrent else "often of a recurrent layer",
        "flatten": clues.mentions("flatten_parameters", "_apply"),
    }


def _in_moving(clues: Clues) -> bool:
    """Whether the weights were being moved to the GPU, before any data was seen."""
    return bool(clues["flatten"])


_MISMATCHED: Final = Cause(
    why="torch, cuDNN, the driver and the GPU do not fit together: the build is older than the"
    " GPU, or another cuDNN is found on the path.",
    tell="`python -m torch.utils.collect_env` lists them.",
    fix="nn.LSTM(3, 4).cuda()(torch.zeros(5, 2, 3).cuda())  # fails too",
    when=equals(
        "short",
        "EXECUTION_FAILED",
        "INTERNAL_ERROR",
        "NOT_INITIALIZED",
        "ARCH_MISMATCH",
        "VERSION_MISMATCH",
        "MAPPING_ERROR",
        "NOT_SUPPORTED_ARCH_MISMATCH",
        "SUBLIBRARY_VERSION_MISMATCH",
        "RUNTIME_PREREQUISITE_MISSING",
    ),
    likely=_in_moving,
)

_STATUS = Entry(
    mistake="kernel-status",
    wordings=(
        Wording("CUDNN_STATUS_{status:word}", "0.1 on"),
        Wording("CUBLAS_STATUS_NOT_SUPPORTED", "1.0 on"),
        Wording("CUBLAS_STATUS_INTERNAL_ERROR", "1.0 on"),
        Wording("CUBLAS_STATUS_ARCH_MISMATCH", "1.0 on"),
    ),
    read=_status,
    generic=True,
    meaning="{library_name} refused a call on the GPU, {where}: {full} does not say why.",
    causes=(
        Cause(
            why="The input, the state or the lengths are still on the CPU: old versions of torch do"
            " not check it.",
            tell="`print(x.device, next(model.parameters()).device)`; in torch 0.3 `x.is_cuda`.",
            fix="x = x.cuda()  # and the state: (h.cuda(), c.cuda())",
            when=equals("short", "EXECUTION_FAILED", "BAD_PARAM", "MAPPING_ERROR"),
        ),
        Cause(
            why="A tensor is empty or has a size that cuDNN does not take: a batch of 0, a sequence"
            " of 0 steps, or lengths that are 0.",
            tell="`print(x.shape)` shows a 0.",
            fix="assert x.numel() > 0, x.shape",
            when=equals("short", "BAD_PARAM", "NOT_SUPPORTED", "INVALID_VALUE"),
            likely=equals("short", "BAD_PARAM"),
        ),
        Cause(
            why="The input is a view that is not contiguous, or its batch or sequence is larger"
            " than this version of cuDNN takes.",
            tell="`print(x.shape, x.is_contiguous())` shows them.",
            fix="x = x.contiguous()  # or a smaller batch",
            when=equals("short", "NOT_SUPPORTED"),
            likely=equals("short", "NOT_SUPPORTED"),
        ),
        Cause(
            why="The GPU's memory is full.",
            tell="`nvidia-smi` shows it, and a smaller batch works.",
            fix="x = x[:, :1]  # one sequence of a seq-first batch, to see whether it is that",
            when=equals(
                "short",
                "EXECUTION_FAILED",
                "ALLOC_FAILED",
                "NOT_INITIALIZED",
                "INTERNAL_ERROR",
                "NOT_SUPPORTED",
                "INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
            ),
            likely=equals("short", "ALLOC_FAILED", "NOT_INITIALIZED"),
        ),
        _MISMATCHED,
        Cause(
            why=_TRUE_ERROR.why,
            tell=_TRUE_ERROR.tell,
            fix=_TRUE_ERROR.fix,
            when=unless(equals("short", "BAD_PARAM", "NOT_SUPPORTED")),
            likely=equals("short", "MAPPING_ERROR", "INTERNAL_ERROR"),
        ),
    ),
    notes=("With `torch.backends.cudnn.enabled = False` the same call often says what is wrong.",),
    more="rnnshape {command} --device cuda",
    source="aten/src/ATen/cudnn, aten/src/ATen/cuda/Exceptions.cpp",
)

_ILLEGAL_ACCESS = Entry(
    mistake="kernel-illegal-access",
    wordings=(Wording("an illegal memory access was encountered", "0.1 on"),),
    read=_of_torch,
    meaning="A kernel on the GPU read or wrote outside of its tensors, and everything after it"
    " fails too.",
    causes=(
        _TRUE_ERROR,
        Cause(
            why="Tensors of two GPUs meet, such as a state that stayed on the first one.",
            tell="`print(x.device, h_0.device, next(model.parameters()).device)` shows them.",
            fix="h_0 = h_0.to(x.device)  # and c_0 likewise",
        ),
    ),
    source="c10/cuda/CUDAException.cpp",
)

_MEMORY = Entry(
    mistake="kernel-memory",
    wordings=(
        Wording("CUDA out of memory. Tried to allocate {size:number} {unit:word}", "1.0 on"),
        Wording("CUDA out of memory", "1.0 on"),
        Wording("CUDA error: out of memory", "0.4 on"),
        Wording("cuda runtime error (2) : out of memory", "0.1 to 1.4"),
        Wording("MPS backend out of memory", "1.12 on"),
        Wording("HIP out of memory", "1.5 on"),
        Wording("DefaultCPUAllocator: can't allocate memory", "1.5 on"),
        Wording("not enough memory: you tried to allocate", "1.0 on"),
    ),
    read=lambda clues: (
        None
        if _of_torch(clues) is None
        else {
            "wanted": f", at a request for {clues['size']} {clues['unit']}"
            if clues.get("size")
            else "",
            "training": "Training keeps what backward needs for every step of every layer, so"
            " {} grows with batch x steps x layers.".format(clues.names["layer"])
            if clues.recurrent
            else "Training keeps what backward needs for every operation.",
        }
    ),
    meaning="The memory of the device is full{wanted}. {training}",
    causes=(
        Cause(
            why="The state is carried from batch to batch with its graph, so the memory of all of"
            " them is kept.",
            tell="Memory grows with each batch: `print(torch.cuda.memory_allocated())`.",
            fix="hidden = hidden.detach()  # GRU, RNN\n"
            "hidden = tuple(state.detach() for state in hidden)  # LSTM",
        ),
        Cause(
            why="Losses or outputs are collected as tensors, each with its graph.",
            tell="A list or a sum of them is kept: `total += loss`.",
            fix="total += loss.item()  # outputs.append(output.detach().cpu())",
        ),
        Cause(
            why="The batch, or its longest sequence, is too large.",
            tell="It fails in the first batch, or in the one with the longest sequence.",
            fix="loader = DataLoader(dataset, batch_size=batch_size // 2)",
        ),
        Cause(
            why="Evaluation keeps the graph, which it does not need.",
            tell="It fails in evaluation.",
            fix="with torch.no_grad():\n    output, state = {command}(x)",
            likely=mentions("evaluate", "validat", "predict("),
        ),
    ),
    notes=("`rnnshape {command}` shows what a layer keeps for backward, by formula.",),
    more="rnnshape {command} --show cost",
    source="c10/cuda/CUDACachingAllocator.cpp",
)


# Backward of cuDNN

_EVAL = Entry(
    mistake="kernel-eval-backward",
    wordings=(
        Wording("cudnn RNN backward can only be called in training mode", "0.4 on"),
        Wording("RNN backward can only be called in training mode", "0.4 on"),
        Wording("RNN backward cannot be called in eval mode", "1.0 on, MIOpen"),
        Wording("backward_input can only be called in training mode", "0.2 to 0.4"),
        Wording("backward_weight can only be called in training mode", "0.2 to 0.4"),
        Wording("backward_grad can only be called when training", "0.1"),
    ),
    read=lambda _: {"layer": "a recurrent layer"},
    meaning="backward was called through {layer} in eval() mode, but cuDNN keeps what backward"
    " needs in training mode only.",
    causes=(
        Cause(
            why="model.eval() was called, such as after an evaluation, and training goes on.",
            tell="`print(model.training)` shows False.",
            fix="model.train()  # at the start of each epoch",
        ),
        Cause(
            why="Gradients are wanted in evaluation, as for attributions, saliency, attacks or"
            " reinforcement learning: only the recurrent layer need be in training mode, with a"
            " dropout of 0.",
            tell="eval() is called on purpose.",
            fix="model.eval()\n"
            "for layer in model.modules():\n"
            "    if isinstance(layer, nn.RNNBase):\n"
            "        layer.train()\n"
            "        layer.dropout = 0.0",
        ),
        Cause(
            why="If the layer has to stay in eval() mode, run it without cuDNN, where backward"
            " works in that mode too.",
            fix=_NO_CUDNN + "    output, state = {command}(x)",
        ),
    ),
    notes=("On a CPU the same code runs.",),
    source="aten/src/ATen/native/cudnn/RNN.cpp",
)

_CHUNK = Entry(
    mistake="kernel-flatten",
    wordings=(
        Wording(
            "RNN module weights are not part of single contiguous chunk of memory", "0.2 on, cuDNN"
        ),
    ),
    read=lambda _: {"layer": "a recurrent layer"},
    meaning="The weights of {layer} lie apart in memory, so each call copies them into one block"
    " for cuDNN: slower and with more memory, but with the same result.",
    causes=(
        Cause(
            why="`DataParallel` copies the weights to each GPU one by one.",
            tell="The model is wrapped in it.",
            fix="self.{command}.flatten_parameters()  # first line of forward",
            likely=in_parallel,
        ),
        Cause(
            why="The layer was copied (deepcopy), loaded by pickle, or its weights were replaced or"
            " shared after it was made.",
            fix="{command}.flatten_parameters()  # once after that, or first in forward",
        ),
        Cause(
            why="A wrapper such as weight norm, weight drop or spectral norm makes a new weight in"
            " every call: then the warning stays and is harmless.",
            fix="import warnings\nwarnings.filterwarnings('ignore', message='RNN module weights')",
            likely=mentions("weight_norm", "weight_drop", "WeightDrop"),
        ),
    ),
    source="aten/src/ATen/native/cudnn/RNN.cpp",
)

_GRADIENT_SIZE = Entry(
    mistake="kernel-gradient-size",
    wordings=(
        Wording("Expected output size {expected:shape}, got {got:shape}", "0.2 on, cuDNN"),
        Wording("Expected d_hidden size {expected:shape}, got {got:shape}", "0.2 on, cuDNN"),
        Wording("Expected d_cell size {expected:shape}, got {got:shape}", "0.2 on, cuDNN"),
    ),
    meaning="backward of a recurrent layer got a tensor of size {got} in place of {expected}.",
    causes=(
        Cause(
            why="An output or a gradient was given another shape by a hook, a custom backward or an"
            " assignment to `.data`.",
            tell="Look for register_hook, autograd.Function and `.data`.",
            fix="output = output.reshape{expected}",
        ),
    ),
    source="aten/src/ATen/native/cudnn/RNN.cpp",
)

_WEIGHT_TYPES = Entry(
    mistake="kernel-weight-types",
    wordings=(
        Wording("parameter types mismatch", "0.4 on, cuDNN"),
        Wording("param_from.type() == param_to.type()", "0.4 to 1.7, cuDNN"),
    ),
    read=lambda clues: {} if clues.recurrent else None,
    meaning="The weights of one recurrent layer have different dtypes, but cuDNN needs the same for"
    " all.",
    causes=(
        Cause(
            why="Only some of the weights were converted to half precision, or a wrapper (weight"
            " drop, weight norm) computes one of them in float32.",
            tell="`print([w.dtype for w in layer.parameters()])` shows two dtypes.",
            fix="layer = layer.float()  # or .half(), all of it",
        ),
        Cause(
            why="Weights were put in place of others, by a checkpoint in another precision.",
            fix="layer.load_state_dict({{k: v.float() for k, v in state_dict.items()}})",
        ),
    ),
    source="aten/src/ATen/native/cudnn/RNN.cpp",
)


def _on_two_devices(clues: Clues) -> bool:
    return ("cuda" in clues["expected"]) != ("cuda" in clues["got"])


_GRADIENT_TYPE = Entry(
    mistake="kernel-gradient-type",
    wordings=(
        Wording(
            "{function:word} returned an invalid gradient at index {index:int} - expected type"
            " {expected:name} but got {got:name}",
            "0.4 to 1.7",
        ),
    ),
    read=lambda clues: {} if clues.recurrent else None,
    meaning="backward of the recurrent layer computed a gradient of type {got}, but the tensor that"
    " it belongs to has type {expected}.",
    causes=(
        Cause(
            why="Input, states and weights have different dtypes, as in mixed precision: half"
            " here, float there.",
            tell="`print(x.dtype, h_0.dtype, next(layer.parameters()).dtype)` shows them.",
            fix="output, state = layer(x.float())  # and a state in float32: all of one dtype",
        ),
        Cause(
            why="They are on different devices.",
            tell="One of the two types has `cuda`, and the other does not.",
            fix="x = x.to(next(layer.parameters()).device)",
            when=_on_two_devices,
            likely=_on_two_devices,
        ),
    ),
    source="torch/csrc/autograd/engine.cpp, validate_outputs",
)

_EMPTY_WEIGHTS = Entry(
    mistake="kernel-arguments",
    wordings=(
        Wording("copy_weights_to_flat_buf_views: cannot flatten empty weight list", "1.8 on"),
        Wording("Gradients aren't CUDA tensors", "1.0 on"),
        Wording("rnn: illegal defined cx for non-LSTM RNN", "1.0 on"),
        Wording("mkldnn_rnn: illegal defined cx for non-LSTM RNN", "2.0 on"),
    ),
    meaning="A kernel of the recurrent layers was called with tensors that it cannot take.",
    causes=(
        Cause(
            why="`torch._cudnn_rnn` or a similar function was called directly, or the parameters of"
            " the layer were removed or moved one by one.",
            tell="`print({{p.device for p in {command}.parameters()}})` shows one device.",
            fix="{command} = {class_name}(input_size, hidden_size).cuda()",
        ),
    ),
    source="aten/src/ATen/native/cudnn/RNN.cpp, aten/src/ATen/native/mkldnn/RNN.cpp",
)

_DETERMINISTIC = Entry(
    mistake="kernel-deterministic",
    wordings=(
        Wording("because it uses CuBLAS and you have CUDA >= 10.2", "1.7 on"),
        Wording("does not have a deterministic implementation, but you set", "1.8 on"),
    ),
    read=lambda clues: {"workspace": clues.mentions("CUBLAS_WORKSPACE_CONFIG", "uses CuBLAS")},
    meaning="`torch.use_deterministic_algorithms(True)` forbids an operation whose result may"
    " differ from run to run.",
    causes=(
        Cause(
            why="cuBLAS, which recurrent and linear layers call, needs a fixed workspace for that.",
            fix="import os\n"
            "os.environ['CUBLAS_WORKSPACE_CONFIG'] = ':4096:8'  # before torch uses the GPU",
            when=holds("workspace"),
            certain=holds("workspace"),
        ),
        Cause(
            why="This operation has no deterministic kernel on this device.",
            fix="torch.use_deterministic_algorithms(True, warn_only=True)",
        ),
    ),
    source="aten/src/ATen/Context.cpp",
)


# oneDNN

_WRONG_ROWS: Final = (
    "torch.ops.aten.mkldnn_rnn_layer(z(5, 2, 3), z(12, 3), z(12, 4), z(12), z(12), z(1, 2, 4),"
    " z(1, 2, 4), False, [], 3, 4, 1, True, False, False, False)"
)

_ONEDNN = Entry(
    mistake="kernel-onednn",
    wordings=(
        Wording("could not create a primitive descriptor for the {kind:word} forward", "2.4 on"),
        Wording("could not create a primitive descriptor for the {kind:word} backward", "2.4 on"),
        Wording("could not create a primitive descriptor", "1.8 on"),
        Wording("could not create a primitive", "1.8 on"),
        Wording("could not create a descriptor for a vanilla RNN", "1.13 on"),
        Wording("could not create a descriptor for a LSTM forward propagation primitive"),
        Wording("could not execute a primitive", "1.8 on"),
        Wording("could not create a memory object", "1.8 on"),
    ),
    meaning="oneDNN, which runs recurrent and other layers on the CPU, has no kernel for this dtype"
    " or these sizes on this processor.",
    causes=(
        Cause(
            why="The layer runs in bfloat16 (bf16) or float16, by autocast or a conversion, and the"
            " processor or this version of oneDNN does not have that dtype.",
            tell="`print(x.dtype, next(model.parameters()).dtype)`, and `torch.autocast`.",
            fix="with torch.autocast('cpu', enabled=False):\n"
            "    output, state = {command}(x.float())  # and model.float(): float32",
            likely=mentions("bfloat16", "bf16", "autocast", "half"),
        ),
        Cause(
            why="The weights do not fit the sizes of the layer, since they were replaced or the"
            " kernel was called directly.",
            tell="`print([w.shape for w in {command}.parameters()])` differs from what `rnnshape"
            " {command}` shows.",
            fix="{command} = {class_name}(input_size, hidden_size)",
        ),
        Cause(
            why="A size is 0, such as an empty batch.",
            tell="`print(x.shape)` shows a 0.",
            fix="assert x.numel() > 0, x.shape",
        ),
        Cause(
            why="It may be a defect of this version of oneDNN: try a newer torch, or run the layer"
            " without oneDNN.",
            tell="ONEDNN_VERBOSE=all in the environment shows what it refused.",
            fix="with torch.backends.mkldnn.flags(enabled=False):\n"
            "    output, state = {command}(x)",
        ),
    ),
    more=BFLOAT16,
    provoked_by=(_WRONG_ROWS,),
)

_PROJECTION = Entry(
    mistake="kernel-projection",
    wordings=(
        Wording("LSTM with projections is not supported with {library:word}", "1.8 on"),
        Wording("LSTM with projections is not currently supported with {library:word}", "2.0 on"),
        Wording(
            "LSTM with symbolic sizes and strides is not supported with {library:word}", "2.0 on"
        ),
    ),
    read=lambda clues: {
        "library": clues["library"].rstrip("."),
        "stops": "not currently" in clues.statement.message,
        "what": "symbolic sizes" if "symbolic" in clues.statement.message else "proj_size",
    },
    meaning="{library} has no kernel for an LSTM with {what}.",
    causes=(
        Cause(
            why="It is a warning: the slower general implementation is used, with the same result.",
            fix="import warnings\nwarnings.filterwarnings('ignore', message='LSTM with')",
            when=unless(holds("stops")),
        ),
        Cause(
            why="The layer has to run on the CPU, or the projection has to be a layer of its own.",
            fix="lstm = nn.LSTM(input_size, hidden_size)\n"
            "projection = nn.Linear(hidden_size, proj_size)  # not the same equations",
            when=holds("stops"),
        ),
    ),
    more="rnnshape lstm --proj 10 --show shapes",
    source="aten/src/ATen/native/RNN.cpp; a process warns once",
)


# MPS and other backends

_CUDNN_CALL: Final = (
    "torch._cudnn_rnn(z(5, 2, 3), [z(16, 3)], 1, None, z(1, 2, 4), None, 2, 4, 0, 1, False, 0.0,"
    " True, False, [], None)"
)

_NO_OPERATION = Entry(
    mistake="kernel-missing",
    wordings=(
        Wording(
            "The operator '{operator}' is not currently implemented for the {device:word} device",
            "1.12 on",
        ),
        Wording(
            "The operator '{operator}' is not current implemented for the {device:word} device",
            "1.12",
        ),
        Wording(
            "Could not run '{operator}' with arguments from the '{device:word}' backend", "1.5 on"
        ),
    ),
    read=lambda clues: {
        "quantized": "quantized" in clues["operator"].lower()
        or "quantized" in clues["device"].lower(),
        "mps": clues["device"].upper() == "MPS",
        "rnn": any(word in clues["operator"] for word in ("rnn", "lstm", "gru")),
    },
    meaning="The operation `{operator}` does not exist on this device ({device}) in this version of"
    " torch.",
    causes=(
        Cause(
            why="It has not been written for Apple's GPU (MPS).",
            tell="`print(torch.__version__)`: newer versions have more.",
            fix="import os\nos.environ['PYTORCH_ENABLE_MPS_FALLBACK'] = '1'  # before import torch",
            when=holds("mps"),
        ),
        Cause(
            why="Quantized layers run on the CPU only.",
            tell="The model was quantized and then moved to a GPU.",
            fix="model, x = model.cpu(), x.cpu()",
            when=holds("quantized"),
        ),
        Cause(
            why="A quantized tensor was given to a layer that was not quantized, or the other way"
            " round.",
            tell="`print(model)` shows which layers are quantized.",
            fix="x = x.dequantize()",
            when=holds("quantized"),
        ),
        Cause(
            why="A kernel for one device, such as that of cuDNN, was called with tensors of"
            " another.",
            tell="`print(x.device, next(model.parameters()).device)` shows them.",
            fix="x = x.to(next(model.parameters()).device)",
            when=unless(holds("quantized")),
        ),
    ),
    provoked_by=(_CUDNN_CALL,),
)

_MPS = Entry(
    mistake="kernel-mps",
    wordings=(
        Wording("Multi-layer LSTM support in MPS available only on MacOS 13 onwards", "2.0 on"),
        Wording("Failed to infer result type(s)", "1.12 on"),
        Wording("failed assertion '[MPSNDArray", "1.12 on"),
        Wording("MPSGraphUtilities.mm", "1.12 on"),
    ),
    meaning="MPS, Apple's GPU, cannot run this: its LSTM lacks cases that the CPU has, and in"
    " torch 1.12 and 1.13 its backward is wrong.",
    causes=(
        Cause(
            why="The backward of an LSTM with batch_first=True crashes in torch 1.12 and 1.13.",
            tell="`print(torch.__version__)`, and 'total derivative last state' in the message.",
            fix="model, x = model.cpu(), x.cpu()  # or a newer torch",
            when=lambda clues: "macos" not in clues.statement.message.casefold(),
        ),
        Cause(
            why="An LSTM of several layers needs macOS 13 or newer.",
            tell="`python -c 'import platform; print(platform.mac_ver())'` shows yours.",
            fix="layers = [nn.LSTM(input_size, hidden_size), nn.LSTM(hidden_size, hidden_size)]",
            certain=lambda clues: "macos" in clues.statement.message.casefold(),
        ),
    ),
    source="aten/src/ATen/native/mps/operations/RnnOps.mm",
)


# Weights


_GATES: Final = {"an LSTMCell": 4, "a GRUCell": 3, "an RNNCell": 1}

_WEIGHTS = Entry(
    mistake="weights-rows",
    wordings=(
        Wording(
            "weight_{which:word} first dim must be {gates:int} * hidden_size = {rows:int},"
            " but got {got:int}",
            "2.6 on",
        ),
    ),
    read=lambda clues: {
        "cell": {4: "LSTMCell", 3: "GRUCell"}.get(clues["gates"], "RNNCell"),
        "hidden": clues["rows"] // max(clues["gates"], 1),
        "command": {4: "lstm", 3: "gru"}.get(clues["gates"], "rnn"),
        "others": " or ".join(
            f"{name} of hidden_size {clues['got'] // gates}"
            for name, gates in _GATES.items()
            if clues["got"] % gates == 0
        ),
    },
    meaning="`weight_{which}` has {got} rows, but an nn.{cell} of hidden_size {hidden} has {gates}"
    " x {hidden} = {rows}.",
    causes=(
        Cause(
            why="The weight was replaced by one of another kind of cell or another hidden_size:"
            " {got} rows are those of {others}.",
            tell="`print(cell.weight_{which}.shape)` shows it.",
            fix="cell = nn.{cell}(input_size, {hidden})\ncell.load_state_dict(weights)",
        ),
    ),
    more="rnnshape {command} --cell --hidden {hidden} --show weights",
    provoked_by=(
        "torch.rnn_tanh_cell(z(2, 3), z(2, 4), z(7, 3), z(4, 4))",
        "torch.lstm_cell(z(2, 3), (z(2, 4), z(2, 4)), z(16, 3), z(12, 4))",
    ),
)

_COUNT = Entry(
    mistake="weights-count",
    wordings=(
        Wording("got an incorrect number of RNN parameters", "1.0 on"),
        Wording("Expected more weights in stacked_rnn", "1.0 on"),
        Wording("dropout probability has to be between 0 and 1, but got", "1.0 on"),
        Wording("batch_sizes can not be empty", "1.0 on"),
    ),
    meaning="A function behind the layers (`torch.lstm`, `torch.gru`, `_VF`) was called with an"
    " argument that its layer would never give.",
    causes=(
        Cause(
            why="The list of weights does not fit num_layers, has_biases and bidirectional: it is"
            " weight_ih, weight_hh and, with biases, bias_ih and bias_hh, for each layer and"
            " direction.",
            tell="`print(len(weights))` must show layers x directions x 4, or x 2 without biases.",
            fix="output, state = {class_name}(input_size, hidden_size, num_layers)(x)",
            when=lambda clues: (
                "dropout" not in clues.statement.message
                and "batch_sizes" not in clues.statement.message
            ),
        ),
        Cause(
            why="An argument is out of its range, or at the wrong place: the order is (input, hx,"
            " params, has_biases, num_layers, dropout, train, bidirectional, batch_first).",
            fix="output, state = {class_name}(input_size, hidden_size, num_layers)(x)",
        ),
    ),
    more="rnnshape {command} --layers 2 --show weights",
    provoked_by=(
        "torch._VF.gru(z(5, 2, 3), z(1, 2, 4), 3 * [z(12, 4)], True, 1, 0.0, *3 * [False])",
        "torch._VF.gru(z(5, 2, 4), z(2, 2, 4), 2 * [z(12, 4)], False, 2, 0.0, *3 * [False])",
    ),
)


# Quantized layers


_ENGINE = Entry(
    mistake="quantized-engine",
    wordings=(
        Wording(
            "Didn't find engine for operation quantized::{operation:word} {engine:word}", "1.3 on"
        ),
        Wording("quantized engine {engine:word} is not supported", "1.3 on"),
    ),
    meaning="This machine has no engine for quantized operations, or another than the one asked"
    " for ({engine}).",
    causes=(
        Cause(
            why="No engine was chosen, or one that the processor does not support: fbgemm and x86"
            " are for Intel and AMD, qnnpack is for ARM.",
            tell="`print(torch.backends.quantized.supported_engines)` shows those that it has.",
            fix="torch.backends.quantized.engine = 'qnnpack'  # one of those that are printed",
        ),
    ),
    source="aten/src/ATen/native/quantized",
)

ENTRIES: Final = (
    _STATUS,
    _ILLEGAL_ACCESS,
    _MEMORY,
    _EVAL,
    _CHUNK,
    _GRADIENT_SIZE,
    _WEIGHT_TYPES,
    _GRADIENT_TYPE,
    _EMPTY_WEIGHTS,
    _DETERMINISTIC,
    _ONEDNN,
    _PROJECTION,
    _NO_OPERATION,
    _MPS,
    _WEIGHTS,
    _COUNT,
    _ENGINE,
)
