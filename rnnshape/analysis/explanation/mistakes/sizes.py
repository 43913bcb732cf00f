"""Sizes that do not fit: sums, cat, stack, view, permute, indices, and other layers' inputs."""

from __future__ import annotations

from math import prod
from typing import Any, Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.conditions import both, equals, mentions, twice, unless
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers, compared
from rnnshape.analysis.explanation.multiples import multiple
from rnnshape.analysis.explanation.wording import Wording

_PLACES: Final = {
    "recurrent": r"_VF\.(?:lstm|gru|rnn)|[/\\](?:modules|_functions)[/\\]rnn\b",
    "padding": r"\bpad_sequence\b|[/\\]utils[/\\]rnn\b",
    "other": r"[/\\]modules[/\\](?!rnn\b|module\b)\w+",
}
# Of smaller sizes one is often three times the other by chance.
_LEAST_HIDDEN: Final = 16


# Sums and other elementwise operations


def _sum(clues: Clues) -> dict[str, Any]:
    numbers = multiple(clues["a"], clues["b"])
    large = numbers["large"]
    gates = [f"{n} x {large // n}" for n in (3, 4) if large % n == 0]
    return {**numbers, "gates": " or ".join(gates)}


def _in_recurrent(clues: Clues) -> bool:
    return clues.innermost(_PLACES) == "recurrent"


def _in_layer(clues: Clues) -> Numbers | None:
    """The layer adds only gates of the state to those of the input."""
    return _sum(clues) if _in_recurrent(clues) else None


def _in_padding(clues: Clues) -> Numbers | None:
    return _sum(clues) if clues.innermost(_PLACES) == "padding" else None


_by_loss: Final = mentions("mse_loss", "l1_loss", "mseloss", "l1loss", "loss.py", "criterion(")
_twice: Final = equals("times", 2)


def _gates(clues: Clues) -> bool:
    """Whether one is 3/2 of the other, as 3 gates are of 2; or 3 or 4 times the other."""
    small, large = clues["small"], clues["large"]
    return clues["times"] in (3, 4) or 2 * large == 3 * small


def _early_axis(clues: Clues) -> bool:
    """Whether the axis may be that of the batch or of the sequence."""
    return bool(clues["dim"] < 2) and not _gates_in_code(clues)


def _last_axis(clues: Clues) -> bool:
    return bool(clues["dim"] > 0)


def _custom(clues: Clues) -> bool:
    """Whether the sizes may be gates; those of small numbers are so by chance."""
    return bool(_gates(clues) and clues["dim"] > 0 and clues["small"] >= _LEAST_HIDDEN)


_gates_in_code: Final = both(_custom, mentions("gate", "chunk", "weight_hh", "weight_ih"))


_A_AND_B: Final = (
    Wording(
        "The size of tensor a ({a:int}) must match the size of tensor b ({b:int}) at non-singleton"
        " dimension {dim:int}",
        "0.2 on",
    ),
)

_STATE_SUM = Entry(
    mistake="state-size-unchecked",
    wordings=_A_AND_B,
    read=_in_layer,
    meaning="Inside {layer} the state has size {a} where the input has {b}.",
    causes=(
        Cause(
            why="The initial state has batch {a}, but the input, a PackedSequence, has batch {b}.",
            tell="`print(h_0.shape, packed.batch_sizes[0])` shows {a} in the middle, and {b}.",
            fix="output, state = layer(packed)  # no state, or one made for batch {b}",
        ),
    ),
    notes=("From torch 2.2 on an LSTM does not check the state beside a PackedSequence.",),
    provoked_by=(
        (
            "nn.LSTM(3, 4)(nn.utils.rnn.pack_padded_sequence(z(5, 2, 3), [5, 4]),"
            " (z(1, 9, 4), z(1, 9, 4)))"
        ),
    ),
)

_PADDED_SUM = Entry(
    mistake="pad-features",
    wordings=_A_AND_B,
    read=_in_padding,
    meaning="`pad_sequence` takes sequences that differ in their first dimension only, but these"
    " have {a} and {b} in dimension {dim}.",
    causes=(
        Cause(
            why="The sequences are (features, seq), or not all have the same features.",
            tell="`print([s.shape for s in sequences])`: all must be (seq, features).",
            fix="padded = pad_sequence([s.t() for s in sequences], batch_first=True)",
        ),
    ),
    provoked_by=("nn.utils.rnn.pad_sequence([z(5, 3), z(4, 2)])",),
)

_SUM = Entry(
    mistake="sizes-differ",
    wordings=_A_AND_B,
    read=_sum,
    meaning="An operation such as + pairs the tensors size by size, but in dimension {dim} one has"
    " {a} and the other {b}.",
    compare=compared("dimension {dim}", "a", "b", labels=("tensor a", "tensor b")),
    causes=(
        Cause(
            why="The target has a dimension less than the output, or more, so that a loss pairs"
            " other axes.",
            tell="`print(output.shape, target.shape)`: both must be the same.",
            fix="loss = criterion(output.squeeze(-1), target)  # or target.unsqueeze(-1)",
            when=_by_loss,
            likely=_by_loss,
        ),
        Cause(
            why="{often}this is a hand-written cell: one side has all gates side by side, {large}"
            " = {gates}, and the other, {small}, has fewer of them: a GRU has 3 x hidden_size, an"
            " LSTM 4.",
            tell="`print(a.shape, b.shape)` of the products of x and h just before they are added.",
            fix="r, z, n = gates.chunk(3, dim=-1)  # GRU; i, f, g, o = gates.chunk(4, dim=-1):"
            " LSTM",
            when=_custom,
            likely=_gates_in_code,
        ),
        Cause(
            why="{often}the layer is bidirectional: its output has 2 x {small} = {large} features,"
            " the other tensor {small}.",
            tell="`print(layer)` shows bidirectional=True.",
            fix="output = output[..., :{small}] + output[..., {small}:]  # sum of both directions\n"
            "nn.Linear({large}, {small})(output)  # or project it",
            when=both(_twice, _last_axis),
            likely=equals("dim", 2),
        ),
        Cause(
            why="{often}a batch axis met a sequence axis: h_n is (layer*dir, batch, hidden), with"
            " or without batch_first, and the output is (batch, seq, hidden) or (seq, batch,"
            " hidden). Here one is {a}, the other {b}.",
            tell="`print(h_n.shape, output.shape)` tells which of {a} and {b} is the batch.",
            fix="energy = h_n[-1].unsqueeze(1) + output  # (batch, 1, hidden), batch first\n"
            "energy = h_n[-1].unsqueeze(0) + output  # (1, batch, hidden), otherwise",
            when=_early_axis,
        ),
        Cause(
            why="{often}the padded output is shorter than the mask or the target:"
            " pad_packed_sequence pads to the longest sequence of this batch, not of all.",
            tell="`print(output.shape, mask.shape)` shows {small} and {large} steps.",
            fix="output, _ = pad_packed_sequence(packed, batch_first=True, total_length={large})",
            when=both(_early_axis, unless(_by_loss)),
            likely=mentions("mask"),
        ),
        Cause(
            why="The last batch of the data is smaller, and a state, a mask or a buffer was made"
            " for {large} sequences.",
            tell="It fails in the last batch of an epoch only.",
            fix="DataLoader(..., drop_last=True)  # or make the other tensor from x.size(...)",
            when=lambda clues: clues["dim"] < 2 and not _by_loss(clues),
            likely=equals("dim", 0),
        ),
        Cause(
            why="The features differ: {a} and {b} are two hidden sizes, or a hidden size and an"
            " embedding size.",
            tell="`print(a.shape, b.shape)` just before the line that fails shows them.",
            fix="b = nn.Linear({b}, {a})(b)  # or build both layers with the same size",
            when=lambda clues: clues["dim"] >= 2,
        ),
    ),
    provoked_by=("z(1, 3, 4) + z(3, 5, 4)", "z(2, 3) + z(2, 5)"),
)

_BROADCAST_IN_PLACE = Entry(
    mistake="in-place-shape",
    wordings=(
        Wording(
            "output with shape {got:shape} doesn't match the broadcast shape {expected:shape}",
            "0.4 on",
        ),
    ),
    meaning="An operation in place would turn shape {got} into {expected}, which it cannot.",
    causes=(
        Cause(
            why="{often}a state or a mask lacks a dimension, or batch and sequence are in"
            " different orders.",
            tell="`print(a.shape, b.shape)` just before the line that fails shows them.",
            fix="a = a + b  # not in place: a then has shape {expected}",
        ),
        Cause(
            why="One of the two has a dimension of size 1 too many, such as (batch, 1) beside"
            " (batch,).",
            fix="b = b.squeeze(-1)",
        ),
    ),
    provoked_by=("z(2, 1).add_(z(2, 5))",),
)

_INCONSISTENT = Entry(
    mistake="sizes-differ-old",
    wordings=(
        Wording("inconsistent tensor sizes at", "0.1"),
        Wording("inconsistent tensor size at", "0.1"),
        Wording("sizes do not match at", "0.1"),
        Wording("inconsistent tensor size, expected", "0.1 to 0.2"),
    ),
    read=lambda clues: (
        {} if clues.mentions("torch/lib", "torch\\lib", "/th", "thc", "torch") else None
    ),
    meaning="Two tensors have different shapes; this version of PyTorch does not say which.",
    causes=(
        Cause(
            why="{often}a batch axis met a sequence axis: h_n is (layer*dir, batch, hidden), the"
            " output (seq, batch, hidden), or (batch, seq, hidden) with batch_first=True.",
            tell="`print(a.size(), b.size())` just before the line that fails shows them.",
            fix="output = output.transpose(0, 1)  # swaps batch and sequence",
        ),
        Cause(
            why="The initial state does not have the batch of the input, as with batch_first=True"
            " or without it, or has another hidden_size.",
            tell="`print(x.size(), h_0.size())`: the state is (layer*dir, batch, hidden_size).",
            fix="output, state = layer(x)  # no state: zeros of the right shape",
            when=_in_recurrent,
            likely=_in_recurrent,
        ),
        Cause(
            why="The last batch of the data is smaller.",
            tell="It fails in the last batch of an epoch only.",
            fix="DataLoader(..., drop_last=True)",
        ),
        Cause(
            why="A bidirectional layer has 2 * hidden_size features.",
            fix="nn.Linear(2 * hidden_size, hidden_size)(output)",
        ),
    ),
    source="torch/lib/TH/generic/THTensorMath.c of torch 0.1",
)


# expand, copies and assignments


_EXPAND = Entry(
    mistake="expand-size",
    wordings=(
        Wording(
            "The expanded size of the tensor ({wanted:int}) must match the existing size"
            " ({got:int}) at non-singleton dimension {dim:int}",
            "0.3 on",
        ),
    ),
    read=lambda clues: multiple(clues["wanted"], clues["got"]),
    meaning="A tensor of size {got} in dimension {dim} was expanded or assigned to a place of size"
    " {wanted}: only a size of 1 can be expanded.",
    compare=compared("dimension {dim}", "wanted", "got"),
    causes=(
        Cause(
            why="{often}an output or a state is copied into a buffer, as in `outputs[t] = output`:"
            " the buffer was made for size {wanted}, such as another batch or hidden_size, and"
            " gets {got}.",
            tell="`print(outputs.shape, output.shape)` just before the line that fails shows them.",
            fix="outputs = []  # then outputs.append(output) and torch.stack(outputs)",
        ),
        Cause(
            why="A bidirectional layer gives 2 x {small} = {large} features.",
            tell="`print(layer)` shows bidirectional=True.",
            fix="torch.zeros(seq, batch, {large})  # 2 * hidden_size",
            when=_twice,
            likely=_twice,
        ),
        Cause(
            why="The last batch of the data is smaller, or the last chunk of a text or a series"
            " shorter, or the state was expanded for another batch.",
            tell="It fails at the end of the data only; `print(x.shape)` shows {got} or {wanted}.",
            fix="h_0 = h_0.expand(-1, x.size(1), -1).contiguous()  # x.size(0) if batch_first=True",
        ),
        Cause(
            why="Pretrained vectors of {got} features were copied into a weight of {wanted}.",
            tell="`print(vectors.shape)` ends in {got}.",
            fix="nn.Embedding.from_pretrained(vectors)  # takes their size",
            when=mentions("embed", "vector", "glove", "word2vec"),
            likely=mentions("embed", "glove", "word2vec"),
        ),
    ),
    provoked_by=(
        "z(4).expand(2, 5)",
        "z(2, 5).__setitem__(0, z(3))",
        "torch.addmm(z(3, 6), z(3, 4), z(4, 5))",
    ),
)

_EXPAND_DIMENSIONS = Entry(
    mistake="expand-dimensions",
    wordings=(
        Wording(
            "size={size:shape}): the number of sizes provided ({wanted:int}) must be greater or"
            " equal to the number of dimensions in the tensor ({dims:int})",
            "0.3 on",
        ),
        Wording(
            "the number of sizes provided must be greater or equal to the number of dimensions",
            "0.1 to 0.2",
        ),
    ),
    read=lambda clues: {"dims": "more", "wanted": "fewer", **clues.numbers},
    meaning="A tensor of {dims} dimensions was expanded or assigned to a place of {wanted}.",
    causes=(
        Cause(
            why="{often}a state has its axis of layers, (layer*dir, batch, hidden), or an output"
            " its axis of 1 step, where (batch, hidden) is wanted.",
            tell="`print(h_n.shape, output.shape)` just before the line that fails shows them.",
            fix="outputs[t] = output.squeeze(0)  # or h_n[-1], the last layer",
        ),
    ),
    provoked_by=("z(2, 3, 4).expand(2, 3)", "z(5).__setitem__(0, z(3))"),
)

_ASSIGN = Entry(
    mistake="assigned-shape",
    wordings=(
        Wording(
            "shape mismatch: value tensor of shape {got:shape} cannot be broadcast to indexing"
            " result of shape {expected:shape}",
            "0.4 on",
        ),
        Wording(
            "The shape of the mask {got:shape} at index {at:int} does not match the shape of the"
            " indexed tensor {expected:shape} at index {other:int}",
            "0.4 on",
        ),
        Wording(
            "shape mismatch: indexing tensors could not be broadcast together with shapes"
            " {expected:shape}, {got:shape}",
            "0.4 on",
        ),
    ),
    meaning="Shapes {got} and {expected} meet in an index or an assignment, and do not fit.",
    causes=(
        Cause(
            why="{often}the code takes the last step of each sequence: the index of the batch and"
            " that of the step must both have one entry for each sequence.",
            tell="`print(lengths.shape, output.shape)` just before the line that fails shows them.",
            fix="last = output[torch.arange(output.size(0)), lengths - 1]  # batch first",
        ),
        Cause(
            why="A mask or a buffer was made for another batch or another number of steps, such as"
            " before padding or for the last, smaller batch.",
            tell="`print(mask.shape, output.shape)`: both must begin alike.",
            fix="mask = torch.arange(output.size(1))[None, :] < lengths[:, None]  # (batch, seq)",
        ),
    ),
    provoked_by=(
        "z(2, 5).__setitem__(torch.tensor([0, 1]), z(3, 3))",
        "z(5)[z(4) > 0]",
        "z(5, 5)[torch.tensor([0, 1]), torch.tensor([0, 1, 2])]",
    ),
)


# cat and stack


def _cat(clues: Clues) -> dict[str, Any]:
    at = clues.get("at")
    where = "another dimension" if at is None else f"dimension {at}"
    return {**multiple(clues["expected"], clues["got"]), "where": where}


# More layers x directions than this are rare: then it is a batch or the steps.
_MOST_LAYERS: Final = 8


def _may_be_layers(clues: Clues) -> bool:
    return bool(clues["small"] == 1 and clues["large"] <= _MOST_LAYERS)


_CAT = Entry(
    mistake="cat-sizes",
    wordings=(
        Wording(
            "Sizes of tensors must match except in dimension {dim:int}. Expected size"
            " {expected:int} but got size {got:int} for tensor number {number:int} in the list",
            "1.9 on",
        ),
        Wording(
            "Sizes of tensors must match except in dimension {dim:int}. Expected {expected:int} but"
            " got {got:int} for tensor number {number:int} in the list",
            "1.9",
        ),
        Wording(
            "Sizes of tensors must match except in dimension {dim:int}. Got {expected:int} and"
            " {got:int} in dimension {at:int}",
            "0.2 to 1.8",
        ),
        Wording(
            "Sizes of tensors must match except in dimension {dim:int}. Got {expected:int} and"
            " {got:int}",
            "1.8",
        ),
    ),
    read=_cat,
    meaning="`torch.cat` along dimension {dim} needs tensors that are equal elsewhere, but in"
    " {where} they have {expected} and {got}.",
    compare=compared("{where}", labels=("first tensor", "the other")),
    causes=(
        Cause(
            why="{often}a state of several layers or directions is joined to one step: h_n is"
            " (layer*dir, batch, hidden), so its first size is {large}, not 1.",
            tell="`print(embedded.shape, h_n.shape)` shows 1 and {large} at the beginning.",
            fix="torch.cat((embedded, h_n[-1:]), dim={dim})  # the last layer only",
            when=_may_be_layers,
            likely=_may_be_layers,
        ),
        Cause(
            why="{often}one tensor is batch first and the other is not: {expected} and {got} are"
            " the batch and the steps.",
            tell="`print(a.shape, b.shape)` just before the line that fails shows them.",
            fix="b = b.transpose(0, 1)  # h_n: h_n[-1].unsqueeze(1) for (batch, 1, hidden)",
        ),
        Cause(
            why="A tensor of one step is joined to one of {large} steps: repeat it, or take one"
            " step.",
            tell="`print(a.shape, b.shape)` shows 1 and {large} steps.",
            fix="b = b.expand(-1, {large}, -1)  # (batch, {large}, features), batch first",
            when=equals("small", 1),
        ),
        Cause(
            why="The sequences have different lengths, and were not padded.",
            tell="`print([s.shape for s in sequences])` shows {expected} and {got} steps.",
            fix="torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True)",
            when=unless(equals("small", 1)),
        ),
        Cause(
            why="The last batch of the data is smaller, and a state was kept for {large}"
            " sequences.",
            tell="It fails in the last batch of an epoch only.",
            fix="DataLoader(..., drop_last=True)",
            when=unless(equals("small", 1)),
        ),
    ),
    provoked_by=("torch.cat((z(1, 2, 3), z(2, 2, 4)), 2)",),
)

_CAT_DIMENSIONS = Entry(
    mistake="cat-dimensions",
    wordings=(
        Wording(
            "Tensors must have same number of dimensions: got {expected:int} and {got:int}",
            "0.2 on",
        ),
    ),
    meaning="`torch.cat` needs tensors with equally many dimensions, but got {expected} and {got}.",
    causes=(
        Cause(
            why="{often}a state or a single step is joined to a sequence: `h_n[-1]` is (batch,"
            " hidden), the output 3-D.",
            tell="`print(output.shape, h_n[-1].shape)` shows {expected} and {got} sizes, or the"
            " other way round.",
            fix="torch.cat((output, h_n[-1].unsqueeze(1)), dim=1)  # batch first; unsqueeze(0), 0"
            " otherwise",
        ),
        Cause(
            why="One tensor lost a dimension of size 1 to `squeeze()`, such as a batch of 1"
            " sequence.",
            tell="The code calls `squeeze()` without a dimension.",
            fix="x = x.squeeze(1)  # name the dimension",
        ),
    ),
    provoked_by=("torch.cat((z(1, 2, 3), z(2, 4)), 1)",),
)

_EMPTY = Entry(
    mistake="no-tensors",
    wordings=(
        Wording("stack expects a non-empty TensorList", "1.0 on"),
        Wording("expected a non-empty list of Tensors", "0.2 on"),
    ),
    meaning="`torch.stack` or `torch.cat` got an empty list: there were 0 steps or 0 sequences.",
    causes=(
        Cause(
            why="{often}a sequence has length 0: up to torch 1.7 a recurrent layer says this where"
            " the input has 0 steps.",
            tell="`print(x.shape)` shows 0 for the steps.",
            fix="x = x if x.size(0) else x.new_zeros(1, *x.shape[1:])  # or leave such samples out",
        ),
        Cause(
            why="The loop that fills the list did not run: its range is empty.",
            tell="`print(len(outputs))` just before the line that fails shows 0.",
            fix="outputs = [step(x_t) for x_t in x.unbind(0)]  # over steps that exist",
        ),
        Cause(
            why="A batch of the data is empty, after a filter or with too few samples.",
            tell="`print(len(batch), len(dataset))` shows 0.",
            fix="samples = [s for s in samples if len(s) > 0]  # before batches are made",
        ),
    ),
    provoked_by=("torch.stack([])", "torch.cat([])"),
)

_CAT_SCALARS = Entry(
    mistake="cat-scalars",
    wordings=(
        Wording("zero-dimensional tensor (at position {position:int}) cannot be concatenated", ""),
    ),
    meaning="`torch.cat` got a tensor without dimensions, a single number, at {position}.",
    causes=(
        Cause(
            why="{often}the losses or predictions of single steps were collected.",
            fix="torch.stack(values)  # a new dimension, for single numbers",
        ),
    ),
    provoked_by=("torch.cat((z(()), z(())))",),
)

_STACK = Entry(
    mistake="stack-sizes",
    wordings=(
        Wording(
            "stack expects each tensor to be equal size, but got {expected:shape} at entry"
            " {first:int} and {got:shape} at entry {number:int}",
            "1.5 on",
        ),
        Wording("each element in list of batch should be of equal size", "1.7 on"),
        Wording("Trying to resize storage that is not resizable", "1.13 on"),
        Wording("expected sequence of length {expected:int} at dim {at:int} (got {got:int})"),
    ),
    read=lambda clues: {
        "both": "different lengths"
        if clues.get("got") is None
        else f"{clues['expected']} and {clues['got']}",
    },
    meaning="Samples of different sizes, {both}, cannot be stacked into one batch.",
    causes=(
        Cause(
            why="{often}the sequences have different lengths: DataLoader stacks samples as they"
            " are.",
            tell="`print([len(s) for s, _ in samples])` shows different lengths.",
            fix="def collate(samples):\n"
            "    xs, ys = zip(*samples)\n"
            "    x = torch.nn.utils.rnn.pad_sequence(xs, batch_first=True)\n"
            "    return x, torch.tensor([len(s) for s in xs]), torch.stack(ys)\n"
            "DataLoader(dataset, batch_size=32, collate_fn=collate)",
        ),
        Cause(
            why="The last window of a series is shorter than the others.",
            tell="It fails at the end of the data only.",
            fix="windows = series.unfold(0, seq_len, 1)  # windows of one length, no rest",
        ),
    ),
    notes=("Then pack_padded_sequence keeps the padding out of the layer.",),
    provoked_by=(
        "torch.stack([z(3, 4), z(2, 4)])",
        "torch.utils.data.default_collate([[1, 2], [1]])",
        "torch.tensor([[1, 2], [3]])",
    ),
)

_NOT_A_LIST = Entry(
    mistake="stack-of-tensor",
    wordings=(
        Wording(
            "{call:word}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor",
            "0.4 on",
        ),
    ),
    meaning="`torch.{call}` takes a list of tensors, but got one tensor.",
    causes=(
        Cause(
            why="{often}`h_n` or the output itself was passed: its parts are wanted.",
            tell="`print(h_n.shape)` shows (layer*dir, batch, hidden).",
            fix="torch.cat((h_n[-2], h_n[-1]), dim=-1)  # both directions of the last layer",
        ),
    ),
    provoked_by=("torch.cat(z(3))", "torch.stack(z(3, 4))"),
)


# view, permute, transpose


def _view(clues: Clues) -> dict[str, Any]:
    shape, size = clues["shape"], clues["size"]
    wanted = prod(each for each in shape if each != -1)
    inferred = -1 in shape
    numbers: dict[str, Any] = {"wanted": wanted}
    numbers["times"] = 0 if inferred else multiple(wanted, size)["times"]
    product = " x ".join(map(str, shape)) or "1"
    numbers["needs"] = f"a multiple of {wanted}" if inferred else f"{product} = {wanted}"
    numbers["more_or_less"] = "more" if wanted > size else "less"
    return numbers


def _layers(clues: Clues) -> bool:
    """Whether a small factor, such as that of layers and directions, is one too many or too few."""
    return bool(2 <= clues["times"] <= 8)


_VIEW = Entry(
    mistake="view-size",
    wordings=(
        Wording("shape '{shape:shape}' is invalid for input of size {size:int}", "0.4.1 on"),
        Wording("size '{shape:shape}' is invalid for input with {size:int} elements", "0.4"),
        Wording(
            "size '{shape:shape}' is invalid for input of with {size:int} elements", "0.2, 0.3"
        ),
    ),
    read=_view,
    meaning="`view` or `reshape` into {shape} needs {needs}, but there are {size} elements.",
    causes=(
        Cause(
            why="{often}the layers or directions of `h_n`, or the features of both directions, are"
            " counted wrongly: the `view` has {times} times {more_or_less} than the tensor.",
            tell="`print(h_n.shape)` shows (num_layers * directions, batch, hidden), the output"
            " ends in directions * hidden_size.",
            fix="directions = 2 if layer.bidirectional else 1\n"
            "h_n = h_n.view(num_layers, directions, -1, layer.hidden_size)",
            when=_layers,
            likely=_layers,
        ),
        Cause(
            why="The last batch of the data is smaller than the batch size in the `view`.",
            tell="It fails in the last batch of an epoch only.",
            fix="x = x.view(x.size(0), ...)  # the real batch; or DataLoader(..., drop_last=True)",
        ),
        Cause(
            why="Another size in the `view` is not that of the data: the steps, the features, or"
            " hidden_size without the factor 2 of a bidirectional layer.",
            tell="`print(x.shape)` just before the line that fails: its sizes multiply to {size}.",
            fix="x = x.reshape(x.size(0), -1)  # let PyTorch compute the last one",
        ),
    ),
    provoked_by=("z(2, 3, 5).view(2, 2, 3, 5)", "z(5, 2).view(-1, 3)"),
)

_VIEW_STRIDE = Entry(
    mistake="view-stride",
    wordings=(
        Wording("view size is not compatible with input tensor's size and stride", "0.4 on"),
        Wording("input is not contiguous at", "0.1 to 0.3"),
    ),
    meaning="The tensor is not contiguous: `view` cannot read its elements in the order it needs.",
    causes=(
        Cause(
            why="{often}the tensor comes from `transpose` or `permute`, or is the output of a"
            " layer with batch_first=True, which is a transposed tensor.",
            tell="`print(output.is_contiguous())` shows False.",
            fix="output.reshape(output.size(0), -1)  # or output.contiguous().view(...)",
        ),
        Cause(
            why="`view` was used in place of `transpose`: it does not swap batch and sequence, it"
            " mixes them.",
            tell="The code swaps sizes by `view`.",
            fix="x = x.transpose(0, 1)  # (seq, batch, ...) becomes (batch, seq, ...)",
        ),
    ),
    provoked_by=("nn.GRU(3, 4)(z(5, 2, 3))[0].transpose(0, 1).view(2, -1)",),
)

_EMPTY_VIEW = Entry(
    mistake="view-empty",
    wordings=(
        Wording(
            "cannot reshape tensor of 0 elements into shape {shape:shape} because the unspecified"
            " dimension size -1 can be any value",
            "0.4.1 on",
        ),
    ),
    meaning="A tensor without elements cannot be reshaped to {shape}: -1 could be any size.",
    causes=(
        Cause(
            why="{often}the batch is empty, or a sequence has 0 steps.",
            tell="`print(x.shape)` shows a 0.",
            fix="samples = [s for s in samples if len(s) > 0]  # before batches are made",
        ),
    ),
    provoked_by=("z(0, 2).view(0, -1)",),
)


def _dimensions(clues: Clues) -> Numbers | None:
    if clues.mentions("weight_hh", "weight_ih"):
        return None  # weights of a layer that were changed
    dims, given = clues.get("dims"), clues.get("given")
    if dims is None:
        return {"shown": ""}
    return {"shown": f", {dims}" if given is None else f": {given} instead of {dims}"}


_PERMUTE = Entry(
    mistake="permute-dimensions",
    wordings=(
        Wording("number of dims don't match in permute", "0.1 to 1.12"),
        Wording(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the"
            " length of the desired ordering of dimensions i.e. input.dim() = {dims:int} is not"
            " equal to len(dims) = {given:int}",
            "1.13 on",
        ),
        Wording("t() expects a tensor with <= 2 dimensions, but self is {dims:int}D", "1.0 on"),
        Wording("t() expects a 2D tensor, but self is {dims:int}D", "0.2 to 1.0"),
    ),
    read=_dimensions,
    meaning="`permute` or `t` was not given the number of dimensions that the tensor has{shown}.",
    causes=(
        Cause(
            why="{often}an input or output lacks its batch dimension: 2-D where {some_layer} with"
            " a batch has 3-D.",
            tell="`print(x.shape)` just before the line that fails shows it.",
            fix="x = x.unsqueeze(0)  # one sequence as a batch of 1, batch first",
        ),
        Cause(
            why="A dimension of size 1 was lost to `squeeze()`, or one step was taken before.",
            tell="The code calls `squeeze()` without a dimension, or indexes before it permutes.",
            fix="x = x.squeeze(1)  # name the dimension",
        ),
        Cause(
            why="The tensor has more dimensions than expected, and only two are to be swapped.",
            fix="x = x.transpose(0, 1)  # swaps two dimensions of any tensor",
        ),
    ),
    provoked_by=("z(5, 2).permute(1, 0, 2)", "z(5, 2, 3).t()"),
)


# Indices and dimensions

_TOO_MANY = Entry(
    mistake="too-many-indices",
    wordings=(
        Wording("too many indices for tensor of dimension {dims:int}", "0.4 on"),
        Wording(
            "trying to index {indices:int} dimensions of a {dims:int} dimensional tensor", "0.1"
        ),
    ),
    meaning="The tensor has {dims} dimensions, and more indices were given, such as `x[:, -1, :]`.",
    causes=(
        Cause(
            why="{often}the input of {some_layer} had no batch dimension: from torch 1.11 on a 2-D"
            " input is one unbatched sequence, and the output is 2-D too.",
            tell="`print(x.shape, output.shape)` shows 2 sizes.",
            fix="x = x.unsqueeze(0)  # (1, seq, features), batch first; unsqueeze(1) otherwise",
            when=equals("dims", 2),
        ),
        Cause(
            why="The last step was taken already, or the tensor is a state: `h_n[-1]` is (batch,"
            " hidden).",
            tell="The code indexes twice, or `squeeze()` removed a dimension of size 1.",
            fix="last = output[:, -1]  # once, on a 3-D output, batch first",
        ),
        Cause(
            why="A loss or another single number was indexed, as in torch before 0.4.",
            fix="loss.item()  # in place of loss.data[0]",
            when=equals("dims", 0),
            likely=equals("dims", 0),
        ),
    ),
    more="rnnshape {command} --unbatched --show shapes",
    provoked_by=("nn.LSTM(3, 4)(z(5, 3))[0][:, -1, :]",),
)


def _dim_range(clues: Clues) -> dict[str, Any]:
    dim = clues["dim"]
    return {"dims": abs(clues["lowest"]), "needed": dim + 1 if dim >= 0 else -dim}


_DIMENSION = Entry(
    mistake="dimension-range",
    wordings=(
        Wording(
            "Dimension out of range (expected to be in range of [{lowest:int}, {highest:int}], but"
            " got {dim:int})",
            "0.2 on",
        ),
        Wording("dimension {dim:int} out of range of {lowest:int}D tensor", "0.1 to 0.3"),
    ),
    read=_dim_range,
    meaning="Dimension {dim} of a {dims}-D tensor was requested: the tensor would have to be"
    " {needed}-D or more.",
    causes=(
        Cause(
            why="{often}a tensor lacks its batch or its sequence dimension, such as a 2-D input of"
            " {some_layer}, whose output is 2-D too.",
            tell="`print(x.shape)` just before the line that fails shows it.",
            fix="x = x.unsqueeze(0)  # a batch of 1 sequence, batch first",
        ),
        Cause(
            why="A dimension of size 1 was lost to `squeeze()`, such as in a last batch of 1"
            " sequence.",
            tell="The code calls `squeeze()` without a dimension.",
            fix="x = x.squeeze(-1)  # name the dimension",
        ),
        Cause(
            why="A loss got scores without a batch, (classes,), where it takes (batch, classes).",
            tell="`print(output.shape)` shows one size.",
            fix="loss = criterion(output.unsqueeze(0), target.view(1))",
            when=equals("dims", 1),
            likely=mentions("cross_entropy", "nll_loss"),
        ),
    ),
    provoked_by=("z(5, 2).transpose(1, 2)", "z(5).sum(1)", "torch.cat((z(1, 2), z(1, 2)), 2)"),
)


def _index(clues: Clues) -> Numbers | None:
    size, dim = clues["size"], clues.get("dim")
    if isinstance(size, tuple):
        if not -len(size) <= dim < len(size):
            return None
        size = size[dim]
    where = "the dimension" if dim is None else f"dimension {dim}"
    ends = (
        f"has size {size}, so the last index is {size - 1}" if size else "is empty: its size is 0"
    )
    return {"size": size, "last": size - 1, "dim": dim, "where": where, "ends": ends}


def _not_empty(clues: Clues) -> bool:
    return bool(clues["size"] > 0)


_INDEX = Entry(
    mistake="index-range",
    wordings=(
        Wording(
            "index {index:int} is out of bounds for dimension {dim:int} with size {size:int}",
            "0.4 on",
        ),
        Wording(
            "select(): index {index:int} out of range for tensor of size {size:shape} at dimension"
            " {dim:int}",
            "0.4 on",
        ),
        Wording(
            "index {index:int} is out of range for dimension {dim:int} (of size {size:int})", "0.1"
        ),
        Wording("INDICES element is out of DATA bounds, id={index:int} axis_dim={size:int}", "2.0"),
    ),
    read=_index,
    meaning="Index {index} is past the end: {where} {ends}.",
    causes=(
        Cause(
            why="{often}one tensor was given in place of the pair (h_0, c_0): an LSTM takes a"
            " tuple, and reads entry 1 of what it got as c_0.",
            tell="The line that fails calls the LSTM.",
            fix="output, state = layer(x, (h_0, c_0))",
            when=equals("index", 1),
            likely=both(equals("size", 1), equals("dim", 0)),
        ),
        Cause(
            why="{often}the batch and the sequence are in the other order, and a loop runs over"
            " more steps than there are: {where} has {size}.",
            tell="`print(x.shape)`: (batch, seq, features) only with batch_first=True.",
            fix="for x_t in x.unbind(1): ...  # every step, batch first; unbind(0) otherwise",
            when=lambda clues: _not_empty(clues) and clues["index"] >= 0,
        ),
        Cause(
            why="The tensor has no steps or no samples: an empty sample, or a slice that left"
            " nothing.",
            tell="`print(x.shape)` shows a 0.",
            fix="samples = [sample for sample in samples if len(sample) > 0]",
            when=equals("size", 0),
            likely=equals("size", 0),
        ),
        Cause(
            why="`lengths` count from 1: the last step of a sequence is lengths - 1, and none may"
            " be longer than the padded sequence.",
            tell="`print(lengths.max(), output.shape)` shows more than {last}.",
            fix="last = output[torch.arange(output.size(0)), lengths - 1]  # batch first",
            when=_not_empty,
        ),
        Cause(
            why="The layer has fewer layers or directions than the code reads from `h_n`: h_n[-2]"
            " and h_n[-1] are the two directions of a bidirectional layer only.",
            tell="`print(h_n.shape)` begins with num_layers * directions, {size}.",
            fix="last = h_n[-1]  # the last layer, whatever their number",
            when=both(_not_empty, equals("dim", 0)),
            likely=lambda clues: clues["index"] < 0 or clues.mentions("h_n[", "hidden["),
        ),
        Cause(
            why="A word or a class has no place: the vocabulary is larger than the {size} that the"
            " model was built for.",
            tell="`print(target.max())` shows {size} or more.",
            fix="nn.Linear(hidden_size, len(vocabulary))  # and nn.Embedding(len(vocabulary), ...)",
            when=both(_not_empty, unless(equals("dim", 0))),
        ),
    ),
    provoked_by=("z(3)[5]", "z(3, 4)[:, 5]", "z(3, 4).select(1, 5)"),
)

_SCALAR = Entry(
    mistake="scalar-index",
    wordings=(
        Wording("invalid index of a 0-dim tensor", "0.5 on"),
        Wording("slice() cannot be applied to a 0-dim tensor", "0.4 on"),
        Wording("iteration over a 0-d tensor", "0.4 on"),
        Wording("dimension specified as {dim:int} but tensor has no dimensions", "0.4 on"),
    ),
    meaning="A tensor without dimensions, a single number, was indexed or iterated over.",
    causes=(
        Cause(
            why="{often}the code is for torch 0.3, with `loss.data[0]` or `loss[0]`.",
            fix="loss.item()",
        ),
        Cause(
            why="`squeeze()` removed every dimension, such as of a batch of 1 sequence with 1"
            " output.",
            tell="The code calls `squeeze()` without a dimension.",
            fix="output = output.squeeze(-1)  # keeps the batch",
        ),
    ),
    provoked_by=("z(())[0]", "z(())[0:1]", "list(z(()))"),
)

_TO_SCALAR = Entry(
    mistake="not-one-number",
    wordings=(
        Wording("only one element tensors can be converted to Python scalars", "0.4 on"),
        Wording("only integer tensors of a single element can be converted to an index", "0.4 on"),
        Wording("a Tensor with {size:int} elements cannot be converted to Scalar", "1.12 on"),
    ),
    read=lambda clues: {"shown": clues.get("size") or "more than one"},
    meaning="A tensor with {shown} elements was taken as one number.",
    causes=(
        Cause(
            why="{often}this is the loss or the output of every step or sequence, where a mean is"
            " wanted.",
            tell="`print(loss.shape)` shows a size.",
            fix="loss.mean().item()  # or a loss with reduction='mean', the default",
        ),
        Cause(
            why="A list of tensors was given to `torch.tensor` or `torch.FloatTensor`, such as"
            " sequences or outputs of steps.",
            fix="torch.stack(tensors)  # pad_sequence(tensors) where the lengths differ",
        ),
    ),
    provoked_by=("int(z(3))", "z(3).item()", "torch.tensor([z(3), z(3)])"),
)

_TRUTH = Entry(
    mistake="truth-of-tensor",
    wordings=(
        Wording("bool value of Variable objects containing non-empty", "0.1 to 0.3"),
        Wording("bool value of Tensor with more than one value is ambiguous", "0.4 to 1.4"),
        Wording("Boolean value of Tensor with more than one value is ambiguous", "1.5 on"),
        Wording("Boolean value of Tensor with no values is ambiguous", "1.5 on"),
    ),
    meaning="A tensor of several values was asked whether it is true.",
    causes=(
        Cause(
            why="{often}the code has `if hidden:` or `hidden == None`, where a state may be"
            " missing.",
            tell="The line that fails has if, while, and, or, not, or assert.",
            fix="if hidden is None:",
        ),
        Cause(
            why="A loss was made and called in one: `nn.CrossEntropyLoss(output, target)`.",
            tell="The line that fails makes a loss.",
            fix="loss = nn.CrossEntropyLoss()(output, target)",
            likely=mentions("loss("),
        ),
        Cause(
            why="You want to know whether all, or any, of the values are true.",
            fix="if (lengths > 0).all():",
        ),
    ),
    provoked_by=("bool(z(3))", "bool(z(0))"),
)

_NARROW = Entry(
    mistake="slice-length",
    wordings=(
        Wording(
            "start ({start:int}) + length ({length:int}) exceeds dimension size ({size:int})",
            "0.4 on",
        ),
        Wording(
            "maximum size for tensor at dimension {dim:int} is {size:int} but size is {length:int}"
        ),
    ),
    read=lambda clues: {"from": clues.get("start") or 0},
    meaning="{length} entries, from entry {from} on, were requested from a dimension that has"
    " {size}.",
    causes=(
        Cause(
            why="{often}the batch and the sequence are in the other order, or a window or a length"
            " is longer than the sequence.",
            tell="`print(x.shape)` shows {size} where {length} are asked.",
            fix="x = x.transpose(0, 1)  # if {size} is the batch",
        ),
    ),
    provoked_by=("z(3).narrow(0, 1, 5)", "z(3).unfold(0, 5, 1)"),
)

_SPLIT = Entry(
    mistake="split-sizes",
    wordings=(
        Wording(
            "split_with_sizes expects split_sizes to sum exactly to {size:int} (input tensor's size"
            " at dimension {dim:int}), but got split_sizes={sizes:shape}",
            "0.4 on",
        ),
        Wording(
            "unflatten: Provided sizes {sizes:shape} don't multiply up to the size of dim {dim:int}"
            " ({size:int}) in the input tensor",
            "1.13 on",
        ),
    ),
    meaning="Sizes {sizes} do not make up dimension {dim}, which has {size}.",
    causes=(
        Cause(
            why="{often}the code splits gates or directions of another hidden_size, or the last"
            " batch is smaller.",
            tell="`print(x.shape)` shows {size} in dimension {dim}.",
            fix="parts = x.chunk(4, dim={dim})  # equal parts of whatever size",
        ),
    ),
    provoked_by=("z(3).split([1, 1])", "nn.Unflatten(1, (2, 3))(z(2, 5))"),
)

_GATHER = Entry(
    mistake="gather-shape",
    wordings=(
        Wording("Index tensor must have the same number of dimensions as", "1.5 on"),
        Wording("Index tensor must have same dimensions as", "0.2 to 1.4"),
        Wording(
            "Size does not match at dimension {at:int} expected index {got:shape} to be",
            "1.5 on",
        ),
    ),
    meaning="`gather` needs an index with as many dimensions as the output, and no larger.",
    causes=(
        Cause(
            why="{often}the code takes the last step of each sequence: `lengths` is (batch,), the"
            " output (batch, seq, hidden).",
            tell="`print(index.shape, output.shape)` just before the line that fails shows them.",
            fix="index = (lengths - 1).view(-1, 1, 1).expand(-1, 1, output.size(2))\n"
            "last = output.gather(1, index).squeeze(1)  # (batch, hidden), batch first",
        ),
    ),
    provoked_by=(
        "z(3, 5).gather(1, z(3, 2, 1).long())",
        "z(3, 5).gather(1, z(4, 2).long())",
    ),
)


# Layers beside the recurrent one


_BATCH_NORM = Entry(
    mistake="batch-norm-axis",
    wordings=(
        Wording("running_mean should contain {got:int} elements not {wanted:int}", "0.3 on"),
        Wording("weight should contain {got:int} elements not {wanted:int}", "0.3 on"),
    ),
    meaning="BatchNorm1d was made for {wanted} features, but dimension 1 of its input has {got}.",
    compare=compared("features", "wanted", "got", title="dimension 1"),
    causes=(
        Cause(
            why="{often}this is the output of {some_layer}: its features are last, but BatchNorm1d"
            " takes (batch, features, seq).",
            tell="`print(output.shape)` ends in {wanted} and has {got} in the middle.",
            fix="output = norm(output.transpose(1, 2)).transpose(1, 2)  # batch first\n"
            "output = norm(output.permute(1, 2, 0)).permute(2, 0, 1)  # sequence first",
        ),
        Cause(
            why="A bidirectional layer has 2 * hidden_size features.",
            fix="nn.BatchNorm1d({got})",
            when=twice("got", "wanted"),
            likely=twice("got", "wanted"),
        ),
        Cause(
            why="LayerNorm takes the features last, as the layer gives them.",
            fix="nn.LayerNorm({wanted})  # in place of nn.BatchNorm1d({wanted})",
        ),
    ),
    provoked_by=("nn.BatchNorm1d(4)(nn.LSTM(3, 4)(z(5, 2, 3))[0])",),
)


def _last_sizes(clues: Clues) -> Numbers | None:
    wanted, got = clues["wanted"], clues["got"]
    return {"expected": wanted[-1], "features": got[-1]} if wanted and got else None


_LAYER_NORM = Entry(
    mistake="layer-norm-features",
    wordings=(
        Wording(
            "Given normalized_shape={wanted:shape}, expected input with shape [*, {last}], but got"
            " input of size{got:shape}",
            "1.0 on",
        ),
    ),
    read=_last_sizes,
    meaning="LayerNorm was made for {wanted}, but its input is {got}, with {features} features.",
    causes=(
        Cause(
            why="The output of a bidirectional layer has 2 x {expected} = {features} features.",
            tell="`print(layer)` shows bidirectional=True.",
            fix="nn.LayerNorm({features})  # 2 * hidden_size",
            when=twice("features", "expected"),
        ),
        Cause(
            why="The features are not the last dimension, or their number is not hidden_size.",
            tell="`print(x.shape)` just before the line that fails shows it.",
            fix="nn.LayerNorm(x.size(-1))",
        ),
    ),
    provoked_by=("nn.LayerNorm(4)(z(5, 2, 8))",),
)

_CHANNELS = Entry(
    mistake="conv-channels",
    wordings=(
        Wording(
            "Given groups={groups:int}, weight of size {weight:shape}, expected input{shape:shape}"
            " to have {wanted:int} channels, but got {got:int} channels instead",
            "1.0 on",
        ),
        Wording(
            "Given groups={groups:int}, weight{weight:shape}, so expected input{shape:shape} to"
            " have {wanted:int} channels, but got {got:int} channels instead",
            "0.3 to 0.4",
        ),
    ),
    read=lambda clues: {} if len(clues["shape"]) <= 3 or clues.recurrent else None,
    meaning="The convolution was made for {wanted} channels, but dimension 1 of its input {shape}"
    " has {got}: it takes (batch, channels, seq).",
    causes=(
        Cause(
            why="{often}this is a sequence as {some_layer} gives or takes it, (batch, seq,"
            " features): the features are the channels.",
            tell="`print(x.shape)` shows {shape}.",
            fix="y = conv(x.transpose(1, 2)).transpose(1, 2)  # batch first\n"
            "y = conv(x.permute(1, 2, 0)).permute(2, 0, 1)  # sequence first",
        ),
        Cause(
            why="The convolution was made for other features than hidden_size, times 2 where the"
            " layer is bidirectional.",
            fix="nn.Conv1d({got}, ...)",
        ),
    ),
    provoked_by=("nn.Conv1d(4, 2, 1)(nn.LSTM(3, 4)(z(5, 2, 3))[0])",),
)

_CONV_DIMENSIONS = Entry(
    mistake="conv-dimensions",
    wordings=(
        Wording(
            "Expected {low:int}D (unbatched) or {high:int}D (batched) input to {call:word}, but got"
            " input of size: {shape:shape}",
            "1.11 on",
        ),
        Wording(
            "Expected {high:int}-dimensional input for {weight_dims:int}-dimensional weight"
            " {weight:shape}, but got {dims:int}-dimensional input of size {shape:shape} instead",
            "1.3 to 1.10",
        ),
        Wording("expected {low:int}D or {high:int}D input (got {dims:int}D input)", "0.2 on"),
        Wording("expected {high:int}D input (got {dims:int}D input)", "0.2 on"),
    ),
    read=lambda clues: {"dims": len(clues.get("shape") or ()), **clues.numbers},
    meaning="A layer that takes {high}-D input got {dims}-D.",
    causes=(
        Cause(
            why="{often}a tensor passes between a recurrent layer, which takes 3-D input, and a"
            " convolution or a BatchNorm, which take (batch, channels, seq) or (batch, channels,"
            " height, width).",
            tell="`print(x.shape)` just before the line that fails shows it.",
            fix="x = x.transpose(1, 2)  # (batch, seq, features) to (batch, channels, seq)\n"
            "x = x.flatten(2).transpose(1, 2)  # images (batch, channels, h, w) to sequences",
        ),
        Cause(
            why="A dimension is missing or was lost to `squeeze()`.",
            fix="x = x.unsqueeze(1)  # (batch, 1, ...)",
            when=lambda clues: clues["dims"] < clues["high"],
        ),
    ),
    provoked_by=(
        "nn.Conv1d(4, 2, 1)(z(5, 2, 4, 3))",
        "nn.BatchNorm1d(4)(z(5, 2, 4, 1))",
    ),
)

_ONE_VALUE = Entry(
    mistake="batch-norm-one",
    wordings=(
        Wording(
            "Expected more than 1 value per channel when training, got input size {shape:shape}",
            "0.4 on",
        ),
    ),
    meaning="BatchNorm in training needs more than one row, but its input is {shape}.",
    causes=(
        Cause(
            why="{often}the last batch has 1 sequence.",
            tell="It fails in the last batch of an epoch only.",
            fix="DataLoader(..., drop_last=True)",
        ),
        Cause(
            why="The model runs on single samples and is still in training mode.",
            fix="model.eval()",
        ),
    ),
    provoked_by=("nn.BatchNorm1d(4)(z(1, 4))",),
)


# Attention

_ATTENTION = Entry(
    mistake="attention-features",
    wordings=(
        Wording("was expecting embedding dimension of {wanted:int}, but got {got:int}", "1.9 on"),
    ),
    meaning="MultiheadAttention was made for embed_dim {wanted}, but the query has {got} features.",
    compare=compared("features", "wanted", "got", title="query"),
    causes=(
        Cause(
            why="{often}this is the output of a bidirectional layer, 2 * hidden_size features, or"
            " of a layer with another hidden_size.",
            tell="`print(output.shape)` ends in {got}.",
            fix="nn.MultiheadAttention({got}, num_heads, batch_first=True)",
        ),
    ),
    provoked_by=("nn.MultiheadAttention(8, 2)(z(5, 2, 4), z(5, 2, 4), z(5, 2, 4))",),
)

_ATTENTION_SHAPES = Entry(
    mistake="attention-shapes",
    wordings=(
        Wording("key shape {key:shape} does not match value shape {value:shape}", "1.9 on"),
        Wording("key's sequence and batch dims {key:shape} do not match value's {value:shape}"),
        Wording("Expected key_padded_mask.shape[0] to be {batch:int}, but got {got:int}", "2.0 on"),
        Wording("The shape of the {dims:int}D attn_mask is {got:shape}, but should be"),
        Wording("For batched (3-D) query, expected key and value to be 3-D but found"),
        Wording("For unbatched (2-D) query, expected key and value to be 2-D but found"),
        Wording("query should be unbatched 2D or batched 3D tensor but received {dims:int}-D"),
    ),
    meaning="MultiheadAttention got tensors of shapes that do not belong together: query, key and"
    " value are (seq, batch, features), with batch_first=True (batch, seq, features).",
    causes=(
        Cause(
            why="{often}the recurrent layer and the attention differ in batch_first, or the query"
            " is a state, which has no step: h_n[-1] is (batch, hidden).",
            tell="`print(query.shape, key.shape, value.shape)` just before the line that fails"
            " shows them.",
            fix="attention = nn.MultiheadAttention(embed_dim, num_heads, batch_first=True)\n"
            "context, _ = attention(h_n[-1].unsqueeze(1), output, output)  # batch first",
        ),
        Cause(
            why="A mask has the wrong shape: key_padding_mask is (batch, seq), attn_mask (steps of"
            " the query, steps of the key).",
            tell="`print(mask.shape)` shows it.",
            fix="mask = torch.arange(output.size(1))[None, :] >= lengths[:, None]  # True: padding",
            likely=mentions("mask is", "mask.shape[0]"),
        ),
    ),
    provoked_by=(
        "nn.MultiheadAttention(8, 2)(z(5, 2, 8), z(4, 2, 8), z(5, 2, 8))",
        "nn.MultiheadAttention(8, 2)(z(5, 2, 8), z(5, 8), z(5, 8))",
        (
            "nn.MultiheadAttention(8, 2)(z(5, 2, 8), z(5, 2, 8), z(5, 2, 8),"
            " key_padding_mask=z(5, 2) > 0)"
        ),
    ),
)

_HEADS = Entry(
    mistake="attention-heads",
    wordings=(Wording("embed_dim must be divisible by num_heads", "1.1 on"),),
    meaning="Each head takes an equal part of embed_dim, so num_heads must divide it.",
    causes=(
        Cause(
            why="{often}embed_dim is hidden_size, times 2 where the layer is bidirectional.",
            fix="nn.MultiheadAttention(2 * hidden_size, 2)  # any divisor of embed_dim",
        ),
    ),
    provoked_by=("nn.MultiheadAttention(8, 3)",),
)

ENTRIES: Final = (
    _STATE_SUM,
    _PADDED_SUM,
    _SUM,
    _BROADCAST_IN_PLACE,
    _INCONSISTENT,
    _EXPAND,
    _EXPAND_DIMENSIONS,
    _ASSIGN,
    _CAT,
    _CAT_DIMENSIONS,
    _EMPTY,
    _CAT_SCALARS,
    _STACK,
    _NOT_A_LIST,
    _VIEW,
    _VIEW_STRIDE,
    _EMPTY_VIEW,
    _PERMUTE,
    _TOO_MANY,
    _DIMENSION,
    _INDEX,
    _SCALAR,
    _TO_SCALAR,
    _TRUTH,
    _NARROW,
    _SPLIT,
    _GATHER,
    _BATCH_NORM,
    _LAYER_NORM,
    _CHANNELS,
    _CONV_DIMENSIONS,
    _ONE_VALUE,
    _ATTENTION,
    _ATTENTION_SHAPES,
    _HEADS,
)
