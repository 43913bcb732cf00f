"""`--show code`: the program runs as it stands, and its tensors have the shapes of the report."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import PackedSequence

from rnnshape import InputSpec, Kind, RNNConfig
from rnnshape.analysis.inspection import Inspection
from rnnshape.document.model import Picture
from rnnshape.document.sections.code import code
from rnnshape.layer.report import predicted_report
from rnnshape.layer.settings import DType, Settings
from rnnshape.layer.subject import Subject
from tests.program import call, spawn
from tests.strategies import examples, inputs, layers, packed_inputs

# PyTorch's own, about dropout of one layer and projections.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

_SETTINGS = st.sampled_from([Settings(), Settings(dtype=DType.FLOAT64), Settings(device="meta")])


def _program(subject: Subject) -> str:
    (picture,) = (
        block
        for block in code(Inspection(report=predicted_report(subject)))
        if isinstance(block, Picture)
    )
    assert picture.language == "python"
    return "\n".join(picture.lines)


def _run(program: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    with torch.no_grad():
        exec(program, names)  # noqa: S102 - the program is under test
    return names


@examples(150)
@given(layers(largest=6), inputs() | packed_inputs(), _SETTINGS)
def test_the_program_runs_and_gives_the_shapes_of_the_report(
    config: RNNConfig, input_spec: InputSpec, settings: Settings
) -> None:
    subject = Subject(config=config, input_spec=input_spec, settings=settings)
    program = _program(subject)
    names = _run(program)
    if isinstance(names.get("packed"), PackedSequence):
        names["data"] = names["packed"].data
    for name, tensor in subject.tensors.items():
        assert tuple(names[name].shape) == tensor.shape, program
        assert names[name].device.type == settings.device
        assert str(names[name].dtype) == f"torch.{settings.dtype.value}"
    steps = names["steps"].shape[0] if config.cell else input_spec.seq_len
    assert steps == input_spec.seq_len
    if config.cell:
        assert names["output"].shape == (input_spec.seq_len, *subject.tensors["h_1"].shape)
    assert max(map(len, program.splitlines())) <= 80


@examples(60)
@given(layers(largest=6), inputs() | packed_inputs())
def test_the_last_comment_names_every_result_with_its_shape(
    config: RNNConfig, input_spec: InputSpec
) -> None:
    program = _program(Subject(config=config, input_spec=input_spec))
    names = _run(program)
    said = program.splitlines()[-1].removeprefix("# ").replace(", (", " (").split("), ")
    assert said
    for part in said:
        name, _, shape = part.rstrip(")").partition(" (")
        sizes = tuple(int(size) for size in shape.split(",") if size.strip())
        assert tuple(names[name].shape) == sizes


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("lstm", "output, (h_n, c_n) = layer(input, (h_0, c_0))"),
        ("gru", "output, h_n = layer(input, h_0)"),
        ("rnn", "output, h_n = layer(input, h_0)"),
        ("lstm --cell", "    h_1, c_1 = cell(input, (h_1, c_1))"),
        ("gru --cell", "    h_1 = cell(input, h_1)"),
        ("gru --lengths 7,3", "packed_output, h_n = layer(packed, h_0)"),
        ("lstm --with-state", "output, (h_n, c_n) = layer(input)  # without states they are zeros"),
        ("gru --device meta --dtype bfloat16", 'input = torch.randn(10, 5, 20, device="meta",'),
    ],
)
def test_the_call_names_its_states(words: str, line: str) -> None:
    lines = call(*shlex.split(words), "--no-run", "--show", "code").out.splitlines()
    assert any(each.startswith(line) for each in lines), lines


def test_many_lengths_are_broken_between_numbers_and_run() -> None:
    lengths = tuple(range(1, 101))
    subject = Subject(
        config=RNNConfig(kind=Kind.GRU),
        input_spec=InputSpec(batch_size=100, seq_len=100, lengths=lengths),
    )
    program = _program(subject)
    assert max(map(len, program.splitlines())) <= 80
    names = _run(program)
    assert tuple(names["lengths"].tolist()) == lengths
    assert tuple(names["output"].shape) == (100, 100, 40)


@pytest.mark.parametrize("cell", [(), ("--cell",)], ids=["layer", "cell"])
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_the_page_is_that_of_the_class(kind: Kind, cell: tuple[str, ...]) -> None:
    out = call(kind.value.lower(), *cell, "--no-run", "--show", "code").out
    name = f"torch.nn.{kind.value}{'Cell' * bool(cell)}"
    address = f"https://docs.pytorch.org/docs/stable/generated/{name}.html"
    assert f"# {address}" in out.splitlines()


def test_what_is_printed_is_the_program_alone() -> None:
    printed = spawn("lstm", "--no-run", "--bidir", "--lengths", "3,1,2", "--show", "code").out
    names = _run(printed)
    assert names["output"].shape == (3, 3, 80)


def test_markdown_marks_the_program_as_python() -> None:
    out = call("gru", "--no-run", "--show", "code", "-f", "markdown").out
    assert out.startswith("```python\nimport torch\n")
