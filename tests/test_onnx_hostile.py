"""ONNX models that are damaged, or made to do harm: bounded work, and an error in two lines."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from io import BufferedReader, BytesIO, FileIO
from pathlib import Path
from typing import Any

import pytest

from rnnshape.errors import RequestError
from rnnshape.sources.files.contents import Contents
from rnnshape.sources.files.onnx import model as parts
from rnnshape.sources.files.onnx import protobuf, read
from tests.onnx_models import (
    Graph,
    Reference,
    Tensor,
    around_hole,
    function,
    integers,
    model,
    node,
    tensor,
    varint,
)

SEED = 20250814
MUTATIONS = 4000


def small() -> bytes:
    """A model with some of everything."""
    lstm = node("LSTM", ["X", "W", "R"], ["Y"], name="/rnn/LSTM", hidden_size=4, clip=1.5)
    inner = Graph(
        nodes=[node("GRU", ["X", "V", "S"], ["G"], activations=["Sigmoid", "Tanh"])],
        tensors=[tensor("V", (1, 12, 5), bytes(240)), tensor("S", (1, 12, 4))],
        outputs=["G"],
    )
    body = function("F", ["x"], ["y"], [node("RNN", ["x", "x", "x"], ["y"], way=Reference("a"))])
    nodes = [
        node("Constant", [], ["axes"], value=Tensor(integers("", [0]))),
        node("Unsqueeze", ["w", "axes"], ["W"]),
        lstm,
        node("Squeeze", ["Y", "axes"], ["Z"], axes=[1]),
        node("If", ["Z"], ["out"], then_branch=inner, else_branch=inner),
        node("F", ["Z"], ["f"], domain="local", metadata={"namespace": "a"}),
    ]
    graph = Graph(
        nodes=nodes,
        tensors=[tensor("w", (16, 5), bytes(320)), tensor("R", (1, 16, 4))],
        inputs={"X": ("steps", "batch", 5)},
        outputs=["out"],
        shapes={"Y": (1, 1, 1, 4)},
    )
    return model(graph, body)


def outcome(data: bytes) -> Contents | None:
    """What is found, or None for an error of two lines; any other error fails the test."""
    try:
        return read(BytesIO(data))
    except RequestError as error:
        told = [error.problem, error.hint]
    assert all(line and line.isprintable() for line in told)
    return None


def refused(data: bytes) -> str:
    with pytest.raises(RequestError) as caught:
        read(BytesIO(data))
    return caught.value.problem


def test_the_model_that_is_damaged_below_is_whole() -> None:
    found = outcome(small())
    assert found is not None
    assert [each.config.constructor for each in found.layers] == [
        "nn.LSTM(5, 4, bias=False)",
        "nn.GRU(5, 4, bias=False)",
    ]
    assert [each.name for each in found.failures] == ["rnn"]


def test_every_shorter_file_is_refused_or_has_less() -> None:
    whole = small()
    results = [outcome(whole[:length]) for length in range(len(whole))]
    # Only before the functions, which follow the graph, does a shorter file end between fields.
    assert [found for found in results if found is not None and len(found.layers) < 2] == []
    assert refused(whole[:200]).endswith("a field runs past the end of the file")


def test_random_damage_is_told_in_two_lines() -> None:
    whole, draw = small(), random.Random(SEED)  # noqa: S311 - not for secrets
    for _ in range(MUTATIONS):
        outcome(_mutated(bytearray(whole), draw))


def _mutated(data: bytearray, draw: random.Random) -> bytes:
    for _ in range(draw.choice((1, 1, 2, 4))):
        place = draw.randrange(len(data))
        match draw.randrange(5):
            case 0:
                data[place] ^= 1 << draw.randrange(8)
            case 1:
                data[place] = draw.randrange(256)
            case 2:
                data[place:place] = data[draw.randrange(len(data)) :][: draw.randrange(1, 40)]
            case 3 if len(data) > 40:
                del data[place : place + draw.randrange(1, 20)]
            case _:
                extreme = (1 << 63, (1 << 64) - 1, 1 << 31, 0, 127)
                data[place : place + 1] = varint(draw.choice(extreme))
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "at byte 0 there is no graph"),
        (b"<!DOCTYPE html>", "at byte 0 a field has the unknown type 4"),
        (b"\x3a\xff\x01", "at byte 0 a field runs past the end of the file"),
        (b"\x38\x01", "at byte 0 field 7 is a number, not a string or a message"),
        (b"\x02\x00", "at byte 0 a field has the number 0"),
        (b"\xff" * 20, "at byte 0 a number does not end"),
        (b"\x3a\x02\x0a\x09", "at byte 2 a field runs past the end of the file"),
    ],
    ids=["empty", "a page", "cut short", "a number", "field 0", "endless", "too long within"],
)
def test_what_is_no_model_is_told_with_its_place(data: bytes, problem: str) -> None:
    assert refused(data) == f"not an ONNX model, or a damaged one: {problem}"


def test_two_nodes_that_make_the_same_tensor_are_refused() -> None:
    graph = Graph(nodes=[node("Relu", ["a"], ["b"]), node("Tanh", ["a"], ["b"])])
    assert refused(model(graph)).endswith("two nodes make the tensor b")


def test_computations_that_go_round_in_a_circle_are_unknown() -> None:
    ring = [node("Concat", [f"c{(at + 1) % 50}"] * 2, [f"c{at}"]) for at in range(50)]
    graph = Graph(nodes=[*ring, node("LSTM", ["X", "c0", "c1"], ["Y"], name="a")])
    found = read(BytesIO(model(graph)))
    assert [each.name for each in found.failures] == ["a"]


def test_layers_that_go_round_in_a_circle_are_all_there() -> None:
    tensors = [
        tensor(f"{letter}{at}", (1, 16, 4), bytes([at])) for at in range(3) for letter in "WR"
    ]
    nodes = [
        node("LSTM", [f"Y{(at - 1) % 3}", f"W{at}", f"R{at}"], [f"Y{at}"], layout=1)
        for at in range(3)
    ]
    found = read(BytesIO(model(Graph(nodes=nodes, tensors=tensors))))
    assert sum(each.config.num_layers for each in found.layers) == 3


def test_shapes_that_double_at_each_step_take_no_time() -> None:
    doubling = [node("Concat", [f"c{at}"] * 2, [f"c{at + 1}"], axis=1) for at in range(50)]
    graph = Graph(
        nodes=[*doubling, node("LSTM", ["X", "c50", "R"], ["Y"])],
        tensors=[tensor("c0", (1, 16, 5)), tensor("R", (1, 16, 4))],
    )
    (failure,) = read(BytesIO(model(graph))).failures
    assert f"(1, {16 << 50}, 5)" in failure.problem


def nested(depth: int) -> bytes:
    graph = Graph(nodes=[node("LSTM", [], [])])
    for _ in range(depth):
        graph = Graph(nodes=[node("If", [], [], then_branch=graph)])
    return model(graph)


def calling_twice(levels: int) -> bytes:
    functions = [
        function(f"f{at}", [], [], [node(f"f{at + 1}", [], [], domain="local")] * 2)
        for at in range(levels)
    ]
    return model(Graph(nodes=[node("f0", [], [], domain="local")]), *functions)


def calling_itself() -> bytes:
    again = function("f", [], [], [node("f", [], [], domain="local")])
    return model(Graph(nodes=[node("f", [], [], domain="local")]), again)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (lambda: nested(100), f"nested over {parts.DEEPEST} deep"),
        (calling_itself, f"nested over {parts.DEEPEST} deep"),
        (lambda: calling_twice(30), "over 500 graphs and calls of functions"),
        (lambda: model(Graph(nodes=[b""] * 6000)), "over 5,000 fields"),
        (lambda: model(Graph(nodes=[node("a" * 20_000, [], [])])), "a string of 20,000 bytes"),
        (
            lambda: model(Graph(nodes=[node("a" * 15_000, [], [])] * 80)),
            "over 1,000,000 bytes of strings",
        ),
    ],
    ids=["graphs", "recursion", "calls", "fields", "a long text", "long texts"],
)
def test_there_is_a_bound_on(
    data: Callable[[], bytes], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protobuf, "MOST_FIELDS", 5000)
    monkeypatch.setattr(protobuf, "MOST_TEXT", 1_000_000)
    monkeypatch.setattr(parts, "MOST_SCOPES", 500)
    assert problem in refused(data())


def test_graphs_may_be_as_deep_as_the_bound() -> None:
    found = read(BytesIO(nested(parts.DEEPEST)))
    assert len(found.failures) == 1


class Counting(FileIO):
    """A file that counts the bytes that are read of it."""

    read_bytes = 0

    def readinto(self, buffer: Any) -> int | None:
        count = super().readinto(buffer)
        self.read_bytes += count or 0
        return count


def test_a_tensor_of_gigabytes_is_left_unread(tmp_path: Path) -> None:
    path, size = tmp_path / "huge.onnx", 1_400_000_000
    graph = Graph(
        nodes=[node("LSTM", ["X", "W", "R"], ["Y"])],
        tensors=[tensor("W", (1, 16, 5)), tensor("R", (1, 16, 4))],
    )
    before, after = around_hole(graph, size)
    with path.open("wb") as file:
        file.write(before)
        file.seek(size, 1)  # a hole, which takes no space
        file.write(after)
    counting = Counting(path)
    tracemalloc.start()
    with BufferedReader(counting) as file:
        found = read(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [each.config.constructor for each in found.layers] == ["nn.LSTM(5, 4, bias=False)"]
    assert found.tensors == 3
    assert counting.read_bytes < 100_000
    assert peak < 1_000_000
