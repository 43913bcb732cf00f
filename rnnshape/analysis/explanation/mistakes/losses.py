"""Outputs and targets that do not fit a loss: shapes, dtypes, and values."""

from __future__ import annotations

from typing import Any, Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import LAYOUTS
from rnnshape.analysis.explanation.conditions import both, equals, holds, unless
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers, compared
from rnnshape.analysis.explanation.multiples import multiple
from rnnshape.analysis.explanation.records import Comparison
from rnnshape.analysis.explanation.tensor_types import WHOLE, both_names, dtype_of
from rnnshape.analysis.explanation.wording import Wording

_PLACES: Final = {
    "recurrent": r"_VF\.(?:lstm|gru|rnn)|[/\\]modules[/\\]rnn\b",
    "linear": r"[/\\]modules[/\\]linear\b",
    "loss": r"nll_loss|cross_entropy|[/\\]modules[/\\]loss\b|(?i:criterion|loss\w*)\(|'target'",
}


# The batch


def _more_rows(clues: Clues) -> bool:
    return bool(clues["rows"] > clues["targets"] and clues["times"])


def _few_times(clues: Clues) -> bool:
    return _more_rows(clues) and clues["times"] <= 8


def _more_targets(clues: Clues) -> bool:
    return bool(clues["targets"] > clues["rows"] and clues["times"])


_BATCH = Entry(
    mistake="loss-batch",
    wordings=(
        Wording(
            "Expected input batch_size ({rows:int}) to match target batch_size ({targets:int})",
            "0.4 on",
        ),
    ),
    read=lambda clues: multiple(clues["rows"], clues["targets"]),
    meaning="The loss got scores for a batch of {rows}, but targets for a batch of {targets}.",
    compare=compared("batch", "rows", "targets", labels=("scores", "target")),
    causes=(
        Cause(
            why="{often}the scores are those of every step, {rows} = {targets} sequences x {times}"
            " steps, and the targets one for each sequence: take the last step.",
            tell="`print(output.shape)` before `view` or `reshape` shows {targets} and {times}.",
            fix="loss = criterion(linear(output[:, -1]), target)  # batch first; output[-1]"
            " otherwise",
            when=_more_rows,
        ),
        Cause(
            why="{often}`h_n` was flattened with its {times} layers and directions: {times} x"
            " {targets} = {rows} rows.",
            tell="`print(h_n.shape)` shows ({times}, {targets}, hidden).",
            fix="scores = linear(h_n[-1])  # the last layer\n"
            "scores = linear(torch.cat((h_n[-2], h_n[-1]), 1))  # both directions of it",
            when=_few_times,
            likely=lambda clues: (
                clues.mentions("h_n", "hn.", "hidden.view", "hidden.reshape") or clues["times"] == 2
            ),
        ),
        Cause(
            why="{often}the targets are those of every step, {targets} = {rows} x {times}, and the"
            " scores of one step only.",
            tell="`print(scores.shape, target.shape)` shows {rows} and {times} x {rows}.",
            fix="scores = linear(output)  # every step\n"
            "loss = criterion(scores.flatten(0, 1), target.flatten())",
            when=_more_targets,
        ),
        Cause(
            why="{often}batch and sequence are swapped: {some_layer} is not batch first, so"
            " `output[:, -1]` is one sequence with all its steps, or x is (seq, batch, ...).",
            tell="`print(x.shape, output.shape)` tells which of {rows} and {targets} is the batch.",
            fix="{class_name}(..., batch_first=True)  # for x of (batch, seq, features)",
        ),
        Cause(
            why="The last batch of the data is smaller, and a `view` or a state has a fixed batch"
            " size.",
            tell="It fails in the last batch of an epoch only.",
            fix="x = x.view(x.size(0), ...)  # the real batch; or DataLoader(..., drop_last=True)",
            when=unless(holds("times")),
        ),
    ),
    more=LAYOUTS,
    provoked_by=("nn.CrossEntropyLoss()(nn.GRU(3, 4, 2)(z(5, 2, 3))[1].view(-1, 4), z(2).long())",),
)

_BATCH_OLD = Entry(
    mistake="loss-batch-old",
    wordings=(
        Wording("Assertion THIndexTensor_(size)(target, 0) == batch_size failed", "0.1 to 0.3"),
        Wording("Assertion 'THIndexTensor_(size)(target, 0) == batch_size' failed", "0.1 to 0.3"),
        Wording("Assertion THIndexTensor_(size)(target, 0) == batch_size' failed", "0.1 to 0.3"),
        Wording("For 1D input, 1D target must have size 1, but got target size: {targets:int}"),
        Wording("size mismatch (got input: {scores:shape}, target: {target:shape}", "1.12 on"),
        Wording("size mismatch (got input: {scores:shape} , target: {target:shape}", "1.12 on"),
    ),
    read=lambda clues: {
        "shown": f": scores {clues['scores']}, targets {clues['target']}"
        if clues.get("scores")
        else ""
    },
    meaning="The loss got a different number of rows of scores and of targets{shown}.",
    causes=(
        Cause(
            why="{often}the scores are those of every step and the targets one for each sequence,"
            " or the other way round.",
            tell="`print(scores.shape, target.shape)`: (batch, classes) and (batch,).",
            fix="scores = linear(output[:, -1])  # the last step, batch first; output[-1]"
            " otherwise",
        ),
        Cause(
            why="Every step has a target.",
            fix="loss = criterion(scores.reshape(-1, scores.size(-1)), target.reshape(-1))",
        ),
    ),
    provoked_by=("nn.NLLLoss()(z(7), z(4).long())",),
)

# The axes of scores and targets


def _axes(clues: Clues) -> Numbers | None:
    expected, got = clues["expected"], clues["got"]
    if len(expected) < 2 or not got:
        return None
    numbers: dict[str, Any] = {"first": expected[0], "classes": expected[1], "got_dims": len(got)}
    numbers["steps"] = got[1] if len(got) > 1 else None
    return numbers


def _target_each_step(clues: Clues) -> bool:
    expected, got = clues["expected"], clues["got"]
    return len(got) == 2 and got[0] == expected[0]


def _target_swapped(clues: Clues) -> bool:
    return len(clues["got"]) == 2 and not _target_each_step(clues)


_TARGET_SIZE = Entry(
    mistake="loss-axes",
    wordings=(
        Wording("Expected target size {expected:shape}, got {got:shape}", "0.4 on"),
        Wording("Expected target size {expected:shape} got {got:shape}", "0.4 on"),
    ),
    read=_axes,
    meaning="For scores of 3 dimensions the loss takes dimension 1 as the classes, (batch, classes,"
    " seq); with (batch, seq, classes) it wants targets {expected}, but gets {got}.",
    compare=lambda clues: (
        Comparison(
            title="target",
            places=("dimension 0", "dimension 1"),
            expected=clues["expected"],
            got=clues["got"],
        )
        if len(clues["expected"]) == len(clues["got"]) == 2
        else None
    ),
    causes=(
        Cause(
            why="{often}the scores are ({first}, steps, {classes}), as a Linear after {some_layer}"
            " gives them, with the {classes} classes last, and not ({first}, {classes}, steps).",
            tell="`print(scores.shape)` shows it; its steps must be those of the targets, {steps}.",
            fix="loss = criterion(scores.transpose(1, 2), target)  # ({first}, {classes},"
            " {steps})\nloss = criterion(scores.reshape(-1, {classes}), target.reshape(-1))  # the"
            " same",
            when=_target_each_step,
        ),
        Cause(
            why="{often}the scores are sequence first, (seq, batch, classes) with {classes}"
            " classes, and the targets {got} batch first; or the classes are not last.",
            tell="`print(scores.shape, target.shape)` just before the line that fails shows them.",
            fix="loss = criterion(scores.permute(1, 2, 0), target)  # (batch, classes, seq)",
            when=_target_swapped,
        ),
        Cause(
            why="{often}there is one target for each sequence, {got}, but scores for every step:"
            " take the last step.",
            tell="`print(scores.shape)` shows 3 dimensions.",
            fix="loss = criterion(scores[:, -1], target)  # batch first; scores[-1] otherwise",
            when=equals("got_dims", 1),
        ),
        Cause(
            why="The targets have a dimension too many, a last size of 1.",
            fix="target = target.squeeze(-1)",
            when=lambda clues: clues["got_dims"] > 2 and clues["got"][-1] == 1,
        ),
        Cause(
            why="The targets have a dimension too many: they are one-hot vectors.",
            tell="`print(target[0])` shows a single 1 for each step.",
            fix="loss = criterion(scores, target.argmax(dim=1))  # dim=2 if the classes are last",
            when=lambda clues: clues["got_dims"] > 2 and clues["got"][-1] != 1,
        ),
    ),
    provoked_by=(
        "nn.CrossEntropyLoss()(z(4, 5, 7), z(4, 5).long())",
        "nn.CrossEntropyLoss()(z(4, 5, 7), z(4).long())",
    ),
)

_SPATIAL = Entry(
    mistake="loss-dimensions",
    wordings=(
        Wording("only batches of spatial targets supported ({expected:rest}", "0.2 on"),
        Wording("Expected 2 or more dimensions (got {dims:int})", "0.4 to 1.11"),
        Wording("only batches of spatial inputs supported ({expected:rest}", "0.2 on"),
        Wording("input tensor should be 1D or 2D", "0.1 on"),
    ),
    meaning="Scores of 4 dimensions are taken as images, those of 1 as no batch; sequences have"
    " (batch, classes, seq) and targets (batch, seq).",
    causes=(
        Cause(
            why="{often}there is a dimension too many, such as (batch, seq, 1, classes), or one"
            " too few.",
            tell="`print(scores.shape, target.shape)` just before the line that fails shows them.",
            fix="loss = criterion(scores.reshape(-1, scores.size(-1)), target.reshape(-1))",
        ),
    ),
    provoked_by=("nn.CrossEntropyLoss()(z(4, 5, 6, 7), z(4, 5).long())",),
)

_MULTI_TARGET = Entry(
    mistake="loss-multi-target",
    wordings=(
        Wording("0D or 1D target tensor expected, multi-target not supported", "1.11 on"),
        Wording("1D target tensor expected, multi-target not supported", "1.6 to 1.10"),
        Wording("multi-target not supported", "0.1 to 1.5"),
    ),
    meaning="With scores (batch, classes) the loss takes one class index for each row, a target of"
    " shape (batch,), but got more dimensions.",
    causes=(
        Cause(
            why="{often}the targets have shape (batch, 1), as a table or a DataLoader gives them.",
            tell="`print(target.shape)` ends in 1.",
            fix="loss = criterion(scores, target.squeeze(1))  # or target.view(-1)",
        ),
        Cause(
            why="The targets are those of every step, (batch, seq), but the scores are of one"
            " step, or flattened.",
            tell="`print(scores.shape, target.shape)` just before the line that fails shows them.",
            fix="loss = criterion(scores.reshape(-1, scores.size(-1)), target.reshape(-1))",
        ),
        Cause(
            why="The targets are one-hot vectors of integers, (batch, classes).",
            tell="`print(target[0])` shows one 1 among zeros.",
            fix="loss = criterion(scores, target.argmax(dim=1))  # or target.float(), torch 1.10"
            " on",
        ),
    ),
    provoked_by=("nn.CrossEntropyLoss()(z(4, 7), z(4, 1).long())",),
)

# Values


def _outside(clues: Clues) -> Numbers:
    value = clues.get("value")
    if value is None:
        return {"target": "A target", "most": "", "needed": "int(target.max()) + 1"}
    most = f", and C is no more than {value}" if value >= 0 else ""
    needed = value + 1 if value >= 0 else "classes"
    return {"target": f"Target {value}", "most": most, "needed": needed}


_RANGE = Entry(
    mistake="target-range",
    wordings=(
        Wording("Target {value:int} is out of bounds", "1.5 on"),
        Wording("Assertion cur_target >= 0 && cur_target < n_classes failed", "0.1 to 1.4"),
        Wording("Assertion 'cur_target >= 0 && cur_target < n_classes' failed", "0.1 to 1.4"),
        Wording("Assertion cur_target >= 0 && cur_target < n_classes' failed", "0.1 to 1.4"),
        Wording("Assertion t >= 0 && t < n_classes failed", "0.2 on, CUDA"),
        Wording("ClassNLLCriterion.cu"),
    ),
    read=_outside,
    meaning="{target} is not one of the classes: with C scores in each row, the classes are 0 to C"
    " - 1{most}.",
    causes=(
        Cause(
            why="The last Linear has fewer outputs than there are classes, such as without the"
            " padding or the unknown token.",
            tell="`print(scores.shape, target.min(), target.max())`: the last size must be larger"
            " than the maximum.",
            fix="nn.Linear(hidden_size, {needed})  # or more: count the classes of all the data",
        ),
        Cause(
            why="The classes count from 1.",
            tell="`print(target.min())` shows 1.",
            fix="loss = criterion(scores, target - 1)",
        ),
        Cause(
            why="Padding is marked by a negative index.",
            tell="`print(target.min())` is negative.",
            fix="criterion = nn.CrossEntropyLoss(ignore_index=-1)  # the value of the padding",
            likely=lambda clues: (clues.get("value") or 0) < 0,
        ),
        Cause(
            why="{often}scores and targets have their axes in different orders: in (batch, seq,"
            " classes) the loss takes the steps for classes.",
            tell="`print(scores.shape)` shows 3 dimensions with the classes last.",
            fix="loss = criterion(scores.transpose(1, 2), target)",
        ),
    ),
    notes=("On a GPU this is a device-side assert, and the traceback may name a later line.",),
    provoked_by=("nn.CrossEntropyLoss()(z(4, 3), torch.tensor([0, 1, 2, 3]))",),
)

_UNIT_INTERVAL = Entry(
    mistake="bce-range",
    wordings=(
        Wording("all elements of input should be between 0 and 1", "1.5 on"),
        Wording("all elements of target should be between 0 and 1", "2.6 on"),
        Wording("Assertion x >= 0. && x <= 1. failed", "0.4 to 1.4"),
        Wording("Assertion 'x >= 0. && x <= 1.' failed", "0.4 to 1.4"),
        Wording("Assertion x >= 0. && x <= 1.' failed", "0.4 to 1.4"),
        Wording("Assertion input_val >= zero && input_val <= one failed", "0.4 on, CUDA"),
        Wording("input value should be between 0~1", "0.4 to 1.4"),
    ),
    meaning="BCELoss takes probabilities and targets from 0 to 1, but got something else.",
    causes=(
        Cause(
            why="{often}the output of a Linear after {some_layer} was passed without a sigmoid; the"
            " output of a layer itself is from -1 to 1.",
            tell="`print(output.min(), output.max())` shows it.",
            fix="loss = nn.BCEWithLogitsLoss()(output, target)  # in place of sigmoid and BCELoss",
        ),
        Cause(
            why="The output holds NaN, such as after a too large learning rate.",
            tell="`print(output.isnan().any())` shows True.",
            fix="torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # before each step",
        ),
        Cause(
            why="The targets are not from 0 to 1, such as labels 1 and 2 or scaled values.",
            tell="`print(target.min(), target.max())` shows it.",
            fix="target = (target > 0).float()",
        ),
    ),
    provoked_by=("nn.BCELoss()(z(5) - 1, z(5))",),
)

# Shapes that must be equal


def _equal(clues: Clues) -> Numbers | None:
    got, expected = clues.get("got"), clues.get("expected")
    if got is None or expected is None:
        return {"axis": False, "squeezed": False}
    return {
        "axis": sorted((*got, 1)) == sorted(expected),
        "squeezed": sorted((*expected, 1)) == sorted(got),
    }


_other_shape: Final = both(unless(holds("axis")), unless(holds("squeezed")))


_EQUAL_SIZE = Entry(
    mistake="loss-shape",
    wordings=(
        Wording(
            "Using a target size ({got:shape}) that is different to the input size"
            " ({expected:shape})",
            "0.2 on",
        ),
        Wording(
            "Target size ({got:shape}) must be the same as input size ({expected:shape})", "0.2 on"
        ),
        Wording("input and target shapes do not match: input {expected:shape}, target {got:shape}"),
        Wording(
            "Target and input must have the same number of elements. target nelement ({got_n:int})"
            " != input nelement ({expected_n:int})",
            "0.2 to 1.4",
        ),
        Wording("inconsistent target size: {got:shape} for input of size: {expected:shape}"),
    ),
    read=lambda clues: {
        "got": clues.get("got_n"),
        "expected": clues.get("expected_n"),
        **clues.numbers,
        **(_equal(clues) or {}),
    },
    meaning="The loss pairs outputs and targets one by one, but the output is {expected} and the"
    " target {got}.",
    causes=(
        Cause(
            why="{often}a Linear with 1 output gives a last size of 1, which the targets lack.",
            tell="`print(output.shape, target.shape)` shows {expected} and {got}.",
            fix="loss = criterion(output.squeeze(-1), target)  # not squeeze() alone: it would drop"
            " a batch of 1",
            when=holds("axis"),
        ),
        Cause(
            why="{often}`squeeze()` was called without a dimension: from the output it removes"
            " every size of 1, also one that the targets have, such as that of a batch of 1.",
            tell="`print(output.shape, target.shape)` shows {expected} and {got}.",
            fix="loss = criterion(output.view_as(target), target)  # and squeeze(-1) by name",
            when=holds("squeezed"),
        ),
        Cause(
            why="{often}the output has every step of the sequence and the target one value for each"
            " sequence: take the last step.",
            tell="`print(output.shape)` shows (batch, seq, ...), or (seq, batch, ...).",
            fix="loss = criterion(output[:, -1], target)  # batch first; output[-1] otherwise",
            when=_other_shape,
        ),
        Cause(
            why="The targets are class indices, and the output has a score for each class.",
            tell="`print(target.dtype)` shows int64.",
            fix="loss = nn.CrossEntropyLoss()(output, target.long())",
            when=_other_shape,
        ),
        Cause(
            why="Output and target have their axes in other orders, or the last batch is smaller.",
            tell="`print(output.shape, target.shape)` just before the line that fails shows them.",
            fix="loss = criterion(output, target.view_as(output))  # where only a 1 differs",
            when=_other_shape,
        ),
    ),
    notes=(
        (
            "MSELoss and L1Loss only warn and then broadcast: (N, 1) against (N,) gives N x N"
            " differences and a wrong loss."
        ),
    ),
    provoked_by=(
        "nn.BCELoss()(z(5, 1), z(5))",
        "nn.BCEWithLogitsLoss()(z(5, 1), z(5))",
        "nn.BCEWithLogitsLoss()(z(5, 2), z(5))",
    ),
)

# Types


def _dtype(clues: Clues) -> Numbers | None:
    """The dtype of the targets, where a loss raised the message."""
    if "dtype" not in clues.statement.message and clues.innermost(_PLACES) != "loss":
        return None
    return {"got": both_names(clues["got"])}


def _two_dtypes(clues: Clues) -> Numbers:
    got, wanted = clues.get("got") or "Long", clues.get("wanted") or "Float"
    return {"both": f"{both_names(got)} and {both_names(wanted)}"}


_LONG_TARGET = Entry(
    mistake="target-not-long",
    wordings=(
        Wording("expected target dtype to be Long or Byte, but got {got:word}", "2.11 on"),
        Wording(
            "Expected object of scalar type Long but got scalar type {got:word} for argument"
            " #{number:int} 'target'",
            "1.0 to 1.5",
        ),
        Wording(
            "Expected object of type {wanted:word} but found type {got:word} for argument"
            " #{number:int} 'target'",
            "0.4",
        ),
        Wording(
            "Expected object of type Variable[{wanted:word}] but found type Variable[{got:word}]"
            " for argument #{number:int} 'target'",
            "0.3",
        ),
        Wording("nll_loss{kernel:rest} not implemented for '{got:word}'", "1.5 on"),
        Wording("expected scalar type Long but found {got:word}", "1.6 on"),
    ),
    read=_dtype,
    meaning="CrossEntropyLoss and NLLLoss take class indices as int64 (Long), but got {got}.",
    causes=(
        Cause(
            why="The targets are {got}: read from a file or from NumPy, or made by torch.tensor of"
            " floats.",
            tell="`print(target.dtype)` shows it.",
            fix="loss = criterion(scores, target.long())",
        ),
        Cause(
            why="The targets are values, not classes, as in a forecast.",
            tell="`print(target[:5])` shows numbers that are not whole.",
            fix="loss = nn.MSELoss()(output, target)",
        ),
        Cause(
            why="The targets are one-hot vectors or have one column each.",
            tell="`print(target.shape)` shows (batch, classes).",
            fix="loss = criterion(scores, target.argmax(dim=1))",
        ),
    ),
    provoked_by=(
        "nn.CrossEntropyLoss()(z(4, 7), z(4))",
        "nn.CrossEntropyLoss()(z(4, 7), z(4).int())",
    ),
)

_PROBABILITIES = Entry(
    mistake="target-like-scores",
    wordings=(
        Wording(
            "Expected floating point type for target with class probabilities, got {got:word}",
            "1.10 on",
        ),
    ),
    meaning="Targets of the same shape as the scores are taken as probabilities, which are floats,"
    " but got {got}.",
    causes=(
        Cause(
            why="The targets are one-hot vectors of integers.",
            tell="`print(target[0])` shows one 1 among zeros.",
            fix="loss = criterion(scores, target.float())  # or target.argmax(dim=1)",
        ),
        Cause(
            why="{often}scores and targets have the same shape by accident, such as (seq, batch)"
            " with scores of one step.",
            tell="`print(scores.shape, target.shape)` shows it.",
            fix="loss = criterion(scores.reshape(-1, scores.size(-1)), target.reshape(-1))",
        ),
    ),
    provoked_by=("nn.CrossEntropyLoss()(z(4, 7), z(4, 7).long())",),
)

_FLOAT_TARGET = Entry(
    mistake="target-not-float",
    wordings=(
        Wording("result type Float can't be cast to the desired output type {got:word}", "1.5 on"),
        Wording(
            "result type {wanted:word} can't be cast to the desired output type Long", "1.5 on"
        ),
        Wording("Found dtype {got:word} but expected {wanted:word}", "1.5 on"),
        Wording("expected dtype {wanted:word} but got dtype {got:word}", "1.4"),
    ),
    read=_two_dtypes,
    meaning="Output and target of a loss, or other tensors that must be alike, have different"
    " dtypes: {both}.",
    causes=(
        Cause(
            why="{often}the targets are integers, or float64 from NumPy, where the output of"
            " {some_layer} is float32.",
            tell="`print(output.dtype, target.dtype)` shows it.",
            fix="loss = criterion(output, target.float())",
        ),
        Cause(
            why="The targets are class indices, for which this is not the loss.",
            tell="`print(target[:5])` shows whole numbers above 1.",
            fix="loss = nn.CrossEntropyLoss()(output, target.long())",
            when=lambda clues: "Long" in clues["both"],
        ),
    ),
    provoked_by=(
        "nn.BCEWithLogitsLoss()(z(5), z(5).long())",
        "nn.BCELoss()(z(5), z(5).double())",
    ),
)

_INTEGER_SCORES = Entry(
    mistake="integer-scores",
    wordings=(
        Wording("softmax{kernel:rest} not implemented for '{got:word}'", "1.5 on"),
        Wording("mse_{kernel:rest} not implemented for '{got:word}'", "1.5 on"),
        Wording("binary_cross_entropy{kernel:rest} not implemented for '{got:word}'", "1.5 on"),
    ),
    read=lambda clues: {} if dtype_of(clues["got"]) in WHOLE else None,
    meaning="The scores that a loss gets must be floats, but they are {got}.",
    causes=(
        Cause(
            why="Predictions (`argmax`) or indices were passed in place of scores, or the two"
            " arguments are swapped.",
            tell="`print(output.dtype, target.dtype)` shows it.",
            fix="loss = criterion(scores, target)  # scores first, as the layer and Linear give"
            " them",
        ),
    ),
    provoked_by=(
        "nn.CrossEntropyLoss()(z(4, 7).long(), z(4).long())",
        "nn.MSELoss()(z(5).long(), z(5).long())",
    ),
)

_CLASS_WEIGHT = Entry(
    mistake="class-weights",
    wordings=(
        Wording(
            "weight tensor should be defined either for all {classes:int} classes or no classes but"
            " got weight tensor of shape: {got:shape}",
            "1.5 on",
        ),
        Wording("weight tensor should be defined either for all {classes:int} classes", "0.1 on"),
        Wording("weight tensor should be defined either for all or no classes", "0.1 on"),
    ),
    read=lambda clues: {
        "classes": clues.get("classes") or "another number of",
        "got": clues.get("got") or "one weight tensor",
    },
    meaning="The loss has class weights of shape {got}, but the scores have {classes} classes.",
    causes=(
        Cause(
            why="The weights leave out a class, such as padding, or count one that is not"
            " predicted.",
            tell="`print(criterion.weight.shape, scores.shape)` shows it.",
            fix="criterion = nn.CrossEntropyLoss(weight=torch.ones({classes}))  # one for each"
            " class",
        ),
        Cause(
            why="{often}dimension 1 of (batch, seq, classes) is taken as the classes.",
            tell="`print(scores.shape)` shows {classes} in the middle.",
            fix="loss = criterion(scores.transpose(1, 2), target)",
        ),
    ),
    provoked_by=("nn.CrossEntropyLoss(weight=z(4))(z(4, 3), torch.tensor([0, 1, 2, 2]))",),
)

# CTC

_CTC_FIX: Final = (
    "log_probs = output.transpose(0, 1).log_softmax(-1)  # (seq, batch, classes)\n"
    "input_lengths = torch.full((batch,), log_probs.size(0))\n"
    "loss = nn.CTCLoss()(log_probs, target, input_lengths, target_lengths)"
)

_CTC = Entry(
    mistake="ctc-lengths",
    wordings=(
        Wording(
            "Expected input_lengths to have value at most {most:int}, but got value {got:int}",
            "1.0 on",
        ),
        Wording("input_lengths must be of size batch_size", "1.0 on"),
        Wording("target_lengths must be of size batch_size", "1.0 on"),
        Wording("Expected {which:word} to have value at least {most:int}, but got value {got:int}"),
    ),
    read=lambda clues: {
        "shown": "" if clues.get("most") is None else f": {clues['got']} against {clues['most']}"
    },
    meaning="CTCLoss takes log_probs (seq, batch, classes), never batch first, and a length of at"
    " most seq for each sequence, but the lengths do not fit{shown}.",
    causes=(
        Cause(
            why="{often}the output of {some_layer} with batch_first=True was passed: the loss"
            " takes its batch for the steps.",
            tell="`print(log_probs.shape)` shows the batch first.",
            fix=_CTC_FIX,
        ),
        Cause(
            why="A convolution or a pyramid of layers shortened the sequence, and the lengths are"
            " those before it.",
            tell="`print(log_probs.size(0), input_lengths.max())` shows it.",
            fix="input_lengths = input_lengths * log_probs.size(0) // x.size(1)",
        ),
    ),
    provoked_by=(
        "nn.CTCLoss()(z(50, 2, 5), z(2, 10).long(), torch.tensor([60, 50]), torch.tensor([3, 3]))",
        "nn.CTCLoss()(z(50, 2, 5), z(2, 10).long(), torch.tensor([50] * 3), torch.tensor([3, 3]))",
    ),
)

_CTC_TARGETS = Entry(
    mistake="ctc-targets",
    wordings=(
        Wording(
            "Expected tensor to have size at least {wanted:int} at dimension {dim:int}, but got"
            " size {got:int} for argument #{number:int} 'targets'",
            "1.0 on",
        ),
        Wording(
            "Expected tensor to have size {wanted:int} at dimension {dim:int}, but got size"
            " {got:int} for argument #{number:int} 'targets'",
            "1.0 on",
        ),
    ),
    meaning="CTCLoss reads {wanted} targets by their lengths, but dimension {dim} of the targets"
    " has {got}.",
    causes=(
        Cause(
            why="A target length is longer than the padded targets, or targets and lengths are of"
            " different batches.",
            tell="`print(target.shape, target_lengths.max())` shows it.",
            fix="target_lengths = torch.tensor([len(t) for t in targets])",
        ),
        Cause(
            why="Targets that are joined in one dimension must be as long as the sum of lengths.",
            tell="`print(target.dim(), target_lengths.sum())` shows it.",
            fix="target = torch.cat(targets)  # or pad_sequence(targets, batch_first=True)",
        ),
    ),
    provoked_by=(
        "nn.CTCLoss()(z(50, 2, 5), z(2, 10).long(), torch.tensor([50, 50]), torch.tensor([12, 3]))",
        "nn.CTCLoss()(z(50, 2, 5), z(7).long(), torch.tensor([50, 50]), torch.tensor([3, 3]))",
    ),
)

_CTC_BLANK = Entry(
    mistake="ctc-blank",
    wordings=(Wording("blank must be in label range", "1.0 on"),),
    meaning="The index of the blank is not one of the classes of the scores.",
    causes=(
        Cause(
            why="The last Linear has no output for the blank.",
            tell="`print(log_probs.shape)`: the last size counts the blank too.",
            fix="nn.Linear(hidden_size, labels + 1)  # with nn.CTCLoss(blank=labels)",
        ),
        Cause(
            why="{often}the axes are in another order: the classes must be last.",
            fix="log_probs = output.transpose(0, 1).log_softmax(-1)  # (seq, batch, classes)",
        ),
    ),
    provoked_by=(
        (
            "nn.CTCLoss(blank=5)(z(50, 2, 5), z(2, 10).long(), torch.tensor([50, 50]),"
            " torch.tensor([3, 3]))"
        ),
    ),
)

# Conditional random fields after a bidirectional LSTM

_CRF = Entry(
    mistake="crf-shape",
    wordings=(
        Wording(
            "the first two dimensions of emissions and {other:word} must match, got"
            " {expected:shape} and {got:shape}"
        ),
        Wording("expected last dimension of emissions is {expected:int}, got {got:int}"),
        Wording("mask of the first timestep must all be on"),
    ),
    read=lambda clues: {
        "shown": "" if clues.get("got") is None else f": {clues['got']} against {clues['expected']}"
    },
    meaning="The CRF got emissions, tags or a mask that do not fit each other or it{shown}.",
    causes=(
        Cause(
            why="{some_layer} and the CRF differ in batch_first: the mask and the tags must begin"
            " like the emissions.",
            tell="`print(emissions.shape, tags.shape, mask.shape)` shows it.",
            fix="crf = CRF(num_tags, batch_first=True)  # as in {class_name}(...,"
            " batch_first=True)",
        ),
        Cause(
            why="pad_packed_sequence shortened the emissions to the longest sequence of the batch.",
            tell="The emissions have fewer steps than the tags.",
            fix="output, _ = pad_packed_sequence(packed, batch_first=True,"
            " total_length=tags.size(1))",
        ),
        Cause(
            why="The Linear before the CRF does not have one output for each tag, or a sequence is"
            " empty.",
            tell="`print(linear.out_features, crf.num_tags)` shows it.",
            fix="nn.Linear(2 * hidden_size, crf.num_tags)",
        ),
    ),
    source="torchcrf/__init__.py of pytorch-crf",
)

ENTRIES: Final = (
    _BATCH,
    _BATCH_OLD,
    _TARGET_SIZE,
    _SPATIAL,
    _MULTI_TARGET,
    _RANGE,
    _UNIT_INTERVAL,
    _EQUAL_SIZE,
    _LONG_TARGET,
    _PROBABILITIES,
    _FLOAT_TARGET,
    _INTEGER_SCORES,
    _CLASS_WEIGHT,
    _CTC,
    _CTC_TARGETS,
    _CTC_BLANK,
    _CRF,
)
