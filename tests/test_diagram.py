"""The diagram's shapes and indices are those of PyTorch."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given

from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Diagram, Node
from rnnshape.document.sections.diagram import diagram
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.input import InputSpec
from rnnshape.layer.report import predicted_report
from rnnshape.layer.subject import Subject
from rnnshape.render.diagram import diagram_lines
from tests import reference
from tests.strategies import configs, examples


def _diagram(config: RNNConfig, spec: InputSpec | None = None) -> Diagram:
    subject = Subject(config=config, input_spec=spec or InputSpec())
    drawn, *_ = diagram(Inspection(report=predicted_report(subject)))
    assert isinstance(drawn, Diagram)
    return drawn


def _shape(node: Node) -> tuple[int, ...]:
    assert node.shape is not None
    return node.shape.sizes


@given(configs())
@examples(30)
@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_shapes_of_input_layers_output_and_slots_are_pytorchs(config: RNNConfig) -> None:
    module = reference.built(config)
    stages = _diagram(config, InputSpec(batch_size=2, seq_len=3)).stages
    output, states = module(torch.zeros(_shape(stages[0][0])))
    assert _shape(stages[-1][0]) == output.shape
    tensors = {"h_n": states} if torch.is_tensor(states) else {"h_n": states[0], "c_n": states[1]}
    seen: dict[str, list[int]] = {name: [] for name in tensors}
    for node in (node for stage in stages for node in stage if node.operation):
        assert _shape(node)[-1] == output.shape[-1] // config.directions
        for slot in node.slots:
            for part in slot.name.text.split(", "):
                name, _, index = part.removesuffix("]").partition("[")
                assert slot.shape.sizes == tensors[name][int(index)].shape
                seen[name].append(int(index))
    for name, indices in seen.items():
        assert indices == list(range(len(tensors[name])))


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "two-way"])
def test_many_layers_are_folded_into_one_node_with_their_slice_of_h_n(bidirectional: bool) -> None:
    config = RNNConfig(kind=Kind.GRU, num_layers=7, bidirectional=bidirectional)
    _, h_n = torch.nn.GRU(20, 40, 7, bidirectional=bidirectional)(torch.zeros(10, 5, 20))
    nodes = [node for stage in _diagram(config).stages for node in stage if node.operation]
    (folded,) = (node for node in nodes if ".." in node.name)
    (slot,) = folded.slots
    first, stop = map(int, re.findall(r"\d+", slot.name.text))
    assert folded.name == "layers 2..5"
    assert slot.shape.sizes == h_n[first:stop].shape
    named = {int(re.findall(r"\d+", n.slots[0].name.text)[0]) for n in nodes if n is not folded}
    assert named | set(range(first, stop)) == set(range(len(h_n)))


def test_a_packed_input_flows_without_padding() -> None:
    spec = InputSpec(batch_size=3, seq_len=9, lengths=(7, 3, 2))
    stages = _diagram(RNNConfig(kind=Kind.GRU, num_layers=2), spec).stages
    shapes = [(stage[0].name, _shape(stage[0])) for stage in stages]
    assert shapes == [
        ("input", (9, 3, 20)),
        ("data", (12, 20)),
        ("layer 0", (12, 40)),
        ("layer 1", (12, 40)),
        ("output", (7, 3, 40)),
    ]


def test_a_million_layers_are_drawn_at_once() -> None:
    config = RNNConfig(kind=Kind.LSTM, num_layers=1_000_000, bidirectional=True)
    assert len(list(diagram_lines(_diagram(config), 80))) < 30


def test_the_lines_of_two_directions_hang_from_one_bar() -> None:
    config = RNNConfig(kind=Kind.LSTM, bidirectional=True, proj_size=9)
    assert list(diagram_lines(_diagram(config), 80)) == [
        "input              (10, 5, 20)",
        "  |",
        "  +-> layer 0 fwd  (10, 5, 9)   -> h_n[0] (5, 9), c_n[0] (5, 40)",
        "  +-> layer 0 rev  (10, 5, 9)   -> h_n[1] (5, 9), c_n[1] (5, 40)",
        "  v",
        "output             (10, 5, 18)",
    ]


def test_a_cell_ends_in_its_states() -> None:
    assert list(diagram_lines(_diagram(RNNConfig(kind=Kind.LSTM, cell=True)), 80)) == [
        "input        (5, 20)",
        "  v",
        "nn.LSTMCell           -> h_1, c_1 (5, 40)",
    ]


@pytest.mark.parametrize("width", [1, 20, 34, 50, 80])
def test_every_stage_is_shown_at_any_width(width: int) -> None:
    lines = list(diagram_lines(_diagram(RNNConfig(kind=Kind.LSTM, num_layers=2)), width))
    names = [line.split("  ")[0] for line in lines if not line.startswith("  ")]
    assert names == ["input", "layer 0", "layer 1", "output"]


def test_states_that_do_not_fit_on_one_line_have_a_line_each() -> None:
    config = RNNConfig(kind=Kind.LSTM, proj_size=9)
    assert list(diagram_lines(_diagram(config), 50)) == [
        "input    (10, 5, 20)",
        "  v",
        "layer 0  (10, 5, 9)   -> h_n[0] (5, 9),",
        "                         c_n[0] (5, 40)",
        "  v",
        "output   (10, 5, 9)",
    ]
