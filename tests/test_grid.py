"""The unrolled picture marks output and h_n where a real run has them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given

from rnnshape import inspect
from rnnshape.document.grid import grid
from rnnshape.document.layer import layer_document
from rnnshape.layer.config import InputSpec, Kind, RNNConfig
from rnnshape.render.terminal import render_sections
from tests.strategies import configs, examples


@given(configs())
@examples(30)
def test_marks_are_where_output_and_h_n_really_are(config: RNNConfig) -> None:
    """Each row's cell is H where its state is in h_n: found by value in a run of one layer more."""
    steps = 4
    lines = grid(config, steps).lines[1:-1]
    assert len(lines) == config.num_layers * config.directions
    for line in lines:
        label, marks = line.split("  ", 1)
        layer = int(label.split()[1])
        cells = [mark for mark in marks.split() if mark in {"o", "H", "*", "."}]
        assert len(cells) == steps
        reverse = label.endswith("rev")
        final = cells[0] if reverse else cells[-1]
        top = layer == config.num_layers - 1
        assert final == ("*" if top else "H")
        assert {cell for cell in cells if cell != final} <= {"o" if top else "."}
        index = layer * config.directions + reverse
        assert marks.endswith(f"h_n[{index}]")


def test_the_index_of_h_n_is_the_state_of_that_layer_and_direction() -> None:
    """A layer's state in a stack is that of the layers below it alone: what the rows claim."""
    torch.manual_seed(0)
    stack = torch.nn.GRU(3, 4, num_layers=2, bidirectional=True)
    first = torch.nn.GRU(3, 4, bidirectional=True)
    first.load_state_dict({n: w for n, w in stack.state_dict().items() if "_l0" in n})
    given_input = torch.randn(5, 2, 3)
    assert torch.equal(stack(given_input)[1][:2], first(given_input)[1])


@pytest.mark.parametrize(
    ("layers_", "steps", "rows", "columns"),
    [(4, 4, 4, 4), (5, 5, 5, 5), (1_000_000, 10**20, 5, 5)],
    ids=["whole", "folded", "huge"],
)
def test_a_large_grid_is_folded_in_the_middle(
    layers_: int, steps: int, rows: int, columns: int
) -> None:
    lines = grid(RNNConfig(kind=Kind.GRU, num_layers=layers_), steps).lines
    assert len(lines) == rows + 2
    assert len(lines[0].split()) == columns
    if columns == 5:
        assert "..." in lines[0]
        assert f"t={steps - 1}" in lines[0]


def test_the_columns_are_as_wide_as_their_own_heads() -> None:
    head, row, _ = grid(RNNConfig(kind=Kind.GRU), 10**12).lines
    assert len(row) < 80
    assert head.index("t=1") + 1 == row.index("o", head.index("t=1"))
    assert head.split() == ["t=0", "t=1", "...", f"t={10**12 - 2}", f"t={10**12 - 1}"]


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
def test_a_narrow_terminal_gets_a_narrow_picture(bidirectional: bool) -> None:
    config = RNNConfig(kind=Kind.LSTM, num_layers=4, bidirectional=bidirectional)
    report = inspect(config, run=False)
    sections = layer_document(report, show=["grid"], full=False).sections
    for width, columns in ((80, 5), (40, 3)):
        lines = render_sections(sections, width=width).splitlines()
        assert max(map(len, lines)) <= width
        assert len(lines[1].split()) == columns
        assert lines[1].split()[-1] == "t=9"
        assert lines[2].endswith(f"h_n[{8 - 1 if bidirectional else 3}]")
        assert "* in both" in "".join(lines)


def test_the_steps_of_a_packed_batch_are_the_longest_rows() -> None:
    packed = InputSpec(batch_size=3, seq_len=9, lengths=(3, 7, 2))
    lines = [
        render_sections(
            layer_document(
                inspect(RNNConfig(kind=Kind.GRU), spec, run=False), show=["grid"], full=False
            ).sections
        ).splitlines()
        for spec in (packed, InputSpec(seq_len=7))
    ]
    of_packed, of_seven = lines
    assert of_packed == [*of_seven, "the steps are the longest row's"]
