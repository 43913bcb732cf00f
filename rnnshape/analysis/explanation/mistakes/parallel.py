"""`nn.DataParallel`: what is split over GPUs, and what cannot be put together again."""

from __future__ import annotations

from typing import Final

from rnnshape.analysis.explanation.clues import Clues
from rnnshape.analysis.explanation.commands import LENGTHS
from rnnshape.analysis.explanation.conditions import holds
from rnnshape.analysis.explanation.entry import Cause, Entry, Numbers
from rnnshape.analysis.explanation.records import Comparison
from rnnshape.analysis.explanation.wording import Wording

_DISTRIBUTED: Final = Cause(
    why="`DistributedDataParallel` runs one process for each GPU, so nothing is split or gathered;"
    " it is faster too.",
    fix="model = nn.parallel.DistributedDataParallel(model, device_ids=[rank])",
)


def _gathered(clues: Clues) -> Numbers | None:
    expected, got = clues["expected"], clues["got"]
    if len(expected) != len(got):
        return {"differs": (), "of_steps": False}
    differs = tuple(axis for axis, pair in enumerate(zip(expected, got, strict=True)) if
                    pair[0] != pair[1])  # fmt: skip
    return {"differs": differs, "of_steps": differs == (1,)}


def _axes_compared(clues: Clues) -> Comparison | None:
    expected, got = clues["expected"], clues["got"]
    if len(expected) != len(got) or not got:
        return None
    places = ("batch", *(f"axis {axis}" for axis in range(1, len(got))))
    if len(got) == 3 and clues["of_steps"]:
        places = ("batch", "seq", "feature")
    return Comparison(title="", places=places, expected=expected, got=got)


_GATHER = Entry(
    mistake="gather-sizes",
    wordings=(
        Wording(
            "Gather got an input of invalid size: got {got:shape}, but expected {expected:shape}",
            "0.2 to 1.5",
        ),
        Wording(
            "Input tensor at index {place:int} has invalid shape {got:shape}, but expected"
            " {expected:shape}",
            "1.5 on",
        ),
    ),
    read=_gathered,
    meaning="The results of the GPUs have different sizes, {got} and {expected}, so they cannot be"
    " joined along the first axis.",
    compare=_axes_compared,
    causes=(
        Cause(
            why="Each GPU unpacks to the longest sequence of its own part, so the parts differ in"
            " length.",
            tell="forward calls `pad_packed_sequence` without `total_length`.",
            fix="output, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.size(1))",
            likely=holds("of_steps"),
        ),
        Cause(
            why="The last batch is not divisible by the number of GPUs, and the first axis of a"
            " result is not the batch: an output without batch_first, or h_n.",
            tell="`print(output.shape, h_n.shape)` in forward shows it.",
            fix="return output.transpose(0, 1), h_n.transpose(0, 1)  # batch first",
            when=lambda clues: not clues["of_steps"] or len(clues["got"]) == 3,
        ),
        _DISTRIBUTED,
    ),
    more=LENGTHS,
    source="torch/csrc/cuda/comm.cpp, with several GPUs only",
)


def _split_state(clues: Clues) -> Numbers | None:
    """Accepts a state that was split along its layers while its batch stayed whole."""
    expected, got = clues["expected"], clues["got"]
    if len(expected) != 3 or len(got) != 3 or expected[2] != got[2] or 0 in (*expected, *got):
        return None
    parts = got[1] // expected[1]
    if not clues.mentions("replica", "parallel_apply", "DataParallel"):
        return None
    if parts < 2 or got[1] % expected[1] or -(-expected[0] // parts) < got[0]:
        return None
    return {"parts": parts, "whole": got[1], "layers": expected[0], "features": expected[2]}


_STATE_SPLIT = Entry(
    mistake="state-split",
    wordings=(
        Wording("Expected hidden[{entry:int}] size {expected:shape}, got {got:shape}", "0.4 on"),
        Wording("Expected hidden size {expected:shape}, got {got:shape}", "0.4 on"),
    ),
    read=_split_state,
    meaning="`nn.DataParallel` split the state along its first axis, the layers, since it splits"
    " every tensor there; the batch is the second axis of a state.",
    compare=lambda clues: Comparison(
        title="state",
        places=("layer*dir", "batch", "feature"),
        expected=clues["expected"],
        got=clues["got"],
    ),
    causes=(
        Cause(
            why="Each of {parts} GPUs has a part of the layers, and all {whole} sequences.",
            fix="out = model(x, h_0.transpose(0, 1))  # (batch, layer*dir, feature) is split well\n"
            "h_0 = h_0.transpose(0, 1).contiguous()  # in forward",
        ),
        Cause(
            why="A state of zeros need not be passed at all.",
            fix="output, state = self.{command}(x)  # each GPU makes its own zeros",
        ),
        _DISTRIBUTED,
    ),
    notes=("batch_first does not move the batch of a state: that is always its second axis.",),
    more="rnnshape {command} --layers 2 --batch-first --show layouts",
    source="nn.DataParallel, with several GPUs only",
)


def _in_replica(clues: Clues) -> Numbers | None:
    words = ("replica", "parallel_apply", "next(self.parameters", "DataParallel")
    return {} if clues.mentions(*words) else None


_NO_PARAMETERS = Entry(
    mistake="replica-parameters",
    wordings=(
        Wording("Caught StopIteration in replica", "1.5 on"),
        Wording("StopIteration: ", "1.5 on"),
        Wording("StopIteration", "1.5 on"),
    ),
    read=_in_replica,
    meaning="In a copy that `nn.DataParallel` makes for a GPU, `self.parameters()` is empty, from"
    " torch 1.5 on: `next(self.parameters())` finds nothing.",
    causes=(
        Cause(
            why="The initial state is made from the first weight, to have its device and dtype."
            " Those of the input do as well.",
            tell="The traceback ends at `next(self.parameters())`, often in `init_hidden`.",
            fix="h_0 = x.new_zeros(layers, batch, hidden_size)"
            "  # in place of next(self.parameters()).new_zeros(...)",
        ),
        Cause(
            why="The copy has its weights as attributes.",
            fix="weight = self.{command}.weight_hh_l0  # in place of next(self.parameters())",
        ),
        Cause(
            why="The code takes the device or the dtype from the first weight.",
            fix="device = x.device  # in place of next(self.parameters()).device",
        ),
        _DISTRIBUTED,
    ),
    source="torch/nn/parallel/replicate.py, with several GPUs only",
)

_FIRST_DEVICE = Entry(
    mistake="parallel-device",
    wordings=(
        Wording(
            "module must have its parameters and buffers on device {device:word} (device_ids[0])"
            " but found one of them on device: {found:word}",
            "1.1 on",
        ),
        Wording("module must have its parameters and buffers on device {device:word}", "1.0 on"),
        Wording("all tensors must be on devices[0]", "0.2 to 0.4"),
    ),
    read=lambda clues: {"place": clues.get("device") or "cuda:0"},
    meaning="`nn.DataParallel` copies the model from the first GPU, {place}, so all of it must be"
    " there.",
    causes=(
        Cause(
            why="The model is on the CPU, or on another GPU.",
            tell="`print(next(model.parameters()).device)` shows where.",
            fix='model = nn.DataParallel(model.to("{place}"))',
        ),
        Cause(
            why="A layer is made in forward, or kept in a list that is not an `nn.ModuleList`.",
            tell="`model.to(device)` does not move it.",
            fix="self.layers = nn.ModuleList(layers)",
        ),
        Cause(
            why="The first GPU of device_ids is another one.",
            fix='model = nn.DataParallel(model.to(f"cuda:{{ids[0]}}"), device_ids=ids)',
        ),
    ),
    source="torch/nn/parallel/data_parallel.py, with several GPUs only",
)

ENTRIES: Final = (_STATE_SPLIT, _GATHER, _NO_PARAMETERS, _FIRST_DEVICE)
