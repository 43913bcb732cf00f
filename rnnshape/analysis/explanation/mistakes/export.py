"""What compiles, traces, exports or transforms a model, and what copies it."""

from __future__ import annotations

from typing import Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import CODE, LENGTHS, STATES
from rnnshape.analysis.explanation.conditions import Condition, either, holds, mentions, unless
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers
from rnnshape.analysis.explanation.records import Comparison
from rnnshape.analysis.explanation.wording import Wording
from rnnshape.layer.config import Kind


def _model(forward: str, layer: str = "nn.LSTM(3, 4)") -> str:
    """Statements that script a model with this forward method, which needs a file of its own."""
    source = (
        f"import torch\\nfrom torch import nn\\nclass M(nn.Module):\\n def __init__(self):\\n"
        f"  super().__init__()\\n  self.rnn = {layer}\\n def forward(self, x):\\n  {forward}\\n"
    )
    return (
        "import linecache; "
        f"s = '{source}'; linecache.cache['m.py'] = (len(s), None, s.splitlines(True), 'm.py'); "
        "import sys, types; m = sys.modules['m'] = types.ModuleType('m'); m.__file__ = 'm.py'; "
        "exec(compile(s, 'm.py', 'exec'), m.__dict__); torch.jit.script(m.M())"
    )


def _script_state(clues: Clues) -> Numbers:
    """What the layer takes as its state, and what it was given, in words."""
    tuple_given = "tuple" in (clues.get("given") or "").casefold()
    wants_tensor = clues.get("one") is not None or (
        clues.kind in (Kind.GRU, Kind.RNN) and tuple_given
    )
    return {
        "wants": "one tensor, h_0" if wants_tensor else "a tuple of two tensors, (h_0, c_0)",
        "wants_tensor": wants_tensor,
    }


_TRACE: Final = "m = nn.Identity(); m.forward = {}; torch.jit.trace(m, z(5))"

_SCRIPT_STATE = Entry(
    mistake="script-state",
    wordings=(
        Wording(
            "Expected a value of type 'Optional[Tuple[Tensor, Tensor]]' for argument 'hx' but"
            " instead found type '{given}'",
            "1.4 on",
        ),
        Wording(
            "Expected a value of type '{one:word}[Tensor]' for argument 'hx' but instead found type"
            " '{given}'",
            "1.4 on",
        ),
        Wording("(Tensor, Tensor)? hx=<default>) -> ((Tensor, Tensor, Tensor?", "1.1 to 1.3"),
        Wording("for operator forward_packed(", "1.1 to 1.3"),
        Wording("expected a value of type Optional[Tuple[Tensor, Tensor]] for argument 'hx'", ""),
        Wording("expected a value of type Tuple[Tensor, Tensor] for argument 'hx'", "1.0 to 1.3"),
    ),
    read=_script_state,
    meaning="TorchScript found no version of the layer's call that fits: as its state, `hx`, it"
    " takes {wants}.",
    causes=(
        Cause(
            why="One tensor is passed as the state of an LSTM, which is a tuple.",
            fix="out, (h, c) = self.lstm(x, (h_0, c_0))",
            when=unless(holds("wants_tensor")),
        ),
        Cause(
            why="A tuple is passed as the state of a GRU or an RNN, which is one tensor.",
            fix="out, h = self.gru(x, h_0)",
            when=holds("wants_tensor"),
        ),
        Cause(
            why="The state is an argument without a type, so TorchScript takes it for a tensor; or"
            " a list.",
            fix="def forward(self, x: Tensor, hx: Optional[Tuple[Tensor, Tensor]] = None):",
            when=unless(holds("wants_tensor")),
        ),
    ),
    notes=("The message also lists the variant for a PackedSequence, which is not meant.",),
    more=CODE,
    provoked_by=(
        _model("return self.rnn(x, x)"),
        _model("return self.rnn(x, (x, x))", "nn.GRU(3, 4)"),
    ),
)

_SCRIPT_PACKED = Entry(
    mistake="script-packed",
    wordings=(
        Wording(
            "Expected a value of type '__torch__.torch.nn.utils.rnn.PackedSequence' for argument",
            "1.4 on",
        ),
        Wording("Type 'Tuple[Tuple[Tensor, Tensor, NoneType, NoneType]]' cannot be traced", ""),
        Wording("Type 'Tuple[Tuple[Tensor, Tensor, Tensor, Tensor]]' cannot be traced", ""),
        Wording("pack_padded_sequence cannot be used in script", ""),
        Wording("Unknown builtin op: aten::_pack_padded_sequence", "1.0 and 1.1"),
        Wording("expected a value of type {wanted} for argument {name} but found", "1.0"),
    ),
    meaning="A PackedSequence cannot pass between TorchScript and Python as an argument.",
    causes=(
        Cause(
            why="The traced or scripted model takes a PackedSequence as its input.",
            fix="def forward(self, x, lengths):\n"
            "    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)\n"
            "    output, state = self.rnn(packed)\n"
            "    output, _ = pad_packed_sequence(output)\n"
            "    return output",
        ),
        Cause(
            why="Something other than a tensor or a PackedSequence is passed to the layer.",
            tell="The message names what it found.",
            fix="output, state = self.rnn(x)  # x: Tensor",
        ),
    ),
    more=LENGTHS,
    provoked_by=("torch.jit.trace(nn.LSTM(3, 4), (pack_padded_sequence(z(5, 2, 3), [5, 4]),))",),
)

_SCRIPT_TUPLE = Entry(
    mistake="script-tuple",
    wordings=(
        Wording("but instead found type 'Tuple[Tensor, Tuple[Tensor, Tensor]]'", "1.4 on"),
        Wording("expected value of type Tensor for return value but instead got value of type"),
        Wording(
            "Expected a value of type 'Tensor' for argument '{argument:word}' but instead found"
            " type 'Tuple[Tensor, Tensor]'",
            "1.4 on",
        ),
        Wording(
            "Return value was annotated as having type Tensor but is actually of type Tuple[Tensor,"
            " Tuple[Tensor, Tensor]]",
            "",
        ),
        Wording(
            "expected a value of type Tensor for argument '{argument:word}' but found (Tensor,",
            "1.0 to 1.3",
        ),
    ),
    meaning="TorchScript found a tuple where a tensor belongs: often all that a recurrent layer"
    " returns, (output, state).",
    causes=(
        Cause(
            why="A recurrent layer returns (output, state), and the whole tuple was passed on.",
            fix="out, _ = self.{command}(x)",
        ),
        Cause(
            why="The forward method returns the tuple, but its annotation says Tensor.",
            fix="def forward(self, x: Tensor) -> Tuple[Tensor, Tuple[Tensor, Tensor]]:",
        ),
    ),
    more=STATES,
    provoked_by=(_model("return torch.relu(self.rnn(x))"),),
)

_SCRIPT_NONE = Entry(
    mistake="script-none-state",
    wordings=(
        Wording(
            "Variable '{name:word}' previously had type NoneType but is now being assigned to a"
            " value of type {type:rest}",
            "1.10 on",
        ),
        Wording(
            "Variable '{name:word}' previously has type None but is now being assigned to a value"
            " of type {type:rest}",
            "1.1 to 1.9",
        ),
        Wording("Variable '{name:word}' previously has type NoneType but is now being", ""),
    ),
    read=lambda clues: {
        "state_type": "Tuple[Tensor, Tensor]"
        if "Tuple" in (clues.get("type") or "Tuple")
        else "Tensor"
    },
    meaning="`{name}` begins as None, and TorchScript gives a variable one type for good.",
    causes=(
        Cause(
            why="The state is None before the first step, and a {state_type} after it.",
            fix="{name}: Optional[{state_type}] = None",
        ),
        Cause(
            why="The layer needs no state for the first step.",
            fix="out, {name} = self.{command}(x[:1])  # before the loop",
        ),
    ),
    more=CODE,
    provoked_by=(_model("h = None\\n  for i in range(3): o, h = self.rnn(x, h)\\n  return o"),),
)

_SCRIPT_ATTRIBUTE = Entry(
    mistake="script-attribute",
    wordings=(
        Wording(
            "Tried to set nonexistent attribute: {name:word}. Did you forget to initialize it in"
            " __init__()?",
            "1.4 on",
        ),
    ),
    meaning="`self.{name}` is first set in forward, but TorchScript must know it from `__init__`.",
    causes=(
        Cause(
            why="A state is kept in the module between calls.",
            fix="self.{name}: Optional[Tuple[Tensor, Tensor]] = None  # in __init__",
        ),
        Cause(
            why="The state can be an argument and a result instead, which exports better.",
            fix="def forward(self, x: Tensor, hx: Optional[Tuple[Tensor, Tensor]] = None):\n"
            "    return self.lstm(x, hx)",
        ),
    ),
    more=CODE,
    provoked_by=(_model("o, self.h = self.rnn(x)\\n  return o"),),
)

_SCRIPT_LAYER = Entry(
    mistake="script-layer-itself",
    wordings=(
        Wording("'RecursiveScriptModule' object has no attribute 'forward'", "1.4 on"),
        Wording("'RecursiveScriptModule' object has no attribute 'code'", "1.4 on"),
        Wording("'RecursiveScriptModule' object has no attribute 'graph'", "1.4 on"),
        Wording("'torch.jit._script.RecursiveScriptModule' object has no attribute 'forward'", ""),
    ),
    meaning="A scripted `nn.LSTM` or `nn.GRU` has two versions of forward, for tensors and for"
    " PackedSequences, so it has no `forward` of its own.",
    causes=(
        Cause(
            why="The recurrent layer itself was scripted; within another module it works.",
            fix="model = torch.jit.script(nn.Sequential({class_name}(input_size, hidden_size)))",
        ),
        Cause(
            why="Only one kind of input is needed: tracing fixes it.",
            fix="model = torch.jit.trace({class_name}(input_size, hidden_size), (x,))",
        ),
    ),
    more=CODE,
    provoked_by=(
        "torch.jit.script(nn.LSTM(3, 4))(z(5, 2, 3))",
        "torch.jit.script(nn.GRU(3, 4)).code",
    ),
)

_TRACE_STATE = Entry(
    mistake="trace-state",
    wordings=(
        Wording("Cannot insert a Tensor that requires grad as a constant", "1.0 on"),
        Wording("ref.requires_grad() ASSERT FAILED", "1.0"),
    ),
    meaning="The traced model uses a tensor that is neither a weight nor an input of it, and that"
    " belongs to a graph of autograd.",
    causes=(
        Cause(
            why="A state is kept in the module, from a call before tracing.",
            tell="`self.hidden` or the like is set in forward.",
            fix="model.hidden = None  # before tracing; or make the state an argument of forward",
        ),
        Cause(
            why="A learned first state is a plain tensor, not a parameter.",
            fix="self.h_0 = nn.Parameter(torch.zeros(1, 1, hidden_size))",
        ),
        Cause(
            why="The model is used, not trained: no graph is needed.",
            fix="with torch.no_grad():\n    traced = torch.jit.trace(model, (x,))",
        ),
    ),
    more=CODE,
    provoked_by=(_TRACE.format("lambda x, w=z(2, requires_grad=True) * 2: x * w[0]"),),
)

_TRACE_CONSTANT = Entry(
    mistake="trace-constant",
    wordings=(
        Wording(
            "Converting a tensor to a Python {type:word} might cause the trace to be", "1.0 on"
        ),
        Wording("results are registered as constants in the trace", "1.0 on"),
        Wording("Output nr {number:int}. of the traced function does not match", "0.4 on"),
        Wording("Tracing failed sanity checks", "0.4 on"),
    ),
    meaning="What depends on values is fixed while tracing: sizes, lengths, branches and states of"
    " the example stay in the traced model.",
    causes=(
        Cause(
            why="The first states, or sizes of the model, are made from x.size() as Python numbers:"
            " the batch of the example is then the only one.",
            tell="Run the traced model with another batch.",
            fix="output, state = self.{command}(x)  # without a state: zeros of the right size",
        ),
        Cause(
            why="A state is kept in the module, so a second run gives another result.",
            tell="`self.hidden` or the like is set in forward.",
            fix="def forward(self, x, hx):  # the state as an argument and a result\n"
            "    return self.{command}(x, hx)",
            likely=lambda clues: clues.get("number") is not None,
        ),
        Cause(
            why="The check after tracing runs the model again: in torch 1.4 it fails for recurrent"
            " layers, and with dropout always.",
            tell="It says that graphs or outputs differ; model.eval() turns dropout off.",
            fix="model.eval()\ntraced = torch.jit.trace(model, (x,), check_trace=False)",
            when=mentions("sanity checks", "does not match the corresponding output"),
            likely=mentions("sanity checks"),
        ),
        Cause(
            why="The checks inside a recurrent layer compare sizes; these warnings are harmless.",
            tell="The warning names torch/nn/modules/rnn.py.",
            likely=mentions("nn/modules/rnn.py", "nn\\modules\\rnn.py"),
        ),
        Cause(
            why="Code that depends on values can be scripted.",
            fix="model = torch.jit.script(model)",
        ),
    ),
    provoked_by=(_TRACE.format("lambda x: x * 2 if x.sum() > 1 else x"),),
)


def _onnx(clues: Clues) -> Numbers | None:
    operator = clues["operator"].strip("'\" ")
    bare = operator.casefold().removeprefix("aten::")
    recurrent = any(word in bare for word in ("lstm", "gru", "rnn", "pack"))
    if not recurrent and not clues.recurrent:
        return None
    what = (clues.get("what") or "").strip()
    return {
        "reason": f"it does not support {what}" if what else f"it does not know {operator}",
        "known": bool(what),
        "of_batch_first": "cell" not in bare and (clues.mentions("batch_first") or not what),
    }


def _because_of(word: str) -> Condition:
    """The condition of what needs this word in the reason that the exporter gives."""
    return lambda clues: word in clues["reason"].casefold()


_ONNX_OLD = Entry(
    mistake="onnx-unsupported",
    wordings=(
        Wording("ONNX export failed on {operator} because {what} not supported", "0.3 to 1.11"),
        Wording(
            "Unsupported: ONNX export of operator {operator}, {what}. Please feel free", "1.12 on"
        ),
        Wording(
            "ONNX export failed: Couldn't export operator aten::{operator:word}", "0.4 to 1.11"
        ),
        Wording("Couldn't export operator aten::{operator:word}", "0.4 to 1.11"),
        Wording(
            "Exporting the operator {operator:word} to ONNX opset version {opset:int} is not"
            " supported",
            "1.2 on",
        ),
        Wording("Couldn't export Python operator {operator:word}", "0.3"),
    ),
    read=_onnx,
    meaning="The exporter to ONNX cannot write this recurrent layer: {reason}.",
    causes=(
        Cause(
            why="The exporters of torch 0.3 to 1.1 do not know batch_first; newer ones do.",
            tell="A warning above says `batch_first not supported`, or the layer has it.",
            fix="self.{command} = {class_name}(input_size, hidden_size, batch_first=False)\n"
            "output, state = self.{command}(x.transpose(0, 1))\n"
            "output = output.transpose(0, 1)",
            when=holds("of_batch_first"),
            certain=mentions("batch_first not supported"),
        ),
        Cause(
            why="Dropout between layers is for training only.",
            fix="model.eval()  # before the export",
            when=either(unless(holds("known")), _because_of("dropout")),
            certain=_because_of("dropout"),
        ),
        Cause(
            why="ONNX has no LSTM with a projection.",
            fix="self.proj = nn.Linear(hidden_size, proj_size)  # in place of proj_size",
            when=_because_of("projection"),
            certain=_because_of("projection"),
        ),
        Cause(
            why="A cell is not one operator of ONNX; a layer is.",
            fix="self.{command} = {class_name}(input_size, hidden_size)  # in place of"
            " {class_name}Cell",
            when=_because_of("cell"),
            likely=_because_of("cell"),
        ),
        Cause(
            why="On a GPU the layer or cell runs as one fused operation, which ONNX does not have.",
            tell="The name of the operator has `fused`.",
            fix="model, x = model.cpu(), x.cpu()  # before the export",
            when=_because_of("fused"),
            likely=_because_of("fused"),
        ),
        Cause(
            why="The other exporter, or a newer torch, may know it.",
            fix="torch.onnx.export(model, (x,), 'model.onnx', dynamo=True)  # torch 2.5 on",
        ),
    ),
    more="rnnshape {command} --batch-first --show layouts",
    source="torch/onnx/symbolic_opset9.py and torch/onnx/utils.py",
)


def _compared(clues: Clues) -> Comparison | None:
    """The shape that ONNX Runtime wants, and that of the state in the model, where it says so."""
    expected, got = clues.get("expected"), clues.get("got")
    if not isinstance(expected, tuple) or not len(expected) == len(got) == 3:
        return None
    axes = ("directions", "batch", "feature")
    return Comparison(title=clues["state"], places=axes, expected=expected, got=got)


_ONNX_BATCH = Entry(
    mistake="onnx-batch",
    wordings=(
        Wording(
            "Exporting a model to ONNX with a batch_size other than 1, with a variable length with"
            " {kind_name:word}",
            "1.3 on",
        ),
        Wording("Input {state:word} must have shape {expected:shape}. Actual:{got:shape}", ""),
        Wording("Invalid input shape. {state:word} {expected:rest}", ""),
    ),
    read=lambda clues: (
        None
        if clues.get("state") not in (None, "initial_h", "initial_c")
        else {"where": "the exported model"}
    ),
    compare=_compared,
    meaning="The zeros of the first states were exported as constants, with the batch of the"
    " example: another batch then fails, or needs states as inputs.",
    causes=(
        Cause(
            why="The states can be inputs of the exported model.",
            fix="torch.onnx.export(model, (x, (h_0, c_0)), 'model.onnx',\n"
            "    input_names=['x', 'h_0', 'c_0'], dynamic_axes={{'x': {{1: 'batch'}},"
            " 'h_0': {{1: 'batch'}}, 'c_0': {{1: 'batch'}}}})",
        ),
        Cause(
            why="The model always runs with one sequence: then export it with batch 1, and the"
            " warning is harmless.",
            fix="torch.onnx.export(model, (x[:, :1],), 'model.onnx')  # x[:1] with batch_first",
        ),
        Cause(
            why="The exporter of torch 2.5 and newer keeps the batch variable.",
            fix="batch = torch.export.Dim('batch')\n"
            "torch.onnx.export(model, (x,), 'model.onnx', dynamo=True,"
            " dynamic_shapes=({{1: batch}},))",
        ),
    ),
    more=CODE,
    source="torch/onnx/symbolic_opset9.py; the second wording is ONNX Runtime's",
)

_COMPILE = Entry(
    mistake="compile-recurrent",
    wordings=(
        Wording("Attempted to wrap RNN, GRU, or LSTM", "2.7 on"),
        Wording("Dynamo does not support RNN, GRU, or LSTM", "2.7 on"),
        Wording("TorchDynamo purposely graph breaks on RNN, GRU, LSTMs", "2.0 to 2.6"),
        Wording("purposely graph breaks on RNN", "2.0 to 2.6"),
    ),
    meaning="`torch.compile` does not compile recurrent layers: it leaves them to run as they are,"
    " which fullgraph=True and exports by Dynamo forbid.",
    causes=(
        Cause(
            why="fullgraph=True allows no such break of the graph; without it, the rest is"
            " compiled.",
            fix="model = torch.compile(model)",
            likely=mentions("fullgraph"),
        ),
        Cause(
            why="From torch 2.7 on, recurrent layers can be compiled as an experiment; on a GPU,"
            " cuDNN's own kernels are faster.",
            fix="torch._dynamo.config.allow_rnn = True",
        ),
        Cause(
            why="An export by Dynamo needs the whole graph; the export that does not use it works"
            " with recurrent layers.",
            fix="program = torch.export.export(model, (x,), strict=False)",
            likely=mentions("onnx", "export"),
        ),
    ),
    notes=("`nn.LSTMCell` and the other cells are compiled.",),
    more="rnnshape {command} --cell --show code",
    provoked_by=("torch.compile(nn.LSTM(3, 4), fullgraph=True, backend='eager')(z(5, 2, 3))",),
)

_COMPILE_PACKED = Entry(
    mistake="export-packed",
    wordings=(
        Wording("Avoid calling the function {function:word}", "2.7 on"),
        Wording(
            "zeros(): argument 'size' failed to unpack the object at pos {place:int} with error"
            ' "type must be tuple of ints,but got FakeTensor"',
            "2.4 on",
        ),
        Wording(
            "zeros(): argument 'size' (position 1) must be tuple of ints, but found element of type"
            " FakeTensor at pos {place:int}",
            "",
        ),
        Wording("call_function {function} in skip_files", "2.0 to 2.6"),
    ),
    read=lambda clues: (
        {}
        if clues.mentions(
            "pack_padded_sequence", "pad_packed_sequence", "pack_sequence", "FakeTensor"
        )
        else None
    ),
    meaning="`torch.export` and `torch.compile` cannot follow a PackedSequence: how many sequences"
    " a step has depends on values, the lengths.",
    causes=(
        Cause(
            why="The padded batch gives the same outputs up to each length, in one direction; the"
            " rest is masked.",
            fix="output, _ = self.{command}(x)  # padded, without packing\n"
            "last = output[lengths - 1, torch.arange(x.size(1))]  # of each sequence",
        ),
        Cause(
            why="Packing can stay outside what is compiled.",
            fix="@torch.compiler.disable\ndef run(self, x, lengths):  # packs, runs, unpacks",
            when=unless(mentions("torch.export", "FakeTensor")),
        ),
        Cause(
            why="For export, `torch.jit.script` keeps packing.",
            fix="torch.jit.script(model).save('model.pt')",
        ),
    ),
    notes=("In both directions padding does change the result: the reverse begins in it.",),
    more=LENGTHS,
    source="torch/_dynamo and torch/export: the message needs a model of its own",
)


def _of_layer(clues: Clues) -> Numbers | None:
    return {} if clues.recurrent else None


_DATA_POINTER = Entry(
    mistake="export-data-pointer",
    wordings=(
        Wording(
            "Cannot access data pointer of Tensor (e.g. FakeTensor, FunctionalTensor)", "2.3 on"
        ),
        Wording("Cannot access data pointer of Tensor that doesn't have storage", "2.0 to 2.2"),
        Wording("aten._cudnn_rnn_flatten_weight", "2.0 on"),
        Wording("aten::_cudnn_rnn_flatten_weight", "1.0 on"),
    ),
    read=lambda clues: (
        {}
        if clues.mentions("_flat_weights", "flatten_parameters", "rnn", "flatten_weight")
        else None
    ),
    meaning="On a GPU, a recurrent layer arranges its weights for cuDNN, `flatten_parameters()`,"
    " which an export or a compiler cannot follow.",
    causes=(
        Cause(
            why="Without cuDNN there is nothing to arrange.",
            fix="with torch.backends.cudnn.flags(enabled=False):\n"
            "    program = torch.export.export(model, (x,), strict=False)",
        ),
        Cause(
            why="On the CPU there is no cuDNN; the exported program can be moved later.",
            fix="program = torch.export.export(model.cpu(), (x.cpu(),), strict=False)",
        ),
        Cause(
            why="Your own forward calls `flatten_parameters()`.",
            tell="It stands in your code.",
            fix="if not torch.compiler.is_compiling():\n    self.{command}.flatten_parameters()",
            likely=mentions("self.lstm.flatten", "self.rnn.flatten", "self.gru.flatten"),
        ),
    ),
    source="torch/nn/modules/rnn.py, flatten_parameters, with cuDNN only",
)

_EXPORT_ASSIGNED = Entry(
    mistake="export-assigned",
    wordings=(
        Wording("The tensor attributes {names} were assigned during export", "2.3 on"),
        Wording("The tensor attribute {names} was assigned during export", "2.3 on"),
    ),
    read=lambda clues: {"flat": "_flat_weights" in clues["names"]},
    meaning="Forward sets tensors of the module, and the exported program does not keep them.",
    causes=(
        Cause(
            why="A recurrent layer sets its list of weights anew, `_flat_weights`: for it this"
            " warning is harmless.",
            when=holds("flat"),
        ),
        Cause(
            why="A state is kept in the module between calls; in the exported program it must be an"
            " argument and a result.",
            tell="The warning names more than `_flat_weights`.",
            fix="def forward(self, x, hx):\n    return self.{command}(x, hx)",
        ),
    ),
    more=CODE,
    provoked_by=("torch.export.export(nn.LSTM(3, 4), (z(5, 2, 3),))",),
)

_VMAP = Entry(
    mistake="vmap",
    wordings=(
        Wording("Batching rule not implemented for aten::{operator:word}", "1.11 on"),
        Wording("vmap: called random operation while in randomness error mode", "1.11 on"),
    ),
    read=lambda clues: (
        {}
        if any(
            word in (clues.get("operator") or "lstm").casefold() for word in ("lstm", "gru", "rnn")
        )
        else None
    ),
    meaning="`torch.vmap` cannot run a recurrent layer: its operators have no rule for a further"
    " batch axis.",
    causes=(
        Cause(
            why="A recurrent layer has a batch axis of its own, which can hold the further one.",
            fix="flat = x.transpose(0, 1).flatten(1, 2)  # (vmap, seq, batch, ...) to one batch\n"
            "output, state = self.{command}(flat)",
        ),
        Cause(
            why="An ensemble of weights needs a loop, since each layer has its own.",
            fix="outputs = torch.stack([layer(x)[0] for layer in layers])",
        ),
        Cause(
            why="The randomness is that of dropout, or of weights made inside; recurrent layers"
            " count as random even without it.",
            tell="With randomness='different' the next error names the operator, if it is one.",
            fix="torch.vmap(model, randomness='different')",
            when=mentions("randomness"),
            likely=lambda clues: not clues.recurrent,
        ),
    ),
    provoked_by=(
        "torch.vmap(lambda x: nn.LSTM(3, 4)(x)[0])(z(7, 5, 2, 3))",
        "torch.vmap(lambda x: nn.LSTM(3, 4)(x)[0], randomness='same')(z(7, 5, 2, 3))",
    ),
)

_FORWARD_AD = Entry(
    mistake="forward-ad",
    wordings=(
        Wording("Trying to use forward AD with {operator:word} that does not support it", "1.8 on"),
    ),
    read=lambda clues: (
        {} if any(word in clues["operator"] for word in ("rnn", "lstm", "gru")) else None
    ),
    meaning="The fast kernel of the layer, {operator}, has no forward-mode derivative, which jvp,"
    " jacfwd and hessian use.",
    causes=(
        Cause(
            why="Reverse mode works, and is cheaper where there are fewer outputs than inputs.",
            fix="jacobian = torch.func.jacrev(function)(x)",
        ),
        Cause(
            why="The plain kernels have the derivative: on a CPU without oneDNN, on a GPU without"
            " cuDNN.",
            fix="with torch.backends.mkldnn.flags(enabled=False),"
            " torch.backends.cudnn.flags(enabled=False):\n"
            "    output, derivative = torch.func.jvp(function, (x,), (v,))",
        ),
    ),
    provoked_by=("torch.func.jvp(lambda x: nn.LSTM(3, 4)(x)[0], (z(5, 2, 3),), (z(5, 2, 3),))",),
)

_DEEPCOPY = Entry(
    mistake="deepcopy",
    wordings=(
        Wording(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy"
            " protocol",
            "1.0 on",
        ),
        Wording("Only Variables created explicitly by the user", "0.2 and 0.3"),
    ),
    meaning="`copy.deepcopy` met a tensor with an autograd history: something that forward"
    " computed and kept.",
    causes=(
        Cause(
            why="{often}the module keeps its state, such as `self.hidden`, from the last forward"
            " pass.",
            tell="`print(model.hidden[0].grad_fn)` is not None.",
            fix="model.hidden = None  # before copying\n"
            "self.hidden = tuple(h.detach() for h in hidden)  # in forward, better",
        ),
        Cause(
            why="The old `weight_norm`, or weight drop, computes a weight of the layer and keeps"
            " it.",
            tell="The layer has weights whose names end in `_g` and `_v`, or in `_raw`.",
            fix="torch.nn.utils.parametrizations.weight_norm(layer, 'weight_hh_l0')",
        ),
        Cause(
            why="An output, an attention or a loss is kept in the module, to look at later.",
            fix="self.attention = attention.detach()",
        ),
        Cause(
            why="Only the weights are needed.",
            fix="twin = build_model()\ntwin.load_state_dict(model.state_dict())",
        ),
    ),
    more=STATES,
    provoked_by=(
        "import copy; m = nn.Module(); m.h = nn.LSTM(3, 4)(z(5, 2, 3))[1]; copy.deepcopy(m)",
        "__import__('copy').deepcopy(nn.GRU(3, 4)(z(5, 2, 3))[1])",
    ),
)

ENTRIES: Final = (
    *(_SCRIPT_STATE, _SCRIPT_TUPLE, _SCRIPT_PACKED, _SCRIPT_NONE, _SCRIPT_ATTRIBUTE),
    *(_SCRIPT_LAYER, _TRACE_STATE, _TRACE_CONSTANT, _ONNX_OLD, _ONNX_BATCH, _COMPILE),
    *(_COMPILE_PACKED, _DATA_POINTER, _EXPORT_ASSIGNED, _VMAP, _FORWARD_AD, _DEEPCOPY),
)
