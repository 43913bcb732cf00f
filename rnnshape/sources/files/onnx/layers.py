"""The layers of a model: its stacks as PyTorch's configs, each with its evidence, named once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from rnnshape.dims import written_shape
from rnnshape.errors import RequestError
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.recognition import Evidence, Recognised, Unrecognised
from rnnshape.sources.files.onnx import flow
from rnnshape.sources.files.onnx.copies import alike
from rnnshape.sources.files.onnx.decomposed import written_out
from rnnshape.sources.files.onnx.folding import UNKNOWN, Folding
from rnnshape.sources.files.onnx.model import Scope
from rnnshape.sources.files.onnx.names import module_name, scope_name
from rnnshape.sources.files.onnx.recurrent import (
    GATES,
    Cell,
    NotALayer,
    cell_of,
    is_recurrent,
    looks_recurrent,
    titled,
)
from rnnshape.sources.files.onnx.stacks import Stack, stacked


def found(graphs: Sequence[Scope]) -> Iterator[Recognised | Unrecognised]:
    """The layers that recurrent nodes make, and what is recurrent but cannot be read."""
    folding = Folding()
    cells: list[Cell] = []
    for scope in graphs:
        for node in scope.nodes:
            if scope.function_of(node) is not None:
                continue  # the body of the function is a graph of its own
            try:
                if is_recurrent(node):
                    cells.append(cell_of(node, scope, folding))
                elif not node.is_standard and looks_recurrent(node):
                    raise NotALayer(f"it is of {node.domain}, not one of ONNX's own")  # noqa: TRY301
            except NotALayer as problem:
                name = module_name(node, UNKNOWN)
                yield Unrecognised(name=name, problem=f"{titled(node, scope)}: {problem}")
    modules = {scope_name(cell.node) or "" for cell in cells}
    for scope in graphs:
        yield from written_out(scope, modules)
    yield from _layers(alike(stacked(cells, folding)))


def _layers(groups: Iterable[Sequence[Stack]]) -> Iterator[Recognised | Unrecognised]:
    """One layer for each group of stacks with the same weights."""
    names: dict[str, int] = {}
    for stacks in groups:
        first = stacks[0].cells[0]
        name = module_name(first.node, first.tensors["W"][1])
        while (count := names.get(name, 0)) > 0:
            names[name] += 1
            name = f"{name}_{count + 1}"
        names[name] = 1
        try:
            yield _layer(name, stacks)
        except RequestError as error:
            yield Unrecognised(name=name, problem=f"{first.title}: {error.problem}")


def _layer(name: str, stacks: Sequence[Stack]) -> Recognised:
    """The layer that stacks with the same weights are."""
    stack = stacks[0]
    cell = stack.cells[0]
    told = {
        "kind": _Told(cell.kind, _about_kind(stacks)),
        "input_size": _Told(cell.input_size, _about_tensor(cell, "W")),
        "hidden_size": _Told(cell.hidden_size, _about_tensor(cell, "R")),
        "num_layers": _Told(len(stack.cells), _about_depth(stack)),
        "bias": _Told(cell.bias, _about_bias(cell)),
        "batch_first": _batch_first(stack),
        "dropout": _dropout(stack),
        "bidirectional": _Told(cell.directions == 2, _about_direction(cell)),
    }
    if cell.kind is Kind.RNN:
        told["nonlinearity"] = _nonlinearity(cell)
    return Recognised(
        name=name,
        config=RNNConfig(**{n: each.value for n, each in told.items() if each.value is not None}),
        unknown=frozenset(field for field, each in told.items() if each.value is None),
        evidence=tuple(Evidence(field=field, text=each.text) for field, each in told.items()),
        shapes={
            title: value.shape
            for each in stack.cells
            for title, value in each.tensors.values()
            if value.shape is not None and -1 not in value.shape
        },
        departures=cell.departures,
    )


class _Told(NamedTuple):
    """The value of a field, None if it is unknown, and the evidence."""

    value: Any
    text: str


def _about_kind(stacks: Sequence[Stack]) -> str:
    cells = [cell for stack in stacks for cell in stack.cells[:1]]
    shown = cells[0].title
    if len(cells) > 1:
        more = f", and {len(cells) - 3} more" if len(cells) > 3 else ""
        copies = ", ".join(cell.title for cell in cells[1:3])
        shown += f" (the same weights: {copies}{more})"
    order = GATES[cells[0].kind]
    return f"{shown}; ONNX stacks its gates as {order}" if " " in order else shown


def _about_tensor(cell: Cell, letter: str) -> str:
    if cell.tensors[letter][1].shape is not None:
        return cell.described(letter)
    if letter == "R":
        return f"attribute hidden_size; {cell.described('R')}"
    return f"the features of X {cell.node.input(0)}; {cell.described('W')}"


def _about_bias(cell: Cell) -> str:
    if not cell.bias:
        return "no input B"
    rows = cell.kind.gates * cell.hidden_size
    return f"{cell.described('B')}: bias_ih and bias_hh, {rows} rows each"


def _about_depth(stack: Stack) -> str:
    if len(stack.cells) == 1:
        return "1 node"
    last = stack.cells[-1].node
    name = last.name or last.output(0)
    return f"{len(stack.cells)} nodes up to {name}, each reading the output of the previous"


def _about_direction(cell: Cell) -> str:
    if "direction" in cell.attributes:
        return f"direction = {cell.attributes['direction'].text(4)}"
    return "no attribute direction, so forward"


def _batch_first(stack: Stack) -> _Told:
    """Whether the batch is the first axis, by the layout and the Transposes around the stack."""
    cell = stack.cells[0]
    if cell.exporter_call:
        value = cell.exporter_call["batch_first"]
        return _Told(value == "True", f"the exporter noted batch_first={value}")
    if cell.batch_first:
        return _Told(True, "layout = 1")  # noqa: FBT003 - the value of a field
    before = flow.input_order(cell)
    after = {_first_axis(end.axes) for end in stack.ends}
    if before == flow.SWAP and after <= {"N"}:
        behind = ", and one after Y" if after else ", and Y is not used"
        return _Told(True, f"Transpose (1, 0, 2) before X{behind}")  # noqa: FBT003 - as above
    if before is None and after <= {"L"}:
        return _Told(False, "layout 0, and no Transpose before X or after Y")  # noqa: FBT003
    of_x = f"Transpose {written_shape(before)} before X" if before else "no Transpose before X"
    of_y = {frozenset("N"): "one after Y", frozenset("L"): "none after Y"}
    return _Told(None, f"not certain: {of_x}, {of_y.get(frozenset(after), 'Y is used both ways')}")


def _first_axis(axes: flow.Axes) -> str:
    return next((axis for axis in axes if axis in "LN"), "")


def _dropout(stack: Stack) -> _Told:
    call = stack.cells[0].exporter_call
    if call:
        return _Told(float(call["dropout"]), f"the exporter noted dropout={call['dropout']}")
    ratio = stack.ratios[0] if len(set(stack.ratios)) == 1 else None
    if ratio is not None:
        return _Told(ratio, f"ratio {ratio:g} of the Dropout between the layers")
    return _Told(None, "not stored in an ONNX model made for inference")


def _nonlinearity(cell: Cell) -> _Told:
    if "activations" not in cell.attributes:
        return _Told("tanh", "no attribute activations, so Tanh")
    names = ", ".join(cell.attributes["activations"].texts(9))
    return _Told(cell.nonlinearity, f"activations = {names}")
