"""Initial states that do not fit the layer: `h_0`, `c_0`, and `h` and `c` of cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any, Final

from rnnshape.analysis.explanation.clues import Clues, names_of
from rnnshape.analysis.explanation.commands import CELL_STATES, LAYOUTS
from rnnshape.analysis.explanation.conditions import both, equals, holds, in_parallel, twice, unless
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers, compared
from rnnshape.analysis.explanation.records import Comparison
from rnnshape.analysis.explanation.wording import Wording
from rnnshape.layer.config import Kind

_STATE_AXES: Final = ("layer*dir", "batch", "feature")

_STATE_SIZE: Final = (
    Wording("Expected hidden[{entry:int}] size {expected:shape}, got {got:shape}", "0.4 on"),
    Wording("Expected hidden size {expected:shape}, got {got:shape}", "0.2 on"),
    Wording("Expected cell size {expected:shape}, got {got:shape}", "0.2 on, cuDNN"),
)
_STATE_DIMENSIONS: Final = (
    Wording(
        "For {form} {dims:int}-D input, hx and cx should also be {wanted:int}-D"
        " but got ({h_dims:int}-D, {c_dims:int}-D) tensors",
        "1.11 on",
    ),
    Wording(
        "For {form} {dims:int}-D input, hx should also be {wanted:int}-D but got {h_dims:int}-D"
        " tensor",
        "1.11 on",
    ),
)
_ORDER_NOTE: Final = (
    "The state is (layer*dir, batch, feature) in every case: batch_first never moves it."
)
_SIZED_LAYOUTS: Final = "rnnshape {command} --hidden {features} --batch {batch} --show layouts"


def _of_pair(pair: bool) -> dict[str, Any]:
    """How a line that changes h_0 reads for a layer that takes (h_0, c_0), or h_0 alone."""
    return {"also": "  # and c_0 likewise" if pair else ""}


def _state(clues: Clues) -> dict[str, Any]:
    """The names of the state that was given and the sizes of its axes."""
    expected: tuple[int, ...] = clues["expected"]
    got: tuple[int, ...] = clues.get("got") or ()
    entry = clues.get("entry")
    second = entry == 1 or clues.statement.message.startswith("Expected cell")
    pair = entry is not None or second or clues.kind is Kind.LSTM
    state = "c_0" if second else "h_0"
    numbers = names_of(Kind.LSTM if pair else clues.kind) | _of_pair(pair and not second)
    if not pair and clues.kind is None:
        numbers |= {"class_name": "nn.GRU", "command": "gru"}  # or an RNN: an LSTM names its entry
    numbers |= {"state": state, "pair": pair, "dims": len(expected), "got_dims": len(got)}
    if len(expected) == 3:
        numbers |= dict(zip(("layers", "batch", "features"), expected, strict=True))
        numbers |= _made(expected, pair, clues)
    if len(got) == 3:
        numbers |= dict(zip(("got_layers", "got_batch", "got_features"), got, strict=True))
        last = len(expected) == 3 and 1 < got[1] < expected[1]
        numbers["kept"] = (
            "kept from a smaller one, such as the last one of an epoch"
            if last
            else "kept from an earlier one"
        )
    return numbers


def _made(expected: Sequence[int], pair: bool, clues: Clues) -> dict[str, Any]:
    """The line that makes a state that fits, once of these sizes and once from x."""
    layers, batch, features = expected
    size = f"x.size({clues.batch_axis})"
    otherwise = "  # x.size(0) if batch first" if clues.batch_first is None else ""
    from_x = f"h_0 = torch.zeros({layers}, {size}, {features}, device=x.device){otherwise}"
    zeros = f"h_0 = torch.zeros({layers}, {batch}, {features}, device=x.device)"
    second = "\nc_0 = torch.zeros_like(h_0)" if pair else ""
    return {"from_x": from_x + second, "zeros": zeros + second}


def _is_state(clues: Clues) -> bool:
    return len(clues["expected"]) == len(clues["got"]) == 3


def _different(clues: Clues) -> tuple[int, ...]:
    pairs = zip(clues["expected"], clues["got"], strict=True)
    return tuple(axis for axis, (expected, got) in enumerate(pairs) if expected != got)


def _differs(*axes: int) -> Callable[[Clues], Numbers | None]:
    """Accepts states that differ in these axes alone."""

    def read(clues: Clues) -> Numbers | None:
        return _state(clues) if _is_state(clues) and _different(clues) == axes else None

    return read


def _compared(clues: Clues) -> Comparison | None:
    return Comparison(
        title=clues["state"],
        places=_STATE_AXES,
        expected=clues["expected"],
        got=clues["got"],
    )


def _twice(larger: int, smaller: int) -> bool:
    return larger == 2 * smaller


def _may_be_split(clues: Clues) -> bool:
    """Whether the batch of the state is that of the input, times a number of GPUs."""
    batch, got = clues.get("batch"), clues.get("got_batch")
    return clues.parallel or bool(batch and got and batch > 1 and got / batch in (2, 3, 4, 8))


def _is_batch_first(clues: Clues) -> bool:
    return clues.batch_first is True


_may_be_sequence_first: Final = unless(_is_batch_first)


_FROM_INPUT: Final = Cause(
    why="The state is of another batch: {kept}, or made with a fixed batch size.",
    tell="The state is kept in `self`, or a batch size is written where it is made.",
    fix="{from_x}",
)
_PARALLEL: Final = Cause(
    why="`DataParallel` splits every argument along its first axis, which in the"
    " state is layer*dir, not the batch.",
    tell="It works on one GPU. Make the state in `forward`, from the part of x that is there.",
    fix="{from_x}",
    when=_may_be_split,
    likely=in_parallel,
)


# The batch


def _decoder_step(clues: Clues) -> bool:
    return bool(clues["batch"] == 1 < clues["got_batch"])


def _smaller_batch(clues: Clues) -> bool:
    return bool(clues["batch"] < clues["got_batch"]) and not _decoder_step(clues)


def _batch_is_sequence(clues: Clues) -> bool:
    """Whether the input is known, and its other axis is the batch of the state."""
    shape, axis = clues.input, clues.batch_axis
    return (
        shape is not None
        and len(shape) == 3
        and shape[axis] == clues["batch"]
        and shape[1 - axis] == clues["got_batch"]
    )


def _begins_with(name: str, clues: Clues) -> bool | None:
    """Whether x begins with the batch of this name, and then the other; None if it is not shown."""
    if clues.input is None:
        return None
    sizes = {clues["batch"], clues["got_batch"]}
    return clues.input[0] == clues[name] and {*clues.input[:2]} == sizes


def _may_be_batch_first(clues: Clues) -> bool:
    return _may_be_sequence_first(clues) and _begins_with("got_batch", clues) is not False


def _may_have_batch_second(clues: Clues) -> bool:
    known = _begins_with("batch", clues)
    return _is_batch_first(clues) if known is None else known


def _one_sequence(clues: Clues) -> bool:
    return bool(clues["got_batch"] == 1 < clues["batch"])


_BATCH = Entry(
    mistake="state-batch",
    wordings=_STATE_SIZE,
    read=_differs(1),
    meaning="`{state}` has batch {got_batch}, but {layer} reads batch {batch} from its input x.",
    compare=_compared,
    causes=(
        Cause(
            why="The input lacks its axis of steps: what should be 1 step of {got_batch} sequences"
            " is read as {got_batch} steps of 1 sequence.",
            tell="`print(x.shape)` shows ({got_batch}, 1, ...).",
            fix="x = x.transpose(0, 1)  # (1, {got_batch}, ...): in a decoder, unsqueeze(0)",
            when=_decoder_step,
            likely=_may_be_sequence_first,
        ),
        Cause(
            why="x is batch first, but {layer} is not: it reads {batch} as the batch.",
            tell="`print(x.shape)` shows ({got_batch}, {batch}, ...).",
            fix="{class_name}(..., batch_first=True)  # or x.transpose(0, 1)",
            when=_may_be_batch_first,
            certain=_batch_is_sequence,
        ),
        Cause(
            why="x is sequence first, but {layer} has batch_first=True.",
            tell="`print(x.shape)` shows ({batch}, {got_batch}, ...).",
            fix="{class_name}(..., batch_first=False)  # or x.transpose(0, 1)",
            when=_may_have_batch_second,
            certain=_batch_is_sequence,
        ),
        Cause(
            why="The last batch of the data is smaller: {batch} sequences, while the state was made"
            " for {got_batch}.",
            tell="It fails in the last batch of an epoch only.",
            fix="DataLoader(..., drop_last=True)  # or make the state from x, as below",
            when=_smaller_batch,
            likely=both(_smaller_batch, unless(in_parallel)),
        ),
        Cause(
            why="The state is of a single sequence, such as a learned one, and x has {batch}.",
            tell="`print(h_0.shape)` shows (..., 1, ...) before the call.",
            fix="h_0 = h_0.expand(-1, {batch}, -1).contiguous(){also}",
            when=_one_sequence,
        ),
        _PARALLEL,
        _FROM_INPUT,
    ),
    notes=(_ORDER_NOTE,),
    more=_SIZED_LAYOUTS,
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 3), (z(1, 9, 4), z(1, 9, 4)))",
        "nn.GRU(3, 4)(z(5, 2, 3), z(1, 9, 4))",
        "torch.ao.nn.quantized.dynamic.GRU(3, 4)(z(5, 2, 3), z(1, 9, 4))",
    ),
)


# Layers x directions


_twice_layers: Final = twice("got_layers", "layers")
_half_layers: Final = twice("layers", "got_layers")


def _more_layers(clues: Clues) -> bool:
    return bool(clues["got_layers"] > clues["layers"])


def _is_bidirectional(clues: Clues) -> bool:
    return clues.config.get("bidirectional") is True


_LAYERS = Entry(
    mistake="state-layers",
    wordings=_STATE_SIZE,
    read=_differs(0),
    meaning="The first axis of `{state}`, layers x directions, is {got_layers}, but {layer} needs"
    " {layers}: num_layers, times 2 if bidirectional.",
    compare=_compared,
    causes=(
        Cause(
            why="The state comes from a bidirectional layer: {got_layers} = {layers} x 2"
            " directions.",
            tell="The layer that made it has `bidirectional=True`.",
            fix="h_0 = h_0.view({layers}, 2, {batch}, {features}).sum(1){also}",
            when=_twice_layers,
        ),
        Cause(
            why="The state has {got_layers} layers, such as all those of an encoder, but {layer}"
            " takes only {layers}.",
            tell="The layer that made it has `num_layers={got_layers}`, or several states were"
            " stacked: `h_0[i:i+1]` is the state of layer i.",
            fix="h_0 = h_0[-{layers}:]{also}",
            when=_more_layers,
        ),
        Cause(
            why="{layer} is bidirectional, and the state was made for one direction.",
            tell="Its constructor has `bidirectional=True`: the state needs 2 * num_layers.",
            fix="{zeros}",
            when=_half_layers,
            likely=_is_bidirectional,
        ),
        Cause(
            why="The state comes from a layer with fewer layers, such as an encoder with"
            " num_layers={got_layers}.",
            tell="`num_layers` differs between the two.",
            fix="{class_name}(..., num_layers={got_layers})  # the same in both",
            when=unless(_more_layers),
        ),
        Cause(
            why="The state was made for a different number of layers.",
            tell="Look at the first size where it is made.",
            fix="{zeros}",
        ),
        _PARALLEL,
    ),
    notes=("The first axis holds layer 0 forward, layer 0 reverse, layer 1 forward, ...",),
    more="rnnshape {command} --hidden {features} --batch {batch} --layers {layers} --show states",
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 3), (z(2, 2, 4), z(2, 2, 4)))",
        "nn.GRU(3, 4, 2)(z(5, 2, 3), z(1, 2, 4))",
        "nn.GRU(3, 4)(z(5, 2, 3), z(5, 2, 4))",
    ),
)


# Features


_joined_features: Final = twice("got_features", "features")
_half_features: Final = twice("features", "got_features")


def _may_project(clues: Clues) -> bool:
    larger = clues["got_features"] > clues["features"]
    return bool(clues["pair"] and clues["state"] == "h_0" and larger)


def _projects(clues: Clues) -> bool:
    return bool(clues.config.get("proj_size")) or clues.mentions("proj_size")


def _certainly_projects(clues: Clues) -> bool:
    """Whether the config is known, and the state has hidden_size features in place of proj_size."""
    config = clues.config
    expected, got = config.get("proj_size"), config.get("hidden_size")
    return bool((clues["features"], clues["got_features"]) == (expected, got))


def _is_input(clues: Clues) -> bool:
    return bool(clues["got_features"] == clues.config.get("input_size"))


_FEATURES = Entry(
    mistake="state-features",
    wordings=_STATE_SIZE,
    read=_differs(2),
    meaning="`{state}` has {got_features} features, but {layer} takes {features}:"
    " its hidden_size, or for `h_0` its proj_size if it has one.",
    compare=_compared,
    causes=(
        Cause(
            why="The state was made with input_size ({got_features}) in place of hidden_size.",
            tell="Look at the last size where it is made.",
            fix="{zeros}",
            when=_is_input,
            likely=_is_input,
        ),
        Cause(
            why="The state has the two directions of a bidirectional layer side by side:"
            " {got_features} = 2 x {features}.",
            tell="The layer that made it has `bidirectional=True` and `hidden_size={features}`.",
            fix="bridge = nn.Linear({got_features}, {features})  # in __init__\nh_0 = bridge(h_0)",
            when=_joined_features,
            likely=_joined_features,
        ),
        Cause(
            why="{layer} was made for the two directions of an encoder side by side, {features} ="
            " 2 x {got_features}, but got one.",
            tell="The encoder is not bidirectional, or only one direction of its h_n was taken.",
            fix="{class_name}(..., hidden_size={got_features})  # or bidirectional=True in the"
            " encoder",
            when=_half_features,
        ),
        Cause(
            why="hidden_size is {features} in {layer} and {got_features} where the state was made.",
            tell="The two read different settings, such as an encoder's and a decoder's.",
            fix="{zeros}",
        ),
        Cause(
            why="The state is right, and hidden_size of {layer} was set to {features} by mistake.",
            tell="`print({command}.hidden_size)` shows {features}.",
            fix="{class_name}(..., hidden_size={got_features})",
            when=unless(_certainly_projects),
            likely=equals("features", 1),
        ),
        Cause(
            why="The LSTM has a projection: `h_0` needs proj_size features, only `c_0` needs"
            " hidden_size.",
            tell="`print(lstm.proj_size)` shows {features}.",
            fix="h_0 = torch.zeros({layers}, {batch}, {features}, device=x.device)\n"
            "c_0 = torch.zeros({layers}, {batch}, {got_features}, device=x.device)",
            when=_may_project,
            likely=_projects,
            certain=_certainly_projects,
        ),
    ),
    more="rnnshape {command} --hidden {features} --batch {batch} --show states",
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 3), (z(1, 2, 4), z(1, 2, 9)))",
        "nn.LSTM(3, 8, proj_size=4)(z(5, 2, 3), (z(1, 2, 8), z(1, 2, 8)))",
        "nn.GRU(3, 4)(z(5, 2, 3), z(1, 2, 8))",
    ),
)


# Several axes


def _transposed(clues: Clues) -> Numbers | None:
    """Accepts states that have all the sizes, in another order."""
    if not _is_state(clues):
        return None
    expected, got = clues["expected"], clues["got"]
    if expected == got or sorted(expected) != sorted(got):
        return None
    orders = [
        order
        for order in permutations(range(3))
        if tuple(got[axis] for axis in order) == tuple(expected)
    ]
    swaps = [order for order in orders if sum(order[axis] != axis for axis in range(3)) == 2]
    order = (swaps or orders)[0]
    moved = [axis for axis in range(3) if order[axis] != axis]
    line = f"transpose({moved[0]}, {moved[1]})" if swaps else f"permute{order}"
    names = tuple(_STATE_AXES[order.index(axis)] for axis in range(3))
    return _state(clues) | {"line": line, "got_order": f"({', '.join(names)})"}


_TRANSPOSED = Entry(
    mistake="state-transposed",
    wordings=_STATE_SIZE,
    read=_transposed,
    meaning="`{state}` has the sizes that {layer} takes, but in the order {got_order}.",
    compare=_compared,
    causes=(
        Cause(
            why="The state was made or transposed like a batch-first input, but it is"
            " (layer*dir, batch, feature) whatever batch_first says.",
            tell="`print(h_0.shape)` shows {got}.",
            fix="h_0 = h_0.{line}.contiguous(){also}",
        ),
        _PARALLEL,
    ),
    notes=(_ORDER_NOTE,),
    more=_SIZED_LAYOUTS,
    provoked_by=(
        "nn.LSTM(3, 4, batch_first=True)(z(5, 2, 3), (z(5, 1, 4), z(5, 1, 4)))",
        "nn.GRU(3, 4, 2)(z(5, 7, 3), z(7, 2, 4))",
    ),
)


def _directions(clues: Clues) -> Numbers | None:
    """Accepts states of two directions for a layer with two directions side by side, or back."""
    if not _is_state(clues):
        return None
    numbers = _state(clues)
    layers, features = numbers["layers"], numbers["features"]
    got_layers, got_features = numbers["got_layers"], numbers["got_features"]
    if numbers["batch"] != numbers["got_batch"]:
        return None
    if _twice(got_layers, layers) and _twice(features, got_features):
        view = f"view({layers}, 2, -1, {got_features}).transpose(1, 2).reshape({clues['expected']})"
        return numbers | {"line": view, "has": "one after the other", "takes": "side by side"}
    if _twice(layers, got_layers) and _twice(got_features, features):
        view = f"view({got_layers}, -1, 2, {features}).transpose(1, 2).reshape({clues['expected']})"
        return numbers | {"line": view, "has": "side by side", "takes": "one after the other"}
    return None


_DIRECTIONS = Entry(
    mistake="state-directions",
    wordings=_STATE_SIZE,
    read=_directions,
    meaning="`{state}` has two directions {has}, but {layer} takes them {takes}:"
    " {got_layers} x {got_features} against {layers} x {features}.",
    compare=_compared,
    causes=(
        Cause(
            why="One of the two layers is bidirectional: h_n of a bidirectional layer is"
            " (2 * num_layers, batch, hidden_size), while a layer of one direction with twice the"
            " hidden_size takes (num_layers, batch, 2 * hidden_size).",
            fix="h_0 = h_0.{line}{also}",
        ),
    ),
    more="rnnshape {command} --hidden {features} --batch {batch} --bidir --show states",
    provoked_by=(
        "nn.GRU(3, 8)(z(5, 2, 3), z(2, 2, 4))",
        "nn.LSTM(3, 4, bidirectional=True)(z(5, 2, 3), (z(1, 2, 8), z(1, 2, 8)))",
    ),
)


def _shape(clues: Clues) -> Numbers | None:
    """Accepts states that differ in several axes."""
    if not _is_state(clues):
        return None
    names = [_STATE_AXES[axis] for axis in _different(clues)]
    if not names:
        return None
    numbers = _state(clues) | {"axes": " and ".join(names)}
    layers, got_layers = numbers["layers"], numbers["got_layers"]
    gpus = layers // got_layers if got_layers > 0 and layers % got_layers == 0 else 0
    split = numbers["got_batch"] == gpus * numbers["batch"]
    same = numbers["features"] == numbers["got_features"]
    return numbers | {"gpus": gpus if split and same else 0}


_split: Final = holds("gpus")


def _transposed_batch(clues: Clues) -> bool:
    return bool(clues["got_batch"] == clues["layers"])


_SHAPE = Entry(
    mistake="state-shape",
    wordings=_STATE_SIZE,
    read=_shape,
    meaning="`{state}` is {got}, but {layer} takes {expected}: they differ in {axes}.",
    compare=_compared,
    causes=(
        Cause(
            why="`DataParallel` over {gpus} GPUs splits the state along its first axis, which is"
            " layer*dir, but x along its batch: {layers} = {gpus} x {got_layers}, and {got_batch} ="
            " {gpus} x {batch}.",
            tell="It works on one GPU. Make the state in `forward`, from the part of x that is"
            " there.",
            fix="{from_x}",
            when=_split,
            likely=_split,
        ),
        Cause(
            why="The state is (batch, layer*dir, feature), and of another batch.",
            tell="`print(h_0.shape)` shows the batch first.",
            fix="h_0 = h_0.transpose(0, 1).contiguous(){also}",
            when=_transposed_batch,
        ),
        Cause(
            why="The state belongs to another layer, or was made with other settings and a fixed"
            " batch size.",
            tell="Compare num_layers, bidirectional and hidden_size with those of {layer}.",
            fix="{from_x}",
        ),
    ),
    notes=(_ORDER_NOTE,),
    more=_SIZED_LAYOUTS,
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 3), (z(3, 7, 4), z(3, 7, 4)))",
        "nn.GRU(3, 4)(z(5, 2, 3), z(1, 7, 9))",
    ),
)


# Dimensions, before torch 1.11


def _old_dimensions(clues: Clues) -> Numbers | None:
    """Accepts states with more or fewer axes than the layer takes."""
    expected, got = tuple(clues["expected"]), tuple(clues["got"])
    if len(expected) == len(got) or len(expected) != 3:
        return None
    return _state(clues) | {
        "extra": _without(got, expected),
        "lacking": _without(expected, got),
    }


def _same_but_ones(clues: Clues) -> bool:
    """Whether the shapes are the same but for axes of size 1."""
    expected, got = ([size for size in clues[name] if size != 1] for name in ("expected", "got"))
    return _neither(clues) and expected == got


def _without(longer: Sequence[int], shorter: Sequence[int]) -> int | None:
    """The axis of size 1 whose removal leaves the shorter shape."""
    for axis, size in enumerate(longer):
        if size == 1 and (*longer[:axis], *longer[axis + 1 :]) == tuple(shorter):
            return axis
    return None


def _may_be_one_tensor(clues: Clues) -> bool:
    """Whether an LSTM found a state one axis short, as it does where one tensor is given."""
    return bool(clues["pair"] and clues["got_dims"] < 3 and clues["state"] == "h_0")


def _has_extra(clues: Clues) -> bool:
    return clues["extra"] is not None


def _has_lacking(clues: Clues) -> bool:
    return clues["lacking"] is not None


_neither: Final = both(unless(_has_extra), unless(_has_lacking))


_NOT_A_TUPLE: Final = (
    "One tensor was given as the state, but an LSTM takes a tuple (h, c):"
    " it reads the first two entries of the tensor as h and c."
)
_TUPLE_FIX: Final = "output, (h_n, c_n) = lstm(x, (h_0, torch.zeros_like(h_0)))"

_OLD_DIMENSIONS = Entry(
    mistake="state-dimensions-before-1-11",
    wordings=_STATE_SIZE,
    read=_old_dimensions,
    meaning="`{state}` is {got}, with {got_dims} dimensions, but {layer} takes {expected}:"
    " (layer*dir, batch, feature).",
    causes=(
        Cause(
            why=_NOT_A_TUPLE,
            tell="`type(hidden)` is a tensor, as a GRU takes it, not a tuple.",
            fix=_TUPLE_FIX,
            when=_may_be_one_tensor,
        ),
        Cause(
            why="The state has a dimension of size 1 too many.",
            tell="Look for an unsqueeze of a state that has its layers already.",
            fix="h_0 = h_0.squeeze({extra}){also}",
            when=_has_extra,
        ),
        Cause(
            why="The state lacks an axis of size 1, such as its layers.",
            tell="`print(h_0.shape)` shows {got}.",
            fix="h_0 = h_0.unsqueeze({lacking}){also}",
            when=_has_lacking,
        ),
        Cause(
            why="The state has the right number of elements, but lacks axes of size 1.",
            tell="`print(h_0.shape)` shows {got}.",
            fix="h_0 = h_0.view{expected}{also}",
            when=_same_but_ones,
        ),
        Cause(
            why="The state was made without one of its three axes, or with one too many.",
            tell="`print(h_0.shape)` shows {got}.",
            fix="{from_x}",
            when=_neither,
        ),
    ),
    notes=("Since torch 1.11: `For batched 3-D input, hx should also be 3-D but got 2-D tensor`.",),
    more=_SIZED_LAYOUTS,
    source="torch/nn/modules/rnn.py, check_hidden_size, before torch 1.11",
)


_CUT_OFF = Entry(
    mistake="state-cut-off",
    wordings=(
        Wording("Expected hidden[{entry:int}] size {expected:shape}", "0.4 on, cut off"),
        Wording("Expected hidden size {expected:shape}", "0.2 on, cut off"),
    ),
    read=lambda clues: _state(clues) if len(clues["expected"]) == 3 else None,
    meaning="{layer} takes a state of {expected}, (layer*dir, batch, feature), but got another; the"
    " text does not say which.",
    causes=(
        Cause(
            why="The batch differs: x is batch first, and {layer} is not, so it reads the steps as"
            " the batch, {batch}.",
            tell="`print(x.shape, h_0.shape)` just before the call shows it.",
            fix="{class_name}(..., batch_first=True)  # or x.transpose(0, 1)",
        ),
        Cause(
            why="The last batch is smaller than that of the state, or the state is of another"
            " batch.",
            tell="It fails in the last batch of an epoch only, or `print(h_0.shape)` differs in its"
            " second size.",
            fix="{from_x}",
        ),
        Cause(
            why="The state was made for another num_layers, bidirectional or hidden_size.",
            tell="`print(h_0.shape)` differs in its first or last size.",
            fix="{zeros}",
        ),
    ),
    notes=(_ORDER_NOTE,),
    more=_SIZED_LAYOUTS,
    source="torch/nn/modules/rnn.py, check_hidden_size: a part of its message",
)


# Dimensions, since torch 1.11


def _dimensions(clues: Clues) -> Numbers:
    pair = clues.get("c_dims") is not None
    h_dims, wanted, c_dims = clues["h_dims"], clues["wanted"], clues.get("c_dims")
    got = f"{h_dims}-D" if c_dims in (None, h_dims) else f"{h_dims}-D and {c_dims}-D"
    kind = Kind.LSTM if pair else clues.kind
    numbers = names_of(kind) | _of_pair(pair)
    if not pair and kind in (None, Kind.LSTM):  # no LSTM raises it, whatever its name says
        numbers |= {"layer": "the layer", "class_name": "nn.GRU", "command": "gru"}
    known = clues.shapes.get("hidden") or clues.shapes.get("h_0") or clues.shapes.get("h0")
    spare = [axis for axis, size in enumerate(known or ()) if size == 1]
    return numbers | {
        "pair": pair,
        "states": "h_0 and c_0" if pair else "h_0",
        "are": "are" if pair else "is",
        "got": got,
        "more_dims": wanted < max(_given_dims(clues)),
        "spare": 2 if not spare else spare[-1],
        "layers": int(clues.config.get("num_layers", 1))
        * (2 if clues.config.get("bidirectional") else 1),
        "step_axis": 1 - clues.batch_axis,
        "batch_axis": clues.batch_axis,
        "hidden": clues.config.get("hidden_size", "hidden_size"),
    }


def _given_dims(clues: Clues) -> tuple[int, int]:
    """How many dimensions both states have; a single one counts for both."""
    h_dims, c_dims = clues["h_dims"], clues.get("c_dims")
    return h_dims, h_dims if c_dims is None else c_dims


def _needs(wanted: int) -> Callable[[Clues], Numbers | None]:
    """Accepts states of another number of dimensions than this one, which they need."""

    def read(clues: Clues) -> Numbers | None:
        if clues["wanted"] != wanted or _given_dims(clues) == (wanted, wanted):
            return None
        return _dimensions(clues)

    return read


def _lacks_one(clues: Clues) -> bool:
    return bool(_least(clues) == clues["wanted"] - 1)


def _lacks_more(clues: Clues) -> bool:
    return bool(_least(clues) < clues["wanted"] - 1)


def _least(clues: Clues) -> int:
    return min(_given_dims(clues))


_too_many: Final = holds("more_dims")


def _may_be_unpacked(clues: Clues) -> bool:
    return bool(clues["pair"] and clues["h_dims"] == clues["c_dims"] == 2)


def _surely_unpacked(clues: Clues) -> bool:
    return _may_be_unpacked(clues) and any(
        len(clues.shapes.get(name, ())) == 3 for name in ("hidden", "h_0", "h0", "state", "hx")
    )


_DIMENSIONS = Entry(
    mistake="state-dimensions",
    wordings=_STATE_DIMENSIONS,
    read=_needs(3),
    meaning="`{states}` {are} {got}, but a 3-D input needs 3-D states: (layer*dir,"
    " batch, feature).",
    causes=(
        Cause(
            why="The state is (batch, feature) and lacks its axis of layers.",
            tell="`print(h_0.shape)` shows 2 sizes. With more layers than one, it is"
            " h_0.view(num_layers, batch, hidden_size).",
            fix="h_0 = h_0.unsqueeze(0){also}",
            when=_lacks_one,
        ),
        Cause(
            why="One tensor was given in place of the tuple (h, c): the LSTM takes its first two"
            " layers or directions for h and c.",
            tell="`type(hidden)` is a tensor, not a tuple.",
            fix=_TUPLE_FIX,
            when=_may_be_unpacked,
            certain=_surely_unpacked,
        ),
        Cause(
            why="The state has a dimension too many, often one of size 1.",
            tell="`print(h_0.shape)` shows a 1 at that place.",
            fix="h_0 = h_0.squeeze({spare}){also}",
            when=_too_many,
        ),
        Cause(
            why="The state was made without all of its axes.",
            tell="`print(h_0.shape)` shows {got}.",
            fix="h_0 = torch.zeros({layers}, x.size({batch_axis}), {hidden}){also}",
            when=_lacks_more,
        ),
    ),
    notes=(_ORDER_NOTE,),
    more=LAYOUTS,
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 3), (z(2, 4), z(2, 4)))",
        "nn.GRU(3, 4)(z(5, 2, 3), z(2, 4))",
        "nn.GRU(3, 4)(z(5, 2, 3), z(1, 2, 1, 4))",
        "nn.LSTM(3, 4, 2)(z(5, 2, 3), z(2, 2, 4))",
    ),
)


def _is_cell_step(clues: Clues) -> bool:
    """Whether the text speaks of a decoder or a token, which is fed step by step."""
    return clues.mentions("decoder", "token", "embed")


_UNBATCHED = Entry(
    mistake="state-unbatched",
    wordings=_STATE_DIMENSIONS,
    read=_needs(2),
    meaning="x is 2-D, so {layer} takes it as one sequence without a batch, (seq, feature), which"
    " needs 2-D states, but `{states}` {are} {got}.",
    causes=(
        Cause(
            why="x is (seq, feature), one sequence, and lacks its batch axis.",
            tell="`print(x.shape)` shows (seq, feature).",
            fix="x = x.unsqueeze({batch_axis})  # (seq, 1, feature); unsqueeze(0) with"
            " batch_first=True",
            when=_too_many,
        ),
        Cause(
            why="x is (batch, feature), one step of a batch, and lacks its sequence axis.",
            tell="`print(x.shape)` shows (batch, feature).",
            fix="x = x.unsqueeze({step_axis})  # (1, batch, feature); unsqueeze(1) with"
            " batch_first=True",
            when=_too_many,
            likely=_is_cell_step,
        ),
        Cause(
            why="x should be 3-D, but was flattened, squeezed or indexed on the way.",
            tell="`print(x.shape)` after each line that changes x shows where.",
            fix="x = x.reshape(batch, seq, input_size)  # with batch_first=True",
            when=_too_many,
        ),
        Cause(
            why="If x is to be one sequence without a batch, the states have no batch either.",
            fix="h_0 = h_0.squeeze(1){also}",
            when=_too_many,
        ),
        Cause(
            why="The state lacks its axis of layers.",
            tell="`print(h_0.shape)` shows 1 size.",
            fix="h_0 = h_0.unsqueeze(0){also}",
            when=_lacks_one,
        ),
    ),
    notes=("Before torch 1.11 a 2-D input was refused: `input must have 3 dimensions, got 2`.",),
    more="rnnshape {command} --unbatched --show layouts",
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 3), (z(1, 1, 4), z(1, 1, 4)))",
        "nn.GRU(3, 4)(z(5, 3), z(1, 1, 4))",
    ),
)


# One tensor for two, two for one


def _frame_of_states(clues: Clues) -> bool:
    """Whether the traceback, if there is one, ends in a recurrent layer."""
    return clues.frame == "rnn" if clues.frame else not clues.has_frames


_MEANT_PAIR: Final = "An LSTM takes a tuple (h, c) as its state, but was given one tensor"
_READS_PAIR: Final = "it looks for c in the second entry of h_0, which has one layer."


def _one_tensor_called(clues: Clues) -> Numbers | None:
    """Accepts calls whose arguments are as they must be but for the state."""
    types = [each.strip() for each in clues["types"].split(",")]
    at = types.index("list") - 1 if "list" in types else -1
    flags = all(each == "bool" for each in types[-3:])
    if at <= 0 or types[at] != "Tensor" or not flags:
        return None
    return names_of(Kind.LSTM) | {"meaning": _MEANT_PAIR + "."}


def _one_tensor(clues: Clues) -> Numbers | None:
    """Accepts the second entry of a state that has one, and no other index."""
    if clues.get("types") is not None:
        return _one_tensor_called(clues)
    if (clues["index"], clues["axis"], clues["size"]) != (1, 0, 1):
        return None
    if not _frame_of_states(clues):
        return None
    meant = (
        _MEANT_PAIR
        if clues.recurrent
        else f"Often it is this: {_MEANT_PAIR[0].lower()}{_MEANT_PAIR[1:]}"
    )
    return names_of(Kind.LSTM) | {"meaning": f"{meant}: {_READS_PAIR}"}


_GIVEN_ONE: Final = Cause(
    why="The state is one tensor, as a GRU takes it, but an LSTM takes the tuple (h, c).",
    tell="`type(hidden)` is a tensor, not a tuple.",
    fix=_TUPLE_FIX,
)
_GIVEN_HALF: Final = Cause(
    why="Only h of an encoder's (h_n, c_n) is passed on, such as `hidden[0]`.",
    tell="Look for an index, or `output, (h, _) = ...`, where the state comes from.",
    fix="output, hidden = lstm(x)  # hidden is the tuple (h_n, c_n): pass it on whole",
)

_ONE_TENSOR = Entry(
    mistake="state-one-tensor",
    wordings=(
        Wording(
            "index {index:int} is out of bounds for dimension {axis:int} with size {size:int}",
            "1.11 on",
        ),
        Wording("lstm() received an invalid combination of arguments - got ({types})", "0.4 on"),
    ),
    read=_one_tensor,
    meaning="{meaning}",
    causes=(_GIVEN_ONE, _GIVEN_HALF),
    notes=(
        (
            "With 2 layers or more the message is `hx and cx should also be 3-D but got (2-D, 2-D)"
            " tensors`."
        ),
        "An nn.LSTMCell that is given one 3-D tensor crashes: a segmentation fault.",
    ),
    more="rnnshape lstm --show states",
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 3), z(1, 2, 4))",
        "torch._VF.lstm(z(5, 2, 3), z(1, 2, 4), [z(16, 3), z(16, 4)], False, 1, 0.0, *3 * [False])",
    ),
    generic=True,
)


_ONE_TENSOR_CELL = Entry(
    mistake="cell-state-one-tensor",
    wordings=(
        Wording(
            "{call:word}(): argument 'hx' (position {place:int}) must be tuple of Tensors", "2.0 on"
        ),
    ),
    read=lambda _: {"layer": "the LSTMCell"},
    meaning="An LSTMCell takes a tuple (h, c) as its state, but was given one tensor.",
    causes=(
        Cause(
            why="The state is one tensor, as a GRUCell takes it.",
            tell="`type(state)` is a tensor, not a tuple.",
            fix="h, c = lstm_cell(x, (h, c))",
        ),
    ),
    notes=("Given one 3-D tensor, the same call crashes: a segmentation fault.",),
    more="rnnshape lstm --cell --show states",
    provoked_by=("nn.LSTMCell(3, 4)(z(2, 3), z(2, 4))",),
)


def _tuple_for_one(clues: Clues) -> Numbers | None:
    """Accepts the tuple that a recurrent layer was given as its state, as the frames show."""
    if clues["type"] not in ("tuple", "list"):
        return None
    if clues.get("name") is None:
        return names_of(clues.kind)
    if clues.frame != "rnn" or clues["name"] not in ("size", "dim"):
        return None
    return names_of(clues.kind) if clues.mentions("hx.size(", "hx.dim(") else None


_TUPLE = Entry(
    mistake="state-tuple",
    wordings=(
        Wording("'{type:word}' object has no attribute '{name:word}'", "0.4 on"),
        Wording(
            "{cell:word}(): argument 'hx' (position {place:int}) must be Tensor, not {type:word}"
        ),
    ),
    read=_tuple_for_one,
    meaning="{layer} takes one tensor as its state, but was given a {type}.",
    causes=(
        Cause(
            why="The state is (h, c) of an LSTM, but a GRU or an RNN has no c.",
            tell="`type(hidden)` is tuple: an LSTM made it, or it was written for one.",
            fix="output, h_n = gru(x, hidden[0])",
            when=equals("type", "tuple"),
        ),
        Cause(
            why="The state is a list with one entry for each layer, but it has to be one tensor.",
            tell="`type(hidden)` is list.",
            fix="output, h_n = gru(x, torch.stack(hidden))  # (layer*dir, batch, feature)",
            when=equals("type", "list"),
        ),
    ),
    notes=("An LSTM takes [h, c] for (h, c); TorchScript does not.",),
    more="rnnshape gru --show states",
    source="torch/nn/modules/rnn.py, by its frames: the message alone does not name the state",
)

_NONE = Entry(
    mistake="cell-state-none",
    wordings=(Wording("'NoneType' object is not subscriptable", "0.1 to 1.0"),),
    read=lambda clues: (
        {} if clues.mentions("LSTMCell", "lstm_cell") or clues.frame == "rnn" else None
    ),
    meaning="The state that was given is None, and its first entry was looked up.",
    causes=(
        Cause(
            why="An nn.LSTMCell of torch before 1.0 needs a state, (h, c), in its first step too.",
            tell="`print(torch.__version__)`, and `print(state)` shows None.",
            fix="h = torch.zeros(x.size(0), hidden_size, device=x.device)  # and c likewise",
        ),
        Cause(
            why="The state was never made, or a function of yours that makes it has no `return`.",
            tell="`print(state)` shows None.",
            fix="return h, c  # as the last line of init_hidden",
        ),
    ),
    more="rnnshape lstm --cell --show states",
    source="torch/nn/modules/rnn.py of torch before 1.0, LSTMCell.forward",
    generic=True,
)

_COUNT = Entry(
    mistake="state-count",
    wordings=(
        Wording("lstm expects two hidden states", "1.0 on"),
        Wording("lstm_cell expects two hidden states", "1.0 on"),
    ),
    read=lambda _: names_of(Kind.LSTM),
    meaning="The state of an LSTM is a tuple (h, c) of two tensors, but it was given another"
    " number of them.",
    causes=(
        Cause(
            why="The tuple has one tensor, or more than two, such as one for each layer.",
            tell="`print(len(hidden))` does not show 2.",
            fix="h_0, c_0 = torch.stack(hs), torch.stack(cs)  # hs, cs: one (batch, feature) a"
            " layer\noutput, (h_n, c_n) = lstm(x, (h_0, c_0))",
        ),
        Cause(
            why="A comma is missing or too many: `(h)` is a tensor, `(h,)` a tuple of one.",
            fix="output, (h_n, c_n) = lstm(x, (h_0, c_0))",
        ),
    ),
    more="rnnshape lstm --show states",
    provoked_by=(
        "nn.LSTM(3, 4)(z(5, 2, 3), (z(1, 2, 4), z(1, 2, 4), z(1, 2, 4)))",
        "nn.LSTMCell(3, 4)(z(2, 3), (z(2, 4),))",
        "torch._VF.lstm_cell(z(2, 3), [z(2, 4)], z(16, 3), z(16, 4), z(16), z(16))",
    ),
)


_CONTIGUOUS = Entry(
    mistake="state-contiguous",
    wordings=(
        Wording("rnn: {entry:word} is not contiguous", "0.4 on, cuDNN"),
        Wording("input must be contiguous: {entry:word}"),
    ),
    read=lambda clues: {"state": "c_0" if clues["entry"] == "cx" else "h_0"},
    meaning="`{state}` is a view of a tensor that lies in memory in another order, and cuDNN wants"
    " it contiguous.",
    causes=(
        Cause(
            why="The state was made by transpose, permute, expand or a slice such as `h[:, :n]`.",
            tell="`print(h_0.is_contiguous())` shows False.",
            fix="hidden = hidden.contiguous()  # GRU, RNN\n"
            "hidden = tuple(state.contiguous() for state in hidden)  # LSTM",
        ),
        Cause(
            why="The state was given batch first, since `DataParallel` splits the first axis, and"
            " was transposed back in forward.",
            tell="There is a transpose(0, 1) of the state before the call.",
            fix="h_0 = h_0.transpose(0, 1).contiguous()  # and c_0 likewise",
            when=in_parallel,
            likely=in_parallel,
        ),
    ),
    notes=("On a CPU the same call works: only cuDNN asks for it.",),
    source="aten/src/ATen/native/cudnn/RNN.cpp",
)

_FEW_STATES = Entry(
    mistake="state-too-few",
    wordings=(
        Wording("Expected more hidden states in stacked_rnn", "1.0 on"),
        Wording(
            "Odd number of params or hiddens given to a bidirectional RNN",
            "1.0 on",
        ),
    ),
    meaning="The state has fewer layers x directions than the call is told by num_layers and"
    " bidirectional.",
    causes=(
        Cause(
            why="`torch.lstm`, `torch.gru` or `_VF` was called directly, which does not check the"
            " state: its first axis must be num_layers, times 2 if bidirectional.",
            tell="`print(hx.shape)` shows it.",
            fix="hx = torch.zeros(num_layers * (2 if bidirectional else 1), batch, hidden_size)",
        ),
    ),
    more="rnnshape {command} --layers 2 --bidir --show states",
    provoked_by=(
        "torch._VF.gru(z(5, 2, 4), z(1, 2, 4), 4 * [z(12, 4)], False, 2, 0.0, *3 * [False])",
        "torch._VF.gru(z(5, 2, 4), z(1, 2, 4), 2 * [z(12, 4)], False, 1, 0.0, False, True, False)",
    ),
)


# Cells


def _cell(clues: Clues) -> dict[str, Any]:
    """What the texts call the cell whose state does not fit."""
    label = clues.get("label") or ""
    kind = Kind.LSTM if label.startswith("[") else clues.kind
    return {
        **names_of(kind, cell=True),
        "also": "" if kind in (Kind.GRU, Kind.RNN) else "  # and c likewise",
        "state": "c" if "1" in label else "h",
        "pair": kind in (Kind.LSTM, None) and "1" not in label,
    }


_CELL_BATCH = Entry(
    mistake="cell-state-batch",
    wordings=(
        Wording(
            "Input batch size {batch:int} doesn't match hidden{label} batch size {got:int}",
            "0.2 on",
        ),
        Wording("Input batch size {batch:int} doesn't match hidden batch size {got:int}", "0.2 on"),
    ),
    read=_cell,
    meaning="`{state}` has batch {got}, but the input of {layer} has batch {batch}.",
    compare=compared("batch", "batch", "got", title="{state}"),
    causes=(
        Cause(
            why="One tensor was given as the state in place of the tuple (h, c): its first row was"
            " taken for h, and the {got} features of that row for a batch.",
            tell="`type(state)` is a tensor, and {got} is hidden_size.",
            fix="h, c = lstm_cell(x, (h, c))",
            when=holds("pair"),
        ),
        Cause(
            why="The state is of another batch: kept from an earlier one, or made with a fixed"
            " batch size.",
            tell="`print(x.shape, h.shape)` before the call shows both.",
            fix="h = torch.zeros(x.size(0), cell.hidden_size, device=x.device){also}",
        ),
        Cause(
            why="x has another axis first: a cell takes (batch, feature), one step.",
            tell="`print(x.shape)` does not show (batch, feature).",
            fix="for step in x.unbind(1):  # x is (batch, seq, feature)\n"
            "    state = cell(step, state)",
        ),
    ),
    notes=(
        "An nn.LSTMCell that is given one 3-D tensor for (h, c) crashes: a segmentation fault.",
    ),
    more=CELL_STATES,
    provoked_by=(
        "nn.LSTMCell(3, 4)(z(2, 3), (z(5, 4), z(5, 4)))",
        "nn.GRUCell(3, 4)(z(2, 3), z(5, 4))",
        "torch.ao.nn.quantized.dynamic.LSTMCell(3, 4)(z(2, 3), (z(5, 4), z(5, 4)))",
    ),
)

_CELL_FEATURES = Entry(
    mistake="cell-state-features",
    wordings=(
        Wording(
            "hidden{label} has inconsistent hidden_size: got {got:int}, expected {features:int}",
            "0.2 on",
        ),
        Wording(
            "hidden has inconsistent hidden_size: got {got:int}, expected {features:int}",
            "0.2 on",
        ),
    ),
    read=_cell,
    meaning="`{state}` has {got} features, but hidden_size of {layer} is {features}.",
    compare=compared("feature", "features", "got", title="{state}"),
    causes=(
        Cause(
            why="The state has the two directions of a bidirectional encoder side by side:"
            " {got} = 2 x {features}.",
            tell="The layer that made it has `bidirectional=True`.",
            fix="bridge = nn.Linear({got}, {features})  # in __init__\nh = bridge(h){also}",
            when=twice("got", "features"),
        ),
        Cause(
            why="hidden_size is {features} in the cell and {got} where the state was made.",
            tell="`print(h.shape)` shows (..., {got}).",
            fix="h = torch.zeros(x.size(0), {features}, device=x.device){also}",
        ),
        Cause(
            why="The input and the state are given in the wrong order: it is cell(x, state).",
            tell="{got} is input_size.",
            fix="state = cell(x, state)",
        ),
    ),
    more=CELL_STATES,
    provoked_by=(
        "nn.LSTMCell(3, 4)(z(2, 3), (z(2, 9), z(2, 9)))",
        "nn.LSTMCell(3, 4)(z(2, 3), (z(2, 4), z(2, 9)))",
        "nn.RNNCell(3, 4)(z(2, 3), z(2, 8))",
    ),
)

_CELL_DIMENSIONS = Entry(
    mistake="cell-state-dimensions",
    wordings=(
        Wording(
            "{cell:word}: Expected hidden to be 1D or 2D, got {got_dims:int}D instead", "2.1 on"
        ),
        Wording(
            "{cell:word}: Expected hx[{entry:int}] to be 1D or 2D, got {got_dims:int}D instead",
            "2.1 on",
        ),
        Wording("Expected hidden to be 1-D or 2-D but received {got_dims:int}-D tensor", "1.12"),
    ),
    read=lambda clues: {"state": "c" if clues.get("entry") == 1 else "h"},
    meaning="`{state}` has {got_dims} dimensions, but a cell takes (batch, feature), or (feature)"
    " without a batch: it has one layer, and no axis for it.",
    causes=(
        Cause(
            why="The state has the axis of layers that an nn.LSTM, nn.GRU or nn.RNN has:"
            " (layer*dir, batch, feature).",
            tell="`print(h.shape)` shows its {got_dims} sizes.",
            fix="h = h[-1]  # the last layer; c likewise for an LSTMCell",
        ),
        Cause(
            why="If a layer was meant, not a cell: a layer reads the whole sequence in one call.",
            fix="{class_name}(input_size, hidden_size)",
        ),
    ),
    notes=(
        "An nn.LSTMCell that is given one 3-D tensor for (h, c) crashes: a segmentation fault.",
    ),
    more=CELL_STATES,
    provoked_by=(
        "nn.RNNCell(3, 4)(z(2, 3), z(1, 2, 4))",
        "nn.LSTMCell(3, 4)(z(2, 3), (z(1, 2, 4), z(1, 2, 4)))",
    ),
)

ENTRIES: Final = (
    _BATCH,
    _LAYERS,
    _FEATURES,
    _TRANSPOSED,
    _DIRECTIONS,
    _SHAPE,
    _OLD_DIMENSIONS,
    _CUT_OFF,
    _DIMENSIONS,
    _UNBATCHED,
    _ONE_TENSOR,
    _ONE_TENSOR_CELL,
    _TUPLE,
    _NONE,
    _COUNT,
    _CONTIGUOUS,
    _FEW_STATES,
    _CELL_BATCH,
    _CELL_FEATURES,
    _CELL_DIMENSIONS,
)
