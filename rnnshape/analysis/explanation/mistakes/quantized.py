"""Quantized recurrent layers: what can be quantized, and what they take."""

from __future__ import annotations

from typing import Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import PROJECTION
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers
from rnnshape.analysis.explanation.wording import Wording

_SCRIPTED: Final = "torch.ao.quantization.quantize_dynamic(model, {{nn.LSTM, nn.Linear}})"
_GRU: Final = (
    "torch.quantized_gru(z(5, 2, 3), z(1, 2, 4), list(nn.GRU(3, 4).parameters()), True, 1, 0.,"
    " False, False, False)"
)
_QUANTIZE: Final = (
    "torch.ao.quantization.quantize_dynamic("
    "nn.Sequential({}), {{nn.LSTM, nn.GRU, nn.RNN, nn.LSTMCell}}, dtype=torch.{})"
)


def _quantizes(clues: Clues) -> Numbers | None:
    return {} if clues.mentions("quantiz", "packB", "QInt", "qint", "batch_sizes") else None


_PACKED = Entry(
    mistake="quantized-packed",
    wordings=(Wording("assert batch_sizes is None", "1.3 and 1.4"),),
    meaning="The quantized LSTM of torch 1.3 takes no PackedSequence, only a padded tensor.",
    causes=(
        Cause(
            why="Newer versions take one.",
            tell="`print(torch.__version__)` shows yours.",
            fix="# in a shell: pip install --upgrade torch",
        ),
        Cause(
            why="A padded batch gives the same up to each length, in one direction.",
            fix="x, lengths = pad_packed_sequence(packed)\noutput, state = self.lstm(x)",
        ),
    ),
    source="torch/nn/quantized/dynamic/modules/rnn.py of torch 1.3",
)

_TYPE = Entry(
    mistake="quantized-weights",
    wordings=(
        Wording("expected scalar type Float but found QInt32", "1.3 and 1.4"),
        Wording("expected scalar type {wanted:word} but found QInt8", ""),
    ),
    meaning="A quantized layer of an early version holds a weight or a bias of a type that its"
    " kernel does not take.",
    causes=(
        Cause(
            why="The layer was built quantized, or saved and loaded in torch 1.3 or 1.4. Load the"
            " float weights first, and quantize then, with a newer torch.",
            tell="`print(torch.__version__)` shows yours.",
            fix=f"model.load_state_dict(float_weights)\nmodel = {_SCRIPTED}",
        ),
    ),
    source="the quantized kernels of torch 1.3 and 1.4",
)

_UNSUPPORTED = Entry(
    mistake="quantize-kind",
    wordings=(
        Wording("nn.quantized.dynamic.RNNBase.from_float only works for", "1.4 on"),
        Wording("nn.quantized.dynamic.RNNCellBase.from_float only works for", "1.6 on"),
        Wording("Only LSTM/GRU is supported for QuantizedRNN", "1.4 on"),
        Wording("Only LSTM is supported for QuantizedRNN", "1.3"),
        Wording("GRUCell and RNNCell are supported for QuantizedRNN", "1.6 on"),
        Wording("We are assuming weight_ih", "1.10 on"),
    ),
    meaning="Only `nn.LSTM`, `nn.GRU` and the cells can be quantized dynamically.",
    causes=(
        Cause(
            why="`nn.RNN` is in the set of layers to quantize.",
            fix=f"model = {_SCRIPTED}",
        ),
        Cause(
            why="A class of your own is derived from a recurrent layer.",
            fix="class Encoder(nn.Module):  # holds an nn.LSTM instead of being one",
        ),
    ),
    provoked_by=("torch.ao.nn.quantized.dynamic.LSTM.from_float(nn.RNN(3, 4))",),
)

_QCONFIG = Entry(
    mistake="quantize-qconfig",
    wordings=(Wording("Input float module must have qconfig defined", "1.3 on"),),
    meaning="`from_float` needs a layer with a `qconfig`, which says how to quantize it.",
    causes=(
        Cause(
            why="The function for whole models sets it.",
            fix=f"model = {_SCRIPTED}",
        ),
        Cause(
            why="For a single layer it is set by hand.",
            fix="layer.qconfig = torch.ao.quantization.default_dynamic_qconfig",
        ),
    ),
    provoked_by=("torch.ao.nn.quantized.dynamic.LSTM.from_float(nn.LSTM(3, 4))",),
)

_DTYPE = Entry(
    mistake="quantize-dtype",
    wordings=(
        Wording("Unsupported dtype for dynamic RNN quantization: {given:word}", "1.4 on"),
        Wording("Unsupported dtype specified for dynamic quantized", "1.4 on"),
        Wording("dtype is not supported", "1.3 on"),
    ),
    read=lambda clues: _quantizes(clues) if clues.statement.message.startswith("dtype is") else {},
    meaning="Recurrent layers are quantized to qint8 or float16.",
    causes=(
        Cause(
            why="Another dtype was asked for.",
            fix="torch.ao.quantization.quantize_dynamic(model, {{nn.LSTM}}, dtype=torch.qint8)",
        ),
    ),
    provoked_by=(_QUANTIZE.format("nn.LSTM(3, 4)", "quint8"),),
)

_BIAS = Entry(
    mistake="quantize-bias",
    wordings=(
        Wording("mod.bias must be True", "1.12 on"),
        Wording("quantized LSTM requires biases", "1.3 on"),
        Wording("quantized GRU requires biases", "1.4 on"),
        Wording("assert mod.bias", "1.3 to 2.8"),
    ),
    meaning="A quantized recurrent layer needs its biases.",
    causes=(
        Cause(
            why="The layer was built with bias=False; with biases of zero it computes the same.",
            fix="full = {class_name}(input_size, hidden_size)\n"
            "full.load_state_dict(layer.state_dict(), strict=False)\n"
            "for name, bias in full.named_parameters():\n"
            '    if name.startswith("bias"):\n'
            "        nn.init.zeros_(bias)",
        ),
    ),
    more="rnnshape {command} --no-bias --show weights",
    provoked_by=(_QUANTIZE.format("nn.LSTM(3, 4, bias=False)", "qint8"),),
)

_PROJECTION = Entry(
    mistake="quantize-projection",
    wordings=(
        Wording("quantized LSTM with projections is not supported", "1.8 on"),
        Wording("The number of rows in the packB should be equal to K: {rows:int}", "1.8 on"),
    ),
    meaning="An LSTM with proj_size cannot be quantized: the kernel assumes that h is as long as"
    " c.",
    causes=(
        Cause(
            why="The layer has a proj_size.",
            tell="`print(layer)` shows proj_size.",
            fix="self.lstm = nn.LSTM(input_size, hidden_size)\n"
            "self.proj = nn.Linear(hidden_size, proj_size)  # after it, quantized on its own",
        ),
        Cause(
            why="The layer stays as it is, and the rest is quantized.",
            fix="torch.ao.quantization.quantize_dynamic(model, {{nn.Linear}})",
        ),
    ),
    more=PROJECTION,
    provoked_by=(_QUANTIZE.format("nn.LSTM(3, 8, proj_size=4)", "qint8") + "(z(5, 2, 3))",),
)

_LIST = Entry(
    mistake="quantized-parameters",
    wordings=(
        Wording(
            "torch.{function:word} with List[Tensor] for parameters is no longer supported", ""
        ),
    ),
    meaning="The model was exported with quantized layers by an old torch, in a form that is no"
    " longer read.",
    causes=(
        Cause(
            why="The float model can be quantized and exported again.",
            fix=f"model = {_SCRIPTED}\ntorch.jit.script(model).save('model.pt')",
        ),
        Cause(
            why="`torch.jit.quantized` made it, which newer versions do not have.",
            tell="Your code imports `torch.jit.quantized`.",
            fix="# in a shell, to convert it: pip install torch==1.5.0",
        ),
    ),
    provoked_by=(_GRU,),
)

ENTRIES: Final = (*(_PACKED, _TYPE, _UNSUPPORTED, _QCONFIG, _DTYPE, _BIAS, _PROJECTION, _LIST),)
