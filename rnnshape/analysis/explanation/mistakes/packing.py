"""Packed sequences: their lengths, and what `torch.nn.utils.rnn` refuses to pack or to pad."""

from __future__ import annotations

from typing import Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import LENGTHS
from rnnshape.analysis.explanation.conditions import Condition, holds, mentions, unless
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers, compared
from rnnshape.analysis.explanation.records import Comparison
from rnnshape.analysis.explanation.wording import Wording

_PACK: Final = "torch.nn.utils.rnn.pack_padded_sequence"
_PACK_SEQUENCE: Final = "torch.nn.utils.rnn.pack_sequence"
_PAD: Final = "torch.nn.utils.rnn.pad_packed_sequence"
_PAD_SEQUENCE: Final = "torch.nn.utils.rnn.pad_sequence"


_parallel: Final = mentions("replica", "parallel_apply", "DataParallel")
_packs_list: Final = mentions("pack_sequence(", "in pack_sequence")

_UNSORTED = Entry(
    mistake="lengths-unsorted",
    wordings=(
        Wording(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True",
            "1.1 on",
        ),
        Wording("'lengths' array has to be sorted in decreasing order", "0.4 to 1.0"),
        Wording("lengths array has to be sorted in decreasing order", "0.2 and 0.3"),
    ),
    meaning="The lengths are unsorted: a shorter sequence stands before a longer one.",
    causes=(
        Cause(
            why="The sequences are in the order of the data, not sorted. From torch 1.1 on,"
            " packing can sort them, and unpacking then restores their order.",
            fix="packed = pack_sequence(sequences, enforce_sorted=False)",
            when=_packs_list,
        ),
        Cause(
            why="The batch is in the order of the data, not sorted. From torch 1.1 on, packing can"
            " sort it, and `output` and `h_n` then come back in the order of the batch.",
            fix="packed = pack_padded_sequence(x, lengths, enforce_sorted=False)",
            when=unless(_packs_list),
        ),
        Cause(
            why="The batch is not sorted, or has the shortest sequence first. torch 1.0 and older,"
            " and exports to ONNX, need it sorted, the longest first.",
            tell="`print(lengths)` shows the order.",
            fix="lengths, order = lengths.sort(descending=True)\n"
            "x = x[:, order]  # x[order] with batch_first=True\n"
            "# later, to restore the order of the batch: output[:, order.argsort()]",
            likely=unless(mentions("enforce_sorted")),
        ),
    ),
    notes=("If you sort a batch by hand, sort its targets and states in the same way.",),
    more=LENGTHS,
    provoked_by=(
        f"{_PACK}(z(5, 2, 3), [4, 5])",
        f"{_PACK_SEQUENCE}([z(3, 3), z(5, 3)])",
    ),
)

_ZERO = Entry(
    mistake="lengths-zero",
    wordings=(Wording("length of all samples has to be greater than 0", "0.2 on"),),
    meaning="A sequence of the batch has length 0 or less: it is empty, and cannot be packed.",
    causes=(
        Cause(
            why="The data has empty sequences: an empty text, or one of which no token was left.",
            tell="`print((lengths <= 0).nonzero())` shows which.",
            fix="keep = lengths > 0\n"
            "x, lengths = x[:, keep], lengths[keep]  # x[keep] with batch_first=True",
        ),
        Cause(
            why="Some rows are padding as a whole, such as the characters of words that only fill"
            " up a sentence; or the lengths were counted by a mask that is 0 in a whole row.",
            tell="The rows of length 0 in x hold nothing but padding.",
            fix="lengths = lengths.clamp(min=1)\n"
            "packed = pack_padded_sequence(x, lengths, enforce_sorted=False)"
            "  # and mask the output of these rows",
        ),
    ),
    notes=("Before torch 1.2, a batch without any sequence was refused by the same words.",),
    more=LENGTHS,
    provoked_by=(
        f"{_PACK}(z(5, 2, 3), [5, 0])",
        f"{_PACK}(z(5, 2, 3), [0, 5], enforce_sorted=False)",
    ),
)


_RIGHT_FORM: Final = (
    ("device", "cpu", ".cpu()"),
    ("dims", 1, ".reshape(-1)"),
    ("dtype", "Long", ".long()"),
)


def _form(clues: Clues) -> Numbers:
    """What the lengths are, in words, and what mends all of it, as far as the message says it."""
    if clues.get("dims") is None:
        return {"given": "something else", "mends": (), "mended": ""}
    mends = tuple(mend for name, right, mend in _RIGHT_FORM if clues[name] != right)
    return {
        "given": f"a {clues['dims']}-D {clues['dtype']} tensor on {clues['device']}",
        "mends": mends,
        "mended": "".join(mends),
    }


def _wrong(mend: str) -> Condition:
    """Whether this may be wrong with the lengths."""
    return lambda clues: mend in clues["mends"] or not clues["mends"]


def _only_wrong(mend: str) -> Condition:
    """Whether this alone is wrong with the lengths."""
    return lambda clues: clues["mends"] == (mend,)


def _several_wrong(clues: Clues) -> bool:
    return len(clues["mends"]) > 1


_FORM = Entry(
    mistake="lengths-form",
    wordings=(
        Wording(
            "'lengths' argument should be a 1D CPU int64 tensor, but got {dims:int}D {device:word}"
            " {dtype:word} tensor",
            "1.5 on",
        ),
        Wording("'lengths' argument should be a 1D CPU int64 tensor", "0.4 to 1.4"),
    ),
    read=_form,
    meaning="The lengths must be a 1-D int64 tensor on the CPU, but they are {given}.",
    causes=(
        Cause(
            why="The lengths went to the GPU with the rest of the batch. They have to stay on the"
            " CPU, also where x is on the GPU.",
            tell="`print(lengths.device)` shows it.",
            fix="packed = pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False)",
            when=_wrong(".cpu()"),
            certain=_only_wrong(".cpu()"),
        ),
        Cause(
            why="There must be one length for each sequence, in one dimension.",
            tell="`print(lengths.shape)` shows it; (batch,) is right.",
            fix="lengths = lengths.reshape(-1)  # (batch,)",
            when=_wrong(".reshape(-1)"),
            certain=_only_wrong(".reshape(-1)"),
        ),
        Cause(
            why="The lengths are not whole numbers of type int64, as after a division or a mean.",
            tell="`print(lengths.dtype)` shows it.",
            fix="lengths = lengths.long()",
            when=_wrong(".long()"),
            certain=_only_wrong(".long()"),
        ),
        Cause(
            why="All of this is wrong at once.",
            fix="lengths = lengths{mended}",
            when=_several_wrong,
            certain=_several_wrong,
        ),
        Cause(
            why="It is the `batch_sizes` of a PackedSequence that were moved to the GPU, or made"
            " there because tensors are made there by default.",
            tell="The error comes from `_pad_packed_sequence`, or from the layer itself.",
            fix="packed = packed.to(device)  # moves the data, and leaves batch_sizes on the CPU",
            when=mentions("_pad_packed_sequence", "_VF.lstm", "_VF.gru", "set_default"),
            likely=mentions("_pad_packed_sequence(", "set_default_tensor_type"),
        ),
    ),
    notes=(
        (
            "Before torch 1.7, lengths on the GPU were accepted; torch 2.13 cuts off the"
            " decimals of float lengths, 4.9 to 4."
        ),
    ),
    more=LENGTHS,
    provoked_by=(
        f"{_PACK}(z(5, 2, 3), torch.tensor([[5, 4]]))",
        f"{_PACK}(z(5, 2, 3), torch.tensor([5, 4], device='meta'))",
    ),
)


def _count(clues: Clues) -> Numbers:
    """How many parts of this batch the lengths would make, where they make whole ones."""
    got, batch = clues.get("got"), clues.get("batch")
    if got is None:
        return {
            "counts": "The number of lengths differs from the batch of x",
            "parts": 0,
            "split": "",
        }
    parts = got // batch if batch > 0 and got % batch == 0 else 0
    return {
        "counts": f"There are {got} lengths for a batch of {batch}",
        "parts": parts,
        "split": f" ({got} = {parts} x {batch})" if parts else "",
    }


def _count_compared(clues: Clues) -> Comparison | None:
    if clues.get("got") is None:
        return None
    return compared("number", "batch", labels=("batch of x", "lengths"))(clues)


def _batch_second(clues: Clues) -> bool:
    """Whether x is known, and its first axis has as many entries as there are lengths."""
    shape, got = clues.input, clues.get("got")
    return (
        shape is not None and len(shape) > 1 and shape[0] == got and shape[1] == clues.get("batch")
    )


_COUNT = Entry(
    mistake="lengths-count",
    wordings=(
        Wording(
            "Expected `len(lengths)` to be equal to batch_size, but got {got:int}"
            " (batch_size={batch:int})",
            "0.4 on",
        ),
        Wording("lengths array has incorrect size", "0.2 and 0.3"),
    ),
    read=_count,
    meaning="{counts}: each sequence needs one length.",
    compare=_count_compared,
    causes=(
        Cause(
            why="x is (batch, seq, feature), but without batch_first=True its second axis, the"
            " steps, is taken for the batch.",
            tell="`print(x.shape, len(lengths))`: the first size is the number of lengths.",
            fix="packed = pack_padded_sequence(x, lengths, batch_first=True)",
            when=unless(mentions("batch_first=True, enforce")),
            certain=_batch_second,
        ),
        Cause(
            why="x is (seq, batch, feature), but with batch_first=True its first axis, the steps,"
            " is taken for the batch.",
            tell="`print(x.shape, len(lengths))`: the second size is the number of lengths.",
            fix="packed = pack_padded_sequence(x, lengths)  # without batch_first",
            when=mentions("batch_first=True"),
        ),
        Cause(
            why="`nn.DataParallel` splits tensors, not lists: each GPU got its part of x, but all"
            " lengths{split}.",
            tell="It fails only with more than one GPU.",
            fix="lengths = torch.as_tensor(lengths)  # before model(x, lengths): it is then split\n"
            "packed = pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False)  # in forward",
            when=lambda clues: clues["parts"] or clues.get("got") is None or _parallel(clues),
            likely=_parallel,
        ),
        Cause(
            why="The lengths belong to another batch, such as a larger one before the last.",
            tell="`print(x.shape, len(lengths))` just before packing shows both.",
            fix="lengths = torch.tensor([len(sequence) for sequence in batch])",
        ),
    ),
    more=LENGTHS,
    provoked_by=(
        f"{_PACK}(z(2, 5, 3), [5, 4])",
        f"{_PACK}(z(5, 2, 3), [5, 4, 3])",
    ),
)

_EMPTY = Entry(
    mistake="pack-empty",
    wordings=(Wording("Cannot pack empty tensors", "1.2 on"),),
    meaning="The tensor to pack has no elements: no sequences, no steps or no features.",
    causes=(
        Cause(
            why="The batch is empty, as after a filter that kept nothing, or every sequence is.",
            tell="`print(x.shape)` shows a 0.",
            fix="if x.numel() == 0:\n    continue  # skip this batch",
        ),
        Cause(
            why="A slice is empty, such as `x[:, :0]` or `x[start:end]` with start >= end.",
            tell="`print(x.shape)` before the slice shows no 0.",
        ),
    ),
    more=LENGTHS,
    provoked_by=(f"{_PACK}(z(0, 2, 3), [0, 0])", f"{_PACK_SEQUENCE}([z(0, 3)])"),
)


def _too_long(clues: Clues) -> Numbers | None:
    """The data of a pack ends where a step should begin; of a plain slice, that is not so."""
    if clues["start"] != clues["size"] and not clues.mentions("packed", "_VF."):
        return None
    often = "" if clues.recurrent else "Often it is a PackedSequence: "
    return {"often": often or "A PackedSequence is to blame: "}


_TOO_LONG = Entry(
    mistake="lengths-too-long",
    wordings=(
        Wording(
            "start ({start:int}) + length ({length:int}) exceeds dimension size ({size:int})",
            "0.4 on",
        ),
    ),
    read=_too_long,
    meaning="{often}it has data for {size} steps of all its sequences, but its lengths ask for"
    " more.",
    causes=(
        Cause(
            why="A length is larger than the steps that x has, since x was cut to a maximum, or"
            " shortened by a convolution, pooling or a sample rate, and the lengths were not.",
            tell="`print(x.shape, max(lengths))` before packing shows it.",
            fix="lengths = lengths.clamp(max=x.size(0))  # x.size(1) with batch_first=True",
        ),
        Cause(
            why="The lengths count something other than the steps of x, such as characters for"
            " words, or bytes.",
            tell="`print(lengths)` shows numbers that no sequence of x has.",
            fix="lengths = torch.tensor([len(sequence) for sequence in batch])",
        ),
    ),
    notes=("`pack_padded_sequence` accepts lengths that are too long without an error.",),
    more=LENGTHS,
    provoked_by=(f"nn.LSTM(3, 4)({_PACK}(z(4, 2, 3), [9, 4]))",),
)

_TOTAL = Entry(
    mistake="total-length",
    wordings=(
        Wording(
            "Expected total_length to be at least the length of the longest sequence in input, but"
            " got total_length={got:int} and max sequence length being {longest:int}",
            "0.4 on",
        ),
    ),
    meaning="`total_length` is {got}, but the longest sequence has {longest} steps: padding only"
    " adds steps.",
    compare=compared("steps", "longest", "got", labels=("at least", "total_length")),
    causes=(
        Cause(
            why="`total_length` was read from the wrong axis of x, such as the batch.",
            tell="`print(x.shape)`: the axis of the steps is the first, or the second with"
            " batch_first=True.",
            fix="output, lengths = pad_packed_sequence(packed, total_length=x.size(0))"
            "  # x.size(1) with batch_first=True",
        ),
        Cause(
            why="It is a fixed maximum, but a sequence is longer.",
            tell="`print(max(lengths))` shows {longest}.",
            fix="x, lengths = x[:{got}], lengths.clamp(max={got})  # before packing",
        ),
    ),
    notes=("Only `nn.DataParallel` needs it, where each GPU pads to the longest of its own part.",),
    more=LENGTHS,
    provoked_by=(f"{_PAD}({_PACK}(z(5, 2, 3), [5, 4]), total_length=3)",),
)

_SIDE = Entry(
    mistake="padding-side",
    wordings=(Wording("Expected padding_side to be one of left or right, but got {got}.", ""),),
    meaning='`padding_side` is "left" or "right", not "{got}".',
    causes=(
        Cause(
            why="Padding stands after the steps of a sequence, or before them.",
            fix='x = pad_sequence(sequences, padding_side="right")',
        ),
    ),
    notes=("`pack_padded_sequence` expects the padding on the right, after the steps.",),
    provoked_by=(f"{_PAD_SEQUENCE}([z(2)], padding_side='up')",),
)

_NOT_ITERABLE = Entry(
    mistake="pad-sequence-type",
    wordings=(
        Wording(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: <class"
            " {given:name}>",
            "1.10 on",
        ),
        Wording("pad_sequence: Expected iterable for input sequences, but got arg of type:", ""),
    ),
    meaning="`pad_sequence` takes a list of tensors, one for each sequence.",
    causes=(
        Cause(
            why="It was given one thing that is not a list.",
            fix="x = pad_sequence([torch.as_tensor(sequence) for sequence in batch],"
            " batch_first=True)",
        ),
    ),
    provoked_by=(f"{_PAD_SEQUENCE}(3)",),
)


def _pads_nothing(clues: Clues) -> Numbers | None:
    """A list index out of range is this mistake where `pad_sequence` raised it."""
    if clues.mentions("list index out of range"):
        return {} if clues.mentions("pad_sequence") else None
    return {}


_NO_SEQUENCES = Entry(
    mistake="pad-sequence-empty",
    wordings=(
        Wording("received an empty list of sequences", "1.8 on"),
        Wording("list index out of range", "0.4 to 1.7"),
    ),
    read=_pads_nothing,
    meaning="The list of sequences to pad or to pack is empty.",
    causes=(
        Cause(
            why="A filter in the `collate_fn` kept nothing of this batch.",
            tell="`print(len(batch), len(sequences))` shows where they are lost.",
            fix="if not sequences:\n    return None  # and skip None in the loop over the batches",
        ),
        Cause(
            why="The list is a generator or a map that was read before: the second reading finds"
            " nothing.",
            tell="`print(type(sequences))` shows a generator or a map.",
            fix="sequences = list(sequences)",
        ),
    ),
    provoked_by=(f"{_PAD_SEQUENCE}([])", f"{_PACK_SEQUENCE}([])"),
)


_SIZES_DEVICE = Entry(
    mistake="batch-sizes-device",
    wordings=(
        Wording("batch_sizes should always be on CPU", "1.2 on"),
        Wording("batch_sizes tensor should be on CPU", ""),
    ),
    meaning="The `batch_sizes` of a PackedSequence were moved to the GPU; only its data may be"
    " there.",
    causes=(
        Cause(
            why="Code that moves a batch took the PackedSequence for a tuple, and moved each of"
            " its fields: `DistributedDataParallel` with device_ids before torch 2.0,"
            " DataLoader wrappers, training libraries.",
            tell="The traceback shows `type(obj)(*...)` or a function that moves batches.",
            fix="packed = packed.to(device)  # moves what may be moved",
        ),
        Cause(
            why="A PackedSequence was made by hand from tensors on the GPU.",
            tell="`PackedSequence(` stands in your code.",
            fix="packed = packed._replace(data=data)  # new data with the same batch_sizes",
        ),
        Cause(
            why="The model packs what it is given; then give it a padded tensor and the lengths.",
            fix="packed = pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False)"
            "  # in forward",
        ),
    ),
    more=LENGTHS,
    provoked_by=(
        "torch.nn.utils.rnn.PackedSequence(z(9, 3), torch.tensor([2, 2, 2, 2, 1], device='meta'))",
    ),
)

_BY_HAND = Entry(
    mistake="packed-by-hand",
    wordings=(
        Wording("Expected data to be a list or tuple of length 2", ""),
        Wording("batch_sizes can not be empty", ""),
        Wording("batch_sizes tensor should be 1D", ""),
    ),
    meaning="A PackedSequence was made by hand, and without valid `batch_sizes`.",
    causes=(
        Cause(
            why="Only functions make a PackedSequence that holds together.",
            fix="packed = pack_padded_sequence(x, lengths, enforce_sorted=False)",
        ),
        Cause(
            why="A layer between two recurrent ones gave new data for a pack.",
            tell="`PackedSequence(` stands in your code.",
            fix="packed = packed._replace(data=nn.functional.relu(packed.data))",
        ),
    ),
    more=LENGTHS,
    provoked_by=("torch.nn.utils.rnn.PackedSequence((z(1), z(1), z(1)))",),
)

_SINCE: Final = {
    ("pack_padded_sequence", "enforce_sorted"): "torch 1.1",
    ("pack_sequence", "enforce_sorted"): "torch 1.1",
    ("pad_packed_sequence", "total_length"): "torch 0.4.1",
    ("pad_sequence", "padding_side"): "torch 2.5",
}
_TAKES: Final = {
    "pack_padded_sequence": "(input, lengths, batch_first=False, enforce_sorted=True)",
    "pad_packed_sequence": "(sequence, batch_first=False, padding_value=0.0, total_length=None)",
    "pad_sequence": '(sequences, batch_first=False, padding_value=0.0, padding_side="right")',
    "pack_sequence": "(sequences, enforce_sorted=True)",
    "unpad_sequence": "(padded_sequences, lengths, batch_first=False)",
    "unpack_sequence": "(packed_sequences)",
}


def _keyword(clues: Clues) -> Numbers | None:
    name, keyword = clues["function"].rpartition(".")[2], clues["keyword"]
    if name not in _TAKES:
        return None
    since = _SINCE.get((name, keyword))
    note = (
        "`pack_sequence` needs no batch_first: a list of sequences has no batch axis."
        if (name, keyword) == ("pack_sequence", "batch_first")
        else ""
    )
    return {"name": name, "takes": _TAKES[name], "since": since, "note": note}


_KEYWORD = Entry(
    mistake="packing-keyword",
    wordings=(
        Wording("{function:name}() got an unexpected keyword argument '{keyword:word}'", ""),
    ),
    read=_keyword,
    meaning="`{name}` has no argument `{keyword}` in your version of torch.",
    causes=(
        Cause(
            why="The argument `{keyword}` came with {since}; your torch is older.",
            tell="`print(torch.__version__)` shows it.",
            fix="# in a shell: pip install --upgrade torch",
            when=holds("since"),
            certain=holds("since"),
        ),
        Cause(
            why="A name is misspelled, or belongs to another function of `torch.nn.utils.rnn`.",
            fix="# {name}{takes}",
        ),
    ),
    notes=("{note}",),
    provoked_by=(f"{_PACK_SEQUENCE}([z(3, 3)], batch_first=True)",),
)

_PERMUTATION = Entry(
    mistake="apply-permutation",
    wordings=(
        Wording("apply_permutation is deprecated, please use tensor.index_select", "1.2 on"),
    ),
    meaning="`apply_permutation` of torch's rnn module will be removed; it is one call of"
    " `index_select`.",
    causes=(
        Cause(
            why="Your code, or a library, calls it to sort states like a PackedSequence.",
            tell="The warning names the file.",
            fix="h_n = h_n.index_select(1, permutation)",
        ),
    ),
    provoked_by=("torch.nn.modules.rnn.apply_permutation(z(2, 2), torch.tensor([0, 1]))",),
)

_TRACED = Entry(
    mistake="traced-lengths",
    wordings=(
        Wording(
            "pack_padded_sequence has been called with a Python list of sequence lengths", "1.0 on"
        ),
    ),
    meaning="The lengths are a list while the model is traced, so they become constants: the traced"
    " model uses the lengths of the example for every input.",
    causes=(
        Cause(
            why="`torch.jit.trace`, or the exporter to ONNX, follows tensors, not lists.",
            fix="packed = pack_padded_sequence(x, torch.as_tensor(lengths), enforce_sorted=False)"
            "  # and make lengths an input of the model",
        ),
    ),
    notes=("Scripting keeps what tracing freezes: `torch.jit.script(model)`.",),
    source="torch/nn/utils/rnn.py, while tracing",
)

ENTRIES: Final = (
    *(_UNSORTED, _ZERO, _FORM, _COUNT, _EMPTY, _TOO_LONG, _TOTAL, _SIDE, _NOT_ITERABLE),
    *(_NO_SEQUENCES, _SIZES_DEVICE, _BY_HAND, _KEYWORD, _PERMUTATION, _TRACED),
)
