"""The unrolled picture marks output and h_n where a real run has them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given

from rnnshape import inspect
from rnnshape.analysis.inspection import Inspection
from rnnshape.document.report import report_document
from rnnshape.document.sections.grid import picture
from rnnshape.layer.config import Kind, RNNConfig
from rnnshape.layer.input import InputSpec
from rnnshape.render.terminal import render_sections
from tests import reference
from tests.strategies import configs, examples


@given(configs().filter(lambda config: config.nonlinearity != "relu"))
@examples(30)
@pytest.mark.filterwarnings("ignore:dropout option adds dropout", "ignore:LSTM with projections")
def test_marks_are_where_output_and_h_n_really_are(config: RNNConfig) -> None:
    """Each state of each layer and direction is looked for, by value, in what PyTorch returns.

    relu gives zeros, which are found everywhere.
    """
    steps = 4
    torch.manual_seed(0)
    layer = reference.built(config, dtype=torch.float64)
    x = torch.randn(steps, config.input_size, dtype=torch.float64)  # without a batch axis
    with torch.no_grad():
        output, states = layer(x)
        h_n = states[0] if isinstance(states, tuple) else states
        drawn = {line.split("  ", 1)[0]: line for line in picture(config, steps).lines[1:-1]}
        assert len(drawn) == config.num_layers * config.directions
        for (label, index), own in _states(layer, config, x).items():
            width = config.output_size
            half = output.narrow(-1, index % config.directions * width, width)
            marks = [
                _MARKS[_equal(state, returned), _equal(state, h_n[index])]
                for state, returned in zip(own, half, strict=True)
            ]
            line = drawn[label]
            assert [word for word in line.split() if word in _MARKS.values()] == marks
            assert line.endswith(f"h_n[{index}]")


# By whether a state is in output, and in h_n.
_MARKS = {(False, False): ".", (True, False): "o", (False, True): "H", (True, True): "*"}


def _equal(state: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(state, other, rtol=0, atol=1e-12)


def _states(layer: Any, config: RNNConfig, x: torch.Tensor) -> dict[tuple[str, int], torch.Tensor]:
    """What each layer and direction gives at each step, by its label and its index of h_n.

    Each layer of the stack is run as a layer of its own, which reads what the one below gives.
    """
    found = {}
    for number in range(config.num_layers):
        below = replace(config, num_layers=1, input_size=x.shape[-1])
        alone = reference.built(below, dtype=torch.float64)
        own = {
            n.replace(f"_l{number}", "_l0"): w
            for n, w in layer.state_dict().items()
            if re.search(f"_l{number}(_|$)", n)
        }
        alone.load_state_dict(own)
        x = alone(x)[0]
        for direction, half in enumerate(torch.split(x, config.output_size, -1)):
            name = (" fwd", " rev")[direction] if config.bidirectional else ""
            found[f"layer {number}{name}", number * config.directions + direction] = half
    return found


@pytest.mark.parametrize(
    ("layers_", "steps", "rows", "columns"),
    [(4, 4, 4, 4), (5, 5, 5, 5), (6, 6, 5, 5), (1_000_000, 10**20, 5, 5)],
    ids=["whole", "no wider than folded", "folded", "huge"],
)
def test_a_large_grid_is_folded_in_the_middle_and_never_hides_a_single_step(
    layers_: int, steps: int, rows: int, columns: int
) -> None:
    lines = picture(RNNConfig(kind=Kind.GRU, num_layers=layers_), steps).lines
    assert len(lines) == rows + 2
    assert len(lines[0].split()) == columns
    folded = steps > 5
    assert ("..." in lines[0]) is folded
    assert any(line.startswith("...") for line in lines) is folded
    assert f"t={steps - 1}" in lines[0]


def test_the_columns_are_as_wide_as_their_own_heads() -> None:
    head, row, _ = picture(RNNConfig(kind=Kind.GRU), 10**12).lines
    assert len(row) < 80
    assert head.index("t=1") + 1 == row.index("o", head.index("t=1"))
    assert head.split() == ["t=0", "t=1", "...", f"t={10**12 - 2}", f"t={10**12 - 1}"]


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
def test_a_narrow_terminal_gets_a_narrow_picture(bidirectional: bool) -> None:
    config = RNNConfig(kind=Kind.LSTM, num_layers=4, bidirectional=bidirectional)
    report = inspect(config, run=False)
    sections = report_document(Inspection(report=report), show=["grid"]).sections
    for width, columns in ((80, 5), (40, 3)):
        lines = render_sections(sections, width=width).splitlines()
        assert max(map(len, lines)) <= width
        assert len(lines[1].split()) == columns
        assert lines[1].split()[-1] == "t=9"
        assert lines[2].endswith(f"h_n[{8 - 1 if bidirectional else 3}]")
        assert "* in both" in "".join(lines)


def test_the_steps_of_a_packed_batch_are_the_longest_rows() -> None:
    packed = InputSpec(batch_size=3, seq_len=9, lengths=(3, 7, 2))
    reports = [
        inspect(RNNConfig(kind=Kind.GRU), spec, run=False)
        for spec in (packed, InputSpec(seq_len=7))
    ]
    documents = [report_document(Inspection(report=each), show=["grid"]) for each in reports]
    lines = [render_sections(document.sections).splitlines() for document in documents]
    of_packed, of_seven = lines
    assert of_packed == [*of_seven, "the steps are the longest row's"]
