"""Recurrent nodes that follow each other as the layers of one nn.LSTM do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rnnshape.sources.files.onnx import flow
from rnnshape.sources.files.onnx.folding import Folding
from rnnshape.sources.files.onnx.names import scope_name
from rnnshape.sources.files.onnx.recurrent import Cell

_LENGTHS: Final = 4  # the place of sequence_lens among the inputs


@dataclass(frozen=True)
class Stack:
    """Layers, each of which reads the output of the one before and nothing else."""

    cells: tuple[Cell, ...]
    ends: tuple[flow.End, ...]  # of the last one's output
    ratios: tuple[float | None, ...]  # of the Dropout between each two layers, where it is known


def stacked(cells: Sequence[Cell], folding: Folding) -> list[Stack]:
    """The stacks that the nodes of a model make, in the order of their first nodes.

    A node goes on a stack where nn.LSTM would do the same: it reads the whole output of the node
    before and has its kind, hidden size, directions, biases and settings, but weights of its own.
    nn.LSTM gives out the output of its last layer alone; so where anything else reads the output
    of the node before, apart from its shape, the two stay apart. So do two modules of PyTorch.
    """
    later: dict[int, Cell] = {}  # so that no circle of nodes is a stack
    stacks: dict[Cell, Stack] = {}
    for cell in reversed(cells):
        ends = tuple(flow.ends(cell, folding))
        upper = _next(cell, ends, later)
        later[id(cell.node)] = cell
        if upper is None:
            stacks[cell] = Stack((cell,), ends, ())
        else:
            rest = stacks.pop(upper)
            stacks[cell] = Stack((cell, *rest.cells), rest.ends, (ends[0].dropout, *rest.ratios))
    return list(reversed(stacks.values()))


def _next(cell: Cell, ends: Sequence[flow.End], later: Mapping[int, Cell]) -> Cell | None:
    """The node that is the next layer above this one."""
    if len(ends) != 1:
        return None
    end, above = ends[0], later.get(id(ends[0].node))
    if above is None or above.node.input(0) != end.name:
        return None
    arranged = end.axes == ("NLH" if above.batch_first else "LNH")
    fits = above.input_size == cell.directions * cell.hidden_size and above.sizes == cell.sizes
    fits = fits and above.node.input(_LENGTHS) == cell.node.input(_LENGTHS)
    modules = {scope_name(cell.node), scope_name(above.node)}
    two_modules = len(modules) == 2 and None not in modules
    shared = _made_of(cell) == _made_of(above)
    return above if arranged and fits and not shared and not two_modules else None


def _made_of(cell: Cell) -> list[object]:
    return [(value.made, value.leaves) for _, value in cell.tensors.values()]
